import { setTimeout } from 'node:timers/promises';
import type { Provider } from './provider.js';

/** Each takes so long, in ms: long enough to be seen. */
const PART_MS = 200;
const PARTS = ['opens the door', 'carries it in', 'puts it up'];

/** An account whose name ends so refuses what is pushed. */
const FAILING = '-failing';

/**
 * Keeps nothing anywhere: a kind to try out what stands around images. A push takes a few steps; it fails in an account whose name
 * ends in `-failing`. Whatever begins with `mock-` is there, and is gone when it is removed.
 */
export function mockProvider(partMs = PART_MS): Provider {
  return {
    check: async () => undefined,
    find: async (_account, _provider, id) => (id.startsWith('mock-') ? { name: id } : undefined),
    async push({ image, version, number, account, facts, signal }) {
      const part = Number(facts['part'] ?? 0);
      const activity = PARTS[part];
      if (activity === undefined) return { is: 'done', id: `mock-${image}-${number}-${version.slice(0, 8)}` };
      if (part === PARTS.length - 1 && account.name.endsWith(FAILING)) return { is: 'failed', error: `account ${account.name} refuses ${image} ${number}, as accounts do whose name ends in ${FAILING}` };
      await setTimeout(partMs, undefined, { signal });
      return { is: 'keep', facts: { part: String(part + 1) }, percent: Math.floor((100 * (part + 1)) / (PARTS.length + 1)), activity };
    },
    remove: async () => ({ is: 'gone', manual: [] }),
    abandon: async () => ({ is: 'gone', manual: [] }),
  };
}
