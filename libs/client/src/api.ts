import { z } from 'zod';
import { artifactType, explanation, fieldError, instant, writers, type Kind } from '@berth/contracts';
import { hold, quarantine, resourceState } from './api-fleet.js';

/** What the HTTP API answers with. Absent facts are `null`, so that every row has the same keys. */

const kind = z.enum(Object.keys(writers) as [Kind, ...Kind[]]);

/** One page of a list. */
export interface Page<T> {
  items: T[];
  /** give it as `cursor` for the next page; null on the last one */
  cursor: string | null;
  /** how many there are on all pages, when it was asked for */
  total?: number;
  /** there are more than `total`: they were not counted further */
  totalIsBound?: boolean;
}
export const page = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), cursor: z.string().nullable().describe('give it as `cursor` for the next page; null on the last one'), total: z.int().optional().describe('how many there are on all pages, when it was asked for'), totalIsBound: z.boolean().optional().describe('with `total`: there are more, which were not counted') });

/** A problem as in RFC 9457. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  errors: z.array(fieldError),
  explanation: explanation.optional().describe('of `unservable`: what was looked at, and why none of it serves the request'),
}).describe('A problem as in RFC 9457.');
export type Problem = z.infer<typeof problem>;

/** A machine of the fleet, and how it is. */
export const machineView = z.object({
  name: z.string(),
  address: z.string(),
  port: z.int(),
  user: z.string(),
  credential: z.string(),
  platform: z.string(),
  attributes: z.record(z.string(), z.string()),
  slots: z.int(),
  hostKey: z.string(),
  folder: z.string().nullable().describe('null: its blueprint says'),
  facts: z.record(z.string(), z.string()).describe('what the probe found'),
  allow: z.object({ projects: z.array(z.string()), owners: z.array(z.string()) }).describe('who may use it: any of these projects or owners; both empty = everybody'),
  added: instant,
  removed: instant.nullable().describe('null while it is enrolled'),
  resource: z.string().nullable().describe('host resource that stands for it; null until the allocator has made it'),
  reachable: z.boolean(),
  error: z.string().nullable(),
  state: resourceState.nullable().describe('the one word for how its host is now; null until the allocator has made it'),
  quarantined: quarantine.nullable(),
  held: hold.nullable(),
  draining: z.string().nullable().describe('why no new leases are granted on it; null when they are'),
  busy: z.int(),
}).describe('A machine of the fleet, and how it is.');
export type MachineView = z.infer<typeof machineView>;

/** A lease, as folded from its events. */
export const leaseView = z.object({
  id: z.string(),
  owner: z.string(),
  project: z.string().nullable().describe('whom it acts for'),
  status: z.enum(['pending', 'acquired', 'active', 'released', 'broken', 'destroyed']),
  ended: z.enum(['released', 'expired', 'broken', 'refused']).nullable().describe('how it ended; null while it has not'),
  type: z.string(),
  blueprint: z.string().nullable().describe('that it was served by; null until then'),
  attributes: z.record(z.string(), z.string()),
  prefer: z.array(z.record(z.string(), z.string())).describe('what it should have besides, the dearest wish first'),
  blueprints: z.array(z.string()).describe('the only ones it may be served by; empty = any'),
  priority: z.int(),
  affinity: z.string().nullable(),
  wait: z.enum(['no', 'served', 'always']),
  waitAtMost: z.int().nullable().describe('milliseconds after which it is refused when it still waits'),
  ttl: z.int().nullable().describe('milliseconds within which its holder must be heard of; null = need not be'),
  alive: instant.nullable().describe('it ends then unless its holder is heard of before'),
  resource: z.string().nullable(),
  slot: z.int().nullable(),
  token: z.int().nullable(),
  hostLease: z.string().nullable(),
  build: z.string().nullable().describe('that asked for it'),
  until: instant.nullable(),
  reason: z.string().nullable().describe('why it waits, or why it ended'),
  error: z.string().nullable(),
  path: z.string().nullable().describe('of the resource behind it, while that is there: folder of a working copy'),
  port: z.int().nullable().describe('the same: where a service listens'),
  uri: z.string().nullable().describe('the same: where a service is'),
  members: z.record(z.string(), z.string()).nullable().describe('the same: the leases of a composite, by member'),
  exclusive: z.object({ machine: z.string(), force: z.boolean().describe('it ends the leases there instead of waiting for them') }).nullable().describe('it takes the whole of this machine, and nothing else is on it meanwhile'),
  acquired: instant.nullable().describe('when it got its slot'),
  finished: instant.nullable().describe('when its slot was given back, or when it ended without one'),
  created: instant,
  modified: instant,
  position: z.int().describe('position in BERTH_EVENTS that this shows'),
}).describe('A lease, as folded from its events.');
export type LeaseView = z.infer<typeof leaseView>;

/** Why a lease waits or waited, and what became of it. */
export const leaseExplanation = z.object({
  lease: leaseView.describe('as it is now'),
  waitsFor: z.object({ lease: z.string(), type: z.string(), member: z.string().nullable() }).optional().describe('the lease that it waits for, of which all that follows tells: one that its resource asked for itself, to stand on or as a member'),
  live: z.boolean().describe('asked of the allocator just now; otherwise read from the events'),
  at: instant.nullable().describe('when it was true; null when nothing is known of that time'),
  position: z.int().nullable().describe('position in BERTH_EVENTS of what it was read from'),
  reason: z.string().nullable().describe('in one sentence; null when nothing is known of that time'),
  explanation: explanation.nullable().describe('null when nothing is known of that time, or no more than the reason'),
}).describe('Why a lease waits or waited, and what became of it.');
export type LeaseExplanation = z.infer<typeof leaseExplanation>;

export const stepOutcome = z.enum(['waiting', 'running', 'passed', 'failed', 'lost', 'cancelled', 'skipped']);
export type StepOutcome = z.infer<typeof stepOutcome>;

/** What reports of tests or analysis say. */
export const reportView = z.object({
  format: z.string(),
  tests: z.object({ total: z.int(), passed: z.number(), failed: z.number(), skipped: z.number(), broken: z.int() }).optional(),
  lint: z.object({ errors: z.number(), warnings: z.number(), notes: z.number() }).optional(),
  findings: z.array(z.record(z.string(), z.unknown())).describe('the first of them'),
}).describe('What reports of tests or analysis say.');
export type ReportView = z.infer<typeof reportView>;

/** A step of a build. */
export const stepView = z.object({
  name: z.string(),
  id: z.string().describe('how others name it'),
  kind: z.string(),
  needs: z.array(z.int()).describe('numbers of the steps that it needs, counted from 0'),
  allowed: z.boolean().describe('its failure does not make the build fail'),
  outcome: stepOutcome,
  action: z.string().nullable().describe('of the gateway, or the id of whatever else it has asked for'),
  tries: z.int(),
  started: instant.nullable(),
  durationMs: z.number().nullable(),
  exitCode: z.int().nullable(),
  error: z.string().nullable(),
  outputs: z.record(z.string(), z.string()).nullable(),
  report: reportView.nullable(),
}).describe('A step of a build.');
export type StepView = z.infer<typeof stepView>;

/** Something that a build leaves. */
export const artifactView = z.object({
  name: z.string().describe('of a file or a link a path; of a host or a working copy `host://NAME` or `working-copy://NAME`, which no file can be called'),
  type: z.enum([...artifactType.options, 'host', 'working-copy']).describe('`host` and `working-copy` are in the list of artifacts alone, and lead to their lease: a build shows them as `hosts`'),
  bytes: z.int().nullable().describe('null: it is elsewhere'),
  sha256: z.string().nullable(),
  uri: z.string().nullable().describe('where it is, when it is elsewhere'),
  generation: z.int(),
  by: z.string().nullable().describe('who added it, from outside'),
  pinned: z.boolean(),
});
export type ArtifactView = z.infer<typeof artifactView>;

export const buildStatus = z.enum(['pending', 'preparing', 'building', 'paused', 'passed', 'failed', 'aborted', 'error']);
export type BuildStatus = z.infer<typeof buildStatus>;

/** A host of a build. */
export const buildHostView = z.object({
  name: z.string(),
  hostLease: z.string(),
  workingCopyLease: z.string().nullable(),
  ready: z.boolean().describe('steps may run on it, or have'),
  machine: z.string().nullable(),
}).describe('A host of a build.');
export type BuildHostView = z.infer<typeof buildHostView>;

/** One run of a build from its beginning. */
export const generationView = z.object({
  generation: z.int(),
  status: buildStatus,
  error: z.string().nullable(),
  started: instant,
  ended: instant.nullable(),
}).describe('One run of a build from its beginning.');
export type GenerationView = z.infer<typeof generationView>;

/** A build, as folded from its events. */
export const buildView = z.object({
  id: z.string(),
  plan: z.string(),
  planVersion: z.int(),
  status: buildStatus,
  percent: z.int(),
  activity: z.string().nullable(),
  error: z.string().nullable(),
  failure: z.object({ step: z.string(), command: z.string().optional(), exitCode: z.int().optional(), tail: z.string().optional() }).nullable().describe('of one that failed by a step: the first line of its command, its exit code, what it printed last'),
  initiator: z.string(),
  project: z.string().nullable().describe('whom it acts for'),
  priority: z.int().describe('of its leases'),
  ref: z.string().nullable(),
  commit: z.string().nullable(),
  url: z.string().nullable().describe('where people look at it'),
  parent: z.object({ build: z.string(), step: z.string() }).nullable().describe('the step that has called its plan'),
  hostLease: z.string().nullable().describe('of its first host'),
  workingCopyLease: z.string().nullable(),
  hosts: z.array(buildHostView),
  steps: z.array(stepView),
  artifacts: z.array(artifactView),
  generation: z.int().describe('counts from 1; grows with each restart'),
  generations: z.array(generationView),
  attempt: z.int(),
  remainingMs: z.number().nullable().describe('milliseconds until its end, by what it took before; null when that is not known, and when it is over'),
  cleanedUp: z.boolean().describe('nothing of it is left on a host'),
  started: instant.nullable().describe('when its first working copy was there, in this generation'),
  finished: instant.nullable().describe('when this generation ended'),
  created: instant,
  modified: instant,
  position: z.int(),
}).describe('A build, as folded from its events.');
export type BuildView = z.infer<typeof buildView>;

/** The newest version of a plan. */
export const planView = z.object({
  name: z.string(),
  version: z.int(),
  source: z.string(),
  saved: instant,
  steps: z.array(z.string()),
});
export type PlanView = z.infer<typeof planView>;

/** One thing done on a host. */
export const actionView = z.object({
  id: z.string(),
  lease: z.string(),
  kind: z.string(),
  status: z.enum(['requested', 'started', 'succeeded', 'failed', 'lost', 'cancelled']),
  exitCode: z.int().nullable(),
  stdoutBytes: z.int().nullable(),
  stderrBytes: z.int().nullable(),
  path: z.string().nullable(),
  bytes: z.int().nullable(),
  sha256: z.string().nullable(),
  code: z.string().nullable().describe('exit | timeout | stale-token | unreachable | …'),
  error: z.string().nullable(),
  created: instant,
  modified: instant,
}).describe('One thing done on a host.');
export type ActionView = z.infer<typeof actionView>;

/** A line that an action printed. */
export const actionLogLine = z.object({
  n: z.int().describe('counts from 1, over both streams'),
  time: instant.nullable().describe('when its beginning was read; null when that is not known'),
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
  group: z.array(z.string()).optional().describe('groups that it is in, the outermost first; absent when it is in none'),
}).describe('A line that an action printed.');
export type ActionLogLine = z.infer<typeof actionLogLine>;

/** A line that a build printed. */
export const buildLogLine = actionLogLine.extend({
  at: z.string().describe('SECTION:LINE, the place of the line for ever'),
  step: z.string(),
  stepIndex: z.int().describe('counts from 0'),
  action: z.string(),
}).describe('A line that a build printed.');
export type BuildLogLine = z.infer<typeof buildLogLine>;

/** Lines between `::group::NAME` and `::endgroup::`. */
export const logGroup = z.object({
  name: z.string(),
  within: z.array(z.string()).describe('groups around it, the outermost first'),
  firstLine: z.int(),
  lastLine: z.int().nullable().describe('null while it is open'),
}).describe('Lines between `::group::NAME` and `::endgroup::`.');
export type LogGroup = z.infer<typeof logGroup>;

/** The same of a build, where each try of a step is a group too. */
export const buildLogGroup = logGroup.extend({
  section: z.int().describe('which try of a step, in the order in which they began'),
  step: z.string(),
  action: z.string(),
  firstLine: z.int().nullable().describe('of the section; null while it has printed nothing'),
}).describe('The same of a build, where each try of a step is a group too.');
export type BuildLogGroup = z.infer<typeof buildLogGroup>;

/** What there is under one name in the folder of a lease. */
export const fileView = z.object({
  name: z.string(),
  kind: z.enum(['file', 'folder', 'link', 'other']),
  bytes: z.int(),
  mode: z.int().describe('permission bits, as a number: 420 is 0644'),
  modified: instant,
  target: z.string().optional().describe('of a link, when it was asked for alone: what it says'),
}).describe('What there is under one name in the folder of a lease.');
export type FileView = z.infer<typeof fileView>;

/** One event, with its place and who caused it. */
export const historyEntry = z.object({
  sequence: z.int(),
  time: instant,
  kind,
  id: z.string(),
  type: z.string(),
  data: z.unknown(),
  actor: z.string(),
  cause: z.string(),
}).describe('One event, with its place and who caused it.');
export type HistoryEntry = z.infer<typeof historyEntry>;

/** One event of the live feed. */
export const liveEvent = z.object({
  kind,
  id: z.string(),
  type: z.string(),
  data: z.unknown(),
  at: instant,
  actor: z.string(),
}).describe('One event of the live feed.');
export type LiveEvent = z.infer<typeof liveEvent>;

/** Whether each service is ready. */
export const health = z.object({
  status: z.enum(['ok', 'unavailable']),
  services: z.record(z.string(), z.object({ ready: z.boolean(), detail: z.string().optional() })),
});
export type Health = z.infer<typeof health>;

export const ended = (status: BuildStatus): boolean => status === 'passed' || status === 'failed' || status === 'aborted' || status === 'error';
