import { artifactName, stepSchemas } from '@berth/contracts';
import { render } from '../language/template.js';
import { ownFaults, pathsOf, withOf, type HostKind, type StepContext } from './kind.js';

/** What the objects of a build's artifacts are named after: unique for each generation, so that none replaces an older one's. */
export const prefixOf = ({ id, build }: Pick<StepContext, 'id' | 'build'>): string => `${id}/${build.generation}`;

/** The name of an artifact, or of a folder of them, once its values are known; or a sentence. */
export function artifactNameOf(source: string, { scope }: StepContext): { name: string } | { fault: string } {
  const name = render(source, scope);
  const fault = artifactName.safeParse(name).error?.issues[0]?.message;
  return fault === undefined ? { name } : { fault: `name is ${JSON.stringify(name)} and ${fault}` };
}

/** So many files may one step keep. */
const MAX_FILES = 1000;

/** `uses: upload-artifact`: passed when every file is in the store. */
export const uploadArtifact: HostKind = {
  on: 'host',
  schema: stepSchemas['upload-artifact'],
  written: '`uses: upload-artifact` with `path` (one, or a list; `*` and `**` stand for several) and, if it is to be kept under another name, `name`; `type: sbom` for a bill of materials',
  action(context) {
    const { path, name: given, whenNone } = withOf<'upload-artifact'>(context);
    // One alone in plans of older versions.
    const found = pathsOf([path].flat(), context, 'path');
    if ('fault' in found) return found;
    const named = given === undefined ? undefined : artifactNameOf(given, context);
    if (named && 'fault' in named) return named;
    return { spec: { kind: 'upload', paths: found.paths, prefix: prefixOf(context), whenNone: whenNone ?? 'fail', maxBytes: context.view.artifactLimit, maxFiles: MAX_FILES, ...named } };
  },
  verdict(ended, context) {
    const { artifacts = [] } = ended.result;
    if (ended.how === 'failed') return ownFaults.has(ended.code) ? { outcome: 'failed', error: ended.error } : undefined;
    const { type } = withOf<'upload-artifact'>(context);
    return { outcome: 'passed', artifacts: type === undefined ? artifacts : artifacts.map((artifact) => ({ ...artifact, type })) };
  },
};
