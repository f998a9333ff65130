import { z } from 'zod';
import { attributes, name, platform } from './scalars.js';

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

/** A machine of the fleet, as people enrol it. */
export const machineSpec = z.object({
  name,
  address: z.string().min(1).max(253).regex(/^[A-Za-z0-9][A-Za-z0-9.:_-]*$/, 'use a host name or an IP address').describe('host name or IP address'),
  port: z.number().int().min(1).max(65535).default(22).describe('of its SSH server'),
  user: z.string().regex(/^[A-Za-z_][A-Za-z0-9._-]{0,63}$/, 'use a login name').describe('login name'),
  credential,
  platform: platform.default('linux'),
  attributes: attributes.default({}).describe('free attributes that requests can ask for; compared as text'),
  slots: z.number().int().min(1).max(1000).default(1).describe('how many leases it can hold at once'),
  hostKey: hostKey.optional().describe('pinned when given; otherwise learnt when the machine is enrolled'),
  folder: folder.optional().describe('base folder of working copies and running commands on the machine; its blueprint says when absent, else ~/.berth-host'),
});
export type MachineSpec = z.infer<typeof machineSpec>;

export const machineCommands = {
  AddMachine: machineSpec.describe('Enrols a machine: it is looked at first, and its host key is kept.'),
  RemoveMachine: z.object({ name }).describe('Takes a machine out of the fleet. Leases on it go on; no new ones are granted.'),
} as const;

export const machineEvents = {
  MachineAdded: machineSpec
    .extend({ hostKey: hostKey.describe('the key it is known by'), facts: attributes.describe('what the probe found: os, arch, cpus…') })
    .describe('It is part of the fleet.'),
  MachineRemoved: z.object({}).describe('It is no longer part of the fleet; its name is free.'),
} as const;
