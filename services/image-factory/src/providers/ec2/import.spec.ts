import { CreateMultipartUploadCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UnavailableError } from '@berth/artifacts';
import { startEc2, type Ec2StandIn } from '../../../../../test/support/ec2/ec2.js';
import { startS3, type S3StandIn } from '../../../../../test/support/s3/s3.js';
import { eventually } from '../../../../../test/support/wait.js';
import { accountOf, aws, clock, crashes, grow, imagesOf, kept, MINUTE, quickly, Rehearsal, snapshotsOf } from '../provider.testing.js';

const MiB = 1024 ** 2;
let s3: S3StandIn;
let cloud: Ec2StandIn;
let disks: ReturnType<S3StandIn['addBucket']>;
beforeAll(async () => {
  s3 = await startS3();
  disks = s3.addBucket('disks');
  cloud = await startEc2({ s3 });
});
afterAll(async () => {
  await cloud.stop();
  await s3.stop();
});

const disk = kept('out/disk.raw', Buffer.alloc(300_000, 'disk'));
type Pushes = Rehearsal<ReturnType<typeof quickly>>;

function pushing({ file = disk.file, read = disk.read, arch = 'x86_64' as 'x86_64' | 'aarch64', bucket = 'disks', on = cloud, boot = undefined as 'uefi' | 'none' | undefined } = {}): Pushes {
  const os = { name: 'debian', version: '12', arch };
  const provider = aws(on, { target: 'raw', bucket: { name: bucket, endpoint: s3.endpoint } });
  return new Rehearsal((by, call) => by.push({ ...call, object: file, os, ...(boot && { boot }) }), { account: accountOf(on), provider, read });
}

/** What is left of a push in the bucket. */
const left = ({ call }: Pushes) => [...[...disks.objects.keys()], ...[...disks.uploads.values()].map(({ key }) => key)].filter((key) => key.includes(call.version));

describe('a disk', () => {
  it.each(crashes)('becomes one image with one snapshot when the process dies: %s', async (crash) => {
    const one = pushing();
    const step = await one.until(quickly, { crash });
    const [image, ...more] = imagesOf(cloud, one);
    expect(more).toEqual([]);
    expect(step).toEqual({ is: 'done', id: image?.id });
    const [snapshot, ...others] = snapshotsOf(cloud, one);
    expect(others).toEqual([]);
    expect(image).toMatchObject({ architecture: 'x86_64', virtualizationType: 'hvm', enaSupport: true, bootMode: undefined, rootDevice: '/dev/xvda', mappings: [{ device: '/dev/xvda', snapshotId: snapshot?.id, type: 'gp3', deleteOnTermination: true }] });
    for (const { tags } of [image!, snapshot!]) expect(tags).toMatchObject({ 'berth:image': 'web', 'berth:version': one.call.version, 'berth:number': String(one.call.number), team: 'blue' });
    expect(cloud.imports().filter(({ key }) => key.includes(one.call.version))).toHaveLength(1);
    expect(left(one)).toEqual([]);
    // After a crash the bytes begin anew.
    if (crash === 'never') expect(grow(one.percents())).toBe(true);
  });

  it('of ARM boots by UEFI', async () => {
    const one = pushing({ arch: 'aarch64' });
    await one.until(quickly);
    expect(imagesOf(cloud, one)).toMatchObject([{ architecture: 'arm64', bootMode: 'uefi' }]);
  });

  it('that was made to boot by UEFI is registered for that alone', async () => {
    const one = pushing({ boot: 'uefi' });
    await one.until(quickly);
    expect(imagesOf(cloud, one)).toMatchObject([{ architecture: 'x86_64', bootMode: 'uefi' }]);
  });

  it('that was made to be mounted only is refused before any of it is sent', async () => {
    const one = pushing({ boot: 'none' });
    expect(await one.until(quickly)).toEqual({ is: 'failed', error: `the disk of web ${one.call.number} does not boot, so EC2 can't start it: set targets.raw.boot to uefi, and build it again` });
    expect(left(one)).toEqual([]);
    expect(one.facts).toEqual({});
  });

  it('that is large goes in parts, and tells how far it is', async () => {
    const large = kept('large.raw', Buffer.alloc(17 * MiB, 'x'));
    const one = pushing({ file: large.file, read: large.read });
    const go = s3.hang('UploadPart');
    const by = quickly();
    await one.next(by);
    await eventually(async () => {
      const step = await one.next(by);
      return 'percent' in step && (step.percent ?? 0) > 0 && step.activity === 'uploads the disk';
    });
    await eventually(() => [...disks.uploads.values()].some(({ key }) => key === one.facts['key']));
    go();
    expect(await one.until(() => by)).toMatchObject({ is: 'done' });
    expect(s3.calls.filter(({ action, key }) => action === 'UploadPart' && key === one.facts['key'])).toHaveLength(3);
    expect(large.reads()).toBe(1);
    expect(left(one)).toEqual([]);
  });

  it('begins anew after a crash, and takes away what is left of the first upload', async () => {
    const one = pushing();
    await one.next(quickly());
    const client = new S3Client({ endpoint: s3.endpoint, region: s3.region, forcePathStyle: true, credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey } });
    await client.send(new CreateMultipartUploadCommand({ Bucket: 'disks', Key: one.facts['key'] }));
    client.destroy();
    expect(left(one)).toHaveLength(1);
    await one.until(quickly, { enough: (step) => step.is === 'keep' && 'uploaded' in step.facts });
    expect(left(one)).toEqual([one.facts['key']]);
    await one.until(quickly);
  });

  it('that is there whole is not uploaded again', async () => {
    const one = pushing();
    await one.next(quickly());
    const before = disk.reads();
    await quickly().push({ ...one.now, object: disk.file, os: undefined });
    await eventually(() => disks.objects.has(one.facts['key']!));
    expect(await one.until(quickly)).toMatchObject({ is: 'done' });
    expect(disk.reads() - before).toBe(1);
  });

  it('waits for what EC2 does not show yet', async () => {
    const one = pushing();
    cloud.refuse({ action: 'CreateTags', code: 'InvalidSnapshot.NotFound', times: 2 });
    expect(await one.until(quickly)).toMatchObject({ is: 'done' });
  });

  it('is registered once though the answers are lost', async () => {
    const one = pushing();
    for (const action of ['ImportSnapshot', 'RegisterImage', 'CreateTags']) cloud.dropAnswer(action, 2);
    expect(await one.until(quickly)).toMatchObject({ is: 'done' });
    expect(imagesOf(cloud, one)).toHaveLength(1);
    expect(snapshotsOf(cloud, one)).toHaveLength(1);
    expect(cloud.imports().filter(({ key }) => key.includes(one.call.version))).toHaveLength(1);
  });
});

describe('what goes wrong', () => {
  it.each(crashes)('with the import is told, and nothing is left when the process dies: %s', async (crash) => {
    const one = pushing();
    cloud.spoilImage({ by: 'ImportSnapshot', fault: 'fails', message: 'Disk validation failed [Unsupported disk]', times: 1 });
    expect(await one.until(quickly, { crash })).toEqual({ is: 'failed', error: expect.stringMatching(/^EC2 did not import the disk in account \S+: ClientError: Disk validation failed \[Unsupported disk\] \(import-snap-\w+\)$/) });
    expect(left(one)).toEqual([]);
  });

  it('with an import that never ends is told after two hours, and it is cancelled', async () => {
    const time = clock();
    const one = pushing();
    cloud.spoilImage({ by: 'ImportSnapshot', fault: 'never', times: 1 });
    await one.until(() => quickly(time), { enough: (step) => 'percent' in step && step.percent === 70 });
    expect(one.steps.at(-1)).toMatchObject({ activity: 'imports the disk: preparing' });
    time.forward(121 * MINUTE);
    expect(await one.until(() => quickly(time))).toEqual({ is: 'failed', error: expect.stringMatching(/within 120 minutes: import-snap-\w+ is still active, at 50 % \(preparing\)$/) });
    expect(cloud.imports().at(-1)).toMatchObject({ status: 'deleted' });
    expect(left(one)).toEqual([]);
  });

  it.each(crashes)('with the image is told, and neither it nor its snapshot is left when the process dies: %s', async (crash) => {
    const one = pushing();
    cloud.spoilImage({ by: 'RegisterImage', fault: 'fails', message: 'Invalid disk', times: 1 });
    const before = cloud.snapshots().length;
    expect(await one.until(quickly, { crash })).toEqual({ is: 'failed', error: expect.stringContaining('is failed: Invalid disk') });
    expect(imagesOf(cloud, one)).toEqual([]);
    expect(cloud.snapshots()).toHaveLength(before);
  });

  it('with the registration is told, and the snapshot is not left', async () => {
    const one = pushing();
    const before = cloud.snapshots().length;
    const takeBack = cloud.refuse({ action: 'RegisterImage', code: 'UnauthorizedOperation' });
    expect(await one.until(quickly)).toEqual({ is: 'failed', error: expect.stringContaining('ec2:RegisterImage') });
    takeBack();
    expect(cloud.snapshots()).toHaveLength(before);
    expect(left(one)).toEqual([]);
  });

  it('with the role of the import is told with the way out', async () => {
    const none = await startEc2({ s3, importRole: null });
    const one = pushing({ on: none });
    expect(await one.until(quickly)).toEqual({ is: 'failed', error: expect.stringMatching(/^EC2 refuses ImportSnapshot for account .*To go on, make the role vmimport in that account/) });
    expect(left(one)).toEqual([]);
    await none.stop();
  });

  it('with the bytes is told, and not a part of them is uploaded', async () => {
    const damaged = async function* () {
      yield Buffer.alloc(disk.file.bytes, 'other');
    };
    const one = pushing({ read: async () => damaged() });
    expect(await one.until(quickly)).toEqual({ is: 'failed', error: expect.stringMatching(/^the stored bytes of out\/disk\.raw are not those that were built: their SHA-256 is .*Build it again$/) });
    expect(left(one)).toEqual([]);
    const gone = pushing({ read: () => Promise.reject(new Error('there is no object build/disk.raw')) });
    expect(await gone.until(quickly)).toEqual({ is: 'failed', error: expect.stringMatching(/^out\/disk\.raw can't be read from the store of artifacts: there is no object build\/disk\.raw/) });
  });

  it('with the store of artifacts passes', async () => {
    let asked = 0;
    const one = pushing({ read: (object) => (++asked < 3 ? Promise.reject(new UnavailableError('it is switched off')) : disk.read(object)) });
    expect(await one.until(quickly)).toMatchObject({ is: 'done' });
    expect(one.steps).toContainEqual({ is: 'keep', facts: { troubleSince: expect.any(String) } });
  });

  it('with S3 passes, or is told', async () => {
    const one = pushing();
    s3.fault({ action: 'PutObject', refuse: 'SlowDown', times: 3 });
    expect(await one.until(quickly)).toMatchObject({ is: 'done' });
    expect(one.steps).toContainEqual({ is: 'keep', facts: { troubleSince: expect.any(String) } });
    const two = pushing();
    const takeBack = s3.fault({ action: 'PutObject', refuse: 'AccessDenied' });
    expect(await two.until(quickly)).toEqual({ is: 'failed', error: expect.stringMatching(/^the bucket disks can't be used by account \S+ in eu-central-1: .*AccessDenied.*put, read and delete objects/) });
    takeBack();
    expect(await pushing({ bucket: 'nowhere' }).until(quickly)).toEqual({ is: 'failed', error: expect.stringMatching(/^the bucket nowhere can't be used by .*: there is none of this name/) });
  });

  it('with what was never built is told', async () => {
    const none = new Rehearsal<ReturnType<typeof quickly>>((by, call) => by.push({ ...call, os: undefined }), { account: accountOf(cloud), provider: aws(cloud, { target: 'raw' }) });
    expect(await none.until(quickly)).toEqual({ is: 'failed', error: expect.stringContaining('build it for the target raw') });
    const bucketless = new Rehearsal<ReturnType<typeof quickly>>((by, call) => by.push({ ...call, object: disk.file, os: undefined }), { account: accountOf(cloud), provider: aws(cloud, { target: 'raw' }) });
    expect(await bucketless.until(quickly)).toEqual({ is: 'failed', error: expect.stringContaining('has no bucket') });
  });
});

describe('a push that is not gone on with', () => {
  it.each(['key', 'uploaded', 'task', 'snapshot', 'image'])('is cleared away once there is: %s', async (fact) => {
    for (const crash of crashes) {
      const one = pushing();
      const before = cloud.snapshots().length;
      await one.until(quickly, { enough: (step) => step.is === 'keep' && fact in step.facts });
      const end = new Rehearsal<ReturnType<typeof quickly>>((by, call) => by.abandon(call), one.call);
      end.facts = one.facts;
      expect(await end.until(quickly, { crash })).toEqual({ is: 'gone', manual: [] });
      expect(imagesOf(cloud, one)).toEqual([]);
      expect(cloud.snapshots()).toHaveLength(before);
      expect(left(one)).toEqual([]);
      expect(cloud.imports().some(({ status }) => status === 'active')).toBe(false);
    }
  });

  it('looks again at an import that comes to its end while it is cancelled', async () => {
    const one = pushing();
    const before = cloud.snapshots().length;
    await one.until(quickly, { enough: (step) => step.is === 'keep' && 'task' in step.facts });
    const go = cloud.hang('CancelImportTask');
    const end = new Rehearsal<ReturnType<typeof quickly>>((by, call) => by.abandon(call), one.call);
    end.facts = one.facts;
    const gone = end.until(quickly);
    await eventually(() => cloud.imports().at(-1)?.status !== 'active');
    go();
    expect(await gone).toEqual({ is: 'gone', manual: [] });
    expect(cloud.snapshots()).toHaveLength(before);
  });

  it('ends its upload', async () => {
    const one = pushing();
    const go = s3.hang('PutObject');
    const by = quickly();
    await one.next(by);
    await one.next(by);
    const abandoned = by.abandon(one.now);
    go();
    expect(await abandoned).toMatchObject({ is: 'wait' });
    expect(left(one)).toEqual([]);
    await by.close();
  });
});
