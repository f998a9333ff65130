import { z } from 'zod';
import { principal } from './who.js';
import { jobRight } from './job.js';
import { instant, name, uuid } from './scalars.js';

/** What somebody may do, each more than the one before. */
export const role = z.enum(['viewer', 'builder', 'operator', 'admin']);
export type Role = z.infer<typeof role>;

/** Whom it may act for. */
export const scope = z.array(principal).min(1).max(64).nullable().describe('it sees and touches only what acts for one of these; null = all');

/**
 * A token as it is stored: never the secret, but its SHA-256. A secret is 256 random bits, so nobody can find it by trying,
 * and a slow hash, as passwords need, would only slow down each request.
 */
const kept = {
  role,
  projects: scope,
  jobs: z.array(jobRight).min(1).max(64).optional().describe('hardware jobs that it may ask for besides those of its role; `installed`: it may report that an installation has finished'),
  expires: instant.optional().describe('it opens nothing from then on'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'use the SHA-256 of the secret, as 64 hex digits').describe('of the secret, in hex'),
};

export const tokenCommands = {
  CreateToken: z
    .object({ name: name.describe('how it is called in the history, as `token:NAME`'), ...kept, projects: scope.default(null) })
    .describe('Makes a token for the HTTP API. Whoever asks makes the secret, and sends its hash alone. Over HTTP the console does both.'),
  RevokeToken: z.object({ token: name.describe('its name') }).describe('Ends a token, and all that was begun with it. Revoking twice is revoking once.'),
} as const;

export const tokenEvents = {
  TokenCreated: z.object({ id: uuid.describe('tells it from others that have had its name'), ...kept }).describe('It opens the HTTP API.'),
  TokenUsed: z.object({ at: instant }).describe('It was used; stored at most once an hour.'),
  TokenRevoked: z.object({}).describe('It opens nothing any more; its name is free.'),
} as const;
