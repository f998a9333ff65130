/** Keeps who waits for a position, and wakes them as it is reached. */
export class PositionWaiters {
  private waiting: { sequence: number; resolve: () => void; reject: (error: Error) => void }[] = [];
  private ended: Error | undefined;
  position = 0;

  advance(sequence: number): void {
    this.position = sequence;
    if (this.waiting.length === 0) return;
    const still: typeof this.waiting = [];
    for (const waiter of this.waiting) {
      if (waiter.sequence <= sequence) waiter.resolve();
      else still.push(waiter);
    }
    this.waiting = still;
  }

  reached(sequence: number): Promise<void> {
    if (sequence <= this.position) return Promise.resolve();
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => this.waiting.push({ sequence, resolve, reject }));
  }

  end(error: Error): void {
    this.ended ??= error;
    for (const waiter of this.waiting) waiter.reject(this.ended);
    this.waiting = [];
  }
}
