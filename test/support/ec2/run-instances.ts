import type { Cloud } from './cloud.js';
import type { Faults } from './faults.js';
import type { Importing } from './import-snapshot.js';
import { countsAsRunning, vcpusOf, type InstanceRecord, type Market } from './instance.js';
import { readLaunch, type LaunchRequest, type Offers } from './launch-parameters.js';
import type { Parameters } from './parameters.js';
import { Ec2Refusal } from './refusal.js';
import { reservationXml } from './view.js';
import type { Xml } from './xml.js';

/** Processors that may run at a time, by market; absent: no limit. */
export interface Quota {
  readonly vcpus?: number;
  readonly spotVcpus?: number;
}

/** What becomes of a token whose instances have ended; the documents of the service say the one and the other. */
export type EndedToken = 'describes' | 'refuses';

export interface Launching {
  readonly cloud: Cloud;
  readonly offers: Offers;
  readonly faults: Faults;
  readonly quota: Quota;
  readonly endedToken: EndedToken;
  readonly importing: Importing;
}

/** "RunInstances" (API Reference). Nothing in here waits, so calls at the same time with one token come one after another. */
export function runInstances(parameters: Parameters, launching: Launching): Record<string, Xml> {
  const { cloud, faults } = launching;
  const dryRun = parameters.flag('DryRun') ?? false;
  const request = readLaunch(parameters, cloud, launching.offers);
  parameters.end();
  const fingerprint = parameters.fingerprint('ClientToken', 'DryRun');
  const before = earlier(request, fingerprint, launching);
  if (before !== undefined) return reservationXml(cloud, before);
  if (dryRun) throw new Ec2Refusal('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.');

  const zone = faults.admitLaunch(request.type, request.market, zonesFor(request, launching.offers));
  const count = allowed(request, launching);
  const { least: _least, most: _most, ...rest } = request;
  const made = cloud.launch({ ...rest, zone, subnetId: request.subnetId ?? defaultSubnet(cloud, zone) }, count);
  const reservationId = made[0]?.reservationId;
  // Only what succeeded is remembered: after a refusal the token is as good as new.
  if (request.clientToken !== '' && reservationId !== undefined) cloud.launches.set(tokenKey(request), { fingerprint, reservationId });
  return reservationXml(cloud, made);
}

/**
 * What was launched with this token before. "RunInstances idempotency" (Developer Guide): a request that names a zone,
 * by itself or by its subnet, is idempotent within that zone, and the same token launches again in another one; a
 * request that names none is idempotent within the region.
 */
function earlier(request: LaunchRequest, fingerprint: string, { cloud, endedToken }: Launching): InstanceRecord[] | undefined {
  const launch = request.clientToken === '' ? undefined : cloud.launches.get(tokenKey(request));
  if (launch === undefined) return undefined;
  if (launch.fingerprint !== fingerprint) throw new Ec2Refusal('IdempotentParameterMismatch', 'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).');
  const records = [...cloud.instances.values()].filter(({ reservationId }) => reservationId === launch.reservationId);
  if (endedToken === 'refuses' && records.every(({ state }) => state === 'terminated')) {
    throw new Ec2Refusal('IdempotentInstanceTerminated', 'The request to launch an instance uses the same client token as a previous request for which the instance has been terminated.');
  }
  return records;
}

function tokenKey({ clientToken, zone }: LaunchRequest): string {
  return `${zone ?? 'region'} ${clientToken}`;
}

/** Where it may go, in the order of trying. */
function zonesFor({ type, zone }: LaunchRequest, offers: Offers): readonly string[] {
  const zones = offers.zonesOf(type);
  if (zone === undefined) return zones;
  if (zones.includes(zone)) return [zone];
  throw new Ec2Refusal('Unsupported', `Your requested instance type (${type}) is not supported in your requested Availability Zone (${zone}). Please retry your request by not specifying an Availability Zone or choosing ${zones.join(', ')}.`);
}

function defaultSubnet(cloud: Cloud, zone: string): string {
  const found = [...cloud.subnets].find((entry) => entry[1].isDefault && entry[1].zone === zone);
  if (found === undefined) throw new Ec2Refusal('MissingInput', `No default subnet for availability zone: '${zone}'`);
  return found[0];
}

/** As many as the limit leaves, if that is enough. "Amazon EC2 instance quotas" (User Guide): counted is what is pending or running. */
function allowed({ type, market, least, most }: LaunchRequest, { cloud, quota }: Launching): number {
  const limit = market === 'spot' ? quota.spotVcpus : quota.vcpus;
  if (limit === undefined) return most;
  const used = [...cloud.instances.values()].filter((record) => record.market === market && countsAsRunning(record)).reduce((sum, record) => sum + vcpusOf(record.type), 0);
  const count = Math.min(most, Math.floor((limit - used) / vcpusOf(type)));
  if (count < least) throw overLimit(market, limit);
  return count;
}

function overLimit(market: Market, limit: number): Ec2Refusal {
  if (market === 'spot') return new Ec2Refusal('MaxSpotInstanceCountExceeded', 'Max spot instance count exceeded');
  return new Ec2Refusal('VcpuLimitExceeded', `You have requested more vCPU capacity than your current vCPU limit of ${limit} allows for the instance bucket that the specified instance type belongs to.`);
}
