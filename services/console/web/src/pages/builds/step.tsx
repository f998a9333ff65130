import type { BuildView, StepView } from '@berth/client';
import { useState } from 'react';
import { Link } from 'wouter';
import { run } from '../../api/commands';
import { onHost } from '../../log/sections';
import { Act } from '../../parts/act';
import { Dialog } from '../../ui/dialog';
import { TextField } from '../../ui/field';
import { Facts, Section } from '../../ui/page';
import { Ago } from '../../ui/time';
import { Outcome, StepTook } from './outcome';

const isOver = ({ outcome }: StepView): boolean => outcome !== 'waiting' && outcome !== 'running';

/** Runs a step that is over once more. */
export function Rerun({ build: { id }, step, small = false }: { build: BuildView; step: StepView; small?: boolean }) {
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState('');
  if (!isOver(step)) return null;
  const key = `rerun ${id} ${step.id}`;
  const confirm = () =>
    run(
      {
        key, label: `${step.name} again`, path: `builds/${id}/steps/${encodeURIComponent(step.id)}/rerun`, body: reason === '' ? {} : { reason },
        until: (event) => event.id === id && (event.type === 'StepsReset' || event.type === 'BuildRestarted'),
      },
      { quiet: true },
    );
  return (
    <>
      <Act needs="build:write" pending={key} small={small} label={`Run ${step.name} again`} onPress={() => setAsking(true)}>Again</Act>
      {asking && (
        <Dialog title={`Run ${step.name} again`} action="Run it again" onConfirm={confirm} onClose={() => setAsking(false)}>
          <p>With all that builds on it: in the same working copy while the build is under way, else in a new generation that keeps what it can.</p>
          <TextField label="Why (if you like)" value={reason} onValue={setReason} hint="kept in its history" />
        </Dialog>
      )}
    </>
  );
}

/** All that is known of one step. */
export function StepDetails({ build, step, onClose }: { build: BuildView; step: StepView; onClose: () => void }) {
  const outputs = Object.entries(step.outputs ?? {});
  const called = step.kind === 'call-plan' ? step.outputs?.['build'] : undefined;
  return (
    <Section title={`Step ${step.name}`} actions={<><Rerun build={build} step={step} small /><button type="button" className="button small" onClick={onClose}>Close</button></>}>
      <div className="columns">
        <Facts
          of={[
            ['Outcome', <Outcome step={step} />],
            ['Error', step.error !== null && <span className="text-bad">{step.error}</span>],
            ['Exit code', step.exitCode],
            ['Tries', step.tries > 1 && step.tries],
            ['Began', step.started !== null && <Ago at={step.started} />],
            ['Took', (step.durationMs !== null || step.started !== null) && <StepTook step={step} />],
            ['Kind', step.kind],
            ['Needs', step.needs.map((need) => build.steps[need]?.name).join(', ')],
            ['Its failure', step.allowed && 'does not make the build fail'],
            ['Calls', called !== undefined && <Link href={`/builds/${called}`} className="mono">{called}</Link>],
            ['Log', onHost(step) && step.action !== null && <Link href={`/builds/${build.id}/log?step=${encodeURIComponent(step.name)}`}>what it printed</Link>],
            ['Id', <span className="mono">{step.id}</span>],
          ]}
        />
        {outputs.length > 0 && <Facts of={outputs.map(([name, value]) => [name, <span className="mono">{value}</span>] as const)} />}
      </div>
    </Section>
  );
}
