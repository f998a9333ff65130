import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { HostSpec } from '../transports/transport.js';
import type { RunCallbacks } from './outcome.js';

/** Collects output and checks on the way that each byte comes exactly once and in order. */
export function collector(): RunCallbacks & { text(stream: 'stdout' | 'stderr'): string; bytes(stream: 'stdout' | 'stderr'): Buffer; largest: number } {
  const parts: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  const reached = { stdout: 0, stderr: 0 };
  const self = {
    largest: 0,
    onChunk: async (stream: 'stdout' | 'stderr', offset: number, bytes: Buffer) => {
      if (offset !== reached[stream]) throw new Error(`${stream}: offset ${offset} after ${reached[stream]}`);
      reached[stream] += bytes.length;
      self.largest = Math.max(self.largest, bytes.length);
      parts[stream].push(Buffer.from(bytes));
    },
    bytes: (stream: 'stdout' | 'stderr') => Buffer.concat(parts[stream]),
    text: (stream: 'stdout' | 'stderr') => Buffer.concat(parts[stream]).toString(),
  };
  return self;
}

/** A program on the PATH of the specs, or nothing when this machine has none. */
export const found = (name: string): string | undefined =>
  (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name)).find((path) => existsSync(path));

/** Waits for a condition, looking often; fails after ten seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Living processes (no zombies) that carry the action's mark. */
export function marked(id: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`).toString().split('\0').includes(`BERTH_ACTION=${id}`);
      } catch {
        return false; // gone between the two looks, or not ours to see
      }
    })
    .map(Number);
}

/** Kills until nothing carries the action's mark, looking three times: what is just being started has none to be read for a moment. */
export async function endMarked(id: string): Promise<void> {
  let none = 0;
  await until('its end', () => {
    const left = marked(id);
    none = left.length === 0 ? none + 1 : 0;
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
      }
    }
    return none === 3;
  });
}

/** Command lines of all living processes. */
export function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      } catch {
        return ''; // gone between the two looks
      }
    });
}

/** A file of an action, or nothing when it is not there (yet). */
export function actionFile(host: HostSpec, id: string, name: string): string | undefined {
  const path = `${host.folder}/actions/${id}/${name}`;
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** Pids of the supervisor and of the command, as the runner recorded them. */
export async function pidsOf(host: HostSpec, id: string): Promise<[number, number]> {
  await until('both pids', () => (actionFile(host, id, 'pid')?.match(/\n/g)?.length ?? 0) >= 2);
  const [supervisor, command] = (actionFile(host, id, 'pid') ?? '').split('\n').map((line) => Number(line.split(' ')[0]));
  return [supervisor ?? 0, command ?? 0];
}
