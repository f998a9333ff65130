import type { MachineOutcome, Ticket } from '@berth/contracts';
import type { JobInfo } from '../../domain/job.js';
import type { Attempts } from '../attempts.js';
import type { Call } from '../drivers/driver.js';
import type { ManagedMachine } from '../machine.js';
import type { Tools } from '../methods/method.js';

/** How a task ended. `machine`: how the machine was when it did, as far as was seen. */
export type Outcome = { kind: 'complete'; machine: MachineOutcome; result?: Record<string, unknown> } | { kind: 'failed'; machine: MachineOutcome; code: string; error: string };

/** What a task is given. It is called again after a restart, and is written as if it were not: see {@link Attempts}. */
export interface TaskContext extends Tools {
  readonly id: string;
  readonly info: JobInfo;
  /** who asked */
  readonly requester: string;
  readonly attempts: Attempts;
  /** fires when the job is to end, with the reason */
  readonly signal: AbortSignal;
  /** Is it too late for another attempt? */
  pastSoftLimit(): boolean;
  /** For a driver, outside of an attempt. */
  call(timeoutMs: number): Call;
  /** Stores what the job is at. */
  note(activity: string): Promise<void>;
  /** The machine as it is by now. */
  now(): ManagedMachine;
  /** Resolves once what is asked for is so, by what the feed has shown. */
  until(so: () => boolean): Promise<void>;
  /** Has a person look at it. The same ticket when asked again. @throws DriverFault `tracker` */
  fileTicket(summary: string, body: string): Promise<Ticket>;
  /** No new leases on the machine, or again. @throws DriverFault `refused` */
  drain(on: boolean, reason: string): Promise<void>;
  lend(steps: readonly string[]): Promise<void>;
  giveBack(): Promise<void>;
  /** the installation has told, or nothing yet */
  installed(): { hostKey?: string } | undefined;
  /** The machine shows this key from now on. @throws DriverFault `refused` */
  pin(hostKey: string): Promise<void>;
}

/** One thing that can be done with a machine. */
export interface TaskKind {
  /** It needs the machine for itself: an exclusive lease where that is enrolled, and no other such job beside it. */
  takesMachine: boolean;
  /** It reboots, by the ladder of its group or a rung of it. */
  reboots?: boolean;
  /** It may take as long as a person does: no limits. */
  unlimited?: boolean;
  /** Why it can't be done with a machine, in words; undefined when it can. */
  lacks(machine: ManagedMachine): string | undefined;
  /** @throws DriverFault for what failed outside of an attempt */
  run(context: TaskContext): Promise<Outcome>;
}
