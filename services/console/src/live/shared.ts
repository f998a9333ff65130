/** Work that several wait for is done once: begun by the first, ended early when the last one leaves. Nothing is kept of it. */
export class Shared<T> {
  private readonly running = new Map<string, { result: Promise<T>; waiting: number; stop: AbortController; done: boolean }>();

  /**
   * Joins the work of that name, or begins it.
   * @returns undefined when `signal` says that this one no longer waits
   * @throws what the work throws
   */
  async join(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    if (signal.aborted) return undefined;
    let one = this.running.get(key);
    if (!one) {
      const stop = new AbortController();
      one = { result: work(stop.signal), waiting: 0, stop, done: false };
      this.running.set(key, one);
      const own = one;
      const over = () => {
        own.done = true;
        if (this.running.get(key) === own) this.running.delete(key);
      };
      own.result.then(over, over);
    }
    one.waiting++;
    const joined = one;
    return new Promise<T | undefined>((resolve, reject) => {
      const leave = () => {
        signal.removeEventListener('abort', gone);
        if (--joined.waiting > 0 || joined.done) return;
        if (this.running.get(key) === joined) this.running.delete(key);
        joined.stop.abort();
      };
      const gone = () => {
        leave();
        resolve(undefined);
      };
      signal.addEventListener('abort', gone, { once: true });
      joined.result.then(
        (value) => {
          if (!signal.aborted) leave();
          resolve(value);
        },
        (error: unknown) => {
          if (!signal.aborted) leave();
          reject(error as Error);
        },
      );
    });
  }
}
