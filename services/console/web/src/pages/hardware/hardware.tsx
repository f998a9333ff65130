import type { HardwareGroupView, HardwareView } from '@berth/client';
import { useState } from 'react';
import { Link, useLocation, useParams } from 'wouter';
import { run } from '../../api/commands';
import { useRead } from '../../api/read';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { HistoryLink, MachineLink } from '../../parts/links';
import { Dialog } from '../../ui/dialog';
import { Loaded } from '../../ui/empty';
import { Facts, Page, Section } from '../../ui/page';
import { Table, type Column } from '../../ui/table';
import { Ago, span } from '../../ui/time';
import { JobsOf } from '../jobs/of';
import { AskButtons } from './ask';
import { trail } from './edit';
import { Loan } from './loan';
import { ladderOf, offersOf } from './offers';
import { reachOf, type Reach } from './reach';
import { useGroups, useTasks } from './reads';

/** One machine as hardware: how it is reached, how it is driven, for whom it is lent, and what is and was done with it. */
export default function Hardware() {
  const { name = '' } = useParams<{ name: string }>();
  const read = useRead<HardwareView>(`hardware/${encodeURIComponent(name)}`);
  return (
    <Page title={name} trail={trail} actions={read.data && <Actions of={read.data} />}>
      <Loaded read={read}>
        {(machine) => (
          <>
            <Tasks of={machine} />
            {machine.loan !== null && <Loan of={machine} loan={machine.loan} />}
            <JobsOf machine={name} />
            <div className="columns">
              <Section title="What it is"><About of={machine} /></Section>
              <Section title="Workers"><Workers of={machine} /></Section>
            </div>
            <Section title="Interfaces" note="secrets are named; what they are is shown nowhere">
              <Table label="Interfaces" least={760} columns={interfaces} rows={reachOf(machine)} rowKey={({ kind }) => kind} empty={machine.enrolled ? 'None besides SSH, as it is enrolled.' : 'None: nothing can be done with it but to ping it.'} sortParam="interfaces" />
            </Section>
            <Ladder of={machine} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Actions({ of: { name } }: { of: HardwareView }) {
  const [, go] = useLocation();
  const has = useHas('hardware:write');
  return (
    <>
      <HistoryLink id={name} />
      {has && <Act needs="hardware:write" pending={`save hardware ${name}`} onPress={() => go(`/hardware/${encodeURIComponent(name)}/edit`)}>Edit</Act>}
      {has && <Remove name={name} />}
    </>
  );
}

function Remove({ name }: { name: string }) {
  const [asking, setAsking] = useState(false);
  const [, go] = useLocation();
  const confirm = async (): Promise<void> => {
    await run({ key: `remove hardware ${name}`, label: `Removal of ${name}`, method: 'DELETE', path: `hardware/${encodeURIComponent(name)}` }, { quiet: true });
    go('/hardware');
  };
  return (
    <>
      <Act needs="hardware:write" tone="danger" pending={`remove hardware ${name}`} onPress={() => setAsking(true)}>Remove</Act>
      {asking && (
        <Dialog title={`Remove ${name}`} action="Remove" danger onConfirm={confirm} onClose={() => setAsking(false)}>
          <p>How it is managed is forgotten, and no job can be asked for on it. An enrolled machine of that name stays in the fleet.</p>
        </Dialog>
      )}
    </>
  );
}

/** What can be done, and what can't: why. Nothing of it for whoever may not. */
function Tasks({ of }: { of: HardwareView }) {
  const tasks = useTasks();
  const groups = useGroups();
  if (!tasks.data || !groups.data) return null;
  const { offered, withheld } = offersOf(tasks.data.items, of, groups.data.items);
  if (offered.length + withheld.length === 0) return null;
  return (
    <Section title="What can be done">
      <div className="row wrap"><AskButtons machine={of} /></div>
      {withheld.length > 0 && (
        <details>
          <summary>{withheld.length} more can not be asked for</summary>
          <ul>{withheld.map(({ task: { task, title }, why }) => <li key={task}>{title} (<code>{task}</code>): {why}.</li>)}</ul>
        </details>
      )}
    </Section>
  );
}

function About({ of: { name, address, platform, groups, enrolled, tracker, set, by } }: { of: HardwareView }) {
  return (
    <Facts
      of={[
        ['Address', <span className="mono">{address}</span>],
        ['Platform', platform],
        ['Enrolled', enrolled ? <>as <MachineLink name={name} /></> : 'no: nothing is leased on it'],
        ['Groups', groups.map((group, i) => <span key={group}>{i > 0 && ', '}{group}</span>)],
        ['Its ticket', tracker],
        ['Said', <><Ago at={set} /> by {by}</>],
      ]}
    />
  );
}

function Workers({ of: { workers } }: { of: HardwareView }) {
  if (workers.length === 0) return <p className="quiet">It runs none that is known here.</p>;
  return <Facts of={workers.map(({ id, group, type, provisioner }) => [id, <span className="quiet">{[provisioner, type, group].filter((part) => part !== undefined).join(' / ') || 'nothing else is said of it'}</span>])} />;
}

const interfaces: readonly Column<Reach>[] = [
  { id: 'kind', head: 'Interface', width: '90px', cell: ({ kind }) => kind },
  { id: 'at', head: 'Reached at', width: '26%', cell: ({ at }) => <span className="mono" title={at}>{at}</span> },
  { id: 'user', head: 'User', width: '14%', cell: ({ user }) => user },
  { id: 'secret', head: 'Secret', width: '22%', cell: ({ secret }) => <span className="mono" title={secret}>{secret}</span> },
  { id: 'rest', head: 'Besides', cell: ({ rest }) => <span className="quiet" title={rest}>{rest}</span> },
];

type Rung = NonNullable<HardwareGroupView['escalation']>[number];
const rungs: readonly Column<Rung>[] = [
  { id: 'method', head: 'Method', cell: ({ method }) => method },
  { id: 'timeout', head: 'May take', width: '110px', number: true, cell: ({ timeout }) => span(timeout) },
  { id: 'down', head: 'Down within', width: '110px', number: true, cell: ({ downWithin }) => span(downWithin) },
  { id: 'up', head: 'Up within', width: '110px', number: true, cell: ({ upWithin }) => span(upWithin) },
];

function Ladder({ of }: { of: HardwareView }) {
  const groups = useGroups();
  if (!groups.data) return null;
  const ladder = ladderOf(of, groups.data.items);
  return (
    <Section title="Ladder" note={ladder ? <>of group <Link href={`/hardware/groups/${encodeURIComponent(ladder.group)}/edit`}>{ladder.group}</Link></> : 'the usual one'}>
      {ladder ? <Table label="Ladder" columns={rungs} rows={ladder.steps} rowKey={({ method }) => method} empty="" sortParam="ladder" /> : <p className="quiet">A reboot tries every way that the machine has an interface for, the gentlest first, and has a person look at it when none works.</p>}
    </Section>
  );
}
