import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { atEndOfFile } from '../../../test/support/cleanup.js';
import { cliAt, type Ran } from '../../../test/support/cli.js';

/** A request as the server got it. */
export interface Asked {
  method: string;
  path: string;
  body: unknown;
}
/** What a route is answered with: a status, and a value as JSON or a text as it is. */
type Answer = readonly [status: number, body: unknown];
export type Routes = Record<string, Answer | ((asked: Asked) => Answer | Promise<Answer>)>;

/** An HTTP server that says what the spec tells it to, and the program run against it in this process. */
export interface FakeBerth {
  asked: Asked[];
  /** By `METHOD path`, without the query; `*` stands for one part of a path. */
  routes(routes: Routes): void;
  berth(...words: string[]): Promise<Ran>;
  /** The same with something on standard input. */
  piped(stdin: string, ...words: string[]): Promise<Ran>;
}

/** Starts it; it ends with the test file. */
export async function fakeBerth(): Promise<FakeBerth> {
  const asked: Asked[] = [];
  let known: Routes = {};
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const text = Buffer.concat(pieces).toString();
    const one: Asked = { method: request.method!, path: request.url!.replace('/api/v1/', ''), body: text === '' ? undefined : request.headers['content-type'] === 'application/octet-stream' ? text : JSON.parse(text) };
    asked.push(one);
    const place = `${one.method} ${one.path.replace(/\?.*/, '')}`;
    const key = Object.keys(known).find((pattern) => new RegExp(`^${pattern.replaceAll('*', '[^/]+')}$`).test(place));
    const route = key === undefined ? undefined : known[key];
    if (route === undefined) return [404, { code: 'not-found', detail: `no route ${one.method} ${one.path}`, errors: [] }];
    return typeof route === 'function' ? route(one) : route;
  };
  const server = createServer((request, response) => {
    void answer(request).then(([status, body]) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEndOfFile(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const env = { BERTH_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, BERTH_TOKEN: 'x' };
  const { berth, piped } = cliAt(() => ({ home: '/nowhere', cwd: process.cwd(), env }));
  return {
    asked,
    routes(next) {
      known = next;
      asked.length = 0;
    },
    berth,
    piped,
  };
}
