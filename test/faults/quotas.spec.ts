import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CommandInput, FleetEvent, LeaseEvent, Recorded, ResourceEvent } from '@berth/contracts';
import { jetStreamStore } from '@berth/event-store';
import { startCloud, type Cloud } from '../support/cloud.js';
import { startFleet, startTestSshd, type Fleet, type ServiceProcess } from '../support/fleet.js';
import type { TestSshd } from '../support/sshd.js';
import { eventually } from '../support/wait.js';

type Quota = CommandInput<'allocator', 'SetQuota'>;
type Request = Partial<CommandInput<'lease', 'RequestLease'>>;
const OWNERS = ['ada', 'bob', 'cyd', 'dan'];

/** What is held, and what is set aside, at one position of the log. */
interface Held {
  position: number;
  /** of claims on hosts: owner and blueprint by lease; a lease with two claims counts once */
  claims: Map<string, { owner: string; blueprint: string }>;
  slots: Map<string, { owner: string; blueprint: string; host: boolean }>;
  launches: Map<string, { blueprint: string; launched: boolean }>;
  /** resources that are there, by id: their blueprint */
  resources: Map<string, string>;
}

/** Replays the log; looks after every commit since a position. */
function replay(all: readonly Recorded[], since: number, look: (held: Held) => void): Held {
  const held: Held = { position: 0, claims: new Map(), slots: new Map(), launches: new Map(), resources: new Map() };
  const blueprints = new Map<string, { blueprint: string; type: string }>();
  const on = new Map<string, Set<string>>();
  for (const { kind, id, sequence, commit } of all) {
    held.position = sequence;
    for (const event of kind === 'resource' || kind === 'fleet' ? (commit.events as (ResourceEvent | FleetEvent)[]) : []) {
      if (event.type === 'ResourceCreated') {
        blueprints.set(id, event.data);
        held.resources.set(id, event.data.blueprint);
      } else if (event.type === 'ResourceDestroyed') held.resources.delete(id);
      else if (event.type === 'SlotClaimed' && blueprints.get(id)!.type === 'host') {
        const { lease, owner } = event.data;
        held.claims.set(lease, { owner, blueprint: blueprints.get(id)!.blueprint });
        on.set(lease, new Set([...(on.get(lease) ?? []), id]));
      } else if (event.type === 'SlotFreed') {
        on.get(event.data.lease)?.delete(id);
        if (!on.get(event.data.lease)?.size) held.claims.delete(event.data.lease);
      } else if (event.type === 'Reserved') {
        for (const { lease, ...room } of event.data.slots) held.slots.set(lease, room);
        for (const { resource, ...room } of event.data.launches) held.launches.set(resource, room);
      } else if (event.type === 'Returned') {
        for (const lease of event.data.slots) held.slots.delete(lease);
        for (const resource of event.data.launches) held.launches.delete(resource);
      }
    }
    if (sequence > since) look(held);
  }
  return held;
}

const count = <T>(of: Iterable<T>, fits: (one: T) => boolean): number => [...of].filter(fits).length;
const ofLease = async (fleet: Fleet, id: string) => (await fleet.events('lease')).filter((r) => r.id === id).flatMap((r) => r.commit.events as LeaseEvent[]);

describe('limits with three allocators', () => {
  let fleet: Fleet;
  let sshd: TestSshd;
  let allocators: ServiceProcess[];
  beforeAll(async () => {
    [fleet, sshd] = await Promise.all([startFleet({ services: ['lease', 'allocator', 'host-agent-gateway'] }), startTestSshd()]);
    allocators = [fleet.services.allocator, await fleet.another('allocator'), await fleet.another('allocator')];
    for (const name of ['n1', 'n2', 'n3', 'n4']) await fleet.addMachine(name, sshd, { slots: 2, attributes: { yard: 'all' } });
  });
  beforeEach(async () => {
    await quota({});
    await save({});
    since = (await fleet.events()).at(-1)!.sequence;
  });

  let since = 0;
  const quota = (limits: Quota) => fleet.command('allocator', 'SetQuota', limits);
  const save = (limits: { leases?: number; leasesPerOwner?: number }) => fleet.command('allocator', 'SaveBlueprint', { spec: { name: 'preallocated', kind: 'preallocated', limits } });
  const lease = (owner: string, more: Request = {}) => fleet.requestLease({ type: 'host', owner, attributes: { yard: 'all' }, ...more });
  const active = (id: string, timeoutMs = 20_000) => fleet.bus.waitForStatus('lease', id, ['active'], { timeoutMs });
  const release = async (...ids: string[]) => {
    for (const id of ids) await fleet.command('lease', 'ReleaseLease', { lease: id });
    for (const id of ids) await fleet.bus.waitForStatus('lease', id, ['destroyed'], { timeoutMs: 10_000 });
  };
  const serve = async (owner: string, more: Request = {}) => {
    const id = await lease(owner, more);
    await active(id);
    await release(id);
  };
  const everybody = (times: number) => Promise.all(OWNERS.flatMap((owner) => Array.from({ length: times }, () => serve(owner))));
  /** After everything ended nothing is set aside. */
  const roomBack = () =>
    eventually(async () => {
      const all = await fleet.events();
      expect([...replay(all, 0, () => undefined).slots.keys()], 'room that is still set aside').toEqual([]);
      return all;
    }, { timeoutMs: 30_000, everyMs: 100 });
  const asked = async (id: string) => (await ofLease(fleet, id)).map((e) => e.type);

  test('hosts in all, of an owner and of one by name are never more than the quota says', async () => {
    await quota({ hosts: 4, hostsPerOwner: 2, owners: { bob: 1 } });
    const begun = performance.now();
    await everybody(10);
    const took = performance.now() - begun;
    let most = 0;
    replay(await roomBack(), since, ({ position, claims, slots }) => {
      for (const [what, held] of [['claims', [...claims.values()]], ['set aside', [...slots.values()]]] as const) {
        expect(held.length, `${what} at ${position}`).toBeLessThanOrEqual(4);
        for (const owner of OWNERS) expect(count(held, (h) => h.owner === owner), `${what} of ${owner} at ${position}`).toBeLessThanOrEqual(owner === 'bob' ? 1 : 2);
      }
      for (const id of claims.keys()) expect(slots.has(id), `room of ${id}, claimed at ${position}`).toBe(true);
      most = Math.max(most, claims.size);
    });
    expect(most).toBe(4);
    console.log(`three allocators under quotas: 40 leases in ${took.toFixed(0)} ms`);
  });

  test('leases of a blueprint, and of an owner with it, are never more than it says', async () => {
    await save({ leases: 3, leasesPerOwner: 1 });
    await everybody(6);
    let most = 0;
    replay(await roomBack(), since, ({ position, claims, slots }) => {
      for (const held of [[...claims.values()], [...slots.values()]]) {
        expect(held.length, `at ${position}`).toBeLessThanOrEqual(3);
        for (const owner of OWNERS) expect(count(held, (h) => h.owner === owner), `of ${owner} at ${position}`).toBeLessThanOrEqual(1);
      }
      most = Math.max(most, claims.size);
    });
    expect(most).toBe(3);
  });

  test('resources of a blueprint are never more than it says', async () => {
    await fleet.command('allocator', 'SaveBlueprint', { spec: { name: 'few', kind: 'working-copy', limits: { resources: 2 } } });
    const host = await lease('ada');
    await active(host);
    await Promise.all(OWNERS.flatMap((owner) => [owner, owner]).map((owner) => serve(owner, { type: 'working-copy', attributes: {}, blueprints: ['few'], host: { lease: host } })));
    await release(host);
    let most = 0;
    replay(await roomBack(), since, ({ position, resources, launches }) => {
      const there = count(resources.values(), (blueprint) => blueprint === 'few');
      expect(there, `resources at ${position}`).toBeLessThanOrEqual(2);
      expect(count(launches.values(), ({ blueprint }) => blueprint === 'few'), `set aside at ${position}`).toBeLessThanOrEqual(2);
      most = Math.max(most, there);
    });
    expect(most).toBe(2);
    await eventually(async () => replay(await fleet.events(), 0, () => undefined).launches.size === 0, { timeoutMs: 10_000 });
  });

  test('hosts of a blueprint for machines are never more than it says', async () => {
    await fleet.command('allocator', 'SaveBlueprint', { spec: { name: 'dock', kind: 'preallocated', rank: 1, machines: { dock: 'yes' }, limits: { resources: 2 } } });
    const names = ['d1', 'd2', 'd3', 'd4', 'd5'];
    const access = { address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, platform: 'linux', slots: 1, attributes: { dock: 'yes' } } as const;
    await Promise.all(names.map((name) => fleet.command('allocator', 'AddMachine', { name, folder: `${fleet.home}/${name}`, ...access })));
    const had = new Set<string>();
    while (had.size < names.length) {
      const there = await eventually(async () => {
        const now = (await docked()).filter((name) => !had.has(name));
        return now.length === Math.min(2, names.length - had.size) && now;
      }, { timeoutMs: 20_000 });
      for (const name of there) {
        had.add(name);
        await fleet.command('allocator', 'RemoveMachine', { name });
      }
    }
    replay(await fleet.events(), since, ({ position, resources }) => expect(count(resources.values(), (blueprint) => blueprint === 'dock'), `hosts at ${position}`).toBeLessThanOrEqual(2));
    await eventually(async () => replay(await fleet.events(), 0, () => undefined).launches.size === 0, { timeoutMs: 10_000 });
  });

  /** Names of the hosts of that blueprint that are not gone. */
  const docked = async () => {
    const names = new Map<string, string>();
    for (const { id, commit } of await fleet.events('resource')) {
      for (const event of commit.events as ResourceEvent[]) {
        if (event.type === 'ResourceCreated' && event.data.blueprint === 'dock') names.set(id, event.data.name);
        else if (event.type === 'ResourceDestroyed') names.delete(id);
      }
    }
    return [...names.values()];
  };

  test('a quota is not set below what is in use, and what waits goes at once when it is raised', async () => {
    // Leased while nothing was limited: it counts all the same.
    const held = await Promise.all([lease('ada'), lease('bob')]);
    await Promise.all(held.map((id) => active(id)));
    const low = await fleet.bus.command('allocator', 'SetQuota', { hosts: 1 });
    expect(low).toMatchObject({ accepted: false, code: 'limit-in-use', errors: [{ field: 'data.hosts', message: expect.stringContaining('2 in use') }] });
    await quota({ hosts: 2 });
    const waiting = await Promise.all([lease('cyd'), lease('dan')]);
    await eventually(async () => (await ofLease(fleet, waiting[0]!)).some((e) => e.type === 'LeaseWaiting' && e.data.reason.includes('quota')), { timeoutMs: 10_000 });
    for (const id of waiting) expect(await asked(id)).not.toContain('LeaseAcquired');
    const begun = performance.now();
    await quota({ hosts: 4 });
    await Promise.all(waiting.map((id) => active(id)));
    const took = performance.now() - begun;
    console.log(`a raised quota: two that waited are active after ${took.toFixed(0)} ms`);
    expect(took).toBeLessThan(1500);
    await release(...held, ...waiting);
    await roomBack();
  });

  test('who may hold none is refused at once, or waits until he may; both are told of the quota', async () => {
    await quota({ owners: { bob: 0 } });
    const refused = await lease('bob');
    await fleet.bus.waitForStatus('lease', refused, ['destroyed'], { timeoutMs: 5000 });
    const said = (await ofLease(fleet, refused)).find((e) => e.type === 'LeaseRefused')!;
    expect(said.data).toMatchObject({ reason: expect.stringContaining('quota'), explanation: { verdict: 'never' } });
    const patient = await lease('bob', { wait: 'always' });
    await eventually(async () => (await ofLease(fleet, patient)).some((e) => e.type === 'LeaseWaiting' && e.data.reason.includes('quota')), { timeoutMs: 10_000 });
    await quota({ owners: { bob: 1 } });
    await active(patient);
    await release(patient);
    await roomBack();
  });

  test('a claim that was on its way when a limit was set counts against it', async () => {
    await quota({ hosts: 1, owners: { bob: 0 } });
    const late = await lease('bob', { wait: 'always' });
    const host = (await fleet.events('resource')).find((r) => (r.commit.events as ResourceEvent[]).some((e) => e.type === 'ResourceCreated' && e.data.name === 'n1'))!.id;
    const revision = (await fleet.events('resource')).findLast((r) => r.id === host)!.sequence;
    const id = randomUUID();
    // From an allocator that had not heard of the quota.
    await jetStreamStore(fleet.bus.connection).append('resource', host, revision, {
      id, at: new Date().toISOString(), actor: 'allocator', cause: id, events: [{ type: 'SlotClaimed', data: { slot: 0, lease: late, owner: 'bob' } }],
    });
    await active(late);
    await eventually(async () => replay(await fleet.events(), 0, () => undefined).slots.has(late), { timeoutMs: 5000 });
    const next = await lease('ada');
    await eventually(async () => (await ofLease(fleet, next)).some((e) => e.type === 'LeaseWaiting' && e.data.reason.includes('quota')), { timeoutMs: 10_000 });
    await release(late);
    await active(next);
    await release(next);
    await roomBack();
  });

  test('room that was set aside by one that died before it could use it comes back', async () => {
    await quota({ hosts: 2 });
    await Promise.all(allocators.map((one) => one.kill9()));
    const ids = [await lease('ada'), await lease('bob')];
    // The last word of an allocator: room for a request that waits, and for one that nobody knows any more.
    const revision = (await fleet.events('fleet')).at(-1)!.sequence;
    const room = (id: string) => ({ lease: id, owner: 'ada', blueprint: 'preallocated', host: true });
    const id = randomUUID();
    await jetStreamStore(fleet.bus.connection).append('fleet', 'fleet', revision, {
      id, at: new Date().toISOString(), actor: 'allocator', cause: id, events: [{ type: 'Reserved', data: { slots: [room(ids[0]!), room(randomUUID())], launches: [] } }],
    });
    const begun = performance.now();
    await Promise.all(allocators.map((one) => one.start()));
    await Promise.all(ids.map((each) => active(each, 28_000)));
    console.log(`room set aside and not used: back after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    await release(...ids);
    replay(await roomBack(), since, ({ claims, slots }) => expect(Math.max(claims.size, slots.size)).toBeLessThanOrEqual(2));
  });
});

describe('pools with three allocators', () => {
  let cloud: Cloud;
  beforeAll(async () => {
    cloud = await startCloud({ ec2: { bootMs: 200 } });
    await cloud.fleet.another('allocator');
    await cloud.fleet.another('allocator');
  });

  const kind = (kind: string, name: string) => ({ name, types: [{ type: 'c7i.large', attributes: { kind } }] });
  const want = (kind: string) => cloud.lease({ attributes: { elastic: 'yes', kind } });
  const resources = async (blueprint: string) => (await cloud.fleet.events('resource')).filter((r) => (r.commit.events as ResourceEvent[]).some((e) => e.type === 'ResourceCreated' && e.data.blueprint === blueprint)).map((r) => r.id);
  const of = async (id: string) => (await cloud.fleet.events('resource')).filter((r) => r.id === id).flatMap((r) => r.commit.events as ResourceEvent[]);
  const serve = async (kind: string) => {
    const id = await want(kind);
    await cloud.active(id);
    await cloud.release(id);
    await cloud.destroyed(id);
  };

  test('an idle host of one kind makes room for another kind, and there are never more than the quota says', async () => {
    await cloud.save({ ...kind('a', 'kind-a'), pool: { idleTimeout: 60_000 } });
    await cloud.save({ ...kind('b', 'kind-b'), pool: { idleTimeout: 60_000 } });
    await cloud.fleet.command('allocator', 'SetQuota', { resources: 2 });
    const first = await Promise.all([want('a'), want('a')]);
    await Promise.all(first.map((id) => cloud.active(id)));
    // Both are in use: nothing is ended for the third.
    const third = await want('b');
    await eventually(async () => (await ofLease(cloud.fleet, third)).some((e) => e.type === 'LeaseWaiting' && e.data.reason.includes('quota')), { timeoutMs: 10_000 });
    const low = await cloud.fleet.bus.command('allocator', 'SetQuota', { resources: 1 });
    expect(low).toMatchObject({ accepted: false, code: 'limit-in-use', errors: [{ field: 'data.resources', message: expect.stringContaining('2 in use') }] });
    const begun = performance.now();
    for (const id of first) await cloud.release(id);
    await cloud.active(third);
    console.log(`an idle host of another kind reclaimed: the request is active after ${(performance.now() - begun).toFixed(0)} ms`);
    const ends = async (blueprint: string) => (await Promise.all((await resources(blueprint)).map(of))).flat().filter((e) => e.type === 'ResourceReleased');
    expect((await ends('kind-a')).map((e) => e.data.reason)).toEqual([expect.stringContaining('reclaimed')]);
    expect(await resources('kind-b')).toHaveLength(1);
    await cloud.release(third);
    replay(await cloud.fleet.events(), 0, ({ position, resources: there, launches }) => {
      expect(count(there.values(), (blueprint) => blueprint.startsWith('kind-')), `there at ${position}`).toBeLessThanOrEqual(2);
      expect(launches.size, `set aside at ${position}`).toBeLessThanOrEqual(2);
    });
    for (const name of ['a', 'b']) await cloud.save({ ...kind(name, `kind-${name}`), pool: { idleTimeout: 100 } });
    await cloud.nothingLeft();
    await cloud.fleet.command('allocator', 'SetQuota', {});
  });

  test('a host ends after so many leases', async () => {
    await cloud.save({ ...kind('worn', 'worn'), pool: { idleTimeout: 60_000, maxUses: 2 } });
    for (let n = 0; n < 4; n++) await serve('worn');
    const made = await resources('worn');
    expect(made).toHaveLength(2);
    for (const id of made) expect((await of(id)).filter((e) => e.type === 'SlotClaimed')).toHaveLength(2);
    await cloud.nothingLeft();
  });

  test('a host that is too old takes no new lease, and ends with its last one', async () => {
    await cloud.save({ ...kind('old', 'old'), pool: { idleTimeout: 60_000, maxAge: 4000 } });
    const id = await want('old');
    await cloud.active(id);
    const [host] = await resources('old');
    await eventually(async () => (await of(host!)).some((e) => e.type === 'ResourceReleased'), { timeoutMs: 10_000 });
    expect(cloud.ec2.alive()).toHaveLength(1);
    const next = await want('old');
    await cloud.active(next);
    expect(await resources('old')).toHaveLength(2);
    for (const each of [id, next]) await cloud.release(each);
    await cloud.nothingLeft();
    expect(replay(await cloud.fleet.events(), 0, () => undefined).launches.size).toBe(0);
  });
});
