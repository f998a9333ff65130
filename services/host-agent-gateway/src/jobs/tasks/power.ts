import { lacks } from '../machine.js';
import { need, switchOff, switchOn } from '../methods/power.js';
import type { Outcome, TaskKind } from './task.js';

type Kind = 'ipmi' | 'redfish';
const TIMEOUT_MS = 120_000;
/** Entries of an event log that are shown. */
const ENTRIES = 15;

const failed = (end: { fault: string; error: string }): Outcome => ({ kind: 'failed', machine: 'unknown', code: end.fault, error: end.error });

/** Switches a machine off: softly, then by cutting its power. */
export const offBy = (kind: Kind): TaskKind => ({
  takesMachine: true,
  lacks: (machine) => lacks(machine, kind),
  async run({ attempts, driver }) {
    const end = await attempts.try(`${kind}_off`, TIMEOUT_MS, async (going) => {
      await switchOff({ driver }, kind, going, TIMEOUT_MS, true);
      return undefined;
    });
    return end.outcome === 'succeeded' ? { kind: 'complete', machine: 'down' } : failed(end);
  },
});

/** Switches a machine on. Whether it comes up is another question. */
export const onBy = (kind: Kind): TaskKind => ({
  takesMachine: true,
  lacks: (machine) => lacks(machine, kind),
  async run({ attempts, driver }) {
    const end = await attempts.try(`${kind}_on`, TIMEOUT_MS, async (going) => {
      await switchOn({ driver }, kind, going);
      const state = await driver(kind).power?.(going.call(TIMEOUT_MS));
      return state === undefined ? undefined : `power is ${state}`;
    });
    return end.outcome === 'succeeded' ? { kind: 'complete', machine: 'unknown' } : failed(end);
  },
});

/** Reads the event log of a management controller. */
export const listBy = (kind: Kind): TaskKind => ({
  takesMachine: false,
  lacks: (machine) => lacks(machine, kind),
  async run({ attempts, driver }) {
    let entries: string[] | undefined;
    const end = await attempts.try(`${kind}_list`, TIMEOUT_MS, async (going) => {
      entries = await need(driver(kind), 'log', kind)(going.call(TIMEOUT_MS), ENTRIES);
      return entries.join('\n');
    });
    return end.outcome === 'succeeded' ? { kind: 'complete', machine: 'unknown', result: { entries: entries ?? [] } } : failed(end);
  },
});
