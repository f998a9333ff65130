interface Transfer {
  readonly stop: AbortController;
  /** never rejects */
  readonly ended: Promise<{ error?: unknown }>;
  readonly progress: { bytes: number };
}

/** How far bytes are that were asked for. */
export type Moved = { is: 'there' } | { is: 'moving'; bytes: number };

/**
 * Bytes that are on their way, from one step to the next. They are known to this process alone: after a crash the step that
 * asks for them begins anew, so whoever writes them must be able to write them twice.
 */
export class Transfers {
  private readonly running = new Map<string, Transfer>();

  /** `patience`: how long a step waits for the end, in ms */
  constructor(private readonly patience: number) {}

  /**
   * Begins what is not on its way yet, and waits a little for its end.
   * @throws what `move` has thrown; asked for again after that, it begins anew
   */
  async look(key: string, signal: AbortSignal, move: (signal: AbortSignal, moved: (bytes: number) => void) => Promise<void>): Promise<Moved> {
    const transfer = this.running.get(key) ?? this.begin(key, signal, move);
    const end = await within(transfer.ended, this.patience);
    if (end === undefined) return { is: 'moving', bytes: transfer.progress.bytes };
    if (this.running.get(key) === transfer) this.running.delete(key);
    if ('error' in end) throw end.error;
    return { is: 'there' };
  }

  /** Ends it; nothing of it goes on when this resolves. */
  async end(key: string): Promise<void> {
    const transfer = this.running.get(key);
    this.running.delete(key);
    transfer?.stop.abort();
    await transfer?.ended;
  }

  async close(): Promise<void> {
    await Promise.all([...this.running.keys()].map((key) => this.end(key)));
  }

  private begin(key: string, signal: AbortSignal, move: Parameters<Transfers['look']>[2]): Transfer {
    const stop = new AbortController();
    const progress = { bytes: 0 };
    const moving = move(AbortSignal.any([signal, stop.signal]), (bytes) => (progress.bytes = bytes));
    const transfer: Transfer = { stop, progress, ended: moving.then(() => ({}), (error: unknown) => ({ error })) };
    this.running.set(key, transfer);
    return transfer;
  }
}

async function within<T>(coming: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms)));
  try {
    return await Promise.race([coming, late]);
  } finally {
    clearTimeout(timer);
  }
}
