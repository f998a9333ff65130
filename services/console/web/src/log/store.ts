import type { ActionLogLine } from '@berth/client';

/** A line as it is kept here. */
export type Line = Pick<ActionLogLine, 'n' | 'time' | 'stream' | 'text'>;

/** Where lines are read. */
export interface Source {
  /** Lines of an action by number: as many as there are of those asked for. */
  lines(action: string, from: number, count: number, signal: AbortSignal): Promise<Line[]>;
  /** How many lines an action has printed by now. */
  count(action: string, signal: AbortSignal): Promise<number>;
}

const PAGE = 500;
/** Of all actions together: about 50,000 lines, some MB. */
const MOST_PAGES = 100;
/** After a failure the same is asked for again no sooner. */
const AGAIN_MS = 2000;

interface LinePage {
  lines: Line[];
  reading: boolean;
  /** not asked for again before */
  notBefore: number;
}

/**
 * The lines of a log that are here: pages around what is looked at, of which those not seen for longest are forgotten. How
 * long the log is does not matter to it.
 */
export class LogStore {
  private readonly pages = new Map<string, LinePage>();
  private readonly counts = new Map<string, number>();
  private readonly watchers = new Set<() => void>();
  private stopping = new AbortController();
  /** grows with every change, for React */
  version = 0;
  /** why lines could not be read; undefined once they could */
  problem: unknown;

  constructor(private readonly source: Source) {}

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };
  current = (): number => this.version;

  /** Ends what is being read. It can be used again. */
  stop(): void {
    this.stopping.abort();
    this.stopping = new AbortController();
    for (const page of this.pages.values()) page.reading = false;
  }

  countOf(action: string): number {
    return this.counts.get(action) ?? 0;
  }

  /** So many there are, as somebody else says. */
  counted(action: string, lines: number): void {
    if (lines <= this.countOf(action)) return;
    this.counts.set(action, lines);
    this.changed();
  }

  /** A line, if it is here. */
  line(action: string, n: number): Line | undefined {
    return this.pages.get(keyOf(action, pageOf(n)))?.lines[(n - 1) % PAGE];
  }

  /** These lines are looked at: what is missing of them is read. */
  want(action: string, first: number, last: number): void {
    for (let page = pageOf(first); page <= pageOf(Math.min(last, this.countOf(action))); page++) this.load(action, page);
  }

  /** Reads what an action has printed since. Far behind it goes to the end at once, and leaves the rest for whoever looks at it. */
  async catchUp(action: string): Promise<void> {
    const { signal } = this.stopping;
    const known = this.countOf(action);
    try {
      if (known === 0) {
        this.counted(action, await this.source.count(action, signal));
        this.fine();
        return;
      }
      const lines = await this.source.lines(action, known + 1, PAGE, signal);
      if (signal.aborted) return;
      this.put(action, lines);
      // Their number may be known already, by the end of the action: that says nothing new then, and they do.
      if (lines.length > 0) this.changed();
      this.counted(action, lines.length < PAGE ? known + lines.length : await this.source.count(action, signal));
      this.fine();
    } catch (error) {
      this.failed(error, signal);
    }
  }

  private load(action: string, number: number): void {
    const key = keyOf(action, number);
    const page = this.pages.get(key) ?? { lines: [], reading: false, notBefore: 0 };
    // The one that was looked at last is forgotten last.
    this.pages.delete(key);
    this.pages.set(key, page);
    const missing = Math.min(this.countOf(action) - number * PAGE, PAGE) - page.lines.length;
    if (missing <= 0 || page.reading || Date.now() < page.notBefore) return;
    page.reading = true;
    const { signal } = this.stopping;
    this.source
      .lines(action, number * PAGE + page.lines.length + 1, missing, signal)
      .then((lines) => {
        if (signal.aborted) return;
        page.reading = false;
        // Fewer than there should be: asked for again, but not at once.
        if (lines.length === 0) page.notBefore = Date.now() + AGAIN_MS;
        this.put(action, lines);
        this.fine();
        this.changed();
      })
      .catch((error: unknown) => {
        if (signal.aborted) return;
        page.reading = false;
        page.notBefore = Date.now() + AGAIN_MS;
        this.failed(error, signal);
      });
    while (this.pages.size > MOST_PAGES) this.pages.delete(this.pages.keys().next().value!);
  }

  /** Lines in a row. Those that do not follow on what is here of their page are read when they are looked at. */
  private put(action: string, lines: readonly Line[]): void {
    for (const line of lines) {
      const key = keyOf(action, pageOf(line.n));
      const at = (line.n - 1) % PAGE;
      let page = this.pages.get(key);
      if (!page && at === 0) this.pages.set(key, (page = { lines: [], reading: false, notBefore: 0 }));
      if (page && page.lines.length === at) page.lines.push(line);
    }
  }

  private fine(): void {
    if (this.problem === undefined) return;
    this.problem = undefined;
    this.changed();
  }

  private failed(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.problem = error;
    this.changed();
  }

  private changed(): void {
    this.version++;
    for (const watcher of this.watchers) watcher();
  }
}

const pageOf = (n: number): number => Math.floor((n - 1) / PAGE);
const keyOf = (action: string, page: number): string => `${action} ${page}`;
