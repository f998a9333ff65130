import type { BuildMoment, LeaseView, MachineView, MomentView, TimelineView } from '@berth/client';
import { useEffect, useState } from 'react';
import { useRead } from '../../api/read';
import { useHas } from '../../api/session';
import { BuildLink, LeaseLink, MachineLink, Owner } from '../../parts/links';
import { Plot } from '../../parts/plot';
import { SlotBar, slotText } from '../../parts/slot-bar';
import { Badge } from '../../ui/badge';
import { Loaded } from '../../ui/empty';
import { Field } from '../../ui/field';
import { Filters, SelectFilter } from '../../ui/filters';
import { Facts, Section } from '../../ui/page';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { stamp } from '../../ui/time';

const HOUR = 3_600_000;
const spans: Readonly<Record<string, { text: string; hours: number }>> = { day: { text: 'the last 24 hours', hours: 24 }, week: { text: 'the last 7 days', hours: 168 }, month: { text: 'the last 30 days', hours: 720 } };
const USUAL = 'day';
/** Places of the slider, and the columns of the plot beside it. */
const PLACES = 1000;
const COLUMNS = 96;
const SLIDING_MS = 250;
/** So many of each list; the totals tell how many there were. */
const SHOWN = 200;

const machines: readonly Column<MachineView>[] = [
  { id: 'name', head: 'Machine', sort: ({ name }) => name, cell: ({ name }) => <MachineLink name={name} /> },
  { id: 'state', head: 'State', width: '120px', sort: ({ state }) => state ?? '', cell: ({ state }) => <Badge status={state ?? 'booting'} /> },
  { id: 'busy', head: 'Slots', width: '72px', number: true, sort: ({ busy }) => busy, cell: ({ busy, slots }) => `${busy} / ${slots}` },
];
const leases: readonly Column<LeaseView>[] = [
  { id: 'id', head: 'Lease', width: '92px', cell: ({ id }) => <LeaseLink id={id} /> },
  { id: 'status', head: 'Status', width: '100px', sort: ({ status }) => status, cell: ({ status }) => <Badge status={status} /> },
  { id: 'type', head: 'Type', width: '110px', sort: ({ type }) => type, cell: ({ type }) => type },
  { id: 'owner', head: 'Owner', sort: ({ owner }) => owner, cell: ({ owner }) => <Owner name={owner} /> },
];
const builds: readonly Column<BuildMoment>[] = [
  { id: 'id', head: 'Build', width: '92px', cell: ({ id }) => <BuildLink id={id} /> },
  { id: 'status', head: 'Status', width: '106px', sort: ({ status }) => status, cell: ({ status }) => <Badge status={status} /> },
  { id: 'percent', head: 'Done', width: '64px', number: true, sort: ({ percent }) => percent, cell: ({ percent }) => `${percent} %` },
  { id: 'plan', head: 'Plan', sort: ({ plan }) => plan, cell: ({ plan }) => plan },
];

/** The whole fleet as it was at a moment that is chosen with a slider. */
export function Past() {
  const [asked] = useParam('span', USUAL);
  const { hours } = spans[asked] ?? spans[USUAL]!;
  const [end] = useState(() => Date.now());
  const begin = end - hours * HOUR;
  const [at, setAt] = useParam('at');
  const chosen = Date.parse(at);
  const known = !Number.isNaN(chosen);
  const has = useHas('usage:read');
  const timeline = useRead<TimelineView>('timeline', { query: { from: new Date(begin).toISOString(), to: new Date(end).toISOString(), buckets: COLUMNS }, enabled: has });
  return (
    <Section title="The fleet as it was" note="move the slider to a moment">
      <Filters><SelectFilter name="span" label="Within" all={spans[USUAL]!.text} options={Object.entries(spans).filter(([name]) => name !== USUAL).map(([name, { text }]) => [name, text] as const)} /></Filters>
      {has && <Loaded read={timeline}>{({ items }) => <Plot label="Leased slots of hosts" unit="leased slots" of={items.map(({ from, to, busy }) => ({ from, to, used: busy }))} chosen={known && chosen >= begin && chosen <= end ? chosen : undefined} />}</Loaded>}
      <Slider begin={begin} end={end} chosen={known ? chosen : end} onChosen={(time) => setAt(new Date(time).toISOString())} />
      {known && <AtMoment at={at} />}
    </Section>
  );
}

/** Follows the hand at once, and asks when it rests. */
function Slider({ begin, end, chosen, onChosen }: { begin: number; end: number; chosen: number; onChosen: (time: number) => void }) {
  const placeOf = (time: number) => Math.round((PLACES * (Math.min(Math.max(time, begin), end) - begin)) / (end - begin));
  const timeOf = (place: number) => Math.round(begin + ((end - begin) * place) / PLACES);
  const [place, setPlace] = useState<number>();
  useEffect(() => {
    if (place === undefined) return undefined;
    const timer = setTimeout(() => {
      setPlace(undefined);
      onChosen(timeOf(place));
    }, SLIDING_MS);
    return () => clearTimeout(timer);
  });
  const shown = place ?? placeOf(chosen);
  return (
    <Field label="Moment" hint={stamp(place === undefined ? chosen : timeOf(place))}>
      {(control) => <input type="range" className="slider" {...control} min={0} max={PLACES} value={shown} aria-valuetext={stamp(timeOf(shown))} onChange={(event) => setPlace(Number(event.target.value))} />}
    </Field>
  );
}

function AtMoment({ at }: { at: string }) {
  const read = useRead<MomentView>('fleet', { query: { at, limit: SHOWN } });
  return (
    <Loaded read={read}>
      {(moment) => (
        <>
          <Facts
            of={[
              ['At', <time key="at" dateTime={moment.at}>{stamp(moment.at)}</time>], ['Position', moment.position], ['Machines', moment.totals.machines], ['Hosts', moment.totals.hosts],
              ['Slots of hosts', <span key="slots">{slotText(moment.slots)} <SlotBar slots={moment.slots} /></span>], ['Leases', `${moment.totals.leases}, of which ${moment.totals.waiting} waited`], ['Builds under way', moment.totals.builds],
            ]}
          />
          <div className="columns">
            <Table label="Machines then" columns={machines} rows={moment.machines} whole={moment.machines.length === moment.totals.machines} rowKey={({ name }) => name} empty="No machine was enrolled." sortParam="machines" />
            <Table label="Leases then" columns={leases} rows={moment.leases} whole={moment.leases.length === moment.totals.leases} rowKey={({ id }) => id} empty="Nobody held anything or waited for it." sortParam="leases" />
            <Table label="Builds then" columns={builds} rows={moment.builds} whole={moment.builds.length === moment.totals.builds} rowKey={({ id }) => id} empty="Nothing was being built." sortParam="builds" />
          </div>
        </>
      )}
    </Loaded>
  );
}
