import type { JobView } from '@berth/client';
import { HardwareLink, JobLink } from '../../parts/links';
import { Badge } from '../../ui/badge';
import type { Column } from '../../ui/table';
import { Ago, Since, span } from '../../ui/time';
import { isOver, wordOf } from './status';

/** What a job is at, or what became of it. */
export function aboutOf({ status, error, activity, cancelling, result }: JobView): string {
  if (error !== null) return error.message;
  if (!isOver(status)) return cancelling === null ? (activity ?? '') : `is to end: ${cancelling}`;
  return Object.entries(result ?? {}).filter(([, value]) => typeof value === 'string' || typeof value === 'boolean').map(([name, value]) => `${name} ${String(value)}`).join(', ');
}

export const columns: readonly Column<JobView>[] = [
  { id: 'id', head: 'Job', width: '80px', cell: ({ id }) => <JobLink id={id} /> },
  { id: 'status', head: 'Status', width: '100px', cell: ({ status }) => <Badge status={wordOf(status)} /> },
  { id: 'task', head: 'Task', width: '118px', cell: ({ task }) => task },
  { id: 'machine', head: 'Machine', width: '14%', cell: ({ machine }) => <HardwareLink name={machine} /> },
  { id: 'about', head: 'Now, or what came of it', cell: (job) => <span title={aboutOf(job)} className={job.status === 'FAILED' ? 'text-bad' : 'quiet'}>{aboutOf(job)}</span> },
  { id: 'requester', head: 'Asked by', width: '14%', cell: ({ requester }) => <span title={requester}>{requester}</span> },
  { id: 'created', head: 'Asked', width: '86px', number: true, sort: 'created', cell: ({ created }) => <Ago at={created} /> },
  { id: 'took', head: 'Took', width: '76px', number: true, cell: (job) => <Took of={job} /> },
];

/** How long it has run, or ran. */
export function Took({ of: { started, finished } }: { of: Pick<JobView, 'started' | 'finished'> }) {
  if (started === null) return null;
  return finished === null ? <Since at={started} /> : <>{span(Date.parse(finished) - Date.parse(started))}</>;
}
