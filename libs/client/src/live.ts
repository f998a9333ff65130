import type { WebSocket } from 'ws';
import { checkedBodies, LiveEnd, type CommandInput, type LiveListener, type LiveOpening } from '@berth/contracts';
import type { Problem } from './api.js';
import { ProblemError } from './problem.js';
import { textOf, type Access } from './transport.js';

type Spec = CommandInput<'host-agent-gateway', 'RunAction'>['spec'];
/** What a terminal or a forward is asked for with. */
export type SessionInput<K extends 'terminal' | 'forward'> = Omit<Extract<Spec, { kind: K }>, 'kind'>;

const NORMAL = 1000;
const HANDSHAKE_MS = 15_000;

/**
 * Joins a live session over WebSocket; resolves when it is let in. The listener is told of its end, however that came, once.
 * Whoever leaves calls `abort` with the code `left`.
 *
 * @throws {ProblemError} a "no", or no answer
 */
export async function joinSession(access: Access, path: string, listener: LiveListener, opening: Omit<LiveOpening, 'window'> = {}): Promise<LiveEnd> {
  const url = new URL(path, access.url.endsWith('/') ? access.url : `${access.url}/`);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  // When it is needed: reading it takes a seventh of the time of a short command.
  const { WebSocket: Socket } = await import('ws');
  const socket = new Socket(url, { headers: { Authorization: `Bearer ${access.token}` }, perMessageDeflate: false, handshakeTimeout: HANDSHAKE_MS });
  await admitted(socket, access.url);
  const end = new LiveEnd((message) => socket.send(message), {
    ...(listener.opened && { opened: listener.opened.bind(listener) }),
    ...(listener.eof && { eof: listener.eof.bind(listener) }),
    ...(listener.resized && { resized: listener.resized.bind(listener) }),
    data: (stream, bytes) => listener.data(stream, bytes),
    ended(ending, by) {
      // What was sent before still goes out in front of it.
      socket.close(NORMAL);
      listener.ended(ending, by);
    },
  }, checkedBodies);
  socket.on('message', (message: Buffer) => end.receive(message));
  socket.on('error', () => undefined); // its close follows
  socket.on('close', (_code, reason) => end.abort({ code: 'gone', message: reason.length > 0 ? `The connection to Berth was closed: ${reason.toString()}.` : 'The connection to Berth was lost: open another.' }));
  end.begin(opening);
  return end;
}

function admitted(socket: WebSocket, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(new ProblemError(0, 'unavailable', `Berth does not answer at ${url} (${error.message}): start it with \`npm start\` or set BERTH_URL.`));
    socket.once('error', fail);
    socket.once('open', () => {
      socket.off('error', fail);
      resolve();
    });
    socket.once('unexpected-response', (_request, response) => {
      const status = response.statusCode ?? 0;
      textOf(response).then((text) => {
        const problem = JSON.parse(text) as Partial<Problem>;
        reject(new ProblemError(status, problem.code ?? 'not-berth', problem.detail ?? `What answers at ${url} is not Berth (HTTP ${status}): check BERTH_URL.`, problem.errors ?? []));
      }).catch(() => reject(new ProblemError(status, 'not-berth', `What answers at ${url} is not Berth (HTTP ${status}): check BERTH_URL.`)));
    });
  });
}
