import {
  CancelImportTaskCommand, CopyImageCommand, CreateImageCommand, CreateTagsCommand, DeleteSnapshotCommand, DeregisterImageCommand, DescribeImageAttributeCommand, DescribeImagesCommand, DescribeImportSnapshotTasksCommand,
  DescribeSnapshotAttributeCommand, DescribeSnapshotsCommand, EC2Client, ImportSnapshotCommand, ModifyImageAttributeCommand, ModifySnapshotAttributeCommand, RegisterImageCommand, RunInstancesCommand,
  type CopyImageCommandInput, type CreateImageCommandInput, type DescribeImagesCommandInput, type ImportSnapshotCommandInput, type RegisterImageCommandInput,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startS3, type S3StandIn } from '../s3/s3.js';
import { eventually } from '../wait.js';
import { startEc2, type Ec2StandIn } from './ec2.js';

let ec2: Ec2StandIn;
/** the same account in another region */
let far: Ec2StandIn;
/** another account in the same region */
let other: Ec2StandIn;
let s3: S3StandIn;
let disks: ReturnType<S3StandIn['addBucket']>;
let client: EC2Client;
let farClient: EC2Client;
let otherClient: EC2Client;
const clients: EC2Client[] = [];

function connect({ endpoint, region, accessKeyId, secretAccessKey }: Ec2StandIn): EC2Client {
  const made = new EC2Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 });
  clients.push(made);
  return made;
}

beforeAll(async () => {
  s3 = await startS3();
  disks = s3.addBucket('disks');
  // sshd of these never starts: what is looked at here is the API.
  ec2 = await startEc2({ bootMs: 60_000, pendingMs: 1, s3 });
  far = await startEc2({ beside: ec2, region: 'us-east-1', s3 });
  other = await startEc2({ beside: ec2, accountId: '999999999999' });
  [client, farClient, otherClient] = [connect(ec2), connect(far), connect(other)];
});
afterAll(() => {
  for (const one of clients) one.destroy();
});

const refusal = (name: string, status = 400, message = /./) =>
  expect.objectContaining({ name, message: expect.stringMatching(message), $metadata: expect.objectContaining({ httpStatusCode: status }) });

let last = 0;
const named = (): string => `image ${++last}`;
const gone = '0123456789abcdef0';

async function running(on = ec2, by = client): Promise<string> {
  const { Instances } = await by.send(new RunInstancesCommand({ ImageId: on.addImage().id, InstanceType: 'm7i.large', MinCount: 1, MaxCount: 1, BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: { VolumeSize: 3 } }] }));
  const id = Instances?.[0]?.InstanceId as string;
  await eventually(() => on.instance(id).state === 'running');
  return id;
}
const create = async (more: Partial<CreateImageCommandInput>, by = client) => (await by.send(new CreateImageCommand({ InstanceId: undefined, Name: named(), NoReboot: true, ...more }))).ImageId as string;
const copy = async (more: Partial<CopyImageCommandInput> & { SourceImageId: string }, by = farClient) => (await by.send(new CopyImageCommand({ Name: named(), SourceRegion: ec2.region, ...more }))).ImageId as string;
const described = async (input: DescribeImagesCommandInput, by = client) => (await by.send(new DescribeImagesCommand(input))).Images ?? [];
const one = async (id: string, by = client) => (await described({ ImageIds: [id] }, by))[0];
const available = (id: string, by = client) => eventually(async () => {
  const image = await one(id, by);
  return image?.State === 'available' && image;
});
const snapshotsOf = (image: { BlockDeviceMappings?: { Ebs?: { SnapshotId?: string | undefined } | undefined }[] | undefined }) => image.BlockDeviceMappings?.flatMap(({ Ebs }) => Ebs?.SnapshotId ?? []) ?? [];

async function made(): Promise<string> {
  const id = await create({ InstanceId: await running() });
  await available(id);
  return id;
}

describe('CreateImage', () => {
  test('takes a snapshot of each volume, and is available after a while', async () => {
    const Tags = [{ Key: 'made', Value: 'here' }];
    const takeBack = ec2.spoilImage({ by: 'CreateImage', fault: 'never', times: 1 });
    const instance = await running();
    const slow = await create({ InstanceId: instance });
    expect(await eventually(async () => {
      const pending = await one(slow);
      const { Snapshots = [] } = await client.send(new DescribeSnapshotsCommand({ Filters: [{ Name: 'description', Values: [`*${slow}*`] }] }));
      return Snapshots[0]?.Progress === '50%' && { pending, Snapshots };
    })).toMatchObject({ pending: { State: 'pending', SourceInstanceId: instance }, Snapshots: [{ State: 'pending' }, { State: 'pending' }] });
    takeBack();
    const image = await available(await create({ InstanceId: instance, TagSpecifications: [{ ResourceType: 'image', Tags }, { ResourceType: 'snapshot', Tags }] }));
    expect(image).toMatchObject({ OwnerId: '123456789012', Architecture: 'x86_64', VirtualizationType: 'hvm', Tags });
    const { Snapshots } = await client.send(new DescribeSnapshotsCommand({ SnapshotIds: snapshotsOf(image) }));
    expect(Snapshots).toMatchObject([{ State: 'completed', Progress: '100%', VolumeSize: 8, Tags }, { VolumeSize: 3 }]);
    expect(Snapshots?.map(({ VolumeId }) => VolumeId)).toEqual(ec2.instance(instance).volumes.map(({ id }) => id));
  });

  test('takes a name once, whatever became of the first image', async () => {
    const instance = await running();
    ec2.spoilImage({ fault: 'fails', code: 'Client.InternalError', message: 'Client error on creation', times: 1 });
    const id = await create({ InstanceId: instance, Name: 'taken' });
    await expect(create({ InstanceId: instance, Name: 'taken' })).rejects.toEqual(refusal('InvalidAMIName.Duplicate', 400, new RegExp(id)));
    expect(await eventually(async () => {
      const image = await one(id);
      return image?.State === 'failed' && image;
    })).toMatchObject({ StateReason: { Code: 'Client.InternalError', Message: 'Client error on creation' } });
    await client.send(new DeregisterImageCommand({ ImageId: id }));
    expect(await create({ InstanceId: instance, Name: 'taken' })).not.toBe(id);
  });

  test.each<[string, Partial<CreateImageCommandInput>]>([
    ['InvalidAMIName.Malformed', { Name: 'a' }],
    ['InvalidAMIName.Malformed', { Name: 'a'.repeat(129) }],
    ['InvalidAMIName.Malformed', { Name: 'no:colon' }],
    ['MissingParameter', { Name: '' }],
    ['InvalidInstanceID.NotFound', { InstanceId: `i-${gone}` }],
    ['InvalidParameterValue', { TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'a', Value: '' }] }] }],
    ['UnsupportedByStandIn', { NoReboot: false }],
    ['DryRunOperation', { DryRun: true }],
  ])('%s: %o', async (code, more) => {
    const before = ec2.images().length;
    const InstanceId = await running();
    await expect(create({ InstanceId, ...more })).rejects.toEqual(refusal(code, code === 'DryRunOperation' ? 412 : 400));
    expect(ec2.images()).toHaveLength(before + 1);
  });

  test('is refused while the instance ends', async () => {
    const InstanceId = await running();
    await ec2.vanish(InstanceId);
    await expect(create({ InstanceId })).rejects.toEqual(refusal('IncorrectInstanceState'));
  });
});

describe('CopyImage', () => {
  test('makes an image of its own in the other region; the same token again is the same image', async () => {
    const SourceImageId = await made();
    const request = { SourceImageId, Name: named(), ClientToken: 'once', TagSpecifications: [{ ResourceType: 'image' as const, Tags: [{ Key: 'a', Value: 'b' }] }] };
    const id = await copy(request);
    expect(await copy(request)).toBe(id);
    await expect(copy({ ...request, Name: named() })).rejects.toEqual(refusal('IdempotentParameterMismatch'));
    const image = await available(id, farClient);
    expect(image).toMatchObject({ Name: request.Name, SourceImageId, SourceImageRegion: 'eu-central-1', Tags: [{ Key: 'a', Value: 'b' }] });
    const source = await one(SourceImageId);
    expect(snapshotsOf(image)).toHaveLength(2);
    expect(snapshotsOf(image)).not.toEqual(snapshotsOf(source!));
    await expect(one(id)).rejects.toEqual(refusal('InvalidAMIID.NotFound'));
    await expect(copy({ ...request, ClientToken: 'another' })).rejects.toEqual(refusal('InvalidAMIName.Duplicate'));
  });

  test('needs a source that exists there and is available', async () => {
    await expect(copy({ SourceImageId: `ami-${gone}` })).rejects.toEqual(refusal('InvalidAMIID.NotFound'));
    await expect(copy({ SourceImageId: await made(), SourceRegion: 'us-east-1' })).rejects.toEqual(refusal('InvalidAMIID.NotFound'));
    const { id } = ec2.addImage({ state: 'pending' });
    await expect(copy({ SourceImageId: id })).rejects.toEqual(refusal('InvalidAMIID.Unavailable'));
    await expect(copy({ SourceImageId: 'mine' })).rejects.toEqual(refusal('InvalidAMIID.Malformed'));
  });

  test('of what another account owns needs its image and each of its snapshots shared', async () => {
    const id = await made();
    const snapshots = snapshotsOf((await one(id))!);
    const attempt = () => copy({ SourceImageId: id }, otherClient);
    await expect(attempt()).rejects.toEqual(refusal('InvalidAMIID.NotFound'));
    expect(await described({ ImageIds: [id] }, otherClient)).toEqual([]);
    await client.send(new ModifyImageAttributeCommand({ ImageId: id, LaunchPermission: { Add: [{ UserId: other.accountId }] } }));
    expect(await described({ ImageIds: [id] }, otherClient)).toMatchObject([{ OwnerId: ec2.accountId }]);
    expect(await described({ Owners: ['self'], ImageIds: [id] }, otherClient)).toEqual([]);
    await expect(attempt()).rejects.toEqual(refusal('InvalidRequest', 400, /permission to access the storage/));
    for (const SnapshotId of snapshots) await client.send(new ModifySnapshotAttributeCommand({ SnapshotId, CreateVolumePermission: { Add: [{ UserId: other.accountId }] } }));
    const copied = await attempt();
    expect(await available(copied, otherClient)).toMatchObject({ OwnerId: other.accountId });
    expect((await client.send(new DescribeImageAttributeCommand({ ImageId: id, Attribute: 'launchPermission' }))).LaunchPermissions).toEqual([{ UserId: other.accountId }]);
    expect((await client.send(new DescribeSnapshotAttributeCommand({ SnapshotId: snapshots[0], Attribute: 'createVolumePermission' }))).CreateVolumePermissions).toEqual([{ UserId: other.accountId }]);
    await client.send(new ModifyImageAttributeCommand({ ImageId: id, LaunchPermission: { Remove: [{ UserId: other.accountId }] } }));
    expect(await described({ ImageIds: [id] }, otherClient)).toEqual([]);
  });
});

describe('RegisterImage', () => {
  const root = (SnapshotId: string): Partial<RegisterImageCommandInput> => ({ RootDeviceName: '/dev/xvda', BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId } }] });
  const register = async (more: Partial<RegisterImageCommandInput>) => (await client.send(new RegisterImageCommand({ Name: named(), Architecture: 'x86_64', VirtualizationType: 'hvm', EnaSupport: true, ...more }))).ImageId as string;

  test('makes an image of a snapshot that is completed', async () => {
    const SnapshotId = ec2.addSnapshot({ sizeGiB: 5 });
    const id = await register({ ...root(SnapshotId), Architecture: 'arm64', BootMode: 'uefi', TagSpecifications: [{ ResourceType: 'image', Tags: [{ Key: 'a', Value: 'b' }] }] });
    expect(await available(id)).toMatchObject({ Architecture: 'arm64', BootMode: 'uefi', EnaSupport: true, RootDeviceName: '/dev/xvda', BlockDeviceMappings: [{ Ebs: { SnapshotId, VolumeSize: 5 } }], Tags: [{ Key: 'a', Value: 'b' }] });
  });

  test.each(['legacy-bios', 'uefi', 'uefi-preferred', undefined] as const)('with the boot mode %s', async (BootMode) => {
    expect((await available(await register({ ...root(ec2.addSnapshot({ sizeGiB: 5 })), BootMode })))?.BootMode).toBe(BootMode);
  });

  test.each<[string, (snapshot: string) => Partial<RegisterImageCommandInput>]>([
    ['InvalidSnapshot.NotFound', () => root(`snap-${gone}`)],
    ['InvalidSnapshotID.Malformed', () => root('mine')],
    ['IncorrectState', () => root(ec2.addSnapshot({ state: 'pending' }))],
    ['InvalidBlockDeviceMapping', (snapshot) => ({ ...root(snapshot), RootDeviceName: '/dev/sda1' })],
    ['InvalidBlockDeviceMapping', (snapshot) => ({ BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: snapshot, VolumeSize: 4 } }] })],
    ['InvalidParameterValue', (snapshot) => ({ ...root(snapshot), Architecture: 'aarch64' as never })],
    ['InvalidParameterCombination', (snapshot) => ({ ...root(snapshot), VirtualizationType: undefined })],
    ['InvalidParameterCombination', (snapshot) => ({ ...root(snapshot), Architecture: 'arm64', BootMode: 'legacy-bios' })],
    ['InvalidParameterValue', (snapshot) => ({ ...root(snapshot), BootMode: 'UEFI' as never })],
    ['InvalidParameterValue', (snapshot) => ({ ...root(snapshot), TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'a', Value: '' }] }] })],
  ])('%s', async (code, more) => {
    await expect(register(more(ec2.addSnapshot({ sizeGiB: 5 })))).rejects.toEqual(refusal(code));
  });
});

describe('ImportSnapshot', () => {
  const bring = async (S3Key: string, more: Partial<ImportSnapshotCommandInput> = {}, by = client) =>
    (await by.send(new ImportSnapshotCommand({ DiskContainer: { Format: 'RAW', UserBucket: { S3Bucket: 'disks', S3Key } }, ...more }))).ImportTaskId as string;
  const task = async (id: string) => (await client.send(new DescribeImportSnapshotTasksCommand({ ImportTaskIds: [id] }))).ImportSnapshotTasks?.[0]?.SnapshotTaskDetail;
  const put = (key: string, body = Buffer.alloc(1024)) => disks.objects.set(key, { body, etag: 'e', metadata: {}, modified: new Date() });

  test('reads a disk from S3 while its task is active; the same token again is the same task', async () => {
    put('disk.raw');
    const id = await bring('disk.raw', { ClientToken: 'once' });
    expect(await bring('disk.raw', { ClientToken: 'once' })).toBe(id);
    const done = await eventually(async () => {
      const now = await task(id);
      return now?.Status === 'completed' && now;
    });
    expect(done).toMatchObject({ DiskImageSize: 1024, Format: 'RAW', UserBucket: { S3Bucket: 'disks', S3Key: 'disk.raw' } });
    expect((await client.send(new DescribeSnapshotsCommand({ SnapshotIds: [done.SnapshotId!] }))).Snapshots).toMatchObject([{ State: 'completed', VolumeSize: 1, Description: expect.stringContaining(id) }]);
    ec2.spoilImage({ by: 'ImportSnapshot', fault: 'never', times: 1 });
    const slow = await bring('disk.raw');
    await eventually(async () => (await task(slow))?.Progress === '50');
  });

  test('ends as deleted, with the reason, when the disk is wrong or goes away', async () => {
    put('bad.raw');
    ec2.spoilImage({ by: 'ImportSnapshot', fault: 'fails', message: 'Disk validation failed [Unsupported disk]', times: 1 });
    const ended = (id: string) => eventually(async () => {
      const now = await task(id);
      return now?.Status === 'deleted' && now;
    });
    expect(await ended(await bring('bad.raw'))).toMatchObject({ StatusMessage: 'ClientError: Disk validation failed [Unsupported disk]' });
    const id = await bring('bad.raw');
    disks.objects.delete('bad.raw');
    expect(await ended(id)).toMatchObject({ StatusMessage: expect.stringContaining('Cannot access the S3 object') });
  });

  test('is cancelled while it is active', async () => {
    put('disk.raw');
    ec2.spoilImage({ by: 'ImportSnapshot', fault: 'never', times: 1 });
    const id = await bring('disk.raw');
    await client.send(new CancelImportTaskCommand({ ImportTaskId: id }));
    expect(await task(id)).toMatchObject({ Status: 'deleted' });
    await expect(client.send(new CancelImportTaskCommand({ ImportTaskId: id }))).rejects.toEqual(refusal('IncorrectState'));
  });

  test('is refused for what can not be read', async () => {
    put('disk.raw');
    await expect(bring('nowhere.raw')).rejects.toEqual(refusal('InvalidParameter', 400, /does not have access to the S3 object/));
    await expect(bring('disk.raw', { RoleName: 'nobody' })).rejects.toEqual(refusal('InvalidParameter', 400, /service role nobody/));
    await expect(bring('disk.raw', {}, farClient)).rejects.toEqual(refusal('InvalidParameter', 400, /not local to the region/));
    await expect(bring('disk.raw', { DiskContainer: { Format: 'ISO', UserBucket: { S3Bucket: 'disks', S3Key: 'disk.raw' } } })).rejects.toEqual(refusal('InvalidParameter'));
    await expect(task('import-snap-00000000')).rejects.toEqual(refusal('InvalidConversionTaskId.NotFound'));
  });
});

describe('what goes', () => {
  test('is the image first and its snapshots after, once', async () => {
    const id = await made();
    const [SnapshotId] = snapshotsOf((await one(id))!);
    await expect(client.send(new DeleteSnapshotCommand({ SnapshotId }))).rejects.toEqual(refusal('InvalidSnapshot.InUse', 400, new RegExp(id)));
    expect(await described({ Filters: [{ Name: 'block-device-mapping.snapshot-id', Values: [SnapshotId!] }] })).toMatchObject([{ ImageId: id }]);
    await client.send(new DeregisterImageCommand({ ImageId: id }));
    await expect(client.send(new DeregisterImageCommand({ ImageId: id }))).rejects.toEqual(refusal('InvalidAMIID.Unavailable'));
    await expect(one(id)).rejects.toEqual(refusal('InvalidAMIID.NotFound'));
    await client.send(new DeleteSnapshotCommand({ SnapshotId }));
    await expect(client.send(new DeleteSnapshotCommand({ SnapshotId }))).rejects.toEqual(refusal('InvalidSnapshot.NotFound'));
  });

  test('is not what somebody else owns', async () => {
    const { id } = other.addImage({ sharedWith: ['all'] });
    await expect(client.send(new DeregisterImageCommand({ ImageId: id }))).rejects.toEqual(refusal('AuthFailure', 401, /Not authorized for image/));
    await expect(client.send(new ModifyImageAttributeCommand({ ImageId: id, LaunchPermission: { Add: [{ UserId: ec2.accountId }] } }))).rejects.toEqual(refusal('AuthFailure', 401));
    await expect(client.send(new ModifyImageAttributeCommand({ ImageId: await made(), LaunchPermission: { Add: [{ UserId: 'ada' }] } }))).rejects.toEqual(refusal('InvalidAMIAttributeItemValue'));
    await expect(client.send(new DeleteSnapshotCommand({ SnapshotId: other.addSnapshot() }))).rejects.toEqual(refusal('InvalidSnapshot.NotFound'));
  });
});

test('images and snapshots can be tagged', async () => {
  const id = await made();
  const snapshots = snapshotsOf((await one(id))!);
  await client.send(new CreateTagsCommand({ Resources: [id, ...snapshots], Tags: [{ Key: 'later', Value: 'yes' }] }));
  expect(await described({ Filters: [{ Name: 'tag:later', Values: ['yes'] }] })).toMatchObject([{ ImageId: id }]);
  expect((await client.send(new DescribeSnapshotsCommand({ OwnerIds: ['self'], Filters: [{ Name: 'tag:later', Values: ['yes'] }] }))).Snapshots).toHaveLength(2);
});

test('what was made is unknown for a while, but its name is taken at once', async () => {
  const slow = await startEc2({ bootMs: 60_000, pendingMs: 1, describeLagMs: 200 });
  const by = connect(slow);
  const InstanceId = await running(slow, by);
  const id = await eventually(() => create({ InstanceId, Name: 'late' }, by));
  await expect(one(id, by)).rejects.toEqual(refusal('InvalidAMIID.NotFound'));
  expect(await described({ Owners: ['self'], Filters: [{ Name: 'name', Values: ['late'] }] }, by)).toEqual([]);
  await expect(create({ InstanceId, Name: 'late' }, by)).rejects.toEqual(refusal('InvalidAMIName.Duplicate'));
  await available(id, by);
});

test('a key works in every region of its account, and in no region that the account has not', async () => {
  expect(await described({ Owners: ['self'] }, otherClient)).toEqual(expect.not.arrayContaining([expect.objectContaining({ OwnerId: ec2.accountId })]));
  const nowhere = connect({ ...other, region: 'us-east-1' });
  await expect(described({}, nowhere)).rejects.toEqual(refusal('SignatureDoesNotMatch', 403));
  expect(far.accessKeyId).toBe(ec2.accessKeyId);
  expect(other.accessKeyId).not.toBe(ec2.accessKeyId);
});
