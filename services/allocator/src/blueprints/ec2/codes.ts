import type { LaunchFault } from '@berth/contracts';

/** What an error code says: whose fault it is, what follows from it, and where in the blueprint to look. */
export type Meaning = { fault: LaunchFault; field: Field; advice: string } & (
  /** another offer may do; this one is not asked for again within so many ms */
  | { then: 'another'; forMs: number }
  /** no try will help before somebody changes something */
  | { then: 'never' }
  /** the same call may work later */
  | { then: 'again' }
);

/** Fields of an `ec2` blueprint that can be at fault; empty = it does not say which. */
export type Field = '' | 'image' | 'types' | 'zones' | 'markets' | 'credentials' | 'region' | 'endpoint' | 'keyName' | 'securityGroups' | 'instanceProfile' | 'userData' | 'volumes' | 'tags' | 'platform';

const MINUTE = 60_000;

const capacity = (field: Field, advice: string, forMs = 5 * MINUTE): Meaning => ({ fault: 'capacity', then: 'another', forMs, field, advice });
const quota = (field: Field, advice: string): Meaning => ({ fault: 'quota', then: 'another', forMs: 10 * MINUTE, field, advice });
const image = (advice: string): Meaning => ({ fault: 'image', then: 'never', field: 'image', advice });
const configuration = (field: Field, advice: string): Meaning => ({ fault: 'configuration', then: 'never', field, advice });

/** "Error codes for the Amazon EC2 API" (Developer Guide). The first line that fits counts. */
const CODES: readonly (readonly [code: RegExp, meaning: Meaning])[] = [
  [/^(Insufficient(Instance|Host|ReservedInstance|Volume|Address)?Capacity|UnfulfillableCapacity)$/, capacity('types', 'list more instance types, zones or markets')],
  // Other than missing capacity this does not pass within minutes: the type is not offered in that zone.
  [/^Unsupported$/, capacity('types', 'list types that there are in these zones', 60 * MINUTE)],
  [/^SpotMaxPriceTooLow$/, capacity('markets', 'raise maxPrice, or leave it out')],
  [/^InsufficientFreeAddressesInSubnet$/, capacity('zones', 'use a larger subnet, or list more of them')],

  [/^(InstanceLimitExceeded|VcpuLimitExceeded)$/, quota('types', 'raise the quota of the account for these types, or lower limits.resources')],
  [/^(MaxSpotInstanceCountExceeded|MaxSpotFleetRequestCountExceeded)$/, quota('markets', 'raise the quota of the account for spot instances, or list on-demand too')],
  [/^(VolumeLimitExceeded|MaxIOPSLimitExceeded)$/, quota('volumes', 'raise the quota of the account for volumes, or use smaller ones')],
  [/^(AddressLimitExceeded|NetworkInterfaceLimitExceeded|PrivateIpAddressLimitExceeded|ResourceCountExceeded)$/, quota('zones', 'raise the quota of the account')],

  [/^(InvalidAMIID\.|InvalidAMIAttribute|InvalidSnapshot\.)/, image('use an image that exists in this region and that this account may use')],
  [/^InvalidBlockDeviceMapping$/, { fault: 'image', then: 'never', field: 'volumes', advice: 'name each device once, as the image names it, and not smaller than its snapshot' }],
  [/^EncryptedVolumesNotSupported$/, { fault: 'image', then: 'never', field: 'types', advice: 'use types that can have encrypted volumes' }],

  [/^(InvalidSubnet|InvalidSubnetID|InvalidAvailabilityZone|InvalidZone|InvalidVpcID|VPCIdNotSpecified|VPCResourceNotSpecified|DefaultSubnet|MissingInput)/, configuration('zones', 'use zones and subnets that there are')],
  [/^(InvalidGroup|InvalidGroupId|InvalidSecurityGroup|InvalidSecurityGroupID|SecurityGroupsPer)/, configuration('securityGroups', 'use security groups of the same network as the subnets')],
  [/^InvalidKeyPair/, configuration('keyName', 'use a key pair of this region, or leave it out')],
  [/^InvalidIamInstanceProfile/, configuration('instanceProfile', 'use an instance profile of this account')],
  [/^InvalidUserData/, configuration('userData', 'use at most 16 KiB')],
  [/^InvalidInstanceType$/, configuration('types', 'use instance types of this region')],
  [/^(InvalidTagKey|TagLimitExceeded|InvalidTag)/, configuration('tags', 'use at most 45 tags of your own')],
];

/** The codes for wrong parameters are few; which one it is stands in the message only. */
const MESSAGES: readonly (readonly [message: RegExp, meaning: Meaning])[] = [
  [/architecture|boot mode|virtualization type|\bENA\b|Elastic Network Adapter/i, image('use an image and instance types that fit each other')],
  [/instance ?profile/i, configuration('instanceProfile', 'use an instance profile of this account')],
  [/tenancy|dedicated host/i, configuration('platform', 'a mac runs on a dedicated host only')],
  [/security ?group/i, configuration('securityGroups', 'use security groups of the same network as the subnets')],
  [/availability ?zone|subnet/i, configuration('zones', 'use zones and subnets that there are')],
  [/instance ?type/i, configuration('types', 'use instance types of this region')],
  [/user ?data/i, configuration('userData', 'use at most 16 KiB')],
  [/key ?(pair|name)/i, configuration('keyName', 'use a key pair of this region, or leave it out')],
  [/price|spot/i, configuration('markets', 'see what the message says')],
  [/volume|device|iops|snapshot/i, configuration('volumes', 'see what the message says')],
  [/\btags?\b/i, configuration('tags', 'see what the message says')],
  [/image/i, image('see what the message says')],
];

/** What an error of EC2 means for a launch; undefined for codes that say nothing of it. */
export function meaningOf(code: string, message: string): Meaning | undefined {
  // AuthFailure has two meanings in the documentation: whose credentials are not valid, and whose image it is.
  if (code === 'AuthFailure' && /not authorized for images/i.test(message)) return image('use an image that this account may use');
  return CODES.find(([pattern]) => pattern.test(code))?.[1];
}

/** The same for codes that nobody wrote down, by their form and the message. */
export function fallbackMeaning(code: string, message: string): Meaning | undefined {
  if (!/^(Invalid|Missing|Unknown|Unsupported|OperationNotPermitted|Malformed)/.test(code)) return undefined;
  return MESSAGES.find(([pattern]) => pattern.test(message))?.[1] ?? configuration('', 'see what the message says');
}

/**
 * Why an instance ended ("StateReason", API Reference). What is not here says that it was there and is not any more.
 */
export function faultOfEnd(code: string | undefined): LaunchFault {
  switch (code) {
    case 'Server.InsufficientInstanceCapacity':
    case 'Server.SpotInstanceTermination':
    case 'Server.SpotInstanceShutdown':
      return 'capacity';
    case 'Client.VolumeLimitExceeded':
      return 'quota';
    case 'Client.InvalidSnapshot.NotFound':
    // An instance that ends at its launch with this most often has an encrypted disk whose key it may not use
    // ("Troubleshoot instance launch issues", User Guide).
    case 'Client.InternalError':
      return 'image';
    default:
      return 'lost';
  }
}
