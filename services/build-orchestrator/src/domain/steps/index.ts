import type { SavedStep } from '../plan.js';
import type { StepKind } from './kind.js';
import { runCommand, type RunStep } from './run-command.js';
import { uploadArtifact, type UploadArtifactStep } from './upload-artifact.js';

/** Every kind of step, by its name in `uses`; `run` is short for the first. A new kind is one file and one line here. */
export const stepKinds = {
  'run-command': runCommand,
  'upload-artifact': uploadArtifact,
} as const satisfies Record<'run-command', StepKind<RunStep>> & Record<UploadArtifactStep['uses'], StepKind<UploadArtifactStep>>;

export type StepKindName = keyof typeof stepKinds;

/** The name of a step's kind. */
export const kindOf = (step: SavedStep): StepKindName => ('run' in step ? 'run-command' : step.uses);

/** The kind of a step, ready to be asked about that step. */
export const stepKind = (step: SavedStep): StepKind<SavedStep> => stepKinds[kindOf(step)];
