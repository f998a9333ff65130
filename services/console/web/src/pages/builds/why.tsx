import type { LeaseExplanation } from '@berth/client';
import { useRead } from '../../api/read';
import { Section } from '../../ui/page';
import { Loaded } from '../../ui/empty';
import { LeaseLink } from '../../parts/links';
import { Explained } from '../leases/why';

/** The queue moves without an event of this build. */
const AGAIN_MS = 5000;

/** Why the lease waits that the build needs. */
export function WhyItWaits({ id }: { id: string }) {
  const read = useRead<LeaseExplanation>(`builds/${id}/explanation`, { every: AGAIN_MS });
  return (
    <Section title="Why it waits" note={read.data && <>lease <LeaseLink id={read.data.lease.id} /></>}>
      <Loaded read={read}>{(told) => <Explained told={told} waits={told.lease.status === 'pending' || told.lease.status === 'acquired'} />}</Loaded>
    </Section>
  );
}
