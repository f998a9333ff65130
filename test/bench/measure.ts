import { existsSync, readFileSync } from 'node:fs';
/** Figures of one series of times in milliseconds. */
export function percentile(times: readonly number[], p: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}
export const median = (times: readonly number[]) => percentile(times, 0.5);

/** Times `ours` and `floor` in turn, so that a machine that slows down slows both. */
export async function interleaved(rounds: number, ours: () => Promise<unknown>, floor: () => Promise<unknown>): Promise<{ ours: number[]; floor: number[] }> {
  const times = { ours: [] as number[], floor: [] as number[] };
  for (let i = 0; i < rounds; i++) {
    times.floor.push(await timed(floor));
    times.ours.push(await timed(ours));
  }
  return times;
}

/** Lets something run for a while before it is measured. */
export const between = (forMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, forMs));

export async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** Runs `work` over and over from `concurrency` sides for `ms`; times of each and how many a second. */
export async function sustained(concurrency: number, ms: number, work: () => Promise<unknown>): Promise<{ perSecond: number; times: number[] }> {
  const times: number[] = [];
  const start = performance.now();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() - start < ms) times.push(await timed(work));
    }),
  );
  return { perSecond: (times.length / (performance.now() - start)) * 1000, times };
}

/** One line of the table: our figure beside its floor measured in the same run. */
export interface Row {
  what: string;
  ours: string;
  floor: string;
  ratio: string;
  aim: string;
  met: boolean | undefined;
}

export const ms = (value: number) => `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;
export const rate = (value: number, of = '') => `${Math.round(value).toLocaleString('en')}${of}/s`;
export const times = (value: number) => `${value.toFixed(2)}x`;

export function table(rows: readonly Row[]): string {
  const lines = [['what', 'ours', 'floor', 'ratio', 'aim', ''], ...rows.map((r) => [r.what, r.ours, r.floor, r.ratio, r.aim, r.met === undefined ? '' : r.met ? 'met' : 'MISSED'])];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()).join('\n');
}

/** CPU time that processes have used so far, in ms, by name; from /proc, where there is one. */
export function cpuTimes(processes: Readonly<Record<string, number>>): Map<string, number> {
  const used = new Map<string, number>();
  for (const [name, pid] of Object.entries(processes)) {
    const file = `/proc/${pid}/stat`;
    if (!existsSync(file)) continue;
    // After the name in brackets: state, ppid, ... utime and stime are fields 14 and 15 of proc(5), in ticks of 10 ms.
    const fields = readFileSync(file, 'utf8').replace(/^.*\) /s, '').split(' ');
    used.set(name, (Number(fields[11]) + Number(fields[12])) * 10);
  }
  return used;
}

/** What each used of one core meanwhile. */
export const cpuShares = (before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>, spentMs: number): string =>
  [...after].map(([name, used]) => `${name} ${((used - (before.get(name) ?? 0)) / spentMs).toFixed(2)}`).join(', ') || 'not known here';
