import type { LeaseView } from '@berth/client';
import { Link } from 'wouter';
import { LeaseLink, Owner } from '../../parts/links';
import { Loaded } from '../../ui/empty';
import { Section } from '../../ui/page';
import { Table, type Column } from '../../ui/table';
import { Since } from '../../ui/time';
import { pairs } from '../../words/text';
import { counted, useQueue } from './reads';

const SHOWN = 6;

const columns: readonly Column<LeaseView>[] = [
  { id: 'id', head: 'Lease', width: '80px', cell: ({ id }) => <LeaseLink id={id} /> },
  { id: 'owner', head: 'Owner', width: '22%', cell: ({ owner }) => <Owner name={owner} /> },
  { id: 'wants', head: 'Wants', cell: ({ type, attributes }) => <span title={pairs(attributes)}>{type} <span className="quiet">{pairs(attributes)}</span></span> },
  { id: 'priority', head: 'Priority', width: '70px', number: true, cell: ({ priority }) => priority },
  { id: 'since', head: 'Waits', width: '84px', number: true, cell: ({ created }) => <Since at={created} /> },
];

/** What waits for a slot, the oldest first, and why that one does. */
export function Queue() {
  const read = useQueue();
  return (
    <Section title="Queue" note={read.data && `${counted(read.data)} waiting`} actions={<Link href="/leases?status=pending">All</Link>}>
      <Loaded read={read}>
        {({ items }) => {
          const oldest = items.slice(-SHOWN).reverse();
          return (
            <>
              {oldest[0] && <p className="note wait">The oldest, <LeaseLink id={oldest[0].id} /> of <Owner name={oldest[0].owner} />, waits: {oldest[0].reason ?? 'it has not been looked at yet'}</p>}
              <Table label="Queue" columns={columns} rows={oldest} rowKey={({ id }) => id} empty="Nothing waits." />
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}
