import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { atEndOfFile } from '../../../test/support/cleanup.js';
import { httpClient } from './http.js';

/** A server that cuts off the first answer in the middle. */
const log = 'one\ntwo\nthree\n';
let asked: URLSearchParams[] = [];
let url: string;
beforeAll(async () => {
  const server = createServer((request, response) => {
    const query = new URL(request.url!, 'http://x').searchParams;
    asked.push(query);
    if (query.has('download')) {
      const packed = gzipSync(log);
      response.writeHead(200, { 'Content-Encoding': 'gzip' });
      if (query.has('step')) response.write(packed.subarray(0, 15), () => response.destroy());
      else response.end(packed);
      return;
    }
    response.writeHead(200, query.has('tail') ? { 'Berth-From': '7:2' } : {});
    const rest = log.slice(Number(query.get('offset') ?? 0));
    if (asked.length === 1) response.write(rest.slice(0, 6), () => setImmediate(() => response.destroy()));
    else response.end(rest);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEndOfFile(() => {
    server.close();
    server.closeAllConnections();
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  asked = [];
});

async function text(source: AsyncIterable<Uint8Array | string>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString();
}

test('a log that was cut off goes on at its byte', async () => {
  expect(await text(httpClient({ url, token: 'x' }).builds.log('b', { timestamps: true }))).toBe(log);
  expect(asked.map(String)).toEqual(['timestamps=true', 'timestamps=true&offset=6']);
});

test('the last lines are asked for by their number then: by now others are the last ones', async () => {
  expect(await text(httpClient({ url, token: 'x' }).builds.log('b', { tail: 3, follow: true }))).toBe(log);
  expect(asked.map(String)).toEqual(['follow=true&tail=3', 'follow=true&from=7%3A2&offset=6']);
});

test('a download is unpacked, and fails when it does not come whole', async () => {
  const { builds } = httpClient({ url, token: 'x' });
  expect(await text(await builds.downloadLog('b'))).toBe(log);
  await expect(builds.downloadLog('b', { step: 'Make' }).then(text)).rejects.toThrow();
});
