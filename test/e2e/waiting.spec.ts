import { beforeAll, describe, expect, test } from 'vitest';
import type { Answer, Explanation, LeaseEvent, ResourceEvent } from '@berth/contracts';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import type { TestSshd } from '../support/sshd.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 10_000, everyMs: 50 };
const HOUR = 3_600_000;

describe('requests that wait, and those that do not', () => {
  let fleet: Fleet;
  let sshd: TestSshd;
  beforeAll(async () => {
    [fleet, sshd] = await Promise.all([startFleet(), startTestSshd()]);
    await machine('plain');
  });

  const machine = (name: string, options: { slots?: number; attributes?: Record<string, string> } = {}) => fleet.addMachine(name, sshd, { slots: options.slots ?? 1, attributes: { pool: name, ...options.attributes } });
  const lease = (pool: string, more: Record<string, unknown> = {}) => fleet.requestLease({ type: 'host', attributes: { pool }, ...more });
  const status = (id: string, ...wanted: string[]) => fleet.bus.waitForStatus('lease', id, wanted, { timeoutMs: 10_000 });
  const active = (id: string) => status(id, 'active');
  const release = async (...ids: string[]) => {
    for (const id of ids) await fleet.command('lease', 'ReleaseLease', { lease: id });
    for (const id of ids) await status(id, 'destroyed');
  };
  const events = async (id: string) => (await fleet.events('lease')).filter((r) => r.id === id).flatMap((r) => r.commit.events as LeaseEvent[]);
  /** The last that was written down of why it waits. */
  const waiting = (id: string) =>
    eventually(async () => {
      const last = (await events(id)).findLast((event) => event.type === 'LeaseWaiting');
      return last ? last.data.explanation! : false;
    }, SOON);
  const refused = async (id: string) => {
    await status(id, 'destroyed');
    const said = (await events(id)).find((event) => event.type === 'LeaseRefused');
    expect(said).toBeDefined();
    return said!.data;
  };
  const consider = async (data: Parameters<typeof fleet.bus.command<'allocator', 'ConsiderLease'>>[2]) => (await fleet.command('allocator', 'ConsiderLease', data)).data as Explanation;
  /** The name of the host that a lease is on. */
  const hostOf = async (id: string) => {
    const { resource } = (await active(id)).data as unknown as { resource: string };
    const created = (await fleet.events('resource')).filter((r) => r.id === resource).flatMap((r) => r.commit.events as ResourceEvent[]).find((event) => event.type === 'ResourceCreated');
    return created!.data.name;
  };

  test.each([
    [{ cpus: '>=1' }], [{ memory: '>=64MiB' }], [{ git: '>=2' }], [{ os: 'linux|mac' }], [{ os: ['linux', 'mac'] }], [{ os: '!windows', cpus: '>=1 <=100000' }], [{ gpu: '!*', arch: '*' }], [{ kernel: '>=2.6.32' }],
  ])('%j fits what was probed', async (wanted) => {
    const id = await fleet.requestLease({ type: 'host', attributes: { pool: 'plain', ...wanted } });
    expect(await hostOf(id)).toBe('plain');
    await release(id);
  });

  test.each([
    [{ cpus: '>=8 <4' }, 'data.attributes.cpus', 'can never be true'],
    [{ cpus: '>=lots' }, 'data.attributes.cpus', 'use a number'],
    [{ os: 'linux|' }, 'data.attributes.os', 'empty alternative'],
  ])('%j is refused when asked, with the field', async (attributes, field, message) => {
    const answer: Answer = await fleet.bus.command('lease', 'RequestLease', { type: 'host', attributes });
    expect(answer).toMatchObject({ accepted: false, code: 'invalid-data', errors: [{ field, message: expect.stringContaining(message) }] });
  });

  test('what nothing there could ever serve is refused at once, and the reason names the attribute', async () => {
    for (const [attributes, reason] of [
      [{ pool: 'plain', cpus: '>=100000' }, /cpus=?>=100000 is wanted, there is cpus=\d+/],
      [{ pool: 'plain', memory: '>=900TiB' }, /memory=?>=900TiB is wanted, there is memory=\d+MiB/],
      [{ gpu: '*' }, /gpu/],
      [{ pool: 'nowhere' }, /pool=nowhere is wanted/],
    ] as const) {
      const said = await refused(await fleet.requestLease({ type: 'host', attributes }));
      expect.soft(said.reason).toMatch(reason);
      expect(said.explanation).toMatchObject({ verdict: 'never', considered: expect.arrayContaining([expect.objectContaining({ code: 'attributes', name: 'plain' })]) });
    }
  });

  test('whose only hosts are of a blueprint that is disabled is refused at once, and served once it is enabled', async () => {
    await fleet.command('allocator', 'SaveBlueprint', { spec: { name: 'shut', kind: 'preallocated', rank: 1, machines: { pool: 'shut' } } });
    await machine('shut');
    await fleet.command('allocator', 'DisableBlueprint', { name: 'shut', reason: 'being moved' });
    expect(await refused(await lease('shut'))).toMatchObject({ explanation: { verdict: 'never', considered: expect.arrayContaining([expect.objectContaining({ blueprint: 'shut', code: 'disabled', reason: 'disabled: being moved' })]) } });
    await fleet.command('allocator', 'EnableBlueprint', { name: 'shut' });
    const id = await lease('shut');
    expect(await hostOf(id)).toBe('shut');
    await release(id);
  });

  test('a blueprint has no more hosts than its limit says, and the next machine gets one when another goes', async () => {
    await fleet.command('allocator', 'SaveBlueprint', { spec: { name: 'few', kind: 'preallocated', rank: 1, machines: { few: 'yes' }, limits: { resources: 1 } } });
    const one = async (name: string) => void (await fleet.command('allocator', 'AddMachine', { name, address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, platform: 'linux', slots: 1, folder: `${fleet.home}/${name}`, attributes: { few: 'yes', pool: name } }));
    await fleet.addMachine('few-1', sshd, { slots: 1, attributes: { few: 'yes', pool: 'few-1' } });
    await one('few-2');
    const id = await lease('few-2');
    expect(await waiting(id)).toMatchObject({ verdict: 'wait', reason: 'few may have no more than 1 resource', next: 'a lease or resource of few ends, or its limit is raised' });
    const hosts = async () => (await fleet.events('resource')).flatMap((r) => r.commit.events as ResourceEvent[]).filter((event) => event.type === 'ResourceCreated' && event.data.blueprint === 'few');
    expect(await hosts()).toHaveLength(1);
    await fleet.command('allocator', 'RemoveMachine', { name: 'few-1' });
    expect(await hostOf(id)).toBe('few-2');
    await release(id);
    await one('few-3');
    await fleet.command('allocator', 'SaveBlueprint', { spec: { name: 'few', kind: 'preallocated', rank: 1, machines: { few: 'yes' }, limits: { resources: 2 } } });
    const other = await lease('few-3');
    expect(await hostOf(other)).toBe('few-3');
    await release(other);
    const low = await fleet.bus.command('allocator', 'SaveBlueprint', { spec: { name: 'few', kind: 'preallocated', rank: 1, machines: { few: 'yes' }, limits: { resources: 1 } } });
    expect(low).toMatchObject({ accepted: false, code: 'limit-in-use' });
  });

  test('one that waits whatever there is, is served by a machine that is added later', async () => {
    const id = await lease('later', { wait: 'always' });
    expect(await waiting(id)).toMatchObject({ verdict: 'never', reason: expect.stringContaining('pool') });
    await machine('later');
    expect(await hostOf(id)).toBe('later');
    await release(id);
  });

  test('who holds what for another project is not named to who waits for one, nor to who sees only one', async () => {
    const first = await lease('plain', { owner: 'mallory', project: 'secret' });
    await active(first);
    const waits = [await lease('plain', { owner: 'mallory', project: 'secret' }), await lease('plain', { owner: 'ada', project: 'widgets' }), await lease('plain', { owner: 'ada' })];
    const written = await Promise.all(waits.map(waiting));
    expect(written.map((said) => said.considered.find(({ name }) => name === 'plain')!)).toMatchObject([
      { code: 'no-free-slot', reason: 'no free slot: held by mallory', holders: [{ lease: first, owner: 'mallory' }] },
      { code: 'no-free-slot', reason: 'no free slot: held by another project', holders: [{ owner: 'another project' }] },
      { code: 'no-free-slot', reason: 'no free slot: held by mallory', holders: [{ lease: first, owner: 'mallory' }] },
    ]);
    expect(JSON.stringify((await events(waits[1]!)))).not.toMatch(new RegExp(`mallory|${first}`));
    expect(JSON.stringify(await consider({ lease: waits[1]!, projects: ['widgets'] }))).not.toContain('mallory');
    expect(JSON.stringify(await consider({ lease: waits[1]!, projects: ['widgets', 'secret'] }))).toContain('mallory');
    expect(JSON.stringify(await consider({ lease: waits[1]! }))).toContain('mallory');
    const refusedOnes = await refused(await lease('plain', { owner: 'ada', project: 'widgets', wait: 'no' }));
    expect(JSON.stringify(refusedOnes)).toMatch(/^(?!.*mallory).*another project/);
    await release(first, ...waits.toReversed());
  });

  test('one that is not to wait is refused by a busy host, and served by a free one', async () => {
    const first = await lease('plain', { wait: 'no', owner: 'ada' });
    await active(first);
    const said = await refused(await lease('plain', { wait: 'no' }));
    expect(said.explanation).toMatchObject({ verdict: 'wait', considered: expect.arrayContaining([expect.objectContaining({ name: 'plain', code: 'no-free-slot', holders: [{ lease: first, owner: 'ada' }] })]) });
    await release(first);
    const again = await lease('plain', { wait: 'no' });
    await active(again);
    await release(again);
  });

  test('of many that are not to wait, each is served or refused, whatever else happens to the host', async () => {
    const all: string[] = [];
    for (let round = 0; round < 5; round++) {
      const some = Array.from({ length: 4 }, () => lease('plain', { wait: 'no' }));
      const taken = fleet.command('allocator', 'DrainResource', { machine: 'plain', reason: `round ${round}` });
      all.push(...(await Promise.all(some)));
      await taken;
      await fleet.command('allocator', 'EndDrain', { machine: 'plain' });
    }
    for (const id of all) {
      const { data } = await status(id, 'active', 'destroyed');
      if (data.status === 'active') await release(id);
    }
  });

  test('one that waits for so long at most says when it will be refused, unless something comes before', async () => {
    const holder = await lease('plain', { until: new Date(Date.now() + 60_000).toISOString() });
    await active(holder);
    const [short, long] = [await lease('plain', { waitAtMost: 30_000 }), await lease('plain', { waitAtMost: 120_000, priority: 101 })];
    const asked = Date.parse((await fleet.events('lease')).find((r) => r.id === short)!.commit.at);
    await Promise.all([short, long].map(waiting));
    expect(await consider({ lease: short })).toMatchObject({ next: expect.stringMatching(/; the request is refused if it still waits then$/), by: new Date(asked + 30_000).toISOString() });
    expect(await consider({ lease: long })).toMatchObject({ next: expect.stringMatching(/^the lease of .* ends, unless it is renewed$/) });
    await release(short, long, holder);
  });

  test('one that waits for so long at most ends with the reason', async () => {
    const first = await lease('plain');
    await active(first);
    const at = Date.now();
    const said = await refused(await lease('plain', { waitAtMost: 1500 }));
    expect(Date.now() - at).toBeGreaterThanOrEqual(1500);
    expect(said.reason).toMatch(/^it waited for 1s500ms: .*plain/);
    expect(said.explanation).toMatchObject({ verdict: 'wait' });
    // Served in time, it goes on.
    const second = await lease('plain', { waitAtMost: 8000 });
    await release(first);
    await active(second);
    await release(second);
  });

  test('the preferred host is taken when it is free, and the other one when it is not', async () => {
    for (const name of ['fast', 'slow']) await machine(name, { attributes: { pool: 'pair', disk: name } });
    const ask = () => lease('pair', { prefer: [{ disk: 'fast' }] });
    const [first, other] = [await ask(), await lease('pair', { prefer: [{ disk: 'nvme' }, { disk: 'slow' }] })];
    expect(await hostOf(first)).toBe('fast');
    expect(await hostOf(other)).toBe('slow');
    await release(other);
    const third = await ask();
    expect(await hostOf(third)).toBe('slow');
    await release(first, third);
  });

  test('affinity goes back to the host that served the same key', async () => {
    for (const name of ['warm1', 'warm2', 'warm3']) await machine(name, { attributes: { pool: 'warm' } });
    const all = await Promise.all(['a', 'b', 'c'].map((affinity) => lease('warm', { affinity })));
    const hosts = await Promise.all(all.map(hostOf));
    expect(new Set(hosts).size).toBe(3);
    await release(...all);
    for (const key of ['c', 'a', 'b']) {
      const again = await lease('warm', { affinity: key });
      expect(await hostOf(again)).toBe(hosts['abc'.indexOf(key)]);
      await release(again);
    }
  });

  test('a request that is moved up overtakes, and each says how many come before it', async () => {
    const first = await lease('plain');
    await active(first);
    const [early, middle, late] = [await lease('plain', { owner: 'x' }), await lease('plain', { owner: 'y' }), await lease('plain', { owner: 'z' })];
    for (const id of [early, middle, late]) await waiting(id);
    const ahead = async () => Promise.all([early, middle, late].map(async (id) => (await consider({ lease: id })).ahead));
    expect(await ahead()).toEqual([0, 1, 2]);
    const would = await consider({ request: { type: 'host', attributes: { pool: 'plain' } } });
    expect(would).toMatchObject({ verdict: 'wait', ahead: 3 });
    expect((await consider({ request: { type: 'host', attributes: { pool: 'plain' }, priority: 900 } })).ahead).toBe(0);
    await fleet.command('lease', 'ChangePriority', { lease: late, priority: 200 });
    await eventually(async () => expect(await ahead()).toEqual([1, 2, 0]), SOON);
    await release(first);
    for (const id of [late, early, middle]) {
      await active(id);
      await release(id);
    }
    await expect(fleet.command('allocator', 'ConsiderLease', { lease: late })).rejects.toThrow(/lease-ended|unknown-lease/);
  });

  test('a lease with a ttl ends without beats, and lives with them', async () => {
    const silent = await lease('plain', { ttl: 1000 });
    await active(silent);
    const gone = await status(silent, 'destroyed');
    expect((await events(silent)).find((event) => event.type === 'LeaseReleased')?.data).toEqual({ reason: 'its holder was not heard of for 1s', expired: true });
    expect(gone.data.status).toBe('destroyed');

    const kept = await lease('plain', { ttl: 1000 });
    await active(kept);
    const until = Date.now() + 3000;
    await eventually(async () => {
      await fleet.command('lease', 'BeatLease', { lease: kept });
      return Date.now() > until;
    }, { ...SOON, everyMs: 200 });
    await active(kept);
    // Of 15 beats only those were stored that put off the end by much.
    expect((await events(kept)).filter((event) => event.type === 'LeaseBeat').length).toBeLessThan(12);
    await release(kept);
    await expect(fleet.command('lease', 'BeatLease', { lease: kept })).rejects.toThrow(/lease-ended/);
  });

  test('why it waits names who holds the slot and until when, and stays in the log afterwards', async () => {
    const until = new Date(Date.now() + HOUR).toISOString();
    const first = await lease('plain', { owner: 'bob', until });
    await active(first);
    const id = await lease('plain', { owner: 'ada' });
    const said = await waiting(id);
    const holder = { name: 'plain', code: 'no-free-slot', until, holders: [{ lease: first, owner: 'bob', until }] };
    expect(said).toMatchObject({ verdict: 'wait', by: until, ahead: 0, considered: expect.arrayContaining([expect.objectContaining(holder)]) });
    expect(said.next).toContain('bob');
    expect(said.reason).toContain('plain');
    // The same of this moment, from whoever is asked.
    expect(await consider({ lease: id })).toMatchObject({ verdict: 'wait', considered: expect.arrayContaining([expect.objectContaining(holder)]) });
    const renewed = new Date(Date.now() + 2 * HOUR).toISOString();
    await fleet.command('lease', 'RenewLease', { lease: first, until: renewed });
    await eventually(async () => expect((await consider({ lease: id })).by).toBe(renewed), SOON);
    await release(first);
    await active(id);
    await release(id);
    expect((await events(id)).flatMap((event) => (event.type === 'LeaseWaiting' ? [event.data.explanation] : []))).toContainEqual(said);
  });
});
