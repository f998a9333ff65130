import { z } from 'zod';
import { keptFile } from './action.js';
import { principal } from './who.js';
import { artifactName } from './object-name.js';
import { savedPlan } from './plan.js';
import { name, span, uuid, wants } from './scalars.js';
import { requestVariables, stepId } from './steps.js';

const actor = z.string().max(128).optional().describe('who says so; taken from the command when absent');
const outputs = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'an output is named by letters, digits and "_"'), z.string().max(65_536)).optional().describe('results that other steps may use');
const reason = z.string().max(256);
const ref = z.string().max(256).regex(/^[A-Za-z0-9_][A-Za-z0-9._/@+-]*$/, 'use a branch, a tag or a commit');
/** A link that a build shows: only what a browser can open without harm. */
export const artifactUri = z.url({ protocol: /^(https?|ftp|s3|ssh|git)$/, error: 'use a URL that begins with http, https, ftp, s3, ssh or git' }).max(4096);
export const artifactType = z.enum(['file', 'uri', 'tests', 'lint', 'sbom']);
/** What an artifact is; `uri` is one that is kept elsewhere. */
export type ArtifactType = z.infer<typeof artifactType>;

export const buildCommands = {
  RequestBuild: z
    .object({
      plan: name.describe('name of a saved plan; its newest version is built'),
      variables: requestVariables.default({}).describe('added to the environment of every step; of those that the plan names, if it names any'),
      ref: ref.optional().describe('what is built, instead of the ref that the plan names'),
      initiator: principal.optional().describe('owner of its leases; `build:<id>` when absent'),
      project: principal.optional().describe('whom it acts for: blueprints may be open to some projects only'),
      priority: z.number().int().min(0).max(1000).optional().describe('of its leases; higher is served first. That of the plan when absent, else 100'),
      holdOnFailure: span.optional().describe('keep the host of a failed build for so long, for debugging; goes before the plan'),
      parent: z.object({ build: uuid, step: z.string() }).optional().describe('the step that calls this plan'),
      host: wants.optional().describe('what its hosts must be besides what the plan says'),
    })
    .describe('Asks for a build of a plan. The id of the command is the id of the build.'),
  AbortBuild: z
    .object({ build: uuid, reason: reason.default('aborted').describe('for the history') })
    .describe('Ends a build; what runs is ended on its host, and what it used is cleaned up.'),
  PauseBuild: z.object({ build: uuid, reason: reason.default('paused') }).describe('No further step begins until ResumeBuild; what runs goes on.'),
  ResumeBuild: z.object({ build: uuid }).describe('Lets a paused build go on.'),
  RestartBuild: z
    .object({
      build: uuid,
      host: z.enum(['any', 'same', 'other']).default('any').describe('where: the hosts of the generation before are taken first, or not at all'),
      reason: reason.default('restarted'),
    })
    .describe('Begins a new generation of a build; one that is under way is ended first.'),
  RerunStep: z
    .object({ build: uuid, step: stepId, reason: reason.default('run again') })
    .describe('Runs a step that is over once more, with all that build on it: in the same working copy while the build is under way, else in a new generation.'),
  SendBuildMessage: z
    .object({
      build: uuid,
      step: stepId.describe('id of a step that waits for a message or an approval, or will'),
      type: z.enum(['pass', 'fail', 'work']).describe('work: it is still being worked on'),
      text: z.string().max(2048).optional(),
      outputs,
      by: actor,
    })
    .describe('Reports on a step from outside. One that comes before the step has begun is kept for it.'),
  AddArtifact: z
    .object({
      build: uuid,
      name: artifactName,
      type: artifactType.default('uri'),
      uri: artifactUri.optional().describe('where it is'),
      file: keptFile.omit({ name: true }).optional().describe('or what was stored of it'),
      by: actor,
    })
    .refine(({ uri, file }) => (uri === undefined) !== (file === undefined), { message: 'give either uri or file', path: ['uri'] })
    .describe('Adds an artifact from outside. The same again has no effect; another one of that name is refused.'),
  ReleaseArtifact: z.object({ build: uuid, name: artifactName, reason: reason.default('released') }).describe('Removes an artifact. Releasing twice is releasing once.'),
  PinArtifact: z.object({ build: uuid, name: artifactName, pinned: z.boolean().default(true) }).describe('A pinned artifact is kept whatever its plan says.'),
} as const;

const generation = z.number().int().positive().describe('counts from 1; grows with each restart');
const about = {
  plan: savedPlan.describe('the plan as it was then'),
  planVersion: z.number().int().positive(),
  variables: z.record(z.string(), z.string()),
  initiator: z.string(),
  project: z.string().optional(),
  priority: z.number().int().optional(),
  holdOnFailure: z.number().optional(),
  parent: z.object({ build: uuid, step: z.string() }).optional(),
  url: z.string().optional().describe('where people look at it'),
  group: z.string().optional().describe('builds of one group are not under way at the same time'),
  queued: z.boolean().optional().describe('it waits until others of its group are over'),
  weights: z.array(z.number()).optional().describe('what its parts took before, ms: the host, the working copy, and each step'),
};
const host = z.string().optional().describe('which of its hosts, by name; main when absent');
const stepOutcome = z.enum(['passed', 'failed', 'lost', 'cancelled', 'skipped']);
const artifact = z.object({
  name: z.string(),
  object: z.string().describe('its name in the store of artifacts'),
  bytes: z.number().int().nonnegative(),
  sha256: z.string(),
  type: artifactType.optional().describe('file when absent'),
  generation: z.number().int().optional(),
  by: z.string().optional().describe('who added it, from outside'),
});
const summary = z.object({
  format: z.string(),
  tests: z.object({ total: z.number(), passed: z.number(), failed: z.number(), skipped: z.number(), broken: z.number() }).optional(),
  lint: z.object({ errors: z.number(), warnings: z.number(), notes: z.number() }).optional(),
  findings: z.array(z.record(z.string(), z.unknown())).describe('the first of them'),
});
/** What made a build fail. */
const failure = z.object({
  step: z.string(),
  command: z.string().optional().describe('its first line'),
  exitCode: z.number().int().optional(),
  tail: z.string().optional().describe('the last lines that it printed'),
});
export type Failure = z.output<typeof failure>;

export const buildEvents = {
  BuildRequested: z.object(about).describe('Asked for.'),
  BuildAdmitted: z.object({}).describe('It need not wait for other builds any more.'),
  BuildPreparing: z
    .object({ attempt: z.number().int().positive().describe('counts from 1; grows when a host failed, not the build'), hostLease: uuid, host })
    .describe('A host lease is asked for.'),
  BuildWorkingCopyRequested: z.object({ workingCopyLease: uuid, host }).describe('The host is there; a working copy on it is asked for.'),
  BuildWaiting: z.object({ activity: z.string() }).describe('Why it waits.'),
  BuildStarted: z
    .object({ path: z.string().describe('folder of the working copy on the host'), commit: z.string().optional().describe('what it holds'), host, machine: z.string().optional().describe('the machine behind it, of those that are enrolled') })
    .describe('The working copy is there; steps on it may begin.'),
  BuildHostReleased: z.object({ host: z.string() }).describe('No step needs this host any more: its leases are given back while the build goes on.'),
  BuildPaused: z.object({ reason: z.string(), by: z.string().optional() }).describe('No further step begins.'),
  BuildResumed: z.object({ by: z.string().optional() }).describe('It goes on.'),
  BuildMessaged: z
    .object({ step: z.number().int().nonnegative(), type: z.enum(['pass', 'fail', 'work']), text: z.string().optional(), outputs: z.record(z.string(), z.string()).optional(), by: z.string().optional() })
    .describe('Somebody reported on a step.'),
  StepStarted: z
    .object({ step: z.number().int().nonnegative().describe('counts from 0'), name: z.string(), action: uuid.describe('of the gateway, or the id of whatever else it asks for'), attempt: z.number().int().optional().describe('which try of the step; 1 when absent') })
    .describe('A step has begun.'),
  StepFinished: z
    .object({
      step: z.number().int().nonnegative(),
      outcome: stepOutcome,
      error: z.string().optional(),
      exitCode: z.number().int().optional(),
      durationMs: z.number().int().nonnegative(),
      outputs: z.record(z.string(), z.string()).optional(),
      tail: z.string().optional().describe('the last lines that it printed, when it failed'),
      again: z.boolean().optional().describe('it is tried again'),
      because: z.enum(['condition', 'needs']).optional().describe('of a skipped one: its own condition, or what it builds on did not pass'),
    })
    .describe('A step has ended.'),
  StepsReset: z.object({ steps: z.array(z.number().int().nonnegative()), reason: z.string() }).describe('Steps that were over are to run again.'),
  ReportPublished: z.object({ step: z.number().int().nonnegative(), report: summary }).describe('What reports of tests or analysis say.'),
  ArtifactKept: artifact.describe('A file was kept.'),
  LinkAdded: z.object({ name: z.string(), type: artifactType, uri: z.string(), by: z.string().optional(), generation: z.number().int().optional() }).describe('An artifact that is elsewhere.'),
  ArtifactPinned: z.object({ name: z.string(), pinned: z.boolean() }).describe('It is kept whatever its plan says, or not any more.'),
  ArtifactReleased: z.object({ name: z.string(), reason: z.string() }).describe('It is no longer kept.'),
  BuildPassed: z.object({}).describe('Every step passed.'),
  BuildFailed: z.object({ error: z.string(), failure: failure.optional() }).describe('A step says that the code is at fault.'),
  BuildAborted: z.object({ reason: z.string(), by: z.string().optional() }).describe('Somebody ended it.'),
  BuildErrored: z.object({ error: z.string() }).describe('It could not be carried out: nothing is said about the code.'),
  BuildRetried: z
    .object({ error: z.string(), yieldedTo: uuid.optional().describe('an older build that it gave its hosts back for') })
    .describe("An attempt's host failed: its leases are given back and another host is asked for."),
  BuildRestarted: z
    .object({
      ...about,
      generation,
      attempt: z.number().int().positive().describe('the first of this generation'),
      reason: z.string(),
      by: z.string().optional(),
      kept: z.record(z.string(), z.object({ outcome: stepOutcome, outputs: z.record(z.string(), z.string()).optional() })).optional().describe('steps that keep how they ended, by number'),
      artifacts: z.array(artifact).optional().describe('what those steps have kept: steps that run again may use it'),
      machines: z.record(z.string(), z.string()).optional().describe('machines of the generation before, by host'),
      where: z.enum(['any', 'same', 'other']).optional(),
    })
    .describe('A new generation begins.'),
  BuildCleanedUp: z.object({}).describe('All its leases are destroyed: nothing of the build is left on a host.'),
} as const;
