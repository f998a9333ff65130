import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';

/**
 * The two ends of the benchmark of the live feed, each in a process of its own: `serve` is a plain HTTP server that hands the
 * same bytes to all who listen, `listen` opens connections and takes the time at which each event arrives.
 */

/** What a process is asked for, as a message. */
export type Order = { serve: true } | { emit: string } | { listen: { url: string; token: string; connections: number; events: number } };
/** What it tells. `delays`: of every event at every connection, in milliseconds since it was sent. */
export type Told = { url: string } | { listening: number } | { delays: number[] };

/** Who has caused an event of the benchmark: the time at which it was sent. */
const SENT = /"actor":"sent (\d+\.\d+)"/g;
const now = (): number => performance.timeOrigin + performance.now();
/** The time as an actor. */
export const sentNow = (): string => `sent ${now().toFixed(3)}`;

const tell = (told: Told) => process.send?.(told);
const responses = new Set<ServerResponse>();

process.on('message', (order: Order) => {
  if ('serve' in order) void serve();
  else if ('emit' in order) for (const response of responses) response.write(order.emit);
  else void listen(order.listen);
});

async function serve(): Promise<void> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write(': hello\n\n');
    responses.add(response);
    response.once('close', () => responses.delete(response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  tell({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
}

async function listen({ url, token, connections, events }: { url: string; token: string; connections: number; events: number }): Promise<void> {
  const { hostname, port, pathname, search } = new URL(url);
  const delays: number[] = [];
  let listening = 0;
  await Promise.all(
    Array.from({ length: connections }, () => {
      let rest = '';
      let seen = 0;
      return new Promise<void>((resolve, reject) => {
        const socket = connect({ host: hostname, port: Number(port) });
        socket.setEncoding('latin1');
        socket.once('error', reject);
        socket.once('close', () => (seen >= events ? resolve() : reject(new Error(`a subscriber was cut off after ${seen} of ${events} events`))));
        socket.once('data', () => {
          if (++listening === connections) tell({ listening });
        });
        socket.on('data', (text: unknown) => {
          const at = now();
          const parts = (rest + (text as string)).split('\n\n');
          rest = parts.pop()!;
          for (const [, sent] of parts.join().matchAll(SENT)) {
            delays.push(at - Number(sent));
            if (++seen === events) socket.destroy();
          }
        });
        socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nAccept: text/event-stream\r\n\r\n`);
      });
    }),
  );
  tell({ delays });
}
