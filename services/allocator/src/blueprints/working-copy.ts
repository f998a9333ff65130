import type { DerivedBlueprint } from './blueprint.js';

/** A folder of its own on a leased host, holding a repository at a ref; one lease has it, and it goes with that lease. */
export const workingCopy: DerivedBlueprint = {
  name: 'working-copy',
  type: 'working-copy',
  create: (id, info) => ({ kind: 'prepare-working-copy', copy: id, ...info.workingCopy }),
  destroy: (id) => ({ kind: 'remove-working-copy', copy: id }),
  facts: (result) => ({ ...(result.path !== undefined && { path: result.path }), ...(result.commit !== undefined && { commit: result.commit }) }),
};
