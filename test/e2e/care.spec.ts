import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CommandInput, FleetEvent, LeaseEvent, ResourceEvent } from '@berth/contracts';
import { startCloud, type Cloud } from '../support/cloud.js';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import type { TestSshd } from '../support/sshd.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 10_000, everyMs: 50 };

describe('hosts are looked after', () => {
  let fleet: Fleet;
  let sshd: TestSshd;
  beforeAll(async () => {
    [fleet, sshd] = await Promise.all([startFleet({ env: { BERTH_SWEEP_SECONDS: '0.3', BERTH_SWEEP_GRACE_SECONDS: '1' } }), startTestSshd()]);
  });

  type Told = ResourceEvent & { at: string };
  /** All hosts that a machine has had, oldest first, each with what became of it. */
  const hostsOf = async (machine: string): Promise<{ id: string; events: Told[] }[]> => {
    const hosts = new Map<string, Told[]>();
    for (const { id, commit } of await fleet.events('resource')) {
      const events = (commit.events as ResourceEvent[]).map((event) => ({ ...event, at: commit.at }));
      if (events.some((event) => event.type === 'ResourceCreated' && event.data.machine === machine)) hosts.set(id, []);
      hosts.get(id)?.push(...events);
    }
    return [...hosts].map(([id, events]) => ({ id, events }));
  };
  const host = async (machine: string) => (await hostsOf(machine)).at(-1)!;
  const told = async <T extends Told['type']>(machine: string, type: T) => (await host(machine)).events.filter((event): event is Extract<Told, { type: T }> => event.type === type);
  const machine = (name: string, options: { slots?: number; sshd?: TestSshd } = {}) => fleet.addMachine(name, options.sshd ?? sshd, { slots: options.slots ?? 1, attributes: { pool: name } });
  const lease = (pool: string, more: Record<string, unknown> = {}) => fleet.requestLease({ type: 'host', attributes: { pool }, ...more });
  const active = (id: string) => fleet.bus.waitForStatus('lease', id, ['active'], { timeoutMs: 10_000 });
  const destroyed = (id: string) => fleet.bus.waitForStatus('lease', id, ['destroyed'], { timeoutMs: 10_000 });
  const release = (id: string) => fleet.command('lease', 'ReleaseLease', { lease: id });
  const leaseEvents = async (id: string) => (await fleet.events('lease')).filter((r) => r.id === id).flatMap((r) => r.commit.events as LeaseEvent[]);
  /** What is said of a host while a request waits for it. */
  const waitsFor = (id: string, code: string) =>
    eventually(async () => {
      const said = (await leaseEvents(id)).flatMap((event) => (event.type === 'LeaseWaiting' ? [event.data.explanation] : []));
      return expect(said.at(-1)?.considered.map((one) => one.code)).toContain(code);
    }, SOON);
  const quarantine = (name: string, ms: number) => fleet.command('allocator', 'QuarantineResource', { machine: name, for: ms, reason: 'to be short' });
  const save = (spec: CommandInput<'allocator', 'SaveBlueprint'>['spec']) => fleet.command('allocator', 'SaveBlueprint', { spec });
  /** Folders of leases and working copies; those of actions go by themselves. */
  const copiesIn = async (folder: string) => (await fleet.leftovers(folder)).filter((name) => name.startsWith('copies/')).sort();
  /** Runs a command under a lease and gives what it printed. */
  const run = async (id: string, command: string) => {
    const token = Number((await active(id)).data['token']);
    const action = await fleet.command('host-agent-gateway', 'RunAction', { lease: id, token, spec: { kind: 'run-command', command } });
    await fleet.bus.waitForStatus('action', action.id, ['succeeded'], { timeoutMs: 10_000 });
    return (await fleet.output(action.id)).stdout.trim();
  };

  test('a host that fails its check is quarantined for longer and longer, and let out and leased once it is well', async () => {
    const flag = join(fleet.home, 'sick');
    await save({ name: 'checked', kind: 'preallocated', rank: 1, machines: { pool: 'checked' }, health: { command: `if [ -e ${flag} ]; then echo no space left; exit 3; fi`, every: 200, failures: 2 } });
    await machine('checked');
    await writeFile(flag, '');
    await eventually(async () => expect(await told('checked', 'ResourceQuarantined')).toHaveLength(1), SOON);
    expect((await told('checked', 'HealthFailed')).map(({ data }) => data)).toEqual([1, 2].map((failures) => ({ error: 'it ended with 3: no space left', failures })));
    const waiting = await lease('checked');
    await waitsFor(waiting, 'quarantined');
    // Its time is up twice, and it is still not well.
    for (const count of [3, 5]) {
      await quarantine('checked', 200);
      await eventually(async () => expect(await told('checked', 'ResourceQuarantined')).toHaveLength(count), SOON);
    }
    const all = await told('checked', 'ResourceQuarantined');
    expect(all.map(({ data }) => data.count)).toEqual([1, 2, 3, 4, 5]);
    expect(all.map(({ data }) => data.reason)).toEqual(['its health check failed 2 times: it ended with 3: no space left', 'to be short', 'still not well: it ended with 3: no space left', 'to be short', 'still not well: it ended with 3: no space left']);
    const lasted = all.map(({ at, data }) => (Date.parse(data.until) - Date.parse(at)) / 1000);
    for (const [nth, seconds] of [[0, 10], [2, 40], [4, 160]] as const) expect(lasted[nth]).toBeCloseTo(seconds, 0);
    expect(await told('checked', 'SlotClaimed')).toEqual([]);

    await rm(flag);
    await quarantine('checked', 200);
    await active(waiting);
    expect((await host('checked')).events.slice(-3).map(({ type }) => type)).toEqual(['QuarantineEnded', 'HealthPassed', 'SlotClaimed']);
    // The next one is short again.
    await writeFile(flag, '');
    await eventually(async () => expect((await told('checked', 'ResourceQuarantined')).at(-1)?.data.count).toBe(1), SOON);
    await rm(flag);
    await release(waiting);
  });

  test('a host that is down when its quarantine ends stays in', async () => {
    const own = await startTestSshd();
    await machine('silent', { sshd: own });
    await own.stop();
    await quarantine('silent', 200);
    await eventually(async () => expect(await told('silent', 'ResourceQuarantined')).toHaveLength(2), { ...SOON, timeoutMs: 20_000 });
    const waiting = await lease('silent');
    await waitsFor(waiting, 'quarantined');
    expect(await told('silent', 'QuarantineEnded')).toEqual([]);
    expect((await told('silent', 'ResourceQuarantined')).at(-1)?.data).toMatchObject({ count: 2, reason: expect.stringMatching(/^still not well: .*silent.*/) });
    await own.restart();
    await quarantine('silent', 200);
    await active(waiting);
    await release(waiting);
  });

  test('by hand, by the name of the machine: in and out, and a name that is not there', async () => {
    await machine('manual');
    await fleet.command('allocator', 'QuarantineResource', { machine: 'manual', reason: 'flaky' });
    const waiting = await lease('manual');
    await waitsFor(waiting, 'quarantined');
    expect((await leaseEvents(waiting)).at(-1)).toMatchObject({ type: 'LeaseWaiting', data: { reason: expect.stringContaining('flaky'), explanation: { verdict: 'wait' } } });
    const [first] = await told('manual', 'ResourceQuarantined');
    expect((Date.parse(first!.data.until) - Date.parse(first!.at)) / 1000).toBeCloseTo(10, 0);
    await fleet.command('allocator', 'EndQuarantine', { machine: 'manual' });
    await active(waiting);
    await release(waiting);
    await expect(fleet.command('allocator', 'QuarantineResource', { machine: 'nobody', reason: 'x' })).rejects.toThrow(/unknown-machine: .*nobody/);
  });

  test('a check that fails while it is quarantined by hand does not shorten that', async () => {
    const flag = join(fleet.home, 'busy');
    await writeFile(flag, '');
    await save({ name: 'slow', kind: 'preallocated', rank: 1, machines: { pool: 'slow' }, health: { command: `touch ${flag}.begun; while [ -e ${flag} ]; do sleep 0.05; done; exit 1`, every: 100, failures: 1 } });
    await machine('slow');
    await eventually(() => existsSync(`${flag}.begun`), SOON);
    await fleet.command('allocator', 'QuarantineResource', { machine: 'slow', for: 3_600_000, reason: 'by hand' });
    await rm(flag);
    await eventually(async () => expect(await told('slow', 'HealthFailed')).toHaveLength(1), SOON);
    await fleet.command('allocator', 'EndQuarantine', { machine: 'slow' });
    await eventually(async () => expect((await told('slow', 'ResourceQuarantined')).at(-1)?.data.reason).toMatch(/^its health check failed/), SOON);
    expect((await told('slow', 'ResourceQuarantined')).map(({ data }) => data.reason.slice(0, 7))).toEqual(['by hand', 'its hea']);
    await save({ name: 'slow', kind: 'preallocated', rank: 1, machines: { pool: 'slow' } });
  });

  test('held by a lease: what stands on the host stays until the hold ends', async () => {
    const folder = await machine('held');
    const on = await lease('held');
    await active(on);
    const copy = await fleet.requestLease({ type: 'working-copy', host: { lease: on } });
    await active(copy);
    expect(await run(on, 'touch mine; basename "$PWD"')).toBe(on);
    const before = await copiesIn(folder);
    expect(before).toHaveLength(2);
    const { id } = await fleet.command('allocator', 'HoldResource', { lease: copy, for: 60_000, reason: 'look at it' });
    expect(id).toBe((await host('held')).id);
    await release(copy);
    await release(on);
    const next = await lease('held');
    await waitsFor(next, 'held');
    expect(await copiesIn(folder)).toEqual(before);
    expect(existsSync(join(folder, 'copies', on, 'mine'))).toBe(true);
    await fleet.command('allocator', 'HoldResource', { machine: 'held', for: 300, reason: 'nearly done' });
    await Promise.all([destroyed(on), destroyed(copy), active(next)]);
    expect(await fleet.leftovers(folder)).toEqual([]);
    await release(next);
  });

  test('a build that fails leaves its host held, and EndHold cleans up', async () => {
    const folder = await machine('debug');
    await fleet.applyPlan('name: broken\nhost: { pool: debug }\nholdOnFailure: 1h\nsteps:\n  - { name: Break, run: "echo evidence > left.txt; exit 1" }\n');
    const build = await fleet.build('broken');
    expect((await fleet.ended(build, { cleanedUp: false })).data).toMatchObject({ status: 'failed' });
    const [held] = await eventually(async () => {
      const events = await told('debug', 'ResourceHeld');
      return events.length === 1 && events;
    }, SOON);
    expect(held!.data.reason).toBe(`build ${build} failed`);
    // Another request waits by now, and nothing was removed.
    const next = await lease('debug');
    await waitsFor(next, 'held');
    const [left] = await copiesIn(folder);
    expect(existsSync(join(folder, left!, 'left.txt'))).toBe(true);
    await fleet.command('allocator', 'EndHold', { machine: 'debug' });
    await fleet.ended(build);
    await active(next);
    expect(await fleet.leftovers(folder)).toEqual([]);
    await release(next);
  });

  test('drained: what runs goes on, what is new waits until it is undrained', async () => {
    await machine('drained', { slots: 2 });
    const running = await lease('drained');
    await active(running);
    await fleet.command('allocator', 'DrainResource', { machine: 'drained', reason: 'new disk' });
    const waiting = await lease('drained');
    await waitsFor(waiting, 'draining');
    expect(await run(running, 'echo on')).toBe('on');
    await fleet.command('allocator', 'EndDrain', { machine: 'drained' });
    await active(waiting);
    for (const id of [running, waiting]) await release(id);
  });

  test('the host of a machine that is released is made anew once its last lease is over', async () => {
    await machine('again');
    const running = await lease('again');
    await active(running);
    await fleet.command('allocator', 'ReleaseResource', { machine: 'again' });
    const waiting = await lease('again', { wait: 'always' });
    expect(await run(running, 'echo on')).toBe('on');
    expect(await hostsOf('again')).toHaveLength(1);
    await release(running);
    await active(waiting);
    expect((await hostsOf('again')).map(({ events }) => events.some(({ type }) => type === 'ResourceDestroyed'))).toEqual([true, false]);
    await release(waiting);
  });

  test('hosts follow their blueprint once nobody uses them', async () => {
    await save({ name: 'shaped', kind: 'preallocated', rank: 1, machines: { pool: 'shaped' }, attributes: { size: 'small' } });
    await machine('shaped');
    const running = await lease('shaped', { attributes: { pool: 'shaped', size: 'small' } });
    await active(running);
    await save({ name: 'shaped', kind: 'preallocated', rank: 1, machines: { pool: 'shaped' }, attributes: { size: 'big' }, slots: 3 });
    const waiting = await lease('shaped', { attributes: { pool: 'shaped', size: 'big' }, wait: 'always' });
    expect(await run(running, 'echo on')).toBe('on');
    await release(running);
    await active(waiting);
    const created = (await hostsOf('shaped')).flatMap(({ events }) => events).filter((event) => event.type === 'ResourceCreated');
    expect(created.map(({ data }) => [data.attributes['size'], data.slots, data.version])).toEqual([['small', 1, 1], ['big', 3, 2]]);
    await release(waiting);
  });

  test('one that was taken out of service stays out when its blueprint changes, and follows it afterwards', async () => {
    const spec = { name: 'kept', kind: 'preallocated' as const, rank: 1, machines: { pool: 'kept' } };
    await save(spec);
    await machine('kept');
    await fleet.command('allocator', 'DrainResource', { machine: 'kept', reason: 'new disk' });
    await save({ ...spec, attributes: { disk: 'new' } });
    const waiting = await lease('kept', { wait: 'always', attributes: { pool: 'kept', disk: 'new' } });
    const anywhere = await lease('kept');
    await waitsFor(anywhere, 'draining');
    expect(await hostsOf('kept')).toHaveLength(1);
    await release(anywhere);
    await destroyed(anywhere);
    await fleet.command('allocator', 'EndDrain', { machine: 'kept' });
    await active(waiting);
    expect((await host('kept')).events[0]).toMatchObject({ type: 'ResourceCreated', data: { attributes: { disk: 'new' } } });
    await release(waiting);
  });

  /** Ids of the hosts of Berth's own machine, oldest first, each with its creation. */
  const locals = async () => (await fleet.events('resource')).flatMap(({ id, commit }) => (commit.events as ResourceEvent[]).flatMap((event) => (event.type === 'ResourceCreated' && event.data.blueprint === 'local' ? [{ id, data: event.data }] : [])));
  const onLocal = { type: 'host', attributes: { remote: 'no' } };

  test('the host that Berth runs on follows its blueprint once nobody uses it, and is looked after as that says', async () => {
    const [first] = await eventually(async () => ((await locals()).length > 0 ? locals() : false), SOON);
    const held = await fleet.requestLease(onLocal);
    await active(held);
    const flag = join(fleet.home, 'full');
    const folder = join(fleet.home, 'elsewhere');
    const spec = { name: 'local', kind: 'local', slots: 3, attributes: { class: 'own' }, folders: { linux: folder } } as const;
    await save({ ...spec, health: { command: `test ! -e ${flag}`, every: 200, failures: 2 } });
    // Its lease goes on, and new ones wait for the next host.
    const next = await fleet.requestLease({ type: 'host', attributes: { class: 'own' }, wait: 'always' });
    expect(await run(held, 'pwd')).not.toContain(folder);
    await release(held);
    await active(next);
    expect(await run(next, 'pwd')).toContain(`${folder}/`);
    const second = (await locals()).at(-1)!;
    expect(second).toMatchObject({ data: { slots: 3, version: expect.any(Number), attributes: { class: 'own', os: 'linux', remote: 'no', cpus: first!.data.attributes['cpus'] } } });
    expect(second.id).not.toBe(first!.id);
    await writeFile(flag, '');
    await eventually(async () => expect((await fleet.events('resource')).some(({ id, commit }) => id === second.id && commit.events.some(({ type }) => type === 'ResourceQuarantined'))).toBe(true), { timeoutMs: 10_000 });
    await rm(flag);
    await fleet.command('allocator', 'EndQuarantine', { resource: second.id });
    await release(next);
    await destroyed(next);
    // What is taken back is gone; what only says more of it changes nothing.
    await save({ ...spec, attributes: {}, description: 'here' });
    const third = await eventually(async () => ((await locals()).length === 3 ? (await locals()).at(-1)! : false), { timeoutMs: 10_000 });
    expect(third.data.attributes).not.toHaveProperty('class');
    await save({ ...spec, attributes: {}, description: 'and there' });
    const last = await fleet.requestLease(onLocal);
    await active(last);
    await release(last);
    expect(await locals()).toHaveLength(3);
  });

  test('the host that Berth runs on is not released: nothing would make it anew', async () => {
    const local = (await locals()).at(-1)!.id;
    await expect(fleet.command('allocator', 'ReleaseResource', { resource: local })).rejects.toThrow(/invalid-data: .*is not released/);
  });

  test('a folder that nobody owns is reported and removed; that of a live lease never', async () => {
    const folder = await machine('swept');
    const running = await lease('swept');
    await run(running, 'touch precious');
    const [orphan, old] = [randomUUID(), new Date(Date.now() - 86_400_000)];
    for (const id of [orphan, running]) {
      await mkdir(join(folder, 'copies', id), { recursive: true });
      await utimes(join(folder, 'copies', id), old, old);
    }
    await eventually(() => !existsSync(join(folder, 'copies', orphan)), SOON);
    const found = async () => (await fleet.events('fleet')).flatMap((r) => (r.commit.events as FleetEvent[]).flatMap((event) => (event.type === 'OrphanFound' || event.type === 'OrphanDestroyed' ? [{ ...event, at: r.commit.at }] : []))).filter(({ data }) => data.where === 'swept');
    await eventually(async () => expect(await found()).toMatchObject([{ type: 'OrphanFound', data: { what: 'folder', id: orphan } }, { type: 'OrphanDestroyed', data: { what: 'folder', id: orphan } }]), SOON);
    const [first, last] = await found();
    expect(Date.parse(last!.at) - Date.parse(first!.at)).toBeGreaterThanOrEqual(1000);
    expect(existsSync(join(folder, 'copies', running, 'precious'))).toBe(true);
    await release(running);
  });
});

describe('a build whose spot instance is taken back', () => {
  let cloud: Cloud;
  beforeAll(async () => {
    cloud = await startCloud();
    await cloud.save({ markets: [{ market: 'spot' }, { market: 'on-demand' }] });
  });

  /** Starts a build whose first run of its first step ends only with its host; then takes that away. */
  const interrupted = async (name: string, retries: number) => {
    const flag = join(cloud.fleet.home, name);
    await cloud.fleet.applyPlan(`name: ${name}\nhost: { elastic: "yes" }\ninfrastructureRetries: ${retries}\nsteps:\n  - { name: Work, run: "[ -e ${flag} ] || { touch ${flag}; sleep 600; }" }\n`);
    const build = await cloud.fleet.build(name);
    await eventually(() => existsSync(flag), { timeoutMs: 20_000 });
    const [instance] = cloud.ec2.alive();
    expect(instance!.market).toBe('spot');
    await cloud.ec2.interrupt(instance!.id);
    return build;
  };

  test('is tried again on another host, on demand, and passes', async () => {
    const build = await interrupted('retried', 1);
    expect((await cloud.fleet.ended(build)).data).toMatchObject({ status: 'passed' });
    const markets = cloud.ec2.instances().map(({ market }) => market);
    expect(markets).toEqual(['spot', 'on-demand']);
    const events = (await cloud.fleet.events('build')).filter((r) => r.id === build).flatMap((r) => r.commit.events);
    expect(events.filter(({ type }) => type === 'BuildRetried')).toMatchObject([{ data: { error: expect.stringMatching(/spot/i) } }]);
    await cloud.nothingLeft();
  });

  test('is an error where nothing may be tried again', async () => {
    const build = await interrupted('once', 0);
    const { data } = await cloud.fleet.ended(build);
    expect(data).toMatchObject({ status: 'error', error: expect.stringMatching(/spot/i) });
    await cloud.nothingLeft();
  });
});
