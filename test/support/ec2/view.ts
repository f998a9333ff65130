import type { Cloud } from './cloud.js';
import type { InstanceRecord, InstanceState } from './instance.js';
import type { Xml } from './xml.js';

// "InstanceState" (API Reference).
const CODE: Readonly<Record<InstanceState, number>> = { pending: 0, running: 16, 'shutting-down': 32, terminated: 48, stopping: 64, stopped: 80 };

export const VPC_ID = 'vpc-0a1b2c3d4e5f60718';

export function stateXml(state: InstanceState): Xml {
  return { code: CODE[state], name: state };
}

export function tagsXml(tags: Readonly<Record<string, string>>): Xml {
  const entries = Object.entries(tags);
  return entries.length === 0 ? undefined : entries.map(([key, value]) => ({ key, value }));
}

/** "Reservation" (API Reference) with these of its instances. */
export function reservationXml(cloud: Cloud, records: readonly InstanceRecord[]): Record<string, Xml> {
  return { reservationId: records[0]?.reservationId, ownerId: cloud.accountId, groupSet: [], instancesSet: records.map((record, index) => instanceXml(cloud, record, index)) };
}

/** "Instance" (API Reference). */
function instanceXml(cloud: Cloud, record: InstanceRecord, index: number): Xml {
  const { state } = record;
  const ended = state === 'terminated';
  // A public address belongs to what runs, and an ended instance has no address any more ("Instance IP addressing", User Guide).
  const reachable = state === 'running' || state === 'shutting-down' || state === 'stopping';
  return {
    instanceId: record.id,
    imageId: record.imageId,
    instanceState: stateXml(state),
    // No name server knows these, so what stands for the name is the address, which resolves to itself.
    privateDnsName: ended ? '' : record.address,
    dnsName: reachable ? record.address : '',
    reason: record.transitionReason,
    keyName: record.keyName,
    amiLaunchIndex: index,
    instanceType: record.type,
    launchTime: record.launchedAt,
    placement: { availabilityZone: record.zone, groupName: '', tenancy: 'default' },
    monitoring: { state: 'disabled' },
    ...(ended
      ? {}
      : {
          subnetId: record.subnetId,
          vpcId: VPC_ID,
          privateIpAddress: record.address,
          groupSet: record.securityGroupIds.map((groupId) => ({ groupId, groupName: cloud.securityGroups.get(groupId) })),
        }),
    ipAddress: reachable ? record.address : undefined,
    stateReason: record.stateReason,
    architecture: 'x86_64',
    rootDeviceType: 'ebs',
    rootDeviceName: ROOT_DEVICE,
    blockDeviceMapping: record.volumes
      .filter(() => !ended)
      .map(({ id, device, deleteOnTermination }) => ({ deviceName: device, ebs: { volumeId: id, status: 'attached', attachTime: record.launchedAt, deleteOnTermination } })),
    virtualizationType: 'hvm',
    hypervisor: 'xen',
    // Only spot instances have these two; an on-demand one has no lifecycle at all.
    instanceLifecycle: record.market === 'spot' ? 'spot' : undefined,
    spotInstanceRequestId: record.spotRequestId,
    clientToken: record.clientToken,
    tagSet: tagsXml(record.tags),
    iamInstanceProfile: record.instanceProfile === undefined ? undefined : { arn: profileArn(cloud.accountId, record.instanceProfile), id: 'AIPAEXAMPLEPROFILEID' },
  };
}

export const ROOT_DEVICE = '/dev/xvda';

export function profileArn(accountId: string, name: string): string {
  return `arn:aws:iam::${accountId}:instance-profile/${name}`;
}
