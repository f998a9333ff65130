import { createHash } from 'node:crypto';
import { satisfies, type BlueprintOf } from '@berth/contracts';

type Spec = BlueprintOf<'ec2'>;

/** Where something can be launched; all that is not in the blueprint is left to EC2. */
export interface Place {
  readonly type: string;
  readonly market: Spec['markets'][number]['market'];
  readonly zone?: string;
  readonly subnet?: string;
  /** US dollars per hour */
  readonly maxPrice?: string;
}

/** A place by its name, and what a host there will be like. */
export interface Offer extends Place {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Only when all others are refused. */
  readonly last: boolean;
}

type Lists = Pick<Spec, 'markets' | 'types' | 'zones'>;

/** Everything that a blueprint can launch: market by market, in each type by type, in each zone by zone. */
export function offersOf(spec: Spec): Offer[] {
  return combine(spec, spec);
}

/**
 * The same in the order in which one resource tries them. Which of a list comes first is drawn by weight; the draw
 * depends on the resource alone, so that a step that is taken again draws the same.
 */
export function drawn(spec: Spec, resource: string): Offer[] {
  const offers = combine(spec, {
    markets: draw(spec.markets, `${resource} market`),
    types: draw(spec.types, `${resource} type`),
    zones: draw(spec.zones, `${resource} zone`),
  });
  return [...offers.filter(({ last }) => !last), ...offers.filter(({ last }) => last)];
}

/** What a launch comes to choose. */
export type Choice = { is: 'offer'; offer: Offer } | { is: 'none-fits' } | { is: 'all-refused'; until: readonly (readonly [name: string, until: string])[] };

/** The first offer for a resource that satisfies `wants` and is not refused at `now`, in ms since 1970. */
export function choose(spec: Spec, resource: string, wants: Readonly<Record<string, string>>, refused: ReadonlyMap<string, string>, now: number): Choice {
  const offers = drawn(spec, resource);
  const sure = offers.filter(({ attributes }) => satisfies(attributes, wants));
  // What an offer says nothing of was found on a host of its type before, or nobody would launch one for this.
  const fitting = sure.length > 0 ? sure : offers.filter(({ attributes }) => satisfies(attributes, said(wants, attributes)));
  const offer = fitting.find(({ name }) => !isRefused(name, refused, now));
  if (offer !== undefined) return { is: 'offer', offer };
  if (fitting.length === 0) return { is: 'none-fits' };
  const until = fitting.map(({ name }) => [name, refused.get(name) ?? ''] as const);
  return { is: 'all-refused', until: until.sort(([, a], [, b]) => Date.parse(a) - Date.parse(b)) };
}

/** As much of the wants as an offer says something of. */
const said = (wants: Readonly<Record<string, string>>, attributes: Readonly<Record<string, string>>): Record<string, string> => Object.fromEntries(Object.entries(wants).filter(([key]) => Object.hasOwn(attributes, key)));

export function isRefused(name: string, refused: ReadonlyMap<string, string>, now: number): boolean {
  const until = refused.get(name);
  return until !== undefined && Date.parse(until) > now;
}

/** What a host at a place is like. What the blueprint says of all its hosts goes before the rest. */
export function attributesOf(spec: Spec, { type, zone, market }: Place): Record<string, string> {
  return {
    ...spec.types.find((entry) => entry.type === type)?.attributes,
    instanceType: type,
    ...(zone !== undefined && { zone }),
    market,
    region: spec.region,
    os: spec.platform,
    remote: 'yes',
    preallocated: 'no',
    elastic: 'yes',
    ...spec.attributes,
  };
}

function combine(spec: Spec, lists: Lists): Offer[] {
  const offers = new Map<string, Offer>();
  const last = { market: lastResorts(spec.markets), type: lastResorts(spec.types), zone: lastResorts(spec.zones) };
  for (const market of lists.markets) {
    for (const type of lists.types) {
      for (const zone of lists.zones.length > 0 ? lists.zones : [undefined]) {
        const name = `${type.type}/${labelOf(zone, spec.zones)}/${market.market}`;
        // The same twice in a list is one offer.
        if (offers.has(name)) continue;
        const place: Place = {
          type: type.type,
          market: market.market,
          ...(zone?.zone !== undefined && { zone: zone.zone }),
          ...(zone?.subnet !== undefined && { subnet: zone.subnet }),
          ...(market.maxPrice !== undefined && market.market === 'spot' && { maxPrice: market.maxPrice }),
        };
        offers.set(name, { ...place, name, attributes: attributesOf(spec, place), last: last.market.has(market) || last.type.has(type) || (zone !== undefined && last.zone.has(zone)) });
      }
    }
  }
  return [...offers.values()];
}

/** The zone in an offer's name; with its subnet where the blueprint has several subnets of a zone. */
function labelOf(zone: Spec['zones'][number] | undefined, zones: Spec['zones']): string {
  const label = zone?.zone ?? '-';
  const subnets = new Set(zones.filter((other) => other.zone === zone?.zone).map(({ subnet }) => subnet));
  return subnets.size > 1 && zone?.subnet !== undefined ? `${label}:${zone.subnet}` : label;
}

/** Those with weight 0 in a list where others have one. */
function lastResorts<T extends { weight: number }>(list: readonly T[]): ReadonlySet<T> {
  return new Set(list.some(({ weight }) => weight > 0) ? list.filter(({ weight }) => weight === 0) : []);
}

/**
 * A list in a drawn order: an entry is before all others as often as its share of the weights says ("Weighted random
 * sampling with a reservoir", Efraimidis and Spirakis). All weights equal = the order of the list.
 */
function draw<T extends { weight: number }>(list: readonly T[], seed: string): T[] {
  if (list.every(({ weight }) => weight === list[0]?.weight)) return [...list];
  const ranked = list.map((entry, index) => ({ entry, rank: entry.weight === 0 ? Infinity : -Math.log(chance(`${seed} ${index}`)) / entry.weight }));
  // Infinity - Infinity is no number, which would be no order.
  return ranked.sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank)).map(({ entry }) => entry);
}

/** Above 0 and at most 1, the same for the same text. */
function chance(text: string): number {
  return (createHash('sha256').update(text).digest().readUInt32BE(0) + 1) / 2 ** 32;
}
