import type { Runtime } from '@berth/runtime';

/** After a step that could not be taken. */
const RETRY_MS = 1000;

/** Work that goes on one step after the other, each key once at a time, and again while it throws. What came meanwhile is looked at when it ends. */
export class Driven {
  private readonly keys = new Set<string>();
  private readonly stopping = new AbortController();

  constructor(private readonly runtime: Pick<Runtime, 'log' | 'connection'>) {}

  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  get over(): boolean {
    return this.stopping.signal.aborted || this.runtime.connection.isClosed();
  }

  /**
   * @param work returns when there is nothing left to do; what it throws is logged, and it is tried again from its beginning
   * @param again looks what else is due by then
   */
  drive(key: string, work: () => Promise<void>, again: () => void): void {
    if (this.keys.has(key) || this.over) return;
    this.keys.add(key);
    const attempt = async (): Promise<void> => {
      while (!this.over) {
        try {
          return await work();
        } catch (error) {
          if (this.over) return;
          this.runtime.log.warn({ error, key }, 'a step could not be taken, tried again');
          await this.pause(RETRY_MS);
        }
      }
    };
    void attempt().finally(() => {
      this.keys.delete(key);
      if (!this.over) again();
    });
  }

  /** Resolves after so long, or when the service stops. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.stopping;
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end, { once: true });
    });
  }

  stop(): void {
    this.stopping.abort();
  }
}
