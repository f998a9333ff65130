import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { sendHttp } from './http.js';

interface Seen {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}
let seen: Seen[] = [];
let here = '';
let elsewhere = '';
const servers: Server[] = [];

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part)).on('end', () => {
      seen.push({ method: request.method, url: request.url, headers: request.headers, body });
      answer(request, response);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  elsewhere = await listen((_request, response) => response.end('elsewhere'));
  here = await listen((request, response) => {
    const [, what = '', argument = ''] = request.url!.split('/');
    if (what === 'status') response.writeHead(Number(argument)).end(`status ${argument}`);
    else if (what === 'away') response.writeHead(307, { location: `${elsewhere}/there` }).end();
    else if (what === 'near') response.writeHead(307, { location: '/status/200' }).end();
    else if (what === 'round') response.writeHead(302, { location: '/round' }).end();
    else if (what === 'large') response.end(Buffer.alloc(Number(argument), 'x'));
    else if (what === 'nul') response.end('a\0b');
    else if (what === 'cut') response.writeHead(200, { 'content-length': '100' }).write('begun', () => request.socket.destroy());
    else if (what === 'slowly') response.write('begun');
    else if (what !== 'never') response.end('fine');
  });
});
beforeEach(() => (seen = []));
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const ask = (path: string, { secret, ...more }: Partial<Parameters<typeof sendHttp>[0]> & { secret?: string } = {}, stop = new AbortController().signal) =>
  sendHttp({ url: `${here}${path}`, method: 'GET', headers: {}, timeoutMs: 5000, ...more }, stop, secret);

test('what is sent', async () => {
  expect(await ask('/x?y=1', { method: 'PUT', headers: { 'x-own': 'a', 'idempotency-key': 'k' }, body: '{"a":1}', secret: 's3cret' })).toMatchObject({ kind: 'http', status: 200, body: 'fine' });
  expect(seen).toMatchObject([{ method: 'PUT', url: '/x?y=1', body: '{"a":1}', headers: { 'x-own': 'a', 'idempotency-key': 'k', authorization: 'Bearer s3cret' } }]);
});
test.each([200, 201, 404, 500, 503])('an answer of %d is an answer', async (status) => expect(await ask(`/status/${status}`)).toMatchObject({ kind: 'http', status, body: `status ${status}` }));
test('without a secret there is no credential', async () => {
  await ask('/x');
  expect(seen[0]!.headers).not.toHaveProperty('authorization');
});
test('a redirect is followed, with the secret where it stays here', async () => {
  expect(await ask('/near', { secret: 's3cret' })).toMatchObject({ status: 200 });
  expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer s3cret', 'Bearer s3cret']);
});
test('and without it where it leads elsewhere', async () => {
  expect(await ask('/away', { secret: 's3cret', method: 'POST', body: 'x' })).toMatchObject({ status: 200, body: 'elsewhere' });
  expect(seen.map(({ url, headers, body }) => [url, headers.authorization, body])).toEqual([['/away', 'Bearer s3cret', 'x'], ['/there', undefined, 'x']]);
});
test('a redirect that leads nowhere', async () => expect(await ask('/round')).toMatchObject({ kind: 'failed', error: expect.stringMatching(/^127\.0\.0\.1:\d+ can't be asked: redirect count exceeded$/) }));
test('a redirect that is refused is the answer itself, and nothing is asked elsewhere', async () => {
  expect(await ask('/away', { redirects: 'refuse', headers: { 'x-own-key': 'k' } })).toMatchObject({ kind: 'http', status: 307 });
  expect(seen.map(({ url }) => url)).toEqual(['/away']);
});
test('and more or less of it where that is said', async () => {
  const reply = await ask(`/large/${20_000_000}`, { most: 100_000 });
  expect(reply.kind === 'http' && reply.body.length).toBe(100_000);
});
test('of a large answer the beginning is read', async () => {
  const reply = await ask(`/large/${20_000_000}`);
  expect(reply.kind === 'http' && reply.body.length).toBe(64 * 1024);
});
test('a NUL, which nothing that is stored can have, is left out', async () => expect(await ask('/nul')).toMatchObject({ body: 'ab' }));
test.each(['/never', '/slowly'])('an answer that does not come in time: %s', async (path) => expect(await ask(path, { timeoutMs: 50 })).toMatchObject({ kind: 'failed', error: expect.stringMatching(/^127\.0\.0\.1:\d+ gave no answer within 0\.05 s$/) }));
test('an answer that is cut off', async () => expect(await ask('/cut')).toMatchObject({ kind: 'failed', error: expect.stringMatching(/can't be asked: /) }));
test('nobody listens', async () => {
  const gone = await listen(() => undefined);
  await new Promise((resolve) => servers.pop()!.close(resolve));
  expect(await ask('', { url: gone })).toMatchObject({ kind: 'failed', error: `${new URL(gone).host} can't be asked: ECONNREFUSED` });
});
test('a body that can not be sent', async () => expect(await ask('/x', { body: 'x' })).toMatchObject({ kind: 'failed', error: expect.stringContaining("can't be asked: Request with GET/HEAD method cannot have body") }));
test('the service stops', async () => {
  const stop = new AbortController();
  const reply = ask('/never', {}, stop.signal);
  stop.abort();
  expect(await reply).toMatchObject({ kind: 'failed' });
});
