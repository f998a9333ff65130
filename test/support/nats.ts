import type { BusUser } from '@berth/nats';
import { findNatsServer, resolveHome, startNats, type NatsOptions } from '@berth/embedded/servers';
import { atEndOfFile, tempFolder } from './cleanup.js';

/** A real nats-server of one test file, in a folder and on a port of its own. */
export interface TestNats {
  /** Without a login. */
  readonly url: string;
  /** With the login of a user, when it was started with `users`. */
  urlOf(user: BusUser): string;
  readonly port: number;
  readonly version: string;
  readonly home: string;
  /** Changes with every restart. */
  readonly pid: number;
  /** SIGKILL: nothing is flushed, no client is told. Resolves when the process is gone. */
  kill9(): Promise<void>;
  /** Starts it again (stopping it first if it runs) on the same port with the same store. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a nats-server with JetStream in a new temporary folder; it is stopped at the end of the file. */
export async function startTestNats(options: Partial<Omit<NatsOptions, 'home' | 'port'>> = {}): Promise<TestNats> {
  const home = await tempFolder('nats');
  // One copy of the program for all test files, where `npm start` keeps it too.
  const binary = options.binary ?? (await findNatsServer(resolveHome()));
  let server = await startNats({ ...options, binary, home });
  const { port, url, version } = server;
  const stop = atEndOfFile(() => server.stop());
  return {
    url,
    urlOf: (user) => server.urlOf(user),
    port,
    version,
    home,
    get pid() {
      return server.pid;
    },
    kill9: async () => {
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
    },
    restart: async () => {
      await server.stop();
      server = await startNats({ ...options, binary, home, port });
    },
    stop,
  };
}
