import type { ShellName } from '../platforms/platform.js';
import type { HostError } from '../transports/errors.js';

/** How the caller sees one command end. */
export type Outcome =
  | { kind: 'exited'; code: number }
  /** It ran over its time; nothing of its process tree is left. */
  | { kind: 'timeout' }
  /** It was cancelled; nothing of its process tree is left, or it never started. */
  | { kind: 'cancelled' }
  /** The host itself cannot tell how it ended. */
  | { kind: 'lost' }
  /** It provably did not start. */
  | { kind: 'not-started'; error: HostError }
  /** It may have started, and the host was away for longer than `awayLimitMs`. It may still run: `kill` it before its traces are removed. */
  | { kind: 'away'; error: HostError }
  /** We stopped watching; it goes on, and `run` with `mayHaveStarted` picks it up again. */
  | { kind: 'detached' };

/** One command to run on a host. */
export interface RunSpec {
  /** Chosen by the caller; the same id never starts twice on a host. */
  id: string;
  script: string;
  /** What reads the script: `sh -e` when absent, and PowerShell on Windows. */
  shell?: ShellName;
  /** Absolute, or relative to the host's folder. */
  cwd: string;
  env?: Readonly<Record<string, string>>;
  /** Milliseconds from the start to the end by force; none = no limit. */
  timeoutMs?: number;
  /** When an earlier run started it (epoch milliseconds), for the time limit. */
  startedAt?: number;
  /** Milliseconds between TERM and KILL; 5,000 when absent. */
  graceMs?: number;
  /** Bytes of output already stored elsewhere. */
  offsets?: { stdout: number; stderr: number };
  /** Somebody may have started it before (a repeated delivery): a host that cannot be reached is then waited for, never `not-started`. */
  mayHaveStarted?: boolean;
  /** How long to try to connect before the start, in milliseconds; 10,000 when absent. */
  connectLimitMs?: number;
  /** How long to wait for a host that went away after the start, in milliseconds; for ever when absent. */
  awayLimitMs?: number;
}

export interface RunCallbacks {
  /** Called in order of offset for each stream, at most 64 KiB at a time; a rejection makes `run` reject. */
  onChunk(stream: 'stdout' | 'stderr', offset: number, bytes: Buffer): Promise<void>;
  /** The host has it (also when it was there before). Called once. */
  onStarted?(): void;
  /** The connection is gone and will be tried again, with the reason; or it is back. */
  onLink?(link: { up: true } | { up: false; error: HostError }): void;
}

export interface RunSignals {
  /** End the process tree; the outcome comes when it is provably gone, however long the host is away. */
  cancel?: AbortSignal;
  /** Stop watching and leave the command running. */
  detach?: AbortSignal;
}
