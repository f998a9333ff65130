import type { MachineView } from '@berth/client';
import { useState } from 'react';
import { Act } from '../../parts/act';
import { MachineLink } from '../../parts/links';
import { whyOut } from '../../parts/service';
import { Badge } from '../../ui/badge';
import { useList } from '../../ui/list';
import { Page } from '../../ui/page';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { memory, pairs } from '../../words/text';
import { MachineForm } from './form';

const columns: readonly Column<MachineView>[] = [
  { id: 'name', head: 'Machine', width: '16%', sort: 'name', cell: ({ name }) => <MachineLink name={name} /> },
  { id: 'state', head: 'State', width: '120px', cell: (machine) => <Badge status={stateOf(machine)} /> },
  { id: 'address', head: 'Address', width: '20%', cell: ({ user, address, port }) => <span className="mono" title={`${user}@${address}:${port}`}>{user}@{address}{port !== 22 && `:${port}`}</span> },
  { id: 'platform', head: 'Platform', width: '82px', cell: ({ platform }) => platform },
  { id: 'busy', head: 'Slots', width: '66px', number: true, cell: ({ busy, slots }) => `${busy} / ${slots}` },
  { id: 'cpus', head: 'CPUs', width: '58px', number: true, cell: ({ facts }) => facts['cpus'] },
  { id: 'memory', head: 'Memory', width: '76px', number: true, cell: ({ facts }) => memory(facts['memory']) },
  { id: 'about', head: 'Attributes, or why it is out', cell: (machine) => <span title={whyOut(machine) ?? pairs(machine.attributes)} className={whyOut(machine) === null ? 'quiet' : ''}>{whyOut(machine) ?? pairs(machine.attributes)}</span> },
  { id: 'added', head: 'Added', width: '100px', number: true, sort: 'created', cell: ({ added }) => <Ago at={added} /> },
];

/** The one word for how a machine is; it has no host before the allocator has made one. */
export function stateOf({ reachable, state }: Pick<MachineView, 'reachable' | 'state'>): string {
  return reachable ? (state ?? 'booting') : 'unreachable';
}

/** All machines that somebody enrolled. */
export default function Machines() {
  const list = useList<MachineView>('machines', 'name');
  const [adding, setAdding] = useState(false);
  return (
    <Page title="Machines" fill actions={<Act tone="primary" onPress={() => setAdding(true)}>Add a machine</Act>}>
      <Table label="Machines" least={1000} columns={columns} {...list} rowKey={({ name }) => name} empty="No machine is enrolled yet: add one that Berth can log in to over SSH." />
      {adding && <MachineForm onClose={() => setAdding(false)} />}
    </Page>
  );
}
