import { jobTasks, rejected, type ActionEvent, type AnyRecorded, type Answer, type CommandData, type Refusal } from '@berth/contracts';
import { aggregates, Follower, type Aggregates, type Command, type Following, type Runtime } from '@berth/runtime';
import { Carrying } from './carrying.js';
import { causeOf } from './cause.js';
import { actionDecider, isLive, isSession, type Action, type ActionCommand } from './domain/action.js';
import { Grants } from './domain/grants.js';
import { hardwareStatusOf, jobStatusOf } from './domain/job-status.js';
import { isRemoval } from './domain/resources.js';
import { actionStatus } from './domain/status.js';
import { UnderLease } from './domain/under-lease.js';
import { FileLooks } from './files/looks.js';
import { Forgetting } from './forgetting.js';
import { Jobs } from './jobs/jobs.js';
import { Running } from './jobs/running.js';
import { People } from './jobs/people.js';
import { Links } from './links.js';
import { Looks } from './looks/looks.js';
import { createRunner } from './runner/run.js';
import { Requests } from './secrets/requests.js';
import { Secrets } from './secrets/secrets.js';
import { sweep } from './sweep.js';
import { createPool } from './transports/pool.js';

/** Terminals and forwards at a time under one lease: each is a channel of the one connection to its host. */
const MOST_SESSIONS = 16;

/** The host-agent gateway: the only service that touches a host, and the one writer of actions. */
export class GatewayApp implements Following {
  readonly follower: Follower;
  readonly looks: Looks;
  readonly files: FileLooks;
  readonly secrets: Secrets;
  readonly requests: Requests;
  readonly jobs: Jobs;
  readonly kinds = ['action', 'lease', 'resource', 'secret', 'hardware', 'hardware-group', 'job'] as const;
  readonly status: NonNullable<Following['status']> = {
    kinds: ['action', 'job', 'hardware'],
    of: (recorded) => {
      if (recorded.kind === 'job') {
        const job = this.jobs.jobs.get(recorded.id)?.state;
        return job && job.status !== 'none' ? jobStatusOf(recorded.id, job) : undefined;
      }
      if (recorded.kind === 'hardware') {
        const hardware = this.jobs.hardware.get(recorded.id)?.state;
        return hardware && hardware.status !== 'none' ? hardwareStatusOf(recorded.id, hardware) : undefined;
      }
      const action = this.actions.get(recorded.id)?.state;
      return action && action.status !== 'none' ? actionStatus(recorded.id, action) : undefined;
    },
  };
  private readonly actions: Aggregates<Action, ActionCommand, ActionEvent>;
  private readonly grants = new Grants();
  private readonly under = new UnderLease();
  private readonly pool = createPool();
  private readonly runner = createRunner(this.pool);
  private readonly forgetting: Forgetting;
  private readonly carrying: Carrying;
  private readonly links: Links;
  private readonly running: Running;

  constructor(private readonly runtime: Runtime) {
    const { grants, under, pool, runner } = this;
    this.follower = new Follower(runtime, this);
    this.actions = aggregates('action', actionDecider, runtime.store, () => this.follower.feed);
    this.forgetting = new Forgetting(runner, runtime.log);
    this.secrets = new Secrets(runtime, () => this.follower.feed);
    this.requests = new Requests((name) => this.secrets.read(name));
    this.carrying = new Carrying({ runtime, actions: this.actions, secrets: this.secrets, grants, under, pool, runner, forgetting: this.forgetting });
    this.links = new Links(runtime, grants, pool, () => this.follower.position, {
      up: (host) => void sweep(host, { runtime, actions: this.actions, carrying: this.carrying, runner }),
      over: (host, failed) => (failed ? this.forgetting.drop(host) : this.forgetting.flush(host)),
    });
    this.looks = new Looks(grants, this.links, pool);
    const reached = async (position: number | undefined) => {
      if (position !== undefined) await this.follower.reached(position);
    };
    this.jobs = new Jobs(runtime, grants, reached, () => this.follower.feed, new Set(runtime.config.jobTasks ?? jobTasks));
    this.running = new Running(runtime, this.jobs, pool, () => this.follower.position, reached, (name) => this.secrets.read(name), new People(runtime, this.secrets));
    this.files = new FileLooks(grants, pool, (position) => this.follower.reached(position));
  }

  /** Connections to hosts, by how they are. */
  connections(): ReturnType<typeof this.pool.counts> {
    return this.pool.counts();
  }

  // --- commands ---

  async run(command: Command<CommandData<'host-agent-gateway', 'RunAction'>>): Promise<Answer> {
    await this.follower.reached(command.after);
    const { lease, token, spec } = command.data;
    if (!this.actions.get(command.id)) {
      const refusal = this.grants.check(lease, token, spec) ?? (isSession(spec.kind) ? this.crowded(lease) : undefined);
      // The same command again may come when its lease has ended: its effect is there, so only a new one is refused.
      if (refusal && (await this.runtime.store.load('action', command.id)).length === 0) return { ...refusal, message: `RunAction is refused: ${refusal.message}` };
    }
    return this.actions.handle(command.id, { type: 'Request', lease, token, spec }, causeOf(command));
  }

  private crowded(lease: string): Refusal | undefined {
    const open = this.under.live(lease).filter((id) => this.isSession(id));
    if (open.length < MOST_SESSIONS) return undefined;
    return rejected('too-many-sessions', `${open.length} terminals and forwards are open under the lease.`, [{ field: 'data.lease', message: `has ${open.length} of them, which is as many as there may be: end one` }]);
  }

  private isSession(id: string): boolean {
    const state = this.actions.get(id)?.state;
    return state !== undefined && isLive(state) && isSession(state.spec.kind);
  }

  async cancel(command: Command<CommandData<'host-agent-gateway', 'CancelAction'>>): Promise<Answer> {
    await this.follower.reached(command.after);
    const { action, reason, graceMs } = command.data;
    return this.actions.handle(action, { type: 'Cancel', reason, ...(graceMs !== undefined && { graceMs }) }, causeOf(command));
  }

  // --- feed ---

  apply(recorded: AnyRecorded): void {
    this.grants.apply(recorded);
    if (recorded.kind === 'action') this.actions.apply(recorded);
    else if (recorded.kind === 'secret') this.secrets.aggregates.apply(recorded);
    this.jobs.apply(recorded);
    this.running.apply(recorded);
    this.under.apply(recorded, recorded.kind === 'action' ? this.actions.get(recorded.id)?.state : undefined);
  }

  caughtUp(): void {
    for (const id of this.grants.hosts.keys()) this.links.mind(id);
    for (const [id, { state }] of this.actions.entries()) if (isLive(state)) this.carrying.begin(id, state, true);
    for (const lease of this.under.leases()) this.endWithLease(lease);
    this.running.caughtUp();
  }

  react(recorded: AnyRecorded): void {
    this.running.react(recorded);
    if (recorded.kind === 'action') {
      const state = this.actions.get(recorded.id)?.state;
      if (!state || !isLive(state)) return;
      if (state.cancel !== undefined) this.carrying.cancel(recorded.id);
      // Begun when its own event comes back in the one order of all events: by then every release before it is known, so
      // a stale grant can't start anything (ADR 4).
      else if (state.status === 'requested') this.carrying.begin(recorded.id, state, false);
    } else if (recorded.kind === 'lease') this.endWithLease(recorded.id);
    else if (recorded.kind === 'resource') {
      this.links.mind(recorded.id);
      for (const event of recorded.commit.events) if (event.type === 'SlotFreed') this.endStale(event.data.lease);
      if (recorded.commit.events.some(({ type }) => type === 'ResourceBroken' || type === 'ResourceDestroyed')) {
        for (const lease of this.under.leases()) this.carrying.lookAgain(lease);
      }
    }
  }

  /** Nobody goes on talking to a host under a grant that is another's by now. */
  private endStale(lease: string): void {
    for (const id of this.under.live(lease)) {
      const state = this.actions.get(id)?.state;
      if (state && isLive(state) && isSession(state.spec.kind) && !this.grants.holds(lease, state.token)) this.carrying.tell(id, { type: 'Cancel', reason: 'its fencing token is stale' }, 'stale');
    }
  }

  /** Ends what runs under a lease that has ended. Removals go on: they are what the end is waiting for. */
  private endWithLease(lease: string): void {
    if (!this.grants.ended(lease)) return;
    for (const id of this.under.live(lease)) {
      const state = this.actions.get(id)?.state;
      if (state && isLive(state) && state.cancel === undefined && !isRemoval(state.spec.kind)) this.carrying.tell(id, { type: 'Cancel', reason: 'its lease ended' }, 'lease ended');
    }
  }

  async stop(): Promise<void> {
    this.requests.stop();
    this.links.stop();
    await Promise.all([this.carrying.stop(), this.running.stop()]);
    await this.forgetting.stop();
    await this.pool.closeAll();
  }
}
