import type { AttemptFault, InterfaceKind } from '@berth/contracts';
import { pause } from '../../runner/pause.js';
import type { Going } from '../attempts.js';
import { DriverFault, type Call, type Driver, type Power } from '../drivers/driver.js';
import { lacks } from '../machine.js';
import type { Method, Tools } from './method.js';

type Kind = Exclude<InterfaceKind, 'ssh'>;

/** How long the operating system has to shut down when it is asked, before the plug is pulled. */
const SOFT_OFF_MS = 30_000;
/** How long the interface may take to say that the power is off once it is cut. */
const HARD_OFF_MS = 20_000;
/** Without power at least so long: shorter, and supplies don't notice (field practice; PDU vendors recommend 5 s and more). */
const WITHOUT_MS = 5_000;
const POLL_MS = 1_000;
/** What must not be left half-done may take so long, whatever becomes of the job. */
const FINISH_MS = 60_000;
/** Ends in the middle of something. Not among them: what is told once all was waited for, and the end of this process, after which the next one looks. */
const UNCLEAR: ReadonlySet<AttemptFault> = new Set(['cancelled', 'timeout']);

/** Times of a cycle, ms; tests have shorter ones. */
export interface CycleTimes {
  softOff: number;
  hardOff: number;
  without: number;
  poll: number;
}
export const CYCLE_TIMES: CycleTimes = { softOff: SOFT_OFF_MS, hardOff: HARD_OFF_MS, without: WITHOUT_MS, poll: POLL_MS };

/** The reset button, by an interface that has one. */
export function reset(kind: Kind): Method {
  return {
    lacks: (machine) => lacks(machine, kind),
    async act({ driver }, going, timeoutMs) {
      if (going.has('sent')) return;
      const press = need(driver(kind), 'reset', kind);
      await going.step('sent');
      await press(going.call(timeoutMs));
    },
  };
}

/** Off and on again, by an interface that switches the power. Without `soft` the operating system is not asked first: an outlet can't. */
export function cycle(kind: Kind, soft: boolean, times: CycleTimes = CYCLE_TIMES): Method {
  return {
    lacks: (machine) => lacks(machine, kind),
    async act(tools, going, timeoutMs) {
      try {
        await switchOff(tools, kind, going, timeoutMs, soft, times);
        await pause(times.without, going.signal);
      } catch (error) {
        // Something was sent, and nobody knows what came of it: the machine is not left without power.
        if (going.has('soft-off') || going.has('hard-off')) {
          const why: unknown = going.signal.aborted ? going.signal.reason : error;
          if (why instanceof DriverFault && UNCLEAR.has(why.fault)) await settles(tools.driver(kind), going, times);
          await switchOn(tools, kind, going).catch((second: unknown) => Promise.reject(both(error, second)));
        }
        throw error;
      }
      await switchOn(tools, kind, going);
    },
  };
}

/**
 * Off, and seen to be off. Each command is sent once: a process that begins in the middle looks at the power instead of
 * sending it again, since the machine may have been switched on meanwhile.
 * @throws DriverFault `refused` when it stays on
 */
export async function switchOff({ driver }: Pick<Tools, 'driver'>, kind: Kind, going: Going, timeoutMs: number, soft: boolean, times: CycleTimes = CYCLE_TIMES): Promise<void> {
  const power = driver(kind);
  if (going.has('off') || going.has('on')) return;
  const begun = going.has('soft-off') || going.has('hard-off');
  // Off already: by somebody, or by what a process before this one has sent.
  if (begun && (await stateOf(power, going.call(timeoutMs))) === 'off') return going.step('off');
  if (going.has('hard-off')) {
    if (await becomesOff(power, going, times.hardOff, timeoutMs, times.poll)) return going.step('off');
    throw new DriverFault('interrupted', `the power was cut by a process that ended, and is on: it is not cut again`);
  }
  if (soft) {
    if (!going.has('soft-off')) {
      going.signal.throwIfAborted();
      await going.step('soft-off');
      await need(power, 'off', kind)(going.call(timeoutMs), false);
    }
    if (await becomesOff(power, going, times.softOff, timeoutMs, times.poll)) return going.step('off');
  }
  going.signal.throwIfAborted();
  await going.step('hard-off');
  await need(power, 'off', kind)(going.call(timeoutMs), true);
  if (!(await becomesOff(power, going, times.hardOff, timeoutMs, times.poll))) throw new DriverFault('refused', `interface ${kind} says that the power is still on`);
  await going.step('off');
}

/** On. Never left out once it was off, whatever becomes of the job; sent again after a restart, since twice on is on. */
export async function switchOn({ driver }: Pick<Tools, 'driver'>, kind: Kind, going: Going): Promise<void> {
  await going.step('on');
  const power = driver(kind);
  await need(power, 'on', kind)(going.finish(FINISH_MS));
}

async function stateOf(power: Driver, call: Call): Promise<Power> {
  return power.power ? power.power(call) : 'unknown';
}

/**
 * Waits for what was sent to take effect, even though the job has ended. On is nothing to a machine that still shuts down: it
 * would be off a moment later, and stay so.
 */
async function settles(power: Driver, going: Going, times: CycleTimes): Promise<void> {
  const ms = going.has('hard-off') ? times.hardOff : times.softOff;
  for (const end = Date.now() + ms; Date.now() < end; await pause(times.poll)) {
    const state = await stateOf(power, going.finish(ms)).catch((error: unknown): Power => {
      // It may answer the next time, and is told to be on in any case.
      if (error instanceof DriverFault) return 'unknown';
      throw error;
    });
    if (state === 'off') return going.step('off');
  }
}

/** An interface that can't say is believed after a while. */
async function becomesOff(power: Driver, going: Going, ms: number, timeoutMs: number, pollMs: number): Promise<boolean> {
  for (const end = Date.now() + ms; ; ) {
    const state = await stateOf(power, going.call(timeoutMs));
    if (state === 'off') return true;
    if (Date.now() >= end) return state === 'unknown';
    await pause(pollMs, going.signal);
    going.signal.throwIfAborted();
  }
}

/** What an interface does. @throws DriverFault when it can't */
export function need<K extends keyof Driver>(driver: Driver, what: K, kind: Kind): NonNullable<Driver[K]> {
  const operation = driver[what];
  if (!operation) throw new DriverFault('refused', `interface ${kind} can't do ${what}`);
  return operation.bind(driver) as NonNullable<Driver[K]>;
}

const both = (first: unknown, second: unknown): unknown =>
  first instanceof DriverFault && second instanceof Error ? new DriverFault(first.fault, `${first.message}; and switching it on again failed: ${second.message}`, first.output, { cause: second }) : first;
