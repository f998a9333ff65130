import type { UsageBy, UsageRow, UsageView } from '@berth/client';
import { useState } from 'react';
import { useRead } from '../../api/read';
import { Download } from '../../parts/download';
import { Plot } from '../../parts/plot';
import { Loaded } from '../../ui/empty';
import { Filters, SelectFilter } from '../../ui/filters';
import { Facts, Section } from '../../ui/page';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { span } from '../../ui/time';

const HOUR = 3_600_000;
const AGAIN_MS = 60_000;
/** How far back, and the stretches that it is plotted in. */
const spans: Readonly<Record<string, { text: string; hours: number; bucket: string }>> = {
  day: { text: 'the last 24 hours', hours: 24, bucket: '1h' },
  week: { text: 'the last 7 days', hours: 168, bucket: '6h' },
  month: { text: 'the last 30 days', hours: 720, bucket: '1d' },
};
const USUAL = 'week';
const ways: Readonly<Record<UsageBy, string>> = { owner: 'Owner', plan: 'Plan', blueprint: 'Blueprint', project: 'Project' };

const percent = (share: number | null) => (share === null ? undefined : `${(100 * share).toFixed(1)} %`);
const money = (cost: UsageRow['cost']): string => Object.entries(cost).map(([currency, value]) => `${value.toFixed(2)} ${currency}`).join(' + ');
const wait = (ms: number | undefined) => ms !== undefined && span(ms);

const columnsOf = (by: UsageBy): readonly Column<UsageRow>[] => [
  { id: 'key', head: ways[by], sort: ({ key }) => key ?? '', cell: ({ key }) => key ?? <span className="quiet">none</span> },
  { id: 'hours', head: 'Host hours', width: '96px', number: true, sort: ({ hostHours }) => hostHours, cell: ({ hostHours }) => hostHours.toFixed(2) },
  { id: 'share', head: 'Share', width: '76px', number: true, sort: ({ share }) => share ?? -1, cell: ({ share }) => percent(share) },
  { id: 'leases', head: 'Leases', width: '72px', number: true, sort: ({ leases }) => leases, cell: ({ leases }) => leases },
  { id: 'p50', head: 'Wait p50', width: '84px', number: true, sort: ({ queueMs }) => queueMs?.p50 ?? -1, cell: ({ queueMs }) => wait(queueMs?.p50) },
  { id: 'p90', head: 'p90', width: '76px', number: true, sort: ({ queueMs }) => queueMs?.p90 ?? -1, cell: ({ queueMs }) => wait(queueMs?.p90) },
  { id: 'p99', head: 'p99', width: '76px', number: true, sort: ({ queueMs }) => queueMs?.p99 ?? -1, cell: ({ queueMs }) => wait(queueMs?.p99) },
  { id: 'builds', head: 'Builds', width: '72px', number: true, sort: ({ builds }) => builds.ended, cell: ({ builds }) => builds.ended },
  { id: 'failed', head: 'Failed', width: '72px', number: true, sort: ({ builds }) => builds.failed + builds.errors, cell: ({ builds }) => builds.failed + builds.errors },
  { id: 'cost', head: 'Cost', width: '130px', number: true, cell: ({ cost }) => money(cost) },
];

/** Who has used how many hours of hosts, how long they waited, and what it cost. */
export function Used() {
  const [asked] = useParam('span', USUAL);
  const [by] = useParam('by', 'owner');
  const { hours, bucket, text } = spans[asked] ?? spans[USUAL]!;
  const way = Object.hasOwn(ways, by) ? (by as UsageBy) : 'owner';
  // As of when the page was opened: each minute the same stretches are read again, not others.
  const [opened] = useState(() => Date.now());
  const from = new Date(opened - hours * HOUR).toISOString();
  const whole = useRead<UsageView>('usage', { query: { from, by: way }, every: AGAIN_MS });
  const stretches = useRead<UsageView>('usage', { query: { from, to: new Date(opened).toISOString(), by: way, bucket } });
  return (
    <Section title="Used" note={text} actions={<Download small path="usage.csv" query={{ from, by: way }} name="usage.csv">Download as CSV</Download>}>
      <Filters>
        <SelectFilter name="span" label="Of" all={spans[USUAL]!.text} options={Object.entries(spans).filter(([name]) => name !== USUAL).map(([name, one]) => [name, one.text] as const)} />
        <SelectFilter name="by" label="By" all="owner" options={['plan', 'blueprint', 'project']} />
      </Filters>
      <Loaded read={stretches}>{({ totals }) => <Plot label="Hours of hosts" unit="host hours" of={totals.map(({ from: begin, to, capacityHours, hostHours }) => ({ from: begin, to, there: capacityHours, used: hostHours }))} />}</Loaded>
      <Loaded read={whole}>
        {({ items, totals: [total] }) => (
          <>
            {total && <Facts of={[['Hours that hosts were there', total.capacityHours.toFixed(2)], ['Of these leased', `${total.hostHours.toFixed(2)}${total.utilisation === null ? '' : `, ${percent(total.utilisation)}`}`], ['Idle', percent(total.idle)], ['Cost of all', money(total.cost)]]} />}
            <Table label={`Usage by ${way}`} least={900} columns={columnsOf(way)} rows={items} rowKey={({ key }) => JSON.stringify(key)} empty="Nothing was used." />
          </>
        )}
      </Loaded>
    </Section>
  );
}
