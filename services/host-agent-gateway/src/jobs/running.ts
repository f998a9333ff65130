import { derivedId, type AnyRecorded, type CommandInput, type CommandType, type MachineOutcome } from '@berth/contracts';
import type { Runtime } from '@berth/runtime';
import { own } from '../cause.js';
import { isLiveJob, type JobCommand, type LiveJob, type RunningJob } from '../domain/job.js';
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

/** Who asks for the leases of jobs. */
const ACTOR = 'host-agent-gateway';

/** A lease that a job has asked for, as the feed shows it. */
type LeaseView = { status: 'pending' | 'active' } | { status: 'ended'; reason: string };

/** What is known of a job beside its state: times, and who asked. */
interface Clock {
  requester: string;
  /** when it was RUNNING, ms since the epoch */
  started?: number;
  /** when its last attempt began */
  attempt?: number;
}

/** Carries jobs out, from their request to their end: the same after a restart as live. */
export class Running {
  private readonly leases = new Map<string, LeaseView>();
  private readonly clocks = new Map<string, Clock>();
  private readonly carried = new Map<string, { end: AbortController; done: Promise<void> }>();
  private readonly sent = new Set<string>();
  private readonly waits = new Set<{ so: () => boolean; resolve: () => void }>();
  private readonly detach = new AbortController();
  private live = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly jobs: Jobs,
    private readonly pool: HostPool,
    private readonly position: () => number,
    private readonly reached: (position: number | undefined) => Promise<void>,
    private readonly secret: (name: string) => Promise<Buffer>,
    private readonly people: People,
  ) {}

  // --- feed ---

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'lease') this.applyLease(recorded);
    else if (recorded.kind === 'job') this.applyJob(recorded);
  }

  private applyLease({ id, commit }: Extract<AnyRecorded, { kind: 'lease' }>): void {
    for (const event of commit.events) {
      if (event.type === 'LeaseRequested') {
        if (event.data.exclusive && commit.actor === ACTOR) this.leases.set(id, { status: 'pending' });
      } else if (!this.leases.has(id)) return;
      else if (event.type === 'LeaseActivated') this.leases.set(id, { status: 'active' });
      else if (event.type === 'LeaseReleased' || event.type === 'LeaseRefused') this.leases.set(id, { status: 'ended', reason: event.data.reason });
      else if (event.type === 'LeaseBroken') this.leases.set(id, { status: 'ended', reason: event.data.error });
    }
  }

  private applyJob({ id, commit }: Extract<AnyRecorded, { kind: 'job' }>): void {
    const at = Date.parse(commit.at);
    for (const event of commit.events) {
      if (event.type === 'JobRequested') this.clocks.set(id, { requester: commit.actor });
      else if (event.type === 'JobStarted') this.clocks.get(id)!.started = at;
      else if (event.type === 'AttemptStarted') this.clocks.get(id)!.attempt = at;
    }
  }

  caughtUp(): void {
    this.live = true;
    for (const id of this.jobs.allLive()) this.look(id);
    for (const id of this.leases.keys()) this.giveBack(id);
  }

  react(recorded: AnyRecorded): void {
    if (!this.live) return;
    for (const wait of [...this.waits]) if (wait.so()) wait.resolve();
    if (recorded.kind === 'job') this.reactToJob(recorded);
    else if (recorded.kind === 'lease') this.reactToLease(recorded);
    else if (recorded.kind === 'hardware') {
      for (const { id } of this.jobs.liveOn(recorded.id)) this.look(id);
      for (const id of this.leases.keys()) this.giveBack(id);
    }
  }

  private reactToJob({ id, commit }: Extract<AnyRecorded, { kind: 'job' }>): void {
    const job = this.jobs.jobs.get(id)?.state;
    if (!job || job.status === 'none') return;
    const machine = this.jobs.machine(job.info.machine);
    if (machine && job.status !== 'QUEUED' && commit.events.some(({ type }) => type === 'JobStarted' || type === 'JobCompleted' || type === 'JobFailed' || type === 'JobCancelled')) {
      const { requester = 'unknown', started = Date.parse(commit.at) } = this.clocks.get(id) ?? {};
      this.people.notify({ machine, job: id, requester, state: job, began: new Date(started).toISOString() });
    }
    if (isLiveJob(job)) return this.look(id);
    if (job.info.lease !== undefined) this.giveBack(job.info.lease);
    this.clocks.delete(id);
    // It was in the way of others on its machine.
    for (const other of this.jobs.liveOn(job.info.machine)) this.look(other.id);
  }

  private reactToLease({ id, commit }: Extract<AnyRecorded, { kind: 'lease' }>): void {
    if (!this.leases.has(id)) return;
    const job = this.jobOf(id);
    if (job) {
      for (const event of commit.events) if (event.type === 'LeaseWaiting') this.jobs.tell(job, { type: 'Note', activity: `waits: ${event.data.reason}` }, `waits ${commit.id}`);
      this.look(job);
    }
    if (commit.events.some(({ type }) => type === 'LeaseDestroyed')) this.leases.delete(id);
    else this.giveBack(id);
  }

  private jobOf(lease: string): string | undefined {
    return this.jobs.allLive().find((id) => this.stateOf(id)?.info.lease === lease);
  }

  private stateOf(id: string): LiveJob | undefined {
    const job = this.jobs.jobs.get(id)?.state;
    return job && isLiveJob(job) ? job : undefined;
  }

  // --- what is due ---

  private look(id: string): void {
    const job = this.stateOf(id);
    if (!job) return;
    if (job.status === 'RUNNING') {
      if (job.cancel !== undefined) this.carried.get(id)?.end.abort(new DriverFault('cancelled', job.cancel));
      if (!this.carried.has(id)) this.carry(id, job);
      return;
    }
    if (job.cancel !== undefined) return this.jobs.tell(id, { type: 'EndCancelled', reason: job.cancel }, 'cancelled');
    const { lease } = job.info;
    if (lease !== undefined) {
      const view = this.leases.get(lease);
      if (!view) return this.requestLease(id, job, lease);
      if (view.status === 'ended') return this.jobs.tell(id, { type: 'Fail', machine: 'unknown', code: 'lease', error: `the machine was not to be had: ${view.reason}` }, 'no lease');
      if (view.status === 'pending') return;
    }
    if (!tasks[job.info.task].takesMachine) return this.jobs.tell(id, { type: 'Start' }, 'start');
    const other = this.jobs.liveOn(job.info.machine).find((one) => one.id !== id && one.job.status === 'RUNNING' && tasks[one.job.info.task].takesMachine);
    if (!other) this.jobs.tell(id, { type: 'Start' }, 'start');
    else this.jobs.tell(id, { type: 'Note', activity: `waits: job ${other.job.info.task} ${other.id} is running on the machine` }, `waits for ${other.id}`);
  }

  private requestLease(id: string, { info }: LiveJob, lease: string): void {
    const owner = this.clocks.get(id)?.requester ?? ACTOR;
    this.send(`request ${lease}`, 'lease', 'RequestLease', { type: 'host', owner: ownerName(owner), exclusive: { machine: info.machine, force: info.force }, wait: 'always' }, lease);
  }

  /** A lease is given back when its job is over, unless the machine is on loan under it. */
  private giveBack(lease: string): void {
    if (!this.live || this.leases.get(lease)?.status === 'ended' || this.jobOf(lease) !== undefined || this.onLoan(lease)) return;
    this.send(`release ${lease}`, 'lease', 'ReleaseLease', { lease, reason: 'its job is over' }, derivedId(lease, 'release'));
  }

  private onLoan(lease: string): boolean {
    for (const [, { state }] of this.jobs.hardware.entries()) if (state.status === 'managed' && state.loan?.lease === lease) return true;
    return false;
  }

  private send<T extends 'RequestLease' | 'ReleaseLease'>(key: string, service: 'lease', type: T, data: CommandInput<'lease', T>, id: string): void {
    if (this.sent.has(key)) return;
    this.sent.add(key);
    this.runtime.bus
      .command(service, type, data, { id, actor: ACTOR, after: this.position() })
      .then((answer) => {
        if (!answer.accepted) this.runtime.log.error({ problem: answer.message, id, type }, 'refused');
      })
      .catch((error: unknown) => this.runtime.log.warn({ error, id, type }, 'not delivered'))
      .finally(() => this.sent.delete(key));
  }

  // --- carrying out ---

  private carry(id: string, job: RunningJob): void {
    const end = new AbortController();
    const done = this.carryOut(id, job, end)
      .catch((error: unknown) => this.runtime.log.error({ error, job: id }, 'job left for the next start'))
      .finally(() => this.carried.delete(id));
    this.carried.set(id, { end, done });
  }

  private async carryOut(id: string, job: RunningJob, end: AbortController): Promise<void> {
    const machine = this.jobs.machine(job.info.machine);
    if (!machine) return this.store(id, { type: 'Fail', machine: 'unknown', code: 'unknown-hardware', error: `machine ${job.info.machine} is not managed any more` });
    const kind: TaskKind = tasks[job.info.task];
    const clock = this.clocks.get(id) ?? { requester: 'unknown' };
    const left = (clock.started ?? Date.now()) + job.info.hardLimit - Date.now();
    const limit = kind.unlimited || left > LONGEST_MS ? undefined : setTimeout(() => end.abort(new DriverFault('timeout', `it took longer than ${job.info.hardLimit / 1000} s`)), Math.max(0, left));
    const signal = AbortSignal.any([end.signal, this.detach.signal]);
    if (job.cancel !== undefined) end.abort(new DriverFault('cancelled', job.cancel));
    const masks = new Masks(this.secret);
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
      if (login && machine.access === undefined) await this.pool.release(login);
    }
  }

  private finish(id: string, outcome: Outcome, masks: Masks): Promise<void> {
    if (outcome.kind === 'complete') return this.store(id, { type: 'Complete', machine: outcome.machine, result: outcome.result ?? {} });
    return this.store(id, { type: 'Fail', machine: outcome.machine, code: outcome.code, error: masks.mask(outcome.error) });
  }

  private async fail(id: string, error: unknown, ended: AbortSignal, masks: Masks): Promise<void> {
    const fault = ended.aborted && ended.reason instanceof DriverFault ? ended.reason : error instanceof DriverFault ? error : undefined;
    if (!fault) this.runtime.log.error({ error, job: id }, 'job failed by a fault of ours');
    const message = masks.mask(fault?.message ?? `a fault of Berth itself: ${error instanceof Error ? error.message : String(error)}`);
    const attempts = this.attemptsOf(id);
    const begun = this.clocks.get(id)?.attempt ?? Date.now();
    if (attempts.at(-1)?.status === 'running') await this.store(id, { type: 'EndAttempt', attempt: attempts.length, end: { outcome: 'failed', fault: fault?.fault ?? 'unknown-answer', error: message }, durationMs: Math.max(0, Date.now() - begun) });
    const machine: MachineOutcome = 'unknown';
    if (fault?.fault === 'cancelled') await this.store(id, { type: 'EndCancelled', reason: message });
    else await this.store(id, { type: 'Fail', machine, code: fault?.fault ?? 'internal', error: message });
  }

  private attemptsOf(id: string) {
    const job = this.jobs.jobs.get(id)?.state;
    return job && 'attempts' in job ? job.attempts : [];
  }

  /** Stored, and seen in the feed: so that whoever goes on decides by what is on record. */
  private async store(id: string, command: JobCommand): Promise<void> {
    const said = JSON.stringify(command);
    const answer = await this.jobs.jobs.handle(id, command, own(derivedId(id, `${this.attemptsOf(id).length} ${said}`)));
    if (!answer.accepted) throw new Error(answer.message);
    await this.reached(answer.position);
  }

  private context(id: string, { info }: RunningJob, machine: ManagedMachine, clock: Clock, signal: AbortSignal, masks: Masks): TaskContext {
    const { pool } = this;
    const secret: Call['secret'] = (name) => masks.secret(name);
    const record = { attempts: () => this.attemptsOf(id), tell: (command: JobCommand) => this.store(id, command), beganAt: () => this.clocks.get(id)?.attempt, secret, mask: (text: string) => masks.mask(text), signal };
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
      now: () => this.jobs.machine(info.machine) ?? machine,
      until: (so) => this.until(so, signal),
      fileTicket: async (summary, body) => {
        const known = this.jobs.jobs.get(id)?.state;
        if (known && 'ticket' in known && known.ticket) return known.ticket;
        const ticket = await this.people.fileTicket({ machine: machine.name, tracker: machine.spec.tracker, job: id, task: info.task, requester: clock.requester, summary: masks.mask(summary), body: masks.mask(body) }, signal);
        await this.store(id, { type: 'TellTicket', ticket });
        return ticket;
      },
      drain: (on, reason) => (on ? this.ask(id, 'DrainResource', { machine: info.machine, reason }, clock.requester) : this.ask(id, 'EndDrain', { machine: info.machine }, clock.requester)),
      lend: async (steps) => {
        const answer = await this.jobs.hardware.handle(info.machine, { type: 'Lend', job: id, to: info.to ?? clock.requester, steps, ...(info.lease !== undefined && { lease: info.lease }) }, { ...own(derivedId(id, 'lend')), actor: clock.requester });
        if (answer.accepted) await this.reached(answer.position);
      },
      giveBack: async () => {
        const answer = await this.jobs.hardware.handle(info.machine, { type: 'Return' }, { ...own(derivedId(id, 'return')), actor: clock.requester });
        if (answer.accepted) await this.reached(answer.position);
      },
      installed: () => {
        const known = this.jobs.jobs.get(id)?.state;
        return known && 'installed' in known ? known.installed : undefined;
      },
      pin: (hostKey) => this.pin(id, info.machine, hostKey, clock.requester),
    };
  }

  /** Of the allocator. @throws DriverFault `refused` */
  private async ask<T extends CommandType<'allocator'>>(id: string, type: T, data: CommandInput<'allocator', T>, actor: string): Promise<void> {
    const answer = await this.runtime.bus.command('allocator', type, data, { id: derivedId(id, `${type} ${JSON.stringify(data)}`), actor, after: this.position() });
    if (!answer.accepted) throw new DriverFault('refused', answer.message);
  }

  /** The machine shows another key from now on: to Berth where it is enrolled, and to its interface ssh. */
  private async pin(id: string, name: string, hostKey: string, actor: string): Promise<void> {
    const machine = this.jobs.machine(name);
    if (!machine) throw new DriverFault('refused', `machine ${name} is not managed any more`);
    if (machine.access) await this.ask(id, 'ChangeMachine', { name, hostKey }, actor);
    const { ssh } = machine.spec.interfaces;
    if (ssh) {
      const spec = { ...machine.spec, interfaces: { ...machine.spec.interfaces, ssh: { ...ssh, hostKey } } };
      await this.jobs.hardware.handle(name, { type: 'Set', spec }, { ...own(derivedId(id, `pin ${hostKey}`)), actor });
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
    await this.people.stop();
  }
}

/** Owners of leases are short names. */
const ownerName = (actor: string): string => actor.slice(0, 128);
