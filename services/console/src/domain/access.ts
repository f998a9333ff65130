import type { AccessEvent } from '@berth/contracts';

/** What happened at the door is told as it was: there is nothing to decide on, and nothing to remember. */
export const accessDecider = {
  initial: null,
  decide: (event: AccessEvent): readonly AccessEvent[] => [event],
  evolve: (): null => null,
  /** No decision needs it in memory. */
  ended: (): boolean => true,
};
