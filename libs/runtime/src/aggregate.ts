import { ConflictError, type EventStore, type Feed } from '@berth/event-store';
import { rejected, type Answer, type Commit, type EventOf, type Kind, type Recorded, type Refusal } from '@berth/contracts';

/** Pure: what a command does to a state, and what an event makes of it. Time and ids are inside the command. */
export interface Decider<S, C, E extends EventOf<string, unknown>> {
  initial: S;
  /** Events to store; none when the command has had its effect already; or a refusal. */
  decide(command: C, state: S): readonly E[] | Refusal;
  evolve(state: S, event: E): S;
  /** Nothing more will happen to it: its state may leave memory. */
  ended(state: S): boolean;
  /** The thing that an event says anew, or takes away, by a name within the aggregate; undefined for what only tells how it goes. */
  says?(event: E): string | undefined;
}

/** Who asked for what: goes into the commit. */
export interface Cause {
  /** Id of the commit to write: for a command from the bus its own id, so that a redelivered one is stored once. */
  id: string;
  actor: string;
  /** id of the command or event behind it */
  cause: string;
  /** RFC 3339 */
  at: string;
  /** position as of which whoever asked had read what is changed: refused when it was said anew since */
  base?: number | undefined;
}

/** The aggregates of one kind: their states as the feed has shown them, and the one way to write to them. */
export interface Aggregates<S, C, E extends EventOf<string, unknown>> {
  readonly kind: Kind;
  /** State as of the feed's position; undefined for one that isn't there (or ended long ago). */
  get(id: string): { state: S; revision: number } | undefined;
  entries(): IterableIterator<[string, { state: S; revision: number }]>;
  /** Called by the feed for each commit of this kind, in order. */
  apply(recorded: Recorded<E>): void;
  /**
   * Load, decide, append, decide again on conflict. Commands on one aggregate take their turns; others run beside it.
   * @throws {UnavailableError} the outcome is unknown: the same command may be handled again
   */
  handle(id: string, command: C, cause: Cause): Promise<Answer>;
}

/** Ended aggregates kept in memory, so that late questions about them need no read. */
const KEEP_ENDED = 20_000;
const MAX_CONFLICTS = 50;

export function aggregates<S, C, E extends EventOf<string, unknown>>(
  kind: Kind,
  decider: Decider<S, C, E>,
  store: EventStore,
  feed: () => Pick<Feed, 'reached'>,
): Aggregates<S, C, E> {
  const states = new Map<string, { state: S; revision: number }>();
  const ended = new Set<string>();
  const turns = new Map<string, Promise<unknown>>();

  function fold(recorded: readonly Recorded<E>[], from: { state: S; revision: number } = { state: decider.initial, revision: 0 }) {
    let { state, revision } = from;
    for (const r of recorded) {
      for (const event of r.commit.events) state = decider.evolve(state, event);
      revision = r.sequence;
    }
    return { state, revision };
  }

  /** The last commit after a position that says anew what a decision says too. */
  function saidSince(stored: readonly Recorded<E>[], base: number, decision: readonly E[]): Recorded<E> | undefined {
    const of = (events: readonly E[]) => events.map((event) => decider.says?.(event)).filter((thing) => thing !== undefined);
    const things = new Set(of(decision));
    return stored.findLast(({ sequence, commit }) => sequence > base && of(commit.events).some((thing) => things.has(thing)));
  }

  async function attempt(id: string, command: C, cause: Cause): Promise<Answer> {
    for (let tries = 0; ; tries++) {
      let entry = states.get(id);
      let decision = decider.decide(command, entry?.state ?? decider.initial);
      if (!entry && 'accepted' in decision) {
        // Not in memory, and it matters: it may have ended long ago.
        const stored = await store.load<E>(kind, id);
        if (stored.length > 0) {
          entry = fold(stored);
          decision = decider.decide(command, entry.state);
        }
      }
      if ('accepted' in decision) return decision;
      if (decision.length === 0) return { accepted: true, id, position: entry?.revision ?? 0 };
      if (cause.base !== undefined) {
        // A commit that comes after this look makes the append fail, and then it is looked at too.
        const stored = await store.load<E>(kind, id);
        const own = stored.find(({ commit }) => commit.id === cause.id);
        if (own) return { accepted: true, id, position: own.sequence };
        const newer = saidSince(stored, cause.base, decision);
        if (newer) return rejected('changed-meanwhile', `It was changed meanwhile, by ${newer.commit.actor} at ${newer.commit.at}: read it again, and say on top of that what is to be otherwise.`);
      }
      const commit: Commit = { id: cause.id, at: cause.at, actor: cause.actor, cause: cause.cause, events: [...decision] };
      try {
        const sequence = await store.append(kind, id, entry?.revision ?? 0, commit);
        return { accepted: true, id, position: sequence };
      } catch (error) {
        if (!(error instanceof ConflictError) || tries >= MAX_CONFLICTS) throw error;
        const stored = await store.load<E>(kind, id);
        const last = stored.at(-1)?.sequence ?? 0;
        if (ended.has(id) || (states.get(id)?.revision ?? 0) >= last) continue;
        if (stored.length > 0 && decider.ended(fold(stored).state) && !states.has(id)) {
          remember(id, fold(stored));
          continue;
        }
        await feed().reached(last);
      }
    }
  }

  function remember(id: string, entry: { state: S; revision: number }): void {
    states.set(id, entry);
    if (decider.ended(entry.state)) {
      ended.add(id);
      if (ended.size > KEEP_ENDED) {
        const oldest = ended.values().next().value!;
        ended.delete(oldest);
        states.delete(oldest);
      }
    } else ended.delete(id);
  }

  return {
    kind,
    get: (id) => states.get(id),
    entries: () => states.entries(),
    apply(recorded) {
      const entry = states.get(recorded.id);
      if (entry && recorded.sequence <= entry.revision) return;
      remember(recorded.id, fold([recorded], entry));
    },
    handle(id, command, cause) {
      const turn = (turns.get(id) ?? Promise.resolve()).then(() => attempt(id, command, cause));
      // The next command on this aggregate decides on what this one stored, so its turn comes once the feed has shown it.
      const next = turn.then(
        (answer) => (answer.accepted && answer.position ? feed().reached(answer.position) : undefined),
        () => undefined, // told to whoever asked; the next turn is not concerned
      );
      const settled = next.catch(() => undefined).finally(() => {
        if (turns.get(id) === settled) turns.delete(id);
      });
      turns.set(id, settled);
      return turn;
    },
  };
}
