import { bootedFrom, satisfies } from '@berth/contracts';

/** Requests of equal wants that no host there is can serve now. */
export interface Demand {
  attributes: Readonly<Record<string, string>>;
  blueprints: readonly string[];
  may: readonly string[];
  owner: string;
  count: number;
}

/** A blueprint that launches hosts. */
export interface Supply {
  blueprint: string;
  restricted: boolean;
  slots: number;
  /** attributes of what it could launch now, best first; empty: everything is refused for a while */
  offers: readonly Readonly<Record<string, string>>[];
  /** how many more it may launch; 0 while its breaker is open */
  room: number;
  /** of versions of its image that are under test, for requests that want one: the breaker is not theirs */
  tests?: { offers: Supply['offers']; room: number };
  minIdle: number;
}

/** A host of such a blueprint, in service or on its way. */
export interface Stock {
  resource: string;
  blueprint: string;
  attributes: Readonly<Record<string, string>>;
  /** what it was launched for, while it is on its way */
  wanted?: Readonly<Record<string, string>>;
  booting: boolean;
  /** claims now */
  busy: number;
  slots: number;
  /** since when nobody has a slot, ms since the epoch */
  idleSince: number;
  activatedAt: number;
  uses: number;
  /** can be claimed, or will be when it is up */
  sound: boolean;
  /** not of the version that its channel points at: only for requests that want that version */
  apart?: boolean;
  /** why it gets no new lease: another version is to be booted by now */
  over?: string;
}

export interface Keeping {
  idleTimeout: number;
  maxAge?: number;
  maxUses?: number;
}

/** What is to be done now. */
export interface Plan {
  launch: { blueprint: string; wants: Readonly<Record<string, string>>; owner: string; /** number of the version of its image, where it has one */ version?: string }[];
  end: { resource: string; reason: string; /** only while nobody uses it */ idle: boolean; /** the blueprint for whose sake: of several allocators one decides for it */ sake: string }[];
  /** wanted, but the limit over all blueprints is reached */
  short: number;
}

/**
 * Pure: launches one host per so many unmet requests as it has slots, never one that is on its way already, and idle ones
 * above what is in use; ends what is idle, old or worn. Supplies come in the order in which they are used.
 *
 * @param total how many more may be launched over all blueprints
 */
export function plan(demands: readonly Demand[], supplies: readonly Supply[], stock: readonly Stock[], keeping: ReadonlyMap<string, Keeping>, total: number, now: number): Plan {
  const out: Plan = { launch: [], end: [], short: 0 };
  const room = new Rooms();
  // Slots of what is on its way, promised to requests one by one.
  const coming = stock.filter((s) => s.booting && s.sound).map((s) => ({ ...s, left: s.slots }));
  const ended = new Set<string>();
  let left = total;

  for (const demand of demands) {
    let { count } = demand;
    for (const host of coming) {
      if (count === 0) break;
      const source = supplies.find((s) => s.blueprint === host.blueprint);
      if (host.left === 0 || !source || !isOpen(demand, source) || !promises(host, demand)) continue;
      const taken = Math.min(count, host.left);
      host.left -= taken;
      count -= taken;
    }
    for (const supply of supplies) {
      if (count === 0) break;
      const offer = offerFor(demand, supply);
      if (!offer) continue;
      while (count > 0 && room.has(supply, offer.test)) {
        if (left === 0) {
          const victim = idleElsewhere(stock, ended, demand);
          if (!victim) {
            out.short++;
            break;
          }
          ended.add(victim.resource);
          out.end.push({ resource: victim.resource, reason: 'reclaimed: another kind of host is wanted and the limit is reached', idle: true, sake: supply.blueprint });
          count -= supply.slots; // its launch follows when that one is gone
          continue;
        }
        out.launch.push({ blueprint: supply.blueprint, wants: demand.attributes, owner: demand.owner, ...versionOf(offer.attributes) });
        room.take(supply);
        left--;
        count = Math.max(0, count - supply.slots);
      }
      count = Math.max(0, count);
    }
  }

  for (const supply of supplies) keep(supply, { stock, coming, ended, keeping: keeping.get(supply.blueprint), room, now, out, takeTotal: () => (left > 0 ? (left--, true) : false) });
  return out;
}

interface Keep {
  stock: readonly Stock[];
  coming: readonly (Stock & { left: number })[];
  ended: Set<string>;
  keeping: Keeping | undefined;
  room: Rooms;
  now: number;
  out: Plan;
  takeTotal(): boolean;
}

function keep(supply: Supply, { stock, coming, ended, keeping, room, now, out, takeTotal }: Keep): void {
  const own = stock.filter((s) => s.blueprint === supply.blueprint && s.sound && !ended.has(s.resource));
  const end = (host: Stock, reason: string, idle: boolean) => {
    ended.add(host.resource);
    out.end.push({ resource: host.resource, reason, idle, sake: supply.blueprint });
  };
  const waitedFor = new Set(coming.filter((s) => s.left < s.slots).map((s) => s.resource));
  for (const host of own) {
    if (host.over !== undefined && !waitedFor.has(host.resource)) end(host, host.over, false);
    else if (host.booting || !keeping) continue;
    else if (keeping.maxUses !== undefined && host.uses >= keeping.maxUses) end(host, `it has served ${host.uses} leases`, false);
    else if (keeping.maxAge !== undefined && now - host.activatedAt >= keeping.maxAge) end(host, 'it is as old as hosts of its blueprint may get', false);
  }
  const unused = own.filter((s) => !s.booting && s.busy === 0 && !ended.has(s.resource)).sort((a, b) => a.idleSince - b.idleSince);
  const [idle, tests] = [unused.filter((s) => !s.apart), unused.filter((s) => s.apart)];
  const spare = coming.filter((s) => s.blueprint === supply.blueprint && s.left === s.slots && !s.apart).length;
  for (const host of [...idle.slice(0, Math.max(0, idle.length + spare - supply.minIdle)), ...tests]) {
    if (keeping && now - host.idleSince >= keeping.idleTimeout) end(host, `nobody used it for ${Math.round((now - host.idleSince) / 1000)} s`, true);
  }
  // The breaker, the limits and what is refused hold for these too.
  for (let missing = supply.minIdle - idle.filter((s) => !ended.has(s.resource)).length - spare; missing > 0 && supply.offers.length > 0; missing--) {
    if (!room.has(supply, false) || !takeTotal()) break;
    room.take(supply);
    out.launch.push({ blueprint: supply.blueprint, wants: {}, owner: 'berth', ...versionOf(supply.offers[0]!) });
  }
}

/** How many more a blueprint may launch. Once the time of its breaker is over, one launch shows whether the others would work. */
export function roomOf({ disabled, breaker }: { disabled?: string | undefined; breaker?: { until: string } | undefined }, most: number, there: number, booting: number, now: number): number {
  if (disabled !== undefined) return 0;
  const room = Math.max(0, most - there);
  if (!breaker) return room;
  return Date.parse(breaker.until) > now ? 0 : Math.min(room, Math.max(0, 1 - booting));
}

/** How many more each may launch: what is launched for a test takes room from the others too. */
class Rooms {
  private readonly taken = new Map<string, number>();

  has({ blueprint, room, tests }: Supply, test: boolean): boolean {
    return (test ? (tests?.room ?? 0) : room) - (this.taken.get(blueprint) ?? 0) > 0;
  }

  take({ blueprint }: Supply): void {
    this.taken.set(blueprint, (this.taken.get(blueprint) ?? 0) + 1);
  }
}

/** What this supply would launch for these wants, room apart. Who wants no version gets the one of the channel. */
function offerFor(demand: Pick<Demand, 'attributes' | 'blueprints' | 'may'>, supply: Supply): { attributes: Readonly<Record<string, string>>; test: boolean } | undefined {
  if (!isOpen(demand, supply)) return undefined;
  const fitting = (offers: Supply['offers'] = []) => offers.find((offer) => satisfies(offer, demand.attributes));
  const usual = fitting(supply.offers);
  if (usual) return { attributes: usual, test: false };
  const test = wantsVersion(demand.attributes) ? fitting(supply.tests?.offers) : undefined;
  return test && { attributes: test, test: true };
}

/** Could this supply launch a host for these wants? Room apart. */
export const mayLaunch = (demand: Pick<Demand, 'attributes' | 'blueprints' | 'may'>, supply: Supply): boolean => offerFor(demand, supply) !== undefined;

/** Does a request want a version of an image, and not whichever is usual? */
export const wantsVersion = (wants: Readonly<Record<string, string>>): boolean => Object.hasOwn(wants, bootedFrom.version);

const versionOf = (offer: Readonly<Record<string, string>>): { version?: string } => {
  const version = offer[bootedFrom.version];
  return version === undefined ? {} : { version };
};

const isOpen = ({ blueprints, may }: Pick<Demand, 'blueprints' | 'may'>, { blueprint, restricted }: Supply): boolean =>
  (blueprints.length === 0 || blueprints.includes(blueprint)) && (!restricted || may.includes(blueprint));

/** Will a host on its way serve these wants? By what is known of it, or because it was launched for the same. */
const promises = (host: Stock, demand: Demand): boolean =>
  isFor(host, demand) && (satisfies(host.attributes, demand.attributes) || (host.wanted !== undefined && JSON.stringify(sorted(host.wanted)) === JSON.stringify(sorted(demand.attributes))));
const isFor = ({ apart }: Stock, { attributes }: Demand): boolean => !apart || wantsVersion(attributes);
const sorted = (wants: Readonly<Record<string, string>>) => Object.entries(wants).sort(([a], [b]) => (a < b ? -1 : 1));

/** The host that nobody has used for longest and that this request could not use. */
function idleElsewhere(stock: readonly Stock[], ended: ReadonlySet<string>, demand: Demand): Stock | undefined {
  let best: Stock | undefined;
  for (const host of stock) {
    if (host.booting || host.busy > 0 || !host.sound || ended.has(host.resource)) continue;
    if (isFor(host, demand) && satisfies(host.attributes, demand.attributes) && (demand.blueprints.length === 0 || demand.blueprints.includes(host.blueprint))) continue;
    if (!best || host.idleSince < best.idleSince) best = host;
  }
  return best;
}
