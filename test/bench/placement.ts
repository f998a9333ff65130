import { explain, type HostView } from '@berth/allocator/explain';
import { Placement, type Offer, type Wanted } from '@berth/allocator/placement';
import { leaseRequest } from '@berth/contracts';
import { median, ms, percentile, rate, times, type Row } from './measure.js';

const HOSTS = 10_000;
const OWNERS = 200;
const ROUNDS = 5;
const DECISIONS = 10_000;
/** Between two requests, ms. */
const APART = 5;

interface Round {
  perSecond: number;
  /** of one decision, microseconds */
  p50: number;
  p99: number;
}

/**
 * Decisions of the placement in a steady state: all hosts are taken and the queue is full; over and over one slot comes
 * free, goes to the request that comes first, and another request joins the queue. What a longer queue must not do is make
 * it slower. No processes, no bus: only the placement itself.
 */
export async function placement(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const wants of [1, 50, 1000]) {
    const short = steadyState(wants, 10_000);
    const long = steadyState(wants, 100_000);
    const plain = { short: fifo(10_000), long: fifo(100_000) };
    const rounds = { short: [] as Round[], long: [] as Round[], floor: { short: [] as number[], long: [] as number[] } };
    // In turn, so that a machine that slows down slows all. The first round warms up.
    for (let i = 0; i <= ROUNDS; i++) {
      const round = { short: short(), long: long(), floor: { short: plain.short(), long: plain.long() } };
      if (i === 0) continue;
      rounds.short.push(round.short);
      rounds.long.push(round.long);
      rounds.floor.short.push(round.floor.short);
      rounds.floor.long.push(round.floor.long);
    }
    const of = (all: readonly Round[], figure: keyof Round) => median(all.map((round) => round[figure]));
    for (const [queued, which] of [[10_000, 'short'], [100_000, 'long']] as const) {
      const all = rounds[which];
      const floor = median(rounds.floor[which]);
      rows.push({
        what: `placements, ${wants} wants, ${queued.toLocaleString('en')} queued`, ours: `${rate(of(all, 'perSecond'))}, p50 ${us(of(all, 'p50'))}, p99 ${us(of(all, 'p99'))}`,
        floor: `${rate(floor)} array as a queue`, ratio: times(of(all, 'perSecond') / floor), aim: '', met: undefined,
      });
    }
    const growth = of(rounds.long, 'p50') / of(rounds.short, 'p50');
    const tail = of(rounds.long, 'p99') / of(rounds.short, 'p99');
    const slowdown = of(rounds.short, 'perSecond') / of(rounds.long, 'perSecond');
    const floor = median(rounds.floor.short) / median(rounds.floor.long);
    rows.push({ what: `decision p50, ${wants} wants, queue 10 times as long`, ours: times(growth), floor: '', ratio: '', aim: '<= 1.5x', met: growth <= 1.5 });
    rows.push({ what: `decision p99, ${wants} wants, queue 10 times as long`, ours: times(tail), floor: '', ratio: '', aim: '<= 1.5x', met: tail <= 1.5 });
    rows.push({ what: `time per placement, ${wants} wants, queue 10 times as long`, ours: times(slowdown), floor: `${times(floor)} array as a queue`, ratio: '', aim: '<= 1.5x', met: slowdown <= 1.5 });
  }
  rows.push(explaining());
  return rows;
}

/** Why one request waits, in the largest fleet. */
function explaining(): Row {
  const hosts = Array.from({ length: HOSTS }, (_, i): HostView => ({
    resource: `host${i}`, name: `machine${i}`, blueprint: 'preallocated', slots: 1, status: 'active', since: '2030-01-01T00:00:00Z',
    attributes: { os: i % 2 === 0 ? 'linux' : 'mac', cpus: String(4 << (i >> 1) % 5), machine: `machine${i}` }, claims: [{ lease: `lease${i}`, owner: 'ada', until: '2030-01-01T12:00:00Z' }],
  }));
  const blueprint = { name: 'preallocated', kind: 'preallocated', type: 'host', allow: { projects: [], owners: [] }, rank: 100, limits: {}, resources: HOSTS, leases: HOSTS, leasesOf: () => 1, launches: [] } as const;
  const request = leaseRequest.parse({ type: 'host', attributes: { os: 'linux', cpus: '>=8' } });
  const spent = Array.from({ length: 100 }, () => {
    const from = performance.now();
    explain(request, { blueprints: [blueprint], hosts, quota: {} }, { ahead: 1 }, 0);
    return performance.now() - from;
  });
  return { what: `explanation, ${HOSTS.toLocaleString('en')} hosts`, ours: `p50 ${ms(median(spent))}, p99 ${ms(percentile(spent, 0.99))}`, floor: '', ratio: '', aim: '<= 5 ms', met: median(spent) <= 5 };
}

/** @returns runs one round */
function steadyState(wants: number, queued: number): () => Round {
  const random = dice(queued + wants);
  const asked = distinctWants(wants);
  const p = new Placement();
  const hosts = Array.from({ length: HOSTS }, (_, i): Offer => ({
    resource: `host${i}`, blueprint: 'preallocated', restricted: false, free: 1, rank: 0, warm: [],
    attributes: { os: i % 2 === 0 ? 'linux' : 'mac', cpus: String(4 << (i >> 1) % 5), zone: 'abcd'[(i >> 3) % 4]!, machine: `machine${i}` },
  }));
  const holder = new Map<string, string>();
  let order = 0;
  const ask = (attributes: Wanted['attributes']) => {
    order++;
    const wanted: Wanted = {
      lease: `lease${order}`, owner: `owner${random(OWNERS)}`, attributes, prefer: [], blueprints: [], may: [], priority: 100, askedAt: order * APART, order,
    };
    p.request(wanted);
  };
  for (const [i, host] of hosts.entries()) {
    p.claimed(`first${i}`, { owner: `owner${random(OWNERS)}`, blueprint: host.blueprint });
    holder.set(host.resource, `first${i}`);
    p.offer({ ...host, free: 0 });
  }
  for (let i = 0; i < queued; i++) ask(asked[i % wants]!);

  return () => {
    const spent: number[] = [];
    const start = performance.now();
    for (let i = 0; i < DECISIONS; i++) {
      const host = hosts[random(HOSTS)]!;
      p.freed(holder.get(host.resource)!);
      const from = performance.now();
      p.offer(host);
      const pair = p.next();
      spent.push((performance.now() - from) * 1000);
      if (!pair) throw new Error(`nobody of ${p.size} wanted ${JSON.stringify(host.attributes)}`);
      const { lease, owner, attributes } = pair.wanted;
      p.claimed(lease, { owner, blueprint: host.blueprint });
      holder.set(host.resource, lease);
      // The next one wants the same, so that the queue stays a mixture of all.
      ask(attributes);
    }
    const seconds = (performance.now() - start) / 1000;
    return { perSecond: DECISIONS / seconds, p50: median(spent), p99: percentile(spent, 0.99) };
  };
}

/** The least that any queue does: one list of requests in the order of asking, one of free hosts, all alike. @returns placements a second */
function fifo(queued: number): () => number {
  const random = dice(queued);
  const queue: { lease: string; owner: string }[] = [];
  const holder = new Map<string, string>();
  const free: string[] = [];
  let head = 0;
  let order = 0;
  const ask = () => queue.push({ lease: `lease${++order}`, owner: `owner${random(OWNERS)}` });
  for (let i = 0; i < queued; i++) ask();
  return () => {
    const start = performance.now();
    for (let i = 0; i < DECISIONS; i++) {
      const host = `host${random(HOSTS)}`;
      holder.delete(host);
      free.push(host);
      holder.set(free.pop()!, queue[head++]!.lease);
      ask();
      if (head > queued) queue.splice(0, head), (head = 0);
    }
    return DECISIONS / ((performance.now() - start) / 1000);
  };
}

/** Different wants, of which every host satisfies some. */
function distinctWants(n: number): Record<string, string>[] {
  const zones = ['*', 'a|b', '!a', 'c|d', '!d', 'b|c'];
  const all = [{}, { os: 'linux' }, { os: 'mac' }, { os: '!mac' }, { os: 'linux|mac' }].flatMap((os) => zones.flatMap((zone) => Array.from({ length: 60 }, (_, i) => ({ ...os, zone, cpus: `>=${i + 1}` }))));
  if (n === 1) return [{}];
  // The first asks for the least, so that no host is without a request; the rest are spread over all.
  return Array.from({ length: n }, (_, i) => all[Math.floor((i * all.length) / n)]!);
}

/** The same numbers in every run. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const us = (value: number) => `${value.toFixed(1)} us`;
