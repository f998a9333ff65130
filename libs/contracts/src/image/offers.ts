import type { ImageStatus } from './image.js';

/** How a version stands with an account, as frontends show it. */
export type CellState = 'not_built' | 'building' | 'not_pushed' | 'pushing' | 'pushed' | 'deleting' | 'delete_failed';
/** The one thing that can be done about it. */
export type Offer = 'build' | 'push' | 'delete' | null;

/** What a cell of the board is made of. */
export interface CellFacts {
  /** the version was imported: nothing can be built of it */
  imported: boolean;
  /** the template and the environment have this target */
  buildable: boolean;
  /** there is a newer version whose target is built */
  outdated: boolean;
  /** revoked, disabled or being removed: nothing is built or pushed of it */
  unusable: boolean;
  target: ImageStatus | undefined;
  push: ImageStatus | undefined;
}

/** How it stands: what is under way goes before what is there, and what was pushed before what was built. */
export function cellState({ target, push }: CellFacts): CellState {
  if (push === 'DELETING') return 'deleting';
  if (push === 'DELETEFAILED') return 'delete_failed';
  if (push === 'COMPLETE') return 'pushed';
  if (push === 'PENDING' || push === 'BUILDING') return 'pushing';
  if (target === 'PENDING' || target === 'BUILDING') return 'building';
  if (target === 'COMPLETE') return 'not_pushed';
  return 'not_built';
}

/**
 * The one action on offer, or none. Push only what is built. What is older than what is built is not built any more; it can be pushed
 * by itself, so that a channel may go back to it there, and never with all others. What was imported is not built.
 */
export function offerOf(facts: CellFacts): Offer {
  const state = cellState(facts);
  switch (state) {
    case 'pushed':
    case 'delete_failed':
      return 'delete';
    case 'not_pushed':
      return facts.unusable ? null : 'push';
    case 'not_built':
      return facts.imported || facts.unusable || facts.outdated || !facts.buildable || isBeingRemoved(facts.target) ? null : 'build';
    case 'building':
    case 'pushing':
    case 'deleting':
      return null;
  }
}

/** What was built is on its way out, or could not be taken away. */
const isBeingRemoved = (target: ImageStatus | undefined): boolean => target === 'DELETING' || target === 'DELETEFAILED';

/** A deployable stands as the first that applies of its cells: not_built, building, pushing, not_pushed, else pushed. */
export function deployableState(cells: readonly CellState[]): CellState {
  for (const state of ['not_built', 'building', 'pushing', 'not_pushed'] as const) if (cells.includes(state)) return state;
  return cells.length === 0 ? 'not_built' : 'pushed';
}
