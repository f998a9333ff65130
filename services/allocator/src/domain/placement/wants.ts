import { satisfies } from '@berth/contracts';

/** A host lease that waits. */
export interface Wanted {
  lease: string;
  owner: string;
  /** what the host must have: an expression for each attribute */
  attributes: Readonly<Record<string, string>>;
  /** what it should have besides: the first that is to be had, else none of them */
  prefer: readonly Readonly<Record<string, string>>[];
  /** empty = any */
  blueprints: readonly string[];
  /** restricted blueprints, and doors, that this requester may use */
  may: readonly string[];
  /** points: higher is first */
  priority: number;
  /** ms since 1970 */
  askedAt: number;
  /** position of the request in the log: unique, lower is first among equals */
  order: number;
  /** a host that served this key last is taken first */
  affinity?: string;
}

/** A host that can be claimed. */
export interface Offer {
  resource: string;
  blueprint: string;
  attributes: Readonly<Record<string, string>>;
  /** only for those who have its blueprint in `may` */
  restricted: boolean;
  /** besides: only for those who have this in `may` */
  door?: string;
  /** slots that nobody holds and no plan has taken */
  free: number;
  /** lower is taken first */
  rank: number;
  /** affinity keys that it served last */
  warm: readonly string[];
}

/** What may be held at a time; what is absent is not limited. */
export interface Limits {
  /** slots over all owners and blueprints */
  hosts?: number | undefined;
  /** slots of one owner */
  owner(owner: string): number | undefined;
  blueprint(name: string): { leases?: number | undefined; leasesPerOwner?: number | undefined };
}

export const unlimited: Limits = { owner: () => undefined, blueprint: () => ({}) };

/** Does a host fit a request, whoever holds it now? */
export const fits = (wanted: Pick<Wanted, 'attributes' | 'blueprints' | 'may'>, offer: Pick<Offer, 'attributes' | 'blueprint' | 'restricted' | 'door'>): boolean =>
  (wanted.blueprints.length === 0 || wanted.blueprints.includes(offer.blueprint)) &&
  (!offer.restricted || wanted.may.includes(offer.blueprint)) &&
  (offer.door === undefined || wanted.may.includes(offer.door)) &&
  satisfies(offer.attributes, wanted.attributes);

/** Equal for requests that the same hosts fit equally well. */
export function wantsKey({ attributes, prefer, blueprints, may }: Pick<Wanted, 'attributes' | 'prefer' | 'blueprints' | 'may'>): string {
  const sorted = (wants: Readonly<Record<string, string>>) => Object.entries(wants).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([sorted(attributes), prefer.map(sorted), [...blueprints].sort(), [...may].sort()]);
}

/** The texts that an expression equals, when it is nothing but those: they are looked up, others are tried one by one. */
export function literals(text: string): readonly string[] | undefined {
  if (text.startsWith('=')) return [text.slice(1)];
  const values = text.split('|').map((one) => one.trim());
  return values.every((value) => value !== '*' && /^[^!<>]/.test(value)) ? values : undefined;
}
