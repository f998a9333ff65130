import { Channel } from '@berth/client';
import type { AnyRecorded } from '@berth/contracts';
import type { EventStore } from '@berth/event-store';
import type { Hub } from '../live/hub.js';
import { foldAction } from '../views/action.js';
import { foldBuild } from '../views/build.js';
import type { Fleet } from '../views/fleet.js';
import type { Images, ImageState } from '../views/images.js';
import { foldJob } from '../views/job.js';
import { foldLease } from '../views/lease.js';
import type { Projection } from '../views/projection.js';
import type { Settles } from './describe.js';

/** How a thing was when the wait for it was over. */
export interface Seen {
  settled: boolean;
  /** null: it is not there */
  status: string | null;
}

/** The rows follow the events in milliseconds; while they do not, the next event has them looked at again. */
const ROWS_MS = 2000;

const folds = { lease: foldLease, build: foldBuild, action: foldAction, job: foldJob } as const;
type Fold = (row: { status: string } | undefined, recorded: AnyRecorded) => { status: string } | undefined;

/** Waits for things to come to rest. */
export class Settling {
  constructor(
    private readonly store: EventStore,
    private readonly hub: Pick<Hub, 'listen'>,
    private readonly fleet: Pick<Fleet, 'machine'>,
    private readonly images: Pick<Images, 'versionState' | 'pushState' | 'channelState'>,
    private readonly projection: Pick<Projection, 'reached'>,
  ) {}

  /** Parts of images have no stream of their own: how they are is read from the rows. */
  private readonly states = {
    version: (id: string) => this.images.versionState(id), push: (id: string) => this.images.pushState(id), channel: (id: string) => this.images.channelState(id),
  } as const;

  /**
   * Until the thing has one of the statuses, or `signal`. What it was before `after` does not count: a build that runs
   * again had ended before.
   */
  async wait({ kind, at }: Settles, id: string, after: number, signal: AbortSignal): Promise<Seen> {
    const news = new Channel<AnyRecorded>();
    const stop = this.hub.listen((recorded) => {
      if (concerns(kind, id, recorded)) news.push(recorded);
    });
    const end = () => news.end();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      if (kind === 'machine') return await this.machine(at, id, news);
      if (kind === 'version' || kind === 'push' || kind === 'channel') return await this.ofImage(() => this.states[kind](id), at, after, news);
      return await this.folded(folds[kind] as Fold, kind, at, id, after, news);
    } finally {
      stop();
      signal.removeEventListener('abort', end);
    }
  }

  private async folded(fold: Fold, kind: keyof typeof folds, at: readonly string[], id: string, after: number, news: Channel<AnyRecorded>): Promise<Seen> {
    let row: { status: string } | undefined;
    let position = 0;
    const seen = (): Seen => ({ settled: position >= after && row !== undefined && at.includes(row.status), status: row?.status ?? null });
    for (const recorded of await this.store.load(kind, id)) {
      row = fold(row, recorded as AnyRecorded);
      position = recorded.sequence;
    }
    if (seen().settled) return seen();
    for await (const recorded of news) {
      if (recorded.sequence <= position) continue;
      row = fold(row, recorded);
      position = recorded.sequence;
      if (seen().settled) return seen();
    }
    return seen();
  }

  private async ofImage(look: () => Promise<ImageState | undefined>, at: readonly string[], after: number, news: Channel<AnyRecorded>): Promise<Seen> {
    const seenAt = async (position: number): Promise<Seen> => {
      await this.projection.reached(position, ROWS_MS);
      const state = await look();
      return { settled: state !== undefined && state.position >= after && at.includes(state.status), status: state?.status ?? null };
    };
    let seen = await seenAt(after);
    if (seen.settled) return seen;
    for await (const { sequence } of news) {
      seen = await seenAt(sequence);
      if (seen.settled) return seen;
    }
    return seen;
  }

  /** A machine is at rest when its host is: it has no status of its own. */
  private async machine(at: readonly string[], name: string, news: Channel<AnyRecorded>): Promise<Seen> {
    const seen = (): Seen => {
      const machine = this.fleet.machine(name);
      const status = machine ? (machine.state ?? 'pending') : null;
      return { settled: status !== null && at.includes(status), status };
    };
    if (seen().settled) return seen();
    for await (const _news of news) if (seen().settled) return seen();
    return seen();
  }
}

/** Whether a commit may have brought a thing to rest. */
function concerns(kind: Settles['kind'], id: string, recorded: AnyRecorded): boolean {
  switch (kind) {
    case 'machine':
      return recorded.kind === 'machine' || recorded.kind === 'resource';
    case 'version':
    case 'push':
    case 'channel':
      return recorded.kind === 'image';
    default:
      return recorded.kind === kind && recorded.id === id;
  }
}
