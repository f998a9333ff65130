import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CommandInput, Explanation, LeaseEvent, MachineEvent, ResourceEvent } from '@berth/contracts';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import type { TestSshd } from '../support/sshd.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 15_000, everyMs: 50 };

describe('a machine is changed', () => {
  let fleet: Fleet;
  let here: TestSshd;
  let there: TestSshd;
  beforeAll(async () => {
    [fleet, here, there] = await Promise.all([startFleet(), startTestSshd(), startTestSshd()]);
  });

  const change = (name: string, changes: Omit<CommandInput<'allocator', 'ChangeMachine'>, 'name'>) => fleet.bus.command('allocator', 'ChangeMachine', { name, ...changes });
  const changed = async (name: string, changes: Parameters<typeof change>[1]) => expect(await change(name, changes)).toMatchObject({ accepted: true });
  const lease = (pool: string, more: Record<string, unknown> = {}) => fleet.requestLease({ type: 'host', attributes: { pool }, wait: 'always', ...more });
  const active = async (id: string) => (await fleet.bus.waitForStatus('lease', id, ['active'], SOON)).data;
  const release = async (id: string) => {
    await fleet.command('lease', 'ReleaseLease', { lease: id });
    await fleet.bus.waitForStatus('lease', id, ['destroyed'], SOON);
  };
  const waits = (id: string): Promise<Explanation> =>
    eventually(async () => {
      const events = (await fleet.events('lease')).filter((one) => one.id === id).flatMap((one) => one.commit.events as LeaseEvent[]);
      return events.findLast((event) => event.type === 'LeaseWaiting')?.data.explanation ?? false;
    }, SOON);
  const told = async (name: string) => (await fleet.events('machine')).filter((one) => one.id === name).flatMap((one) => one.commit.events as MachineEvent[]);
  /** What has become of the hosts of a machine, in order. */
  const hosts = async (name: string) => {
    const all = new Map<string, string[]>();
    for (const { id, commit } of await fleet.events('resource')) {
      for (const event of commit.events as ResourceEvent[]) {
        if (event.type === 'ResourceCreated' && event.data.machine === name) all.set(id, []);
        all.get(id)?.push(event.type);
      }
    }
    return [...all.values()];
  };
  const start = async (id: string, command: string) => fleet.command('host-agent-gateway', 'RunAction', { lease: id, token: Number((await active(id))['token']), spec: { kind: 'run-command', command } });
  const printed = async (action: string) => {
    await fleet.bus.waitForStatus('action', action, ['succeeded'], SOON);
    return (await fleet.output(action)).stdout.trim();
  };
  const PORT = 'echo $SSH_CONNECTION | cut -d " " -f 4';

  test('an attribute that it gets serves who waits for it; one that is taken away serves nobody any more', async () => {
    await fleet.addMachine('plain', here, { attributes: { pool: 'plain' } });
    const id = await lease('plain', { attributes: { pool: 'plain', gpu: 'yes' } });
    expect(await waits(id)).toMatchObject({ verdict: 'never' });
    await changed('plain', { attributes: { gpu: 'yes' } });
    await active(id);
    expect((await told('plain')).at(-1)).toMatchObject({ type: 'MachineChanged', data: { attributes: { pool: 'plain', gpu: 'yes' }, changed: ['attributes'] } });
    await release(id);
    await changed('plain', { attributes: { gpu: null } });
    const again = await lease('plain', { attributes: { pool: 'plain', gpu: 'yes' } });
    expect(await waits(again)).toMatchObject({ reason: expect.stringContaining('gpu') });
    await release(again);
  });

  test('what is said twice is done once, and a host that would be the same is not made anew', async () => {
    await fleet.addMachine('same', here, { attributes: { pool: 'same' } });
    await changed('same', { attributes: { pool: 'same' }, slots: 1, port: here.port });
    await changed('same', { allow: { owners: ['ada'] } });
    await changed('same', { allow: { owners: ['ada'], projects: null } });
    expect((await told('same')).map(({ type }) => type)).toEqual(['MachineAdded', 'MachineChanged']);
    await changed('same', { allow: null });
    const id = await lease('same', { owner: 'bob' });
    await active(id);
    expect(await hosts('same')).toEqual([['ResourceCreated', 'ResourceActivated', 'SlotClaimed']]);
    await release(id);
  });

  test('a new address does not disturb what runs under a lease: that goes on where it is until it ends, and the next one is there', async () => {
    await fleet.addMachine('mover', here, { attributes: { pool: 'mover' } });
    const go = join(fleet.home, 'go');
    const first = await lease('mover');
    const running = await start(first, `${PORT}; while [ ! -e ${go} ]; do sleep 0.05; done; echo done`);
    await eventually(async () => (await fleet.output(running.id)).stdout.includes(String(here.port)), SOON);
    const move = { address: there.host, port: there.port, credential: `file:${there.privateKeyPath}` };
    // The pinned key is not that of the other machine: it is not given up by the way.
    expect(await change('mover', move)).toMatchObject({ accepted: false, code: 'host-key-changed', message: expect.stringMatching(/^Machine mover is not changed: /) });
    await changed('mover', { ...move, hostKey: null });
    expect((await told('mover')).at(-1)).toMatchObject({ type: 'MachineChanged', data: { port: there.port, hostKey: expect.stringContaining(there.hostKeyPublic.split(' ')[1]!) } });
    const second = await lease('mover');
    expect(await waits(second)).toMatchObject({ verdict: 'wait', considered: expect.arrayContaining([expect.objectContaining({ name: 'mover', code: 'ending' })]) });
    expect(await printed((await start(first, PORT)).id)).toBe(String(here.port));
    await writeFile(go, '');
    expect(await printed(running.id)).toBe(`${here.port}\ndone`);
    await release(first);
    expect(await printed((await start(second, PORT)).id)).toBe(String(there.port));
    await release(second);
    const left = [...(await fleet.leftovers(join(fleet.home, 'mover')))];
    expect(left).toEqual([]);
  });

  test('fewer slots than are leased now count from when those leases are over', async () => {
    await fleet.addMachine('narrow', here, { slots: 2, attributes: { pool: 'narrow' } });
    const [one, two] = [await lease('narrow'), await lease('narrow')];
    await Promise.all([active(one), active(two)]);
    await changed('narrow', { slots: 1 });
    const waiting = [await lease('narrow'), await lease('narrow')];
    await Promise.all(waiting.map(waits));
    await release(one);
    expect((await fleet.bus.waitForStatus('lease', two, ['active'], SOON)).data.status).toBe('active');
    await release(two);
    await active(waiting[0]!);
    const before = (await fleet.events('resource')).length;
    const said = await fleet.command('allocator', 'ConsiderLease', { lease: waiting[1]! });
    expect(said.data).toMatchObject({ verdict: 'wait', considered: expect.arrayContaining([expect.objectContaining({ name: 'narrow', code: 'no-free-slot', holders: [expect.objectContaining({ lease: waiting[0]! })] })]) });
    expect((await fleet.events('resource')).length).toBe(before);
    await release(waiting[0]!);
    await active(waiting[1]!);
    await release(waiting[1]!);
    expect((await hosts('narrow')).map((events) => events.filter((type) => type === 'SlotClaimed').length)).toEqual([2, 2]);
  });

  test('who may use it counts at once, for who waits too, and is told', async () => {
    await fleet.addMachine('club', here, { attributes: { pool: 'club' } });
    await changed('club', { allow: { projects: ['widgets'], owners: ['ada'] } });
    const stranger = await lease('club', { owner: 'bob', project: 'gadgets' });
    const refused = await fleet.requestLease({ type: 'host', owner: 'bob', attributes: { pool: 'club' } });
    await fleet.bus.waitForStatus('lease', refused, ['destroyed'], SOON);
    expect(await waits(stranger)).toMatchObject({ verdict: 'never', reason: 'machine club is for project widgets or owner ada only' });
    for (const who of [{ owner: 'bob', project: 'widgets' }, { owner: 'ada' }]) {
      const id = await lease('club', who);
      await active(id);
      await release(id);
    }
    await changed('club', { allow: { projects: ['gadgets'], owners: [] } });
    await active(stranger);
    await changed('club', { allow: { projects: ['widgets'] } });
    expect((await fleet.bus.waitForStatus('lease', stranger, ['active'], SOON)).data.status).toBe('active');
    await release(stranger);
  });

  test.each<[string, Parameters<typeof change>[1], { code: string; field: string }]>([
    ['nobody', { slots: 2 }, { code: 'unknown-machine', field: 'data.name' }],
    ['plain', { slots: 0 }, { code: 'invalid-data', field: 'data.slots' }],
    ['plain', { slot: 2 } as never, { code: 'invalid-data', field: 'data' }],
    ['plain', { credential: 'file:/no/such/key' }, { code: 'machine-refused', field: 'data.credential' }],
    ['plain', { port: 1 }, { code: 'machine-unreachable', field: 'data.address' }],
  ])('%s with %j is refused, and nothing is changed', async (name, changes, { code, field }) => {
    const before = await told(name);
    expect(await change(name, changes)).toMatchObject({ accepted: false, code, errors: [expect.objectContaining({ field })] });
    expect(await told(name)).toEqual(before);
  });
});
