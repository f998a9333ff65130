import type { Considered, Explanation } from '@berth/contracts';
import { count } from './explain.words.js';

/** A host as far as an exclusive lease needs it. */
export interface TakenHost {
  name: string;
  blueprint: string;
  status: 'pending' | 'active' | 'released' | 'broken';
  /** who has a slot; `over`: the lease has ended, and what is left of it is being removed */
  claims: readonly { lease: string; owner: string; over: boolean }[];
  reachable: boolean;
  held: boolean;
}

/** What keeps an exclusive lease from its machine, and which leases are to be ended for it. */
export interface Bar {
  explanation: Explanation;
  evict: readonly string[];
}

/**
 * Pure: what stands between an exclusive lease and its host; undefined when nothing does. `next`: the lease that the host is
 * reserved for. What an ended lease has left behind on a host that does not answer, or is held and taken by force, is not
 * waited for: it could last until somebody reboots the machine, which is what the lease is for.
 */
export function whatBars(lease: string, next: string | undefined, host: TakenHost, force: boolean): Bar | undefined {
  const bar = (reason: string, after: string, evict: readonly string[] = [], ahead = 0): Bar => ({
    evict,
    explanation: { verdict: 'wait', reason, next: after, ahead, considered: considered(host, reason), more: 0 },
  });
  if (host.status !== 'active') return bar(`machine ${host.name} is ${host.status}`, 'it is taken once it is in service again');
  const others = host.claims.filter((claim) => claim.lease !== lease);
  const live = others.filter(({ over }) => !over);
  if (next !== undefined && next !== lease) return bar(`another exclusive lease comes first on machine ${host.name}`, 'the one before it ends', [], 1);
  if (live.length > 0) {
    const who = live.slice(0, 3).map((claim) => `${claim.owner} (lease ${claim.lease})`).join(', ');
    const rest = live.length > 3 ? ` and ${count(live.length - 3, 'other')}` : '';
    const silent = host.reachable ? '' : ', and does not answer';
    return force
      ? bar(`machine ${host.name} is being taken from ${who}${rest}`, 'their leases end, and what runs under them', live.map((claim) => claim.lease))
      : bar(`machine ${host.name} is in use by ${who}${rest}${silent}`, 'the last of them ends; nobody else gets it before; --force would end them');
  }
  if (others.length > 0 && host.reachable && !(host.held && force)) {
    return host.held ? bar(`machine ${host.name} is held: what is left on it is kept`, 'the hold ends; --force would not wait for that') : bar(`machine ${host.name} is being cleaned up after ${count(others.length, 'lease')}`, 'it is taken as soon as it is clean');
  }
  return next === lease ? undefined : bar(`machine ${host.name} is being reserved`, 'it is taken at once');
}

const considered = ({ claims, blueprint, name }: TakenHost, reason: string): Considered[] => (claims.length === 0 ? [] : [{ blueprint, name, code: 'no-free-slot', reason, holders: claims.filter(({ over }) => !over).slice(0, 8).map(({ lease, owner }) => ({ lease, owner })) }]);
