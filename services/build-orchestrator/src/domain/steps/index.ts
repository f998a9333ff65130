import type { SavedStep, StepKindName } from '@berth/contracts';
import { callPlan } from './call-plan.js';
import { checkout } from './checkout.js';
import { downloadArtifact } from './download-artifact.js';
import { httpRequest } from './http-request.js';
import type { StepKind } from './kind.js';
import { lease } from './lease.js';
import { kindNameOf } from './names.js';
import { publishFragment } from './publish-fragment.js';
import { putFile } from './put-file.js';
import { runCommand } from './run-command.js';
import { sleep } from './sleep.js';
import { uploadArtifact } from './upload-artifact.js';
import { waitForApproval } from './wait-for-approval.js';
import { waitForMessage } from './wait-for-message.js';
import { waitForPreviousBuilds } from './wait-for-previous-builds.js';

/** Every kind of step, by its name in `uses`; `run` is short for the first. A new kind is one file and one line here. */
export const stepKinds = {
  'run-command': runCommand,
  checkout,
  'upload-artifact': uploadArtifact,
  'download-artifact': downloadArtifact,
  'put-file': putFile,
  'publish-fragment': publishFragment,
  'wait-for-previous-builds': waitForPreviousBuilds,
  'http-request': httpRequest,
  'wait-for-message': waitForMessage,
  'wait-for-approval': waitForApproval,
  sleep,
  lease,
  'call-plan': callPlan,
} as const satisfies Record<StepKindName, StepKind>;

/** The kind of a step. */
export const stepKind = (step: SavedStep): StepKind => stepKinds[kindNameOf(step)];
