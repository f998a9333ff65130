import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { isAlive } from '@berth/embedded/servers';
import type { CommandInput } from '@berth/contracts';
import { jetStreamStore } from '@berth/event-store';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import { eventually } from '../support/wait.js';
import { nothingLeft } from './left.js';
import { logOf } from './log.js';

describe('races for leases', () => {
  let fleet: Fleet;
  /** by name of the host */
  const folders: Record<string, string> = {};
  beforeAll(async () => {
    fleet = await startFleet();
    for (const [name, slots] of Object.entries({ five: 5, busy: 2, idle: 1 })) folders[name] = await fleet.addMachine(name, await startTestSshd(), { slots });
  });

  const lease = (machine: string, more: Partial<CommandInput<'lease', 'RequestLease'>> = {}) => fleet.requestLease({ type: 'host', attributes: { machine }, ...more });
  const release = (id: string) => fleet.bus.command('lease', 'ReleaseLease', { lease: id });
  /** @returns the fencing token of the grant */
  const active = async (id: string) => Number((await fleet.bus.waitForStatus('lease', id, ['active'], { timeoutMs: 15_000 })).data['token']);
  const destroyed = (id: string) => fleet.bus.waitForStatus('lease', id, ['destroyed'], { timeoutMs: 15_000 });
  const run = (grant: { lease: string; token: number }, command: string, id: string = randomUUID()) =>
    fleet.bus.command('host-agent-gateway', 'RunAction', { ...grant, spec: { kind: 'run-command', command } }, { id });
  const noLeftovers = () => nothingLeft(fleet, Object.values(folders));

  test('twenty releases of one lease at once release it once', async () => {
    const id = await lease('five');
    await active(id);
    const answers = await Promise.all(Array.from({ length: 20 }, () => release(id)));
    for (const answer of answers) expect(answer).toMatchObject({ accepted: true });
    await destroyed(id);
    expect(await release(id)).toMatchObject({ accepted: true });
    const log = await noLeftovers();
    expect(log.names(id)).toEqual(['LeaseRequested', 'LeaseAcquired', 'LeaseActivated', 'LeaseReleased', 'LeaseDestroyed']);
    expect(log.all('SlotFreed').filter((e) => e.data.lease === id)).toHaveLength(1);
  });

  test('fifty requests at once on five slots: never more than five are held, and all are served', async () => {
    const before = (await logOf(fleet)).events.at(-1)!.position;
    const ids = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const id = await lease('five');
        await active(id);
        await release(id);
        return id;
      }),
    );
    await Promise.all(ids.map(destroyed));
    const log = await noLeftovers();
    const five = log.resourceNamed('five');
    let held = 0;
    let most = 0;
    const tokens = new Map<number, number>();
    for (const event of log.events.filter((e) => e.id === five && e.position > before)) {
      if (event.type === 'SlotClaimed') {
        held++;
        expect(event.position).toBeGreaterThan(tokens.get(event.data.slot) ?? 0);
        tokens.set(event.data.slot, event.position);
      } else if (event.type === 'SlotFreed') held--;
      expect(held, `slots held at position ${event.position}`).toBeLessThanOrEqual(5);
      most = Math.max(most, held);
    }
    expect(most).toBe(5);
    expect(held).toBe(0);
    expect(tokens.size).toBe(5);
    for (const id of ids) log.one('LeaseActivated', id);
    // Nobody is overtaken: the order of grants is the order of requests.
    const order = (types: 'LeaseRequested' | 'SlotClaimed') => log.all(types).filter((e) => e.position > before).map((e) => (e.type === 'SlotClaimed' ? e.data.lease : e.id)).filter((id) => ids.includes(id));
    expect(order('SlotClaimed')).toEqual(order('LeaseRequested'));
  });

  test('long commands on every slot of one host delay no lease on another', async () => {
    const long = await Promise.all(
      [1, 2].map(async () => {
        const id = await lease('busy');
        const action = randomUUID();
        expect(await run({ lease: id, token: await active(id) }, 'sleep 600', action)).toMatchObject({ accepted: true });
        await fleet.bus.waitForStatus('action', action, ['started'], { timeoutMs: 5000 });
        return { id, action };
      }),
    );
    const waits: number[] = [];
    for (let n = 0; n < 20; n++) {
      const begun = performance.now();
      const id = await lease('idle');
      await active(id);
      waits.push(performance.now() - begun);
      await release(id);
      await destroyed(id);
    }
    waits.sort((a, b) => a - b);
    console.log(`lease beside long commands: median ${waits[10]!.toFixed(0)} ms, longest ${waits.at(-1)!.toFixed(0)} ms`);
    expect(waits.at(-1)).toBeLessThan(1000);
    expect((await logOf(fleet)).all('ActionCancelled')).toEqual([]);
    await Promise.all(long.map(({ id }) => release(id)));
    const log = await noLeftovers();
    for (const { action } of long) log.one('ActionCancelled', action);
  });

  test('an action with a stale token is refused, and nothing runs', async () => {
    const old = await lease('idle');
    const stale = await active(old);
    await release(old);
    await destroyed(old);
    const id = await lease('idle');
    const token = await active(id);
    expect(token).toBeGreaterThan(stale);
    const side = join(fleet.home, 'stale');
    expect(await run({ lease: id, token: stale }, `touch ${side}`)).toMatchObject({ accepted: false, code: 'stale-token', errors: [{ field: 'data.token' }] });
    expect(await run({ lease: id, token: token + 1 }, `touch ${side}`)).toMatchObject({ accepted: false, code: 'stale-token' });
    expect(await run({ lease: old, token: stale }, `touch ${side}`)).toMatchObject({ accepted: false, code: 'unknown-lease' });
    expect(await run({ lease: old, token }, `touch ${side}`)).toMatchObject({ accepted: false });
    await release(id);
    expect(await run({ lease: id, token }, `touch ${side}`)).toMatchObject({ accepted: false });
    await noLeftovers();
    expect(existsSync(side)).toBe(false);
  });

  test('commands that race with the release of their lease run under the grant or not at all', async () => {
    for (let n = 0; n < 5; n++) {
      const id = await lease('idle');
      const token = await active(id);
      const racing = Array.from({ length: 6 }, () => run({ lease: id, token }, 'sleep 0.05'));
      await Promise.all([release(id), ...racing]);
      await destroyed(id);
    }
    await noLeftovers(); // which compares every action with its grant
  });

  test('what the gateway accepted in its last moment is not run when its lease has ended since', async () => {
    const id = await lease('idle');
    const token = await active(id);
    const side = join(fleet.home, 'last-moment');
    await fleet.services['host-agent-gateway'].kill9();
    // The last word of a gateway that dies before it has begun what it accepted.
    const action = randomUUID();
    await jetStreamStore(fleet.bus.connection).append('action', action, 0, {
      id: action, at: new Date().toISOString(), actor: 'bus', cause: action,
      events: [{ type: 'ActionRequested', data: { lease: id, token, spec: { kind: 'run-command', command: `echo ran >>${side}; sleep 600`, env: {} } } }],
    });
    await release(id);
    await fleet.services['host-agent-gateway'].start();
    await destroyed(id);
    const log = await noLeftovers();
    expect(log.names(action)).not.toContain('ActionStarted');
    expect(existsSync(side)).toBe(false);
  });

  test('what the gateway accepted too late is ended when the slot is gone already', async () => {
    const id = await lease('idle');
    const token = await active(id);
    await fleet.services['host-agent-gateway'].kill9();
    await release(id);
    await destroyed(id);
    const action = randomUUID();
    await jetStreamStore(fleet.bus.connection).append('action', action, 0, {
      id: action, at: new Date().toISOString(), actor: 'bus', cause: action,
      events: [{ type: 'ActionRequested', data: { lease: id, token, spec: { kind: 'run-command', command: 'true', env: {} } } }],
    });
    await fleet.services['host-agent-gateway'].start();
    const log = await noLeftovers();
    expect(log.names(action)).toEqual(['ActionRequested', 'ActionFailed']);
  });

  test('a lease that expires under a running command: the command is killed, its folder removed, the slot free', async () => {
    const until = Date.now() + 2500;
    const id = await lease('idle', { until: new Date(until).toISOString() });
    const token = await active(id);
    const side = join(fleet.home, 'expiry');
    const action = randomUUID();
    await run({ lease: id, token }, `echo $$ >${side}.pid; echo here >mine; while :; do date +%s%3N >>${side}; sleep 0.02; done`, action);
    const pid = await eventually(() => Number(readFileSync(`${side}.pid`, 'utf8')) || false);
    expect(await fleet.leftovers(folders['idle']!)).toContain(`copies/${id}`);
    const waiting = await lease('idle');
    expect(Date.now(), 'the command runs well before its lease ends').toBeLessThan(until);
    await active(waiting);
    expect(isAlive(pid)).toBe(false);
    expect(await fleet.leftovers(folders['idle']!)).not.toContain(`copies/${id}`);
    await release(waiting);
    const log = await noLeftovers();
    const ended = log.one('LeaseReleased', id);
    expect(ended.data.expired).toBe(true);
    expect(ended.at).toBeGreaterThanOrEqual(until);
    expect(log.one('ActionCancelled', action).position).toBeLessThan(log.all('SlotFreed').find((e) => e.data.lease === id)!.position);
    expect(Number(readFileSync(side, 'utf8').trim().split('\n').at(-1))).toBeLessThanOrEqual(log.one('ActionCancelled', action).at);
    console.log(`expired lease: slot free ${log.one('LeaseDestroyed', id).at - until} ms after its time`);
  });

  test('an expiry that falls into a time without the lease service is caught up with', async () => {
    const until = Date.now() + 1500;
    const id = await lease('idle', { until: new Date(until).toISOString() });
    await active(id);
    await fleet.services.lease.kill9();
    await eventually(() => Date.now() > until);
    await fleet.services.lease.start();
    await destroyed(id);
    expect((await noLeftovers()).one('LeaseReleased', id).data.expired).toBe(true);
  });
});
