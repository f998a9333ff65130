import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tempFolder } from '../../../../../test/support/cleanup.js';
import { startEc2, type Ec2StandIn } from '../../../../../test/support/ec2/ec2.js';
import { clock, count, launcherFor, Rehearsal, specFor } from './ec2.testing.js';

const MINUTE = 60_000;
let cloud: Ec2StandIn;
beforeAll(async () => {
  cloud = await startEc2();
});
afterAll(() => cloud.stop());

const launchesOf = ({ resource }: Rehearsal): number => cloud.instances().filter(({ tags }) => tags['berth:resource'] === resource).length;

describe('an answer that does not come', () => {
  it('because it got lost is asked for again with the same token', async () => {
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(cloud));
    await one.chosen(launcher);
    cloud.dropAnswer('RunInstances', 3);
    await one.launched(launcher);
    expect(one.facts).not.toHaveProperty('troubleSince');
    expect(launchesOf(one)).toBe(1);
    await one.end(launcher);
  });

  it('within the time limit is asked for again, and what was late changes nothing', async () => {
    const launcher = launcherFor({ timing: { request: 100 } });
    const one = new Rehearsal(specFor(cloud));
    await one.chosen(launcher);
    const go = cloud.hang('RunInstances');
    expect(await one.next(launcher)).toMatchObject({ is: 'keep', facts: { troubleSince: expect.any(String) } });
    expect(await one.next(launcher)).toMatchObject({ is: 'wait' });
    go();
    await one.launched(launcher);
    expect(launchesOf(one)).toBe(1);
    await one.end(launcher);
  });

  it('for five minutes is an outage', async () => {
    const time = clock();
    const lines: string[] = [];
    const launcher = launcherFor({ ...time, log: (line) => void lines.push(line) });
    const one = new Rehearsal(specFor(cloud));
    await one.chosen(launcher);
    const takeBack = cloud.refuse({ code: 'InternalError', action: 'RunInstances' });
    expect(await one.next(launcher)).toMatchObject({ is: 'keep' });
    time.forward(4 * MINUTE);
    expect(await one.next(launcher)).toMatchObject({ is: 'wait' });
    time.forward(2 * MINUTE);
    expect(await one.next(launcher)).toMatchObject({ is: 'failed', fault: 'outage', error: expect.stringContaining('InternalError') });
    expect(lines[0]).toContain(`the launch of ${one.resource} waits: `);
    takeBack();
    // A server error says nothing of what was done.
    expect(await launcher.destroy(one.launch)).toMatchObject({ is: 'wait' });
    time.forward(31_000);
    expect(await one.end(launcher)).toBe(2);
  });

  it('because there is nobody is an outage too, and nothing is left to end', async () => {
    const time = clock();
    const launcher = launcherFor(time);
    const one = new Rehearsal(specFor(cloud, { endpoint: 'http://127.0.0.1:9' }));
    expect(await one.next(launcher)).toMatchObject({ is: 'keep', facts: { token: expect.any(String) } });
    await one.next(launcher);
    time.forward(6 * MINUTE);
    expect(await one.next(launcher)).toMatchObject({ is: 'failed', fault: 'outage', error: expect.stringContaining('data.spec.endpoint') });
    expect(await launcher.destroy(one.launch)).toEqual({ is: 'gone' });
  });
});

describe('throttling', () => {
  it('is waited for, and a launch is not asked for again by the SDK', async () => {
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(cloud));
    await one.chosen(launcher);
    cloud.throttle(2, 'RunInstances');
    const asked = count(cloud, 'RunInstances');
    await one.next(launcher);
    expect(count(cloud, 'RunInstances')).toBe(asked + 1);
    await one.until(launcher);
    expect(launchesOf(one)).toBe(1);
    await one.end(launcher);
  });

  it('for two minutes fails the launch, which then has launched nothing', async () => {
    const time = clock();
    const launcher = launcherFor(time);
    const one = new Rehearsal(specFor(cloud));
    await one.chosen(launcher);
    const takeBack = cloud.refuse({ code: 'RequestLimitExceeded', action: 'RunInstances' });
    await one.next(launcher);
    time.forward(3 * MINUTE);
    expect(await one.next(launcher)).toMatchObject({ is: 'failed', fault: 'throttled' });
    expect(await one.end(launcher)).toBe(1);
    takeBack();
  });

  it('of looks is waited for until the time of the boot is over', async () => {
    const time = clock();
    const launcher = launcherFor(time);
    const one = new Rehearsal(specFor(cloud));
    await one.launched(launcher);
    const takeBack = cloud.refuse({ code: 'RequestLimitExceeded', action: 'DescribeInstances' });
    expect(await one.next(launcher)).toMatchObject({ is: 'wait' });
    time.forward(6 * MINUTE);
    expect(await one.next(launcher)).toMatchObject({ is: 'failed', fault: 'throttled' });
    takeBack();
    await one.end(launcher);
  });
});

describe('a refusal', () => {
  it.each([
    ['UnauthorizedOperation', 'credentials', 'data.spec.credentials'],
    ['OptInRequired', 'credentials', 'data.spec.credentials'],
    ['InvalidParameterCombination', 'configuration', 'data.spec'],
  ])('%s fails the launch as %s', async (code, fault, field) => {
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(cloud));
    await one.chosen(launcher);
    const takeBack = cloud.refuse({ code, action: 'RunInstances' });
    expect(await one.next(launcher)).toMatchObject({ is: 'failed', fault, error: expect.stringContaining(`See ${field}`) });
    expect(await one.end(launcher)).toBe(1);
    takeBack();
  });

  it.each([
    [{ securityGroups: ['sg-00000000'] }, 'configuration', 'data.spec.securityGroups'],
    [{ keyName: 'nobody' }, 'configuration', 'data.spec.keyName'],
    [{ instanceProfile: 'nobody' }, 'configuration', 'data.spec.instanceProfile'],
    [{ zones: [{ subnet: 'subnet-00000000' }] }, 'configuration', 'data.spec.zones'],
    [{ zones: [{ zone: 'eu-central-1z' }] }, 'configuration', 'data.spec.zones'],
    [{ types: [{ type: 'x9.gigantic' }] }, 'configuration', 'data.spec.types'],
    [{ image: { ami: 'ami-00000000' } }, 'image', 'data.spec.image'],
    [{ volumes: [{ device: '/dev/sdf', sizeGiB: 1 }, { device: '/dev/sdf', sizeGiB: 1 }] }, 'image', 'data.spec.volumes'],
  ])('of %j is told as %s of %s', async (given, fault, field) => {
    const one = new Rehearsal(specFor(cloud, given));
    expect(await one.until(launcherFor())).toMatchObject({ is: 'failed', fault, error: expect.stringContaining(`See ${field}: `) });
  });

  it('of the key says nothing about it', async () => {
    const spec = specFor(cloud);
    process.env['BERTH_EC2_WRONG_ACCESS_KEY_ID'] = cloud.accessKeyId;
    process.env['BERTH_EC2_WRONG_SECRET_ACCESS_KEY'] = 'not-the-secret';
    const step = await new Rehearsal({ ...spec, credentials: 'env:BERTH_EC2_WRONG' }).until(launcherFor());
    expect(step).toMatchObject({ is: 'failed', fault: 'credentials', error: expect.stringContaining('SignatureDoesNotMatch') });
    expect(JSON.stringify(step)).not.toMatch(/not-the-secret|IOSFODNN7/);
  });

  it('for lack of a variable names it, and holds only until it is set', async () => {
    const launcher = launcherFor();
    const one = new Rehearsal({ ...specFor(cloud), credentials: 'env:BERTH_EC2_LATER' });
    expect(await one.next(launcher)).toMatchObject({ is: 'failed', fault: 'credentials', error: expect.stringContaining('BERTH_EC2_LATER_ACCESS_KEY_ID') });
    process.env['BERTH_EC2_LATER_ACCESS_KEY_ID'] = cloud.accessKeyId;
    expect(await one.next(launcher)).toMatchObject({ is: 'failed', error: expect.stringContaining('BERTH_EC2_LATER_SECRET_ACCESS_KEY') });
    process.env['BERTH_EC2_LATER_SECRET_ACCESS_KEY'] = 'wrong at first';
    expect(await one.until(launcher)).toMatchObject({ is: 'failed', fault: 'credentials' });
    process.env['BERTH_EC2_LATER_SECRET_ACCESS_KEY'] = cloud.secretAccessKey;
    expect(await one.until(launcher)).toMatchObject({ is: 'up' });
    await one.end(launcher);
  });

  it('does not come for a profile that is there', async () => {
    const file = join(await tempFolder('ec2-profile'), 'credentials');
    await writeFile(file, `[other]\n\n[ci]\naws_access_key_id = ${cloud.accessKeyId}\naws_secret_access_key = ${cloud.secretAccessKey}\n`);
    process.env['AWS_SHARED_CREDENTIALS_FILE'] = file;
    const launcher = launcherFor();
    const one = new Rehearsal({ ...specFor(cloud), credentials: 'profile:ci' });
    await one.launched(launcher);
    await one.end(launcher);
    delete process.env['AWS_SHARED_CREDENTIALS_FILE'];
  });

  it('for lack of a profile does not become the role of the machine', async () => {
    const one = new Rehearsal({ ...specFor(cloud), credentials: 'profile:berth-has-no-such' });
    expect(await one.next(launcherFor())).toMatchObject({ is: 'failed', fault: 'credentials', error: expect.stringContaining('no profile berth-has-no-such') });
  });
});

describe('a token that was used before', () => {
  it('with other parameters gives what was launched then', async () => {
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(cloud));
    await one.chosen(launcher);
    await launcher.step(one.launch);
    one.spec = { ...one.spec, tags: { edited: 'meanwhile' } };
    await one.launched(launcherFor());
    expect(cloud.instance(String(one.facts['instance'])).tags).not.toHaveProperty('edited');
    expect(launchesOf(one)).toBe(1);
    await one.end(launcher);
  });

  it('a long time ago is looked up first: EC2 may have forgotten it', async () => {
    const time = clock();
    const one = new Rehearsal(specFor(cloud));
    await one.chosen(launcherFor(time));
    await launcherFor(time).step(one.launch);
    const asked = count(cloud, 'RunInstances');
    time.forward(26 * 60 * MINUTE);
    const launcher = launcherFor(time);
    await one.launched(launcher);
    expect(count(cloud, 'RunInstances')).toBe(asked);
    await one.end(launcher);
  });

  it.each(['describes', 'refuses'] as const)('by what has ended gives its end (EC2 %s it)', async (endedToken) => {
    const other = await startEc2({ endedToken, terminateMs: 1 });
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(other));
    await one.chosen(launcher);
    await launcher.step(one.launch);
    await other.vanish(other.instances()[0]!.id);
    expect(await one.until(launcherFor())).toMatchObject({ is: 'failed', fault: 'lost', error: expect.stringContaining('Server.InternalError') });
    await other.stop();
  });
});

describe('an instance', () => {
  it('that EC2 does not show yet is waited for', async () => {
    const slow = await startEc2({ describeLagMs: 250 });
    const launcher = launcherFor();
    const one = new Rehearsal(specFor(slow));
    expect(await one.until(launcher)).toMatchObject({ is: 'up' });
    expect(one.steps.filter(({ is }) => is === 'wait').length).toBeGreaterThan(2);
    await one.end(launcher);
    await slow.stop();
  });

  it('that EC2 never shows is lost after a minute', async () => {
    const time = clock();
    const launcher = launcherFor(time);
    const one = new Rehearsal(specFor(cloud));
    await cloud.vanish(await one.launched(launcher), { forgotten: true });
    expect(await one.next(launcher)).toMatchObject({ is: 'wait' });
    time.forward(61_000);
    expect(await one.next(launcher)).toMatchObject({ is: 'failed', fault: 'lost' });
    expect(await launcher.destroy(one.launch)).toMatchObject({ is: 'wait' });
    time.forward(5 * MINUTE);
    expect(await launcher.destroy(one.launch)).toEqual({ is: 'gone' });
  });

  it('that ends while it boots tells why', async () => {
    const launcher = launcherFor();
    cloud.spoil({ fault: 'dies-pending', times: 1 });
    const one = new Rehearsal(specFor(cloud));
    expect(await one.until(launcher)).toMatchObject({ is: 'failed', fault: 'lost', error: expect.stringMatching(/the instance i-\w+ is terminated: .*Server\.InternalError/) });
    const spot = new Rehearsal(specFor(cloud, { markets: [{ market: 'spot' }] }));
    await cloud.interrupt(await spot.launched(launcher));
    expect(await spot.until(launcher)).toMatchObject({ is: 'failed', fault: 'capacity', error: expect.stringContaining('Server.SpotInstanceTermination') });
  });

  it.each([
    ['stays-pending', 'it is still pending. See data.spec.timeouts.boot'],
    ['no-console', 'no SSH host key on its console'],
  ] as const)('that %s is given up in time', async (fault, error) => {
    const time = clock();
    const launcher = launcherFor(time);
    cloud.spoil({ fault, times: 1 });
    const one = new Rehearsal(specFor(cloud));
    await one.launched(launcher);
    const waiting = (): boolean => one.steps.slice(-8).filter(({ is }) => is === 'wait').length === 8;
    await one.until(launcher, waiting);
    time.forward(6 * MINUTE);
    expect(await one.next(launcher)).toMatchObject({ is: 'failed', fault: 'timeout', error: expect.stringContaining(error) });
    await one.end(launcher);
  });
});
