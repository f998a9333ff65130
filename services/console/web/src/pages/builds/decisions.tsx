import type { BuildView, StepView } from '@berth/client';
import { useState } from 'react';
import { run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { Act } from '../../parts/act';
import { isOver } from '../../parts/over';
import { Dialog } from '../../ui/dialog';
import { TextField } from '../../ui/field';
import { Since } from '../../ui/time';
import { stepsOf } from '../plans/steps';
import { useVersions, versionsOf } from '../plans/versions';

type Verdict = 'pass' | 'fail';
const kinds: Record<string, { waits: string; words: Record<Verdict, string> }> = {
  'wait-for-approval': { waits: 'waits for an approval', words: { pass: 'Approve', fail: 'Refuse' } },
  'wait-for-message': { waits: 'waits for a message from outside', words: { pass: 'Report that it passed', fail: 'Report that it failed' } },
};

/** Steps that wait for somebody, and what can be told to them. */
export function Decisions({ build }: { build: BuildView }) {
  if (isOver(build.status)) return null;
  const waiting = build.steps.filter(({ kind, outcome }) => outcome === 'running' && Object.hasOwn(kinds, kind));
  return <>{waiting.map((step) => <Decision key={step.id} build={build} step={step} />)}</>;
}

function Decision({ build, step }: { build: BuildView; step: StepView }) {
  const [verdict, setVerdict] = useState<Verdict>();
  const { waits, words } = kinds[step.kind]!;
  const key = `message ${build.id} ${step.id}`;
  const asked = useAsked(build, step);
  return (
    <div className="note wait decision" role="group" aria-label={`${step.name} ${waits}`}>
      <span className="grow"><strong>{step.name}</strong> {waits}{asked.from !== undefined && ` (${asked.from})`}{asked.by !== undefined && <span className="quiet"> of {asked.by.join(' or ')}</span>}{step.started !== null && <span className="quiet">, for <Since at={step.started} /></span>}{asked.message !== undefined && <>: {asked.message}</>}</span>
      <Act needs="build:write" pending={key} tone="primary" onPress={() => setVerdict('pass')}>{words.pass}</Act>
      <Act needs="build:write" pending={key} tone="danger" onPress={() => setVerdict('fail')}>{words.fail}</Act>
      {verdict && <DecisionDialog build={build} step={step} verdict={verdict} words={words[verdict]} pending={key} onClose={() => setVerdict(undefined)} />}
    </div>
  );
}

/** What the plan says of a step that waits: the version of the plan that is built, not its newest one. */
function useAsked({ plan, planVersion }: BuildView, { id }: StepView): { message?: string; from?: string; by?: readonly string[] } {
  const read = useVersions(plan);
  const its = read.data && versionsOf(read.data.items).find(({ version }) => version === planVersion)?.plan;
  const { message, from, by } = (its && its.steps[stepsOf(its).findIndex((one) => one.id === id)]?.with) ?? {};
  return {
    ...(typeof message === 'string' && { message }),
    ...(typeof from === 'string' && { from }),
    ...(by !== undefined && { by: [by].flat().map(String) }),
  };
}

function DecisionDialog({ build, step, verdict, words, pending, onClose }: { build: BuildView; step: StepView; verdict: Verdict; words: string; pending: string; onClose: () => void }) {
  const [text, setText] = useState('');
  const [by, setBy] = useState('');
  const [problem, setProblem] = useState<unknown>();
  const confirm = () =>
    run(
      {
        key: pending, label: `${words}: ${step.name}`, path: `builds/${build.id}/steps/${encodeURIComponent(step.id)}/messages`, body: { type: verdict, ...(text !== '' && { text }), ...(by !== '' && { by }) },
        until: (event) => event.id === build.id && event.type === 'BuildMessaged',
      },
      { quiet: true },
    );
  return (
    <Dialog title={`${words}: ${step.name}`} action={words} danger={verdict === 'fail'} onConfirm={confirm} onClose={onClose} known={['by', 'text']} onProblem={setProblem}>
      <TextField label="What you say about it (if you like)" value={text} onValue={setText} error={problem instanceof ProblemError ? problem.of('text') : undefined} />
      <TextField label="In whose name (if the plan names who may)" value={by} onValue={setBy} error={problem instanceof ProblemError ? problem.of('by') : undefined} />
    </Dialog>
  );
}
