import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { constants, homedir } from 'node:os';
import type { Duplex, Readable } from 'node:stream';
import { shQuote } from '../runner/quote.js';
import { HostError, messageOf } from './errors.js';
import type { Conversation, ConversationSpec, HostSpec } from './transport.js';

const CONNECT_MS = 10_000;

/** A command on the machine that we are on, in a session of its own. */
export function conversation(host: HostSpec, { command, terminal }: ConversationSpec, env: NodeJS.ProcessEnv): Promise<Conversation> {
  return terminal ? inTerminal(host, command, terminal, env) : plain(host, command, env);
}

async function plain(host: HostSpec, command: string, env: NodeJS.ProcessEnv): Promise<Conversation> {
  const child = await started(host, 'sh', ['-c', command], env, 'a shell');
  return {
    input: child.stdin!,
    out: child.stdout!,
    err: child.stderr!,
    resize: () => undefined,
    ended: endOf(child),
    hangUp: () => signalGroup(child, 'SIGHUP'),
  };
}

/**
 * Node has no pseudo-terminals, and a native add-on would have to be compiled: the program `script`, which is part of
 * util-linux and so of every Linux system, has one. Its size is set from outside, by the name that the terminal tells.
 */
async function inTerminal(host: HostSpec, command: string, { term, columns, rows }: NonNullable<ConversationSpec['terminal']>, env: NodeJS.ProcessEnv): Promise<Conversation> {
  if (process.platform !== 'linux') throw new HostError('invalid-value', `Host ${host.id} is reached without SSH, and there a terminal can be had on Linux alone: enrol this machine over SSH, or ask for none (tty: false).`);
  const shell = env['SHELL'];
  const inside = `tty >&3; exec 3>&-; stty echo columns ${columns} rows ${rows}; ${shell === undefined ? '' : `SHELL=${shQuote(shell)}; export SHELL; `}${command}`;
  const child = await started(host, 'script', ['-qfec', inside, '/dev/null'], { ...env, TERM: term, SHELL: '/bin/sh' }, "the program 'script' (package util-linux), which gives a terminal,", ['pipe']);
  const name = firstLine(child.stdio[3] as Readable);
  return {
    input: child.stdin!,
    out: child.stdout!,
    err: child.stderr!,
    resize(size) {
      void name.then((tty) => {
        const stty = spawn('stty', ['-F', tty, 'columns', String(size.columns), 'rows', String(size.rows)], { stdio: 'ignore' });
        stty.on('error', () => undefined); // a size that stays as it was is no reason to end
      });
    },
    ended: endOf(child),
    // The terminal goes with it, and with that the kernel tells whoever used it.
    hangUp: () => signalGroup(child, 'SIGKILL'),
  };
}

async function started(host: HostSpec, program: string, words: string[], env: NodeJS.ProcessEnv, what: string, more: 'pipe'[] = []): Promise<ChildProcess> {
  const child = spawn(program, words, { detached: true, cwd: homedir(), env, stdio: ['pipe', 'pipe', 'pipe', ...more] });
  child.stdin!.on('error', () => undefined); // writing to what ended meanwhile: its end is told
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw new HostError('host-fault', `On host ${host.id} ${what} could not be started: ${messageOf(error)}.`, { cause: error });
  }
  return child;
}

const endOf = (child: ChildProcess): Promise<number | undefined> =>
  new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0))));

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  child.stdin?.destroy();
  child.stdout?.destroy();
  child.stderr?.destroy();
}

/** Resolves once it is there; never when it does not come. */
function firstLine(from: Readable): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    from.on('data', (part: Buffer) => {
      said += part.toString('utf8');
      if (said.includes('\n')) resolve(said.slice(0, said.indexOf('\n')));
    });
  });
}

/** A TCP connection from here. */
export function dial(host: HostSpec, address: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen: true });
    const fail = (why: string, cause?: unknown): void => {
      socket.destroy();
      reject(new HostError('connect-refused', `Nothing can be reached at ${address}:${port} from host ${host.id} (${why}): check that something listens there.`, { cause }));
    };
    socket.setTimeout(CONNECT_MS, () => fail(`no answer within ${CONNECT_MS / 1000} s`));
    socket.once('error', (error) => fail(messageOf(error), error));
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
