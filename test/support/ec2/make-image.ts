import { newId, type Cloud } from './cloud.js';
import { instancesById } from './describe.js';
import { checkImageId, checkSnapshotId } from './ids.js';
import { isOpenTo, type Ec2Image, type Ec2Mapping, type Ec2Snapshot } from './image.js';
import type { Parameters } from './parameters.js';
import { Ec2Refusal, UNSUPPORTED } from './refusal.js';
import { checkDryRun, once, readTagSpecifications } from './requests.js';
import { ROOT_DEVICE } from './view.js';
import type { Xml } from './xml.js';

const ARCHITECTURES = ['i386', 'x86_64', 'arm64', 'x86_64_mac', 'arm64_mac'] as const;

/** "CreateImage" (API Reference): it has no client token; what keeps it from being done twice is the name. */
export function createImage(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const [instance] = instancesById(cloud, [parameters.required('InstanceId')]);
  if (instance === undefined) throw new Error('an id that was found has no instance');
  const name = readName(parameters, cloud);
  const description = readDescription(parameters);
  const noReboot = parameters.flag('NoReboot') ?? false;
  const tags = readTagSpecifications(parameters, ['image', 'snapshot']);
  if (parameters.has('BlockDeviceMapping')) throw new Ec2Refusal(UNSUPPORTED, 'The stand-in takes all volumes as they are; the real service can leave some out.');
  const dryRun = parameters.flag('DryRun') ?? false;
  parameters.end();
  if (instance.state !== 'running' && instance.state !== 'stopped') throw new Ec2Refusal('IncorrectInstanceState', `The instance '${instance.id}' is not in a state from which it can be imaged: it is ${instance.state}.`);
  if (!noReboot && instance.state === 'running') throw new Ec2Refusal(UNSUPPORTED, 'The stand-in does not reboot; the real service would.');
  checkDryRun(dryRun);
  const id = newId('ami');
  const volumes = instance.volumes.filter(({ exists }) => exists);
  const snapshots = volumes.map((volume): Ec2Snapshot => newSnapshot({ volumeId: volume.id, sizeGiB: volume.sizeGiB, description: `Created by CreateImage(${instance.id}) for ${id}`, tags: tags.get('snapshot') ?? {} }));
  const mappings = volumes.map(({ device, sizeGiB, type, deleteOnTermination }, i): Ec2Mapping => ({ device, sizeGiB, type, deleteOnTermination, snapshotId: snapshots[i]!.id }));
  cloud.storage.make({ ...newImage(id, name), description, tags: tags.get('image') ?? {}, mappings, sourceInstanceId: instance.id }, snapshots, 'CreateImage');
  return { imageId: id };
}

/** "CopyImage" (API Reference), asked for in the region that it is copied to. */
export function copyImage(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const sourceRegion = parameters.required('SourceRegion');
  const sourceId = parameters.required('SourceImageId');
  checkImageId(sourceId);
  const clientToken = parameters.text('ClientToken');
  const description = readDescription(parameters);
  const copyTags = parameters.flag('CopyImageTags') ?? false;
  if (parameters.flag('Encrypted') === true || parameters.has('KmsKeyId') || parameters.has('DestinationOutpostArn')) throw new Ec2Refusal(UNSUPPORTED, 'The stand-in has no keys and no outposts; the real service has.');
  const tags = readTagSpecifications(parameters, ['image', 'snapshot']);
  const dryRun = parameters.flag('DryRun') ?? false;
  const name = checkName(parameters.required('Name'));
  parameters.end();
  return once(cloud, 'CopyImage', clientToken, parameters, (id) => ({ imageId: id }), () => {
    const { image, storage } = copySource(cloud, sourceId, sourceRegion);
    checkFree(name, cloud);
    checkDryRun(dryRun);
    const id = newId('ami');
    const snapshots = image.mappings.map(({ snapshotId, sizeGiB }) => newSnapshot({ volumeId: 'vol-ffffffff', sizeGiB, description: `Copied for DestinationAmi ${id} from SourceAmi ${sourceId} for SourceSnapshot ${snapshotId}.`, tags: tags.get('snapshot') ?? {} }));
    const mappings = image.mappings.map((mapping, i) => ({ ...mapping, snapshotId: snapshots[i]!.id }));
    const { architecture, bootMode, enaSupport, virtualizationType, rootDevice } = image;
    const own = copyTags && storage === cloud.storage ? image.tags : {};
    cloud.storage.make(
      { ...newImage(id, name), description: description === '' ? `[Copied ${sourceId} from ${sourceRegion}] ${image.name}` : description, tags: { ...own, ...tags.get('image') }, architecture, bootMode, enaSupport, virtualizationType, rootDevice, mappings, source: { id: sourceId, region: sourceRegion } },
      snapshots,
      'CopyImage',
    );
    return id;
  });
}

/** The account must own it, or be let in: to the image and to each of its snapshots ("Copy an Amazon EC2 AMI", User Guide). */
function copySource(cloud: Cloud, id: string, region: string): { image: Ec2Image; storage: Cloud['storage'] } {
  for (const owner of cloud.world.in(region)) {
    const image = owner.storage.knownImages().find((known) => known.id === id);
    if (image === undefined) continue;
    const own = owner.accountId === cloud.accountId;
    if (!own && !isOpenTo(image, cloud.accountId)) break;
    if (!own && image.mappings.some(({ snapshotId }) => !isOpenTo(owner.storage.snapshots.get(snapshotId) ?? { sharedWith: [] }, cloud.accountId))) {
      throw new Ec2Refusal('InvalidRequest', 'You do not have permission to access the storage of this ami');
    }
    if (image.state !== 'available') throw new Ec2Refusal('InvalidAMIID.Unavailable', `The image ID '${id}' is in the state '${image.state}' and cannot be copied`);
    return { image, storage: owner.storage };
  }
  throw new Ec2Refusal('InvalidAMIID.NotFound', `The image id '[${id}]' does not exist`);
}

/** "RegisterImage" (API Reference), of what has a snapshot as its root. */
export function registerImage(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const name = readName(parameters, cloud);
  const description = readDescription(parameters);
  if (parameters.has('ImageLocation') || parameters.has('KernelId') || parameters.has('RamdiskId') || parameters.has('UefiData') || parameters.has('TpmSupport')) throw new Ec2Refusal(UNSUPPORTED, 'The stand-in registers images of snapshots only; the real service has others.');
  const architecture = parameters.oneOf('Architecture', ARCHITECTURES) ?? 'i386';
  // What is left out is paravirtual, as it was when there was nothing else.
  const virtualizationType = parameters.oneOf('VirtualizationType', ['hvm', 'paravirtual']) ?? 'paravirtual';
  const bootMode = parameters.oneOf('BootMode', ['legacy-bios', 'uefi', 'uefi-preferred']);
  const enaSupport = parameters.flag('EnaSupport') ?? false;
  parameters.oneOf('SriovNetSupport', ['simple']);
  parameters.oneOf('ImdsSupport', ['v2.0']);
  const rootDevice = parameters.text('RootDeviceName') ?? ROOT_DEVICE;
  // "To tag an AMI, the value for ResourceType must be image. If you specify another value, the request fails."
  const tags = readTagSpecifications(parameters, ['image']);
  const mappings = parameters.groups('BlockDeviceMapping').map((mapping) => readMapping(mapping, cloud));
  const dryRun = parameters.flag('DryRun') ?? false;
  parameters.end();
  if (virtualizationType === 'paravirtual' && enaSupport) throw new Ec2Refusal('InvalidParameterCombination', 'Enhanced networking with the Elastic Network Adapter is only supported by hvm images');
  if (architecture === 'arm64' && bootMode === 'legacy-bios') throw new Ec2Refusal('InvalidParameterCombination', 'The boot mode legacy-bios is not supported by the architecture arm64');
  if (!mappings.some(({ device }) => device === rootDevice)) throw new Ec2Refusal('InvalidBlockDeviceMapping', `The root device ${rootDevice} has no block device mapping`);
  if (new Set(mappings.map(({ device }) => device)).size < mappings.length) throw new Ec2Refusal('InvalidBlockDeviceMapping', 'A device is used in more than one block-device mapping');
  checkDryRun(dryRun);
  const id = newId('ami');
  cloud.storage.make({ ...newImage(id, name), description, tags: tags.get('image') ?? {}, architecture, virtualizationType, bootMode, enaSupport, rootDevice, mappings }, [], 'RegisterImage');
  return { imageId: id };
}

function readMapping(mapping: Parameters, cloud: Cloud): Ec2Mapping {
  const device = mapping.required('DeviceName');
  const ebs = mapping.group('Ebs');
  if (ebs === undefined) throw new Ec2Refusal('MissingParameter', `The block device mapping of ${device} must contain the parameter Ebs`);
  const snapshotId = ebs.required('SnapshotId');
  checkSnapshotId(snapshotId);
  const snapshot = cloud.storage.knownSnapshots().find(({ id }) => id === snapshotId);
  if (snapshot === undefined) throw new Ec2Refusal('InvalidSnapshot.NotFound', `The snapshot '${snapshotId}' does not exist.`);
  if (snapshot.state !== 'completed') throw new Ec2Refusal('IncorrectState', `The snapshot '${snapshotId}' is ${snapshot.state}`);
  const sizeGiB = ebs.whole('VolumeSize', 1, 65_536) ?? snapshot.sizeGiB;
  if (sizeGiB < snapshot.sizeGiB) throw new Ec2Refusal('InvalidBlockDeviceMapping', `Volume of size ${sizeGiB}GB is smaller than snapshot '${snapshotId}', expect size >= ${snapshot.sizeGiB}GB`);
  return { device, snapshotId, sizeGiB, type: ebs.oneOf('VolumeType', ['standard', 'io1', 'io2', 'gp2', 'gp3', 'sc1', 'st1']) ?? 'standard', deleteOnTermination: ebs.flag('DeleteOnTermination') ?? true };
}

function readName(parameters: Parameters, cloud: Cloud): string {
  const name = checkName(parameters.required('Name'));
  checkFree(name, cloud);
  return name;
}

/** "Constraints: 3-128 alphanumeric characters, parentheses, square brackets, spaces, periods, slashes, dashes, single quotes, at-signs, or underscores" */
function checkName(name: string): string {
  if (!/^[A-Za-z0-9()[\] ./'@_-]{3,128}$/.test(name)) throw new Ec2Refusal('InvalidAMIName.Malformed', "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/' and '_'");
  return name;
}

/** Told at once, also of what is not shown yet. */
function checkFree(name: string, cloud: Cloud): void {
  const taken = [...cloud.storage.images.values()].find((image) => image.owner === 'self' && image.name === name);
  if (taken !== undefined) throw new Ec2Refusal('InvalidAMIName.Duplicate', `AMI name ${name} is already in use by AMI ${taken.id}`);
}

function readDescription(parameters: Parameters): string {
  const description = parameters.text('Description') ?? '';
  if (description.length > 255) throw new Ec2Refusal('InvalidParameterValue', 'The description has more than 255 characters');
  return description;
}

/** What is not said of an image. */
export function newImage(id: string, name: string): Ec2Image {
  return {
    id, name, description: '', tags: {}, state: 'pending', stateReason: undefined, createdAt: new Date(), owner: 'self', architecture: 'x86_64', bootMode: undefined, enaSupport: true,
    virtualizationType: 'hvm', rootDevice: ROOT_DEVICE, mappings: [], sourceInstanceId: undefined, source: undefined, sharedWith: [],
  };
}

export function newSnapshot(given: Pick<Ec2Snapshot, 'volumeId' | 'sizeGiB' | 'description' | 'tags'> & Partial<Ec2Snapshot>): Ec2Snapshot {
  return { id: newId('snap'), state: 'pending', progress: 0, startedAt: new Date(), sharedWith: [], ...given };
}
