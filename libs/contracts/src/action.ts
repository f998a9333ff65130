import { z } from 'zod';
import { uuid } from './scalars.js';
import { hostAccess } from './machine.js';
import { workingCopySpec } from './resource.js';

const path = z.string().min(1).max(4096).regex(/^[^\0\n]+$/, 'a path has no NUL and no line break');
/** A path inside the working copy (or the lease's folder): relative, and never upwards. */
export const insidePath = path.refine((p) => !p.startsWith('/') && !p.startsWith('~') && !p.split(/[\\/]/).includes('..') && !/^[A-Za-z]:/.test(p), {
  message: 'must stay inside the working copy: a relative path without ".."',
});
const environment = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable name is letters, digits and "_"'), z.string());

/** What is done on a host, by kind. */
export const actionSpec = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('run-command'),
    command: z.string().min(1).max(262_144).describe('text of a POSIX shell script, run with -e'),
    env: environment.default({}),
    timeoutMs: z.number().int().positive().max(7 * 86_400_000).optional(),
  }),
  z.object({ kind: z.literal('put-file'), path: insidePath, object: z.string(), mode: z.number().int().min(0).max(0o777).default(0o644) }),
  z.object({ kind: z.literal('get-file'), path: insidePath, object: z.string() }),
  z.object({ kind: z.literal('prepare-working-copy'), copy: uuid, ...workingCopySpec.shape }),
  z.object({ kind: z.literal('remove-working-copy'), copy: uuid }),
]);
export type ActionSpec = z.infer<typeof actionSpec>;
export type ActionKind = ActionSpec['kind'];

export const actionCommands = {
  /** The id of the command is the id of the action. */
  RunAction: z.object({ lease: uuid, token: z.number().int().positive(), spec: actionSpec }),
  CancelAction: z.object({ action: uuid, reason: z.string().max(256).default('cancelled') }),
  /** Looks at a host without a lease: for enrolment. Answered with `data` = {hostKey, facts}; writes nothing. */
  ProbeHost: z.object({ host: hostAccess }),
} as const;

/** What a finished action found. Which keys there are depends on its kind. */
export const actionResult = z.object({
  exitCode: z.number().int().optional(),
  stdoutBytes: z.number().int().nonnegative().optional(),
  stderrBytes: z.number().int().nonnegative().optional(),
  path: z.string().optional(),
  commit: z.string().optional(),
  bytes: z.number().int().nonnegative().optional(),
  sha256: z.string().optional(),
});
export type ActionResult = z.infer<typeof actionResult>;

export const actionEvents = {
  ActionRequested: z.object({ lease: uuid, token: z.number().int().positive(), spec: actionSpec }),
  ActionStarted: z.object({}),
  CancelRequested: z.object({ reason: z.string() }),
  ActionSucceeded: actionResult,
  /** `code`: exit | timeout | stale-token | unreachable | … */
  ActionFailed: actionResult.extend({ code: z.string(), error: z.string() }),
  /** The host itself cannot say how it ended. */
  ActionLost: actionResult.extend({ error: z.string() }),
  ActionCancelled: actionResult.extend({ reason: z.string() }),
} as const;
