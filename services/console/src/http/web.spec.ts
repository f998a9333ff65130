import Fastify, { type FastifyInstance } from 'fastify';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { atEndOfFile, tempFolder } from '../../../../test/support/cleanup.js';
import { serveWeb } from './web.js';

const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const SCRIPT = `export const words = ${JSON.stringify('lease '.repeat(500))};`;
let server: FastifyInstance;

async function serving(folder: string): Promise<FastifyInstance> {
  const own = Fastify();
  own.get('/healthz', () => ({ status: 'ok' }));
  own.get('/api/v1/leases', () => ({ items: [] }));
  own.setNotFoundHandler((_request, reply) => reply.code(404).send({ code: 'not-found' }));
  serveWeb(own, folder);
  await own.ready();
  atEndOfFile(() => own.close());
  return own;
}

beforeAll(async () => {
  const outside = await tempFolder('web');
  const folder = join(outside, 'dist');
  await mkdir(join(folder, 'assets'), { recursive: true });
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Berth</title>');
  await writeFile(join(folder, 'assets', 'index-1a2b.js'), SCRIPT);
  await writeFile(join(outside, 'secret-of-nobody.txt'), 'no');
  server = await serving(folder);
});

describe('the dashboard over HTTP', () => {
  test.each(['/', '/leases', '/leases/3f0a?sort=owner', '/login?once=abc'])('%s is the page, asked for anew each time', async (url) => {
    const answer = await server.inject({ url, headers: BROWSER });
    expect([answer.statusCode, answer.body]).toEqual([200, '<!doctype html><title>Berth</title>']);
    expect(answer.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
    const again = await server.inject({ url, headers: { ...BROWSER, 'if-none-match': String(answer.headers['etag']) } });
    expect([again.statusCode, again.body]).toEqual([304, '']);
  });

  test('what has a digest in its name is kept for ever, and packed for whoever takes it', async () => {
    const plain = await server.inject({ url: '/assets/index-1a2b.js' });
    expect([plain.statusCode, plain.body, plain.headers['content-encoding']]).toEqual([200, SCRIPT, undefined]);
    expect(plain.headers).toMatchObject({ 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'public, max-age=31536000, immutable', 'x-content-type-options': 'nosniff' });
    const packed = await server.inject({ url: '/assets/index-1a2b.js', headers: { 'accept-encoding': 'gzip, br' } });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(packed.rawPayload.length).toBeLessThan(SCRIPT.length);
    expect(gunzipSync(packed.rawPayload).toString()).toBe(SCRIPT);
  });

  test.each(['/api', '/api/v1/nothing', '/api/v1/leases/x', '/%61pi/v1/nothing', '/metrics', '/metrics/more', '/healthz/more', '/assets/index-9z.js', '/%'])('%s is no page, whoever asks', async (url) => {
    const answer = await server.inject({ url, headers: BROWSER });
    expect([answer.statusCode >= 400, answer.headers['content-type']?.toString().includes('html')]).toEqual([true, false]);
  });

  test('a script that asks for what is not there is told so, not sent a page', async () => {
    for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json' }]) expect((await server.inject({ url: '/leases', headers })).statusCode).toBe(404);
    expect((await server.inject({ url: '/leases', method: 'POST', headers: BROWSER })).statusCode).toBe(404);
  });

  test.each(['/../secret-of-nobody.txt', '/..%2Fsecret-of-nobody.txt', '/assets/..%2f..%2fsecret-of-nobody.txt', '/assets/%2e%2e/%2e%2e/secret-of-nobody.txt'])('%s leads nowhere', async (url) => {
    expect((await server.inject({ url })).statusCode).toBe(404);
  });

  test('routes of the API go before it', async () => {
    expect((await server.inject({ url: '/api/v1/leases', headers: BROWSER })).json()).toEqual({ items: [] });
    expect((await server.inject({ url: '/healthz', headers: BROWSER })).json()).toEqual({ status: 'ok' });
  });

  test('one that was not built is not there', async () => {
    expect((await (await serving('/nowhere')).inject({ url: '/', headers: BROWSER })).statusCode).toBe(404);
  });
});
