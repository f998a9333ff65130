/** setTimeout can't wait longer than this (2^31 - 1 ms, about 24 days); later instants are looked at again then. */
const LONGEST_MS = 2_147_483_647;

/** Calls `due(id)` at the instant set for each id; setting again moves it. */
export class Alarms {
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(private readonly due: (id: string) => void) {}

  set(id: string, at: number): void {
    this.clear(id);
    const wait = Math.max(0, at - Date.now());
    // A timer may fire a little early; the instant itself decides.
    const timer = setTimeout(() => (Date.now() < at ? this.set(id, at) : this.ring(id)), Math.min(wait, LONGEST_MS));
    timer.unref();
    this.timers.set(id, timer);
  }

  private ring(id: string): void {
    this.timers.delete(id);
    this.due(id);
  }

  clear(id: string): void {
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
  }

  clearAll(): void {
    for (const id of [...this.timers.keys()]) this.clear(id);
  }
}
