import type { Considered, Explanation, LeaseRequest } from '@berth/contracts';
import type { FleetView } from './explain.findings.js';

/** A lease that something has to have before it can be made. */
export interface Ground {
  /** of a composite's member */
  name?: string;
  request: LeaseRequest;
}

/** How it would go with all the grounds of a blueprint. */
export interface Standing extends Pick<Explanation, 'verdict' | 'reason' | 'next' | 'by' | 'considered' | 'more'> {}

const worse = { never: 2, wait: 1, now: 0 } as const satisfies Record<Explanation['verdict'], number>;

/**
 * All grounds together: one that can never be had is the end of all. Each takes what it would get away from the next, so
 * that two members of a composite don't count on the same slot.
 */
export function standingOn(grounds: readonly Ground[], fleet: FleetView, explain: (request: LeaseRequest, fleet: FleetView) => Explanation): Standing {
  const whole: Standing = { verdict: 'now', reason: 'all that it stands on is free', next: 'it is made', considered: [], more: 0 };
  let left = fleet;
  for (const { name, request } of grounds) {
    const told = explain(request, left);
    const said = (text: string) => (name === undefined ? text : `member ${name}: ${text}`);
    const decisive = worse[told.verdict] > worse[whole.verdict];
    // What can never be had is told of alone; else what was looked at for it comes first.
    if (decisive && told.verdict === 'never') whole.considered = told.considered;
    else if (whole.verdict !== 'never') whole.considered = decisive ? merged(told.considered, whole.considered) : merged(whole.considered, told.considered);
    whole.more = Math.max(whole.more, told.more);
    if (decisive) {
      Object.assign(whole, { verdict: told.verdict, reason: said(told.reason), next: said(told.next) });
      if (told.by === undefined) delete whole.by;
      else whole.by = told.by;
    }
    if (told.verdict === 'now' && grounds.length > 1) left = taking(left, told.considered, request);
  }
  return whole;
}

/** What was looked at for a request, and for what it stands on: each blueprint and resource once, by what says most of it. */
export function merged(own: readonly Considered[], others: readonly Considered[]): Considered[] {
  const key = ({ blueprint, resource }: Considered) => `${blueprint} ${resource ?? ''}`;
  const all = new Map<string, Considered>();
  for (const one of [...own, ...others]) {
    const known = all.get(key(one));
    if (!known || known.code === 'other-type') all.set(key(one), one);
  }
  // What makes another type says nothing as long as there is anything else.
  return [...all.values()].sort((a, b) => Number(a.code === 'other-type') - Number(b.code === 'other-type'));
}

/** The fleet once the first free host that was found is leased. */
function taking(fleet: FleetView, considered: readonly Considered[], { owner, project }: LeaseRequest): FleetView {
  const taken = considered.find(({ code, resource }) => code === 'free' && resource !== undefined)?.resource;
  if (taken === undefined) return fleet;
  const more = <U extends { used: number } | undefined>(use: U): U => (use === undefined ? use : { ...use, used: use.used + 1 });
  const { hosts, quota } = fleet;
  return {
    ...fleet,
    hosts: hosts.map((host) => (host.resource === taken ? { ...host, claims: [...host.claims, { lease: taken, owner, ...(project !== undefined && { project }) }] } : host)),
    quota: { ...quota, hosts: more(quota.hosts), owner: more(quota.owner) },
  };
}
