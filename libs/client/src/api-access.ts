import { z } from 'zod';
import { instant, jobRight, jobTasks, role, writers, type Kind } from '@berth/contracts';

/** What the HTTP API says of who may do what. */

const projects = z.array(z.string()).nullable().describe('it sees and touches only what acts for one of these; null = all');

/** Everything that somebody may be let do; the console says which role has which. */
export const permission = z.enum([
  'fleet:read', 'lease:read', 'build:read', 'plan:read', 'event:read', 'usage:read', 'metrics:read', 'jobs:read', 'images:read',
  'lease:write', 'lease:exec', 'lease:terminal', 'build:write', 'images:build',
  'plan:write', 'fleet:write', 'hardware:write', ...jobTasks.map((task) => `jobs:${task}` as const), 'jobs:installed', 'images:write', 'deadletters:read', 'deadletters:write', 'doctor:read', 'projections:write',
  'quota:write', 'tokens:read', 'tokens:write', 'secrets:read', 'secrets:write', 'providers:write', 'webhooks:read', 'webhooks:write', 'audit:read',
]);
export type Permission = z.infer<typeof permission>;

/** Whoever asks. */
export const meView = z
  .object({
    actor: z.string().describe('as the history says it: `token:NAME` or `user:EMAIL`'),
    name: z.string(),
    role,
    projects,
    permissions: z.array(permission),
    until: instant.nullable().describe('when the session of a browser ends by itself; null when a token was shown'),
  })
  .describe('Whoever asks.');
export type MeView = z.infer<typeof meView>;

/** A token; never its secret. */
export const tokenView = z
  .object({
    name: z.string(),
    role,
    projects,
    jobs: z.array(jobRight).describe('hardware jobs that it may ask for besides those of its role'),
    state: z.enum(['live', 'expired', 'revoked']),
    created: instant,
    createdBy: z.string(),
    expires: instant.nullable().describe('null = never'),
    revoked: instant.nullable(),
    lastUsed: instant.nullable().describe('to the hour; null = never'),
  })
  .describe('A token; never its secret.');
export type TokenView = z.infer<typeof tokenView>;

/** A token that was just made: the one time that its secret is shown. */
export const newToken = z
  .object({ id: z.string(), name: z.string(), secret: z.string(), position: z.int().optional().describe('in BERTH_EVENTS, of what it wrote') })
  .describe('A token that was just made: the one time that its secret is shown.');
export type NewToken = z.infer<typeof newToken>;

/** How a browser can be signed in besides with a token; told to anyone. */
export const signInWays = z
  .object({ provider: z.object({ name: z.string().describe('as people know it'), path: z.string().describe('where a browser begins to sign in with it') }).nullable().describe('of OpenID Connect; null = none') })
  .describe('How a browser can be signed in besides with a token.');
export type SignInWays = z.infer<typeof signInWays>;

/** A link that signs in once. */
export const signInLink = z.object({ url: z.string(), until: instant }).describe('A link that signs in once.');
export type SignInLink = z.infer<typeof signInLink>;

/** What somebody did, or was refused. */
export const auditEntry = z
  .object({
    position: z.int().describe('in BERTH_EVENTS'),
    time: instant,
    actor: z.string(),
    what: z.enum(['refused', 'signed-in', 'did']).describe('`refused`: it was not done; `signed-in`: comings and goings; `did`: what was stored because of it'),
    kind: z.enum(Object.keys(writers) as [Kind, ...Kind[]]).describe('of what it concerns'),
    id: z.string(),
    events: z.array(z.string()).describe('their types'),
    detail: z.string().nullable().describe('one sentence'),
  })
  .describe('What somebody did, or was refused.');
export type AuditEntry = z.infer<typeof auditEntry>;
