import type { ArtifactType, Explanation, FieldError, Kind } from '@berth/contracts';
import type { Hold, Quarantine, ResourceState } from './api-fleet.js';

/** What the HTTP API answers with. Absent facts are `null`, so that every row has the same keys. */

/** One page of a list, newest first. */
export interface Page<T> {
  items: T[];
  /** give it as `cursor` for the next page; null on the last one */
  cursor: string | null;
}

/** A problem as in RFC 9457. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  errors: FieldError[];
  /** of `unservable`: what was looked at, and why none of it serves the request */
  explanation?: Explanation;
}

/** A machine of the fleet, and how it is. */
export interface MachineView {
  name: string;
  address: string;
  port: number;
  user: string;
  credential: string;
  platform: string;
  attributes: Record<string, string>;
  slots: number;
  hostKey: string;
  /** null: its blueprint says */
  folder: string | null;
  /** what the probe found */
  facts: Record<string, string>;
  added: string;
  /** host resource that stands for it; null until the allocator has made it */
  resource: string | null;
  reachable: boolean;
  error: string | null;
  /** the one word for how its host is now; null until the allocator has made it */
  state: ResourceState | null;
  quarantined: Quarantine | null;
  held: Hold | null;
  /** why no new leases are granted on it; null when they are */
  draining: string | null;
  busy: number;
}

/** A lease, as folded from its events. */
export interface LeaseView {
  id: string;
  owner: string;
  /** whom it acts for */
  project: string | null;
  status: 'pending' | 'acquired' | 'active' | 'released' | 'broken' | 'destroyed';
  /** how it ended; null while it has not */
  ended: 'released' | 'expired' | 'broken' | 'refused' | null;
  type: string;
  /** that it was served by; null until then */
  blueprint: string | null;
  attributes: Record<string, string>;
  /** what it should have besides, the dearest wish first */
  prefer: Record<string, string>[];
  /** the only ones it may be served by; empty = any */
  blueprints: string[];
  priority: number;
  affinity: string | null;
  wait: 'no' | 'served' | 'always';
  /** milliseconds after which it is refused when it still waits */
  waitAtMost: number | null;
  /** milliseconds within which its holder must be heard of; null = need not be */
  ttl: number | null;
  /** it ends then unless its holder is heard of before */
  alive: string | null;
  resource: string | null;
  slot: number | null;
  token: number | null;
  hostLease: string | null;
  until: string | null;
  /** why it waits, or why it ended */
  reason: string | null;
  error: string | null;
  /** of the resource behind it, while that is there: folder of a working copy */
  path: string | null;
  /** the same: where a service listens */
  port: number | null;
  /** the same: where a service is */
  uri: string | null;
  /** the same: the leases of a composite, by member */
  members: Record<string, string> | null;
  created: string;
  modified: string;
  /** position in BERTH_EVENTS that this shows */
  position: number;
}

/** Why a lease waits or waited, and what became of it. */
export interface LeaseExplanation {
  /** as it is now */
  lease: LeaseView;
  /** the lease that it waits for, of which all that follows tells: one that its resource asked for itself, to stand on or as a member */
  waitsFor?: { lease: string; type: string; member: string | null };
  /** asked of the allocator just now; otherwise read from the events */
  live: boolean;
  /** when it was true; null when nothing is known of that time */
  at: string | null;
  /** position in BERTH_EVENTS of what it was read from */
  position: number | null;
  /** in one sentence; null when nothing is known of that time */
  reason: string | null;
  /** null when nothing is known of that time, or no more than the reason */
  explanation: Explanation | null;
}

export type StepOutcome = 'waiting' | 'running' | 'passed' | 'failed' | 'lost' | 'cancelled' | 'skipped';

/** What reports of tests or analysis say. */
export interface ReportView {
  format: string;
  tests?: { total: number; passed: number; failed: number; skipped: number; broken: number } | undefined;
  lint?: { errors: number; warnings: number; notes: number } | undefined;
  /** the first of them */
  findings: Record<string, unknown>[];
}

/** A step of a build. */
export interface StepView {
  name: string;
  /** how others name it */
  id: string;
  kind: string;
  /** numbers of the steps that it needs, counted from 0 */
  needs: number[];
  /** its failure does not make the build fail */
  allowed: boolean;
  outcome: StepOutcome;
  /** of the gateway, or the id of whatever else it has asked for */
  action: string | null;
  tries: number;
  started: string | null;
  durationMs: number | null;
  exitCode: number | null;
  error: string | null;
  outputs: Record<string, string> | null;
  report: ReportView | null;
}

export interface ArtifactView {
  /** of a file or a link a path; of a host or a working copy `host://NAME` or `working-copy://NAME`, which no file can be called */
  name: string;
  /** `host` and `working-copy` are in the list of artifacts alone, and lead to their lease: a build shows them as `hosts` */
  type: ArtifactType | 'host' | 'working-copy';
  /** null: it is elsewhere */
  bytes: number | null;
  sha256: string | null;
  /** where it is, when it is elsewhere */
  uri: string | null;
  generation: number;
  /** who added it, from outside */
  by: string | null;
  pinned: boolean;
}

export type BuildStatus = 'pending' | 'preparing' | 'building' | 'paused' | 'passed' | 'failed' | 'aborted' | 'error';

/** A host of a build. */
export interface BuildHostView {
  name: string;
  hostLease: string;
  workingCopyLease: string | null;
  /** steps may run on it, or have */
  ready: boolean;
  machine: string | null;
}

/** One run of a build from its beginning. */
export interface GenerationView {
  generation: number;
  status: BuildStatus;
  error: string | null;
  started: string;
  ended: string | null;
}

/** A build, as folded from its events. */
export interface BuildView {
  id: string;
  plan: string;
  planVersion: number;
  status: BuildStatus;
  percent: number;
  activity: string | null;
  error: string | null;
  /** of one that failed by a step: the first line of its command, its exit code, what it printed last */
  failure: { step: string; command?: string | undefined; exitCode?: number | undefined; tail?: string | undefined } | null;
  initiator: string;
  /** whom it acts for */
  project: string | null;
  /** of its leases */
  priority: number;
  ref: string | null;
  commit: string | null;
  /** where people look at it */
  url: string | null;
  /** the step that has called its plan */
  parent: { build: string; step: string } | null;
  /** of its first host */
  hostLease: string | null;
  workingCopyLease: string | null;
  hosts: BuildHostView[];
  steps: StepView[];
  artifacts: ArtifactView[];
  /** counts from 1; grows with each restart */
  generation: number;
  generations: GenerationView[];
  attempt: number;
  /** milliseconds until its end, by what it took before; null when that is not known, and when it is over */
  remainingMs: number | null;
  /** nothing of it is left on a host */
  cleanedUp: boolean;
  created: string;
  modified: string;
  position: number;
}

export interface PlanView {
  name: string;
  version: number;
  source: string;
  saved: string;
  steps: string[];
}

/** One thing done on a host. */
export interface ActionView {
  id: string;
  lease: string;
  kind: string;
  status: 'requested' | 'started' | 'succeeded' | 'failed' | 'lost' | 'cancelled';
  exitCode: number | null;
  stdoutBytes: number | null;
  stderrBytes: number | null;
  path: string | null;
  bytes: number | null;
  sha256: string | null;
  /** exit | timeout | stale-token | unreachable | … */
  code: string | null;
  error: string | null;
  created: string;
  modified: string;
}

/** A line that an action printed. */
export interface ActionLogLine {
  /** counts from 1, over both streams */
  n: number;
  /** when its beginning was read; null when that is not known */
  time: string | null;
  stream: 'stdout' | 'stderr';
  text: string;
  /** groups that it is in, the outermost first; absent when it is in none */
  group?: string[];
}

/** A line that a build printed. */
export interface BuildLogLine extends ActionLogLine {
  /** SECTION:LINE, the place of the line for ever */
  at: string;
  step: string;
  /** counts from 0 */
  stepIndex: number;
  action: string;
}

/** Lines between `::group::NAME` and `::endgroup::`. */
export interface LogGroup {
  name: string;
  /** groups around it, the outermost first */
  within: string[];
  firstLine: number;
  /** null while it is open */
  lastLine: number | null;
}

/** The same of a build, where each try of a step is a group too. */
export interface BuildLogGroup extends Omit<LogGroup, 'firstLine'> {
  /** which try of a step, in the order in which they began */
  section: number;
  step: string;
  action: string;
  /** of the section; null while it has printed nothing */
  firstLine: number | null;
}

/** What there is under one name in the folder of a lease. */
export interface FileView {
  name: string;
  kind: 'file' | 'folder' | 'link' | 'other';
  bytes: number;
  /** permission bits, as a number: 420 is 0644 */
  mode: number;
  modified: string;
  /** of a link, when it was asked for alone: what it says */
  target?: string;
}

/** One event, with its place and who caused it. */
export interface HistoryEntry {
  sequence: number;
  time: string;
  kind: Kind;
  id: string;
  type: string;
  data: unknown;
  actor: string;
  cause: string;
}

/** One event of the live feed. */
export interface LiveEvent {
  kind: Kind;
  id: string;
  type: string;
  data: unknown;
  at: string;
  actor: string;
}

export interface Health {
  status: 'ok' | 'unavailable';
  services: Record<string, { ready: boolean; detail?: string }>;
}

export const ended = (status: BuildStatus): boolean => status === 'passed' || status === 'failed' || status === 'aborted' || status === 'error';
