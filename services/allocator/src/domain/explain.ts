import { type Considered, type ConsideredCode, type Explanation, type LeaseRequest } from '@berth/contracts';
import { launchesFor, look, named, waitsFor, type Candidate, type Finding, type FleetView } from './explain.findings.js';
import { merged, standingOn } from './explain.grounds.js';
import { count, earliest, mismatches, some } from './explain.words.js';

export type { Ground } from './explain.grounds.js';
export type { BlueprintView, FleetView, HostView } from './explain.findings.js';

/** How hopeful each is: the least first. A code that is missing does not compile. */
const hope = {
  free: 0, 'can-launch': 1, behind: 2, booting: 3, 'no-free-slot': 4, reserved: 5, quota: 6, limit: 7, held: 8, quarantined: 9, unreachable: 10, 'breaker-open': 11, draining: 12, 'no-resources': 13,
  broken: 14, ending: 15, attributes: 16, disabled: 17, 'not-authorised': 18, 'not-asked-for': 19, 'other-type': 20,
} as const satisfies Record<ConsideredCode, number>;
const LISTED = 64;
/** At most; the rest of the list is for hosts. */
const LISTED_BLUEPRINTS = 32;
const HOLDERS = 8;

/**
 * What becomes of a request, and for each blueprint and host the one reason why not that. O(hosts). What leases something
 * to stand on goes as that goes, so the hosts for it are looked at too.
 *
 * `reason` names what would have to change. Nothing in it comes and goes with each slot that is given back: it is written
 * down for every waiting lease whenever it changes. A limit or a quota of 0 is for good; all else that is in the way
 * passes, also a broken host, and a pool that its schedule keeps at 0 for now.
 *
 * @param place `ahead`: requests that come before it for the same hosts
 * @param now ms since 1970
 */
export function explain(request: LeaseRequest, fleet: FleetView, place: { ahead: number }, now: number): Explanation {
  const { candidates, shut } = look(request, fleet, place.ahead, now, (grounds) => standingOn(grounds, fleet, (ground, left) => explain(ground, left, { ahead: 0 }, now)));
  const hosts = candidates.flatMap((candidate) => candidate.hosts);
  const hopeful = hopesIn(candidates, fleet.quota);
  const about = { ahead: place.ahead, ...withGrounds(list([...candidates.map(ofBlueprint), ...shut], hosts, fleet.projects), candidates) };
  if (hopeful.length === 0) return { verdict: 'never', reason: whyNever(request, fleet.quota, candidates, shut), next: 'nothing, as long as that stays so', ...about };
  const free = hopeful.find(({ code }) => code === 'free');
  if (free) {
    const name = free.host?.name ?? free.blueprint.name;
    return { verdict: 'now', reason: free.host ? `${name} has a free slot` : `${name} could make it at once`, next: free.host ? `it gets a slot of ${name}` : `${name} makes it`, ...about };
  }
  return { verdict: 'wait', reason: whyWait(request, candidates, hopeful), ...whatNext(request, candidates, hopeful, fleet.projects), ...about };
}

/** Hosts and launches that could serve it some day. */
function hopesIn(candidates: readonly Candidate[], { hosts, owner, launches }: FleetView['quota']): Finding[] {
  const open = candidates.filter(({ blueprint: { type, limits } }) => limits.leases !== 0 && limits.leasesPerOwner !== 0 && !(type === 'host' && (hosts?.limit === 0 || owner?.limit === 0)));
  return open.flatMap(({ blueprint: { kind, type, limits }, hosts: own, launch }) => {
    const fitting = own.filter(serves);
    const launching = launch && !launch.never && launch.code !== 'attributes' && limits.resources !== 0 && !(type === 'host' && kind !== 'preallocated' && launches?.limit === 0);
    return launching ? [...fitting, launch] : fitting;
  });
}

/** Could a host serve it, now or later? */
const serves = ({ code }: Finding): boolean => code !== 'attributes' && code !== 'ending' && code !== 'not-authorised';

function whyNever(request: LeaseRequest, { hosts, owner, launches }: FleetView['quota'], candidates: readonly Candidate[], shut: readonly Finding[]): string {
  const { type, blueprints, attributes } = request;
  if (candidates.length === 0) {
    const why = (code: ConsideredCode) => shut.filter((finding) => finding.code === code);
    for (const code of ['not-authorised', 'disabled'] as const) {
      const closed = why(code);
      if (closed.length > 0) return some(closed, 3, ({ blueprint, say }) => (code === 'disabled' ? `${blueprint.name} is ${say()}` : `${blueprint.name}: ${say()}`));
    }
    return why('not-asked-for').length > 0 ? `no ${type} comes from the blueprints asked for (${blueprints.join(', ')})` : `no blueprint makes a ${type}: save one`;
  }
  const grounded = candidates.filter(({ launch }) => !launch?.never);
  if (grounded.length === 0) return candidates.length === 1 ? candidates[0]!.launch!.say() : some(candidates, 3, ({ blueprint, launch }) => `${blueprint.name}: ${launch!.say()}`);
  const names = (some: readonly Candidate[]) => some.map(({ blueprint }) => blueprint.name).join(', ');
  if (type === 'host' && owner?.limit === 0) return `the quota allows ${request.owner} no hosts`;
  if (type === 'host' && hosts?.limit === 0) return 'the quota allows no hosts';
  const there = candidates.flatMap((candidate) => [...candidate.hosts.filter(({ code }) => code !== 'ending').map(({ host }) => host!.attributes), ...launchesFor(request, candidate.blueprint)]);
  if (type === 'host' && there.length === 0) {
    return blueprints.length > 0 ? `no host comes from the blueprints asked for (${names(candidates)})` : 'there are no hosts: add a machine (berth machine add), or a blueprint that launches some';
  }
  const fitting = grounded.filter(({ hosts: own, launch }) => [...own, ...(launch ? [launch] : [])].some(serves));
  const closed = candidates.flatMap((candidate) => candidate.hosts.filter(({ code }) => code === 'not-authorised'));
  if (fitting.length === 0 && closed.length > 0) return some(closed, 3, ({ say }) => say());
  if (fitting.length === 0) return `no ${type} fits: ${mismatches(attributes, there)}`;
  const leases = fitting.filter(({ blueprint: { limits } }) => limits.leases === 0 || limits.leasesPerOwner === 0);
  if (leases.length > 0) return `${names(leases)} may give no leases: the limit is 0`;
  return launches?.limit === 0 && type === 'host' ? 'the quota allows no launched resources' : `${names(fitting)} may have no resources: the limit is 0`;
}

function whyWait({ type, host }: LeaseRequest, candidates: readonly Candidate[], hopeful: readonly Finding[]): string {
  const bars = new Map(candidates.map(({ blueprint, bar }) => [blueprint, bar]));
  const standings = new Map(candidates.map(({ blueprint, standing }) => [blueprint, standing]));
  const lasting = [...new Set(hopeful.map(({ blueprint }) => bars.get(blueprint)?.lasting))];
  if (lasting.every((bar) => bar !== undefined)) return lasting.join('; ');

  const open = hopeful.filter(({ blueprint }) => !bars.get(blueprint));
  const launches = open.filter((finding) => finding.host === undefined);
  const blocked = launches.find(({ code }) => code !== 'can-launch')?.lasting;
  if (type !== 'host') {
    const could = launches.find(({ code }) => code === 'can-launch');
    const ground = could && standings.get(could.blueprint)?.reason;
    if (ground !== undefined) return `${waitsFor[type]}: ${ground.replace(/^(waits for [^:]*: )+/, '')}`;
    return could || !blocked ? waitsFor[type] : host && blocked === 'others come first' ? `${waitsFor[type]}: ${blocked}` : blocked;
  }

  const fitting = open.filter((finding) => finding.host !== undefined);
  const inService = fitting.filter(({ code }) => code === 'no-free-slot' || code === 'behind');
  const coming = [...launches, ...fitting].find(({ code }) => code === 'can-launch' || code === 'booting');
  // Not how many are free for a moment, nor whether one is being launched: both come and go while it waits.
  const besides = !coming && blocked ? `; ${blocked}` : '';
  if (inService.length > 0) {
    const slots = inService.reduce((sum, one) => sum + one.host!.slots, 0);
    const taken = slots === 1 ? 'the one slot of the hosts that fit is taken' : `all ${slots} slots of the hosts that fit are taken`;
    return `${taken}: ${some(inService, 3, (one) => `${one.host!.name} (${one.host!.slots})`)}${besides}`;
  }
  if (coming) return `waits until a host of ${coming.blueprint.name} is ready`;
  if (fitting.length === 0) return blocked!;
  if (fitting.every(({ code }) => code === 'unreachable')) return `the hosts that fit can't be reached: ${some(fitting, 3, (one) => `${one.host!.name} (${one.host!.unreachable})`)}${besides}`;
  return `the hosts that fit are not in service: ${some(fitting, 3, (one) => `${one.host!.name} is ${one.say()}`)}${besides}`;
}

/** What happens first, as far as that is known. */
function whatNext({ type, owner }: LeaseRequest, candidates: readonly Candidate[], hopeful: readonly Finding[], projects: FleetView['projects']): { next: string; by?: string } {
  const bars = new Map(candidates.map(({ blueprint, bar }) => [blueprint, bar?.code]));
  // As long as these are full, no slot that comes free is for it.
  if (hopeful.every(({ blueprint }) => bars.get(blueprint) !== undefined)) return barred(owner, { code: bars.get(hopeful[0]!.blueprint), blueprint: hopeful[0]!.blueprint });
  const of = (code: ConsideredCode) => hopeful.filter((finding) => finding.code === code);
  const [behind] = of('behind');
  if (behind) return { next: 'the requests that come first are served' };
  const booting = of('booting');
  const [first] = booting;
  if (first) {
    const by = earliest(booting.map(({ until }) => until));
    const next = booting.find(({ until }) => until === by) ?? first;
    return { next: `${next.host!.name} gets ready`, ...(by !== undefined && { by }) };
  }
  const [launching] = of('can-launch');
  const ground = candidates.find(({ blueprint }) => blueprint === launching?.blueprint)?.standing;
  if (ground?.verdict === 'wait') return { next: ground.next, ...(ground.by !== undefined && { by: ground.by }) };
  if (launching) return { next: type === 'host' ? (launching.blueprint.kind === 'preallocated' ? `a machine of ${launching.blueprint.name} gets its host` : `${launching.blueprint.name} launches a host`) : waitsFor[type].replace('waits for', 'it gets') };
  const by = earliest(hopeful.map(({ until }) => until));
  const ending = by === undefined ? undefined : hopeful.find(({ until }) => until === by);
  if (ending && by !== undefined) {
    const { host, blueprint, code } = ending;
    if (!host) return { next: `${blueprint.name} tries to launch again`, by };
    if (code !== 'no-free-slot') return { next: `${host.name} is no longer ${code}`, by };
    return { next: `the lease of ${named(host.claims.find(({ until }) => until === by)!, projects).owner} on ${host.name} ends, unless it is renewed`, by };
  }
  const [best] = [...hopeful].sort((a, b) => hope[a.code] - hope[b.code]);
  const { code, host, blueprint } = best!;
  if (code === 'no-free-slot') return { next: `somebody gives back a slot of ${host!.name}` };
  if (code === 'quota' || code === 'limit') return barred(owner, { code, blueprint });
  if (code === 'reserved') return { next: `${host!.reserved} gives back ${host!.name} as a whole` };
  if (code === 'unreachable') return { next: `${host!.name} can be reached again` };
  return { next: `somebody sees to ${host?.name ?? blueprint.name}` };
}

/** What helps against a quota, or a limit of a blueprint. */
function barred(owner: string, { code, blueprint }: { code: ConsideredCode | undefined; blueprint: Finding['blueprint'] }): { next: string } {
  return { next: code === 'quota' ? `${owner} or others give back a host, or the quota is raised` : `a lease or resource of ${blueprint.name} ends, or its limit is raised` };
}

/** The one reason for a blueprint: that of its most hopeful host, or of the one that it could launch. */
function ofBlueprint({ blueprint, hosts, launch }: Candidate): Finding {
  let best = launch;
  for (const finding of hosts) if (!best || hope[finding.code] < hope[best.code]) best = finding;
  if (!best) return { blueprint, code: 'no-resources', say: () => (blueprint.kind === 'preallocated' ? 'it has no hosts: add a machine (berth machine add)' : 'it has no hosts') };
  const { code, say, until, host } = best;
  return { blueprint, code, until, say: () => (host === undefined ? say() : hosts.length === 1 ? `${host.name}: ${say()}` : `${host.name}, the most hopeful of ${count(hosts.length, 'host')}: ${say()}`) };
}

/** At most 64, the most hopeful first, with what is put into words only then. O(hosts). */
function list(blueprints: readonly Finding[], hosts: readonly Finding[], projects: FleetView['projects']): { considered: Considered[]; more: number } {
  const first = [...top(blueprints, LISTED_BLUEPRINTS)];
  const listed = top([...first, ...top(hosts, LISTED - first.length)], LISTED);
  return { considered: listed.map((finding) => considered(finding, projects)), more: blueprints.length + hosts.length - listed.length };
}

/** With what was looked at for what it would stand on. */
function withGrounds(own: { considered: Considered[]; more: number }, candidates: readonly Candidate[]): { considered: Considered[]; more: number } {
  const standings = candidates.flatMap(({ standing }) => standing ?? []);
  const considered = standings.reduce((all, standing) => merged(all, standing.considered), own.considered);
  // Several of them look at the same hosts.
  const more = own.more + Math.max(0, ...standings.map((standing) => standing.more)) + Math.max(0, considered.length - LISTED);
  return { considered: considered.slice(0, LISTED), more };
}

function top(findings: readonly Finding[], most: number): Finding[] {
  const byHope: Finding[][] = Object.keys(hope).map(() => []);
  for (const finding of findings) {
    const same = byHope[hope[finding.code]]!;
    if (same.length < most) same.push(finding);
  }
  return byHope.flat().slice(0, most);
}

function considered({ blueprint, host, code, say, until }: Finding, projects: FleetView['projects']): Considered {
  const holders = host?.claims.slice(0, HOLDERS).map((one) => {
    const { known, owner } = named(one, projects);
    return { ...(known && { lease: one.lease }), owner, ...(one.until !== undefined && { until: one.until }) };
  });
  return {
    blueprint: blueprint.name,
    ...(host && { resource: host.resource, name: host.name }),
    code,
    reason: say(),
    ...(until !== undefined && { until }),
    ...(code === 'no-free-slot' && holders && { holders }),
  };
}
