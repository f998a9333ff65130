import type { ActionResult, ActionSpec, EventOf, BuildEvent, runStep, uploadArtifactStep } from '@berth/contracts';

/** An action that ran to its end, well or badly. */
export type Ended = { how: 'succeeded'; result: ActionResult } | { how: 'failed'; result: ActionResult; code: string; error: string };

/** What a step says of the build. */
export type Verdict = { outcome: 'passed'; exitCode?: number | undefined; artifact?: Artifact } | { outcome: 'failed'; error: string; exitCode?: number | undefined };

/** A file that a build keeps. */
export type Artifact = Extract<BuildEvent, EventOf<'ArtifactKept', unknown>>['data'];

/** Where a step runs: which build, and the environment that all its steps share. */
export interface StepContext {
  build: string;
  env: Record<string, string>;
}

/** One kind of step of a plan. */
export interface StepKind<S> {
  /** what may be written in a plan */
  schema: typeof runStep | typeof uploadArtifactStep;
  /** how it is written, for messages */
  written: string;
  /** the action that it needs on the host */
  action(step: S, context: StepContext): ActionSpec;
  /** undefined: the end says nothing about the code, only that the step could not be carried out */
  verdict(step: S, ended: Ended, context: StepContext): Verdict | undefined;
}
