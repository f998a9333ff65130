import { z } from 'zod';
import { attributes, duration, name, uuid } from './scalars.js';
import { insidePath } from './action.js';
import { workingCopySpec } from './resource.js';

const stepName = z.string().min(1).max(128);
const environment = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable name is letters, digits and "_"'),
  z.union([z.string(), z.number(), z.boolean()]).transform(String),
);

/** Steps of a plan, by kind; `run` is short for `uses: run-command`. */
export const runStep = z.strictObject({
  name: stepName,
  run: z.string().min(1).max(262_144),
  env: environment.default({}),
  timeout: duration.refine((ms) => ms <= 7 * 86_400_000, 'must be at most 7d').optional(),
});
export const uploadArtifactStep = z.strictObject({
  name: stepName,
  uses: z.literal('upload-artifact'),
  with: z.strictObject({ path: insidePath, name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/).optional() }),
});
export const step = z.union([runStep, uploadArtifactStep]);
export type Step = z.output<typeof step>;

/** A build plan, as written in YAML. Times are text there and milliseconds once read. */
export const plan = z.strictObject({
  name,
  host: attributes.default({}),
  workingCopy: z.strictObject(workingCopySpec.shape).default({}),
  env: environment.default({}),
  steps: z.array(step).min(1).max(500),
});
export type Plan = z.output<typeof plan>;

/** The same plan as kept in events: already read, so every field is plain. */
export const savedPlan = z.object({
  name,
  host: z.record(z.string(), z.string()),
  workingCopy: workingCopySpec,
  env: z.record(z.string(), z.string()),
  steps: z.array(
    z.union([
      z.object({ name: z.string(), run: z.string(), env: z.record(z.string(), z.string()), timeout: z.number().optional() }),
      z.object({ name: z.string(), uses: z.literal('upload-artifact'), with: z.object({ path: z.string(), name: z.string().optional() }) }),
    ]),
  ),
});

export const planCommands = {
  ApplyPlan: z.object({ source: z.string().min(1).max(524_288).describe('the plan as YAML') }),
} as const;

export const planEvents = {
  /** `version` counts from 1. */
  PlanSaved: z.object({ version: z.number().int().positive(), source: z.string(), plan: savedPlan }),
} as const;

export const buildCommands = {
  /** The id of the command is the id of the build. */
  RequestBuild: z.object({
    plan: name,
    variables: environment.default({}).describe('added to the environment of every step'),
    initiator: z.string().max(128).optional(),
  }),
  AbortBuild: z.object({ build: uuid, reason: z.string().max(256).default('aborted') }),
} as const;

export const buildEvents = {
  BuildRequested: z.object({
    plan: savedPlan,
    planVersion: z.number().int().positive(),
    variables: z.record(z.string(), z.string()),
    initiator: z.string(),
  }),
  /** A host lease was asked for; `attempt` counts from 1 and grows when a host failed us, not the build. */
  BuildPreparing: z.object({ attempt: z.number().int().positive(), hostLease: uuid }),
  BuildWorkingCopyRequested: z.object({ workingCopyLease: uuid }),
  BuildWaiting: z.object({ activity: z.string() }),
  BuildStarted: z.object({ path: z.string(), commit: z.string().optional() }),
  StepStarted: z.object({ step: z.number().int().nonnegative(), name: z.string(), action: uuid }),
  StepFinished: z.object({
    step: z.number().int().nonnegative(),
    outcome: z.enum(['passed', 'failed', 'lost', 'cancelled']),
    error: z.string().optional(),
    exitCode: z.number().int().optional(),
    durationMs: z.number().int().nonnegative(),
  }),
  ArtifactKept: z.object({ name: z.string(), object: z.string(), bytes: z.number().int().nonnegative(), sha256: z.string() }),
  BuildPassed: z.object({}),
  BuildFailed: z.object({ error: z.string() }),
  BuildAborted: z.object({ reason: z.string() }),
  /** The build could not be carried out: nothing is said about the code. */
  BuildErrored: z.object({ error: z.string() }),
  /** An attempt's host failed; its leases are given back and another host is asked for. */
  BuildRetried: z.object({ error: z.string() }),
  /** Both leases are destroyed: nothing of the build is left on a host. */
  BuildCleanedUp: z.object({}),
} as const;
