/** How often those are looked at whose time may be up. */
const EVERY_MS = 10_000;

interface Entry {
  /** whether it may go on */
  mayGoOn: () => boolean;
  /** false: it has not begun yet, and is ended once it has */
  end: () => boolean;
}

/** Answers and live sessions that go on for long: they end with the token or the session that opened them. */
export class Open {
  private readonly entries = new Set<Entry>();
  private timer: NodeJS.Timeout | undefined;

  /** @returns to be called when it has ended by itself */
  add(entry: Entry): () => void {
    this.entries.add(entry);
    this.timer ??= setInterval(() => this.look(), EVERY_MS).unref();
    return () => void this.entries.delete(entry);
  }

  /** Ends what may not go on; called when a token or a session was ended. */
  look(): void {
    for (const entry of this.entries) {
      if (!entry.mayGoOn() && entry.end()) this.entries.delete(entry);
    }
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
