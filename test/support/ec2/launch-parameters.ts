import type { Cloud, LaunchSpec } from './cloud.js';
import { checkImageId } from './ids.js';
import type { Ec2Image } from './image.js';
import type { Parameters } from './parameters.js';
import { Ec2Refusal, UNSUPPORTED } from './refusal.js';
import { readTagSpecifications } from './requests.js';
import { ROOT_DEVICE, profileArn } from './view.js';

/** What RunInstances asks for, checked; where it goes is decided later when no zone is named. */
export interface LaunchRequest extends Omit<LaunchSpec, 'zone' | 'subnetId'> {
  readonly least: number;
  readonly most: number;
  /** Named by itself or by the subnet. */
  readonly zone: string | undefined;
  readonly subnetId: string | undefined;
}

/** What RunInstances makes and can tag ("TagSpecification.N", RunInstances). */
const TAGGED = ['instance', 'volume', 'network-interface', 'spot-instances-request'];

/** The types and zones there are. */
export interface Offers {
  readonly zones: readonly string[];
  /** Zones in which a type is offered; empty for what is no type. */
  zonesOf(type: string): readonly string[];
}

// What the service takes and nobody here has needed yet. Told apart from misspelt names.
const NOT_HERE = [
  'AdditionalInfo', 'CapacityReservationSpecification', 'CpuOptions', 'CreditSpecification', 'DisableApiStop', 'DisableApiTermination', 'ElasticGpuSpecification',
  'ElasticInferenceAccelerator', 'EnablePrimaryIpv6', 'EnclaveOptions', 'HibernationOptions', 'Ipv6Address', 'Ipv6AddressCount', 'KernelId', 'LaunchTemplate',
  'LicenseSpecification', 'MaintenanceOptions', 'NetworkInterface', 'NetworkPerformanceOptions', 'Operator', 'PrivateDnsNameOptions', 'PrivateIpAddress', 'RamdiskId', 'SecondaryInterface',
];

/** @throws Ec2Refusal for whatever "RunInstances" (API Reference) does not allow */
export function readLaunch(parameters: Parameters, cloud: Cloud, offers: Offers): LaunchRequest {
  const image = readImage(parameters.required('ImageId'), cloud);
  const type = readType(parameters.required('InstanceType'), parameters, offers);
  const least = parameters.whole('MinCount', 1, 1000) ?? Number(parameters.required('MinCount'));
  const most = parameters.whole('MaxCount', 1, 1000) ?? Number(parameters.required('MaxCount'));
  if (least > most) throw parameters.invalid('MinCount', String(least), ' The minimum must not be greater than the maximum.');
  const place = readPlace(parameters, cloud, offers);
  const groups = readGroups(parameters, cloud, place.subnetId !== undefined);
  const market = readMarket(parameters);
  const tags = readTagSpecifications(parameters, TAGGED);
  const clientToken = parameters.text('ClientToken') ?? '';
  // "Ensuring idempotency" (Developer Guide): up to 64 ASCII characters.
  if (!/^[\x20-\x7e]{0,64}$/.test(clientToken)) throw new Ec2Refusal('InvalidClientToken', 'The specified client token is not valid: it has up to 64 ASCII characters.');
  const request: LaunchRequest = {
    type,
    least,
    most,
    ...place,
    market,
    imageId: image.id,
    clientToken,
    securityGroupIds: groups,
    keyName: existing(parameters.text('KeyName'), (name) => cloud.keyPairs.has(name), (name) => new Ec2Refusal('InvalidKeyPair.NotFound', `The key pair '${name}' does not exist`)),
    instanceProfile: readProfile(parameters, cloud),
    userData: readUserData(parameters.text('UserData')),
    shutdownBehavior: parameters.oneOf('InstanceInitiatedShutdownBehavior', ['stop', 'terminate']) ?? 'stop',
    tags: tags.get('instance') ?? {},
    volumes: readVolumes(parameters, tags.get('volume') ?? {}),
  };
  // These change nothing here, but their values are checked.
  parameters.flag('EbsOptimized');
  parameters.group('Monitoring')?.flag('Enabled');
  const metadata = parameters.group('MetadataOptions');
  metadata?.oneOf('HttpTokens', ['optional', 'required']);
  metadata?.oneOf('HttpEndpoint', ['enabled', 'disabled']);
  metadata?.oneOf('InstanceMetadataTags', ['enabled', 'disabled']);
  metadata?.whole('HttpPutResponseHopLimit', 1, 64);
  const notHere = NOT_HERE.find((name) => parameters.has(name));
  if (notHere !== undefined) throw new Ec2Refusal(UNSUPPORTED, `The stand-in has no ${notHere}; the real service has.`);
  return request;
}

function readImage(id: string, cloud: Cloud): Ec2Image {
  checkImageId(id);
  const image = cloud.image(id)?.image;
  if (image === undefined) throw new Ec2Refusal('InvalidAMIID.NotFound', `The image id '[${id}]' does not exist`);
  if (image.state !== 'available') throw new Ec2Refusal('InvalidAMIID.Unavailable', `The image ID '${id}' is in the state '${image.state}' and cannot be launched`);
  return image;
}

function readType(type: string, parameters: Parameters, offers: Offers): string {
  if (offers.zonesOf(type).length === 0) throw parameters.invalid('InstanceType', type);
  return type;
}

/** A subnet lies in one zone, so naming both is only right when they agree. */
function readPlace(parameters: Parameters, cloud: Cloud, offers: Offers): { zone: string | undefined; subnetId: string | undefined } {
  const placement = parameters.group('Placement');
  const zone = placement?.text('AvailabilityZone');
  placement?.oneOf('Tenancy', ['default']);
  if (zone !== undefined && !offers.zones.includes(zone)) throw new Ec2Refusal('InvalidParameterValue', `Invalid availability zone: [${zone}]`);
  const subnetId = parameters.text('SubnetId');
  if (subnetId === undefined) return { zone, subnetId };
  if (!/^subnet-([0-9a-f]{8}|[0-9a-f]{17})$/.test(subnetId)) throw new Ec2Refusal('InvalidSubnetID.Malformed', `Invalid id: "${subnetId}" (expecting "subnet-...")`);
  const subnet = cloud.subnets.get(subnetId);
  if (subnet === undefined) throw new Ec2Refusal('InvalidSubnetID.NotFound', `The subnet ID '${subnetId}' does not exist`);
  if (zone !== undefined && zone !== subnet.zone) throw new Ec2Refusal('InvalidParameterCombination', `The subnet '${subnetId}' is in the Availability Zone ${subnet.zone}, not in ${zone}`);
  return { zone: subnet.zone, subnetId };
}

function readGroups(parameters: Parameters, cloud: Cloud, inSubnet: boolean): string[] {
  const ids = parameters.list('SecurityGroupId');
  const names = parameters.list('SecurityGroup');
  if (names.length > 0 && inSubnet) throw new Ec2Refusal('InvalidParameterCombination', 'The parameter groupName cannot be used with the parameter subnet');
  for (const id of ids) {
    if (!/^sg-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id)) throw new Ec2Refusal('InvalidGroupId.Malformed', `Invalid id: "${id}" (expecting "sg-...")`);
    if (!cloud.securityGroups.has(id)) throw new Ec2Refusal('InvalidGroup.NotFound', `The security group '${id}' does not exist`);
  }
  const named = names.map((name) => {
    const found = [...cloud.securityGroups].find((entry) => entry[1] === name);
    if (found === undefined) throw new Ec2Refusal('InvalidGroup.NotFound', `The security group '${name}' does not exist in the default VPC`);
    return found[0];
  });
  const all = [...ids, ...named];
  const byDefault = [...cloud.securityGroups].find((entry) => entry[1] === 'default');
  return all.length > 0 || byDefault === undefined ? all : [byDefault[0]];
}

function readMarket(parameters: Parameters): 'spot' | 'on-demand' {
  const options = parameters.group('InstanceMarketOptions');
  if (options === undefined) return 'on-demand';
  const market = options.required('MarketType');
  const spot = options.group('SpotOptions');
  if (market !== 'spot') throw market === 'capacity-block' ? new Ec2Refusal(UNSUPPORTED, 'The stand-in has no capacity blocks; the real service has.') : options.invalid('MarketType', market);
  const kind = spot?.oneOf('SpotInstanceType', ['one-time', 'persistent']);
  const interruption = spot?.oneOf('InstanceInterruptionBehavior', ['hibernate', 'stop', 'terminate']) ?? 'terminate';
  // "SpotMarketOptions" (API Reference): the other two need a persistent request.
  if (interruption !== 'terminate' && kind !== 'persistent') throw new Ec2Refusal('InvalidParameterCombination', `The interruption behavior ${interruption} needs a persistent Spot request`);
  if (kind === 'persistent') throw new Ec2Refusal(UNSUPPORTED, 'The stand-in has one-time Spot requests only; the real service has persistent ones.');
  const price = spot?.text('MaxPrice');
  if (price !== undefined && !(Number(price) > 0)) throw new Ec2Refusal('InvalidParameterValue', `Value (${price}) for parameter maxPrice is invalid.`);
  return 'spot';
}

function readProfile(parameters: Parameters, cloud: Cloud): string | undefined {
  const profile = parameters.group('IamInstanceProfile');
  const name = profile?.text('Name');
  const arn = profile?.text('Arn');
  if (name !== undefined && arn !== undefined) throw new Ec2Refusal('InvalidParameterCombination', `The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'`);
  if (arn !== undefined) {
    const found = [...cloud.profiles].find((entry) => profileArn(cloud.accountId, entry) === arn);
    if (found === undefined) throw new Ec2Refusal('InvalidParameterValue', `Value (${arn}) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN`);
    return found;
  }
  return existing(name, (entry) => cloud.profiles.has(entry), (entry) => new Ec2Refusal('InvalidParameterValue', `Value (${entry}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name`));
}

/** "Instance user data" (User Guide): base64 in the request, at most 16 KB before that. */
function readUserData(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) throw new Ec2Refusal('InvalidUserData.Malformed', 'Invalid BASE64 encoding of user data.');
  const data = Buffer.from(text, 'base64');
  if (data.length > 16_384) throw new Ec2Refusal('InvalidParameterValue', 'User data is limited to 16384 bytes');
  return data.toString('utf8');
}

function readVolumes(parameters: Parameters, tags: Record<string, string>): LaunchSpec['volumes'] {
  const volumes = new Map([[ROOT_DEVICE, { device: ROOT_DEVICE, sizeGiB: 8, type: 'gp3', deleteOnTermination: true, tags }]]);
  const seen = new Set<string>();
  for (const mapping of parameters.groups('BlockDeviceMapping')) {
    const device = mapping.required('DeviceName');
    if (seen.has(device)) throw new Ec2Refusal('InvalidBlockDeviceMapping', `The device '${device}' is used in more than one block-device mapping`);
    seen.add(device);
    const ebs = mapping.group('Ebs');
    if (ebs === undefined) throw new Ec2Refusal(mapping.has('NoDevice') || mapping.has('VirtualName') ? UNSUPPORTED : 'MissingParameter', `The block device mapping of ${device} must contain the parameter Ebs`);
    const type = ebs.oneOf('VolumeType', ['standard', 'io1', 'io2', 'gp2', 'gp3', 'sc1', 'st1']) ?? 'gp3';
    ebs.whole('Iops', 100, 256_000);
    ebs.whole('Throughput', 125, 2_000);
    ebs.flag('Encrypted');
    ebs.text('SnapshotId');
    ebs.text('KmsKeyId');
    const sizeGiB = ebs.whole('VolumeSize', 1, 65_536) ?? volumes.get(device)?.sizeGiB;
    if (sizeGiB === undefined) throw new Ec2Refusal('MissingParameter', 'The request must contain the parameter size or snapshotId');
    // "Preserve data when an instance is terminated" (User Guide): the root volume goes by default, others stay.
    volumes.set(device, { device, sizeGiB, type, deleteOnTermination: ebs.flag('DeleteOnTermination') ?? device === ROOT_DEVICE, tags });
  }
  return [...volumes.values()];
}

function existing(name: string | undefined, exists: (name: string) => boolean, refusal: (name: string) => Ec2Refusal): string | undefined {
  if (name !== undefined && !exists(name)) throw refusal(name);
  return name;
}
