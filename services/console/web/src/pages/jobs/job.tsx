import type { HistoryEntry, JobView, LeaseView } from '@berth/client';
import { Link, useParams } from 'wouter';
import { useRead, useWhole } from '../../api/read';
import { HardwareLink, HistoryLink, LeaseLink } from '../../parts/links';
import { Timeline } from '../../parts/timeline';
import { Badge } from '../../ui/badge';
import { Loaded } from '../../ui/empty';
import { Facts, Page, Section } from '../../ui/page';
import { Ago, span } from '../../ui/time';
import { short } from '../../words/text';
import { Attempts } from './attempts';
import { CancelButton } from './cancel';
import { Took } from './columns';
import { isOver, wordOf } from './status';

/** One hardware job: how it is, what it waits for, each attempt as it goes, and what became of it. */
export default function Job() {
  const { id = '' } = useParams<{ id: string }>();
  const read = useRead<JobView>(`jobs/${id}`);
  const { data } = read;
  return (
    <Page title={data ? `${data.task} of ${data.machine}` : `Job ${short(id)}`} trail={<Link href="/jobs">Jobs</Link>} actions={data && <><HistoryLink id={id} /><CancelButton job={data} /></>}>
      <Loaded read={read}>
        {(job) => (
          <>
            <div className="columns">
              <Section title="How it is"><State of={job} /></Section>
              <Section title="What was asked for"><Asked of={job} /></Section>
            </div>
            <Section title="Attempts" {...(job.escalation !== null && { note: `of the ladder ${job.escalation.map(({ method }) => method).join(', ')}` })}><Attempts of={job.attempts} /></Section>
            <Log id={id} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function State({ of }: { of: JobView }) {
  const { task, machine, status, activity, cancelling, error, machineOutcome, result, ticket, started, finished, lease } = of;
  const live = !isOver(status);
  return (
    <Facts
      of={[
        ['Status', <Badge status={wordOf(status)} />],
        ['Now', live && activity],
        ['Waits', status === 'QUEUED' && lease !== null && <Waits lease={lease} />],
        ['Steps', live && task === 'loan' && <>are told to be done on the page of <HardwareLink name={machine} /></>],
        ['Is to end', live && cancelling],
        [status === 'CANCELLED' ? 'Cancelled' : 'Failed', error && <span className={status === 'FAILED' ? 'text-bad' : ''}>{error.message}{status === 'FAILED' && <span className="quiet"> ({error.code})</span>}</span>],
        ['Machine', machineOutcome !== null && <Badge status={machineOutcome} />],
        ['Found', result !== null && Object.keys(result).length > 0 && <pre className="details" tabIndex={0} aria-label="What it found">{JSON.stringify(result, null, 2)}</pre>],
        ['Ticket', ticket && <>{ticket.url !== undefined && /^https?:\/\//.test(ticket.url) ? <a href={ticket.url} rel="noreferrer">{ticket.id}</a> : ticket.id} at {ticket.tracker}, {ticket.how === 'commented' ? 'commented on' : ticket.how}</>],
        ['Began', started !== null && <Ago at={started} />],
        [live ? 'Runs for' : 'Took', started !== null && <Took of={{ started, finished }} />],
        ['Lease', lease !== null && <LeaseLink id={lease} />],
      ]}
    />
  );
}

/** What keeps it from the machine: the lease that it asked for knows. */
function Waits({ lease }: { lease: string }) {
  const { data } = useRead<LeaseView>(`leases/${lease}`);
  return <>{data?.reason ?? 'for the machine'}</>;
}

function Asked({ of: { id, task, machine, worker, requester, reason, to, force, softLimit, hardLimit, created } }: { of: JobView }) {
  return (
    <Facts
      of={[
        ['Task', task],
        ['Machine', <HardwareLink name={machine} />],
        ['Worker', worker?.id],
        ['For', to],
        ['Why', reason],
        ['By force', force && 'the work on the machine is ended'],
        ['Asked by', requester],
        ['Asked', <Ago at={created} />],
        ['Limits', task === 'loan' ? null : `no further attempt after ${span(softLimit)}; over after ${span(hardLimit)}`],
        ['Id', <span className="mono">{id}</span>],
      ]}
    />
  );
}

function Log({ id }: { id: string }) {
  const read = useWhole<HistoryEntry>(`history/${id}`);
  return (
    <Section title="Activity" note="all that has happened to it, the newest last">
      <Loaded read={read}>{({ items }) => <Timeline entries={items} own={id} />}</Loaded>
    </Section>
  );
}
