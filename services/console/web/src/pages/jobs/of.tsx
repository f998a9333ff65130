import type { JobView, Page as PageOf } from '@berth/client';
import { Link } from 'wouter';
import { useRead } from '../../api/read';
import { Loaded } from '../../ui/empty';
import { Section } from '../../ui/page';
import { Table } from '../../ui/table';
import { columns } from './columns';

/** More are on the page of all jobs. */
const SHOWN = 10;

/** The newest jobs of one machine. */
export function JobsOf({ machine }: { machine: string }) {
  const read = useRead<PageOf<JobView>>('jobs', { query: { machine, limit: SHOWN } });
  return (
    <Section title="Jobs" note="the newest first" actions={<Link href={`/jobs?status=all&machine=${encodeURIComponent(machine)}`}>All</Link>}>
      <Loaded read={read}>{({ items }) => <Table label="Jobs" least={760} columns={mine} rows={items} rowKey={({ id }) => id} empty="Nothing was asked for on it yet." sortParam="jobs" />}</Loaded>
    </Section>
  );
}
const mine = columns.filter(({ id }) => id !== 'machine');
