import type { AnyRecorded, Kind, Recorded } from '@berth/contracts';
import type { Feed } from '@berth/event-store';
import type { Runtime, Living } from './service.js';
import { noteTrace, within } from './tracing/context.js';
import { StatusFeed, type Status } from './status.js';

/** How a service lives on the feed. */
export interface Following {
  /** What it reads; all kinds when absent. */
  readonly kinds?: readonly Kind[];
  /** Folds one commit into the service's views. Runs for every commit ever stored, in order. */
  apply(recorded: AnyRecorded): void;
  /** Once, when the views show all that was stored at the start: whatever is due by them is begun. */
  caughtUp(): void | Promise<void>;
  /** After `apply`, for each commit since. */
  react(recorded: AnyRecorded): void;
  /** Kinds this service writes, and what frontends are told of each; undefined = nothing new to tell. */
  status?: { kinds: readonly Kind[]; of(recorded: AnyRecorded): Status | undefined };
  stop?(): Promise<void> | void;
}

/** Follows the event feed from its first position: "replay at start, nothing else remembered". */
export class Follower implements Living {
  private current: Feed | undefined;
  private statuses: StatusFeed | undefined;
  private live = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly following: Following,
  ) {}

  get feed(): Feed {
    if (!this.current) throw new Error('the feed has not been opened');
    return this.current;
  }

  get position(): number {
    return this.current?.position ?? 0;
  }

  /** Resolves when the views show everything up to a position that somebody else decided on. */
  async reached(position: number): Promise<void> {
    if (position > this.position) await this.feed.reached(position);
  }

  async start(): Promise<void> {
    const { following, runtime } = this;
    const statuses = new StatusFeed(runtime.connection, `/berth/${runtime.name}`);
    this.statuses = statuses;
    const kinds = new Set<Kind>(following.status?.kinds);
    await statuses.open([...kinds]);
    const onCommit = (recorded: Recorded) => {
      const known = recorded as AnyRecorded;
      following.apply(known);
      if (kinds.has(known.kind)) {
        const status = following.status!.of(known);
        if (status) statuses.publish(known.kind, known.id, known.sequence, known.commit.at, status);
      }
      if (known.trace !== undefined) noteTrace(known.id, known.trace);
      // What follows from it belongs to its trace, if it has one.
      if (this.live) within(known.trace, () => following.react(known), true);
    };
    this.current = await runtime.store.feed(0, onCommit, (error) => runtime.fail(error), following.kinds);
    await this.current.live;
    this.live = true;
    await following.caughtUp();
  }

  /** Tells the status of one thing once more, as of its last commit. */
  tellAgain(kind: Kind, id: string, sequence: number): void {
    const at = new Date().toISOString();
    const status = this.following.status?.of({ kind, id, sequence, commit: { id: '', at, actor: '', cause: '', events: [] } } as AnyRecorded);
    if (status) this.statuses?.publish(kind, id, sequence, at, status, true);
  }

  async stop(): Promise<void> {
    this.live = false;
    await this.following.stop?.();
    await this.current?.stop();
    this.statuses?.close();
  }
}
