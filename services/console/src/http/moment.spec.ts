import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Problem } from '@berth/client';
import { savedPlan } from '@berth/contracts';
import { eventually } from '../../../../test/support/wait.js';
import { scripted, type Scripted } from '../scripted.testing.js';

let berth: Scripted;
beforeAll(async () => {
  berth = await scripted();
});
const shown = (position: number) => eventually(async () => expect((await berth.berth.projections.list()).items.every((one) => one.position >= position)).toBe(true));
const plan = savedPlan.parse({ name: 'p', host: {}, workingCopy: {}, env: {}, steps: [{ name: 'One', run: 'true', env: {} }] });

/** What the lists say now of all that is in a moment. */
async function live() {
  const { machines, resources, leases, builds } = berth.berth;
  const [m, r, l, b] = await Promise.all([machines.list(), resources.list(), leases.list({ status: 'pending,acquired,active,released,broken' }), builds.list({ status: 'pending,preparing,building,paused' })]);
  return { machines: m.items, resources: r.items, leases: l.items, builds: b.items.map(({ id, status, percent, activity, hosts }) => ({ id, status, percent, activity, hosts })) };
}

describe('the fleet at a past moment', () => {
  test('is what the lists said then: by position, and by the time', async () => {
    const [host, lease, waits, build] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    const request = { type: 'LeaseRequested', data: { type: 'host', owner: 'ada', attributes: {}, prefer: [], blueprints: [], priority: 100, wait: 'always' } };
    await berth.happen('machine', 'box', { type: 'MachineAdded', data: { name: 'box', address: '10.0.0.1', port: 22, user: 'ci', credential: 'agent', platform: 'linux', attributes: { os: 'linux' }, slots: 2, hostKey: 'ssh-ed25519 AAAA', facts: {} } });
    await berth.happen('resource', host, { type: 'ResourceCreated', data: { type: 'host', blueprint: 'preallocated', name: 'box', attributes: { os: 'linux' }, slots: 2, machine: 'box' } }, { type: 'ResourceActivated', data: {} });
    await berth.happen('lease', lease, request);
    await berth.happen('resource', host, { type: 'SlotClaimed', data: { slot: 0, lease, owner: 'ada' } });
    await berth.happen('lease', lease, { type: 'LeaseAcquired', data: { resource: host, blueprint: 'preallocated', slot: 0, token: 4 } }, { type: 'LeaseActivated', data: {} });
    await berth.happen('build', build, { type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator: 'ada' } }, { type: 'BuildPreparing', data: { attempt: 1, hostLease: lease } });
    const then = await berth.happen('lease', waits, request);
    await shown(then);
    const before = await live();
    expect(before).toMatchObject({ machines: [{ busy: 1 }], resources: [{ leases: [{ owner: 'ada' }] }], leases: [{ status: 'pending' }, { status: 'active' }], builds: [{ status: 'preparing' }] });
    const { time } = (await berth.berth.history(waits)).items[0]!;

    await eventually(() => expect(Date.now()).toBeGreaterThan(Date.parse(time)));
    await berth.happen('lease', waits, { type: 'LeaseRefused', data: { reason: 'no' } }, { type: 'LeaseDestroyed', data: {} });
    await berth.happen('build', build, { type: 'BuildPassed', data: {} });
    await berth.happen('lease', lease, { type: 'LeaseReleased', data: { reason: 'done', expired: false } }, { type: 'LeaseDestroyed', data: {} });
    await berth.happen('resource', host, { type: 'SlotFreed', data: { slot: 0, lease } }, { type: 'ResourceReleased', data: { reason: 'old' } }, { type: 'ResourceDestroyed', data: {} });
    await shown(await berth.happen('machine', 'box', { type: 'MachineRemoved', data: {} }));

    for (const at of [String(then), time]) {
      const moment = await berth.berth.fleet({ at });
      expect(moment).toMatchObject({ position: then, at: time, totals: { machines: 1, hosts: 1, resources: 1, leases: 2, waiting: 1, builds: 1 }, slots: { total: 2, busy: 1, free: 1 } });
      expect({ ...moment, builds: moment.builds.map(({ id, status, percent, activity, hosts }) => ({ id, status, percent, activity, hosts })) }).toMatchObject(before);
    }
    const now = await berth.berth.fleet();
    expect(now).toMatchObject({ totals: { machines: 0, hosts: 0, resources: 0, leases: 0, waiting: 0, builds: 0 }, machines: [], builds: [] });
    expect(now).toMatchObject(await live());
    expect(await berth.berth.fleet({ at: '2000-01-01T00:00:00Z' })).toMatchObject({ position: 0, at: '2000-01-01T00:00:00.000Z', totals: { machines: 0 } });
    for (const at of ['0000-01-01T00:00:00Z', '9999-12-31T23:59:59-23:00']) expect((await berth.ask(`fleet?at=${at}`)).status).toBe(200);
    const one = await berth.berth.fleet({ at: String(then), limit: 1 });
    expect([one.totals.leases, one.leases.length]).toEqual([2, 1]);
  });

  test.each([
    ['fleet?at=yesterday', 'at', 'use an RFC 3339 time such as 2030-01-31T12:00:00Z, or a position'],
    ['fleet?limit=10001', 'limit', 'must be a number from 0 to 10000'],
    ['fleet?when=1', 'when', 'use at, limit, after'],
  ])('%s is refused', async (path, field, message) => {
    const response = await berth.ask(path);
    expect([response.status, ((await response.json()) as Problem).errors]).toEqual([422, [{ field, message }]]);
  });
});
