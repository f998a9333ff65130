import { derivedId } from '@berth/contracts';

/**
 * Names of everything that follows from a build. Derived, never drawn: whoever decides the same thing again (after a crash,
 * after a redelivery) names the same lease and the same action, so nothing is leased or run twice. Attempts count over all
 * generations of a build.
 */
export const ids = {
  /** `nth`: how often this host was given back in this attempt because no step needed it */
  hostLease: (build: string, attempt: number, host = 'main', nth = 0) => derivedId(build, `host lease ${attempt}${host === 'main' ? '' : ` ${host}`}${nth === 0 ? '' : ` again ${nth}`}`),
  workingCopyLease: (hostLease: string) => derivedId(hostLease, 'working-copy lease'),
  action: (build: string, attempt: number, step: number, tries = 1) => derivedId(build, `step ${step} attempt ${attempt}${tries === 1 ? '' : ` try ${tries}`}`),
  hold: (build: string, hostLease: string) => derivedId(build, `hold ${hostLease}`),
  release: (lease: string) => derivedId(lease, 'release'),
  cancel: (action: string) => derivedId(action, 'cancel'),
  /** what a step asks of others besides its action */
  ask: (action: string, what: string) => derivedId(action, what),
} as const;
