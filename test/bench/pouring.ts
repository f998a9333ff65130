import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';

/**
 * The two ends of the benchmark of followers, each in a process of its own so that neither's work counts for the other:
 * `serve` is a plain HTTP server that pours the same bytes from memory, `drink` opens connections and counts what comes.
 */

/** What a process is asked for, as a message. */
export type Order =
  | { serve: { mib: number } }
  /** of `serve`: begin to pour */
  | { pour: true }
  /** connections that ask and then take nothing */
  | { stall: { url: string; token: string; connections: number } }
  | { drink: { url: string; token: string; connections: number; bytes: number } };
/** What it tells. */
export type Told = { url: string } | { waiting: number } | { drunk: number };

const CHUNK = 64 * 1024;
const tell = (told: Told) => process.send?.(told);

process.on('message', (order: Order) => {
  if ('serve' in order) void serve(order.serve.mib);
  else if ('stall' in order) void stall(order.stall);
  else if ('drink' in order) void drink(order.drink);
});

/** Each connection gets all bytes, no faster than it takes them, once it is told to begin. */
async function serve(mib: number): Promise<void> {
  const chunk = Buffer.alloc(CHUNK, 'x');
  let begin!: () => void;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  process.on('message', (order: Order) => 'pour' in order && begin());
  const server = createServer((_request, response) => {
    response.flushHeaders();
    void (async () => {
      await begun;
      for (let i = 0; i < (mib * 1024 * 1024) / CHUNK; i++) if (!response.write(chunk)) await once(response, 'drain');
      response.end();
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  tell({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
}

const asks = ({ pathname, search }: URL, token: string): string => `GET ${pathname}${search} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;

async function stall({ url, token, connections }: { url: string; token: string; connections: number }): Promise<void> {
  const target = new URL(url);
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ host: target.hostname, port: Number(target.port) });
      socket.pause();
      socket.on('error', () => undefined); // its end is none of its business
      socket.write(asks(target, token));
      await once(socket, 'connect');
    }),
  );
  tell({ waiting: connections });
}

/** Counts bytes off the wire; nothing is kept. */
async function drink({ url, token, connections, bytes }: { url: string; token: string; connections: number; bytes: number }): Promise<void> {
  const target = new URL(url);
  const buffer = Buffer.allocUnsafe(256 * 1024); // one for all: nobody looks at it
  let waiting = 0;
  const all = await Promise.all(
    Array.from({ length: connections }, () => {
      let got = 0;
      return new Promise<number>((resolve, reject) => {
        const onread = {
          buffer,
          callback: (length: number) => {
            if (got === 0 && ++waiting === connections) tell({ waiting });
            got += length;
            return true;
          },
        };
        const socket = connect({ host: target.hostname, port: Number(target.port), onread });
        socket.resume(); // or its end would not be seen
        socket.once('error', reject);
        socket.once('close', () => (got >= bytes ? resolve(got) : reject(new Error(`a connection was closed after ${got} of ${bytes} bytes`))));
        socket.write(asks(target, token));
      });
    }),
  );
  tell({ drunk: all.reduce((sum, one) => sum + one, 0) });
}
