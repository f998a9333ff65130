import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pauseAfter } from './delivery.js';
import { post } from './post.js';

let server: Server;
let url: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const seen: IncomingMessage[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(request);
    request.resume().on('end', () => answer(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const answers = (status: number, body = '', headers: Record<string, string> = {}) => {
  answer = (_request, response) => response.writeHead(status, headers).end(body);
};

describe('one try', () => {
  test.each([
    [200, 'delivered'], [204, 'delivered'], [301, 'refused'], [400, 'refused'], [401, 'refused'], [404, 'refused'], [408, 'failed'], [410, 'gone'], [425, 'failed'], [429, 'failed'], [500, 'failed'], [503, 'failed'],
  ])('%i is %s', async (status, outcome) => {
    answers(status);
    expect(await post(url, '{}', {})).toMatchObject({ outcome, status });
  });

  test('tells what the target said, on one line and not all of it', async () => {
    answers(422, `no such\n\u001b[31mproject ${'x'.repeat(10_000)}`);
    const { error } = (await post(url, '{}', {})) as { error: string };
    expect(error).toMatch(/^422 Unprocessable Entity: no such \[31mproject x+$/);
    expect(error.length).toBeLessThan(240);
  });

  test('does not follow a redirect, and says where it leads', async () => {
    answers(302, '', { Location: 'https://elsewhere.example/' });
    expect(await post(url, '{}', {})).toMatchObject({ outcome: 'refused', error: '302: it redirects to https://elsewhere.example/, which is not followed: name that URL if it is right' });
  });

  test.each([['2', 2000], ['999999', 3_600_000], ['nonsense', undefined], ['-5', undefined]])('Retry-After: %s', async (value, retryAfterMs) => {
    answers(503, '', { 'Retry-After': value });
    const tried = await post(url, '{}', {});
    expect('retryAfterMs' in tried ? tried.retryAfterMs : undefined).toBe(retryAfterMs);
  });

  test('nobody there, and a connection that breaks off, are failures with a reason', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await new Promise((resolve) => other.close(resolve));
    expect(await post(`http://127.0.0.1:${port}/`, '{}', {})).toMatchObject({ outcome: 'failed', status: null, error: 'ECONNREFUSED' });
    answer = (request) => request.socket.destroy();
    expect(await post(url, '{}', {})).toMatchObject({ outcome: 'failed', status: null, error: 'UND_ERR_SOCKET' });
  });
});

test('pauses double up to five minutes', () => expect([1, 2, 3, 9, 10, 100].map((attempt) => pauseAfter(attempt))).toEqual([1000, 2000, 4000, 256_000, 300_000, 300_000]));
