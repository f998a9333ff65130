import { stepSchemas, workingCopySpec } from '@berth/contracts';
import { render } from '../language/template.js';
import { ownFaults, pathOf, withOf, type HostKind } from './kind.js';

const { repository: repositorySchema, ref: refSchema } = workingCopySpec.shape;

/** `uses: checkout`: a further repository, or another ref, in the working copy. Its commit is the output `commit`. */
export const checkout: HostKind = {
  on: 'host',
  schema: stepSchemas.checkout,
  written: '`uses: checkout` with `repository`, and `ref`, `path`, `depth`, `submodules`, `lfs`, `secret`',
  action(context) {
    const { repository: from, ref: at, path: folder, depth, submodules, lfs, secret } = withOf<'checkout'>(context);
    const { scope, step } = context;
    const repository = render(from, scope);
    const ref = at === undefined ? undefined : render(at, scope);
    const faults = [repositorySchema.safeParse(repository), refSchema.safeParse(ref)].flatMap((parsed) => parsed.error?.issues ?? []);
    if (faults[0]) return { fault: `the repository ${JSON.stringify(repository)}${ref === undefined ? '' : ` or its ref ${JSON.stringify(ref)}`} can't be used: ${faults[0].message}` };
    const path = folder === undefined ? undefined : pathOf(folder, context, 'path');
    if (path && 'fault' in path) return path;
    return {
      spec: {
        kind: 'checkout', repository, submodules: submodules ?? 'no', lfs: lfs ?? false,
        ...(ref !== undefined && { ref }),
        ...(path && { path: path.path }),
        ...(depth !== undefined && { depth }),
        ...(secret !== undefined && { secret }),
        ...(step.timeout !== undefined && { timeoutMs: step.timeout }),
      },
    };
  },
  verdict(ended) {
    if (ended.how === 'failed') return ownFaults.has(ended.code) ? { outcome: 'failed', error: ended.error, tail: ended.result.tail } : undefined;
    const { commit } = ended.result;
    return { outcome: 'passed', ...(commit !== undefined && { outputs: { commit } }) };
  },
};
