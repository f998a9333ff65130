import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEc2, type Ec2StandIn } from '../../../../../test/support/ec2/ec2.js';
import { clock, count, launcherFor, Rehearsal, specFor } from './ec2.testing.js';

const MINUTE = 60_000;
let cloud: Ec2StandIn;
beforeAll(async () => {
  cloud = await startEc2();
});
afterAll(() => cloud.stop());

describe('inspecting', () => {
  it('tells what is there, what is gone and why, with one question', async () => {
    const launcher = launcherFor({ timing: { gather: 20 } });
    const spec = specFor(cloud, { markets: [{ market: 'spot' }] });
    const [fine, taken, off, new_] = [new Rehearsal(spec), new Rehearsal(spec), new Rehearsal(spec), new Rehearsal(spec)];
    await Promise.all([fine, taken, off].map((one) => one.until(launcher)));
    await cloud.interrupt(String(taken.facts['instance']));
    await cloud.shutDown(String(off.facts['instance']));
    const asked = count(cloud, 'DescribeInstances');
    const all = [fine, taken, off, new_];
    expect(await launcher.inspect(spec, all)).toEqual(
      new Map([
        [fine.resource, { is: 'there' }],
        [taken.resource, { is: 'gone', error: expect.stringContaining('Server.SpotInstanceTermination') }],
        [off.resource, { is: 'gone', error: expect.stringContaining('Client.InstanceInitiatedShutdown') }],
        [new_.resource, { is: 'unknown', error: 'EC2 has not given an instance yet' }],
      ]),
    );
    expect(count(cloud, 'DescribeInstances')).toBe(asked + 1);
    await Promise.all(all.map((one) => one.end(launcher)));
  });

  it('asks for at most 200 at a time', async () => {
    const launcher = launcherFor({ timing: { gather: 20 } });
    const spec = specFor(cloud);
    const one = new Rehearsal(spec);
    await one.launched(launcher);
    const others = Array.from({ length: 250 }, (_, n) => ({ resource: `other-${n}`, facts: { ...one.facts, instance: `i-${String(n).padStart(17, '0')}` } }));
    const asked = count(cloud, 'DescribeInstances');
    const found = await launcher.inspect(spec, [...others, one]);
    expect(found.size).toBe(251);
    expect(found.get(one.resource)).toEqual({ is: 'there' });
    expect(found.get('other-0')).toMatchObject({ is: 'unknown' });
    expect(count(cloud, 'DescribeInstances')).toBe(asked + 2);
    await one.end(launcher);
  });

  it('takes what is not described any more for gone only when it is old enough', async () => {
    const time = clock();
    const launcher = launcherFor(time);
    const one = new Rehearsal(specFor(cloud));
    await cloud.vanish(await one.launched(launcher), { forgotten: true });
    expect((await launcher.inspect(one.spec, [one])).get(one.resource)).toMatchObject({ is: 'unknown' });
    time.forward(6 * MINUTE);
    expect((await launcher.inspect(one.spec, [one])).get(one.resource)).toMatchObject({ is: 'gone' });
  });

  it('concludes nothing from an outage', async () => {
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(cloud));
    await one.launched(launcher);
    const takeBack = cloud.refuse({ code: 'Unavailable', action: 'DescribeInstances' });
    expect((await launcher.inspect(one.spec, [one])).get(one.resource)).toMatchObject({ is: 'unknown', error: expect.stringContaining('EC2 did not answer') });
    takeBack();
    await one.end(launcher);
  });
});

describe('destroying', () => {
  it('ends what runs, and can be asked for again', async () => {
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(cloud));
    await one.until(launcher);
    expect(await launcher.destroy(one.launch)).toEqual({ is: 'gone' });
    expect(['shutting-down', 'terminated']).toContain(cloud.instance(String(one.facts['instance'])).state);
    expect(await launcherFor().destroy(one.launch)).toEqual({ is: 'gone' });
  });

  it('asks nobody when nothing was intended', async () => {
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(cloud));
    const asked = cloud.calls.length;
    expect(await launcher.destroy(one.launch)).toEqual({ is: 'gone' });
    await one.chosen(launcher);
    expect(await launcher.destroy(one.launch)).toEqual({ is: 'gone' });
    expect(cloud.calls.length).toBe(asked);
  });

  it('finds what was launched before a crash', async () => {
    const one = new Rehearsal(specFor(cloud));
    await one.chosen(launcherFor());
    await launcherFor().step(one.launch);
    expect(cloud.alive().filter(({ tags }) => tags['berth:resource'] === one.resource).length).toBe(1);
    expect(await launcherFor().destroy(one.launch)).toEqual({ is: 'gone' });
    expect(cloud.instances().filter(({ tags, state }) => tags['berth:resource'] === one.resource && state === 'running')).toEqual([]);
  });

  it('finds what EC2 does not show at first', async () => {
    const slow = await startEc2({ describeLagMs: 1200 });
    const one = new Rehearsal(specFor(slow));
    await one.chosen(launcherFor());
    await launcherFor().step(one.launch);
    await one.end(launcherFor({ timing: { quiet: 2500 } }));
    expect(slow.instances()[0]).toMatchObject({ state: expect.stringMatching(/^(shutting-down|terminated)$/) });

    const known = new Rehearsal(one.spec);
    await known.launched(launcherFor());
    expect(await known.end(launcherFor())).toBeGreaterThan(1);
    expect(slow.instances()[1]).toMatchObject({ state: expect.stringMatching(/^(shutting-down|terminated)$/) });
    await slow.stop();
  });

  it('does not take what it has just launched for nothing, even if nobody has stored it', async () => {
    const slow = await startEc2({ describeLagMs: 300 });
    const time = clock();
    const launcher = launcherFor({ ...time, timing: { quiet: 1000 } });
    const one = new Rehearsal(specFor(slow));
    await one.chosen(launcher);
    time.forward(10 * MINUTE);
    await launcher.step(one.launch);
    await one.end(launcher);
    expect(slow.instances()[0]).toMatchObject({ state: expect.stringMatching(/^(shutting-down|terminated)$/) });
    await slow.stop();
  });

  it('looks twice, and only after a while, before an unknown outcome counts as nothing', async () => {
    const time = clock();
    const one = new Rehearsal(specFor(cloud));
    await one.chosen(launcherFor(time));
    // Another process: it does not know whether the token was used.
    const launcher = launcherFor(time);
    expect(await launcher.destroy(one.launch)).toEqual({ is: 'wait', ms: 50 });
    time.forward(29_000);
    expect(await launcher.destroy(one.launch)).toMatchObject({ is: 'wait' });
    time.forward(2_000);
    expect(await launcher.destroy(one.launch)).toMatchObject({ is: 'wait' });
    expect(await launcher.destroy(one.launch)).toEqual({ is: 'gone' });
  });

  it('ends everything that carries the resource', async () => {
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(cloud));
    const first = await one.launched(launcher);
    const twin = new Rehearsal(one.spec);
    Object.assign(twin, { resource: one.resource, facts: { ...one.facts, instance: undefined, token: 'another' } });
    const second = await twin.launched(launcher);
    expect(second).not.toBe(first);
    expect(await launcher.destroy(one.launch)).toEqual({ is: 'gone' });
    for (const id of [first, second]) expect(['shutting-down', 'terminated']).toContain(cloud.instance(id).state);
  });

  it('says why it can not', async () => {
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(cloud));
    await one.launched(launcher);
    const takeBack = cloud.refuse({ code: 'UnauthorizedOperation', action: 'TerminateInstances' });
    expect(await launcher.destroy(one.launch)).toMatchObject({ is: 'wait', error: expect.stringContaining('data.spec.credentials') });
    takeBack();
    await one.end(launcher);
  });
});

describe('sweeping', () => {
  it('finds what carries the mark of this installation and has not ended, and ends it', async () => {
    const launcher = launcherFor();
    const spec = specFor(cloud);
    for (const { id, resource, launched } of await launcher.sweep(spec, 'installation-1')) await launcher.reap(spec, { id, resource, launched });
    const [mine, over, foreign] = [new Rehearsal(spec), new Rehearsal(spec), new Rehearsal(spec)];
    const id = await mine.launched(launcher);
    await over.launched(launcher);
    await over.end(launcher);
    await foreign.chosen(launcher);
    await launcher.step({ ...foreign.launch, installation: 'installation-*' });

    expect(await launcher.sweep(spec, 'installation-1')).toEqual([{ id, resource: mine.resource, launched: expect.stringMatching(/^\d{4}-.*Z$/) }]);
    const others = await launcher.sweep(spec, 'installation-*');
    expect(others.map(({ resource }) => resource)).toEqual([foreign.resource]);
    for (const found of [...others, { id, resource: mine.resource, launched: '' }]) {
      await launcher.reap(spec, found);
      await launcher.reap(spec, found);
    }
    expect(await launcher.sweep(spec, 'installation-1')).toEqual([]);
    await launcher.reap(spec, { id: 'i-00000000000000000', resource: '', launched: '' });
  });

  it('throws when nobody answers', async () => {
    const launcher = launcherFor();
    await expect(launcher.sweep(specFor(cloud, { endpoint: 'http://127.0.0.1:9' }), 'installation-1')).rejects.toThrow('data.spec.endpoint');
    const takeBack = cloud.refuse({ code: 'Unavailable', action: 'TerminateInstances' });
    await expect(launcher.reap(specFor(cloud), { id: 'i-00000000000000000', resource: '', launched: '' })).rejects.toThrow('EC2 did not answer');
    takeBack();
  });
});

describe('checking', () => {
  it('takes what would launch, and launches nothing', async () => {
    const before = cloud.instances().length;
    expect(await launcherFor().check(specFor(cloud, { zones: [{ zone: 'eu-central-1a' }], markets: [{ market: 'spot' }] }))).toBeUndefined();
    expect(cloud.calls.at(-1)).toMatchObject({ action: 'RunInstances', error: 'DryRunOperation' });
    expect(cloud.instances().length).toBe(before);
  });

  it.each([
    [{ image: { ami: 'ami-00000000' } }, 'data.spec.image'],
    [{ image: { name: 'nobody' } }, 'data.spec.image'],
    [{ securityGroups: ['sg-00000000'] }, 'data.spec.securityGroups'],
    [{ credentials: 'env:BERTH_EC2_NOBODY' }, 'data.spec.credentials'],
    [{ endpoint: 'http://127.0.0.1:9' }, 'data.spec.endpoint'],
  ])('refuses %j and names %s', async (given, field) => {
    const refusal = await launcherFor().check(specFor(cloud, given));
    expect(refusal).toMatchObject({ accepted: false, code: 'provider-refused', errors: [{ field, message: expect.any(String) }] });
    if (field === 'data.spec.endpoint') expect(refusal?.message).toContain('--no-check');
  });

  it('asks for every type, zone and market once, and names what there is not', async () => {
    const own = await startEc2({ bootMs: 0, offers: { 'c7i.large': ['eu-central-1a'], 'm7i.large': ['eu-central-1b'] } });
    const check = (given: object) => launcherFor().check(specFor(own, given));
    const asked = () => count(own, 'RunInstances');
    const zones = [{ zone: 'eu-central-1a' }, { zone: 'eu-central-1b' }];
    // That a type is not in one of the zones says nothing: there are others.
    expect(await check({ types: [{ type: 'c7i.large' }, { type: 'm7i.large' }], zones, markets: [{ market: 'spot' }, { market: 'on-demand' }] })).toBeUndefined();
    expect(asked()).toBe(4);
    expect(await check({ types: [{ type: 'c7i.large' }, { type: 'c7i.lrage' }] })).toMatchObject({ code: 'provider-refused', errors: [{ field: 'data.spec.types', message: expect.stringContaining('c7i.lrage') }] });
    expect(await check({ zones: [...zones, { zone: 'eu-central-1z' }] })).toMatchObject({ errors: [{ field: 'data.spec.zones', message: expect.stringContaining('eu-central-1z') }] });
    const before = asked();
    expect(await check({ types: Array.from({ length: 20 }, (_, i) => ({ type: i === 0 ? 'c7i.large' : `m${i + 7}i.large` })) })).toBeDefined();
    own.throttle(100, 'RunInstances');
    expect(await check({ types: [{ type: 'c7i.large' }] })).toMatchObject({ errors: [{ message: expect.stringContaining('--no-check') }] });
    expect(asked() - before).toBeLessThan(10);
    expect(own.instances()).toEqual([]);
  });

  it('refuses an image that is not ready', async () => {
    const { id } = cloud.addImage({ state: 'pending' });
    expect(await launcherFor().check(specFor(cloud, { image: { ami: id } }))).toMatchObject({ errors: [{ field: 'data.spec.image' }] });
  });

  it('refuses credentials that may not launch', async () => {
    const takeBack = cloud.refuse({ code: 'UnauthorizedOperation', action: 'RunInstances' });
    expect(await launcherFor().check(specFor(cloud))).toMatchObject({ code: 'provider-refused', errors: [{ field: 'data.spec.credentials' }] });
    takeBack();
  });
});
