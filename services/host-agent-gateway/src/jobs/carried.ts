import { derivedId, type CommandInput, type CommandType, type MachineOutcome } from '@berth/contracts';
import type { Runtime } from '@berth/runtime';
import { own } from '../cause.js';
import type { JobCommand, RunningJob } from '../domain/job.js';
import type { HostPool } from '../transports/pool.js';
import { Attempts, timeLimit } from './attempts.js';
import { DriverFault, type Call } from './drivers/driver.js';
import { driverOf } from './drivers/index.js';
import type { Jobs } from './jobs.js';
import { loginOf, type ManagedMachine } from './machine.js';
import { Masks } from './masks.js';
import type { People } from './people.js';
import { tasks } from './tasks/index.js';
import type { Outcome, TaskContext, TaskKind } from './tasks/task.js';

/** setTimeout can't wait longer than this (2^31 - 1 ms, about 24 days). */
const LONGEST_MS = 2_147_483_647;

/** What is known of a job beside its state: times, and who asked. */
export interface Clock {
  requester: string;
  /** when it was RUNNING, ms since the epoch */
  started?: number;
  /** when its last attempt began */
  attempt?: number;
}

interface Parts {
  runtime: Runtime;
  jobs: Jobs;
  pool: HostPool;
  people: People;
  position(): number;
  reached(position: number | undefined): Promise<void>;
  secret(name: string): Promise<Buffer>;
  clockOf(job: string): Clock | undefined;
}

/** Jobs that this process carries out, from their start to their end. */
export class Carried {
  private readonly carried = new Map<string, { end: AbortController; done: Promise<void> }>();
  private readonly waits = new Set<{ so: () => boolean; resolve: () => void }>();
  private readonly detach = new AbortController();

  constructor(private readonly parts: Parts) {}

  /** Something has changed that somebody may wait for. */
  noteFeed(): void {
    for (const wait of [...this.waits]) if (wait.so()) wait.resolve();
  }

  begin(id: string, job: RunningJob): void {
    if (job.cancel !== undefined) this.carried.get(id)?.end.abort(new DriverFault('cancelled', job.cancel));
    if (this.carried.has(id)) return;
    const end = new AbortController();
    const done = this.carryOut(id, job, end)
      .catch((error: unknown) => this.parts.runtime.log.error({ error, job: id }, 'job left for the next start'))
      .finally(() => this.carried.delete(id));
    this.carried.set(id, { end, done });
  }

  private async carryOut(id: string, job: RunningJob, end: AbortController): Promise<void> {
    const machine = this.parts.jobs.machine(job.info.machine);
    if (!machine) return this.store(id, { type: 'Fail', machine: 'unknown', code: 'unknown-hardware', error: `machine ${job.info.machine} is not managed any more` });
    const kind: TaskKind = tasks[job.info.task];
    const clock = this.parts.clockOf(id) ?? { requester: 'unknown' };
    const left = (clock.started ?? Date.now()) + job.info.hardLimit - Date.now();
    const limit = kind.unlimited || left > LONGEST_MS ? undefined : setTimeout(() => end.abort(new DriverFault('timeout', `it took longer than ${job.info.hardLimit / 1000} s`)), Math.max(0, left));
    const signal = AbortSignal.any([end.signal, this.detach.signal]);
    if (job.cancel !== undefined) end.abort(new DriverFault('cancelled', job.cancel));
    const masks = new Masks(this.parts.secret);
    try {
      const outcome = await kind.run(this.context(id, job, machine, clock, signal, masks));
      await this.finish(id, outcome, masks);
    } catch (error) {
      // This process ends: the next one goes on.
      if (this.detach.signal.aborted) return;
      await this.fail(id, error, end.signal, masks);
    } finally {
      clearTimeout(limit);
      const login = loginOf(machine);
      if (login && machine.access === undefined) await this.parts.pool.release(login);
    }
  }

  private finish(id: string, outcome: Outcome, masks: Masks): Promise<void> {
    if (outcome.kind === 'complete') return this.store(id, { type: 'Complete', machine: outcome.machine, result: outcome.result ?? {} });
    return this.store(id, { type: 'Fail', machine: outcome.machine, code: outcome.code, error: masks.mask(outcome.error) });
  }

  private async fail(id: string, error: unknown, ended: AbortSignal, masks: Masks): Promise<void> {
    const fault = ended.aborted && ended.reason instanceof DriverFault ? ended.reason : error instanceof DriverFault ? error : undefined;
    if (!fault) this.parts.runtime.log.error({ error, job: id }, 'job failed by a fault of ours');
    const message = masks.mask(fault?.message ?? `a fault of Berth itself: ${error instanceof Error ? error.message : String(error)}`);
    const attempts = this.attemptsOf(id);
    const begun = this.parts.clockOf(id)?.attempt ?? Date.now();
    if (attempts.at(-1)?.status === 'running') await this.store(id, { type: 'EndAttempt', attempt: attempts.length, end: { outcome: 'failed', fault: fault?.fault ?? 'unknown-answer', error: message }, durationMs: Math.max(0, Date.now() - begun) });
    const machine: MachineOutcome = 'unknown';
    if (fault?.fault === 'cancelled') await this.store(id, { type: 'EndCancelled', reason: message });
    else await this.store(id, { type: 'Fail', machine, code: fault?.fault ?? 'internal', error: message });
  }

  private attemptsOf(id: string) {
    const job = this.parts.jobs.jobs.get(id)?.state;
    return job && 'attempts' in job ? job.attempts : [];
  }

  /** Stored, and seen in the feed: so that whoever goes on decides by what is on record. */
  private async store(id: string, command: JobCommand): Promise<void> {
    const said = JSON.stringify(command);
    const answer = await this.parts.jobs.jobs.handle(id, command, own(derivedId(id, `${this.attemptsOf(id).length} ${said}`)));
    if (!answer.accepted) throw new Error(answer.message);
    await this.parts.reached(answer.position);
  }

  private context(id: string, { info }: RunningJob, machine: ManagedMachine, clock: Clock, signal: AbortSignal, masks: Masks): TaskContext {
    const { pool } = this.parts;
    const secret: Call['secret'] = (name) => masks.secret(name);
    const record = { attempts: () => this.attemptsOf(id), tell: (command: JobCommand) => this.store(id, command), beganAt: () => this.parts.clockOf(id)?.attempt, secret, mask: (text: string) => masks.mask(text), signal };
    return {
      id, info, machine, pool, signal,
      requester: clock.requester,
      attempts: new Attempts(record),
      driver: (kind) => {
        const driver = driverOf(kind, machine.spec.interfaces);
        if (!driver) throw new DriverFault('refused', `machine ${machine.name} has no interface ${kind}`);
        return driver;
      },
      pastSoftLimit: () => Date.now() > (clock.started ?? Date.now()) + info.softLimit,
      call: (ms) => ({ signal: AbortSignal.any([signal, timeLimit(ms)]), secret, heard: () => undefined }),
      note: (activity) => this.store(id, { type: 'Note', activity }),
      now: () => this.parts.jobs.machine(info.machine) ?? machine,
      until: (so) => this.until(so, signal),
      fileTicket: async (summary, body) => {
        const known = this.parts.jobs.jobs.get(id)?.state;
        if (known && 'ticket' in known && known.ticket) return known.ticket;
        const ticket = await this.parts.people.fileTicket({ machine: machine.name, tracker: machine.spec.tracker, job: id, task: info.task, requester: clock.requester, summary: masks.mask(summary), body: masks.mask(body) }, signal);
        await this.store(id, { type: 'TellTicket', ticket });
        return ticket;
      },
      drain: (on, reason) => (on ? this.ask(id, 'DrainResource', { machine: info.machine, reason }, clock.requester) : this.ask(id, 'EndDrain', { machine: info.machine }, clock.requester)),
      lend: async (steps) => {
        const answer = await this.parts.jobs.hardware.handle(info.machine, { type: 'Lend', job: id, to: info.to ?? clock.requester, steps, ...(info.lease !== undefined && { lease: info.lease }) }, { ...own(derivedId(id, 'lend')), actor: clock.requester });
        if (answer.accepted) await this.parts.reached(answer.position);
      },
      giveBack: async () => {
        const answer = await this.parts.jobs.hardware.handle(info.machine, { type: 'Return' }, { ...own(derivedId(id, 'return')), actor: clock.requester });
        if (answer.accepted) await this.parts.reached(answer.position);
      },
      installed: () => {
        const known = this.parts.jobs.jobs.get(id)?.state;
        return known && 'installed' in known ? known.installed : undefined;
      },
      pin: (hostKey) => this.pin(id, info.machine, hostKey, clock.requester),
    };
  }

  /** Of the allocator. @throws DriverFault `refused` */
  private async ask<T extends CommandType<'allocator'>>(id: string, type: T, data: CommandInput<'allocator', T>, actor: string): Promise<void> {
    const answer = await this.parts.runtime.bus.command('allocator', type, data, { id: derivedId(id, `${type} ${JSON.stringify(data)}`), actor, after: this.parts.position() });
    if (!answer.accepted) throw new DriverFault('refused', answer.message);
  }

  /** The machine shows another key from now on: to Berth where it is enrolled, and to its interface ssh. */
  private async pin(id: string, name: string, hostKey: string, actor: string): Promise<void> {
    const machine = this.parts.jobs.machine(name);
    if (!machine) throw new DriverFault('refused', `machine ${name} is not managed any more`);
    if (machine.access) await this.ask(id, 'ChangeMachine', { name, hostKey }, actor);
    const { ssh } = machine.spec.interfaces;
    if (ssh) {
      const spec = { ...machine.spec, interfaces: { ...machine.spec.interfaces, ssh: { ...ssh, hostKey } } };
      await this.parts.jobs.hardware.handle(name, { type: 'Set', spec }, { ...own(derivedId(id, `pin ${hostKey}`)), actor });
    }
  }

  private until(so: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (so()) return resolve();
      const wait = { so, resolve: () => settle(resolve) };
      const stop = () => settle(() => reject(signal.reason as Error));
      const settle = (then: () => void) => {
        this.waits.delete(wait);
        signal.removeEventListener('abort', stop);
        then();
      };
      if (signal.aborted) return stop();
      this.waits.add(wait);
      signal.addEventListener('abort', stop, { once: true });
    });
  }

  async stop(): Promise<void> {
    this.detach.abort(new DriverFault('interrupted', 'the gateway was stopped'));
    await Promise.all([...this.carried.values()].map(({ done }) => done));
  }
}
