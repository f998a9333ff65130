import { Link } from 'wouter';
import { Section } from '../../ui/page';
import { Table } from '../../ui/table';
import { columns } from '../jobs/columns';
import { counted, useJobs } from './reads';

const WANTED = ['id', 'status', 'task', 'machine', 'about', 'took'];
const few = columns.filter(({ id }) => WANTED.includes(id)).map(({ sort: _sort, ...column }) => column);

/** What is being done with machines from outside of them; there is no place for it when that is nothing. */
export function Jobs() {
  const { data } = useJobs();
  if (!data || data.items.length === 0) return null;
  return (
    <Section title="Hardware jobs" note={`${counted(data)} under way`} actions={<Link href="/jobs">All</Link>}>
      <Table label="Hardware jobs" columns={few} rows={data.items} rowKey={({ id }) => id} empty="" />
    </Section>
  );
}
