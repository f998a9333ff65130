import type { RunInstancesCommandInput, Tag } from '@aws-sdk/client-ec2';
import type { Launch } from '../blueprint.js';
import type { Place } from './offers.js';

/** Sizes of its kinds of volumes for which EC2 wants a rate said ("EbsBlockDevice", API Reference): what gp3 has by itself, within 50 for each GiB. */
const IOPS = { least: 100, perGiB: 50, most: 3000 };

/** Whom a launch is for. */
export type For = Pick<Launch, 'installation' | 'resource' | 'owner' | 'spec'>;

/**
 * The parameters of RunInstances. The same launch always gives the same, to the letter: with the same token EC2 refuses
 * any others ("Ensuring idempotency in Amazon EC2 API requests", Developer Guide).
 */
export function launchRequest(launch: For, place: Place, image: string, token: string | undefined): RunInstancesCommandInput {
  const { spec } = launch;
  const tags = tagsOf(launch);
  return {
    MinCount: 1,
    MaxCount: 1,
    ...(token !== undefined && { ClientToken: token }),
    ImageId: image,
    // The blueprint checks the form of a type; which types there are EC2 knows better than the SDK of some day.
    InstanceType: place.type as NonNullable<RunInstancesCommandInput['InstanceType']>,
    ...(place.subnet !== undefined && { SubnetId: place.subnet }),
    ...placement(place),
    ...(place.market === 'spot' && {
      InstanceMarketOptions: { MarketType: 'spot', SpotOptions: { SpotInstanceType: 'one-time', InstanceInterruptionBehavior: 'terminate', ...(place.maxPrice !== undefined && { MaxPrice: place.maxPrice }) } },
    }),
    ...(spec.keyName !== undefined && { KeyName: spec.keyName }),
    ...(spec.securityGroups.length > 0 && { SecurityGroupIds: spec.securityGroups }),
    ...(spec.instanceProfile !== undefined && { IamInstanceProfile: spec.instanceProfile.startsWith('arn:') ? { Arn: spec.instanceProfile } : { Name: spec.instanceProfile } }),
    ...(spec.userData !== undefined && { UserData: Buffer.from(spec.userData).toString('base64') }),
    ...(spec.volumes.length > 0 && {
      BlockDeviceMappings: spec.volumes.map(({ device, sizeGiB, type }) => ({
        DeviceName: device,
        // Volumes other than the root's stay behind by default.
        Ebs: { VolumeSize: sizeGiB, VolumeType: type, DeleteOnTermination: true, ...((type === 'io1' || type === 'io2') && { Iops: Math.max(IOPS.least, Math.min(IOPS.most, sizeGiB * IOPS.perGiB)) }) },
      })),
    }),
    // Version 2 of the metadata service: a build that is made to fetch some URL does not hand out the role's credentials.
    MetadataOptions: { HttpTokens: 'required' },
    // A host that switches itself off is of no use any more, and a stopped one costs its disks.
    InstanceInitiatedShutdownBehavior: 'terminate',
    TagSpecifications: [
      { ResourceType: 'instance', Tags: tags },
      { ResourceType: 'volume', Tags: tags },
    ],
  };
}

/** What a blueprint says goes before what Berth would call it; marks that Berth finds things by can't be in `spec.tags`. */
function tagsOf({ installation, resource, owner, spec }: For): Tag[] {
  const tags: Record<string, string> = {
    Name: `berth ${spec.name} ${resource.slice(0, 8)}`,
    ...spec.tags,
    'berth:owner': installation,
    'berth:resource': resource,
    'berth:blueprint': spec.name,
    'berth:lease-owner': owner,
  };
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** A mac runs on a dedicated host only ("Amazon EC2 Mac instances", User Guide). */
function placement({ zone, type }: Place): Pick<RunInstancesCommandInput, 'Placement'> {
  const dedicated = type.startsWith('mac');
  if (zone === undefined && !dedicated) return {};
  return { Placement: { ...(zone !== undefined && { AvailabilityZone: zone }), ...(dedicated && { Tenancy: 'host' as const }) } };
}
