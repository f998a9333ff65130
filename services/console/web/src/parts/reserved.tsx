import type { JobView, Page, ResourceView } from '@berth/client';
import { useRead } from '../api/read';
import { JobLink, LeaseLink, Owner } from './links';

/** What takes a host as a whole, or is to: the lease, and the hardware job that asked for it where it was one. */
export function Reserved({ by: { lease, owner }, machine }: { by: NonNullable<ResourceView['reserved']>; machine: string | null }) {
  const { data } = useRead<Page<JobView>>('jobs', { query: { machine: machine ?? '', status: 'QUEUED,RUNNING' }, enabled: machine !== null });
  const job = data?.items.find((one) => one.lease === lease);
  return <>{job && <>job <JobLink id={job.id} /> ({job.task}{job.status === 'QUEUED' && ', waits'}), </>}lease <LeaseLink id={lease} /> of <Owner name={owner} />: no other gets a slot</>;
}
