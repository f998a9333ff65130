import { DescribeInstancesCommand, EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEc2, type Ec2StandIn } from '../../../../../test/support/ec2/ec2.js';
import { eventually } from '../../../../../test/support/wait.js';
import type { ec2Provider } from '../ec2.js';
import { accountOf, aws, clock, count, crashes, grow, imagesOf, MINUTE, quickly, Rehearsal, snapshotsOf } from '../provider.testing.js';

let cloud: Ec2StandIn;
beforeAll(async () => {
  // sshd of these never starts: what is looked at here is the API.
  cloud = await startEc2({ bootMs: 60_000, pendingMs: 1 });
});
afterAll(() => cloud.stop());

type Seals = Rehearsal<ReturnType<typeof ec2Provider>>;

async function running(on: Ec2StandIn): Promise<string> {
  const { endpoint, region, accessKeyId, secretAccessKey } = on;
  const client = new EC2Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
  const { Instances } = await client.send(new RunInstancesCommand({ ImageId: on.addImage().id, InstanceType: 'm7i.large', MinCount: 1, MaxCount: 1, BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: { VolumeSize: 3 } }] }));
  const id = Instances?.[0]?.InstanceId ?? '';
  await eventually(async () => (await client.send(new DescribeInstancesCommand({ InstanceIds: [id] }))).Reservations?.[0]?.Instances?.[0]?.State?.Name === 'running');
  client.destroy();
  return id;
}

async function sealing(on = cloud, instance?: string): Promise<Seals> {
  const host = instance ?? (await running(on));
  return new Rehearsal((provider, call) => provider.seal({ ...call, instance: host }), { account: accountOf(on), provider: aws(on) });
}

describe('sealing a host', () => {
  it.each(crashes)('makes one image of it when the process dies: %s', async (crash) => {
    const one = await sealing();
    const step = await one.until(quickly, { crash });
    const [image, ...others] = imagesOf(cloud, one);
    expect(others).toEqual([]);
    expect(step).toEqual({ is: 'done', id: image?.id });
    expect(image).toMatchObject({ name: `web/${one.call.number}-${one.call.version}-1`, state: 'available', tags: { 'berth:image': 'web', 'berth:number': String(one.call.number), team: 'blue' } });
    expect(snapshotsOf(cloud, one).map(({ id }) => id)).toEqual(image?.mappings.map(({ snapshotId }) => snapshotId));
    expect(grow(one.percents())).toBe(true);
  });

  it('does not stop the host, and tells how far it is', async () => {
    const one = await sealing();
    const takeBack = cloud.spoilImage({ by: 'CreateImage', fault: 'never', times: 1 });
    await one.until(quickly, { enough: (step) => 'percent' in step && (step.percent ?? 0) > 50 });
    takeBack();
    expect(one.percents().at(-1)).toBe(5 + 47);
    expect(one.steps.at(-1)).toMatchObject({ activity: expect.stringMatching(/^waits until ami-\w+ is available$/) });
    expect(cloud.calls.findLast(({ action }) => action === 'CreateImage')?.parameters).toMatchObject({ NoReboot: 'true' });
  });

  it('adopts what was made when the answer was lost', async () => {
    const one = await sealing();
    cloud.dropAnswer('CreateImage');
    expect(await one.until(quickly)).toMatchObject({ is: 'done' });
    expect(imagesOf(cloud, one)).toHaveLength(1);
    expect(cloud.calls.some(({ action, error }) => action === 'CreateImage' && error === 'InvalidAMIName.Duplicate')).toBe(true);
  });

  it('waits for what EC2 does not show yet', async () => {
    const slow = await startEc2({ bootMs: 60_000, pendingMs: 1, describeLagMs: 250 });
    const one = await sealing(slow);
    slow.dropAnswer('CreateImage', 2);
    expect(await one.until(quickly)).toMatchObject({ is: 'done' });
    expect(imagesOf(slow, one)).toHaveLength(1);
    await slow.stop();
  });

  it('does not take an image of others for its own', async () => {
    const one = await sealing();
    await one.next(quickly());
    const { id } = cloud.addImage({ name: one.facts['name']! });
    expect(await one.until(quickly)).toEqual({ is: 'failed', error: expect.stringContaining(`is taken in account ${one.call.account.name} by ${id}`) });
    expect(cloud.images().some((image) => image.id === id)).toBe(true);
  });
});

describe('an image that does not become one', () => {
  it.each(crashes)('has failed with the reason of EC2, and nothing of it stays when the process dies: %s', async (crash) => {
    const one = await sealing();
    cloud.spoilImage({ by: 'CreateImage', fault: 'fails', code: 'Client.InternalError', message: 'Client error on creation', times: 1 });
    expect(await one.until(quickly, { crash })).toEqual({ is: 'failed', error: expect.stringMatching(/^the image ami-\w+ in account \S+ is failed: Client error on creation \(Client\.InternalError\)$/) });
    expect(imagesOf(cloud, one)).toEqual([]);
    expect(snapshotsOf(cloud, one)).toEqual([]);
  });

  it('has failed after two hours, and tells what was seen last', async () => {
    const time = clock();
    const one = await sealing();
    cloud.spoilImage({ by: 'CreateImage', fault: 'never', times: 1 });
    const provider = () => quickly(time);
    await one.until(provider, { enough: (step) => 'percent' in step && step.percent === 52 });
    time.forward(119 * MINUTE);
    expect(await one.next(provider())).toMatchObject({ is: 'wait' });
    time.forward(2 * MINUTE);
    expect(await one.until(provider)).toEqual({ is: 'failed', error: expect.stringMatching(/was not available after 120 minutes: it is still pending, and 50 % of its snapshots are there$/) });
    expect(imagesOf(cloud, one)).toEqual([]);
    expect(snapshotsOf(cloud, one)).toEqual([]);
  });

  it('has failed when EC2 does not show it any more', async () => {
    const one = await sealing();
    await one.until(quickly, { enough: (step) => step.is === 'keep' && 'image' in step.facts });
    cloud.removeImage(one.facts['image']!);
    const time = clock();
    time.forward(MINUTE);
    expect(await one.until(() => quickly(time))).toEqual({ is: 'failed', error: expect.stringContaining('does not show it') });
  });

  it('tells what could not be removed after it', async () => {
    const one = await sealing();
    cloud.spoilImage({ by: 'CreateImage', fault: 'fails', times: 1 });
    const takeBack = cloud.refuse({ code: 'UnauthorizedOperation', action: 'DeregisterImage' });
    expect(await one.until(quickly)).toEqual({ is: 'failed', error: expect.stringMatching(/is failed: .*What was made for it could not be removed: account \S+ in eu-central-1 may not do this: .*ec2:DeregisterImage$/) });
    takeBack();
  });
});

describe('trouble', () => {
  it('that passes is waited for, and forgotten after', async () => {
    const one = await sealing();
    const lines: string[] = [];
    await one.next(quickly());
    cloud.refuse({ code: 'RequestLimitExceeded', action: 'CreateImage', times: 2 });
    cloud.refuse({ code: 'PendingSnapshotLimitExceeded', action: 'CreateImage', times: 1 });
    expect(await one.until(() => quickly({ log: (line) => void lines.push(line) }))).toMatchObject({ is: 'done' });
    expect(lines[0]).toContain(`web ${one.call.number} waits: EC2 asks to be asked less often for account`);
    expect(lines.some((line) => line.includes('PendingSnapshotLimitExceeded'))).toBe(true);
    expect(one.facts).not.toHaveProperty('troubleSince');
    expect(imagesOf(cloud, one)).toHaveLength(1);
  });

  it('of more than half an hour is a failure', async () => {
    const time = clock();
    const one = await sealing();
    const provider = quickly(time);
    await one.next(provider);
    const takeBack = cloud.refuse({ code: 'InternalError', action: 'CreateImage' });
    expect(await one.next(provider)).toMatchObject({ is: 'keep', facts: { troubleSince: expect.any(String) } });
    time.forward(29 * MINUTE);
    expect(await one.next(provider)).toMatchObject({ is: 'wait' });
    time.forward(2 * MINUTE);
    expect(await one.until(() => quickly(time))).toEqual({ is: 'failed', error: expect.stringMatching(/^given up after 31 minutes: EC2 did not answer account .*InternalError/) });
    takeBack();
    expect(imagesOf(cloud, one)).toEqual([]);
  });

  it('is over when nobody wants it any more', async () => {
    const one = await sealing();
    await one.next(quickly());
    one.stop.abort();
    expect(await one.next(quickly())).toMatchObject({ is: 'wait' });
    expect(imagesOf(cloud, one)).toEqual([]);
  });

  it.each([
    ['UnauthorizedOperation', 'may not do this: .*ec2:CreateImage$'],
    ['AuthFailure', 'do not work: .*Set BERTH_IMAGE_SPEC_123456789012_ACCESS_KEY_ID and .*_SECRET_ACCESS_KEY where the image factory runs$'],
    ['SnapshotLimitExceeded', '^EC2 refuses CreateImage for account .*SnapshotLimitExceeded'],
  ])('%s is no passing one', async (code, error) => {
    const one = await sealing();
    const takeBack = cloud.refuse({ code, action: 'CreateImage' });
    expect(await one.until(quickly)).toEqual({ is: 'failed', error: expect.stringMatching(new RegExp(error)) });
    takeBack();
  });

  it('that keeps what was made from being removed as well is told once', async () => {
    const one = await sealing();
    await one.next(quickly());
    const takeBack = cloud.refuse({ code: 'AuthFailure' });
    expect(await one.until(quickly)).toEqual({ is: 'failed', error: expect.not.stringContaining('could not be removed') });
    takeBack();
  });

  it('with a host that is gone is a failure', async () => {
    const one = await sealing(cloud, 'i-0123456789abcdef0');
    expect(await one.until(quickly)).toEqual({ is: 'failed', error: expect.stringContaining('InvalidInstanceID.NotFound') });
  });
});

describe('a seal that is not gone on with', () => {
  it.each(crashes)('is cleared away at any point when the process dies: %s', async (crash) => {
    for (const fact of ['name', 'image']) {
      const one = await sealing();
      await one.until(quickly, { enough: (step) => step.is === 'keep' && fact in step.facts });
      // What its answer would have said is lost.
      if (fact === 'name') await quickly().seal({ ...one.now, instance: await running(cloud) });
      expect(imagesOf(cloud, one)).toHaveLength(1);
      const end = new Rehearsal<ReturnType<typeof ec2Provider>>((provider, call) => provider.abandon(call), one.call);
      end.facts = one.facts;
      expect(await end.until(quickly, { crash })).toEqual({ is: 'gone', manual: [] });
      expect(imagesOf(cloud, one)).toEqual([]);
      expect(snapshotsOf(cloud, one)).toEqual([]);
    }
  });

  it('before anything was made asks nobody', async () => {
    const one = await sealing();
    const asked = count(cloud, 'DescribeImages');
    expect(await quickly().abandon(one.now)).toEqual({ is: 'gone', manual: [] });
    expect(count(cloud, 'DescribeImages')).toBe(asked);
  });
});
