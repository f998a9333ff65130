import type { TaskKind } from './task.js';

/** Ends a loan: the machine can be worked on again. */
export const returnLoan: TaskKind = {
  takesMachine: false,
  lacks: ({ name, loan }) => (loan ? undefined : `machine ${name} is not on loan`),
  async run({ giveBack, until, now }) {
    await giveBack();
    await until(() => now().loan === undefined);
    return { kind: 'complete', machine: 'unknown' };
  },
};
