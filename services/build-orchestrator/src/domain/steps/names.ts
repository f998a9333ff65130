import type { SavedStep, StepKindName } from '@berth/contracts';

/** The name of a step's kind; `run` is short for the first. */
export const kindNameOf = (step: SavedStep): StepKindName => (step.run !== undefined ? 'run-command' : (step.uses as StepKindName));

/** Kinds whose steps are done on a host, in its working copy. */
const onHost = {
  'run-command': true,
  checkout: true,
  'upload-artifact': true,
  'download-artifact': true,
  'put-file': true,
  'publish-fragment': true,
  'wait-for-previous-builds': false,
  'http-request': false,
  'wait-for-message': false,
  'wait-for-approval': false,
  sleep: false,
  lease: false,
  'call-plan': false,
} as const satisfies Record<StepKindName, boolean>;

export const runsOnHost = (step: SavedStep): boolean => onHost[kindNameOf(step)];
