import type { HardwareGroupView, HardwareView } from '@berth/client';
import { Link, useLocation } from 'wouter';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { HardwareLink, JobLink, MachineLink } from '../../parts/links';
import { Badge } from '../../ui/badge';
import { Filters, SelectFilter, TextFilter } from '../../ui/filters';
import { useList } from '../../ui/list';
import { Page, Section } from '../../ui/page';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { AskButtons } from './ask';
import { NewHardware } from './edit';
import { useGroups } from './reads';
import { wordOf } from '../jobs/status';

const interfaces = ['ssh', 'ipmi', 'redfish', 'pdu', 'xen', 'ilo', 'wake'];

const columns: readonly Column<HardwareView>[] = [
  { id: 'name', head: 'Machine', width: '13%', sort: 'name', cell: ({ name, address }) => <span title={`at ${address}`}><HardwareLink name={name} /></span> },
  { id: 'workers', head: 'Workers', cell: ({ workers }) => { const ids = workers.map(({ id }) => id).join(', '); return <span title={ids}>{ids}</span>; } },
  { id: 'groups', head: 'Groups', width: '10%', cell: ({ groups }) => <span title={groups.join(', ')}>{groups.join(', ')}</span> },
  { id: 'interfaces', head: 'Interfaces', width: '12%', cell: (one) => { const kinds = Object.keys(one.interfaces).join(', '); return <span title={kinds}>{kinds}</span>; } },
  { id: 'enrolled', head: 'Enrolled', width: '72px', cell: ({ enrolled, name }) => (enrolled ? <MachineLink name={name} /> : <span className="quiet">no</span>) },
  { id: 'loan', head: 'Loan', width: '112px', cell: ({ loan }) => loan !== null && <span title={`${loan.status.toLowerCase()}, for ${loan.to}`}><Badge status={loan.status.toLowerCase()}>{loan.to}</Badge></span> },
  { id: 'job', head: 'Newest job', width: '208px', cell: ({ job }) => job !== null && <span title={job.task}><Badge status={wordOf(job.status)} /> <JobLink id={job.id} /> {job.task}</span> },
  { id: 'act', head: '', width: '190px', cell: (machine) => <span className="row"><AskButtons machine={machine} few /></span> },
];

const groupColumns: readonly Column<HardwareGroupView>[] = [
  { id: 'name', head: 'Group', width: '16%', sort: ({ name }) => name, cell: ({ name }) => <Link href={`/hardware/groups/${encodeURIComponent(name)}/edit`}>{name}</Link> },
  { id: 'machines', head: 'Machines', width: '22%', cell: ({ machines }) => <span title={machines.join(', ')}>{machines.join(', ')}</span> },
  { id: 'ladder', head: 'Ladder', cell: ({ escalation }) => { const ladder = escalation?.map(({ method }) => method).join(', ') ?? 'the usual one'; return <span title={ladder}>{ladder}</span>; } },
  { id: 'steps', head: 'Steps of a loan', width: '20%', cell: ({ loanSteps }) => <span title={loanSteps?.join('; ')}>{loanSteps?.join('; ')}</span> },
  { id: 'set', head: 'Set', width: '86px', number: true, sort: ({ set }) => -Date.parse(set), cell: ({ set }) => <Ago at={set} /> },
];

/** Machines as hardware: how they are reached when their operating system is not, and what can be done with them. */
export default function HardwareList() {
  const [kind, setKind] = useParam('new');
  const [, go] = useLocation();
  const [q] = useParam('q');
  const [group] = useParam('group');
  const [status] = useParam('status');
  const [by] = useParam('interface');
  const has = useHas('hardware:write');
  const list = useList<HardwareView>('hardware', 'name', { q, group, status, interface: by });
  const groups = useGroups().data?.items ?? [];
  if (kind !== '') return <NewHardware kind={kind} onKind={setKind} onLeave={() => go('/hardware')} />;
  return (
    <Page title="Hardware" fill {...(has && { actions: <Act tone="primary" needs="hardware:write" onPress={() => setKind('machine')}>New hardware</Act> })}>
      <Filters>
        <TextFilter name="q" label="Machine or worker" />
        <SelectFilter name="group" label="Group" options={groups.map(({ name }) => name)} />
        <SelectFilter name="interface" label="Interface" options={interfaces} />
        <SelectFilter name="status" label="Loan" options={['lent', 'free']} />
      </Filters>
      <Table label="Hardware" least={1060} columns={columns} {...list} rowKey={({ name }) => name} empty="It is not said of any machine how it is managed." />
      {groups.length > 0 && <Section title="Groups"><Table label="Groups" least={800} columns={groupColumns} rows={groups} rowKey={({ name }) => name} empty="" sortParam="groups" /></Section>}
    </Page>
  );
}
