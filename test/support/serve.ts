import { findTool, isAlive, stopProcess } from '@berth/embedded/servers';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { atEndOfFile, tempFolder } from './cleanup.js';
import { FILE_MARK } from './leaks.js';

/** A server program of one test file, in a process group of its own. */
export interface Served {
  readonly pid: number;
  /** What it has said by now. */
  said(): string;
  stop(): Promise<void>;
}

/** Starts a program that serves in the foreground; it is stopped at the end of the file at the latest. */
export async function serve(program: Parameters<typeof findTool>[0], args: readonly string[], { cwd, env = {} }: { cwd: string; env?: Record<string, string> }): Promise<Served> {
  const path = await findTool(program);
  const mark = process.env[FILE_MARK];
  const child = spawn(path, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], LC_ALL: 'C', ...(mark === undefined ? {} : { [FILE_MARK]: mark }), ...env } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-65_536)));
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const pid = child.pid!;
  const stop = atEndOfFile(() => stopProcess(pid));
  return {
    pid,
    said: () => said,
    stop: async () => {
      await stop();
      if (isAlive(pid)) throw new Error(`${program} did not stop`);
    },
  };
}

/** A port of UDP that was free a moment ago. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

/** Programs that do what a test says: whoever runs the file talks to a function of the test. */
export interface Puppets {
  /** The command line that runs one, to which whoever runs it may add words. */
  command(...words: string[]): string;
  /** A program of such a name, in a folder of its own. */
  install(name: string): Promise<{ folder: string }>;
  stop(): Promise<void>;
}

const PUPPET = `
const [socket, ...words] = process.argv.slice(2);
const peer = require('node:net').connect(socket);
peer.write(JSON.stringify(words) + '\\n');
if (words[0] === '-') process.stdin.on('data', (chunk) => peer.write(chunk)).on('end', () => peer.end());
let first = true;
peer.on('data', (chunk) => {
  // A minus at the front: it has failed.
  if (first && chunk[0] === 0x2d) process.exitCode = 1, chunk = chunk.subarray(1);
  first = false;
  process.stdout.write(chunk);
}).on('close', () => process.stdin.destroy()).on('error', () => process.exit(1));
`;

/**
 * @param run is told the words that one was run with. What it gives is printed; one that throws makes the program fail.
 * @param talk is told each line of the input of one that is run with `-` as its first word, and what it gives is printed.
 */
export async function startPuppets(run: (words: string[]) => string | Promise<string>, talk: (line: string) => string | undefined = () => undefined): Promise<Puppets> {
  const folder = await tempFolder('puppets');
  const socketPath = join(folder, 's');
  const program = join(folder, 'puppet.cjs');
  await writeFile(program, PUPPET);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    let input = '';
    let talking: boolean | undefined;
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      input += chunk;
      const lines = input.split('\n');
      input = lines.pop() ?? '';
      for (const line of lines) {
        if (talking === undefined) {
          const words = JSON.parse(line) as string[];
          talking = words[0] === '-';
          if (!talking) void Promise.resolve().then(() => run(words)).then((text) => socket.end(text), (error: Error) => socket.end(`-${error.message}\n`));
        } else {
          const answer = talk(line);
          if (answer !== undefined) socket.write(answer);
        }
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  const stop = atEndOfFile(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const command = (...words: string[]): string => [process.execPath, program, socketPath, ...words].join(' ');
  return {
    command,
    install: async (name) => {
      const file = join(folder, name);
      await writeFile(file, `#!/bin/sh\nexec ${command(name)} "$@"\n`);
      await chmod(file, 0o755);
      return { folder };
    },
    stop,
  };
}
