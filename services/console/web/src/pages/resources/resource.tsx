import type { HistoryEntry, LeaseView, Page as PageOf, ResourceView } from '@berth/client';
import { Link, useParams } from 'wouter';
import { useRead } from '../../api/read';
import { BlueprintLink, HistoryLink, LeaseLink, MachineLink, Owner, ResourceLink } from '../../parts/links';
import { Reserved } from '../../parts/reserved';
import { ServiceButtons, whyOut } from '../../parts/service';
import { Timeline } from '../../parts/timeline';
import { Badge } from '../../ui/badge';
import { Loaded } from '../../ui/empty';
import { Facts, Page, Section } from '../../ui/page';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { pairs, short } from '../../words/text';

/** Of a host that serves for years only the end is shown here. */
const SHOWN = 200;

/** One resource: how it is, who holds it, and what happened to it. */
export default function Resource() {
  const { id = '' } = useParams<{ id: string }>();
  const read = useRead<ResourceView>(`resources/${id}`);
  const { data } = read;
  const actions = data && (
    <>
      <HistoryLink id={id} />
      <ServiceButtons of={{ path: `resources/${id}`, name: data.name, host: data }} id={id} ends />
    </>
  );
  return (
    <Page title={data?.name ?? short(id)} trail={<Link href="/resources">Resources</Link>} actions={actions}>
      <Loaded read={read}>
        {(resource) => (
          <>
            <div className="columns">
              <Section title="What it is"><About of={resource} /></Section>
              <Section title="Slots" note={`${resource.busy} of ${resource.slots} in use`}><Slots of={resource} /></Section>
            </div>
            <Log id={id} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function About({ of }: { of: ResourceView }) {
  const { id, state, phase, type, blueprint, version, machine, address, attributes, quarantined, held, reserved, health, parent, members, path, commit, port, uri, facts, created, activated, uses } = of;
  return (
    <Facts
      of={[
        ['State', <><Badge status={state} />{phase !== null && state === 'booting' && ` ${phase}`}</>],
        ['Why', whyOut(of)],
        ['Until', quarantined ? <Ago at={quarantined.until} /> : held && <Ago at={held.until} />],
        ['Taken as a whole', reserved && <Reserved by={reserved} machine={machine} />],
        ['Health', health.failures > 0 && `${health.failures} checks failed in a row: ${health.error ?? 'no reason is given'}`],
        ['Type', type],
        ['Blueprint', <><BlueprintLink name={blueprint} />{version !== null && version > 0 && <span className="quiet"> version {version}</span>}</>],
        ['Machine', machine !== null && <MachineLink name={machine} />],
        ['Address', address !== null && <span className="mono">{address}</span>],
        ['Attributes', pairs(attributes)],
        ['Stands on', parent && <>lease <LeaseLink id={parent.lease} />{parent.resource !== null && <> of <ResourceLink id={parent.resource} /></>}</>],
        ['Members', members && Object.entries(members).map(([name, lease], i) => <span key={name}>{i > 0 && ', '}{name} <LeaseLink id={lease} /></span>)],
        ['Folder', path !== null && <span className="mono">{path}</span>],
        ['Commit', commit !== null && <span className="mono">{commit}</span>],
        ['Port', port],
        ['Reached at', uri !== null && <span className="mono">{uri}</span>],
        ['Notes', Object.keys(facts).length > 0 && <details><summary>{Object.keys(facts).length} of its blueprint</summary><pre className="details" tabIndex={0}>{JSON.stringify(facts, null, 2)}</pre></details>],
        ['Made', <Ago at={created} />],
        ['Usable', activated !== null && <Ago at={activated} />],
        ['Leases so far', uses],
        ['Id', <span className="mono">{id}</span>],
      ]}
    />
  );
}

interface Slot {
  slot: number;
  lease: string | undefined;
  owner: string | undefined;
  since: string | undefined;
}

const columns: readonly Column<Slot>[] = [
  { id: 'slot', head: 'Slot', width: '56px', number: true, cell: ({ slot }) => slot },
  { id: 'owner', head: 'Held by', cell: ({ owner }) => owner !== undefined ? <Owner name={owner} /> : <span className="quiet">nobody</span> },
  { id: 'lease', head: 'Lease', width: '96px', cell: ({ lease }) => lease !== undefined && <LeaseLink id={lease} /> },
  { id: 'since', head: 'Since', width: '104px', number: true, cell: ({ since }) => since !== undefined && <Ago at={since} /> },
  { id: 'until', head: 'Until', width: '104px', number: true, cell: ({ lease }) => lease !== undefined && <Until lease={lease} /> },
];

function Slots({ of: { slots, leases } }: { of: ResourceView }) {
  const rows = Array.from({ length: slots }, (_, slot): Slot => {
    const held = leases.find((lease) => lease.slot === slot);
    return { slot, lease: held?.lease, owner: held?.owner, since: held?.since };
  });
  return <Table label="Slots" columns={columns} rows={rows} rowKey={({ slot }) => String(slot)} empty="" sortParam="slots" />;
}

/** A resource does not know it: its lease does. */
function Until({ lease }: { lease: string }) {
  const { data } = useRead<LeaseView>(`leases/${lease}`);
  if (!data) return null;
  return data.until === null ? <span className="quiet">released</span> : <Ago at={data.until} />;
}

function Log({ id }: { id: string }) {
  const read = useRead<PageOf<HistoryEntry>>(`history/${id}`, { query: { sort: '-position', limit: SHOWN, total: true } });
  const total = read.data?.total ?? 0;
  return (
    <Section title="Activity" note={total > SHOWN ? <>the last {SHOWN} of {read.data?.totalIsBound && 'more than '}{total} events; <Link href={`/history/${id}`}>all of them</Link></> : 'the newest last'}>
      <Loaded read={read}>{({ items: all }) => <Timeline entries={all.toReversed()} own={id} />}</Loaded>
    </Section>
  );
}
