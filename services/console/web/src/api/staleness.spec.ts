import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LiveEvent } from '@berth/client';
import { Staleness } from './staleness';

let client: QueryClient;
let page: EventTarget & { hidden: boolean };
let staleness: Staleness;
let stops: (() => void)[];

const event = (kind: LiveEvent['kind'], id: string, actor = 'spec'): LiveEvent => ({ kind, id, type: 'Any', data: {}, at: '2030-01-01T00:00:00Z', actor });

/** Looks at something as a component does; gives how often it was read. */
function look(key: readonly unknown[], readMs = 0): { reads: number } {
  const seen = { reads: 0 };
  const observer = new QueryObserver(client, {
    queryKey: key,
    staleTime: Infinity,
    queryFn: async () => {
      seen.reads++;
      await new Promise((resolve) => setTimeout(resolve, readMs));
      return seen.reads;
    },
  });
  stops.push(observer.subscribe(() => undefined));
  return seen;
}

beforeEach(() => {
  vi.useFakeTimers();
  client = new QueryClient();
  page = Object.assign(new EventTarget(), { hidden: false });
  staleness = new Staleness(client, page as unknown as Document);
  stops = [];
});
afterEach(() => {
  for (const stop of stops) stop();
  client.clear();
  vi.useRealTimers();
});

describe('what events make old', () => {
  test('is a list of their kind, and the thing itself; nothing else is read', async () => {
    const list = look(['leases', { status: 'active' }]);
    const own = look(['leases', 'a', {}]);
    const why = look(['leases', 'a', 'explanation', {}]);
    const other = look(['leases', 'b', {}]);
    const builds = look(['builds', {}]);
    await vi.advanceTimersByTimeAsync(10);
    staleness.note(event('lease', 'a'));
    await vi.advanceTimersByTimeAsync(1000);
    expect([list, own, why, other, builds].map(({ reads }) => reads)).toEqual([2, 2, 2, 1, 1]);
  });

  test('is hardware, when a job on it or the machine of its name changes', async () => {
    const [one, jobs] = [look(['hardware', 'anvil', {}]), look(['jobs', { machine: 'anvil' }])];
    await vi.advanceTimersByTimeAsync(10);
    staleness.note(event('job', 'j'));
    await vi.advanceTimersByTimeAsync(1000);
    expect([one.reads, jobs.reads]).toEqual([2, 2]);
    staleness.note(event('machine', 'anvil'));
    await vi.advanceTimersByTimeAsync(1000);
    expect([one.reads, jobs.reads]).toEqual([3, 2]);
  });

  test('is the image with its board, and every version and channel, whose events are those of their image', async () => {
    const [list, board, other] = [look(['images', {}]), look(['images', 'web', 'board', {}]), look(['images', 'db', 'board', {}])];
    const [version, channels, catalog, objects] = [look(['versions', 'v', {}]), look(['channels', { image: 'web' }]), look(['catalogs', 'shop', {}]), look(['warehouse', 'objects', {}])];
    await vi.advanceTimersByTimeAsync(10);
    staleness.note(event('image', 'web'));
    await vi.advanceTimersByTimeAsync(1000);
    expect([list, board, other, version, channels, catalog, objects].map(({ reads }) => reads)).toEqual([2, 2, 1, 2, 2, 2, 2]);
  });

  test('is every board, when the catalogue changes', async () => {
    const [board, account, version, policies] = [look(['images', 'web', 'board', {}]), look(['accounts', 'eu', {}]), look(['versions', 'v', {}]), look(['warehouse', 'policies', {}])];
    await vi.advanceTimersByTimeAsync(10);
    staleness.note(event('catalog', 'main'));
    await vi.advanceTimersByTimeAsync(1000);
    expect([board, account, version, policies].map(({ reads }) => reads)).toEqual([2, 2, 1, 1]);
  });

  test('is the audit, when somebody did it and no service', async () => {
    const audit = look(['audit', { what: '' }]);
    await vi.advanceTimersByTimeAsync(10);
    staleness.note(event('lease', 'a', 'allocator'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(audit.reads).toBe(1);
    staleness.note(event('lease', 'a', 'token:ci'));
    await vi.advanceTimersByTimeAsync(1000);
    staleness.note(event('plan', 'p', 'user:ada@example.org'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(audit.reads).toBe(3);
  });

  test('is shown soon when it comes alone, and at most every 700 ms when a thousand come in a second', async () => {
    const list = look(['leases', {}]);
    await vi.advanceTimersByTimeAsync(2000);
    staleness.note(event('lease', 'a'));
    await vi.advanceTimersByTimeAsync(100);
    expect(list.reads).toBe(2);
    for (let i = 0; i < 10_000; i++) {
      staleness.note(event('lease', `x${i}`));
      if (i % 10 === 9) await vi.advanceTimersByTimeAsync(10);
    }
    await vi.advanceTimersByTimeAsync(2000);
    // Ten seconds and what came last: one read for each 700 ms, and one over.
    expect(list.reads).toBeGreaterThan(10);
    expect(list.reads).toBeLessThanOrEqual(2 + Math.ceil(10_100 / 700) + 1);
  });

  test('while it is being read, is read once more afterwards', async () => {
    const slow = look(['builds', 'b', {}], 5000);
    await vi.advanceTimersByTimeAsync(100);
    for (let i = 0; i < 50; i++) {
      staleness.note(event('build', 'b'));
      await vi.advanceTimersByTimeAsync(50);
    }
    expect(slow.reads).toBe(1);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(slow.reads).toBe(2);
  });

  test('is not read for a page that nobody looks at, until somebody does', async () => {
    const list = look(['leases', {}]);
    await vi.advanceTimersByTimeAsync(10);
    page.hidden = true;
    staleness.note(event('lease', 'a'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(list.reads).toBe(1);
    page.hidden = false;
    page.dispatchEvent(new Event('visibilitychange'));
    await vi.advanceTimersByTimeAsync(10);
    expect(list.reads).toBe(2);
  });

  test('is everything after a time in which nothing was heard, with what was being read just then', async () => {
    const [plans, slow] = [look(['plans', {}]), look(['history', 'x', {}], 500)];
    await vi.advanceTimersByTimeAsync(100);
    staleness.all();
    await vi.advanceTimersByTimeAsync(5000);
    expect([plans.reads, slow.reads]).toEqual([2, 2]);
  });
});
