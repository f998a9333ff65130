import { z } from 'zod';
import { folder } from '../machine.js';
import { name } from '../scalars.js';
import { objectQuery } from './query.js';

const reason = z.string().max(8192);
/** Where copies are put. */
export const replicaStore = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('folder'), folder: folder.describe('where the factory runs') }),
  z.strictObject({
    kind: z.literal('s3'),
    bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'use the name of a bucket'),
    region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'use a region such as eu-central-1'),
    endpoint: z.url({ protocol: /^https?$/ }).optional(),
    prefix: z.string().max(256).regex(/^[A-Za-z0-9._/-]*$/, 'use letters, digits, ".", "_", "-" and "/"').default(''),
    credentials: z.string().regex(/^(default|profile:[A-Za-z0-9._-]+|env:[A-Za-z_][A-Za-z0-9_]*)$/, 'use default, profile:NAME, or env:PREFIX').default('default'),
  }),
]);
export type ReplicaStore = z.output<typeof replicaStore>;

/** Which objects of the warehouse are kept a second time, and where. */
export const replicationPolicy = z.strictObject({
  name,
  description: z.string().max(500).default(''),
  query: objectQuery.describe('of their attributes, such as `arch == "x86_64" && os.version >= 12`'),
  to: replicaStore,
  on: z.enum(['body', 'attributes', 'both']).default('both').describe('what is copied when it changes: the object, the file with its attributes, or both'),
});
export type ReplicationPolicy = z.output<typeof replicationPolicy>;

export const warehouseCommands = {
  SaveReplicationPolicy: replicationPolicy.describe('Saves which objects are kept a second time; objects that it covers are copied.'),
  RemoveReplicationPolicy: z.object({ policy: name }).describe('Copies nothing more; copies stay where they are.'),
  CheckReplication: z.object({ policy: name }).describe('Looks at every copy of a policy, and makes those anew that are not there or differ.'),
} as const;

const object = z.string().describe('`<version>/<target>/<image|sbom>`');
export const replicationEvents = {
  ReplicationPolicySaved: replicationPolicy.extend({ revision: z.number().int().positive() }).describe('Objects are kept a second time.'),
  ReplicationPolicyRemoved: z.object({}).describe('Nothing more is copied.'),
  ReplicationCheckStarted: z.object({}).describe('Every copy is looked at.'),
  ReplicationCheckEnded: z.object({ sound: z.number().int(), repaired: z.number().int(), failed: z.number().int() }).describe('Every copy was looked at.'),
  ObjectReplicated: z.object({ object, sha256: z.string().describe('of the body; empty: that is not there twice'), attributes: z.string().describe('SHA-256 of the file with its attributes; empty: that is not there'), bytes: z.number().int().nonnegative() }).describe('It is there twice.'),
  ReplicationFailed: z.object({ object, error: reason }).describe('It could not be copied; it is tried again.'),
  ReplicaForgotten: z.object({ object }).describe('The object is gone, or the policy does not cover it any more. Its copy stays where it is, and nobody looks after it.'),
} as const;
