/** The seed of this run: `BERTH_SEED` repeats another one. */
export const someSeed = (): number => Number(process.env['BERTH_SEED']) || Math.floor(Math.random() * 1e9);

/** Choices of one round, the same for the same seed. */
export function round(seed: number, n: number): { pick<T>(from: readonly T[]): T; within(ms: number): number } {
  let state = (seed ^ (n * 0x9e3779b9)) >>> 0;
  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { pick: (from) => from[Math.floor(next() * from.length)]!, within: (ms) => Math.floor(next() * ms) };
}
