import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { derivedId, type CommandInput, type Recorded, type ResourceEvent } from '@berth/contracts';
import { jetStreamStore } from '@berth/event-store';
import { startCloud, type Cloud } from '../support/cloud.js';
import { startFleet, startTestSshd, type Fleet, type ServiceProcess } from '../support/fleet.js';
import { eventually } from '../support/wait.js';
import { messages } from './left.js';
import { logOf, type Log, type Told } from './log.js';
import { paused } from './paused.js';

const OWNERS = ['ada', 'bob', 'cyd', 'dan', 'eve', 'fay'];
const SLOTS = { n1: 2, n2: 2, n3: 2, n4: 2 };

describe('three allocators', () => {
  let fleet: Fleet;
  let allocators: ServiceProcess[];
  const folders: string[] = [];
  /** attempts to write about resources, whether they were stored or not */
  let written = 0;
  /** the processes that say that they live, and when each said so last */
  const living = new Map<string, number>();
  const present = () => [...living.values()].filter((at) => Date.now() - at < 1500).length;
  beforeAll(async () => {
    let sshd;
    [fleet, sshd] = await Promise.all([startFleet({ services: ['lease', 'allocator', 'host-agent-gateway'] }), startTestSshd()]);
    allocators = [fleet.services.allocator, await fleet.another('allocator'), await fleet.another('allocator')];
    // The server hands on what is published before it decides whether to store it.
    fleet.bus.connection.subscribe('berth.evt.resource.*', { callback: () => void written++ });
    fleet.bus.connection.subscribe('berth.live.allocator', { callback: (_, message) => void living.set(message.json<{ id: string }>().id, Date.now()) });
    for (const [name, slots] of Object.entries(SLOTS)) folders.push(await fleet.addMachine(name, sshd, { slots, attributes: { yard: 'all' } }));
    folders.push(await fleet.addMachine('narrow', sshd, { slots: 1, attributes: { yard: 'narrow' } }));
  });

  const lease = (owner: string, more: Partial<CommandInput<'lease', 'RequestLease'>> = {}) => fleet.requestLease({ type: 'host', owner, attributes: { yard: 'all' }, ...more });
  const active = (id: string) => fleet.bus.waitForStatus('lease', id, ['active'], { timeoutMs: 20_000 });
  const release = (id: string) => fleet.command('lease', 'ReleaseLease', { lease: id });
  const serve = async (owner: string) => {
    const id = await lease(owner);
    await active(id);
    await release(id);
    return id;
  };
  const position = async () => (await logOf(fleet)).events.at(-1)!.position;
  const stored = async (after: number) => (await fleet.events('resource')).filter((r) => r.sequence > after).length;

  /** Each owner has two requests under way all the time, while something happens. Gives the leases, and the log in the end. */
  async function busy(during: (served: () => number) => Promise<void>): Promise<{ log: Log; ids: string[]; since: number; last: () => Served }> {
    const since = await position();
    const ids: string[] = [];
    let over = false;
    const flow = OWNERS.flatMap((owner) => [owner, owner]).map(async (owner) => {
      while (!over) ids.push(await serve(owner));
    });
    await during(() => ids.length).finally(() => (over = true));
    await Promise.all(flow);
    const log = await allOver();
    return { log, ids, since, last: () => served(log, since) };
  }

  const allOver = () =>
    eventually(
      async () => {
        const log = await logOf(fleet);
        const [asked, ended] = [log.all('LeaseRequested'), log.all('LeaseDestroyed')];
        expect(ended.length, 'leases that are over').toBe(asked.length);
        expect(log.all('SlotFreed').length, 'slots given back').toBe(log.all('SlotClaimed').length);
        return log;
      },
      { timeoutMs: 20_000, everyMs: 100 },
    );
  const more = (served: () => number, count: number) => {
    const goal = served() + count;
    return eventually(() => served() >= goal, { timeoutMs: 20_000 });
  };

  test('sixty requests of six owners at once: each is granted once, and no slot twice', async () => {
    await eventually(() => present() === 3);
    const since = await position();
    const tried = written;
    const begun = performance.now();
    const ids = await Promise.all(OWNERS.flatMap((owner) => Array.from({ length: 10 }, () => serve(owner))));
    const took = performance.now() - begun;
    const log = await allOver();
    const { surplus, most } = served(log, since);
    expect(new Set(log.all('LeaseActivated').map((e) => e.id))).toEqual(new Set(ids));
    expect(most).toBe(8);
    const conflicts = written - tried - (await stored(since));
    console.log(`three allocators: 60 leases in ${took.toFixed(0)} ms, ${tell(surplus)}, ${conflicts} writes refused`);
    // Nothing changed who does what: the plan of each is that of all.
    expect(surplus.length).toBeLessThanOrEqual(3);
  });

  test('working copies that nothing could stand on are refused, and others made, whichever process sees to them', async () => {
    await eventually(() => present() === 3);
    const ask = (yard: string) => fleet.requestLease({ type: 'working-copy', owner: 'ada', attributes: { yard } });
    const [made, refused] = await Promise.all(['all', 'nowhere'].map((yard) => Promise.all(Array.from({ length: 9 }, () => ask(yard)))));
    for (const id of made!) {
      await active(id);
      await release(id);
    }
    const log = await allOver();
    expect(log.all('LeaseRefused').map((e) => e.id).sort()).toEqual([...refused!].sort());
    // Nothing was made for them, and nothing was asked for in their name.
    const own = log.all('LeaseRequested').map((e) => e.id);
    expect(own.filter((id) => refused!.some((lease) => id === derivedId(derivedId(lease, 'working copy'), 'host lease')))).toEqual([]);
  });

  test('one with higher points goes first, whichever process places it', async () => {
    const holder = await lease('holder', { attributes: { yard: 'narrow' } });
    await active(holder);
    // Who holds three slots has three points less.
    const held = await Promise.all([0, 1, 2].map(() => lease('greedy')));
    await Promise.all(held.map(active));
    const asked: { id: string; points: number; at: number }[] = [];
    for (const [owner, priority] of [['o1', 90], ['o2', 300], ['greedy', 102], ['o3', 100], ['o4', 101], ['o5', 100], ['greedy', 204], ['o6', 200], ['o7', 7], ['o8', 202]] as const) {
      const id = await lease(owner, { attributes: { yard: 'narrow' }, priority });
      asked.push({ id, points: priority - (owner === 'greedy' ? 3 : 0), at: asked.length });
    }
    const order = asked.toSorted((a, b) => b.points - a.points || a.at - b.at).map(({ id }) => id);
    await release(holder);
    for (const id of order) {
      await active(id);
      await release(id);
    }
    for (const id of held) await release(id);
    const log = await allOver();
    const narrow = log.resourceNamed('narrow');
    const grants = log.all('SlotClaimed', narrow).map((e) => e.data.lease).filter((id) => order.includes(id));
    expect(grants).toEqual(order);
    served(log, 0);
  });

  test('a second claim for one lease, from a process that believed in itself too long, is given back', async () => {
    const id = await lease('ada');
    const { resource, token } = (await active(id)).data;
    const [other] = (await logOf(fleet)).all('ResourceCreated').filter((e) => e.data.attributes['yard'] === 'all' && e.id !== resource);
    const revision = (await fleet.events('resource')).findLast((r) => r.id === other!.id)!.sequence;
    const cause = randomUUID();
    await jetStreamStore(fleet.bus.connection).append('resource', other!.id, revision, {
      id: cause, at: new Date().toISOString(), actor: 'allocator', cause, events: [{ type: 'SlotClaimed', data: { slot: 0, lease: id, owner: 'ada' } }],
    });
    const freed = await eventually(async () => (await logOf(fleet)).all('SlotFreed', other!.id).find((e) => e.data.lease === id) ?? false, { timeoutMs: 5000 });
    expect((await active(id)).data).toMatchObject({ resource, token });
    await release(id);
    expect((await allOver()).all('SlotFreed').find((e) => e.data.lease === id)).toEqual(freed);
    expect(served(await logOf(fleet), 0).surplus).toHaveLength(1);
  });

  test('one is killed while all are at work', async () => {
    let killed = 0;
    const { log, ids, since, last } = await busy(async (count) => {
      await more(count, 20);
      await allocators[1]!.kill9();
      killed = Date.now();
      await more(count, 20);
      await eventually(() => Date.now() - killed > 5000 && count() > 0, { timeoutMs: 20_000 });
    });
    const { surplus, gap, longest } = last();
    console.log(`one of three killed: ${ids.length} leases in ${span(log, since)} ms, longest time without a grant ${gap} ms, longest wait ${longest} ms, ${tell(surplus)}`);
    expect(gap).toBeLessThan(5000);
    expect(longest).toBeLessThan(6000);
  });

  test('one joins while the others are at work', async () => {
    const { log, ids, since, last } = await busy(async (count) => {
      await more(count, 20);
      await allocators[1]!.start();
      await eventually(() => present() === 3);
      await more(count, 40);
    });
    const { surplus, gap } = last();
    console.log(`a third joined: ${ids.length} leases in ${span(log, since)} ms, longest time without a grant ${gap} ms, ${tell(surplus)}`);
    expect(gap).toBeLessThan(2000);
  });

  test('one stands still for five seconds and goes on, believing in itself', async () => {
    const tried = written;
    const { log, ids, since, last } = await busy(async (count) => {
      await more(count, 20);
      const frozen = Date.now();
      await paused(allocators[2]!.pid, () => eventually(() => Date.now() - frozen > 5000, { timeoutMs: 6000 }));
      await more(count, 40);
    });
    const { surplus, gap, longest } = last();
    const conflicts = written - tried - (await stored(since));
    console.log(`one of three frozen for 5 s: ${ids.length} leases in ${span(log, since)} ms, longest time without a grant ${gap} ms, longest wait ${longest} ms, ${tell(surplus)}, ${conflicts} writes refused`);
    expect(gap).toBeLessThan(5000);
    expect(longest).toBeLessThan(6000);
    for (const folder of folders) expect(await fleet.leftovers(folder)).toEqual([]);
    expect(await messages(fleet, 'dead')).toBe(0);
  });
});

interface Served {
  /** claims beside the one that counts, and how long each lasted */
  surplus: { lease: string; ms: number }[];
  /** slots held at a time at most, and the longest time between two grants, and from request to grant, in ms */
  most: number;
  gap: number;
  longest: number;
}

/** Replays who held what: at no position more than there is, nothing granted twice, and every grant is that of the claim that counts. */
function served(log: Log, since: number): Served {
  const slots = new Map(log.all('ResourceCreated').map((e) => [e.id, e.data.slots]));
  const held = new Map<string, string>();
  const claims = new Map<string, Told<'SlotClaimed'>[]>();
  const freedAt = new Map(log.all('SlotFreed').map((e) => [`${e.id} ${e.data.lease}`, e.at]));
  const asked = new Map<string, number>();
  const out: Served = { surplus: [], most: 0, gap: 0, longest: 0 };
  let before: number | undefined;
  for (const event of log.events) {
    const at = event.position;
    if (event.type === 'LeaseRequested') asked.set(event.id, event.at);
    else if (event.type === 'SlotClaimed') {
      const { slot, lease } = event.data;
      expect(slot, `slot claimed at ${at}`).toBeLessThan(slots.get(event.id)!);
      expect(held.get(`${event.id} ${slot}`), `holder of slot ${slot} at ${at}`).toBeUndefined();
      held.set(`${event.id} ${slot}`, lease);
      claims.set(lease, [...(claims.get(lease) ?? []), event]);
      if (at > since) out.most = Math.max(out.most, held.size);
    } else if (event.type === 'SlotFreed') {
      const { slot, lease } = event.data;
      expect(held.get(`${event.id} ${slot}`), `holder of slot ${slot} freed at ${at}`).toBe(lease);
      held.delete(`${event.id} ${slot}`);
      const [first, ...others] = claims.get(lease)!;
      const freed = [first!, ...others].find((claim) => claim.id === event.id)!;
      if (freed !== first && at > since) out.surplus.push({ lease, ms: Math.min(event.at, freedAt.get(`${first!.id} ${lease}`) ?? event.at) - freed.at });
      claims.set(lease, [first!, ...others].filter((claim) => claim !== freed));
    } else if (event.type === 'LeaseAcquired') {
      const first = claims.get(event.id)![0]!;
      expect(event.data, `grant at ${at}`).toMatchObject({ resource: first.id, slot: first.data.slot, token: first.position });
      if (at <= since) continue;
      if (before !== undefined) out.gap = Math.max(out.gap, event.at - before);
      before = event.at;
      out.longest = Math.max(out.longest, event.at - asked.get(event.id)!);
    }
  }
  for (const type of ['LeaseAcquired', 'LeaseActivated', 'LeaseDestroyed'] as const) expect(new Set(log.all(type).map((e) => e.id)).size, `${type} once for each lease`).toBe(log.all(type).length);
  for (const { lease, ms } of out.surplus) expect(ms, `two claims of ${lease} at a time`).toBeLessThan(1000);
  return out;
}

const tell = (surplus: Served['surplus']) => `${surplus.length} surplus claims${surplus.length > 0 ? `, the longest for ${Math.max(...surplus.map(({ ms }) => ms))} ms` : ''}`;
const span = (log: Log, since: number) => {
  const grants = log.all('LeaseAcquired').filter((e) => e.position > since);
  return grants.at(-1)!.at - grants[0]!.at;
};

describe('three allocators that launch', () => {
  let cloud: Cloud;
  let allocators: ServiceProcess[];
  beforeAll(async () => {
    cloud = await startCloud({ ec2: { describeLagMs: 300, bootMs: 300 } });
    allocators = [cloud.fleet.services.allocator, await cloud.fleet.another('allocator'), await cloud.fleet.another('allocator')];
    await cloud.save();
  });

  const created = async () => (await cloud.fleet.events('resource')).filter((r) => isLaunch(r)).map((r) => r.id);
  const isLaunch = (r: Recorded) => r.commit.events.some((e) => e.type === 'ResourceCreated' && (e as ResourceEvent & { type: 'ResourceCreated' }).data.blueprint === 'cloud');

  async function launch(count: number, during: () => Promise<void>): Promise<{ resources: number; instances: number; took: number }> {
    const known = new Set(await created());
    const before = cloud.ec2.instances().length;
    const begun = performance.now();
    const leases = await Promise.all(Array.from({ length: count }, () => cloud.lease()));
    await during();
    await Promise.all(leases.map((id) => cloud.active(id, 45_000)));
    const took = Math.round(performance.now() - begun);
    const resources = (await created()).filter((id) => !known.has(id));
    const instances = cloud.ec2.instances().slice(before);
    for (const id of resources) expect(instances.filter((i) => i.tags['berth:resource'] === id).length, `instances of ${id}`).toBeLessThanOrEqual(1);
    for (const id of leases) await cloud.release(id);
    await Promise.all(leases.map((id) => cloud.destroyed(id)));
    await cloud.nothingLeft();
    expect((await created()).length - known.size, 'resources after all that').toBe(resources.length);
    return { resources: resources.length, instances: instances.length, took };
  }

  test('eight requests at once launch eight instances', async () => {
    const { resources, instances, took } = await launch(8, async () => undefined);
    console.log(`three allocators: 8 launches in ${took} ms`);
    expect([resources, instances]).toEqual([8, 8]);
  });

  test.each([0, 1, 2])('number %i is killed while they launch', async (nth) => {
    const before = (await cloud.fleet.events('resource')).at(-1)?.sequence ?? 0;
    const { resources, instances, took } = await launch(4, async () => {
      // Each at another point of the launches.
      await eventually(async () => (await cloud.fleet.events('resource')).filter((r) => r.sequence > before).length >= 2 + nth * 7, { timeoutMs: 20_000 });
      await allocators[nth]!.kill9();
    });
    console.log(`allocator ${nth} of three killed: 4 launches in ${took} ms, ${resources} resources, ${instances} instances`);
    expect([resources, instances]).toEqual([4, 4]);
    await allocators[nth]!.start();
  });
});
