import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { run } from '@berth/cli';
import { CHECKOUT } from '@berth/embedded/servers';

/** The program as it is installed. */
export const BERTH = join(CHECKOUT, 'libs', 'cli', 'bin', 'berth.mjs');

/** How a run of the program ended, and what it said. */
export interface Ran {
  /** -1: by a signal */
  code: number;
  stdout: string;
  stderr: string;
}

/** Where the program is run: the state folder of Berth, the folder it is called in, and what else its environment has. */
export interface Desk {
  home: string;
  cwd: string;
  env?: NodeJS.ProcessEnv;
}

const environment = ({ home, env }: Desk): NodeJS.ProcessEnv => ({ ...process.env, BERTH_HOME: home, BERTH_URL: '', BERTH_TOKEN: '', ...env });

/** The program `berth` at a desk, which is asked for each time: it may be set up later, and change. */
export function cliAt(desk: () => Desk) {
  /** In this process: the same code, without what a start of Node takes (0.4 s of processor time), which is more than most commands do. */
  const piped = async (stdin: string, ...words: string[]): Promise<Ran> => {
    let [stdout, stderr] = ['', ''];
    const code = await run(words, {
      env: environment(desk()), cwd: desk().cwd, stdin: Readable.from([stdin]),
      stdout: { write: (text) => (stdout += Buffer.from(text).toString()) }, stderr: { write: (text) => (stderr += Buffer.from(text).toString()) },
    });
    return { code, stdout, stderr };
  };
  /** Starts a program in a process of its own: what a signal, a pipe or a shell does to it can be seen there alone. */
  const start = (program: string, words: readonly string[]): { ran: Promise<Ran>; interrupt(): void; said(): string } => {
    const { cwd } = desk();
    const child = spawn(program, words, { cwd, env: { ...environment(desk()), BERTH: `${process.execPath} ${BERTH}` }, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    return { ran: new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))), interrupt: () => child.kill('SIGINT'), said: () => stdout + stderr };
  };
  const berth = (...words: string[]): Promise<Ran> => piped('', ...words);
  return {
    berth,
    piped,
    /** `berth` in a process of its own. */
    begin: (...words: string[]) => start(process.execPath, [BERTH, ...words]),
    /** A line of a document, as a shell reads it. */
    asWritten: (line: string): Promise<Ran> => start('sh', ['-c', `npx() { shift; $BERTH "$@"; }\n${line}`]).ran,
    /** The one JSON value of a command that succeeds, and remarks nothing. */
    async json<T = Record<string, unknown>>(...words: string[]): Promise<T> {
      const end = words.includes('--') ? words.indexOf('--') : words.length;
      const { code, stdout, stderr } = await berth(...words.slice(0, end), '--json', ...words.slice(end));
      if (code !== 0 || stderr !== '') throw new Error(`berth ${words.join(' ')} ended with ${code}: ${stdout}${stderr}`);
      return JSON.parse(stdout) as T;
    },
  };
}
