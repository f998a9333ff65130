/** After the first failure, and after any number of them. */
const LEAST_MS = 1000;
const MOST_MS = 5 * 60_000;
export const growing = (tries: number): number => Math.min(MOST_MS, LEAST_MS * 2 ** Math.min(tries - 1, 30));

/**
 * Work on keys, so many at a time, each once at a time. What fails is tried again after pauses that grow, and holds up
 * nothing else meanwhile.
 */
export class Lanes {
  private readonly waiting = new Set<string>();
  private readonly running = new Map<string, Promise<void>>();
  private readonly failed = new Map<string, { tries: number; timer: NodeJS.Timeout | undefined }>();
  /** keys that were asked for while they were worked on */
  private readonly more = new Set<string>();
  private readonly stopping = new AbortController();

  /**
   * @param work says whether it must be tried again; what it throws is told to `fault`, and tried again too
   * @param pauseMs before another try, by how many there were
   */
  constructor(
    private readonly most: number,
    private readonly work: (key: string, signal: AbortSignal) => Promise<boolean>,
    private readonly fault: (key: string, error: unknown) => void,
    private readonly pauseMs: (tries: number) => number = growing,
  ) {}

  /** Once more if it is worked on already; when its pause is over if it has failed. */
  add(key: string): void {
    if (this.stopping.signal.aborted) return;
    if (this.running.has(key)) this.more.add(key);
    else if (this.failed.get(key)?.timer === undefined) this.waiting.add(key);
    this.go();
  }

  /** What has failed is tried again now. */
  again(): void {
    for (const [key, { timer }] of this.failed) {
      clearTimeout(timer);
      if (timer !== undefined) this.waiting.add(key);
    }
    this.failed.clear();
    this.go();
  }

  /** Resolves when a key is not worked on. */
  async over(key: string): Promise<void> {
    await this.running.get(key);
  }

  /** Resolves when nothing is worked on any more. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('it is not wanted any more'));
    this.waiting.clear();
    for (const { timer } of this.failed.values()) clearTimeout(timer);
    this.failed.clear();
    await Promise.all(this.running.values());
  }

  private go(): void {
    for (const key of this.waiting) {
      if (this.running.size >= this.most) return;
      this.waiting.delete(key);
      this.running.set(key, this.run(key));
    }
  }

  private async run(key: string): Promise<void> {
    const { signal } = this.stopping;
    let again = true;
    try {
      again = await this.work(key, signal);
    } catch (error) {
      this.fault(key, error);
    }
    this.running.delete(key);
    if (signal.aborted) return;
    if (again) this.pause(key);
    else {
      this.failed.delete(key);
      if (this.more.delete(key)) this.waiting.add(key);
    }
    this.go();
  }

  private pause(key: string): void {
    this.more.delete(key);
    const tries = (this.failed.get(key)?.tries ?? 0) + 1;
    const timer = setTimeout(() => {
      this.failed.set(key, { tries, timer: undefined });
      this.waiting.add(key);
      this.go();
    }, this.pauseMs(tries));
    timer.unref();
    this.failed.set(key, { tries, timer });
  }
}
