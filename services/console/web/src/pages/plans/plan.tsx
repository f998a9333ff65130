import type { PlanView } from '@berth/client';
import { useMemo } from 'react';
import { Link, useLocation, useParams } from 'wouter';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { Graph } from '../../graph/graph';
import { HistoryLink } from '../../parts/links';
import { Source } from '../../parts/source-text';
import { SelectField } from '../../ui/field';
import { Loaded } from '../../ui/empty';
import { Facts, Page, Section } from '../../ui/page';
import { useParam } from '../../ui/params';
import { ProblemBox } from '../../ui/problem';
import { Ago, stamp } from '../../ui/time';
import { pairs } from '../../words/text';
import { Editor } from './edit';
import { stepsOf } from './steps';
import { usePlan, type Version } from './versions';

/** One plan: its versions, what it says, and the way to its builds. */
export default function Plan() {
  const { name = '' } = useParams<{ name: string }>();
  const { read, versions, error } = usePlan(name);
  const [editing, setEditing] = useParam('edit');
  const has = useHas('build:write');
  const [, go] = useLocation();
  const leave = (saved?: string): void => (saved === undefined || saved === name ? setEditing(undefined) : go(`/plans/${saved}`));
  const actions = read.data && editing === '' && (
    <>
      <Link href={`/builds?plan=${encodeURIComponent(name)}`} className="button">Builds</Link>
      <HistoryLink id={name} />
      <Act needs="plan:write" onPress={() => setEditing('1')}>Edit</Act>
      {has && <Link href={`/plans/${name}/start`} className="button primary">Start</Link>}
    </>
  );
  return (
    <Page title={name} trail={<Link href="/plans">Plans</Link>} actions={actions}>
      <Loaded read={read}>
        {(plan) => (editing === '' ? <Shown plan={plan} versions={versions} error={error} /> : <Editor of={plan} text={plan.source} onLeave={leave} />)}
      </Loaded>
    </Page>
  );
}

function Shown({ plan, versions, error }: { plan: PlanView; versions: readonly Version[] | undefined; error: unknown }) {
  const [wanted, setWanted] = useParam('version');
  const [chosen, choose] = useParam('at');
  const version = versions?.find((one) => String(one.version) === wanted);
  const its = version ?? versions?.find((one) => one.version === plan.version);
  const steps = useMemo(() => its && stepsOf(its.plan), [its]);
  const select = versions && versions.length > 1 && (
    <SelectField label="Version" value={version === undefined ? '' : wanted} onValue={setWanted} options={versions.map((one) => [one.version === plan.version ? '' : String(one.version), `${one.version}, saved ${stamp(one.saved)} by ${one.actor}`] as const)} />
  );
  return (
    <>
      <ProblemBox error={error} />
      {version && version.version !== plan.version && <p className="note wait">This is version {version.version}. Builds start from the newest one, {plan.version}.</p>}
      {select && <div className="filters">{select}</div>}
      {steps && <Section title="Graph"><Graph steps={steps} chosen={chosen} onChoose={(id) => choose(id === chosen ? undefined : id)} /></Section>}
      <div className="columns">
        <Section title="Source" note={`version ${its?.version ?? plan.version}`}><Source of="plan" text={its?.source ?? plan.source} /></Section>
        <Section title="What it says"><Says version={its} saved={its?.saved ?? plan.saved} /></Section>
      </div>
    </>
  );
}

function Says({ version, saved }: { version: Version | undefined; saved: string }) {
  const plan = version?.plan;
  return (
    <>
      <Facts
        of={[
          ['Saved', <><Ago at={saved} />{version && ` by ${version.actor}`}</>],
          ['Host', plan && !plan.hosts && pairs(plan.host)],
          ...Object.entries(plan?.hosts ?? {}).map(([name, host]) => [`Host ${name}`, pairs(host)] as const),
          ['Repository', plan?.workingCopy.repository && <span className="mono">{plan.workingCopy.repository}</span>],
          ['Ref', plan?.workingCopy.ref],
          ['Priority', plan?.priority],
          ['Restartable', plan?.restartable],
          ['Concurrency', plan?.concurrency && `${plan.concurrency.policy}: ${plan.concurrency.group}`],
          ['May start it', plan?.allow?.initiators?.join(', ')],
          ['For projects', plan?.allow?.projects?.join(', ')],
          ['Secrets', plan?.secrets && Object.entries(plan.secrets).map(([name, { secret }]) => `${name} (${secret})`).join(', ')],
        ]}
      />
      {plan?.variables && (
        <div className="table-box loose" tabIndex={0} role="group" aria-label="Variables, table">
          <table className="table" aria-label="Variables">
            <thead><tr><th scope="col">Variable</th><th scope="col">Type</th><th scope="col">Default</th><th scope="col">Meaning</th></tr></thead>
            <tbody>
              {Object.entries(plan.variables).map(([name, { type, required, choices, description, default: otherwise }]) => (
                <tr key={name}><td className="mono">{name}</td><td>{choices?.join(' | ') ?? type}</td><td>{otherwise ?? (required ? 'required' : '')}</td><td>{description}</td></tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
