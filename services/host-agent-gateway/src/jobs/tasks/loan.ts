import { DriverFault } from '../drivers/driver.js';
import { loanStepsOf } from '../machine.js';
import type { TaskKind } from './task.js';

/**
 * Lends a machine to a person: nobody else gets it until it is returned. What a person has to do first (an account, an image
 * without secrets) is listed by its group, and done in that order; the last of it makes the loan active.
 */
export const loan: TaskKind = {
  takesMachine: true,
  unlimited: true,
  lacks: ({ name, loan: on }) => (on ? `machine ${name} is on loan to ${on.to}: have it returned first` : undefined),
  async run({ id, machine, attempts, note, lend, giveBack, until, now, info, requester, signal }) {
    const steps = loanStepsOf(machine);
    const mine = () => now().loan?.job === id;
    const end = await attempts.try('loan', 60_000, async (going) => {
      if (!going.has('lent')) {
        await lend(steps);
        await until(() => now().loan !== undefined);
        if (!mine()) throw new DriverFault('refused', `machine ${machine.name} is on loan to ${now().loan?.to ?? 'somebody else'}`);
        await going.step('lent');
      }
      if (steps.length > 0) await note(`waits for a person: ${steps.length} steps`);
      try {
        await until(() => !mine() || now().loan?.active === true);
      } catch (error) {
        // Cancelled: nobody gets it. A process that ends leaves the loan to the next one.
        if (!(signal.reason instanceof DriverFault && signal.reason.fault === 'interrupted')) await giveBack();
        throw error;
      }
      if (!mine()) throw new DriverFault('cancelled', 'it was returned before it was active');
      return undefined;
    });
    if (end.outcome === 'failed') return { kind: 'failed', machine: 'unknown', code: end.fault, error: end.error };
    return { kind: 'complete', machine: 'unknown', result: { to: info.to ?? requester } };
  },
};
