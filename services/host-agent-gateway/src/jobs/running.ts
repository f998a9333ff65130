import { derivedId, type AnyRecorded, type CommandInput } from '@berth/contracts';
import type { Runtime } from '@berth/runtime';
import { isLiveJob, type LiveJob } from '../domain/job.js';
import type { HostPool } from '../transports/pool.js';
import { Carried, type Clock } from './carried.js';
import type { Jobs } from './jobs.js';
import type { People } from './people.js';
import { tasks } from './tasks/index.js';

/** Who asks for the leases of jobs. */
const ACTOR = 'host-agent-gateway';

/** A lease that a job has asked for, as the feed shows it. */
type LeaseView = { status: 'pending' | 'active' } | { status: 'ended'; reason: string; /** nothing is left of it */ gone?: boolean };

/** What is due for jobs, from their request to their end: the same after a restart as live. */
export class Running {
  private readonly leases = new Map<string, LeaseView>();
  /** live jobs by the lease that they wait for or have */
  private readonly byLease = new Map<string, string>();
  private readonly clocks = new Map<string, Clock>();
  private readonly sent = new Set<string>();
  private readonly carried: Carried;
  private live = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly jobs: Jobs,
    pool: HostPool,
    private readonly position: () => number,
    reached: (position: number | undefined) => Promise<void>,
    secret: (name: string) => Promise<Buffer>,
    private readonly people: People,
  ) {
    this.carried = new Carried({ runtime, jobs, pool, people, position, reached, secret, clockOf: (id) => this.clocks.get(id) });
  }

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
      else if (event.type === 'LeaseDestroyed') this.forgetLease(id, true);
    }
  }

  /** Remembered as long as a job waits to hear of it: it would ask for it anew otherwise, and wait for ever. */
  private forgetLease(id: string, gone: boolean): void {
    const lease = this.leases.get(id);
    if (lease?.status !== 'ended') return;
    if (gone && this.byLease.has(id)) lease.gone = true;
    else if (gone || lease.gone) this.leases.delete(id);
  }

  private applyJob({ id, commit }: Extract<AnyRecorded, { kind: 'job' }>): void {
    const at = Date.parse(commit.at);
    for (const event of commit.events) {
      if (event.type === 'JobRequested') {
        this.clocks.set(id, { requester: commit.actor });
        if (event.data.lease !== undefined) this.byLease.set(event.data.lease, id);
      } else if (event.type === 'JobStarted') this.clocks.get(id)!.started = at;
      else if (event.type === 'AttemptStarted') this.clocks.get(id)!.attempt = at;
    }
    const job = this.jobs.jobs.get(id)?.state;
    if (!job || job.status === 'none' || isLiveJob(job)) return;
    if (!this.live) this.clocks.delete(id);
    const { lease } = job.info;
    if (lease === undefined) return;
    this.byLease.delete(lease);
    this.forgetLease(lease, false);
  }

  caughtUp(): void {
    this.live = true;
    for (const id of this.jobs.allLive()) this.look(id);
    for (const id of this.leases.keys()) this.giveBack(id);
  }

  react(recorded: AnyRecorded): void {
    if (!this.live) return;
    this.carried.noteFeed();
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
    const job = this.byLease.get(id);
    if (job) {
      for (const event of commit.events) if (event.type === 'LeaseWaiting') this.jobs.tell(job, { type: 'Note', activity: `waits: ${event.data.reason}` }, `waits ${commit.id}`);
      this.look(job);
    }
    this.giveBack(id);
  }

  private stateOf(id: string): LiveJob | undefined {
    const job = this.jobs.jobs.get(id)?.state;
    return job && isLiveJob(job) ? job : undefined;
  }

  // --- what is due ---

  private look(id: string): void {
    const job = this.stateOf(id);
    if (!job) return;
    if (job.status === 'RUNNING') return this.carried.begin(id, job);
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
    this.send(`request ${lease}`, 'lease', 'RequestLease', { type: 'host', owner: ownerName(owner), exclusive: { machine: info.machine, force: info.force }, wait: 'always' }, lease, (why) =>
      this.jobs.tell(id, { type: 'Fail', machine: 'unknown', code: 'lease', error: `the machine could not be asked for: ${why}` }, 'lease refused'),
    );
  }

  /** A lease is given back when its job is over, unless the machine is on loan under it. */
  private giveBack(lease: string): void {
    const view = this.leases.get(lease);
    if (!this.live || !view || view.status === 'ended' || this.byLease.has(lease) || this.jobs.isLent(lease)) return;
    this.send(`release ${lease}`, 'lease', 'ReleaseLease', { lease, reason: 'its job is over' }, derivedId(lease, 'release'));
  }

  private send<T extends 'RequestLease' | 'ReleaseLease'>(key: string, service: 'lease', type: T, data: CommandInput<'lease', T>, id: string, refused?: (why: string) => void): void {
    if (this.sent.has(key)) return;
    this.sent.add(key);
    this.runtime.bus
      .command(service, type, data, { id, actor: ACTOR, after: this.position() })
      .then((answer) => {
        if (answer.accepted) return;
        this.runtime.log.error({ problem: answer.message, id, type }, 'refused');
        refused?.(answer.message);
      })
      .catch((error: unknown) => this.runtime.log.warn({ error, id, type }, 'not delivered'))
      .finally(() => this.sent.delete(key));
  }

  async stop(): Promise<void> {
    await this.carried.stop();
    await this.people.stop();
  }
}

/** Owners of leases are short names. */
const ownerName = (actor: string): string => actor.slice(0, 128);
