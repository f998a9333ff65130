import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DriverFault } from '../drivers/driver.js';
import { createTickets } from './index.js';
import { webhookTracker } from './webhook.js';
import type { Trouble } from './tracker.js';

const KEY = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const JOB = '7f8c1d66-0000-4000-8000-000000000001';
const trouble: Trouble = { machine: 'mac-17', job: JOB, task: 'reboot', requester: 'ada', summary: 'problem with mac-17', body: 'it stayed down' };
const never = new AbortController().signal;

let server: Server;
let url: string;
let answer: (response: ServerResponse, times: number) => void;
let seen: { headers: IncomingMessage['headers']; body: string; url: string | undefined }[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part)).on('end', () => {
      seen.push({ headers: request.headers, body, url: request.url });
      answer(response, seen.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tickets`;
});
beforeEach(() => (seen = []));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const secrets = (key = KEY) => ({ read: () => Promise.resolve(Buffer.from(key)) });
const tell = (key = KEY) => webhookTracker({ kind: 'webhook', url, secret: 'hook' }, secrets(key), { answerMs: 500, pausesMs: [1, 1] }).tell(trouble, never);
const answers = (status: number, body: unknown, headers: Record<string, string> = {}) => {
  answer = (response) => response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
};

describe('a trouble', () => {
  test('is signed as Standard Webhooks says, with the job as its key', async () => {
    answers(200, { id: 'OPS-1', url: 'https://tickets.example/OPS-1', how: 'commented' });
    expect(await tell()).toEqual({ tracker: 'webhook', id: 'OPS-1', url: 'https://tickets.example/OPS-1', how: 'commented' });
    const [{ headers, body }] = seen as [(typeof seen)[0]];
    expect(JSON.parse(body)).toEqual({ ...trouble, tracker: 'mac-17' });
    expect(headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8', 'idempotency-key': JOB, 'webhook-id': JOB });
    const signed = createHmac('sha256', Buffer.alloc(32, 9)).update(`${JOB}.${String(headers['webhook-timestamp'])}.${body}`).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signed}`);
  });

  test.each([[{ id: 17 }, { tracker: 'webhook', id: '17', how: 'filed' }], [{ id: 'X', more: 'of theirs' }, { tracker: 'webhook', id: 'X', how: 'filed' }]])('an answer of %j', async (said, ticket) => {
    answers(201, said);
    expect(await tell()).toEqual(ticket);
  });

  test('is sent again when no answer came, with the same key', async () => {
    answer = (response, times) => (times === 1 ? response.socket!.destroy() : times === 2 ? response.writeHead(503).end() : response.end('{"id":"A"}'));
    expect(await tell()).toMatchObject({ id: 'A' });
    expect(seen.map(({ headers }) => headers['idempotency-key'])).toEqual([JOB, JOB, JOB]);
  });
});

describe('what goes wrong', () => {
  test.each([
    ['no', 422, 'no\nsuch team', /answered 422: no such team$/],
    ['it stays away', 503, '', /answered 503: nothing$/],
    ['a redirect', 302, '', /answered 302: it redirects, which is not followed/],
    ['no ticket', 200, 'thanks', /but without the ticket: it must answer JSON/],
    ['a URL that is a script', 200, { id: 'A', url: 'javascript:alert(1)' }, /but without the ticket/],
    ['an endless answer', 200, 'x'.repeat(5_000_000), /more than 4194304 bytes/],
  ])('%s', async (_what, status, body, message) => {
    answers(status, body, { location: `${url}/elsewhere` });
    await expect(tell()).rejects.toMatchObject({ fault: 'tracker', message: expect.stringMatching(message) });
    expect(seen.every(({ url: path }) => path === '/tickets')).toBe(true);
  });

  test('a server that says the key is told without it', async () => {
    answers(401, `no such key: ${KEY}`);
    const error = await tell().catch((reason: unknown) => reason as DriverFault);
    expect(error).toBeInstanceOf(DriverFault);
    expect(JSON.stringify(error) + (error as DriverFault).message).not.toContain(KEY.slice(6));
  });

  test('a secret that is no key is not sent', async () => {
    await expect(tell('hunter2hunter2')).rejects.toMatchObject({ fault: 'tracker', message: expect.stringMatching(/^The secret hook is no key that a webhook is signed with(?!.*hunter2)/) });
    expect(seen).toEqual([]);
  });
});

test('without a tracker in the configuration there are no tickets', async () => {
  expect(createTickets({}, secrets())).toBeUndefined();
  answers(200, { id: 'A' });
  expect(await createTickets({ tickets: { kind: 'webhook', url, secret: 'hook' } }, secrets())!.tell(trouble, never)).toMatchObject({ id: 'A' });
});
