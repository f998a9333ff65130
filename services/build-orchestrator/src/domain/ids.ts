import { derivedId } from '@berth/contracts';

/**
 * Names of everything that follows from a build. Derived, never drawn: whoever decides the same thing again (after a crash,
 * after a redelivery) names the same lease and the same action, so nothing is leased or run twice.
 */
export const ids = {
  hostLease: (build: string, attempt: number) => derivedId(build, `host lease ${attempt}`),
  workingCopyLease: (build: string, attempt: number) => derivedId(build, `working-copy lease ${attempt}`),
  action: (build: string, attempt: number, step: number) => derivedId(build, `step ${step} attempt ${attempt}`),
  hold: (build: string) => derivedId(build, 'hold'),
  release: (lease: string) => derivedId(lease, 'release'),
} as const;
