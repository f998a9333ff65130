import type { Launcher } from '../blueprint.js';
import { readyBy } from './facts.js';
import { offersOf } from './offers.js';
import type { Timing } from './timing.js';

export interface Ec2Options {
  /** ms since 1970 */
  now?: () => number;
  /** gets a line when something waits for EC2 */
  log?: (line: string) => void;
  timing?: Partial<Timing>;
}

/**
 * Launches hosts on Amazon EC2, or on what speaks its API. The SDK takes 0.4 s and 70 MB (measured with 3.1169.0), so it
 * is loaded when something is first asked of EC2: who has no such blueprint does not pay for it.
 */
export function ec2Launcher(options: Ec2Options = {}): Launcher {
  let loading: Promise<Omit<Launcher, 'offers' | 'readyBy'>> | undefined;
  const loaded = (): Promise<Omit<Launcher, 'offers' | 'readyBy'>> => (loading ??= import('./launcher.js').then(({ launcherOf }) => launcherOf(options)));
  return {
    check: async (spec, image) => (await loaded()).check(spec, image),
    offers: (spec) => offersOf(spec).map(({ name, attributes }) => ({ name, attributes: { ...attributes } })),
    readyBy,
    step: async (launch) => (await loaded()).step(launch),
    inspect: async (spec, of) => (await loaded()).inspect(spec, of),
    destroy: async (launch) => (await loaded()).destroy(launch),
    console: async (spec, facts) => (await loaded()).console(spec, facts),
    sweep: async (spec, installation) => (await loaded()).sweep(spec, installation),
    reap: async (spec, found) => (await loaded()).reap(spec, found),
  };
}

export const ec2: Launcher = ec2Launcher();
