import { z } from 'zod';
import { attributes, name, platform } from './scalars.js';
import { allow } from './who.js';

/** Where a credential is kept; the text is a reference, never the secret. Resolved on the gateway alone. */
export const credential = z
  .string()
  .regex(/^(agent|file:.+|env:[A-Za-z_][A-Za-z0-9_]*)$/, 'use agent, file:PATH of a private key on the gateway, or env:NAME')
  .describe('agent | file:PATH | env:NAME');

/** An OpenSSH public key line, such as `ssh-ed25519 AAAAC3…`. */
export const hostKey = z.string().regex(/^(ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+( .*)?$/, 'use an OpenSSH public key line such as "ssh-ed25519 AAAA…"');

/** Where a host is and how the gateway gets in. */
export const hostAccess = z.object({
  transport: z.enum(['ssh', 'local']),
  address: z.string(),
  port: z.number().int(),
  user: z.string(),
  credential: z.string().describe('a reference, never the secret'),
  hostKey: z.string().optional().describe('the pinned key'),
  platform,
  folder: z.string().describe('base folder on the host'),
});
export type HostAccess = z.infer<typeof hostAccess>;

/** Where Berth may work on a host. */
export const folder = z
  .string()
  .regex(/^(~|\/|[A-Za-z]:[\\/])[^\0\n]*$/, 'use a path that starts with / or ~, or on Windows with a drive such as C:\\')
  .describe('base folder of working copies and running commands');

const address = z.string().min(1).max(253).regex(/^[A-Za-z0-9][A-Za-z0-9.:_-]*$/, 'use a host name or an IP address').describe('host name or IP address');
const port = z.number().int().min(1).max(65535).describe('of its SSH server');
const user = z.string().regex(/^[A-Za-z_][A-Za-z0-9._-]{0,63}$/, 'use a login name').describe('login name');
const slots = z.number().int().min(1).max(1000).describe('how many leases it can hold at once');

/** A machine of the fleet, as people enrol it. */
export const machineSpec = z.object({
  name,
  address,
  port: port.default(22),
  user,
  credential,
  platform: platform.default('linux'),
  attributes: attributes.default({}).describe('free attributes that requests can ask for; compared as text'),
  slots: slots.default(1),
  hostKey: hostKey.optional().describe('pinned when given; otherwise learnt when the machine is enrolled'),
  folder: folder.optional().describe('base folder of working copies and running commands on the machine; its blueprint says when absent, else ~/.berth-host'),
  allow: allow.default({ projects: [], owners: [] }),
});
export type MachineSpec = z.infer<typeof machineSpec>;

/** What of a machine is to be otherwise, as a merge patch (RFC 7396): what is left out stays, null means as if it had never been said. */
const machineChanges = z.strictObject({
  address: address.optional(),
  port: port.nullable().optional(),
  user: user.optional(),
  credential: credential.optional(),
  platform: platform.nullable().optional(),
  attributes: z.record(attributes.keyType, attributes.valueType.nullable()).nullable().optional().describe('those named here; null takes one away'),
  slots: slots.nullable().optional(),
  hostKey: hostKey.nullable().optional().describe('the key it is known by from now on; null: it is learnt anew'),
  folder: folder.nullable().optional(),
  allow: allow.partial().extend({ projects: allow.shape.projects.unwrap().nullable().optional(), owners: allow.shape.owners.unwrap().nullable().optional() }).nullable().optional().describe('who may use it; each list replaces the one before'),
});
export type MachineChanges = z.output<typeof machineChanges>;

/** Pure: a machine with what is to be otherwise. What was learnt of its host key stays pinned unless that is told to change. */
export function changedMachine(machine: MachineSpec, changes: MachineChanges): MachineSpec {
  return machineSpec.parse(merged(machine, changes));
}

/** Section 2 of RFC 7396. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) result.delete(key);
    else result.set(key, merged(result.get(key), value));
  }
  return Object.fromEntries(result);
}
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

export const machineCommands = {
  AddMachine: machineSpec.describe('Enrols a machine: it is looked at first, and its host key is kept.'),
  ChangeMachine: machineChanges
    .extend({ name })
    .describe('Changes what is said of a machine, as a merge patch: what is left out stays, null takes away. One that is got into otherwise is looked at first. Who may use it counts at once; all else from when its present leases are over, and it gives no new ones until then.'),
  RemoveMachine: z.object({ name }).describe('Takes a machine out of the fleet. Leases on it go on; no new ones are granted.'),
} as const;

const known = {
  hostKey: hostKey.describe('the key it is known by'),
  facts: attributes.describe('what the probe found: os, arch, cpus…'),
  allow: allow.optional().describe('who may use it; everybody when absent'),
};

export const machineEvents = {
  MachineAdded: machineSpec
    .extend(known)
    .describe('It is part of the fleet.'),
  MachineChanged: machineSpec
    .extend({ ...known, changed: z.array(z.string()).min(1).describe('the fields that are otherwise now') })
    .describe('What is said of it is this from now on.'),
  MachineRemoved: z.object({}).describe('It is no longer part of the fleet; its name is free.'),
} as const;
