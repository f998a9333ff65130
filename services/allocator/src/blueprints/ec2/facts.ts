import type { BlueprintOf, HostAccess } from '@berth/contracts';
import type { Facts } from '../blueprint.js';
import type { Offer, Place } from './offers.js';

/** How far a launch is; read from the facts on its resource. */
export type Progress =
  /** nothing is intended yet, so nothing can have been launched */
  | { at: 'start'; tried: number; image?: string }
  /** the intent is stored: it may have been launched with this token, or not */
  | ({ at: 'chosen'; tried: number; image: string; token: string; offer: string; since: number } & Place)
  /** EC2 gave an instance */
  | ({ at: 'launched'; instance: string; token: string; launched: number; offer: string; running?: Addresses & { since: number; hostKey?: string } } & Place);

/** Where an instance can be reached. */
export interface Addresses {
  readonly privateAddress?: string;
  readonly publicAddress?: string;
  readonly dnsName?: string;
}

export function progressOf(facts: Facts): Progress {
  const text = (key: string): string | undefined => (typeof facts[key] === 'string' ? facts[key] : undefined);
  const time = (key: string): number => Date.parse(text(key) ?? '');
  const offer = text('offer');
  const type = text('type');
  const market = text('market');
  const tried = typeof facts['tried'] === 'number' ? facts['tried'] : 0;
  const image = text('image');
  if (offer === undefined || type === undefined || (market !== 'spot' && market !== 'on-demand')) return { at: 'start', tried, ...(image !== undefined && { image }) };

  const place: Place = { type, market, ...optional('zone', text('zone')), ...optional('subnet', text('subnet')), ...optional('maxPrice', text('maxPrice')) };
  const instance = text('instance');
  const token = text('token');
  if (instance === undefined) {
    if (token === undefined || image === undefined) return { at: 'start', tried };
    return { at: 'chosen', tried, image, token, offer, since: time('phaseSince'), ...place };
  }
  const launched = { at: 'launched', instance, token: token ?? '', launched: time('launched'), offer, ...place } as const;
  if (text('phase') !== 'running') return launched;
  const addresses = { ...optional('privateAddress', text('privateAddress')), ...optional('publicAddress', text('publicAddress')), ...optional('dnsName', text('dnsName')) };
  return { ...launched, running: { since: time('phaseSince'), ...addresses, ...optional('hostKey', text('hostKey')) } };
}

/** The intent to launch: all that the call needs besides the blueprint, so that it can be made again exactly. */
export function chosenFacts(resource: string, tried: number, offer: Offer, image: string, at: string): Facts {
  const { zone = null, subnet = null, maxPrice = null } = offer;
  return { offer: offer.name, type: offer.type, market: offer.market, zone, subnet, maxPrice, image, tried, token: tokenOf(resource, tried), phase: 'launching', phaseSince: at, troubleSince: null };
}

/** The instance that EC2 gave; `zone` is where it really is. */
export function launchedFacts(instance: string, zone: string | undefined, at: string): Facts {
  return { instance, ...(zone !== undefined && { zone }), launched: at, phase: 'booting', phaseSince: at, troubleSince: null };
}

export function runningFacts(addresses: Addresses, at: string): Facts {
  return { ...addresses, phase: 'running', phaseSince: at };
}

/** By when a host lets us in and is ready, or is given up; undefined before EC2 has given an instance. `stage` is of the allocator. */
export function readyBy({ hostKey, timeouts: { boot, reachable }, ready }: BlueprintOf<'ec2'>, facts: Facts): string | undefined {
  const progress = progressOf(facts);
  if (progress.at !== 'launched') return undefined;
  const by = (since: number, ...phases: number[]): string => new Date(phases.reduce((sum, ms) => sum + ms, since)).toISOString();
  const checked = ready?.timeout ?? 0;
  if (facts['stage'] === 'readying') return by(Date.parse(String(facts['stageSince'])), checked);
  if (facts['stage'] === 'connecting') return by(Date.parse(String(facts['stageSince'])), reachable, checked);
  const key = hostKey === 'console' ? reachable : 0;
  return progress.running ? by(progress.running.since, key, reachable, checked) : by(progress.launched, boot, key, reachable, checked);
}

/** Of 64 ASCII characters that are allowed ("Ensuring idempotency in Amazon EC2 API requests", Developer Guide). */
function tokenOf(resource: string, tried: number): string {
  return `berth-${resource}-${tried}`;
}

/** The address that Berth is to connect to. */
export function addressOf(which: 'private' | 'public' | 'dns', { privateAddress, publicAddress, dnsName }: Addresses): HostAccess['address'] | undefined {
  switch (which) {
    case 'private':
      return privateAddress;
    case 'public':
      return publicAddress;
    case 'dns':
      return dnsName;
  }
}

function optional<K extends string>(key: K, value: string | undefined): { [P in K]?: string } {
  return value === undefined || value === '' ? {} : ({ [key]: value } as { [P in K]: string });
}
