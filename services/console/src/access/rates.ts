/** Buckets that hold nothing back are forgotten once there are so many. */
const MOST = 10_000;

/** So many requests a minute for each key: a bucket that fills steadily and holds one minute's worth. */
export class Rates {
  private readonly buckets = new Map<string, { left: number; at: number }>();

  /** @param perMinute 0 = no limit */
  constructor(
    private readonly perMinute: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Takes one; 0 when there was one, else the milliseconds until there is. */
  take(key: string): number {
    if (this.perMinute === 0) return 0;
    const now = this.now();
    const bucket = this.filled(key, now);
    if (bucket.left < 1) return Math.ceil(((1 - bucket.left) * 60_000) / this.perMinute);
    bucket.left -= 1;
    return 0;
  }

  private filled(key: string, now: number): { left: number; at: number } {
    const known = this.buckets.get(key);
    if (known) {
      known.left = Math.min(this.perMinute, known.left + (Math.max(0, now - known.at) * this.perMinute) / 60_000);
      known.at = now;
      return known;
    }
    if (this.buckets.size >= MOST) this.forget(now);
    const fresh = { left: this.perMinute, at: now };
    this.buckets.set(key, fresh);
    return fresh;
  }

  /** First those that are full again; if that is not enough, the oldest. Many at once, because all are looked at for it. */
  private forget(now: number): void {
    for (const [key, { at }] of this.buckets) if (now - at >= 60_000) this.buckets.delete(key);
    for (const key of this.buckets.keys()) {
      if (this.buckets.size <= MOST * 0.9) return;
      this.buckets.delete(key);
    }
  }
}
