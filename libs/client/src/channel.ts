/** Values put in by one side and awaited by the other, in order. One reader. */
export class Channel<T> implements AsyncIterable<T> {
  private values: T[] = [];
  private wake: (() => void) | undefined;
  private over: { error?: Error } | undefined;

  /** How many values wait to be read. */
  get size(): number {
    return this.values.length;
  }

  push(...values: T[]): void {
    if (this.over) return;
    for (const value of values) this.values.push(value);
    this.wake?.();
  }

  /** What was put in before is still read; then the reader ends, with the error if there is one. */
  end(error?: Error): void {
    this.over ??= error ? { error } : {};
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const ready = this.values;
      this.values = [];
      yield* ready;
      if (this.values.length > 0) continue;
      if (this.over?.error) throw this.over.error;
      if (this.over) return;
      await new Promise<void>((resolve) => (this.wake = resolve));
      this.wake = undefined;
    }
  }
}
