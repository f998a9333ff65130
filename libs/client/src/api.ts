import type { FieldError, Kind } from '@berth/contracts';

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
  folder: string;
  /** what the probe found */
  facts: Record<string, string>;
  added: string;
  /** host resource that stands for it; null until the allocator has made it */
  resource: string | null;
  reachable: boolean;
  error: string | null;
  busy: number;
}

/** A resource that a blueprint has made, with its slots. */
export interface ResourceView {
  id: string;
  name: string;
  type: string;
  blueprint: string;
  status: 'pending' | 'active' | 'broken' | 'released';
  attributes: Record<string, string>;
  machine: string | null;
  reachable: boolean;
  error: string | null;
  slots: number;
  free: number;
  busy: number;
  /** who holds which slot */
  leases: { slot: number; lease: string; owner: string; since: string }[];
  path: string | null;
  commit: string | null;
}

/** A kind of resource that can be leased. */
export interface BlueprintView {
  name: string;
  type: string;
  answersTo: string;
  /** attributes that each of its resources has */
  attributes: Record<string, string>;
  free: number;
  busy: number;
  resources: ResourceView[];
}

/** A lease, as folded from its events. */
export interface LeaseView {
  id: string;
  owner: string;
  status: 'pending' | 'acquired' | 'active' | 'released' | 'broken' | 'destroyed';
  type: string;
  blueprint: string | null;
  attributes: Record<string, string>;
  resource: string | null;
  slot: number | null;
  token: number | null;
  hostLease: string | null;
  until: string | null;
  /** why it waits, or why it ended */
  reason: string | null;
  error: string | null;
  created: string;
  modified: string;
  /** position in BERTH_EVENTS that this shows */
  position: number;
}

export type StepOutcome = 'waiting' | 'running' | 'passed' | 'failed' | 'lost' | 'cancelled';

/** A step of a build. */
export interface StepView {
  name: string;
  outcome: StepOutcome;
  action: string | null;
  durationMs: number | null;
  exitCode: number | null;
  error: string | null;
}

export interface ArtifactView {
  name: string;
  bytes: number;
  sha256: string;
}

export type BuildStatus = 'pending' | 'preparing' | 'building' | 'passed' | 'failed' | 'aborted' | 'error';

/** A build, as folded from its events. */
export interface BuildView {
  id: string;
  plan: string;
  planVersion: number;
  status: BuildStatus;
  percent: number;
  activity: string | null;
  error: string | null;
  initiator: string;
  hostLease: string | null;
  workingCopyLease: string | null;
  steps: StepView[];
  artifacts: ArtifactView[];
  attempt: number;
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
