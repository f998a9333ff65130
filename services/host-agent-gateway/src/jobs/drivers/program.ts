import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { DriverFault, endOf, type Call } from './driver.js';

/** Programs that drivers run, by the package of Debian and Ubuntu that has each. */
const PACKAGES = { ipmitool: 'ipmitool', snmpget: 'snmp', snmpset: 'snmp', ping: 'iputils-ping' } as const;

export interface Run {
  program: keyof typeof PACKAGES;
  /** Handed to the program as they are, with no shell in between. Never a secret: every process of the machine can read them. */
  args: readonly string[];
  /** Added to PATH and LC_ALL, which is all that it sees of ours. */
  env?: Readonly<Record<string, string>>;
  /** Values that are masked in what it says. */
  secrets?: readonly string[];
  /** Where it is looked for after PATH. */
  folders?: readonly string[];
}

export interface Ended {
  code: number;
  /** The last of each, at most `KEPT` characters. */
  stdout: string;
  stderr: string;
}

/** More of what a program says is not kept. */
const KEPT = 65_536;
/** How long a program may take to end by itself once it is told. */
const GRACE_MS = 2_000;
/** A login without these in its PATH is common. */
const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * Runs a program to its end. When the signal is set, it and all that it has started are ended: by TERM, then by KILL.
 * @throws DriverFault `no-program`, or what the signal says
 */
export function runProgram(call: Call, { program, args, env = {}, secrets = [], folders = FOLDERS }: Run): Promise<Ended> {
  return new Promise((resolve, reject) => {
    if (call.signal.aborted) return reject(endOf(call.signal));
    const path = [process.env['PATH'] ?? '', ...folders].filter(Boolean).join(delimiter);
    // A process group of its own, so that all of it can be ended.
    const child = spawn(program, args, { detached: true, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: path, LC_ALL: 'C', ...env } });
    const [stdout, stderr] = [tail(secrets), tail(secrets)];
    child.stdout.on('data', stdout.add);
    child.stderr.on('data', stderr.add);

    let killing: NodeJS.Timeout | undefined;
    const signalGroup = (name: NodeJS.Signals): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, name);
      } catch (error) {
        // All of it has ended.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    };
    const end = (): void => {
      signalGroup('SIGTERM');
      killing = setTimeout(() => signalGroup('SIGKILL'), GRACE_MS);
    };
    call.signal.addEventListener('abort', end, { once: true });

    child.once('error', (error: NodeJS.ErrnoException) => {
      call.signal.removeEventListener('abort', end);
      const missing = error.code === 'ENOENT' || error.code === 'EACCES';
      const why = missing ? `install it with "apt-get install ${PACKAGES[program]}" (Debian, Ubuntu)` : error.message;
      reject(new DriverFault('no-program', `${program} can't be run where the gateway runs: ${why}.`, '', { cause: error }));
    });
    // What it left running would hold its pipes open, and must not outlive it anyway.
    child.once('exit', () => signalGroup('SIGKILL'));
    child.once('close', (code) => {
      if (child.pid === undefined) return; // told by 'error'
      clearTimeout(killing);
      call.signal.removeEventListener('abort', end);
      const ended = { code: code ?? -1, stdout: stdout.text(), stderr: stderr.text() };
      const said = [ended.stdout, ended.stderr].filter((text) => text.trim() !== '').join('\n');
      if (said !== '') call.heard(said);
      if (call.signal.aborted) reject(endOf(call.signal));
      else if (code === null) reject(new DriverFault('unknown-answer', `${program} was ended by somebody else than Berth.`, said));
      else resolve(ended);
    });
  });
}

/** Keeps the last of a stream, without secrets. */
function tail(secrets: readonly string[]): { add(chunk: Buffer): void; text(): string } {
  const decoder = new StringDecoder('utf8');
  // So much more is kept that a secret cut at the front is cut off whole.
  const most = KEPT + Math.max(0, ...secrets.map((secret) => secret.length));
  let kept = '';
  return {
    add: (chunk) => {
      kept += decoder.write(chunk);
      if (kept.length > 2 * most) kept = kept.slice(-most);
    },
    text: () => masked(kept + decoder.end(), secrets).slice(-KEPT),
  };
}

/** A text with stars for secrets. */
export function masked(text: string, secrets: readonly string[]): string {
  return secrets.filter(Boolean).reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

/** The last line that says something. */
export function lastLine(text: string): string {
  return text.split('\n').map((line) => line.trim()).filter(Boolean).at(-1) ?? '';
}
