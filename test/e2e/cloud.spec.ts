import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BlueprintEvent, Explanation, ResourceEvent } from '@berth/contracts';
import { startCloud, type Cloud } from '../support/cloud.js';
import { eventually } from '../support/wait.js';

describe('hosts that are launched', () => {
  let cloud: Cloud;
  beforeAll(async () => {
    cloud = await startCloud({ env: { WRONG_ACCESS_KEY_ID: 'AKIAIOSFODNN7NOBODYS', WRONG_SECRET_ACCESS_KEY: 'wrong' } });
  });

  const events = async (kind: 'resource' | 'blueprint', name: string) =>
    (await cloud.fleet.events(kind)).filter((r) => kind === 'resource' || r.id === name).flatMap((r) => r.commit.events as (ResourceEvent | BlueprintEvent)[]);

  test('one is launched for a request, leased, worked on, and ended when nobody uses it', async () => {
    await cloud.save();
    const lease = await cloud.lease();
    await cloud.active(lease);
    expect(cloud.ec2.alive()).toHaveLength(1);
    const [instance] = cloud.ec2.alive();
    const resources = await cloud.fleet.events('resource');
    const resource = resources.find((r) => r.commit.events.some((e) => e.type === 'ResourceCreated' && (e.data as { blueprint: string }).blueprint === 'cloud'))!.id;
    expect(instance!.tags).toMatchObject({ 'berth:resource': resource, 'berth:blueprint': 'cloud' });
    const activated = resources.filter((r) => r.id === resource).flatMap((r) => r.commit.events as ResourceEvent[]).find((e) => e.type === 'ResourceActivated');
    expect(activated?.data).toMatchObject({ host: { address: instance!.address, hostKey: instance!.hostKeyPublic }, attributes: { instanceType: 'c7i.large', market: 'on-demand', os: 'linux' } });

    const token = Number((await cloud.fleet.bus.waitForStatus('lease', lease, ['active'], { timeoutMs: 5000 })).data['token']);
    const action = await cloud.fleet.command('host-agent-gateway', 'RunAction', { lease, token, spec: { kind: 'run-command', command: 'echo on $BERTH_LEASE' } });
    await cloud.fleet.bus.waitForStatus('action', action.id, ['succeeded'], { timeoutMs: 10_000 });
    expect((await cloud.fleet.output(action.id)).stdout).toBe(`on ${lease}\n`);
    await cloud.release(lease);
    await cloud.destroyed(lease);
    await cloud.nothingLeft();
    await eventually(async () => (await events('resource', '')).some((e) => e.type === 'ResourceDestroyed'), { timeoutMs: 10_000 });
    expect(cloud.ec2.instances()).toHaveLength(1);
  });

  test('five requests at once launch five, and a sixth takes one that has come free', async () => {
    const before = cloud.ec2.instances().length;
    const leases = await Promise.all(Array.from({ length: 5 }, () => cloud.lease()));
    await Promise.all(leases.map((lease) => cloud.active(lease)));
    await cloud.release(leases[0]!);
    const sixth = await cloud.lease();
    await cloud.active(sixth);
    expect(cloud.ec2.instances().length - before).toBe(5);
    for (const lease of [...leases.slice(1), sixth]) await cloud.release(lease);
    await cloud.nothingLeft();
  });

  test('what is not to be had as spot is taken on demand, and not asked for again at once', async () => {
    await cloud.save({ name: 'mixed', attributes: { pool: 'mixed' }, markets: [{ market: 'spot' }, { market: 'on-demand' }] });
    const undo = cloud.ec2.refuse({ action: 'RunInstances', market: 'spot', code: 'InsufficientInstanceCapacity' });
    const lease = await cloud.lease({ attributes: { pool: 'mixed' } });
    await cloud.active(lease);
    const second = await cloud.lease({ attributes: { pool: 'mixed' } });
    await cloud.active(second);
    undo();
    expect(cloud.ec2.alive().map((i) => i.market)).toEqual(['on-demand', 'on-demand']);
    expect((await events('blueprint', 'mixed')).filter((e) => e.type === 'OfferRefused')).toMatchObject([{ data: { offer: 'c7i.large/-/spot', fault: 'capacity' } }]);
    for (const each of [lease, second]) await cloud.release(each);
    await cloud.nothingLeft();
  });

  test('what is given and ends for lack of room while it boots is left alone as well', async () => {
    await cloud.save({ name: 'full', attributes: { pool: 'full' }, markets: [{ market: 'spot' }, { market: 'on-demand' }] });
    const before = cloud.ec2.instances().length;
    const undo = cloud.ec2.spoil({ fault: 'no-capacity', market: 'spot' });
    const lease = await cloud.lease({ attributes: { pool: 'full' } });
    await cloud.active(lease);
    undo();
    expect(cloud.ec2.instances().slice(before).map((i) => i.market)).toEqual(['spot', 'on-demand']);
    const told = await events('blueprint', 'full');
    expect(told.filter((e) => e.type === 'OfferRefused')).toMatchObject([{ data: { offer: 'c7i.large/-/spot', fault: 'capacity', error: expect.stringContaining('InsufficientInstanceCapacity') } }]);
    expect(told.some((e) => e.type === 'BreakerOpened')).toBe(false);
    await cloud.release(lease);
    await cloud.nothingLeft();
  });

  test('a blueprint whose launches fail opens its breaker, and does not stand in the way of one that works', async () => {
    await cloud.save({ name: 'bad', attributes: { pool: 'two' }, rank: 1, timeouts: { boot: 60_000, reachable: 300 } });
    await cloud.save({ name: 'good', attributes: { pool: 'two' }, rank: 2, types: [{ type: 'm7i.large' }] });
    const undo = cloud.ec2.spoil({ fault: 'no-ssh', type: 'c7i.large' });
    const lease = await cloud.lease({ attributes: { pool: 'two' } });
    await cloud.active(lease, 60_000);
    undo();
    const told = await events('blueprint', 'bad');
    expect(told.filter((e) => e.type === 'LaunchFailed')).toHaveLength(3);
    expect(told.find((e) => e.type === 'BreakerOpened')?.data).toMatchObject({ failures: 3, reason: expect.stringContaining('did not let us in') });
    expect(cloud.ec2.alive().map((i) => i.type)).toContain('m7i.large');
    await cloud.release(lease);
    await cloud.nothingLeft();
  }, 60_000);

  test('one is no capacity before its ready command has passed, and who waits is told by when that is decided', async () => {
    const flag = join(cloud.fleet.home, 'ready');
    await cloud.save({ name: 'ready', attributes: { pool: 'ready' }, ready: { command: `test -e ${flag}`, timeout: 60_000 } });
    const lease = await cloud.lease({ attributes: { pool: 'ready' }, owner: 'ada' });
    const booting = await eventually(async () => {
      const { considered, next, by } = (await cloud.fleet.command('allocator', 'ConsiderLease', { lease })).data as Explanation;
      const host = considered.find(({ code, reason }) => code === 'booting' && reason.endsWith('(readying)'));
      return host !== undefined && { host, next, by };
    }, { timeoutMs: 15_000 });
    expect(booting).toMatchObject({ host: { until: booting.by }, next: `${booting.host.name} gets ready` });
    expect(Math.abs(Date.parse(booting.by!) - Date.now() - 60_000)).toBeLessThan(20_000);
    await writeFile(flag, '');
    await cloud.active(lease);
    expect((await events('resource', '')).filter((e) => e.type === 'ResourceCreated' && e.data.blueprint === 'ready')).toHaveLength(1);
    await cloud.release(lease);
    await cloud.nothingLeft();
  });

  test.each([
    ['does not boot in time', 'stays-pending', { timeouts: { boot: 300, reachable: 60_000 } }, 'timeout', /was not up within 0\.3 s/, false],
    ['ends while it boots', 'dies-pending', {}, 'lost', /Internal error on launch/, false],
    ['answers with another key than the one on its console', 'other-console-key', {}, 'configuration', /another host key answers/, true],
    ['never passes its ready command', undefined, { ready: { command: 'echo no compiler yet; exit 3', timeout: 300 } }, 'not-ready', /the ready command still ended with 3 after 0 s: no compiler yet/, true],
  ] as const)('one that %s is never leased, is ended, and what it printed is kept', async (what, fault, over, code, error, printed) => {
    const pool = what.replaceAll(' ', '-').slice(0, 20);
    await cloud.save({ name: pool, attributes: { pool }, ...over });
    const undo = fault === undefined ? () => undefined : cloud.ec2.spoil({ fault });
    const lease = await cloud.lease({ attributes: { pool } });
    const failed = await eventually(async () => (await events('blueprint', pool)).find((e) => e.type === 'LaunchFailed') ?? false, { timeoutMs: 15_000 });
    expect(failed.data).toMatchObject({ fault: code, error: expect.stringMatching(error), offer: 'c7i.large/-/on-demand' });
    await cloud.release(lease);
    await cloud.destroyed(lease);
    undo();
    await cloud.nothingLeft();
    const { resource } = failed.data as { resource: string };
    const own = await eventually(async () => {
      const all = (await cloud.fleet.events('resource')).filter((r) => r.id === resource).flatMap((r) => r.commit.events as ResourceEvent[]);
      return all.some((e) => e.type === 'ResourceDestroyed') && all;
    }, { timeoutMs: 10_000 });
    expect(own.some((e) => e.type === 'SlotClaimed' || e.type === 'ResourceActivated')).toBe(false);
    expect(own.some((e) => e.type === 'FactsKept' && typeof e.data.facts['console'] === 'string')).toBe(printed);
  });

  test('an interrupted spot instance breaks its lease at once', async () => {
    await cloud.save({ name: 'spot', attributes: { pool: 'spot' }, markets: [{ market: 'spot' }] });
    const lease = await cloud.lease({ attributes: { pool: 'spot' } });
    await cloud.active(lease);
    const at = Date.now();
    await cloud.ec2.interrupt(cloud.ec2.alive()[0]!.id);
    const status = await cloud.fleet.bus.waitForStatus('lease', lease, ['broken', 'destroyed'], { timeoutMs: 20_000 });
    expect(String(status.data.error)).toMatch(/spot/i);
    console.log(`interrupted: the lease was broken after ${Date.now() - at} ms`);
    await cloud.destroyed(lease);
    await cloud.nothingLeft();
  });

  test.each<[string, Parameters<Cloud['spec']>[0], field: string, code?: string]>([
    ['an image that is not there', { image: { ami: 'ami-00000000000000000' } }, 'data.spec.image'],
    ['an endpoint that does not answer', { endpoint: 'http://127.0.0.1:9' }, 'data.spec.endpoint'],
    ['credentials that are not set', { credentials: 'env:NOBODY' }, 'data.spec.credentials'],
    ['credentials that are wrong', { credentials: 'env:WRONG' }, 'data.spec.credentials'],
    ['a pool that keeps more than it may have', { pool: { minIdle: 3, max: 2 } }, 'data.spec.pool.minIdle', 'invalid-data'],
  ])('%s is refused when it is saved, with the field', async (_, over, field, code = 'provider-refused') => {
    const answer = await cloud.fleet.bus.command('allocator', 'SaveBlueprint', { spec: cloud.spec({ name: 'wrong', ...over }) });
    expect(answer).toMatchObject({ accepted: false, code, errors: [{ field: expect.stringContaining(field) }] });
    expect(await events('blueprint', 'wrong')).toEqual([]);
  });

  test('a pool keeps idle hosts, and lets them go when it is made smaller', async () => {
    await cloud.save({ name: 'warm', attributes: { pool: 'warm' }, pool: { minIdle: 2, idleTimeout: 300 } });
    await eventually(async () => (await events('resource', '')).filter((e) => e.type === 'ResourceCreated' && e.data.blueprint === 'warm').length === 2, { timeoutMs: 10_000 });
    await eventually(() => cloud.ec2.alive().filter((i) => i.state === 'running').length === 2, { timeoutMs: 10_000 });
    await cloud.save({ name: 'warm', attributes: { pool: 'warm' }, pool: { minIdle: 0, idleTimeout: 300 } });
    await cloud.nothingLeft();
  });

  test('an instance with our mark that no resource owns is reported and destroyed', async () => {
    const { installation } = (await cloud.fleet.events('fleet')).flatMap((r) => r.commit.events).find((e) => e.type === 'FleetFounded')!.data as { installation: string };
    const { EC2Client, RunInstancesCommand } = await import('@aws-sdk/client-ec2');
    const client = new EC2Client({ region: cloud.ec2.region, endpoint: cloud.ec2.endpoint, credentials: { accessKeyId: cloud.ec2.accessKeyId, secretAccessKey: cloud.ec2.secretAccessKey } });
    const run = (owner: string) => client.send(new RunInstancesCommand({ ImageId: cloud.image, InstanceType: 'c7i.large', MinCount: 1, MaxCount: 1, TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'berth:owner', Value: owner }, { Key: 'berth:resource', Value: crypto.randomUUID() }] }] }));
    const [ours, others] = await Promise.all([run(installation), run(crypto.randomUUID())]);
    const id = ours.Instances![0]!.InstanceId!;
    await eventually(() => !cloud.ec2.alive().some((i) => i.id === id), { timeoutMs: 15_000 });
    await eventually(async () => (await cloud.fleet.events('fleet')).some((r) => r.commit.events.some((e) => e.type === 'OrphanDestroyed' && (e.data as { id: string }).id === id)), { timeoutMs: 5000 });
    // Somebody else's stays.
    expect(cloud.ec2.alive().map((i) => i.id)).toEqual([others.Instances![0]!.InstanceId]);
    client.destroy();
  });
});
