import type { BuildEvent, Failure, SavedPlan } from '@berth/contracts';

type Requested = Extract<BuildEvent, { type: 'BuildRequested' }>['data'];
/** A file that a build has kept. */
export type Artifact = Extract<BuildEvent, { type: 'ArtifactKept' }>['data'];

/** What stays known of a build when its plan has left memory: enough to ask for its leases once more. */
export interface About extends Pick<SavedPlan, 'workingCopy'> {
  plan: string;
  planVersion: number;
  initiator: string;
  project?: string;
  priority?: number;
  /** how many it has */
  steps: number;
  /** what each host must be, by name */
  hosts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** how many hosts that failed are replaced */
  retries: number;
  /** milliseconds that the host of a failed build is kept */
  holdOnFailure?: number;
  /** milliseconds that a host may be waited for */
  queueTimeout?: number;
  /** milliseconds that a build may take, from its request on */
  timeout?: number;
  group?: string;
  parent?: Requested['parent'];
  url?: string;
  /** what each artifact is kept for */
  keep?: SavedPlan['artifacts'];
}

/** One host of one try, and the leases asked for on it. `attempt` counts from 1. */
export interface Place {
  host: string;
  attempt: number;
  hostLease: string;
  workingCopyLease?: string;
  /** of the working copy, once it is there: from then on steps may run */
  path?: string;
  commit?: string;
  machine?: string;
}

/** A further lease that a step has asked for; it is given back with the build. */
export interface Extra {
  lease: string;
  step: number;
}

/** A step of a build, tagged by what it is doing. `tries`: how often it was begun. */
export type StepAt =
  | { status: 'waiting'; tries: number }
  /** `action`: of the gateway, or the id of whatever else it has asked for */
  | { status: 'running'; tries: number; action: string }
  | { status: 'passed'; tries: number; outputs?: Record<string, string>; exitCode?: number }
  /** `allowed`: the build may pass all the same */
  | { status: 'failed'; tries: number; allowed: boolean; error: string; outputs?: Record<string, string>; exitCode?: number }
  /** by its own condition, or because what it builds on did not pass */
  | { status: 'skipped'; tries: number; because: 'condition' | 'needs' }
  /** it has no end of its own; the action may still go on until it is ended */
  | { status: 'lost' | 'cancelled'; tries: number; error: string; action?: string };
export type StepOver = Exclude<StepAt, { status: 'waiting' | 'running' }>;
export const isOver = (step: StepAt): step is StepOver => step.status !== 'waiting' && step.status !== 'running';

/** What somebody outside has said of a step. */
export interface Message {
  type: 'pass' | 'fail' | 'work';
  text?: string;
  outputs?: Record<string, string>;
  by?: string;
}

export interface Common {
  about: About;
  /** counts from 1; grows with each restart */
  generation: number;
  /** never goes back within a generation, whatever is tried again */
  percent: number;
}

export interface Known extends Common {
  plan: SavedPlan;
  variables: Readonly<Record<string, string>>;
  steps: readonly StepAt[];
  artifacts: readonly Artifact[];
}

export interface Live extends Known {
  /** counts from 1 over all generations, and names the leases */
  attempt: number;
  /** how many attempts this generation has had before */
  failures: readonly string[];
  /** hosts of this attempt, by name; the others were not needed so far */
  places: Readonly<Record<string, Place>>;
  /** hosts given up or not needed any more: their leases are given back while the build goes on */
  past: readonly Place[];
  extras: readonly Extra[];
  messages: Readonly<Record<number, Message>>;
  /** why no further step begins */
  paused?: string;
  waiting?: string;
  /** the first that failed */
  failed?: { error: string; failure: Failure };
  weights?: readonly number[];
  /** machines of the generation before, by host, and whether they are wanted again */
  before?: { machines: Readonly<Record<string, string>>; where: 'same' | 'other' };
  /** it gave its hosts back for this older build */
  yieldedTo?: string;
}

export interface Over extends Known {
  /** all attempts: their leases are given back */
  places: readonly Place[];
  extras: readonly Extra[];
  /** what may still run on a host, or elsewhere: it is ended first. By number of the step */
  stray: readonly { step: number; action: string }[];
  attempt: number;
  cleaned: false;
}

/** Every lease is destroyed: nothing of the build is left on a host, and its plan is not needed any more. */
export interface Cleaned extends Common {
  cleaned: true;
  /** what frontends are still shown of it */
  last: { hostLease?: string; workingCopyLease?: string; step?: { step: number; name: string } };
}

export interface Held {
  /** what became of the hold of its hosts; absent until that is known, and when none was asked for */
  held?: string;
}

export type Verdict = { status: 'passed' } | ({ status: 'failed'; error: string; failure?: Failure } & Held) | { status: 'aborted'; reason: string } | ({ status: 'error'; error: string } & Held);

/** A build, tagged by what it is doing. */
export type Build =
  | { status: 'none' }
  /** asked for; no host was asked for yet, and no step has begun. `queued`: others of its group come before */
  | (Live & { status: 'pending'; queued: boolean })
  /** it waits for its leases: a host, then the working copy on it. No step has begun in this attempt */
  | (Live & { status: 'preparing' })
  /** steps run or may run */
  | (Live & { status: 'building' })
  | (Over & Verdict)
  | (Cleaned & Verdict);

export type LiveBuild = Extract<Build, Live>;
export type EndedBuild = Extract<Build, { cleaned: boolean }>;
/** Over, and not cleaned up yet. */
export type EndingBuild = Extract<Build, Over>;

export const isLive = (build: Build): build is LiveBuild => build.status === 'pending' || build.status === 'preparing' || build.status === 'building';

/** Names of the steps, as others write them. */
export const stepIdOf = (plan: SavedPlan, index: number): string => plan.steps[index]?.id ?? `step-${index + 1}`;
