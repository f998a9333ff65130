import { derivedId, rejected, type ActionEvent, type AnyRecorded, type Answer, type CommandData } from '@berth/contracts';
import { aggregates, Follower, tellUntilStored, type Aggregates, type Cause, type Command, type Following, type Runtime } from '@berth/runtime';
import { actions } from './actions/index.js';
import type { ActionContext } from './actions/action.js';
import { natsObjects } from './adapters/objects.js';
import { outputSink, storedOutput } from './adapters/output.js';
import { actionDecider, isLive, type Action, type ActionCommand, type End, type LiveAction } from './domain/action.js';
import { Grants, type HostView } from './domain/grants.js';
import { actionStatus } from './domain/status.js';
import { Forgetting } from './forgetting.js';
import { Links, specOf } from './links.js';
import { probeHost } from './probe.js';
import { pause } from './runner/pause.js';
import { createRunner } from './runner/run.js';
import { HostError, messageOf } from './transports/errors.js';
import { createPool } from './transports/pool.js';

/** The longest pause before an action that was interrupted is gone on with. */
const LAST_RETRY_MS = 5000;

/** The host-agent gateway: the only service that touches a host, and the one writer of actions. */
export class GatewayApp implements Following {
  readonly follower: Follower;
  readonly kinds = ['action', 'lease', 'resource'] as const;
  readonly status: NonNullable<Following['status']> = {
    kinds: ['action'],
    of: (recorded) => {
      const action = this.actions.get(recorded.id)?.state;
      return action && action.status !== 'none' ? actionStatus(recorded.id, action) : undefined;
    },
  };
  private readonly actions: Aggregates<Action, ActionCommand, ActionEvent>;
  private readonly grants = new Grants();
  private readonly pool = createPool();
  private readonly runner = createRunner(this.pool);
  private readonly forgetting: Forgetting;
  private readonly objects;
  private readonly links: Links;
  /** what is being carried out by this process */
  private readonly running = new Map<string, { cancel: AbortController; done: Promise<void> }>();
  /** live actions by lease, and when they were recorded as started */
  private readonly byLease = new Map<string, Set<string>>();
  private readonly startedAt = new Map<string, number>();
  /** by lease, until that is destroyed: actions that ended while their host was away */
  private readonly abandoned = new Map<string, readonly string[]>();
  private readonly detach = new AbortController();

  constructor(private readonly runtime: Runtime) {
    this.follower = new Follower(runtime, this);
    this.actions = aggregates('action', actionDecider, runtime.store, () => this.follower.feed);
    this.forgetting = new Forgetting(this.runner, runtime.log);
    this.objects = natsObjects(runtime.connection);
    this.links = new Links(runtime, this.grants, this.pool, () => this.follower.position, (host) => this.sweep(host));
  }

  // --- commands ---

  async run(command: Command<CommandData<'host-agent-gateway', 'RunAction'>>): Promise<Answer> {
    await this.follower.reached(command.after);
    const { lease, token, spec } = command.data;
    if (!this.actions.get(command.id)) {
      const refusal = this.grants.check(lease, token, spec);
      // The same command again may come when its lease has ended: its effect is there, so only a new one is refused.
      if (refusal && (await this.runtime.store.load('action', command.id)).length === 0) return { ...refusal, message: `RunAction is refused: ${refusal.message}` };
    }
    return this.actions.handle(command.id, { type: 'Request', lease, token, spec }, causeOf(command));
  }

  async cancel(command: Command<CommandData<'host-agent-gateway', 'CancelAction'>>): Promise<Answer> {
    await this.follower.reached(command.after);
    return this.actions.handle(command.data.action, { type: 'Cancel', reason: command.data.reason }, causeOf(command));
  }

  async probe(command: Command<CommandData<'host-agent-gateway', 'ProbeHost'>>): Promise<Answer> {
    const { host } = command.data;
    try {
      const found = await probeHost(specOf({ name: host.address, access: host }));
      if (found.facts['os'] !== host.platform && host.transport === 'ssh') {
        return rejected('machine-refused', `it runs ${found.facts['os']}, not ${host.platform}.`, [{ field: 'data.platform', message: `must be ${found.facts['os']}: that is what the machine says` }]);
      }
      return { accepted: true, id: command.id, data: found };
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      return refusalOf(error);
    }
  }

  // --- feed ---

  apply(recorded: AnyRecorded): void {
    this.grants.apply(recorded);
    if (recorded.kind === 'lease' && recorded.commit.events.some((event) => event.type === 'LeaseDestroyed')) this.abandoned.delete(recorded.id);
    if (recorded.kind !== 'action') return;
    this.actions.apply(recorded);
    const state = this.actions.get(recorded.id)?.state;
    if (!state || state.status === 'none') return;
    if (state.status === 'failed' && state.code === 'unreachable') this.abandoned.set(state.lease, [...(this.abandoned.get(state.lease) ?? []), recorded.id]);
    if (isLive(state)) {
      this.byLease.set(state.lease, (this.byLease.get(state.lease) ?? new Set()).add(recorded.id));
      if (state.status === 'started' && !this.startedAt.has(recorded.id)) this.startedAt.set(recorded.id, Date.parse(recorded.commit.at));
    } else {
      this.startedAt.delete(recorded.id);
      const others = this.byLease.get(state.lease);
      others?.delete(recorded.id);
      if (others?.size === 0) this.byLease.delete(state.lease);
    }
  }

  caughtUp(): void {
    for (const id of this.grants.hosts.keys()) this.links.mind(id);
    for (const [id, { state }] of this.actions.entries()) if (isLive(state)) this.begin(id, state, true);
    for (const lease of this.byLease.keys()) this.endWithLease(lease);
  }

  react(recorded: AnyRecorded): void {
    if (recorded.kind === 'action') {
      const state = this.actions.get(recorded.id)?.state;
      if (!state || !isLive(state)) return;
      if (state.cancel !== undefined) this.running.get(recorded.id)?.cancel.abort();
      // Begun when its own event comes back in the one order of all events: by then every release before it is known, so
      // a stale grant can't start anything (ADR 4).
      else if (state.status === 'requested') this.begin(recorded.id, state, false);
    } else if (recorded.kind === 'lease') this.endWithLease(recorded.id);
    else if (recorded.kind === 'resource') this.links.mind(recorded.id);
  }

  /** Ends what runs under a lease that has ended. Removals go on: they are what the end is waiting for. */
  private endWithLease(lease: string): void {
    if (!this.grants.ended(lease)) return;
    for (const id of this.byLease.get(lease) ?? []) {
      const state = this.actions.get(id)?.state;
      if (state && isLive(state) && state.cancel === undefined && state.spec.kind !== 'remove-working-copy') this.tell(id, { type: 'Cancel', reason: 'its lease ended' }, 'lease ended');
    }
  }

  private begin(id: string, action: LiveAction, mayHaveStarted: boolean): void {
    if (this.running.has(id)) return;
    const cancel = new AbortController();
    // A lease that ended while no gateway ran: what may run under it is ended, and what has not begun never does.
    if (action.cancel !== undefined || (action.spec.kind !== 'remove-working-copy' && this.grants.ended(action.lease))) cancel.abort();
    const done = this.insist(id, action, mayHaveStarted, cancel.signal)
      .catch((error: unknown) => this.runtime.log.error({ error, action: id }, 'action left for the next start'))
      .finally(() => this.running.delete(id));
    this.running.set(id, { cancel, done });
  }

  /** What fails by no fault of the host (the bus is away, say) is gone on with, as after a restart. */
  private async insist(id: string, action: LiveAction, mayHaveStarted: boolean, cancel: AbortSignal): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await this.carryOut(id, action, mayHaveStarted || tries > 0, cancel);
        return;
      } catch (error) {
        if (this.detach.signal.aborted) throw error;
        this.runtime.log.warn({ error, action: id }, 'action interrupted, gone on with');
      }
      await pause(Math.min(100 * 2 ** tries, LAST_RETRY_MS), this.detach.signal);
      if (this.detach.signal.aborted) return;
    }
  }

  private async carryOut(id: string, action: LiveAction, mayHaveStarted: boolean, cancel: AbortSignal): Promise<void> {
    const refusal = this.grants.check(action.lease, action.token, action.spec);
    // What a process before this one may have started is seen to its end while its slot is held; afterwards there is
    // nothing of it left, for no slot is given back before that.
    if (refusal && !(mayHaveStarted && this.grants.holds(action.lease, action.token))) {
      await this.end(id, { kind: 'failed', result: {}, code: refusal.code, error: refusal.message });
      return;
    }
    const place = this.grants.place(action.lease);
    const host = specOf(place.host);
    const output = outputSink(this.runtime.connection, id, mayHaveStarted ? await storedOutput(this.runtime.connection, id) : { stdout: 0, stderr: 0 });
    const context: ActionContext = {
      id,
      lease: action.lease,
      spec: action.spec,
      host,
      folder: 'path' in place.folder ? place.folder.path : `copies/${place.folder.copy}`,
      pool: this.pool,
      runner: this.runner,
      output,
      objects: this.objects,
      // A removal is owed whatever happens: it waits for its host instead of failing.
      mayHaveStarted: mayHaveStarted || action.spec.kind === 'remove-working-copy',
      owed: action.spec.kind === 'remove-working-copy' || (mayHaveStarted && action.spec.kind !== 'prepare-working-copy'),
      abandoned: this.abandoned.get(action.lease) ?? [],
      startedAt: this.startedAt.get(id),
      signals: { cancel, detach: this.detach.signal },
      started: () => this.tell(id, { type: 'Start' }, 'started'),
      link: (problem) => this.runtime.log.info({ action: id, host: host.id, problem: problem ?? null }, problem === undefined ? 'link is back' : 'link lost'),
    };
    let end: End | undefined;
    try {
      end = await (actions[action.spec.kind] as (c: ActionContext) => Promise<End | undefined>)(context);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      const result = { stdoutBytes: output.reached.stdout, stderrBytes: output.reached.stderr };
      end = { kind: 'failed', result, code: error.code === 'connection-lost' ? 'unreachable' : error.code, error: error.message };
    }
    if (!end) return;
    if (action.spec.kind === 'remove-working-copy') {
      // Its end says that nothing is left on the host, and it can be done again, so its own folder goes first.
      this.forgetting.add(host, id);
      await this.forgetting.flush(host);
      await this.end(id, end);
    } else {
      await this.end(id, end);
      this.forgetting.add(host, id);
    }
  }

  private async end(id: string, end: End): Promise<void> {
    for (;;) {
      try {
        await this.actions.handle(id, { type: 'End', end }, own(derivedId(id, 'end')));
        return;
      } catch (error) {
        if (this.detach.signal.aborted) throw error;
        this.runtime.log.warn({ error, action: id }, 'end not stored, tried again');
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }

  /** A host is (again) connected: folders of actions that ended meanwhile are removed. */
  private sweep(view: HostView): void {
    const host = specOf(view);
    const work = async () => {
      const over: string[] = [];
      for (const id of await this.runner.list(host)) {
        const known = this.actions.get(id)?.state ?? (await this.runtime.store.load<ActionEvent>('action', id)).reduce((s: Action, r) => r.commit.events.reduce(actionDecider.evolve, s), actionDecider.initial);
        if (actionDecider.ended(known) && !this.running.has(id)) over.push(id);
      }
      await this.runner.forget(host, over);
    };
    work().catch((error: unknown) => this.runtime.log.info({ host: host.id, problem: messageOf(error) }, 'not swept'));
  }

  private tell(id: string, command: ActionCommand, role: string): void {
    tellUntilStored(this.runtime, this.actions, id, command, own(derivedId(id, role)));
  }

  async stop(): Promise<void> {
    this.detach.abort();
    this.links.stop();
    await Promise.all([...this.running.values()].map((r) => r.done));
    await this.forgetting.stop();
    await this.pool.closeAll();
  }
}

const own = (id: string): Cause => ({ id, actor: 'host-agent-gateway', cause: id, at: new Date().toISOString() });
const causeOf = (command: Command): Cause => ({ id: command.id, actor: command.actor, cause: command.id, at: new Date().toISOString() });

/** What a failed probe means to whoever enrols the machine. */
function refusalOf(error: HostError): Answer {
  switch (error.code) {
    case 'host-key-changed':
      return rejected('host-key-changed', error.message, [{ field: 'data.hostKey', message: 'is not the key that the machine shows: check the machine, then give its present key' }]);
    case 'auth-failed':
      return rejected('machine-refused', error.message, [{ field: 'data.user', message: 'is not let in with this credential' }]);
    case 'credential-invalid':
      return rejected('machine-refused', error.message, [{ field: 'data.credential', message: "can't be used: give agent, file:PATH of a private key on the gateway, or env:NAME" }]);
    default:
      return rejected('machine-unreachable', error.message, [{ field: 'data.address', message: 'does not answer: check address and port, and that the machine is up' }]);
  }
}
