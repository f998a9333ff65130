import type { HistoryEntry, LeaseView, ResourceView } from '@berth/client';
import { Link, useParams } from 'wouter';
import { useRead, useWhole } from '../../api/read';
import { useHas } from '../../api/session';
import { BlueprintLink, HistoryLink, LeaseLink, MachineLink, Owner, ResourceLink } from '../../parts/links';
import { Timeline } from '../../parts/timeline';
import { Badge } from '../../ui/badge';
import { Loaded } from '../../ui/empty';
import { Facts, Page, Section } from '../../ui/page';
import { Ago, Since } from '../../ui/time';
import { pairs, short } from '../../words/text';
import { ReleaseButton } from './release';
import { Why } from './why';

/** One lease: what it asks for, what it has, why it waits, and every decision on it. */
export default function Lease() {
  const { id = '' } = useParams<{ id: string }>();
  const read = useRead<LeaseView>(`leases/${id}`);
  return (
    <Page title={`Lease ${short(id)}`} trail={<Link href="/leases">Leases</Link>} actions={read.data && <Actions lease={read.data} />}>
      <Loaded read={read}>
        {(lease) => (
          <>
            <div className="columns">
              <Section title="What it is"><About lease={lease} /></Section>
              <Section title="What it has"><Has lease={lease} /></Section>
            </div>
            <Why lease={lease} />
            <Log id={id} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Actions({ lease }: { lease: LeaseView }) {
  const has = useHas('lease:terminal');
  const terminal = lease.status === 'active' && (lease.type === 'host' || lease.type === 'working-copy');
  return (
    <>
      {terminal && has && <Link href={`/leases/${lease.id}/terminal`} className="button">Terminal</Link>}
      <HistoryLink id={lease.id} />
      <ReleaseButton lease={lease} />
    </>
  );
}

function About({ lease }: { lease: LeaseView }) {
  const { id, status, ended, owner, project, type, attributes, prefer, blueprints, exclusive, priority, affinity, wait, created, error, reason } = lease;
  const over = status !== 'pending' && status !== 'acquired' && status !== 'active';
  return (
    <Facts
      of={[
        ['Status', <><Badge status={status} />{ended !== null && ended !== status && ` ${ended}`}</>],
        [over ? 'Ended' : 'Reason', over ? (error ?? reason) : null],
        ['Owner', <Owner name={owner} />],
        ['Project', project],
        ['Type', type],
        ['Exclusive', exclusive && <>the whole of <MachineLink name={exclusive.machine} />{exclusive.force && ', by force'}: nothing else is on it meanwhile</>],
        ['Wants', pairs(attributes)],
        ['Prefers', prefer.map(pairs).join('; ')],
        ['Only from', blueprints.join(', ')],
        ['Priority', priority],
        ['Affinity', affinity],
        ['Waits', wait === 'always' ? 'until something serves it' : wait === 'served' ? 'as long as something could serve it' : 'not at all'],
        ['Asked', <Ago at={created} />],
        ['Id', <span className="mono">{id}</span>],
      ]}
    />
  );
}

function Has({ lease: { resource, blueprint, slot, token, hostLease, until, alive, path, port, uri, members, status, created } }: { lease: LeaseView }) {
  if (resource === null) return <p className="quiet">{status === 'pending' ? <>Nothing yet; it has waited for <Since at={created} />.</> : 'It never had anything.'}</p>;
  return (
    <Facts
      of={[
        ['Resource', <><Named id={resource} /> slot {slot}</>],
        ['Made by', blueprint !== null && <BlueprintLink name={blueprint} />],
        ['Host lease', hostLease !== null && <LeaseLink id={hostLease} />],
        ['Until', until === null ? 'released' : <Ago at={until} />],
        ['Heard of', alive !== null && <>must be again, <Ago at={alive} /></>],
        ['Fencing token', token],
        ['Folder', path !== null && <span className="mono">{path}</span>],
        ['Port', port],
        ['Address', uri !== null && <span className="mono">{uri}</span>],
        ['Members', members && Object.entries(members).map(([name, lease], i) => <span key={name}>{i > 0 && ', '}{name} <LeaseLink id={lease} /></span>)],
      ]}
    />
  );
}

/** A lease knows the id alone. */
function Named({ id }: { id: string }) {
  const { data } = useRead<ResourceView>(`resources/${id}`);
  return <ResourceLink id={id} name={data?.name} />;
}

function Log({ id }: { id: string }) {
  const read = useWhole<HistoryEntry>(`history/${id}`);
  return (
    <Section title="Activity" note="every decision on it, the newest last">
      <Loaded read={read}>{({ items }) => <Timeline entries={items} own={id} />}</Loaded>
    </Section>
  );
}
