import { z } from 'zod';
import { duration, name, span, uuid, wants } from './scalars.js';
import { insidePath } from './action.js';
import { principal } from './blueprint.js';
import { workingCopySpec } from './working-copy.js';

const stepName = z.string().min(1).max(128);
const environment = z.record(
  z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable name is letters, digits and "_"')
    .regex(/^(?!BERTH_)/, 'names that begin with BERTH_ are set by Berth: choose another'),
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
  host: wants.default({}),
  workingCopy: z.strictObject(workingCopySpec.shape).default({}),
  infrastructureRetries: z.number().int().min(0).max(20).default(3),
  holdOnFailure: span.optional(),
  env: environment.default({}),
  steps: z.array(step).min(1).max(500),
});
export type Plan = z.output<typeof plan>;

/** The same plan as kept in events: already read, so every field is plain. */
export const savedPlan = z.object({
  name,
  host: z.record(z.string(), z.string()),
  workingCopy: workingCopySpec,
  infrastructureRetries: z.number().int().optional().describe('how often a failed host is replaced; 2 in plans of older versions'),
  holdOnFailure: z.number().optional().describe('milliseconds that the host of a failed build is kept for debugging'),
  env: z.record(z.string(), z.string()),
  steps: z.array(
    z.union([
      z.object({ name: z.string(), run: z.string(), env: z.record(z.string(), z.string()), timeout: z.number().optional() }),
      z.object({ name: z.string(), uses: z.literal('upload-artifact'), with: z.object({ path: z.string(), name: z.string().optional() }) }),
    ]),
  ),
});

export const planCommands = {
  ApplyPlan: z
    .object({ source: z.string().min(1).max(524_288).describe('the plan as YAML') })
    .describe('Saves a plan as its next version. Answered with `data` = `{name, version}`; the same text again is no new version.'),
} as const;

export const planEvents = {
  PlanSaved: z
    .object({ version: z.number().int().positive().describe('counts from 1'), source: z.string().describe('the YAML'), plan: savedPlan.describe('the same, read') })
    .describe('A version of a plan.'),
} as const;

export const buildCommands = {
  RequestBuild: z
    .object({
      plan: name.describe('name of a saved plan; its newest version is built'),
      variables: environment.default({}).describe('added to the environment of every step'),
      initiator: principal.optional().describe('owner of its leases; `build:<id>` when absent'),
      project: principal.optional().describe('whom it acts for: blueprints may be open to some projects only'),
      priority: z.number().int().min(0).max(1000).default(100).describe('of its leases; higher is served first'),
      holdOnFailure: span.optional().describe('keep the host of a failed build for so long, for debugging; goes before the plan'),
    })
    .describe('Asks for a build of a plan. The id of the command is the id of the build.'),
  AbortBuild: z
    .object({ build: uuid, reason: z.string().max(256).default('aborted').describe('for the history') })
    .describe('Ends a build; what it used is cleaned up.'),
} as const;

export const buildEvents = {
  BuildRequested: z
    .object({
      plan: savedPlan.describe('the plan as it was then'),
      planVersion: z.number().int().positive(),
      variables: z.record(z.string(), z.string()),
      initiator: z.string(),
      project: z.string().optional(),
      priority: z.number().int().optional(),
      holdOnFailure: z.number().optional(),
    })
    .describe('Asked for.'),
  BuildPreparing: z
    .object({ attempt: z.number().int().positive().describe('counts from 1; grows when a host failed, not the build'), hostLease: uuid })
    .describe('A host lease is asked for.'),
  BuildWorkingCopyRequested: z.object({ workingCopyLease: uuid }).describe('The host is there; a working copy on it is asked for.'),
  BuildWaiting: z.object({ activity: z.string() }).describe('Why it waits.'),
  BuildStarted: z
    .object({ path: z.string().describe('folder of the working copy on the host'), commit: z.string().optional().describe('what it holds') })
    .describe('The working copy is there; the steps begin.'),
  StepStarted: z.object({ step: z.number().int().nonnegative().describe('counts from 0'), name: z.string(), action: uuid }).describe('The action of a step is asked for.'),
  StepFinished: z
    .object({
      step: z.number().int().nonnegative(),
      outcome: z.enum(['passed', 'failed', 'lost', 'cancelled']),
      error: z.string().optional(),
      exitCode: z.number().int().optional(),
      durationMs: z.number().int().nonnegative(),
    })
    .describe('A step has ended.'),
  ArtifactKept: z
    .object({ name: z.string(), object: z.string().describe('its name in the bucket berth-artifacts'), bytes: z.number().int().nonnegative(), sha256: z.string() })
    .describe('A file of the working copy was kept.'),
  BuildPassed: z.object({}).describe('Every step passed.'),
  BuildFailed: z.object({ error: z.string() }).describe('A step says that the code is at fault.'),
  BuildAborted: z.object({ reason: z.string() }).describe('Somebody ended it.'),
  BuildErrored: z.object({ error: z.string() }).describe('It could not be carried out: nothing is said about the code.'),
  BuildRetried: z.object({ error: z.string() }).describe("An attempt's host failed: its leases are given back and another host is asked for."),
  BuildCleanedUp: z.object({}).describe('Both leases are destroyed: nothing of the build is left on a host.'),
} as const;
