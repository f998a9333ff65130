import type { CommandShell } from '@berth/contracts';
import type { HostError } from '../transports/errors.js';

/** How the caller sees one command end. */
export type Outcome =
  | { kind: 'exited'; code: number; outputs?: true; full?: true }
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
  shell?: CommandShell;
  /** Absolute, or relative to the host's folder. */
  cwd: string;
  env?: Readonly<Record<string, string>>;
  /** Variables that hold the path of a file, and what is in it. */
  files?: Readonly<Record<string, Buffer>>;
  /** Milliseconds from the start to the end by force; none = no limit. */
  timeoutMs?: number;
  /** When an earlier run started it (epoch milliseconds), for the time limit. */
  startedAt?: number;
  /** Milliseconds between TERM and KILL; 5,000 when absent. */
  graceMs?: number;
  /** Where in its output to begin; bytes before are stored elsewhere. */
  offsets?: { stdout: number; stderr: number };
  /** When a stream has more bytes than this, its first and its last half of so many are handed on. */
  outputLimit?: number;
  /** So many bytes before that last half are handed on besides. */
  context?: number;
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
  /** What is between the last chunk and `to` is left out; the next chunk begins at `next`, not after `to`. Only with an `outputLimit`. */
  onCut?(stream: 'stdout' | 'stderr', to: number, next: number): Promise<void>;
  /** The host has it (also when it was there before). Called once. */
  onStarted?(): void;
  /** The connection is gone and will be tried again, with the reason; or it is back. */
  onLink?(link: { up: true } | { up: false; error: HostError }): void;
}

export interface RunSignals {
  /** End the process tree; the outcome comes when it is provably gone, however long the host is away. */
  cancel?: AbortSignal;
  /** Asked when it is to be cancelled: milliseconds between TERM and KILL, where that was said. */
  cancelGraceMs?(): number | undefined;
  /** Stop watching and leave the command running. */
  detach?: AbortSignal;
}
