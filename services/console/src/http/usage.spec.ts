import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Problem } from '@berth/client';
import { blueprintSpec, savedPlan, type Commit, type Kind } from '@berth/contracts';
import { eventually } from '../../../../test/support/wait.js';
import { scripted, type Scripted } from '../scripted.testing.js';

let berth: Scripted;
/** A day of the past: its hours. */
const at = (hour: number): string => new Date(Date.UTC(2026, 0, 5) + hour * 3_600_000).toISOString();
const day = { from: at(0), to: at(24) };
const revisions = new Map<string, number>();
let last = 0;

async function happen(kind: Kind, id: string, hour: number, events: Commit['events'], actor = 'spec'): Promise<void> {
  last = await berth.store.append(kind, id, revisions.get(id) ?? 0, { id: randomUUID(), at: at(hour), actor, cause: 'spec', events });
  revisions.set(id, last);
}
async function host(blueprint: string, slots: number, from: number, to?: number): Promise<string> {
  const id = randomUUID();
  await happen('resource', id, from, [{ type: 'ResourceCreated', data: { type: 'host', blueprint, name: blueprint, attributes: {}, slots } }, { type: 'ResourceActivated', data: {} }]);
  if (to !== undefined) await happen('resource', id, to, [{ type: 'ResourceDestroyed', data: {} }]);
  return id;
}
async function lease(owner: string, resource: string, blueprint: string, [asked, got, over]: [asked: number, got?: number, over?: number], build?: string): Promise<void> {
  const id = randomUUID();
  const request = { type: 'host', owner, ...(build === undefined && { project: 'widgets' }), attributes: {}, prefer: [], blueprints: [], priority: 100, wait: 'always' };
  await happen('lease', id, asked, [{ type: 'LeaseRequested', data: request }], build === undefined ? 'spec' : `build:${build}`);
  if (got !== undefined) await happen('lease', id, got, [{ type: 'LeaseAcquired', data: { resource, blueprint, slot: 0, token: last } }]);
  if (over !== undefined) await happen('lease', id, over, [{ type: 'LeaseReleased', data: { reason: 'done', expired: false } }, { type: 'LeaseDestroyed', data: {} }]);
}
const plan = savedPlan.parse({ name: 'nightly', host: {}, workingCopy: {}, env: {}, steps: [{ name: 'One', run: 'true', env: {} }] });

beforeAll(async () => {
  berth = await scripted();
  await happen('blueprint', 'cloud', 0, [{ type: 'BlueprintSaved', data: { version: 1, spec: blueprintSpec.parse({ name: 'cloud', kind: 'preallocated', price: { perHour: 0.5, currency: 'EUR' } }) } }]);
  const [big, small] = [await host('preallocated', 4, -100), await host('cloud', 1, 6, 18)];
  const build = randomUUID();
  // One slot of four for ten hours, and one that began the day before and goes on after it.
  await lease('ada', big, 'preallocated', [1, 2, 12]);
  await lease('ada', big, 'preallocated', [-3, -2, 30]);
  await lease('=bob, "the builder"', small, 'cloud', [6, 8, 12], build);
  await lease('carol', small, 'cloud', [20]);
  await happen('build', build, 6, [{ type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator: '=bob, "the builder"' } }]);
  await happen('build', build, 12, [{ type: 'BuildFailed', data: { error: 'no' } }]);
  await happen('build', randomUUID(), 13, [{ type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator: 'ada' } }, { type: 'BuildPassed', data: {} }]);
  await eventually(async () => expect((await berth.berth.projections.list()).items.every(({ position }) => position >= last)).toBe(true));
});

const none = { ended: 0, passed: 0, failed: 0, aborted: 0, errors: 0 };

describe('usage', () => {
  test('by owner: hours of hosts, waits, builds and cost', async () => {
    const hour = 3_600_000;
    expect(await berth.berth.usage({ ...day, by: 'owner' })).toEqual({
      ...day, by: 'owner', bucketMs: null,
      items: [
        { ...day, key: 'ada', hostHours: 8.5, share: 0.236111, leases: 1, queueMs: { p50: hour, p90: hour, p99: hour }, builds: { ...none, ended: 1, passed: 1 }, cost: {} },
        { ...day, key: '=bob, "the builder"', hostHours: 4, share: 0.111111, leases: 1, queueMs: { p50: 2 * hour, p90: 2 * hour, p99: 2 * hour }, builds: { ...none, ended: 1, failed: 1 }, cost: { EUR: 2 } },
      ],
      totals: [{ ...day, hostHours: 12.5, capacityHours: 36, utilisation: 0.347222, idle: 0.652778, cost: { EUR: 6 } }],
    });
  });

  test('by plan, project and blueprint', async () => {
    const by = async (what: 'plan' | 'project' | 'blueprint') => (await berth.berth.usage({ ...day, by: what })).items.map(({ key, hostHours, share, builds }) => [key, hostHours, share, builds.ended]);
    expect(await by('plan')).toEqual([[null, 8.5, 0.236111, 0], ['nightly', 4, 0.111111, 2]]);
    expect(await by('project')).toEqual([['widgets', 8.5, 0.236111, 0], [null, 4, 0.111111, 2]]);
    // Of what hosts of the blueprint were there; a build that had no host has no blueprint.
    expect(await by('blueprint')).toEqual([['preallocated', 8.5, 0.354167, 0], ['cloud', 4, 0.333333, 0], [null, 0, null, 2]]);
  });

  test('in buckets that add up to the whole', async () => {
    const whole = await berth.berth.usage({ ...day });
    const { items, totals, bucketMs } = await berth.berth.usage({ ...day, bucket: '5h' });
    expect([bucketMs, totals.map(({ from, to }) => [from, to])]).toEqual([5 * 3_600_000, [[at(0), at(5)], [at(5), at(10)], [at(10), at(15)], [at(15), at(20)], [at(20), at(24)]]]);
    expect(totals.map(({ hostHours, capacityHours }) => [hostHours, capacityHours])).toEqual([[2, 5], [4.5, 9], [3.75, 10], [1.25, 8], [1, 4]]);
    const sum = (key: string) => items.filter((one) => one.key === key).reduce((all, { hostHours }) => all + hostHours, 0);
    for (const { key, hostHours } of whole.items) expect(sum(key!)).toBeCloseTo(hostHours, 5);
    expect((await berth.berth.usage({ from: at(30), to: at(31) })).items).toEqual([]);
    expect((await berth.berth.usage({ from: '2999-01-01T00:00:00Z', to: '2999-01-02T00:00:00Z' })).totals).toMatchObject([{ hostHours: 0, capacityHours: 0, utilisation: null, idle: null }]);
  });

  test('as CSV, in which no name becomes a formula', async () => {
    const lines = [
      'from,to,owner,host_hours,share,leases,queue_p50_ms,queue_p90_ms,queue_p99_ms,builds,passed,failed,aborted,errors,cost_EUR',
      `${at(0)},${at(24)},ada,8.5,0.236111,1,3600000,3600000,3600000,1,1,0,0,0,`,
      `${at(0)},${at(24)},"'=bob, ""the builder""",4,0.111111,1,7200000,7200000,7200000,1,0,1,0,0,2`, '',
    ];
    expect((await berth.berth.usageCsv(day)).split('\r\n')).toEqual(lines);
    const response = await berth.ask(`usage.csv?from=${day.from}&to=${day.to}`, { headers: { Accept: 'text/csv' } });
    expect([response.headers.get('content-type'), (await response.text()).split('\r\n')]).toEqual(['text/csv; charset=utf-8; header=present', lines]);

    const usage = (accept: string) => berth.ask(`usage?from=${day.from}&to=${day.to}`, { headers: { Accept: accept } });
    for (const accept of ['text/csv', 'application/json;q=0.5, text/csv', 'text/*', 'text/csv;header=present, */*;q=0.1']) {
      const same = await usage(accept);
      expect([accept, same.headers.get('content-type'), same.headers.get('vary'), (await same.text()).split('\r\n')]).toEqual([accept, 'text/csv; charset=utf-8; header=present', 'Accept', lines]);
    }
    for (const accept of ['*/*', 'application/json', 'application/json, text/csv', 'text/csv;q=0.5, application/*']) {
      const json = await usage(accept);
      expect([accept, json.headers.get('content-type'), json.headers.get('vary')]).toEqual([accept, expect.stringContaining('application/json'), 'Accept, Accept-Encoding, Authorization, Cookie']);
    }
    expect((await usage('text/html')).status).toBe(406);
  });

  test.each([
    ['usage?by=colour', 'by', 'use one of owner, plan, blueprint, project'],
    ['usage?bucket=soon', 'bucket', 'use a duration such as 1h or 1d'],
    ['usage?bucket=1s', 'bucket', 'use a longer bucket or a shorter time'],
    ['usage?from=2999-01-01T00:00:00Z', 'from', 'use a time before `to`'],
    ['usage?to=now', 'to', 'use an RFC 3339 time from 1970 to 9999, such as 2030-01-31T12:00:00Z'],
    ['usage.csv?owner=ada', 'owner', 'use from, to, by, bucket'],
    ['timeline?buckets=1001', 'buckets', 'must be a number from 1 to 1000'],
  ])('%s is refused', async (path, field, message) => {
    const response = await berth.ask(path);
    expect([response.status, ((await response.json()) as Problem).errors]).toEqual([422, [{ field, message }]]);
  });
});

describe('what was used on another day', () => {
  const other = { from: at(48), to: at(72) };
  const shown = () => eventually(async () => expect((await berth.berth.projections.list()).items.every(({ position }) => position >= last)).toBe(true));
  const price = (hour: number, version: number, cost?: { perHour: number; currency: string }) =>
    happen('blueprint', 'metal', hour, [{ type: 'BlueprintSaved', data: { version, spec: blueprintSpec.parse({ name: 'metal', kind: 'preallocated', ...(cost && { price: cost }) }) } }]);

  test('costs what it cost then: each hour has the price that held, whatever it is today', async () => {
    await price(49, 1, { perHour: 1, currency: 'EUR' });
    const metal = await host('metal', 1, 47, 70);
    await lease('dora', metal, 'metal', [48, 48, 57]);
    await price(52, 2, { perHour: 2, currency: 'USD' });
    await price(53, 3, { perHour: 2, currency: 'USD' });
    await price(54, 4);
    await price(56, 5, { perHour: 3, currency: 'EUR' });
    await happen('blueprint', 'metal', 66, [{ type: 'BlueprintRemoved', data: {} }]);
    await shown();
    const { items, totals } = await berth.berth.usage({ ...other, by: 'owner' });
    // Dora: 48 to 57. An hour before there was a price, three of 1 EUR, two of 2 USD, two for nothing, one of 3 EUR.
    expect(items.filter(({ key }) => key === 'dora').map(({ hostHours, cost }) => [hostHours, cost])).toEqual([[9, { EUR: 6, USD: 4 }]]);
    expect(totals.map(({ cost }) => cost)).toEqual([{ EUR: 3 + 3 * 10, USD: 4 }]);
    const parts = await berth.berth.usage({ ...other, by: 'blueprint', bucket: '150m' });
    const sum = (costs: Record<string, number>[], currency: string) => costs.reduce((all, cost) => all + (cost[currency] ?? 0), 0);
    expect(['EUR', 'USD'].map((currency) => sum(parts.items.filter(({ key }) => key === 'metal').map(({ cost }) => cost), currency))).toEqual([6, 4]);
    expect(['EUR', 'USD'].map((currency) => sum(parts.totals.map(({ cost }) => cost), currency))).toEqual([33, 4]);
    expect(parts.items.filter(({ key }) => key === 'metal').reduce((all, { hostHours }) => all + hostHours, 0)).toBeCloseTo(9, 5);
  });

  test('a build that was run again has used the hours of each generation', async () => {
    const build = randomUUID();
    const [again] = [await host('preallocated', 2, 60, 71)];
    const begun = { plan: { ...plan, name: 'again' }, planVersion: 1, variables: {}, initiator: 'erin' };
    await happen('build', build, 60, [{ type: 'BuildRequested', data: begun }]);
    await lease('erin', again, 'preallocated', [60, 60, 62], build);
    await happen('build', build, 62, [{ type: 'BuildFailed', data: { error: 'no' } }]);
    await happen('build', build, 64, [{ type: 'BuildRestarted', data: { ...begun, generation: 2, reason: 'again', host: 'any' } }]);
    await lease('erin', again, 'preallocated', [64, 65, 71], build);
    await happen('build', build, 71, [{ type: 'BuildPassed', data: {} }]);
    await shown();
    for (const by of ['plan', 'owner'] as const) {
      const [row] = (await berth.berth.usage({ ...other, by })).items.filter(({ key }) => key === 'again' || key === 'erin');
      expect([by, row!.hostHours, row!.leases, row!.builds]).toEqual([by, (2 + 6) / 2, 2, { ...none, ended: 1, passed: 1 }]);
    }
  });
});

describe('the timeline', () => {
  test('of a moment, however long before it things began', async () => {
    const { items } = await berth.berth.timeline({ from: '2200-01-01T00:00:00.000Z', to: '2200-01-01T00:00:00.009Z', buckets: 1000 });
    expect([items.length, new Set(items.map(({ hosts }) => hosts)).size]).toEqual([1000, 1]);
  });

  test('how it was at the end of each stretch, and what failed in it', async () => {
    const { items } = await berth.berth.timeline({ ...day, buckets: 4 });
    expect(items.map(({ from, ...one }) => [from, one.hosts, one.busy, one.waiting, one.building, one.failures])).toEqual([
      [at(0), 1, 2, 0, 0, 0],
      [at(6), 2, 3, 0, 1, 0],
      [at(12), 2, 1, 0, 0, 1],
      [at(18), 1, 1, 1, 0, 0],
    ]);
  });
});
