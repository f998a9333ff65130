import type { PlanView } from '@berth/client';
import type { SavedPlan } from '@berth/contracts';
import { useState, type FormEvent } from 'react';
import { Link, useLocation, useParams } from 'wouter';
import { run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { Act } from '../../parts/act';
import { Loaded } from '../../ui/empty';
import { SelectField, TextArea, TextField } from '../../ui/field';
import { Page, Section } from '../../ui/page';
import { ProblemBox } from '../../ui/problem';
import { givenOf, initialOf, linesOf, type Values, type Variable } from './variables';
import { usePlan } from './versions';

const common = ['ref', 'priority', 'initiator', 'project', 'variables'];

/** Asks for a build of a plan: a form made of its variables. */
export default function Start() {
  const { name = '' } = useParams<{ name: string }>();
  const { read, versions, error } = usePlan(name);
  return (
    <Page title={`Start ${name}`} trail={<><Link href="/plans">Plans</Link> / <Link href={`/plans/${name}`}>{name}</Link></>}>
      <Loaded read={read}>
        {(plan: PlanView) => {
          const its = versions?.find(({ version }) => version === plan.version);
          return its ? <Form key={its.version} name={name} version={its.version} plan={its.plan} /> : error ? <ProblemBox error={error} /> : <div className="empty" aria-busy="true">Loading…</div>;
        }}
      </Loaded>
    </Page>
  );
}

function Form({ name, version, plan }: { name: string; version: number; plan: SavedPlan }) {
  const variables = plan.variables && Object.keys(plan.variables).length > 0 ? plan.variables : undefined;
  const [values, setValues] = useState<Values>(() => initialOf(variables ?? {}));
  const [lines, setLines] = useState('');
  const [{ ref, priority, initiator, project }, setRest] = useState({ ref: '', priority: '', initiator: '', project: '' });
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [, go] = useLocation();
  const wrong = (field: string): string | undefined => (problem instanceof ProblemError ? problem.of(field) : undefined);
  const rest = (field: 'ref' | 'priority' | 'initiator' | 'project') => (value: string) => setRest((now) => ({ ...now, [field]: value }));

  const given = (): Record<string, string> => {
    if (variables) return givenOf(variables, values);
    const read = linesOf(lines);
    if (read.wrong.length > 0) throw new ProblemError(0, 'invalid-data', 'Not all variables can be read.', [{ field: 'variables', message: `line ${read.wrong.join(', ')}: write NAME=VALUE` }]);
    return read.given;
  };
  const send = () =>
    run<{ id: string }>(
      {
        key: `start ${name}`, label: `Build of ${name}`, path: 'builds',
        body: { plan: name, variables: given(), ...(ref !== '' && { ref }), ...(priority !== '' && { priority: Number.isNaN(Number(priority)) ? priority : Number(priority) }), ...(initiator !== '' && { initiator }), ...(project !== '' && { project }) },
      },
      { quiet: true },
    );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    // Whatever fails, also before it is sent, is told here.
    Promise.resolve().then(send).then(({ id }) => go(`/builds/${id}`), (error: unknown) => {
      setProblem(error);
      setBusy(false);
    });
  };
  return (
    <form onSubmit={submit} className="stack" noValidate>
      <Section title="Variables" note={variables ? undefined : 'the plan names none, so it takes any'}>
        {variables ? (
          <div className="fields">
            {Object.entries(variables).map(([of, variable]) => <VariableField key={of} name={of} variable={variable} value={values[of] ?? ''} onValue={(value) => setValues((now) => ({ ...now, [of]: value }))} error={wrong(`variables.${of}`)} />)}
          </div>
        ) : <TextArea label="One a line" rows={4} placeholder="NAME=VALUE" value={lines} onValue={setLines} error={wrong('variables')} />}
      </Section>
      <Section title="Build">
        <div className="fields">
          <TextField label="Ref" value={ref} onValue={rest('ref')} hint={plan.workingCopy.repository === undefined ? 'the plan has no repository' : `a branch, a tag or a commit; ${plan.workingCopy.ref ?? 'the default branch'} when empty`} error={wrong('ref')} />
          <TextField label="Priority" inputMode="numeric" value={priority} onValue={rest('priority')} hint={`0 to 1000, higher is served first; ${plan.priority ?? 100} when empty`} error={wrong('priority')} />
          <TextField label="Initiator" value={initiator} onValue={rest('initiator')} hint="who it is for" error={wrong('initiator')} />
          <TextField label="Project" value={project} onValue={rest('project')} hint="whom it acts for" error={wrong('project')} />
        </div>
      </Section>
      <ProblemBox error={problem} known={[...common, ...Object.keys(variables ?? {}).map((of) => `variables.${of}`)]} />
      <div className="row">
        <Act needs="build:write" tone="primary" busy={busy}>Start</Act>
        <span className="quiet">version {version} of {name}</span>
      </div>
    </form>
  );
}

function VariableField({ name, variable: { type, required, choices, description, default: otherwise }, value, onValue, error }: { name: string; variable: Variable; value: string; onValue: (value: string) => void; error: string | undefined }) {
  const hint = [description, required ? 'required' : otherwise === undefined ? 'may be left out' : `${otherwise === '' ? 'empty' : otherwise} unless you say otherwise`].filter((one) => one !== undefined).join('; ');
  const about = { label: name, hint, error, value, onValue, 'aria-required': required };
  const options = choices ?? (type === 'boolean' ? ['true', 'false'] : undefined);
  if (options) return <SelectField {...about} options={otherwise === undefined ? [['', required ? 'choose' : 'not given'], ...options] : options} />;
  return <TextField {...about} {...(type === 'number' && { inputMode: 'decimal' as const })} />;
}
