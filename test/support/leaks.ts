// This file is loaded before every test file, unit tests too, so it imports no package of ours: that cost 0.4 s a file.
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RUN_FOLDER } from './run.js';

/** Variable that marks every process started by one test file, however it was detached. */
export const FILE_MARK = 'BERTH_TEST_FILE';

/** What a test file left behind. */
export interface Leaks {
  readonly processes: readonly string[];
  readonly files: readonly string[];
}

/** Marks what is started from now on, and gives it a temporary folder of its own. */
export function watchForLeaks(): { readonly end: () => Promise<Leaks> } {
  const mark = randomBytes(8).toString('hex');
  const folder = mkdtempSync(join(process.env[RUN_FOLDER] ?? tmpdir(), 'bt-'));
  // A server of a test that runs as another account must be able to pass through.
  chmodSync(folder, 0o711);
  const before = { mark: process.env[FILE_MARK], folder: process.env['TMPDIR'] };
  process.env[FILE_MARK] = mark;
  process.env['TMPDIR'] = folder;
  return {
    end: async () => {
      restore(FILE_MARK, before.mark);
      restore('TMPDIR', before.folder);
      // A process that was told to end may need a moment; one that nobody told does not go away by itself.
      let left = marked(mark);
      for (const end = performance.now() + 2000; left.length > 0 && performance.now() < end; left = marked(mark)) await sleep(50);
      const processes = left.map((pid) => `${pid}: ${read(pid, 'cmdline').replaceAll('\0', ' ').trim()}`);
      for (const pid of left) kill(pid);
      const files = readdirSync(folder);
      rmSync(folder, { recursive: true, force: true });
      return { processes, files };
    },
  };
}

/** The processes that carry the mark, apart from this one. Linux only: elsewhere nothing is found. */
function marked(mark: string): number[] {
  if (process.platform !== 'linux') return [];
  const wanted = `${FILE_MARK}=${mark}`;
  // A dead process that nobody has waited for has no environment any more, so it does not count.
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && read(pid, 'environ').includes(wanted));
}

function read(pid: number, what: string): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'latin1');
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself just now.
  }
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
