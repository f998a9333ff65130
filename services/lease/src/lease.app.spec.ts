import { derivedId, leaseRequest, type CommandInput, type EventOf, type Explanation, type StatusEvent } from '@berth/contracts';
import { memoryStore, type EventStore } from '@berth/event-store';
import type { Runtime } from '@berth/runtime';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { LeaseApp } from './lease.app.js';

const ROOT = '7d3f1a52-9c1e-4b7a-8f60-0a4f8d2c1b11';
const [HOST, COPY, SERVICE] = ['host', 'copy', 'service'].map((what) => derivedId(ROOT, what)) as [string, string, string];
const explanation: Explanation = { verdict: 'wait', reason: 'all taken', next: 'the first that is free', ahead: 0, considered: [], more: 0 };

const apps: LeaseApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.follower.stop();
});

/** The service on a store in memory; a spec plays the allocator by writing resources. */
async function begin(store: EventStore = memoryStore()) {
  const statuses: StatusEvent['data'][] = [];
  const problems: unknown[] = [];
  const problem = (...what: unknown[]) => problems.push(what);
  const runtime = {
    name: 'lease',
    store,
    connection: {
      request: () => Promise.resolve({ headers: { code: 404 } }),
      // A connection that never breaks has nothing to tell.
      status: async function* () {},
      publish: (_subject: string, payload: string) => statuses.push((JSON.parse(payload) as StatusEvent).data),
      isClosed: () => false,
    },
    log: { error: problem, warn: problem, info: () => undefined },
    fail: problem,
  } as unknown as Runtime;
  const app = new LeaseApp(runtime);
  apps.push(app);
  await app.follower.start();

  let count = 0;
  const command = <D>(type: string, data: D, id = derivedId(ROOT, `${type} ${++count}`)) => ({ id, type, data, actor: 'spec', after: app.follower.position });
  const tell = async (id: string, ...events: EventOf<string, unknown>[]) => {
    const stored = await store.load('resource', id);
    const commit = derivedId(id, `${stored.length}`);
    const position = await store.append('resource', id, stored.at(-1)?.sequence ?? 0, { id: commit, at: new Date().toISOString(), actor: 'allocator', cause: commit, events });
    await app.follower.reached(position);
    return position;
  };
  const types = async (id: string) => (await store.load('lease', id)).flatMap(({ commit }) => commit.events.map(({ type }) => type));
  return {
    app, store, statuses, problems, tell, types,
    request: (id: string, data: CommandInput<'lease', 'RequestLease'>) => app.request(command('RequestLease', leaseRequest.parse(data), id)),
    release: (lease: string) => app.release(command('ReleaseLease', { lease, reason: 'done' })),
    beat: (lease: string) => app.beat(command('BeatLease', { lease })),
    explain: (lease: string) => app.explain(command('ExplainLease', { lease, explanation })),
    refuse: (lease: string) => app.refuse(command('RefuseLease', { lease, explanation: { ...explanation, verdict: 'never' } })),
    until: (id: string, ...expected: string[]) => vi.waitFor(async () => expect(await types(id)).toEqual(expected), { timeout: 5000, interval: 2 }),
    status: (id: string) => statuses.findLast((data) => data.id === id),
  };
}
const created = { type: 'ResourceCreated', data: { type: 'host', blueprint: 'big-box', name: 'r', attributes: {}, slots: 2 } };
const ready = { type: 'ResourceActivated', data: {} };
const claimed = (lease: string, slot = 0) => ({ type: 'SlotClaimed', data: { slot, lease, owner: 'x' } });
const freed = (lease: string, slot = 0) => ({ type: 'SlotFreed', data: { slot, lease } });
const resource = (n: number) => derivedId(ROOT, `resource ${n}`);
const held = ['LeaseRequested', 'LeaseAcquired', 'LeaseActivated'];

describe('claims', () => {
  test('of several claims the first counts, and giving another back changes nothing', async () => {
    const service = await begin();
    const { tell, request, release, until } = service;
    await tell(resource(1), created, ready);
    await tell(resource(2), created, ready);
    await request(HOST, { type: 'host' });
    const token = await tell(resource(1), claimed(HOST));
    await tell(resource(2), claimed(HOST));
    await until(HOST, ...held);
    expect(service.status(HOST)).toMatchObject({ resource: resource(1), blueprint: 'big-box', token });
    await tell(resource(2), freed(HOST));
    await release(HOST);
    await until(HOST, ...held, 'LeaseReleased');
    await tell(resource(2), claimed(HOST));
    await tell(resource(2), freed(HOST));
    expect(await service.types(HOST)).toEqual([...held, 'LeaseReleased']);
    await tell(resource(1), freed(HOST));
    await until(HOST, ...held, 'LeaseReleased', 'LeaseDestroyed');
    expect(service.problems).toEqual([]);
  });

  test('a claim that was given back before it counted leaves its place to the next', async () => {
    const { tell, request, until, status } = await begin();
    await tell(resource(1), created, ready);
    await tell(resource(2), created, ready);
    await tell(resource(1), claimed(HOST));
    await tell(resource(2), claimed(HOST));
    await tell(resource(1), freed(HOST));
    await request(HOST, { type: 'host' });
    await until(HOST, ...held);
    expect(status(HOST)).toMatchObject({ resource: resource(2) });
  });

  test('a resource that failed ends its leases; one that is quarantined, held or drained does not', async () => {
    const { tell, request, until, types } = await begin();
    await tell(resource(1), created, ready);
    await request(HOST, { type: 'host' });
    await tell(resource(1), claimed(HOST));
    await until(HOST, ...held);
    await tell(resource(1), { type: 'HealthFailed', data: { error: 'x', failures: 1 } }, { type: 'ResourceQuarantined', data: { until: 'x', reason: 'x', count: 1 } }, { type: 'ResourceHeld', data: { until: 'x', reason: 'x' } }, { type: 'DrainBegan', data: { reason: 'x' } }, { type: 'FactsKept', data: { facts: {} } });
    expect(await types(HOST)).toEqual(held);
    await tell(resource(1), { type: 'ResourceBroken', data: { error: 'spot interruption' } });
    await until(HOST, ...held, 'LeaseBroken');
  });
});

describe('leases that stand on leases', () => {
  async function chain() {
    const service = await begin();
    const stand = async (id: string, n: number, data: CommandInput<'lease', 'RequestLease'>) => {
      await service.tell(resource(n), created, ready);
      expect(await service.request(id, data)).toMatchObject({ accepted: true });
      await service.tell(resource(n), claimed(id));
      await service.until(id, ...held);
    };
    await stand(HOST, 1, { type: 'host' });
    await stand(COPY, 2, { type: 'working-copy', host: { lease: HOST } });
    await stand(SERVICE, 3, { type: 'service', host: { lease: COPY } });
    return service;
  }

  test('go leaf first, in whatever order their slots are given back', async () => {
    const { release, until, tell, store, types } = await chain();
    await release(HOST);
    for (const id of [HOST, COPY, SERVICE]) await until(id, ...held, 'LeaseReleased');
    await tell(resource(1), freed(HOST));
    await tell(resource(2), freed(COPY));
    for (const id of [HOST, COPY]) expect(await types(id)).toEqual([...held, 'LeaseReleased']);
    await tell(resource(3), freed(SERVICE));
    const ends: number[] = [];
    for (const id of [SERVICE, COPY, HOST]) {
      await until(id, ...held, 'LeaseReleased', 'LeaseDestroyed');
      ends.push((await store.load('lease', id)).at(-1)!.sequence);
    }
    expect(ends).toEqual([...ends].sort((a, b) => a - b));
  });

  test('end with it when it breaks, and say why', async () => {
    const { until, tell, store } = await chain();
    await tell(resource(1), { type: 'ResourceBroken', data: { error: 'no power' } });
    await until(HOST, ...held, 'LeaseBroken');
    const reasons: unknown[] = [];
    for (const id of [COPY, SERVICE]) {
      await until(id, ...held, 'LeaseReleased');
      reasons.push((await store.load('lease', id)).at(-1)!.commit.events[0]!.data);
    }
    expect(reasons).toEqual([{ reason: 'its host lease ended', expired: false }, { reason: 'its working-copy lease ended', expired: false }]);
  });

  test('one that was stored while its ground gave way ends too', async () => {
    const { app, release, until } = await chain();
    await release(COPY);
    await until(SERVICE, ...held, 'LeaseReleased');
    const late = derivedId(ROOT, 'late');
    const cause = { id: late, actor: 'spec', cause: late, at: new Date().toISOString() };
    await app.leases.handle(late, { type: 'Request', request: leaseRequest.parse({ type: 'service', host: { lease: COPY } }), now: cause.at }, cause);
    await until(late, 'LeaseRequested', 'LeaseReleased', 'LeaseDestroyed');
  });

  test('nothing stands on a lease that is not active', async () => {
    const { request } = await begin();
    await request(HOST, { type: 'host' });
    expect(await request(COPY, { type: 'working-copy', host: { lease: HOST } })).toMatchObject({ accepted: false, code: 'lease-not-active' });
    expect(await request(COPY, { type: 'working-copy' })).toMatchObject({ accepted: true });
  });
});

describe('ends that come by themselves', () => {
  test('a request that waited long enough is refused, by the next process too', async () => {
    const { request, explain, until, status, types, app, store } = await begin();
    await request(HOST, { type: 'host', waitAtMost: 400 });
    await explain(HOST);
    await until(HOST, 'LeaseRequested', 'LeaseWaiting', 'LeaseRefused', 'LeaseDestroyed');
    expect(status(HOST)).toMatchObject({ status: 'destroyed', activity: 'refused', error: 'it waited for 400ms: all taken' });

    await request(COPY, { type: 'host', waitAtMost: 600 });
    await app.follower.stop();
    expect(await types(COPY)).toEqual(['LeaseRequested']);
    const next = await begin(store);
    await next.until(COPY, 'LeaseRequested', 'LeaseRefused', 'LeaseDestroyed');
    expect(next.status(COPY)).toMatchObject({ error: 'it waited for 600ms' });
    const [asked, refused] = (await store.load('lease', COPY)).map(({ commit }) => Date.parse(commit.at)) as [number, number];
    expect(refused - asked).toBeGreaterThanOrEqual(600);
  });

  test('a holder that is not heard of loses its lease; beats are stored sparingly and told to nobody', async () => {
    const { request, beat, until, statuses, status, types } = await begin();
    await request(HOST, { type: 'host', ttl: 500 });
    await vi.waitFor(() => expect(status(HOST)).toMatchObject({ status: 'pending' }), { timeout: 5000, interval: 2 });
    const told = statuses.length;
    for (let i = 0; i < 10; i++) expect(await beat(HOST)).toMatchObject({ accepted: true });
    expect((await types(HOST)).filter((type) => type === 'LeaseBeat').length).toBeLessThan(4);
    expect(statuses).toHaveLength(told);
    await vi.waitFor(async () => expect(await types(HOST)).toContain('LeaseDestroyed'), { timeout: 5000, interval: 2 });
    expect(await beat(HOST)).toMatchObject({ accepted: false, code: 'lease-ended' });
    await request(COPY, { type: 'host' });
    expect(await beat(COPY)).toMatchObject({ accepted: false, code: 'invalid-data' });
    await until(COPY, 'LeaseRequested');
  });

  test('a service that was away gives every holder one ttl to be heard of', async () => {
    const { request, app, store } = await begin();
    await request(HOST, { type: 'host', ttl: 150 });
    await app.follower.stop();
    const begun = Date.now();
    await vi.waitFor(() => expect(Date.now() - begun).toBeGreaterThan(200), { timeout: 5000, interval: 5 });
    const restarted = Date.now();
    const next = await begin(store);
    await next.until(HOST, 'LeaseRequested', 'LeaseBeat', 'LeaseReleased', 'LeaseDestroyed');
    expect(Date.parse((await store.load('lease', HOST)).at(-1)!.commit.at) - restarted).toBeGreaterThanOrEqual(150);
  });
});

describe('refusals of the allocator', () => {
  test('end a request that waits', async () => {
    const { request, refuse, until, status } = await begin();
    await request(HOST, { type: 'host' });
    expect(await refuse(HOST)).toMatchObject({ accepted: true });
    await until(HOST, 'LeaseRequested', 'LeaseRefused', 'LeaseDestroyed');
    expect(status(HOST)).toMatchObject({ error: 'all taken' });
  });
  test('but not one that another allocator serves', async () => {
    const { request, refuse, until, tell } = await begin();
    await tell(resource(1), created, ready);
    await request(HOST, { type: 'host' });
    await tell(resource(1), claimed(HOST));
    expect(await refuse(HOST)).toMatchObject({ accepted: true });
    await until(HOST, ...held);
    expect(await refuse(HOST)).toMatchObject({ accepted: true });
    await until(HOST, ...held);
  });
});
