import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEc2, type Ec2StandIn } from '../../../../../test/support/ec2/ec2.js';
import { clock, count, launcherFor, Rehearsal, specFor } from './ec2.testing.js';

let cloud: Ec2StandIn;
beforeAll(async () => {
  cloud = await startEc2();
});
afterAll(() => cloud.stop());

describe('a launch', () => {
  it('stores each intent before its effect, and ends with a way in', async () => {
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(cloud, { zones: [{ zone: 'eu-central-1b' }], attributes: { team: 'core' } }));
    expect(await one.next(launcher)).toEqual({
      is: 'keep',
      facts: {
        offer: 'c7i.large/eu-central-1b/on-demand',
        type: 'c7i.large',
        market: 'on-demand',
        zone: 'eu-central-1b',
        subnet: null,
        maxPrice: null,
        image: expect.stringMatching(/^ami-/),
        tried: 1,
        token: `berth-${one.resource}-1`,
        phase: 'launching',
        phaseSince: expect.any(String),
        troubleSince: null,
      },
    });
    expect(cloud.instances()).toEqual([]);

    expect(await one.next(launcher)).toEqual({ is: 'keep', facts: { instance: expect.stringMatching(/^i-/), zone: 'eu-central-1b', launched: expect.any(String), phase: 'booting', phaseSince: expect.any(String), troubleSince: null } });
    const up = await one.until(launcher);
    const instance = cloud.instance(String(one.facts['instance']));
    expect(up).toEqual({
      is: 'up',
      access: { transport: 'ssh', address: instance.address, port: cloud.port, user: cloud.user, credential: `file:${cloud.privateKeyPath}`, hostKey: instance.hostKeyPublic.split(' ').slice(0, 2).join(' '), platform: 'linux', folder: '~/.berth-host' },
      attributes: { cpus: '2', instanceType: 'c7i.large', zone: 'eu-central-1b', market: 'on-demand', region: 'eu-central-1', os: 'linux', remote: 'yes', preallocated: 'no', elastic: 'yes', team: 'core', instance: instance.id },
    });
    expect(one.facts).toMatchObject({ phase: 'running', privateAddress: instance.address, publicAddress: instance.address, dnsName: instance.address });
    await one.end(launcher);
  });

  it('asks for all that the blueprint says', async () => {
    const launcher = launcherFor();
    cloud.addKeyPair('ci');
    cloud.addInstanceProfile('builder');
    const group = cloud.addSecurityGroup('builds');
    const subnet = cloud.addSubnet('eu-central-1c');
    const spec = specFor(cloud, {
      zones: [{ zone: 'eu-central-1c', subnet }],
      markets: [{ market: 'spot', maxPrice: '0.12' }],
      keyName: 'ci',
      instanceProfile: 'builder',
      securityGroups: [group],
      userData: '#!/bin/sh\necho grüß\n',
      volumes: [{ device: '/dev/xvda', sizeGiB: 30 }, { device: '/dev/sdf', sizeGiB: 10, type: 'io2' }],
      tags: { cost: 'builds' },
    });
    const one = new Rehearsal(spec);
    const instance = cloud.instance(await one.launched(launcher));
    const marks = { 'berth:owner': 'installation-1', 'berth:resource': one.resource, 'berth:blueprint': 'pool', 'berth:lease-owner': 'ada', cost: 'builds', Name: `berth pool ${one.resource.slice(0, 8)}` };
    expect(instance).toMatchObject({ type: 'c7i.large', zone: 'eu-central-1c', market: 'spot', subnetId: subnet, securityGroupIds: [group], keyName: 'ci', instanceProfile: 'builder', userData: '#!/bin/sh\necho grüß\n', shutdownBehavior: 'terminate', clientToken: one.facts['token'], tags: marks });
    expect(instance.volumes).toMatchObject([{ device: '/dev/xvda', sizeGiB: 30, type: 'gp3', deleteOnTermination: true, tags: marks }, { device: '/dev/sdf', sizeGiB: 10, type: 'io2', deleteOnTermination: true, tags: marks }]);
    expect(cloud.calls.findLast(({ action }) => action === 'RunInstances')?.parameters).toMatchObject({
      'InstanceMarketOptions.SpotOptions.MaxPrice': '0.12',
      'InstanceMarketOptions.SpotOptions.SpotInstanceType': 'one-time',
      'InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior': 'terminate',
      'MetadataOptions.HttpTokens': 'required',
    });
    await one.end(launcher);
  });

  it('launches once when every step is taken twice, by processes that know nothing of each other', async () => {
    const before = cloud.instances().length;
    const one = new Rehearsal(specFor(cloud));
    for (let steps = 0; ; steps++) {
      // This one crashes before it has stored anything.
      await launcherFor().step(one.launch);
      const step = await one.next(launcherFor());
      if (step.is === 'up') break;
      expect(step.is === 'keep' || step.is === 'wait').toBe(true);
      expect(steps).toBeLessThan(200);
      if (step.is === 'wait') await new Promise((resolve) => setTimeout(resolve, step.ms));
    }
    expect(cloud.instances().length).toBe(before + 1);
    await one.end(launcherFor());
  });

  it('takes the newest image of a name and channel', async () => {
    const tags = { 'berth:image': 'builder', 'berth:channel': 'stable' };
    cloud.addImage({ tags, createdAt: new Date('2029-01-01') });
    const newest = cloud.addImage({ tags, createdAt: new Date('2030-01-01') });
    cloud.addImage({ tags, createdAt: new Date('2031-01-01'), state: 'pending' });
    cloud.addImage({ tags, createdAt: new Date('2031-01-01'), owner: 'amazon' });
    cloud.addImage({ tags: { ...tags, 'berth:channel': 'next' }, createdAt: new Date('2031-01-01') });
    const one = new Rehearsal(specFor(cloud, { image: { name: 'builder' } }));
    await one.chosen(launcherFor());
    expect(one.facts['image']).toBe(newest.id);

    const none = await new Rehearsal(specFor(cloud, { image: { name: 'builder', channel: 'none' } })).next(launcherFor());
    expect(none).toMatchObject({ is: 'failed', fault: 'image', error: expect.stringContaining('data.spec.image') });
  });

  it('takes the version of an image that was fixed for it, and says so when it is checked', async () => {
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(cloud, { image: { name: 'builder' } }));
    const { id } = cloud.addImage();
    one.image = id;
    await one.chosen(launcher);
    expect(one.facts['image']).toBe(id);
    // From then on what is stored counts.
    one.image = cloud.addImage().id;
    expect(cloud.instance(await one.launched(launcher)).imageId).toBe(id);
    await one.end(launcher);

    const version = { image: 'builder', version: one.resource, number: 3, id };
    expect(await launcher.check(one.spec, version)).toBeUndefined();
    cloud.removeImage(id);
    expect(await launcher.check(one.spec, version)).toMatchObject({ code: 'provider-refused', errors: [{ field: 'data.spec.image' }] });
  });

  it('needs no console when the blueprint has the host key', async () => {
    const launcher = launcherFor();
    const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
    const one = new Rehearsal(specFor(cloud, { hostKey, address: 'dns' }));
    const asked = count(cloud, 'GetConsoleOutput');
    expect(await one.until(launcher)).toMatchObject({ is: 'up', access: { hostKey } });
    expect(count(cloud, 'GetConsoleOutput')).toBe(asked);
    await one.end(launcher);
  });

  it('gives its console, once it has one', async () => {
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(cloud));
    expect(await launcher.console(one.spec, one.facts)).toBeUndefined();
    await one.until(launcher);
    expect(await launcher.console(one.spec, one.facts)).toContain('-----BEGIN SSH HOST KEY KEYS-----');
    await one.end(launcher);
  });

  it('looks at many with one call', async () => {
    const launcher = launcherFor({ timing: { gather: 20 } });
    const spec = specFor(cloud);
    const all = Array.from({ length: 10 }, () => new Rehearsal(spec));
    await Promise.all(all.map((one) => one.launched(launcher)));
    const asked = count(cloud, 'DescribeInstances');
    await Promise.all(all.map((one) => one.next(launcher)));
    expect(count(cloud, 'DescribeInstances')).toBe(asked + 1);
    await Promise.all(all.map((one) => one.end(launcher)));
  });

  it('stops asking when nobody waits any more, and can be taken up again', async () => {
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(cloud));
    await one.chosen(launcher);
    const go = cloud.hang('RunInstances');
    const step = launcher.step(one.launch);
    setTimeout(() => one.stop.abort(new Error('the process ends')), 50);
    expect((await step).is).toBe('wait');
    go();
    const again = new Rehearsal(one.spec);
    Object.assign(again, { resource: one.resource, facts: one.facts });
    await again.launched(launcherFor());
    expect(cloud.alive().filter(({ tags }) => tags['berth:resource'] === one.resource).length).toBe(1);
    await again.end(launcher);
  });
});

describe('offers', () => {
  const spot = { markets: [{ market: 'spot' }, { market: 'on-demand' }] };

  it('that are refused give way to the next, and are asked for once only', async () => {
    const takeBack = cloud.refuse({ code: 'InsufficientInstanceCapacity', market: 'spot' });
    const time = clock();
    const launcher = launcherFor(time);
    const one = new Rehearsal(specFor(cloud, spot));
    await one.chosen(launcher);
    const asked = count(cloud, 'RunInstances');
    expect(await one.next(launcher)).toMatchObject({ is: 'refused', offer: 'c7i.large/-/spot', fault: 'capacity', error: expect.stringMatching(/^c7i\.large\/-\/spot: .*data\.spec\.types/) });
    expect(count(cloud, 'RunInstances')).toBe(asked + 1);
    expect(Date.parse(one.refused.get('c7i.large/-/spot') ?? '') - time.now()).toBeGreaterThan(290_000);
    expect(await one.next(launcher)).toMatchObject({ is: 'keep', facts: { offer: 'c7i.large/-/on-demand', tried: 2, token: `berth-${one.resource}-2` } });
    expect(await one.until(launcher)).toMatchObject({ is: 'up', attributes: { market: 'on-demand' } });
    takeBack();
    await one.end(launcher);
  });

  it('that are all refused fail the launch', async () => {
    const takeBack = cloud.refuse({ code: 'MaxSpotInstanceCountExceeded', market: 'spot' });
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(cloud, { markets: [{ market: 'spot' }] }));
    expect(await one.until(launcher)).toMatchObject({ is: 'failed', fault: 'capacity', error: expect.stringContaining('c7i.large/-/spot until 20') });
    expect(one.steps).toContainEqual(expect.objectContaining({ is: 'refused', fault: 'quota' }));
    expect(await one.end(launcher)).toBe(1);
    takeBack();
  });

  it('that do not fit the wants are not taken', async () => {
    expect(await new Rehearsal(specFor(cloud), { cpus: '>=8' }).next(launcherFor())).toMatchObject({ is: 'failed', fault: 'configuration', error: expect.stringContaining('cpus: >=8') });
  });

  it('that another launch found to be refused are left before they are asked for, if nothing can have come of them', async () => {
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(cloud, spot));
    await one.chosen(launcher);
    one.refused.set('c7i.large/-/spot', '2999-01-01T00:00:00.000Z');
    expect(await one.next(launcher)).toMatchObject({ is: 'keep', facts: { offer: 'c7i.large/-/on-demand', tried: 2 } });

    // Its answer was lost: leaving it now would leave an instance behind.
    const lost = new Rehearsal(one.spec);
    await lost.chosen(launcher);
    cloud.dropAnswer('RunInstances');
    expect(await lost.next(launcher)).toMatchObject({ is: 'keep', facts: { troubleSince: expect.any(String) } });
    lost.refused.set('c7i.large/-/spot', '2999-01-01T00:00:00.000Z');
    for (const process of [launcher, launcherFor()]) expect(await process.step(lost.launch)).toMatchObject({ is: 'keep', facts: { instance: expect.any(String) } });
    await lost.launched(launcher);
    await lost.end(launcher);
  });
});
