import type { BuildHostView, BuildView } from '@berth/client';
import { Link } from 'wouter';
import { Graph } from '../../graph/graph';
import { imageOfPlan } from '../../parts/image-plan';
import { ImageLink, LeaseLink, MachineLink, Owner } from '../../parts/links';
import { isOver } from '../../parts/over';
import { Facts, Section } from '../../ui/page';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { Decisions } from './decisions';
import { Failure } from './failure';
import { StepDetails } from './step';
import { Steps } from './steps';
import { WhyItWaits } from './why';

const hostColumns: readonly Column<BuildHostView>[] = [
  { id: 'name', head: 'Host', cell: ({ name }) => name },
  { id: 'machine', head: 'Machine', cell: ({ machine }) => machine !== null && <MachineLink name={machine} /> },
  { id: 'lease', head: 'Lease', cell: ({ hostLease }) => <LeaseLink id={hostLease} /> },
  { id: 'copy', head: 'Working copy', width: '118px', cell: ({ workingCopyLease }) => workingCopyLease !== null && <LeaseLink id={workingCopyLease} /> },
  { id: 'ready', head: '', cell: ({ ready }) => (ready ? 'ready' : <span className="quiet">not yet</span>) },
];

/** The build at a glance. */
export function Overview({ build }: { build: BuildView }) {
  const [chosen, choose] = useParam('at');
  const { steps, hosts, id } = build;
  const step = steps.find((one) => one.id === chosen);
  const waits = !isOver(build.status) && steps.every(({ outcome }) => outcome !== 'running');
  return (
    <>
      <Failure build={build} />
      <Decisions build={build} />
      {waits && hosts.length > 0 && hosts.some(({ ready }) => !ready) && <WhyItWaits id={id} />}
      <Section title="Graph"><Graph steps={steps} chosen={chosen} onChoose={(next) => choose(next === chosen ? undefined : next)} /></Section>
      {step && <StepDetails build={build} step={step} onClose={() => choose(undefined)} />}
      <Section title="Steps" note="choose one for its results"><Steps build={build} chosen={chosen} onChoose={choose} /></Section>
      <div className="columns">
        <Section title="Hosts"><Table label="Hosts" columns={hostColumns} rows={hosts} rowKey={({ name }) => name} empty={build.cleanedUp ? 'None any more.' : 'None yet.'} sortParam="hosts" /></Section>
        <Section title="About"><About build={build} /></Section>
      </div>
    </>
  );
}

function About({ build: { initiator, project, priority, url, created, attempt, cleanedUp, plan, id } }: { build: BuildView }) {
  const image = imageOfPlan(plan);
  return (
    <Facts
      of={[
        ['Image', image !== undefined && <ImageLink name={image} />],
        ['For', initiator !== `build:${id}` && <Owner name={initiator} />],
        ['Project', project],
        ['Priority', priority],
        ['Asked', <Ago at={created} />],
        ['Attempts', attempt > 1 && `${attempt}: hosts failed before`],
        ['Left on hosts', cleanedUp ? 'nothing' : null],
        ['Address', url !== null && <span className="mono">{url}</span>],
        ['Same plan', <Link href={`/builds?plan=${encodeURIComponent(plan)}`}>all its builds</Link>],
        ['Id', <span className="mono">{id}</span>],
      ]}
    />
  );
}
