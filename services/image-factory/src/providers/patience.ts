import { ChangedError, CorruptError, UnavailableError } from '@berth/artifacts';
import { retryAfter, type PollTiming } from '@berth/ec2/timing';
import { DamagedError } from './content.js';
import { LONGEST_TROUBLE_MS, type Call, type RemoveStep, type Step } from './provider.js';
import { Trouble } from './trouble.js';

export interface Patience {
  readonly timing: PollTiming;
  /** ms since 1970 */
  now(): number;
  /** gets a line when something waits */
  log(line: string): void;
}

/**
 * Takes a step. Passing trouble is waited for, and remembered in the fact `troubleSince`; what lasts for too long has failed, as has
 * what is refused.
 */
export async function patiently<S extends Step | RemoveStep>(call: Call, patience: Patience, take: () => Promise<S>): Promise<S | Extract<RemoveStep, { is: 'keep' | 'wait' | 'failed' }>> {
  try {
    call.signal.throwIfAborted();
    return overcome(call, await take());
  } catch (error) {
    // Nobody waits for it any more, and whoever takes the step again finds the same facts.
    if (call.signal.aborted) return { is: 'wait', ms: patience.timing.pollTo };
    return afterTrouble(call, told(error), patience);
  }
}

/** Trouble that is over is forgotten: the next one has all the time again. */
function overcome<S extends Step | RemoveStep>(call: Call, step: S): S | Extract<RemoveStep, { is: 'keep' }> {
  if (call.facts['troubleSince'] === undefined) return step;
  if (step.is === 'keep') return { ...step, facts: { troubleSince: null, ...step.facts } };
  if (step.is === 'wait') return { is: 'keep', facts: { troubleSince: null } };
  return step;
}

function afterTrouble({ image, number, facts }: Call, trouble: Trouble, { timing, now, log }: Patience): Extract<RemoveStep, { is: 'keep' | 'wait' | 'failed' }> {
  if (!trouble.passing) return { is: 'failed', error: trouble.message };
  log(`${image} ${number} waits: ${trouble.message}`);
  const since = Date.parse(facts['troubleSince'] ?? '');
  if (Number.isNaN(since)) return { is: 'keep', facts: { troubleSince: new Date(now()).toISOString() } };
  const age = now() - since;
  if (age <= LONGEST_TROUBLE_MS) return { is: 'wait', ms: retryAfter(age, timing) };
  return { is: 'failed', error: `given up after ${Math.round(age / 60_000)} minutes: ${trouble.message}` };
}

/** @throws what is a mistake in this program */
function told(error: unknown): Trouble {
  if (error instanceof Trouble) return error;
  if (error instanceof UnavailableError) return new Trouble(error.message, true);
  if (error instanceof DamagedError || error instanceof CorruptError || error instanceof ChangedError) return new Trouble(error.message, false);
  throw error;
}
