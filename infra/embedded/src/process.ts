import { execFileSync, type ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/** One process of this machine as the process table shows it. */
export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
}

/**
 * Whether a process runs. A zombie does not: in a container whose first process reaps nobody, a killed orphan
 * stays in the table for ever, and `kill(pid, 0)` alone would wait for it until the timeout.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return statFields(pid)?.[0] !== 'Z';
}

/** The command line of a process, arguments joined by blanks; undefined when it is gone or not ours to see. */
export function commandLine(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/**
 * What tells a process from a later one with the same number: its start time. Empty where the system cannot say,
 * and then the number alone decides.
 */
export function startMark(pid: number): string {
  return statFields(pid)?.[19] ?? '';
}

/** Every process below `root` (not `root` itself), parents before children. */
export function descendants(root: number): ProcessInfo[] {
  const all = processTable();
  const found: ProcessInfo[] = [];
  const open = [root];
  for (let parent = open.shift(); parent !== undefined; parent = open.shift()) {
    for (const entry of all) {
      if (entry.parent !== parent) continue;
      found.push(entry);
      open.push(entry.pid);
    }
  }
  return found;
}

/** Sends a signal; a process that is already gone is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Asks a process to end and waits; what has not ended after `graceMs` is killed. */
export async function stopProcess(pid: number, first: NodeJS.Signals = 'SIGTERM', graceMs = 5000): Promise<void> {
  if (!isAlive(pid)) return;
  signal(pid, first);
  if (await waitUntil(() => !isAlive(pid), graceMs)) return;
  signal(pid, 'SIGKILL');
  await waitUntil(() => !isAlive(pid), 5000);
}

/** Polls until the condition holds; false when the time ran out. */
export async function waitUntil(condition: () => boolean | Promise<boolean>, timeoutMs: number, everyMs = 10): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/**
 * A server that was just spawned: its pid, and a promise of its end. It does not keep us alive.
 * @throws when the program could not be run at all
 */
export async function launched(child: ChildProcess, what: string): Promise<{ pid: number; exited: Promise<void> }> {
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  if (child.pid === undefined) {
    await exited;
    throw new Error(`${what} cannot be started: check that the file is a program for this machine`);
  }
  child.unref();
  return { pid: child.pid, exited };
}

const atExit = new Set<() => void>();

/**
 * Runs `stop` if this process ends before the returned function is called: whatever was started must not outlive
 * an unforeseen end of its owner. Only SIGKILL escapes; the next start deals with that through the pid files.
 */
export function stopAtExit(stop: () => void): () => void {
  if (atExit.size === 0) process.once('exit', runAtExit);
  atExit.add(stop);
  return () => {
    atExit.delete(stop);
    if (atExit.size === 0) process.off('exit', runAtExit);
  };
}

function runAtExit(): void {
  for (const stop of atExit) {
    try {
      stop();
    } catch {
      // The others must still be stopped, and nobody is left to tell.
    }
  }
}

function processTable(): ProcessInfo[] {
  if (process.platform !== 'linux') return processTableFromPs();
  const table: ProcessInfo[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const entry = readStat(Number(name));
    if (entry !== undefined && entry.fields[0] !== 'Z') {
      table.push({ pid: Number(name), parent: Number(entry.fields[1]), name: entry.name });
    }
  }
  return table;
}

function processTableFromPs(): ProcessInfo[] {
  const text = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,comm='], { encoding: 'utf8' });
  return text.split('\n').flatMap((line) => {
    const [pid, parent, ...name] = line.trim().split(/\s+/);
    return pid === undefined || pid === '' ? [] : [{ pid: Number(pid), parent: Number(parent), name: name.join(' ').replace(/^.*\//, '') }];
  });
}

function statFields(pid: number): string[] | undefined {
  return process.platform === 'linux' ? readStat(pid)?.fields : undefined;
}

/** `/proc/N/stat` after the name, which stands in brackets because it may hold blanks and brackets itself. */
function readStat(pid: number): { name: string; fields: string[] } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const close = text.lastIndexOf(')');
    return { name: text.slice(text.indexOf('(') + 1, close), fields: text.slice(close + 2).trim().split(' ') };
  } catch {
    return undefined;
  }
}
