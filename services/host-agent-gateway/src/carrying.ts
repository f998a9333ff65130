import { derivedId, type ActionEvent } from '@berth/contracts';
import { DEFAULT_OUTPUT_LIMIT, serveLive, tellUntilStored, traceOf, within, type Aggregates, type Runtime } from '@berth/runtime';
import { actions } from './actions/index.js';
import { foldersOf, type ActionContext } from './actions/action.js';
import { gatewayObjects } from './adapters/objects.js';
import { outputSink, storedOutput } from './adapters/output.js';
import { own } from './cause.js';
import { isLive, type Action, type ActionCommand, type End, type LiveAction } from './domain/action.js';
import type { Gone, Grants } from './domain/grants.js';
import { isRemoval } from './domain/resources.js';
import type { UnderLease } from './domain/under-lease.js';
import type { Forgetting } from './forgetting.js';
import { specOf } from './links.js';
import { pause } from './runner/pause.js';
import type { Runner } from './runner/run.js';
import type { Secrets } from './secrets/secrets.js';
import { codeOf, HostError } from './transports/errors.js';
import type { HostPool } from './transports/pool.js';

/** The longest pause before an action that was interrupted is gone on with. */
const LAST_RETRY_MS = 5000;

interface Running {
  cancel: AbortController;
  /** the host is over: nothing of it is waited for any more */
  gone: AbortController;
  done: Promise<void>;
}

interface Parts {
  runtime: Runtime;
  actions: Aggregates<Action, ActionCommand, ActionEvent>;
  grants: Grants;
  under: UnderLease;
  pool: HostPool;
  runner: Runner;
  forgetting: Forgetting;
  secrets: Pick<Secrets, 'read'>;
}

/** Actions that this process carries out, from their request to their end. */
export class Carrying {
  private readonly running = new Map<string, Running>();
  private readonly detach = new AbortController();
  private readonly objects;

  constructor(private readonly parts: Parts) {
    this.objects = gatewayObjects(parts.runtime.connection, parts.runtime.config.artifacts);
  }

  has(id: string): boolean {
    return this.running.has(id);
  }

  begin(id: string, action: LiveAction, mayHaveStarted: boolean): void {
    if (this.running.has(id)) return;
    const cancel = new AbortController();
    const gone = new AbortController();
    // A lease that ended while no gateway ran: what may run under it is ended, and what has not begun never does.
    if (action.cancel !== undefined || (!isRemoval(action.spec.kind) && this.parts.grants.ended(action.lease))) cancel.abort(action.cancel ?? 'its lease ended');
    const done = this.traced(id, action, () => this.insist(id, action, mayHaveStarted, cancel.signal, gone.signal))
      .catch((error: unknown) => this.parts.runtime.log.error({ error, action: id }, 'action left for the next start'))
      .finally(() => this.running.delete(id));
    this.running.set(id, { cancel, gone, done });
  }

  /** The span of an action is from its beginning here to its end; one that is gone on with after a restart has another. */
  private traced(id: string, action: LiveAction, run: () => Promise<void>): Promise<void> {
    const { tracing } = this.parts.runtime;
    if (!tracing) return run();
    return within(traceOf(id), () => tracing.span({ name: `action ${action.spec.kind}`, attributes: { 'berth.action': id, 'berth.lease': action.lease } }, run), true);
  }

  cancel(id: string): void {
    this.running.get(id)?.cancel.abort(this.stateOf(id)?.cancel);
  }

  /** The host of this lease may be over: what runs there ends now, for nobody will ever say how it ended. */
  lookAgain(lease: string): void {
    const gone = this.parts.grants.gone(lease);
    if (!gone) return;
    for (const id of this.parts.under.live(lease)) {
      const spec = this.stateOf(id)?.spec;
      // An enrolled machine may come back with all that is on it, so removals stay owed.
      if (spec && (gone.launched || !isRemoval(spec.kind))) this.running.get(id)?.gone.abort(`its host failed: ${gone.error}`);
    }
  }

  tell(id: string, command: ActionCommand, role: string): void {
    tellUntilStored(this.parts.runtime, this.parts.actions, id, command, own(derivedId(id, role)));
  }

  async stop(): Promise<void> {
    this.detach.abort('the gateway was stopped');
    await Promise.all([...this.running.values()].map((r) => r.done));
  }

  /** What fails by no fault of the host (the bus is away, say) is gone on with, as after a restart. */
  private async insist(id: string, action: LiveAction, mayHaveStarted: boolean, cancel: AbortSignal, gone: AbortSignal): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await this.carryOut(id, action, mayHaveStarted || tries > 0, cancel, gone);
        return;
      } catch (error) {
        if (this.detach.signal.aborted) throw error;
        this.parts.runtime.log.warn({ error, action: id }, 'action interrupted, gone on with');
      }
      await pause(Math.min(100 * 2 ** tries, LAST_RETRY_MS), this.detach.signal, gone);
      if (this.detach.signal.aborted) return;
    }
  }

  private async carryOut(id: string, action: LiveAction, mayHaveStarted: boolean, cancel: AbortSignal, gone: AbortSignal): Promise<void> {
    const { grants, under, forgetting, runtime } = this.parts;
    const over = grants.holds(action.lease, action.token) ? grants.gone(action.lease) : undefined;
    if (over && (over.launched || !isRemoval(action.spec.kind))) {
      await this.end(id, this.endOfGone(id, action, over));
      return;
    }
    const refusal = grants.check(action.lease, action.token, action.spec);
    // What a process before this one may have started is seen to its end while its slot is held; afterwards there is
    // nothing of it left, for no slot is given back before that.
    if (refusal && !(mayHaveStarted && grants.holds(action.lease, action.token))) {
      await this.end(id, { kind: 'failed', result: {}, code: refusal.code, error: refusal.message });
      return;
    }
    const place = grants.place(action.lease);
    const host = specOf({ name: place.host.name, access: place.access });
    const output = outputSink(runtime.connection, id, mayHaveStarted ? await storedOutput(runtime.connection, id) : { stdout: 0, stderr: 0 });
    const removal = isRemoval(action.spec.kind);
    const makes = action.spec.kind === 'prepare-working-copy' || action.spec.kind === 'start-service';
    const context: ActionContext = {
      id,
      lease: action.lease,
      spec: action.spec,
      host,
      folder: 'path' in place.folder ? place.folder.path : `copies/${place.folder.copy}`,
      pool: this.parts.pool,
      runner: this.parts.runner,
      output,
      objects: this.objects,
      live: (accept) => serveLive(runtime.connection, id, accept),
      // A removal is owed whatever happens: it waits for its host instead of failing.
      mayHaveStarted: mayHaveStarted || removal,
      owed: removal || (mayHaveStarted && !makes),
      abandoned: under.abandoned(action.lease),
      prepared: under.prepared(action.lease),
      starters: under.starters(action.lease).filter((one) => one !== id),
      startedAt: under.startedAt(id),
      outputLimit: runtime.config.outputLimit ?? DEFAULT_OUTPUT_LIMIT,
      signals: { cancel, detach: AbortSignal.any([this.detach.signal, gone]), cancelGraceMs: () => this.stateOf(id)?.graceMs },
      secret: (name) => this.parts.secrets.read(name),
      started: () => this.tell(id, { type: 'Start' }, 'started'),
      note: (what, why) => runtime.log.warn({ action: id, host: host.id, problem: why }, what),
      link: (problem) => runtime.log.info({ action: id, host: host.id, problem: problem ?? null }, problem === undefined ? 'link is back' : 'link lost'),
    };
    const end = await Promise.race([this.handled(context), aborted(gone)]);
    // By its signal it stops by itself too, but a host that is gone may keep it in a question for long.
    if (gone.aborted && !this.detach.signal.aborted) {
      await this.end(id, end ?? this.endOfGone(id, action, grants.gone(action.lease) ?? { launched: true, error: 'its host failed' }));
      return;
    }
    if (!end) return;
    if (removal) {
      // Its end says that nothing is left on the host, and it can be done again, so its own folder goes first.
      forgetting.add(host, foldersOf(id, action.spec.kind));
      await forgetting.flush(host);
      await this.end(id, end);
    } else {
      await this.end(id, end);
      forgetting.add(host, foldersOf(id, action.spec.kind));
    }
  }

  /** `undefined`: it was told to stop watching. */
  private async handled(context: ActionContext): Promise<End | undefined> {
    try {
      return await (actions[context.spec.kind] as (c: ActionContext) => Promise<End | undefined>)(context);
    } catch (error) {
      if (context.signals.detach.aborted) {
        this.parts.runtime.log.info({ error, action: context.id }, 'action not watched any more');
        return undefined;
      }
      if (!(error instanceof HostError)) throw error;
      const result = { stdoutBytes: context.output.reached.stdout, stderrBytes: context.output.reached.stderr };
      return { kind: 'failed', result, code: codeOf(error), error: error.message };
    }
  }

  private endOfGone(id: string, action: LiveAction, gone: Gone): End {
    // The host is gone with all that was on it: what was to be removed is.
    if (isRemoval(action.spec.kind)) return { kind: 'succeeded', result: {} };
    const now = this.stateOf(id) ?? action;
    if (now.cancel !== undefined && (gone.launched || now.status === 'requested')) return { kind: 'cancelled', result: {}, reason: 'it was cancelled' };
    if (now.status === 'started') return { kind: 'lost', result: {}, error: `its host failed: ${gone.error}` };
    return { kind: 'failed', result: {}, code: 'unreachable', error: `its host failed: ${gone.error}` };
  }

  private stateOf(id: string): LiveAction | undefined {
    const state = this.parts.actions.get(id)?.state;
    return state && isLive(state) ? state : undefined;
  }

  private async end(id: string, end: End): Promise<void> {
    for (;;) {
      try {
        await this.parts.actions.handle(id, { type: 'End', end }, own(derivedId(id, 'end')));
        return;
      } catch (error) {
        if (this.detach.signal.aborted) throw error;
        this.parts.runtime.log.warn({ error, action: id }, 'end not stored, tried again');
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
