import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { chatNotifier } from './chat.js';
import { Refused, type Words } from './notifier.js';

const words: Words = { subject: '', line: 'reboot of "mac-17" begins', text: '', to: [] };
const never = new AbortController().signal;
let server: Server;
let url: string;
let answer: (response: ServerResponse, request: IncomingMessage) => void;
let seen: { url: string | undefined; type: string | undefined; body: unknown }[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part)).on('end', () => {
      seen.push({ url: request.url, type: request.headers['content-type'], body: JSON.parse(body) });
      answer(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T0/B0/s3cr3t-p4th`;
});
beforeEach(() => (seen = []));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
const tell = (value = url) => chatNotifier({ secret: 'chat' }, { read: () => Promise.resolve(Buffer.from(`${value}\n`)) }).tell(words, 'k', never);
const fault = async (told: Promise<void>) => told.then(() => expect.unreachable(), (error: Error) => error);

test('it is told as text', async () => {
  answer = (response) => response.end('ok');
  await tell();
  expect(seen).toEqual([{ url: '/services/T0/B0/s3cr3t-p4th', type: 'application/json; charset=utf-8', body: { text: 'reboot of "mac-17" begins' } }]);
});

test.each([[500, false], [429, false], [404, true], [403, true], [302, true]])('an answer of %d, and whether that is the end of it', async (status, given) => {
  answer = (response, { url: path }) => response.writeHead(status, { location: '/elsewhere' }).end(`no such hook: ${path}`);
  const error = await fault(tell());
  expect(error instanceof Refused).toBe(given);
  expect(error.message).toMatch(new RegExp(`^the chat answered ${status}(: it redirects, which is not followed)?$`));
  expect(seen).toHaveLength(1);
});

test('the URL is in no error', async () => {
  answer = (_response, request) => request.socket.destroy();
  const { message } = await fault(tell());
  expect(message).toMatch(/^the chat did not take it: it can't be asked/);
  expect((await fault(tell('s3cr3t-p4th'))).message).toMatch(/^The secret chat is no URL: .*chat\.example\/hooks\/KEY$/);
  expect((await fault(tell('file:///s3cr3t-p4th'))).message).toMatch(/^The secret chat is no URL(?!.*s3cr3t)/);
});
