import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import type { Problem } from '@berth/client';
import { scripted, type Scripted } from '../scripted.testing.js';
import { wire } from '../fuzz/wire.testing.js';

let berth: Scripted;
beforeAll(async () => {
  berth = await scripted();
});

// What the fuzz of the API found, and what it looks for.
const json = ['Content-Type', 'application/json'] as const;
test.each<[string, string, string, (readonly [string, string])[], string | undefined, number, string]>([
  ['a body that is nested too deep to be handed on', 'PUT', '/api/v1/blueprints/b', [json], `{"attributes":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`, 422, 'invalid-data'],
  ['a list that is', 'POST', '/api/v1/leases', [json], `{"type":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 422, 'invalid-data'],
  ['a body that is no JSON, of a route that wants none', 'POST', `/api/v1/leases/${randomUUID()}/files/folder?path=a`, [json], '{"a":1,}', 400, 'invalid-json'],
  ['a path that can not be read', 'GET', '/api/v1/leases/%zz', [], undefined, 400, 'bad-request'],
  ['a path with letters that no path has', 'GET', '/api/v1/leases/\u{10ffff}', [], undefined, 400, 'bad-request'],
  ['a name that is longer than any', 'GET', `/api/v1/leases/${'x'.repeat(5000)}`, [], undefined, 414, 'uri-too-long'],
  ['headers that are too large', 'GET', '/api/v1/leases', [['X-Much', 'x'.repeat(20_000)]], undefined, 431, 'headers-too-large'],
  ['an expectation that nobody knows', 'GET', '/api/v1/quota', [['Expect', 'the unexpected']], undefined, 417, 'expectation-failed'],
  ['a method that there is not', 'BREW', '/api/v1/leases', [], undefined, 400, 'bad-request'],
  ['a header with a NUL', 'GET', '/api/v1/leases', [['X-Odd', 'a\0b']], undefined, 400, 'bad-request'],
])('%s is refused like anything else', async (_name, method, path, headers, body, status, code) => {
  const { url, token } = berth.berth.access;
  const answer = await wire(url, method, path, [['Authorization', `Bearer ${token}`], ...headers], body);
  expect([answer.status, answer.headers.get('content-type'), (JSON.parse(answer.body) as Problem).code]).toEqual([status, 'application/problem+json', code]);
  expect(berth.sent).toEqual([]);
});

test('what is nested as deep as people write it is taken', async () => {
  berth.script({ SetQuota: () => ({ accepted: true, id: 'fleet' }) });
  expect((await berth.send('PUT', 'quota', JSON.parse(`{"a":${'['.repeat(98)}${']'.repeat(98)}}`))).status).toBe(202);
});
