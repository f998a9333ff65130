import type { ResourceView } from '@berth/client';
import { BlueprintLink, LeaseLink, Owner, ResourceLink } from '../../parts/links';
import { whyOut } from '../../parts/service';
import { Badge } from '../../ui/badge';
import { Filters, SelectFilter, TextFilter } from '../../ui/filters';
import { useList } from '../../ui/list';
import { Page } from '../../ui/page';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { pairs } from '../../words/text';

const states = ['active', 'booting', 'draining', 'quarantined', 'held', 'unreachable', 'broken', 'ending'];
const types = ['host', 'working-copy', 'service', 'composite'];

const columns: readonly Column<ResourceView>[] = [
  { id: 'name', head: 'Resource', width: '18%', sort: 'name', cell: ({ id, name }) => <ResourceLink id={id} name={name} /> },
  { id: 'state', head: 'State', width: '120px', cell: ({ state, phase }) => <Badge status={state}>{state === 'booting' && phase !== null ? phase : state}</Badge> },
  { id: 'type', head: 'Type', width: '106px', cell: ({ type }) => type },
  { id: 'blueprint', head: 'Blueprint', width: '13%', cell: ({ blueprint }) => <BlueprintLink name={blueprint} /> },
  { id: 'busy', head: 'Slots', width: '66px', number: true, cell: ({ busy, slots }) => `${busy} / ${slots}` },
  { id: 'holders', head: 'Held by', width: '19%', cell: ({ leases }) => <Holders leases={leases} /> },
  { id: 'about', head: 'Attributes, or why it is out', cell: (row) => <span title={whyOut(row) ?? pairs(row.attributes)} className={whyOut(row) === null ? 'quiet' : ''}>{whyOut(row) ?? pairs(row.attributes)}</span> },
  { id: 'created', head: 'Since', width: '100px', number: true, sort: 'created', cell: ({ created }) => <Ago at={created} /> },
];

function Holders({ leases }: Pick<ResourceView, 'leases'>) {
  const [first, ...rest] = leases;
  if (!first) return null;
  return <><Owner name={first.owner} /> <LeaseLink id={first.lease} />{rest.length > 0 && <span className="quiet" title={rest.map(({ owner }) => owner).join(', ')}> and {rest.length} more</span>}</>;
}

/** All that can be leased, and who has it. */
export default function Resources() {
  const [status] = useParam('status');
  const [type] = useParam('type');
  const [blueprint] = useParam('blueprint');
  const list = useList<ResourceView>('resources', 'name', { status, type, blueprint });
  return (
    <Page title="Resources" fill>
      <Filters>
        <SelectFilter name="status" label="State" options={states} />
        <SelectFilter name="type" label="Type" options={types} />
        <TextFilter name="blueprint" label="Blueprint" />
      </Filters>
      <Table label="Resources" least={1000} columns={columns} {...list} rowKey={({ id }) => id} empty={status || type || blueprint ? 'No resource is like that.' : 'There is nothing to be leased yet: enrol a machine, or save a blueprint that launches some.'} />
    </Page>
  );
}
