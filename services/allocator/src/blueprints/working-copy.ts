import { createHash } from 'node:crypto';
import type { BlueprintOf, LeaseRequest } from '@berth/contracts';
import type { DerivedBlueprint } from './blueprint.js';

/** A folder of its own on a leased host, holding repositories; one lease has it, and it goes with that lease. */
export const workingCopy: DerivedBlueprint<BlueprintOf<'working-copy'>> = {
  create: (_spec, id, info) => ({ kind: 'prepare-working-copy', copy: id, ...info.workingCopy, ...(info.cache !== undefined && { cache: info.cache }) }),
  destroy: (spec, id, info, _facts, failed) => ({
    kind: 'remove-working-copy',
    copy: id,
    ...(info.cache !== undefined && !failed && spec && spec.reuse !== 'never' && { keep: { cache: info.cache, most: spec.keep } }),
  }),
  made: (_spec, result) => ({ ...(result.path !== undefined && { path: result.path }), ...(result.commit !== undefined && { commit: result.commit }) }),
};

/** Names the kept clones that a working copy may begin with: the same repositories, for the same project unless anybody's will do. */
export function cacheKey(reuse: 'never' | 'project' | 'anybody', { workingCopy, project, owner }: LeaseRequest): string | undefined {
  if (reuse === 'never' || workingCopy?.repository === undefined) return undefined;
  const whose = reuse === 'anybody' ? [] : project === undefined ? ['owner', owner] : ['project', project];
  const repositories = [workingCopy.repository, ...Object.entries(workingCopy.also ?? {}).map(([path, { repository }]) => `${path} ${repository}`).sort()];
  return createHash('sha1').update(JSON.stringify([whose, repositories])).digest('hex');
}
