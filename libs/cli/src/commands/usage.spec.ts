import { beforeAll, describe, expect, test } from 'vitest';
import type { UsageView } from '@berth/client';
import { fakeBerth, type FakeBerth } from '../fake-berth.testing.js';

let fake: FakeBerth;
beforeAll(async () => {
  fake = await fakeBerth();
});

const week = { from: '2030-01-01T00:00:00.000Z', to: '2030-01-08T00:00:00.000Z' };
const view: UsageView = {
  ...week, by: 'plan', bucketMs: null,
  items: [{ ...week, key: null, hostHours: 12.5, share: 0.25, leases: 3, queueMs: { p50: 850, p90: 12_300, p99: 250_000 }, builds: { ended: 4, passed: 1, failed: 1, aborted: 1, errors: 1 }, cost: { EUR: 6.25, USD: 1 } }],
  totals: [{ ...week, hostHours: 12.5, capacityHours: 50, utilisation: 0.25, idle: 0.75, cost: {} }],
};

describe('usage', () => {
  test('as a table: what was used, and what there was', async () => {
    fake.routes({ 'GET usage': [200, view] });
    const { code, stdout } = await fake.berth('usage', '--by', 'plan', '--from', '2030-01-01T00:00:00Z');
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['PLAN', 'HOST HOURS', 'SHARE', 'LEASES', 'WAIT P50', 'P90', 'P99', 'BUILDS', 'FAILED', 'COST'],
      ['-', '12.50', '25.0%', '3', '850 ms', '12.3 s', '4m 10s', '4', '2', '6.25 EUR + 1.00 USD'],
      [''],
      ['FROM', 'TO', 'HOST HOURS', 'OF', 'USED', 'IDLE', 'COST'],
      [week.from, week.to, '12.50', '50.00', '25.0%', '75.0%', '-'],
      [''],
    ]);
    expect(fake.asked.at(-1)!.path).toBe(`usage?from=${encodeURIComponent('2030-01-01T00:00:00.000Z')}&by=plan`);
  });

  test('as JSON, and as CSV as it comes', async () => {
    fake.routes({ 'GET usage': [200, view], 'GET usage.csv': [200, 'from,to\r\n'] });
    expect(JSON.parse((await fake.berth('usage', '--json')).stdout)).toEqual(view);
    expect((await fake.berth('usage', '--csv', '--bucket', '1d')).stdout).toBe('from,to\r\n');
    expect(fake.asked.at(-1)!.path).toBe('usage.csv?by=owner&bucket=1d');
    expect((await fake.berth('usage', '--by', 'colour')).code).toBe(2);
  });
});

describe('projections', () => {
  test('how far each is behind; one is rebuilt with lines of progress', async () => {
    fake.routes({
      'GET projections': [200, { items: [{ name: 'lease', position: 9, last: 12, rows: 4, lag: { commits: 3, ms: 1500 } }, { name: 'build', position: 12, last: 12, rows: 2, lag: { commits: 0, ms: 0 } }], cursor: null }],
      'POST projections/lease/rebuild': [200, '10% 1 of 12 commits\n50% 6 of 12 commits\ndone: 12 commits\n'],
      'POST projections/rebuild': [200, '10% 1 of 12 commits\nfailed: the database went away\n'],
    });
    const { stdout } = await fake.berth('projection', 'list');
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/)).slice(0, 3)).toEqual([['PROJECTION', 'POSITION', 'ROWS', 'BEHIND'], ['lease', '9', '4', '3 commits, 1.5 s'], ['build', '12', '2', 'nothing']]);
    expect(await fake.berth('projection', 'rebuild', 'lease')).toEqual({ code: 0, stdout: 'The projection lease is rebuilt.\n', stderr: '10% 1 of 12 commits\n50% 6 of 12 commits\ndone: 12 commits\n' });
    const failed = await fake.berth('projection', 'rebuild');
    expect([failed.code, failed.stderr]).toEqual([1, '10% 1 of 12 commits\nberth: failed: the database went away\n']);
  });
});
