import { newSshKey } from '@berth/embedded/servers';
import type { Cloud } from './cloud.js';
import { consoleText } from './console.js';
import { page, readFilters } from './filters.js';
import type { InstanceRecord } from './instance.js';
import type { Parameters } from './parameters.js';
import { Ec2Refusal } from './refusal.js';
import { reservationXml, stateXml } from './view.js';
import type { Xml } from './xml.js';

/** The instances with these ids. @throws Ec2Refusal when one is malformed or not known (yet, or any more) */
export function instancesById(cloud: Cloud, ids: readonly string[]): InstanceRecord[] {
  for (const id of ids) if (!/^i-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id)) throw new Ec2Refusal('InvalidInstanceID.Malformed', `Invalid id: "${id}"`);
  const known = new Map(cloud.known().map((record) => [record.id, record]));
  const missing = ids.filter((id) => !known.has(id));
  if (missing.length === 1) throw new Ec2Refusal('InvalidInstanceID.NotFound', `The instance ID '${missing[0]}' does not exist`);
  if (missing.length > 1) throw new Ec2Refusal('InvalidInstanceID.NotFound', `The instance IDs '${missing.join(', ')}' do not exist`);
  return [...new Set(ids)].flatMap((id) => known.get(id) ?? []);
}

const INSTANCE_FILTERS = [
  'instance-state-name', 'instance-id', 'client-token', 'image-id', 'instance-type', 'availability-zone', 'instance-lifecycle', 'reservation-id', 'ip-address',
  'private-ip-address',
];

/** "DescribeInstances" (API Reference). */
export function describeInstances(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const ids = parameters.list('InstanceId');
  const passes = readFilters(parameters, INSTANCE_FILTERS);
  const chosen = (ids.length > 0 ? instancesById(cloud, ids) : cloud.known()).filter((record) => passes((name) => instanceValues(record, name), record.tags));
  const { items, nextToken } = page(parameters, chosen, { least: 5, most: 1000, idsGiven: ids.length > 0 });
  parameters.end();
  const reservations = [...new Set(items.map(({ reservationId }) => reservationId))];
  return { reservationSet: reservations.map((id) => reservationXml(cloud, items.filter(({ reservationId }) => reservationId === id))), nextToken };
}

function instanceValues(record: InstanceRecord, name: string): readonly string[] {
  switch (name) {
    case 'instance-state-name':
      return [record.state];
    case 'instance-id':
      return [record.id];
    case 'client-token':
      return [record.clientToken];
    case 'image-id':
      return [record.imageId];
    case 'instance-type':
      return [record.type];
    case 'availability-zone':
      return [record.zone];
    case 'instance-lifecycle':
      return record.market === 'spot' ? ['spot'] : [];
    case 'reservation-id':
      return [record.reservationId];
    case 'ip-address':
      return record.state === 'running' ? [record.address] : [];
    case 'private-ip-address':
      return record.state === 'terminated' ? [] : [record.address];
    default:
      throw new Error(`the filter ${name} is taken but has no values`);
  }
}

/** "DescribeInstanceStatus" (API Reference): running ones only, unless `IncludeAllInstances`. */
export function describeInstanceStatus(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const ids = parameters.list('InstanceId');
  const all = parameters.flag('IncludeAllInstances') ?? false;
  const passes = readFilters(parameters, ['instance-state-name', 'availability-zone']);
  const chosen = (ids.length > 0 ? instancesById(cloud, ids) : cloud.known()).filter((record) => (all || record.state === 'running') && passes((name) => instanceValues(record, name), record.tags));
  const { items, nextToken } = page(parameters, chosen, { least: 5, most: 1000, idsGiven: ids.length > 0 });
  parameters.end();
  return {
    instanceStatusSet: items.map((record) => {
      const status = record.state !== 'running' ? 'not-applicable' : record.machine.pid === undefined ? 'initializing' : 'ok';
      return { instanceId: record.id, availabilityZone: record.zone, instanceState: stateXml(record.state), systemStatus: { status }, instanceStatus: { status } };
    }),
    nextToken,
  };
}

/** "DescribeSpotInstanceRequests" (API Reference), one for each spot instance; all are one-time. */
export function describeSpotInstanceRequests(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const ids = parameters.list('SpotInstanceRequestId');
  const passes = readFilters(parameters, ['state', 'instance-id', 'spot-instance-request-id']);
  const requests = cloud.known().flatMap((record) => (record.spotRequestId === undefined ? [] : [{ id: record.spotRequestId, record, ...spotStatus(record) }]));
  for (const id of ids) if (!requests.some((request) => request.id === id)) throw new Ec2Refusal('InvalidSpotInstanceRequestID.NotFound', `The spot instance request ID '${id}' does not exist`);
  const chosen = requests.filter(({ id, record, state }) => {
    const values: Readonly<Record<string, readonly string[]>> = { state: [state], 'instance-id': [record.id], 'spot-instance-request-id': [id] };
    return (ids.length === 0 || ids.includes(id)) && passes((name) => values[name] ?? [], {});
  });
  const { items, nextToken } = page(parameters, chosen, { least: 5, most: 1000, idsGiven: ids.length > 0 });
  parameters.end();
  return {
    spotInstanceRequestSet: items.map(({ id, record, state, code }) => ({
      spotInstanceRequestId: id,
      type: 'one-time',
      state,
      status: { code, message: code },
      instanceId: record.id,
      createTime: record.launchedAt,
      launchedAvailabilityZone: record.zone,
      instanceInterruptionBehavior: 'terminate',
    })),
    nextToken,
  };
}

/** "Get the status of a Spot Instance request" (User Guide). */
function spotStatus({ state, stateReason }: InstanceRecord): { state: string; code: string } {
  if (state !== 'shutting-down' && state !== 'terminated') return { state: 'active', code: 'fulfilled' };
  return { state: 'closed', code: stateReason?.code === 'Server.SpotInstanceTermination' ? 'instance-terminated-no-capacity' : 'instance-terminated-by-user' };
}

/** "GetConsoleOutput" (API Reference): base64, nothing before the boot, kept for a while after the end. */
export function getConsoleOutput(parameters: Parameters, cloud: Cloud): Record<string, Xml> {
  const [record] = instancesById(cloud, [parameters.required('InstanceId')]);
  parameters.flag('Latest');
  parameters.end();
  if (record === undefined) throw new Error('an id that was found has no instance');
  const { consoleAt, fault, machine } = record;
  const shown = consoleAt !== undefined && Date.now() >= consoleAt && fault !== 'no-console';
  const key = fault === 'other-console-key' ? newSshKey('another host') : machine.hostKey;
  const text = consoleText(`ip-${record.address.replaceAll('.', '-')}`, key);
  return { instanceId: record.id, timestamp: new Date(), output: shown ? Buffer.from(text).toString('base64') : undefined };
}
