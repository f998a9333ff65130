import { CreateTagsCommand, DescribeImportSnapshotTasksCommand, ImportSnapshotCommand, RegisterImageCommand, type SnapshotTaskDetail } from '@aws-sdk/client-ec2';
import type { ImageTemplate, KeptFile, MadeImage } from '@berth/contracts';
import { ForeignAnswer, pollAfter } from '@berth/ec2';
import { contentOf, share } from '../content.js';
import type { Call, Step } from '../provider.js';
import { Trouble } from '../trouble.js';
import { adopted, look } from './images.js';
import { keyOf, nameOf, tagged, tagsOf, tokenOf } from './names.js';
import { ec2Of, type Site } from './site.js';
import { siteOf, time, type Work } from './work.js';

type Push = Call & { object: KeptFile; os: ImageTemplate['os'] | undefined; boot?: MadeImage['boot'] };

/** Parts of the whole, in percent. */
const UPLOADED = 50;
const IMPORTED = 90;
const ROOT = '/dev/xvda';

/**
 * Makes an image of a raw disk: uploads it, has it imported as a snapshot, and registers that. Facts: `name` and `key` (the intent),
 * `uploaded`, `task`, `snapshot`, `image`, and `since` of the last of them.
 */
export async function importDisk(call: Push, work: Work): Promise<Step> {
  const { name, key, uploaded, task, snapshot, image } = call.facts;
  if (name === undefined || key === undefined) return { is: 'keep', facts: { name: nameOf(call), key: keyOf(call), since: time(work) }, percent: 0, activity: 'uploads the disk' };
  if (uploaded === undefined) return upload(call, work, key);
  const site = await siteOf(work, call);
  if (task === undefined) return { is: 'keep', facts: { task: await begin(site, call, key), since: time(work) }, percent: UPLOADED, activity: 'imports the disk as a snapshot' };
  if (snapshot === undefined) return imported(site, call, work, task);
  if (image === undefined) return registered(site, call, work, { name, key, snapshot });
  return (await look(site, call, work, () => IMPORTED)) ?? { is: 'done', id: image };
}

async function upload(call: Push, { buckets, transfers, timing }: Work, key: string): Promise<Step> {
  const bucket = await buckets.of(call.account, ec2Of(call.provider));
  const moved = await transfers.look(transferOf(call, key), call.signal, (signal, bytes) => bucket.upload(key, call.object, () => contentOf(call, call.object), signal, bytes));
  if (moved.is === 'there') return { is: 'keep', facts: { uploaded: 'yes' }, percent: UPLOADED };
  return { is: 'wait', ms: timing.pollFrom, percent: share(call.object, moved.bytes, 0, UPLOADED), activity: 'uploads the disk' };
}

/** The disk in the bucket is not needed any more. */
export async function removeDisk(call: Call, { buckets, transfers }: Work, key: string): Promise<void> {
  await transfers.end(transferOf(call, key));
  await (await buckets.of(call.account, ec2Of(call.provider))).remove(key, call.signal);
}

function transferOf({ account }: Call, key: string): string {
  return `${account.name} ${key}`;
}

function begin(site: Site, call: Push, key: string): Promise<string> {
  return site.ask('ImportSnapshot', async (ec2, options) => {
    const { ImportTaskId } = await ec2.send(
      new ImportSnapshotCommand({
        ClientToken: tokenOf(call),
        Description: `${call.image} ${call.number}, imported by Berth`,
        DiskContainer: { Format: 'RAW', UserBucket: { S3Bucket: ec2Of(call.provider).bucket?.name, S3Key: key } },
        TagSpecifications: tagged(call, 'import-snapshot-task'),
      }),
      options,
    );
    if (ImportTaskId === undefined) throw new ForeignAnswer('the answer has no task');
    return ImportTaskId;
  });
}

async function imported(site: Site, call: Push, { timing, now }: Work, task: string): Promise<Step> {
  const age = now() - Date.parse(call.facts['since'] ?? '');
  const { Status, StatusMessage, Progress, SnapshotId } = await taskOf(site, task);
  if (Status === 'completed' && SnapshotId !== undefined) return { is: 'keep', facts: { snapshot: SnapshotId, since: new Date(now()).toISOString() }, percent: IMPORTED };
  if (Status === 'deleted' || Status === 'deleting') return { is: 'failed', error: `EC2 did not import the disk in account ${site.account.name}: ${StatusMessage ?? 'it does not say why'} (${task})` };
  const done = Number.parseInt(Progress ?? '0', 10) || 0;
  if (age > timing.available) {
    return { is: 'failed', error: `EC2 did not import the disk in account ${site.account.name} within ${Math.round(timing.available / 60_000)} minutes: ${task} is still ${Status ?? 'in no state'}, at ${done} %${StatusMessage === undefined ? '' : ` (${StatusMessage})`}` };
  }
  return { is: 'wait', ms: pollAfter(age, timing), percent: UPLOADED + Math.floor(((IMPORTED - UPLOADED) * done) / 100), activity: `imports the disk: ${StatusMessage ?? Status ?? 'waits'}` };
}

/** What EC2 says of an import. */
export function taskOf(site: Site, task: string): Promise<SnapshotTaskDetail> {
  return site.ask('DescribeImportSnapshotTasks', async (ec2, options) => {
    const { ImportSnapshotTasks } = await ec2.send(new DescribeImportSnapshotTasksCommand({ ImportTaskIds: [task] }), options);
    const detail = ImportSnapshotTasks?.[0]?.SnapshotTaskDetail;
    if (detail === undefined) throw new ForeignAnswer('the answer has no task');
    return detail;
  });
}

async function registered(site: Site, call: Push, work: Work, { name, key, snapshot }: { name: string; key: string; snapshot: string }): Promise<Step> {
  await removeDisk(call, work, key);
  try {
    await site.ask('CreateTags', (ec2, options) => ec2.send(new CreateTagsCommand({ Resources: [snapshot], Tags: tagsOf(call) }), options));
    return { is: 'keep', facts: { image: await register(site, call, name, snapshot), since: time(work) }, percent: IMPORTED, activity: 'registers the image' };
  } catch (error) {
    // It was named by the import, and is not shown everywhere yet.
    const age = work.now() - Date.parse(call.facts['since'] ?? '');
    if (error instanceof Trouble && error.code === 'InvalidSnapshot.NotFound' && age < work.timing.unseen) return { is: 'wait', ms: pollAfter(age, work.timing) };
    throw error;
  }
}

async function register(site: Site, call: Push, name: string, snapshot: string): Promise<string> {
  const isArm = call.os?.arch === 'aarch64';
  try {
    return await site.ask('RegisterImage', async (ec2, options) => {
      const { ImageId } = await ec2.send(
        new RegisterImageCommand({
          Name: name,
          Description: `${call.image} ${call.number}, registered by Berth`,
          Architecture: isArm ? 'arm64' : 'x86_64',
          // What is left out is taken for i386 and paravirtual.
          VirtualizationType: 'hvm',
          // Machines with ARM boot by UEFI alone, the others by BIOS when nothing is said. Not `uefi-preferred`, with which types without
          // UEFI start it by BIOS: nothing on the disk is for that. With this it is launched on types of the Nitro System alone.
          ...((isArm || call.boot === 'uefi') && { BootMode: 'uefi' as const }),
          EnaSupport: true,
          RootDeviceName: ROOT,
          BlockDeviceMappings: [{ DeviceName: ROOT, Ebs: { SnapshotId: snapshot, VolumeType: 'gp3', DeleteOnTermination: true } }],
          TagSpecifications: tagged(call, 'image'),
        }),
        options,
      );
      if (ImageId === undefined) throw new ForeignAnswer('the answer has no image');
      return ImageId;
    });
  } catch (error) {
    if (error instanceof Trouble && error.code === 'InvalidAMIName.Duplicate') return adopted(site, name, call.version);
    throw error;
  }
}
