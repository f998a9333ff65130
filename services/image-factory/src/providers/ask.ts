import type { Refusal } from '@berth/contracts';
import type { Runtime } from '@berth/runtime';
import { refuse } from '../domain/refusals.js';

/** A provider is asked for so long before a person is told that it does not answer. */
const ASK_MS = 20_000;

/** What a provider answers to somebody who waits for it; a refusal when it does not, or not in time. */
export async function ask<T>(log: Runtime['log'], question: (signal: AbortSignal) => Promise<T>): Promise<T | Refusal> {
  // Not AbortSignal.timeout: what is made of that by AbortSignal.any may be collected before it fires (Node 20).
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(new Error(`no answer in ${ASK_MS / 1000} s`)), ASK_MS);
  try {
    return await question(over.signal);
  } catch (error) {
    log.warn({ error }, 'a provider could not be asked');
    return refuse('provider-refused', `The provider could not be asked: ${error instanceof Error ? error.message : String(error)}`, 'account', 'could not be asked: try again, or look at its credentials');
  } finally {
    clearTimeout(timer);
  }
}
