import { type BlueprintKind, type ConsideredCode, type LeaseRequest, type ResourceType } from '@berth/contracts';
import { permits, whom, type Allowed } from './allow.js';
import { wantsVersion } from './demand.js';
import type { Ground, Standing } from './explain.grounds.js';
import { clock, count, earliest, mismatch, some } from './explain.words.js';

type Attributes = Readonly<Record<string, string>>;
interface Until {
  until: string;
  reason: string;
}
interface Use {
  limit: number;
  used: number;
}

/** A blueprint as far as an explanation needs it. */
export interface BlueprintView {
  name: string;
  kind: BlueprintKind;
  type: ResourceType;
  /** why */
  disabled?: string | undefined;
  /** both empty = everybody */
  allow: Allowed;
  rank: number;
  limits: { resources?: number | undefined; leases?: number | undefined; leasesPerOwner?: number | undefined };
  /** of its pool now */
  max?: number | undefined;
  /** not destroyed */
  resources: number;
  leases: number;
  leasesOf(owner: string): number;
  breaker?: Until | undefined;
  /** attributes that what it launches could have; empty = launches nothing */
  launches: readonly Attributes[];
  /** the same of versions under test of its image, for requests that want one; `failed`: not before then */
  tests?: readonly { attributes: Attributes; failed?: Until | undefined }[] | undefined;
  /** nothing that it launches is to be had until then */
  refused?: Until | undefined;
  /** what it would lease to stand on, for a request that names nothing itself; absent = nothing */
  grounds?: ((request: LeaseRequest) => readonly Ground[]) | undefined;
}

/** A host as far as an explanation needs it. */
export interface HostView {
  resource: string;
  name: string;
  blueprint: string;
  attributes: Attributes;
  /** whom its machine is for; absent = everybody */
  allow?: Allowed | undefined;
  slots: number;
  status: 'pending' | 'active' | 'released' | 'broken';
  /** of that status */
  since: string;
  /** booting: ready by then at the latest */
  by?: string | undefined;
  /** booting: what it is at */
  phase?: string | undefined;
  error?: string | undefined;
  unreachable?: string | undefined;
  quarantined?: Until | undefined;
  held?: Until | undefined;
  draining?: string | undefined;
  /** why it is ending */
  ending?: string | undefined;
  /** why it is only for requests that want the version that it was booted from */
  apart?: string | undefined;
  /** whose exclusive lease is next, or has it */
  reserved?: string | undefined;
  claims: readonly Holder[];
}

/** Who has a slot. */
export interface Holder {
  lease: string;
  owner: string;
  /** whom the lease acts for */
  project?: string | undefined;
  until?: string | undefined;
}

export interface FleetView {
  blueprints: Iterable<BlueprintView>;
  hosts: readonly HostView[];
  /** of those who hold slots only these projects are named; absent = all */
  projects?: readonly string[] | undefined;
  /** `owner` is that of the request */
  quota: { hosts?: Use | undefined; owner?: Use | undefined; launches?: Use | undefined };
}

/** Whom an explanation names of those who hold slots, and as what. */
export const named = ({ owner, project }: Holder, projects: FleetView['projects']): { known: boolean; owner: string } => {
  const known = projects === undefined || (project !== undefined && projects.includes(project));
  return { known, owner: known ? owner : 'another project' };
};

/** What keeps something from being chosen. In words only when asked: of 10,000 hosts 64 are listed. */
export interface Obstacle {
  code: ConsideredCode;
  say: () => string;
  /** the same as a sentence in which no number changes with each slot that is taken or given back */
  lasting?: string | undefined;
  until?: string | undefined;
  /** it is for good */
  never?: boolean;
}

export interface Finding extends Obstacle {
  blueprint: BlueprintView;
  host?: HostView;
}

/** A blueprint that could serve the request, as far as its type, name, state and permissions go. */
export interface Candidate {
  blueprint: BlueprintView;
  /** why it gives no more leases now */
  bar: Obstacle | undefined;
  /** its hosts */
  hosts: Finding[];
  /** can it make a new one? `undefined`: it never does */
  launch: Finding | undefined;
  /** how it would go with what that stands on; `undefined`: it stands on nothing, or on what the request names */
  standing: Standing | undefined;
}

/** What stands on the lease of something else waits for that. */
export const waitsFor = { host: '', 'working-copy': 'waits for its host lease', service: 'waits for the lease it stands on', composite: 'waits for the leases of its members' } as const satisfies Record<ResourceType, string>;

const full = (use: Use | undefined): use is Use => use !== undefined && use.used >= use.limit;

/** Looks at every blueprint, and at every host of those that are candidates. O(hosts). `stand`: how it would go with grounds. */
export function look(request: LeaseRequest, fleet: FleetView, ahead: number, now: number, stand: (grounds: readonly Ground[]) => Standing): { candidates: Candidate[]; shut: Finding[] } {
  const candidates = new Map<string, Candidate>();
  const shut: Finding[] = [];
  const misfit = mismatch(request.attributes);
  const behind: Obstacle | undefined = ahead === 0 ? undefined : { code: 'behind', say: () => `behind ${count(ahead, 'request')} that ${ahead === 1 ? 'comes' : 'come'} first`, lasting: 'others come first' };
  for (const blueprint of fleet.blueprints) {
    const closed = shutTo(request, blueprint);
    if (closed) {
      shut.push({ blueprint, ...closed });
      continue;
    }
    const bar = barOf(request, fleet.quota, blueprint);
    const grounds = request.host ? [] : (blueprint.grounds?.(request) ?? []);
    const standing = grounds.length === 0 ? undefined : stand(grounds);
    const launch =
      groundless(standing) ?? launchOf(request, fleet.quota, blueprint, misfit, now) ?? (launchesFor(request, blueprint).length === 0 && request.type === 'host' ? undefined : (bar ?? free(request, blueprint, behind, standing)));
    candidates.set(blueprint.name, { blueprint, bar, hosts: [], launch: launch && { blueprint, ...launch }, standing });
  }
  for (const host of request.type === 'host' ? fleet.hosts : []) {
    const candidate = candidates.get(host.blueprint);
    if (!candidate) continue;
    const { blueprint, bar } = candidate;
    const wrong = misfit(host.attributes);
    const obstacle = (wrong ? { code: 'attributes' as const, say: wrong } : (apart(request, host) ?? closedTo(request, host) ?? stateOf(host, fleet.projects, now))) ?? bar ?? behind ?? { code: 'free' as const, say: () => `${host.slots - host.claims.length} of ${count(host.slots, 'slot')} free` };
    // Written out rather than spread, because it is done for every host there is.
    candidate.hosts.push({ blueprint, host, code: obstacle.code, say: obstacle.say, lasting: obstacle.lasting, until: obstacle.until });
  }
  return { candidates: [...candidates.values()], shut };
}

/** Why a blueprint is out of the question. */
function shutTo({ type, blueprints, project, owner }: LeaseRequest, b: BlueprintView): Obstacle | undefined {
  if (b.type !== type) return { code: 'other-type', say: () => `makes a ${b.type}, wanted a ${type}` };
  if (blueprints.length > 0 && !blueprints.includes(b.name)) return { code: 'not-asked-for', say: () => `not asked for: wanted ${blueprints.join(' or ')}` };
  if (b.disabled !== undefined) return { code: 'disabled', say: () => `disabled: ${b.disabled}` };
  if (permits(b.allow, { owner, project })) return undefined;
  return { code: 'not-authorised', say: () => `${project === undefined ? owner : `project ${project}`} may not use it` };
}

/** Why a host is out of the question, as far as that is about who asks. */
function closedTo(request: LeaseRequest, { name, allow }: HostView): Obstacle | undefined {
  return allow === undefined || permits(allow, request) ? undefined : { code: 'not-authorised', say: () => `machine ${name} is for ${whom(allow)} only` };
}

/** Its version is not the usual one, and the request wants none. One that is in nobody's way any more says why itself. */
function apart({ attributes }: LeaseRequest, { apart: reason, status }: HostView): Obstacle | undefined {
  return reason === undefined || status === 'released' || status === 'broken' || wantsVersion(attributes) ? undefined : { code: 'attributes', say: () => reason };
}

/** Why no more leases of a blueprint are to be had. Quotas count hosts: what stands on a host does not count again. */
function barOf({ type, owner }: LeaseRequest, quota: FleetView['quota'], b: BlueprintView): Obstacle | undefined {
  const { leases, leasesPerOwner } = b.limits;
  if (type === 'host' && full(quota.owner)) {
    const { used, limit } = quota.owner;
    return { code: 'quota', say: () => (limit === 0 ? `quota: ${owner} may hold no hosts` : `quota: ${owner} holds ${used} of ${limit} hosts`), lasting: `${owner} holds as many hosts as the quota allows (${limit})` };
  }
  if (type === 'host' && full(quota.hosts)) {
    const { used, limit } = quota.hosts;
    return { code: 'quota', say: () => `quota: ${used} of ${limit} hosts are leased`, lasting: `as many hosts are leased as the quota allows (${limit})` };
  }
  if (leasesPerOwner !== undefined && b.leasesOf(owner) >= leasesPerOwner) {
    return { code: 'limit', say: () => `limit reached: ${owner} has ${b.leasesOf(owner)} of ${count(leasesPerOwner, 'lease')}`, lasting: `${owner} has as many leases of ${b.name} as its limit allows (${leasesPerOwner})` };
  }
  if (leases !== undefined && b.leases >= leases) {
    return { code: 'limit', say: () => `limit reached: ${b.leases} of ${count(leases, 'lease')}`, lasting: `${b.name} has as many leases as its limit allows (${leases})` };
  }
  return undefined;
}

/** What could be launched for a request. */
export const launchesFor = ({ attributes }: LeaseRequest, { launches, tests = [] }: BlueprintView): readonly Attributes[] => (tests.length > 0 && wantsVersion(attributes) ? [...launches, ...tests.map((test) => test.attributes)] : launches);

/** Why a blueprint can't make another resource that fits. */
function launchOf(request: LeaseRequest, quota: FleetView['quota'], b: BlueprintView, misfit: ReturnType<typeof mismatch>, now: number): Obstacle | undefined {
  const { type } = request;
  const could = launchesFor(request, b);
  if (could.length > 0) {
    const wrong = could.map(misfit);
    if (wrong.every((one) => one !== undefined)) return { code: 'attributes', say: wrong[0]! };
  } else if (type === 'host') return undefined;
  const most = Math.min(b.limits.resources ?? Number.POSITIVE_INFINITY, b.max ?? Number.POSITIVE_INFINITY);
  if (b.resources >= most) return { code: 'limit', say: () => `limit reached: ${b.resources} of ${count(most, 'resource')}`, lasting: `${b.name} may have no more than ${count(most, 'resource')}` };
  const { launches } = quota;
  if (type === 'host' && b.kind !== 'preallocated' && full(launches)) {
    return { code: 'quota', say: () => `quota: ${launches.used} of ${launches.limit} resources are launched`, lasting: `the quota allows no more than ${count(launches.limit, 'launched resource')}` };
  }
  const until = (state: Until, code: ConsideredCode, what: string, lasting: string): Obstacle => {
    const text = `until ${clock(state.until, now)}: ${state.reason}`;
    return { code, until: state.until, say: () => `${what} ${text}`, lasting: `${lasting} ${text}` };
  };
  // A version under test fails for itself.
  if (b.launches.length > 0 && b.launches.map(misfit).every((one) => one !== undefined)) {
    const test = b.tests?.find(({ attributes }) => misfit(attributes) === undefined);
    return test?.failed && Date.parse(test.failed.until) > now ? until(test.failed, 'breaker-open', 'the version under test is not launched', `${b.name} does not launch the version under test`) : undefined;
  }
  // After that time one launch is tried again.
  if (b.breaker && Date.parse(b.breaker.until) > now) return until(b.breaker, 'breaker-open', 'breaker open', `${b.name} launches nothing`);
  if (b.refused && Date.parse(b.refused.until) > now) return until(b.refused, 'no-resources', 'not to be had', `what ${b.name} launches is not to be had`);
  return undefined;
}

/** What it would stand on is never to be had. */
const groundless = (standing: Standing | undefined): Obstacle | undefined => (standing?.verdict === 'never' ? { code: 'no-resources', never: true, say: () => standing.reason } : undefined);

/** A new one could be made. */
function free({ type, host }: LeaseRequest, { kind }: BlueprintView, behind: Obstacle | undefined, standing: Standing | undefined): Obstacle {
  if (type === 'host') return { code: 'can-launch', say: () => (kind === 'preallocated' ? 'a machine gets its host soon' : 'could launch one') };
  if (!host && standing?.verdict !== 'now') return { code: 'can-launch', say: () => waitsFor[type] };
  return behind ?? { code: 'free', say: () => 'could be made at once' };
}

/** Why a host that fits has no slot to give. */
function stateOf(h: HostView, projects: FleetView['projects'], now: number): Obstacle | undefined {
  if (h.status === 'released') return { code: 'ending', say: () => `ending since ${clock(h.since, now)}${h.ending === undefined ? '' : `: ${h.ending}`}` };
  if (h.status === 'broken') return { code: 'broken', say: () => `broken: ${h.error ?? 'nobody knows why'}` };
  if (h.reserved !== undefined) return { code: 'reserved', say: () => `taken as a whole by ${h.reserved}` };
  if (h.draining !== undefined) return { code: 'draining', say: () => `draining: ${h.draining}` };
  const { quarantined, held } = h;
  if (quarantined && Date.parse(quarantined.until) <= now) return { code: 'quarantined', say: () => `quarantined, being looked at again: ${quarantined.reason}` };
  if (quarantined) return { code: 'quarantined', until: quarantined.until, say: () => `quarantined until ${clock(quarantined.until, now)}: ${quarantined.reason}` };
  if (held) return { code: 'held', until: held.until, say: () => `held until ${clock(held.until, now)}: ${held.reason}` };
  if (h.status === 'pending') return { code: 'booting', until: h.by, say: () => `booting since ${clock(h.since, now)}${h.phase === undefined ? '' : ` (${h.phase})`}` };
  if (h.unreachable !== undefined) return { code: 'unreachable', say: () => `unreachable: ${h.unreachable}` };
  if (h.claims.length < h.slots) return undefined;
  const holder = (one: Holder) => `${named(one, projects).owner}${one.until === undefined ? '' : ` until ${clock(one.until, now)}`}`;
  return { code: 'no-free-slot', until: h.claims.length === 1 ? h.claims[0]!.until : earliest(h.claims.map(({ until }) => until)), say: () => `no free slot: held by ${some(h.claims, 3, holder)}` };
}
