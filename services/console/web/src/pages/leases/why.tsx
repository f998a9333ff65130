import type { LeaseExplanation, LeaseView } from '@berth/client';
import type { Considered } from '@berth/contracts';
import { useRead } from '../../api/read';
import { BlueprintLink, LeaseLink, Owner, ResourceLink } from '../../parts/links';
import { Loaded } from '../../ui/empty';
import { Facts, Section } from '../../ui/page';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';

/** The queue moves without an event of this lease. */
const AGAIN_MS = 5000;

const columns: readonly Column<Considered>[] = [
  { id: 'blueprint', head: 'Blueprint', width: '16%', cell: ({ blueprint }) => <BlueprintLink name={blueprint} /> },
  { id: 'resource', head: 'Resource', width: '18%', cell: ({ resource, name }) => (resource === undefined ? <span className="quiet">any that it makes</span> : <ResourceLink id={resource} name={name} />) },
  { id: 'reason', head: 'Why not', cell: ({ reason }) => <span title={reason}>{reason}</span> },
  { id: 'until', head: 'Until', width: '110px', number: true, cell: ({ until }) => until !== undefined && <Ago at={until} /> },
  { id: 'holders', head: 'Held by', width: '24%', cell: ({ holders = [] }) => holders.map(({ lease, owner }, i) => <span key={i}>{i > 0 && ', '}{lease === undefined ? owner : <><Owner name={owner} /> <LeaseLink id={lease} /></>}</span>) },
];

/** Why a lease waits, or waited: what was looked at for it, and what happens next. */
export function Why({ lease }: { lease: LeaseView }) {
  const waits = lease.status === 'pending' || lease.status === 'acquired';
  const read = useRead<LeaseExplanation>(`leases/${lease.id}/explanation`, waits ? { every: AGAIN_MS } : {});
  // One that was served at once has nothing to tell.
  if (!waits && (read.data === undefined || (read.data.reason === null && read.data.explanation === null))) return null;
  return (
    <Section title={waits ? 'Why it waits' : 'Why it waited'}>
      <Loaded read={read}>{(told) => <Explained told={told} waits={waits} />}</Loaded>
    </Section>
  );
}

/** What is said of it, in words and as a table. */
export function Explained({ told: { reason, explanation, waitsFor, at, live }, waits }: { told: LeaseExplanation; waits: boolean }) {
  if (reason === null && explanation === null) return <p className="quiet">Nothing is known of it yet.</p>;
  return (
    <div className="stack">
      <p className={waits ? 'note wait' : 'note'}>{explanation?.reason ?? reason}</p>
      <Facts
        of={[
          ['Next', explanation?.next],
          ['By', explanation?.by !== undefined && <Ago at={explanation.by} />],
          ['Before it', explanation && waits && (explanation.ahead === 0 ? 'nobody' : `${explanation.ahead} in the queue`)],
          ['Waits for', waitsFor && <>{waitsFor.member === null ? `its own ${waitsFor.type}` : `the ${waitsFor.type} of its member ${waitsFor.member}`}: lease <LeaseLink id={waitsFor.lease} /></>],
          ['As of', !live && at !== null && <Ago at={at} />],
        ]}
      />
      {explanation && explanation.considered.length > 0 && (
        <Table label="What was looked at" columns={columns} rows={telling(explanation.considered)} rowKey={(one) => `${one.blueprint} ${one.resource ?? ''}`} empty="" sortParam="looked" />
      )}
      {explanation && explanation.more > 0 && <p className="quiet">and {explanation.more} more resources</p>}
    </div>
  );
}

/** Not a blueprint that only repeats what is said of its hosts; and of those that make another type nothing, while there is anything else to say. */
function telling(considered: readonly Considered[]): readonly Considered[] {
  const own = considered.filter(({ code }) => code !== 'other-type');
  const rows = own.filter((one) => one.resource !== undefined || !own.some((host) => host.resource !== undefined && host.blueprint === one.blueprint && host.code === one.code));
  return rows.length > 0 ? rows : considered;
}
