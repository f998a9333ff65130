import { notEnrolled } from './disable.js';
import type { TaskKind } from './task.js';

/** Work can begin on it again. */
export const enable: TaskKind = {
  takesMachine: false,
  lacks: notEnrolled,
  async run({ attempts, drain }) {
    const end = await attempts.try('enable', 60_000, async () => {
      await drain(false, '');
      return undefined;
    });
    return end.outcome === 'succeeded' ? { kind: 'complete', machine: 'unknown' } : { kind: 'failed', machine: 'unknown', code: end.fault, error: end.error };
  },
};
