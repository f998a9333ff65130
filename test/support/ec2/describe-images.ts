import type { Cloud } from './cloud.js';
import { page, readFilters } from './filters.js';
import { checkImageId } from './ids.js';
import { isOpenTo, type Ec2Image } from './image.js';
import type { Parameters } from './parameters.js';
import { Ec2Refusal } from './refusal.js';
import { tagsXml } from './view.js';
import type { Xml } from './xml.js';

/** The account that images of others belong to. */
const AMAZON = '137112412989';

const FILTERS = ['name', 'state', 'image-id', 'owner-id', 'owner-alias', 'architecture', 'description', 'block-device-mapping.snapshot-id', 'is-public', 'source-instance-id'];

/** "DescribeImages" (API Reference). */
export function describeImages(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const ids = parameters.list('ImageId');
  const owners = parameters.list('Owner');
  const executableBy = parameters.list('ExecutableBy');
  parameters.flag('IncludeDeprecated');
  parameters.flag('IncludeDisabled');
  const dryRun = parameters.flag('DryRun') ?? false;
  const passes = readFilters(parameters, FILTERS);
  for (const id of ids) {
    checkImageId(id);
    // "AMIs that you don't have access to are not included" (DescribeImages); only one that is nowhere is an error.
    if (!cloud.world.in(cloud.region).some(({ storage }) => storage.images.has(id) && storage.isKnown(id))) throw new Ec2Refusal('InvalidAMIID.NotFound', `The image id '[${id}]' does not exist`);
  }
  for (const owner of owners) if (!/^(\d{12}|self|amazon|aws-marketplace)$/.test(owner)) throw new Ec2Refusal('InvalidUserID.Malformed', `Invalid user id: "${owner}"`);
  const chosen = cloud
    .visibleImages()
    .map(({ image, owner }) => ({ ...image, ownerId: image.owner === 'self' ? owner.accountId : AMAZON, alias: image.owner === 'self' ? undefined : image.owner }))
    .filter((image) => {
      const { ownerId, alias } = image;
      if (ids.length > 0 && !ids.includes(image.id)) return false;
      if (owners.length > 0 && !owners.some((owner) => owner === ownerId || owner === alias || (owner === 'self' && ownerId === cloud.accountId))) return false;
      if (executableBy.length > 0 && !executableBy.some((who) => isOpenTo(image, who === 'self' ? cloud.accountId : who))) return false;
      return passes((name) => valuesOf(image, name), ownerId === cloud.accountId ? image.tags : {});
    });
  const { items, nextToken } = page(parameters, chosen, { least: 1, most: 1000, idsGiven: ids.length > 0 });
  parameters.end();
  if (dryRun) throw new Ec2Refusal('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.');
  return { imagesSet: items.map((image) => imageXml(image, cloud)), nextToken };
}

type Owned = Ec2Image & { readonly ownerId: string; readonly alias: string | undefined };

function valuesOf(image: Owned, name: string): readonly string[] {
  switch (name) {
    case 'name':
      return [image.name];
    case 'state':
      return [image.state];
    case 'image-id':
      return [image.id];
    case 'owner-id':
      return [image.ownerId];
    case 'owner-alias':
      return image.alias === undefined ? [] : [image.alias];
    case 'architecture':
      return [image.architecture];
    case 'description':
      return [image.description];
    case 'block-device-mapping.snapshot-id':
      return image.mappings.map(({ snapshotId }) => snapshotId);
    case 'is-public':
      return [String(isPublic(image))];
    case 'source-instance-id':
      return image.sourceInstanceId === undefined ? [] : [image.sourceInstanceId];
    default:
      throw new Error(`the filter ${name} is taken but has no values`);
  }
}

function isPublic({ alias, sharedWith }: Owned): boolean {
  return alias !== undefined || sharedWith.includes('all');
}

/** "Image" (API Reference). Tags are of the account that gave them. */
function imageXml(image: Owned, cloud: Cloud): Xml {
  return {
    imageId: image.id,
    imageState: image.state,
    imageOwnerId: image.ownerId,
    imageOwnerAlias: image.alias,
    imageLocation: `${image.ownerId}/${image.name}`,
    isPublic: isPublic(image),
    name: image.name,
    description: image.description === '' ? undefined : image.description,
    creationDate: image.createdAt,
    architecture: image.architecture,
    imageType: 'machine',
    platformDetails: 'Linux/UNIX',
    rootDeviceType: 'ebs',
    rootDeviceName: image.rootDevice,
    blockDeviceMapping: image.mappings.map(({ device, snapshotId, sizeGiB, type, deleteOnTermination }) => ({
      deviceName: device,
      ebs: { snapshotId, volumeSize: sizeGiB, volumeType: type, deleteOnTermination, encrypted: false },
    })),
    virtualizationType: image.virtualizationType,
    bootMode: image.bootMode,
    enaSupport: image.enaSupport,
    sourceInstanceId: image.sourceInstanceId,
    sourceImageId: image.source?.id,
    sourceImageRegion: image.source?.region,
    stateReason: image.stateReason,
    tagSet: image.ownerId === cloud.accountId ? tagsXml(image.tags) : undefined,
  };
}
