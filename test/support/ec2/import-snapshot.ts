import { newId, type Cloud } from './cloud.js';
import { page } from './filters.js';
import type { Ec2Import } from './image.js';
import { newSnapshot } from './make-image.js';
import type { Parameters } from './parameters.js';
import { Ec2Refusal, UNSUPPORTED } from './refusal.js';
import { checkDryRun, once, readTagSpecifications } from './requests.js';
import { tagsXml } from './view.js';
import type { Xml } from './xml.js';

/** Where disks are imported from. */
export interface Disks {
  readonly region: string;
  /** Length of an object in bytes; undefined when it is not there. */
  bytesOf(bucket: string, key: string): number | undefined;
}

/** What an import needs besides the account. */
export interface Importing {
  readonly disks: Disks | undefined;
  /** The role that the service takes to read the bucket; undefined: the account has none. */
  readonly role: string | undefined;
}

const GiB = 1024 ** 3;

/** "ImportSnapshot" (API Reference) of a raw disk. What is wrong with the role or the object is an `InvalidParameter`. */
export function importSnapshot(parameters: Parameters, cloud: Cloud, { disks, role }: Importing): Record<string, Xml> {
  const container = parameters.group('DiskContainer');
  if (container === undefined) throw new Ec2Refusal('MissingParameter', 'The request must contain the parameter DiskContainer');
  const format = container.required('Format').toUpperCase();
  if (!['RAW', 'VHD', 'VHDX', 'VMDK'].includes(format)) throw new Ec2Refusal('InvalidParameter', `Unsupported disk image format: ${format}`);
  if (format !== 'RAW') throw new Ec2Refusal(UNSUPPORTED, 'The stand-in imports raw disks only; the real service others too.');
  container.text('Description');
  const place = container.group('UserBucket');
  if (place === undefined) throw new Ec2Refusal(container.has('Url') ? UNSUPPORTED : 'MissingParameter', 'The request must contain the parameter DiskContainer.UserBucket');
  const bucket = place.required('S3Bucket');
  const key = place.required('S3Key');
  const description = parameters.text('Description') ?? '';
  const clientToken = parameters.text('ClientToken');
  const roleName = parameters.text('RoleName') ?? 'vmimport';
  if (parameters.flag('Encrypted') === true || parameters.has('KmsKeyId') || parameters.has('ClientData')) throw new Ec2Refusal(UNSUPPORTED, 'The stand-in imports plain disks only; the real service can encrypt them.');
  const tags = readTagSpecifications(parameters, ['import-snapshot-task']).get('import-snapshot-task') ?? {};
  const dryRun = parameters.flag('DryRun') ?? false;
  parameters.end();
  return once(cloud, 'ImportSnapshot', clientToken, parameters, (id) => taskXml(cloud.storage.imports.get(id)!), () => {
    if (roleName !== role) throw new Ec2Refusal('InvalidParameter', `The service role ${roleName} provided does not exist or does not have sufficient permissions`);
    if (disks === undefined) throw new Ec2Refusal(UNSUPPORTED, 'The stand-in was started without S3.');
    const bytes = disks.bytesOf(bucket, key);
    if (bytes === undefined) throw new Ec2Refusal('InvalidParameter', `User does not have access to the S3 object.(${bucket}/${key})`);
    if (disks.region !== cloud.region) throw new Ec2Refusal('InvalidParameter', 'The given S3 object is not local to the region.');
    checkDryRun(dryRun);
    const id = newId('import-snap');
    const task: Ec2Import = { id, bucket, key, bytes, description, tags, status: 'active', progress: 0, message: 'pending', snapshotId: undefined };
    const snapshot = newSnapshot({ volumeId: 'vol-ffffffff', sizeGiB: Math.max(1, Math.ceil(bytes / GiB)), description: `Created by AWS-VMImport service for ${id}`, tags: {}, state: 'completed', progress: 100 });
    // It is read while the task runs, so it has to stay until then.
    cloud.storage.bring(task, () => (disks.bytesOf(bucket, key) === bytes ? undefined : `Cannot access the S3 object (${bucket}/${key})`), snapshot);
    return id;
  });
}

/** "DescribeImportSnapshotTasks" (API Reference). */
export function describeImportSnapshotTasks(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const ids = parameters.list('ImportTaskId');
  for (const id of ids) checkTaskId(cloud, id);
  const chosen = [...cloud.storage.imports.values()].filter(({ id }) => ids.length === 0 || ids.includes(id));
  const { items, nextToken } = page(parameters, chosen, { least: 1, most: 1000, idsGiven: ids.length > 0 });
  parameters.end();
  return { importSnapshotTaskSet: items.map(taskXml), nextToken };
}

/** "CancelImportTask" (API Reference): what has ended can't be cancelled any more. */
export function cancelImportTask(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const id = parameters.required('ImportTaskId');
  parameters.text('CancelReason');
  parameters.end();
  const task = cloud.storage.imports.get(checkTaskId(cloud, id));
  if (task?.status !== 'active') throw new Ec2Refusal('IncorrectState', `The task '${id}' is ${task?.status ?? 'gone'}`);
  cloud.storage.change(cloud.storage.imports, id, { status: 'deleted', message: 'Cancelled' });
  return { importTaskId: id, previousState: 'active', state: 'deleting' };
}

function checkTaskId(cloud: Cloud, id: string): string {
  if (!/^import-snap-[0-9a-f]{8,17}$/.test(id)) throw new Ec2Refusal('InvalidConversionTaskId.Malformed', `The ID '${id}' is not valid`);
  if (!cloud.storage.imports.has(id)) throw new Ec2Refusal('InvalidConversionTaskId.NotFound', `The task id '${id}' does not exist`);
  return id;
}

function taskXml({ id, description, bytes, bucket, key, status, progress, message, snapshotId, tags }: Ec2Import): Record<string, Xml> {
  return {
    importTaskId: id,
    description,
    snapshotTaskDetail: {
      description,
      diskImageSize: bytes,
      format: 'RAW',
      // What has ended has none.
      progress: status === 'active' ? String(progress) : undefined,
      snapshotId,
      status,
      statusMessage: message === '' ? undefined : message,
      userBucket: { s3Bucket: bucket, s3Key: key },
    },
    tagSet: tagsXml(tags),
  };
}
