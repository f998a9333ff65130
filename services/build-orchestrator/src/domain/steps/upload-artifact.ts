import { uploadArtifactStep } from '@berth/contracts';
import type { SavedStep } from '../plan.js';
import type { StepKind } from './kind.js';

/** A step that keeps a file of the working copy. */
export type UploadArtifactStep = Extract<SavedStep, { uses: 'upload-artifact' }>;

/** What the build's own commands left, or failed to leave, at the path. */
const ownFaults: ReadonlySet<string> = new Set(['exit', 'timeout', 'path-outside', 'not-found', 'permission-denied', 'file-failed']);

/** The name that an artifact is kept under: the one given, or the base name of its path. */
export function artifactName(step: UploadArtifactStep): string {
  return step.with.name ?? step.with.path.split(/[\\/]/).findLast((part) => part !== '') ?? '';
}

/** `uses: upload-artifact`: passed when the file is in the object store. */
export const uploadArtifact: StepKind<UploadArtifactStep> = {
  schema: uploadArtifactStep,
  written: '`uses: upload-artifact` with `path` and, if it is to be kept under another name, `name`',
  action: (step, { build }) => ({ kind: 'get-file', path: step.with.path, object: objectOf(build, step) }),
  verdict(step, ended, { build }) {
    if (ended.how === 'failed') return ownFaults.has(ended.code) ? { outcome: 'failed', error: ended.error } : undefined;
    const { bytes, sha256 } = ended.result;
    // Without both nobody could check what was kept, so it doesn't count as kept.
    if (bytes === undefined || sha256 === undefined) return undefined;
    return { outcome: 'passed', artifact: { name: artifactName(step), object: objectOf(build, step), bytes, sha256 } };
  },
};

const objectOf = (build: string, step: UploadArtifactStep) => `${build}/${artifactName(step)}`;
