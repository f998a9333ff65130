import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { checkedBodies, decodeFrame, encodeFrame, type ActionKind, type LiveEnding } from '@berth/contracts';
import { relayLive, type Runtime } from '@berth/runtime';
import type { Door } from '../access/door.js';
import { asProblem } from '../http/filter.js';
import { HttpProblem, notFound, problemBody } from '../http/problem.js';
import { actionEnded } from '../views/action.js';
import type { Reads } from '../views/reads.js';
import type { Ends } from './ends.js';

/** A frame of a live session is at most this large; so is a message of the bus that carries it. */
const MOST_MESSAGE = 64 * 1024;
/** More than an honest end can have on its way: whoever gives room back without reading is cut off. */
const MOST_WAITING = 4 * 1024 * 1024;
/** Whoever answers none of these is not there any more. */
const PING_MS = 10_000;
/** How long the host's own word for the end of a session has, once its action has ended. */
const LAST_WORD_MS = 1000;
/** The other side has this long to answer a goodbye. */
const CLOSING_MS = 2000;

const NORMAL = 1000;
const GOING_AWAY = 1001;
const PROTOCOL = 1002;
const SESSIONS: readonly string[] = ['terminal', 'forward'] satisfies ActionKind[];

/**
 * Terminals and forwards over WebSocket: each message is a frame of the session, handed on as it is. The two ends keep each
 * other's pace, so what waits here is bounded by what they have room for; here it is seen who may, and who has gone.
 */
export class Sessions {
  private readonly sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_MESSAGE, perMessageDeflate: false, clientTracking: true });
  private stopped = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly reads: Reads,
    private readonly ends: Ends,
  ) {}

  /** Takes the upgrades of a server. */
  attach(server: Server, door: Pick<Door, 'admitLive'>): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const broken = (): void => void socket.destroy();
      socket.on('error', broken);
      this.admitted(request, door).then(
        (action) => {
          socket.off('error', broken);
          this.sockets.handleUpgrade(request, socket, head, (webSocket) => this.serve(action, webSocket));
        },
        (error: unknown) => refuse(socket, asProblem(error)),
      );
    });
  }

  /** Ends all: their ends are told by those at the other side, or by their silence. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const socket of this.sockets.clients) socket.close(GOING_AWAY, 'the console was stopped');
    const closed = Promise.all([...this.sockets.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    const late = setTimeout(() => this.sockets.clients.forEach((socket) => socket.terminate()), CLOSING_MS);
    await closed;
    clearTimeout(late);
  }

  /** @throws {HttpProblem} */
  private async admitted(request: IncomingMessage, door: Pick<Door, 'admitLive'>): Promise<string> {
    const path = request.url?.split('?')[0] ?? '';
    const id = /^\/api\/v1\/actions\/([^/?]+)\/live$/.exec(path)?.[1];
    await door.admitLive(request, path, id);
    if (id === undefined) throw notFound('not-found', 'live session here', 'the documentation of the HTTP API');
    const action = await this.reads.action(id);
    if (!action) throw notFound('unknown-action', `action ${JSON.stringify(id)}`, 'the history of its lease');
    if (!SESSIONS.includes(action.kind)) throw new HttpProblem('invalid-data', `The action is a ${action.kind}: nobody can talk to it.`, [{ field: 'id', message: 'is neither a terminal nor a forward' }]);
    if (this.stopped) throw new HttpProblem('unavailable', 'The console is being stopped: try again in a moment.');
    if (actionEnded(action)) throw new HttpProblem('session-ended', `The ${action.kind} is over: ${action.error ?? action.status}.`);
    return action.id;
  }

  private serve(action: string, socket: WebSocket): void {
    const { connection, log } = this.runtime;
    // The number of the next message of each way, in case that the last word on it is ours.
    let [up, down] = [0, 0];
    let over = false;
    const relay = relayLive(connection, action, randomUUID(), (message) => {
      down = numberOf(message) + 1;
      if (socket.bufferedAmount > MOST_WAITING) socket.terminate();
      else socket.send(message);
    });
    const hand = (data: RawData, binary: boolean): void => {
      try {
        const message = data as Buffer;
        if (!binary) throw new Error('a frame is a binary message');
        up = numberOf(message) + 1;
        relay.up(message);
      } catch (error) {
        socket.close(PROTOCOL, brief((error as Error).message));
      }
    };
    const gone = new AbortController();
    const finish = (ending: LiveEnding): void => {
      if (over || socket.readyState !== socket.OPEN) return;
      socket.send(encodeFrame({ type: 'abort', ending }, down));
      socket.close(NORMAL, brief(ending.message));
    };
    let answered = true;
    const pings = setInterval(() => {
      if (!answered) return socket.terminate();
      answered = false;
      socket.ping();
    }, PING_MS);
    socket.on('message', hand);
    socket.on('pong', () => (answered = true));
    socket.on('error', (error) => log.info({ error, action }, 'a live session was cut off'));
    socket.on('close', (code) => {
      over = true;
      clearInterval(pings);
      gone.abort();
      const ending = code === NORMAL ? { code: 'left', message: 'Whoever was there left.' } : code === GOING_AWAY ? { code: 'interrupted', message: 'The console was stopped.' } : { code: 'gone', message: 'The connection to whoever was there was lost.' };
      if (up > 0 && !connection.isClosed()) relay.up(encodeFrame({ type: 'abort', ending }, up));
      relay.close();
    });
    this.ends.ofAction(action, gone.signal).then(
      ({ kind, error, status }) => setTimeout(() => finish({ code: status, message: `The ${kind} is over: ${error ?? status}.` }), LAST_WORD_MS).unref(),
      (error: unknown) => {
        if (!gone.signal.aborted) finish({ code: 'unavailable', message: `It is not known any more how it is: ${(error as Error).message}.` });
      },
    );
  }
}

const numberOf = (message: Uint8Array): number => decodeFrame(message, checkedBodies).number;

/** The reason of a close is at most 123 bytes. */
const brief = (text: string): string => Buffer.from(text).subarray(0, 120).toString('utf8').replace(/\uFFFD+$/, '');

function refuse(socket: Duplex, problem: HttpProblem): void {
  const body = problemBody(problem);
  const lines = [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Refused'}`, 'Content-Type: application/problem+json', `Content-Length: ${body.byteLength}`, 'Connection: close', ...(problem.status === 401 ? ['WWW-Authenticate: Bearer realm="berth"'] : []), ...(problem.retryAfter !== undefined ? [`Retry-After: ${problem.retryAfter}`] : [])];
  socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]));
}
