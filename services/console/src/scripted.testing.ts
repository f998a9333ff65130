import { randomUUID } from 'node:crypto';
import { connect, type NatsConnection } from 'nats';
import { httpClient, type BerthHttp } from '@berth/client';
import { rejected, type Answer, type Commit, type Kind } from '@berth/contracts';
import { jetStreamStore, type EventStore } from '@berth/event-store';
import type { Config } from '@berth/runtime';
import { atEndOfFile, tempFolder } from '../../../test/support/cleanup.js';
import { startTestNats } from '../../../test/support/nats.js';
import { freshDatabase } from '../../../test/support/postgres.js';
import { watchAnswers } from './api.testing.js';
import { startConsole, type RunningConsole } from './console.module.js';

/** A command as the responder got it. */
export interface Sent {
  type: string;
  id: string;
  data: Record<string, unknown>;
  actor?: string;
  after?: number;
  base?: number;
}
/** What a command is answered with; undefined = no answer at all. */
export type Script = (command: Sent) => Answer | Promise<Answer> | undefined;

/** A console, real bus and database, and one responder in place of all other services, which says what the spec tells it to. */
export interface Scripted {
  bus: NatsConnection;
  console: RunningConsole;
  /** of the installation: it may do everything */
  token: string;
  store: EventStore;
  berth: BerthHttp;
  /** commands in the order they came; a repeat of one that got no answer is among them */
  sent: Sent[];
  /** Replaces what commands are answered with. */
  script(answers: Record<string, Script>): void;
  /** Stores events of one thing after whatever it has; gives the position. */
  happen(kind: Kind, id: string, ...events: Commit['events']): Promise<number>;
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** the log of the console */
  logFile: string;
  send(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** Starts it; everything ends with the test file. */
export async function scripted(more: Partial<Config> = {}): Promise<Scripted> {
  const [nats, databaseUrl, home] = await Promise.all([startTestNats(), freshDatabase(), tempFolder('scripted')]);
  const config: Config = { home, httpPort: 0, natsUrl: nats.url, databaseUrl, logLevel: 'info', sweepMs: 60_000, sweepGraceMs: 300_000, logFile: `${home}/log`, ...more };
  const token = randomUUID();
  const fail = (error: Error) => {
    throw error;
  };
  const running = await startConsole(config, fail, { token, readiness: () => Promise.resolve({}), watch: watchAnswers });
  atEndOfFile(() => running.stop());
  const bus = await connect({ servers: nats.url });
  atEndOfFile(() => bus.close());
  const store = jetStreamStore(bus);
  const sent: Sent[] = [];
  let answers: Record<string, Script> = {};
  bus.subscribe('berth.cmd.>', {
    callback: (_error, message) => {
      // Its own commands the console carries out itself.
      if (message.subject.startsWith('berth.cmd.console.')) return;
      const command = message.json<Sent>();
      sent.push(command);
      const script = answers[command.type];
      const answer = script ? script(command) : rejected('unknown-command', `the spec has no answer to ${command.type}`);
      void Promise.resolve(answer).then((text) => text && message.respond(JSON.stringify(text)));
    },
  });
  await bus.flush();
  const revisions = new Map<string, number>();
  const ask = (path: string, init: RequestInit = {}) => fetch(`${running.url}/api/v1/${path}`, { ...init, headers: { Authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) } });
  return {
    bus,
    console: running,
    token,
    store,
    berth: httpClient({ url: running.url, token }),
    sent,
    logFile: config.logFile!,
    script(next) {
      answers = next;
      sent.length = 0;
    },
    async happen(kind, id, ...events) {
      const commit: Commit = { id: randomUUID(), at: new Date().toISOString(), actor: 'spec', cause: 'spec', events };
      const position = await store.append(kind, id, revisions.get(`${kind} ${id}`) ?? 0, commit);
      revisions.set(`${kind} ${id}`, position);
      return position;
    },
    ask,
    send: (method, path, body, headers = {}) => ask(path, { method, ...(body !== undefined && { body: JSON.stringify(body) }), headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers } }),
  };
}
