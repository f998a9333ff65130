import type { QuotaView } from '@berth/client';
import { useRead } from '../../api/read';
import { useHas } from '../../api/session';
import { Loaded } from '../../ui/empty';
import { Page, Section } from '../../ui/page';
import { Table, type Column } from '../../ui/table';
import { Used } from './used';

type Owner = QuotaView['use']['owners'][number];
const columns: readonly Column<Owner>[] = [
  { id: 'owner', head: 'Owner', sort: ({ owner }) => owner, cell: ({ owner }) => owner },
  { id: 'hosts', head: 'Slots of hosts', width: '120px', number: true, sort: ({ hosts }) => hosts, cell: ({ hosts }) => hosts },
  { id: 'limit', head: 'At most', width: '120px', number: true, sort: ({ limit }) => limit ?? Infinity, cell: ({ limit }) => limit ?? <span className="quiet">no limit</span> },
];

/** Who uses how much, and who has. */
export default function Usage() {
  const read = useRead<QuotaView>('quota');
  const has = useHas('usage:read');
  return (
    <Page title="Usage">
      <Section title="Now" note="slots of hosts, by owner">
        <Loaded read={read}>{({ use }) => <Table label="Slots by owner" columns={columns} rows={use.owners} rowKey={({ owner }) => owner} empty="Nobody holds a host." sortParam="now" />}</Loaded>
      </Section>
      {has && <Used />}
    </Page>
  );
}
