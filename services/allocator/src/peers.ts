import { randomUUID } from 'node:crypto';
import type { Runtime } from '@berth/runtime';

const SUBJECT = 'berth.live.allocator';
const BEAT_MS = 500;
/** So long without a word and a process counts as gone. */
const GONE_MS = 2500;
/** Others answer a newcomer at once; after that it knows whom it shares the work with. */
const HELLO_MS = 100;

/**
 * Who does what when several allocators run. Everything is decided by what is stored: two that do the same thing do no harm,
 * they only waste a write. So there is no leader and nothing to agree on; each works on the share of things that falls to
 * it by the name of the thing (rendezvous hashing), and takes over the share of one that is not heard of any more.
 */
export class Peers {
  readonly own = randomUUID();
  private readonly heard = new Map<string, number>();
  private names: readonly string[] = [this.own];
  private timer: NodeJS.Timeout | undefined;
  /** when this process saw to it last who is there, ms since the epoch */
  private looked = Date.now();
  private stopped = false;
  private shares = new Map<string, boolean>();

  constructor(
    private readonly runtime: Pick<Runtime, 'connection' | 'log'>,
    private readonly changed: () => void,
  ) {}

  /** Resolves when the others have been heard. */
  async start(): Promise<void> {
    this.runtime.connection.subscribe(SUBJECT, {
      callback: (error, message) => {
        if (error || this.stopped) return; // an error here is the end of the connection, which its owner is told of
        const { id, hello, leaving } = message.json<{ id: string; hello?: boolean; leaving?: boolean }>();
        if (id === this.own) return;
        if (leaving) this.heard.delete(id);
        else this.heard.set(id, Date.now());
        if (hello) this.tell({});
        this.look();
      },
    });
    this.tell({ hello: true });
    this.timer = setInterval(() => {
      this.tell({});
      this.look();
    }, BEAT_MS);
    this.timer.unref();
    await new Promise((resolve) => setTimeout(resolve, HELLO_MS));
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
    this.tell({ leaving: true });
  }

  get alone(): boolean {
    return this.names.length === 1;
  }

  /** Does work on this thing fall to this process? */
  mine(id: string): boolean {
    if (this.alone) return true;
    let mine = this.shares.get(id);
    if (mine === undefined) {
      const own = weight(this.own, id);
      mine = this.names.every((name) => name === this.own || weight(name, id) < own || (weight(name, id) === own && name < this.own));
      if (this.shares.size > 200_000) this.shares.clear();
      this.shares.set(id, mine);
    }
    return mine;
  }

  private tell(what: { hello?: boolean; leaving?: boolean }): void {
    if (!this.runtime.connection.isClosed()) this.runtime.connection.publish(SUBJECT, JSON.stringify({ id: this.own, ...what }));
  }

  private look(): void {
    const now = Date.now();
    // Whoever stood still has heard nobody, and is not alone for that: the others are given their time again.
    if (now - this.looked > GONE_MS) for (const id of this.heard.keys()) this.heard.set(id, now);
    this.looked = now;
    const old = now - GONE_MS;
    for (const [id, at] of this.heard) if (at < old) this.heard.delete(id);
    const names = [this.own, ...this.heard.keys()].sort();
    if (names.join() === this.names.join()) return;
    this.names = names;
    this.shares.clear();
    this.runtime.log.info({ allocators: names.length }, 'the work is shared anew');
    this.changed();
  }
}

/** FNV-1a over both names, mixed: well spread, and the same in every process. */
function weight(name: string, id: string): number {
  let hash = 0x811c9dc5;
  for (const text of [name, id]) for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash >>> 0;
}
