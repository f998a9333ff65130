import type { BlueprintView, ResourceView } from '@berth/client';
import { BlueprintLink, ResourceLink } from '../../parts/links';
import { whyOut } from '../../parts/service';
import { Badge } from '../../ui/badge';
import { Loaded } from '../../ui/empty';
import { Section } from '../../ui/page';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { useBlueprints, useOut } from './reads';

const out: readonly Column<ResourceView>[] = [
  { id: 'name', head: 'Host', width: '26%', cell: ({ id, name }) => <ResourceLink id={id} name={name} /> },
  { id: 'state', head: 'State', width: '120px', cell: ({ state }) => <Badge status={state} /> },
  { id: 'why', head: 'Why', cell: (row) => <span title={whyOut(row) ?? ''}>{whyOut(row)}</span> },
  { id: 'until', head: 'Until', width: '96px', number: true, cell: ({ quarantined, held }) => { const until = held?.until ?? quarantined?.until; return until !== undefined && <Ago at={until} />; } },
];

const breakers: readonly Column<BlueprintView>[] = [
  { id: 'name', head: 'Blueprint', width: '26%', cell: ({ name }) => <BlueprintLink name={name} /> },
  { id: 'failures', head: 'Failures', width: '76px', number: true, cell: ({ breaker }) => breaker?.failures },
  { id: 'why', head: 'Why', cell: ({ breaker }) => <span title={breaker?.reason ?? ''}>{breaker?.reason}</span> },
  { id: 'until', head: 'Tries again', width: '96px', number: true, cell: ({ breaker }) => breaker && <Ago at={breaker.until} /> },
];

/** Hosts that take no leases, and blueprints that launch none. */
export function OutOfService() {
  const read = useOut();
  const open = useBlueprints().rows.filter(({ breaker }) => breaker !== null);
  return (
    <Section title="Out of service" note="quarantined, held, draining, out of reach, broken">
      <Loaded read={read}>{({ items }) => <Table label="Hosts out of service" columns={out} rows={items} rowKey={({ id }) => id} empty="Every host takes leases." sortParam="out" />}</Loaded>
      {open.length > 0 && <Table label="Open breakers" columns={breakers} rows={open} rowKey={({ name }) => name} empty="" sortParam="breakers" />}
    </Section>
  );
}
