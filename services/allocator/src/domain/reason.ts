import { fits, type Wanted } from './placement.js';
import type { Resource } from './resource.js';

/** A host as far as a reason needs it. */
export type Host = Exclude<Resource, { status: 'none' | 'destroyed' }>;

/**
 * Why a host request waits, in one sentence that names what would have to change. Nothing in it comes and goes with each
 * slot that is given back: it is written down for every waiting lease whenever it changes.
 */
export function reasonToWait(wanted: Pick<Wanted, 'attributes' | 'blueprints'>, hosts: readonly Host[]): string {
  if (hosts.length === 0) return 'there are no hosts: add a machine (berth machine add)';
  const allowed = hosts.filter((h) => fits({ attributes: {}, blueprints: wanted.blueprints }, { attributes: {}, blueprint: h.info.blueprint }));
  if (allowed.length === 0) return `no host comes from the blueprints asked for (${wanted.blueprints.join(', ')})`;
  const fitting = allowed.filter((h) => fits(wanted, { attributes: h.info.attributes, blueprint: h.info.blueprint }));
  if (fitting.length === 0) return `no host fits: ${mismatches(wanted.attributes, allowed)}`;
  const open = fitting.filter((h) => h.status === 'active');
  if (open.length === 0) return `the hosts that fit are not in service: ${list(fitting, (h) => `${h.info.name} is ${h.status}`)}`;
  const reachable = open.filter((h) => h.status === 'active' && h.unreachable === undefined);
  if (reachable.length === 0) return `the hosts that fit can't be reached: ${list(open, (h) => `${h.info.name} (${(h.status === 'active' && h.unreachable) || ''})`)}`;
  return `all ${reachable.reduce((sum, h) => sum + h.info.slots, 0)} slots of the hosts that fit are taken: ${list(reachable, (h) => `${h.info.name} (${h.info.slots})`)}`;
}

function mismatches(attributes: Readonly<Record<string, string>>, hosts: readonly Host[]): string {
  return Object.entries(attributes)
    .filter(([key, value]) => !hosts.some((h) => h.info.attributes[key] === value))
    .map(([key, value]) => {
      const there = [...new Set(hosts.map((h) => h.info.attributes[key]).filter((v) => v !== undefined))];
      return `${key}=${value} is wanted, ${there.length === 0 ? `no host says what its ${key} is` : `there is ${there.slice(0, 5).map((v) => `${key}=${v}`).join(', ')}`}`;
    })
    .join('; ') || `no single host has all of ${Object.entries(attributes).map(([k, v]) => `${k}=${v}`).join(', ')}`;
}

function list(hosts: readonly Host[], text: (host: Host) => string): string {
  const shown = hosts.slice(0, 3).map(text).join(', ');
  return hosts.length > 3 ? `${shown} and ${hosts.length - 3} more` : shown;
}
