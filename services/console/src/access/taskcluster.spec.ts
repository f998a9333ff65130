import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import Hawk from 'hawk';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { jobTasks } from '@berth/contracts';
import { atEndOfFile } from '../../../../test/support/cleanup.js';
import { gateway, jobOf } from '../http/jobs.testing.js';
import { scripted, type Scripted } from '../scripted.testing.js';
import { permits, Taskcluster } from './taskcluster.js';

const KEY = 'a-secret-of-the-client';
/** Clients that the deployment knows, with their scopes. */
const clients: Record<string, string[]> = {
  'project/releng/rebooter': ['berth:jobs:reboot', 'berth:jobs:ping', 'queue:create-task:*'],
  'project/releng/ipmi': ['berth:jobs:ipmi_*'],
  'project/releng/all': ['berth:*'],
  'project/releng/none': ['queue:*', 'berth:jobs:rebo', 'berth:jobs'],
};

/** What the auth service reads, and nothing else. */
const request = z.strictObject({
  method: z.enum(['get', 'post', 'put', 'head', 'delete', 'options', 'patch']), resource: z.string().startsWith('/'), host: z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i), port: z.int().min(0).max(65_535), authorization: z.string().optional(),
});

let server: Server;
let root: string;
let berth: Scripted;
let asked: z.output<typeof request>[];
/** What is answered instead, once. */
let instead: { status: number; body: string } | 'nothing' | undefined;

/** The auth service of a deployment: it looks at the signature as it was made, and is as strict about what it is asked as the real one. */
async function startAuth(): Promise<void> {
  server = createServer((incoming, response) => {
    void (async () => {
      let text = '';
      for await (const piece of incoming) text += String(piece);
      const answer = (status: number, body: unknown) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body));
      if (incoming.method !== 'POST' || incoming.url !== '/api/auth/v1/authenticate-hawk') return answer(404, { code: 'ResourceNotFound' });
      if (instead === 'nothing') return incoming.socket.destroy();
      if (instead) return answer(instead.status, instead.body);
      const parsed = request.safeParse(JSON.parse(text));
      if (incoming.headers['content-type'] !== 'application/json' || !parsed.success) return answer(400, { code: 'InputValidationError' });
      asked.push(parsed.data);
      const { method, resource, host, port, authorization } = parsed.data;
      try {
        const { credentials } = await Hawk.server.authenticate({ method: method.toUpperCase(), url: resource, host, port, authorization } as never, (id: string) => {
          if (!clients[id]) throw new Error(`no client ${id}`);
          return { id, key: KEY, algorithm: 'sha256' as const, user: id };
        });
        const id = String(credentials.user);
        return answer(200, { status: 'auth-success', scopes: clients[id], scheme: 'hawk', clientId: id, expires: new Date(Date.now() + 60_000).toISOString() });
      } catch (error) {
        return answer(200, { status: 'auth-failed', message: (error as Error).message });
      }
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  atEndOfFile(() => server.closeAllConnections());
  atEndOfFile(() => void server.close());
}

beforeAll(async () => {
  await startAuth();
  berth = await scripted({ taskclusterRoot: root });
});
beforeEach(() => {
  asked = [];
  instead = undefined;
  berth.script(gateway(berth));
});
afterEach(() => expect(asked.every((one) => one.authorization?.startsWith('Hawk '))).toBe(true));

const sign = (url: string, method: string, id: string, key = KEY, more: object = {}): string => Hawk.client.header(url, method, { credentials: { id, key, algorithm: 'sha256' }, ...more }).header;
async function ask(path: string, id: string, { method = 'POST', key = KEY, signed = path, more = {} }: { method?: string; key?: string; signed?: string; more?: object } = {}): Promise<[number, Record<string, unknown>]> {
  const url = (of: string) => `${berth.console.url}/api/v1/${of}`;
  const response = await fetch(url(path), { method, headers: { Authorization: sign(url(signed), method, id, key, more) } });
  return [response.status, (await response.json()) as Record<string, unknown>];
}
const post = (task: string) => `jobs?tc_worker_id=w&task_name=${task}`;
const may = async (id: string): Promise<string[]> => {
  const tasks: string[] = [];
  for (const task of jobTasks) if ((await ask(post(task), id))[0] !== 403) tasks.push(task);
  return tasks;
};

test('scopes permit tasks: each its own, with a star all that begin so', async () => {
  expect(await may('project/releng/rebooter')).toEqual(['ping', 'reboot']);
  expect(await may('project/releng/ipmi')).toEqual(['ipmi_off', 'ipmi_on', 'ipmi_cycle', 'ipmi_reset', 'ipmi_list']);
  expect(await may('project/releng/all')).toEqual([...jobTasks]);
  expect(await may('project/releng/none')).toEqual([]);
});

test('who asked is in the history', async () => {
  const [status, body] = await ask(post('reboot'), 'project/releng/rebooter');
  expect([status, body]).toEqual([201, { task_name: 'reboot', tc_worker_id: 'w', task_id: expect.any(String) as string }]);
  expect(berth.sent.map(({ actor }) => actor)).toEqual(['taskcluster:project/releng/rebooter']);
  expect(asked).toEqual([{ method: 'post', resource: `/api/v1/${post('reboot')}`, host: '127.0.0.1', port: Number(new URL(berth.console.url).port), authorization: expect.any(String) as string }]);
});

test('the other forms too, and the job is looked at with any of the scopes', async () => {
  expect((await ask('workers/w/jobs?task_name=ping&worker_type=t', 'project/releng/rebooter'))[0]).toBe(201);
  expect((await ask('workers/w/group/g/jobs?task_name=ping', 'project/releng/rebooter'))[0]).toBe(201);
  const id = await jobOf(berth);
  expect(await ask(`jobs/${id}`, 'project/releng/rebooter', { method: 'GET' })).toEqual([200, expect.objectContaining({ id, status: 'QUEUED' })]);
  expect(await ask(`jobs/${id}`, 'project/releng/none', { method: 'GET' })).toEqual([403, expect.objectContaining({ code: 'forbidden', detail: 'You may not do this: it needs jobs:read, and the scopes of project/releng/none do not give that.' })]);
});

test('a "no" says which scope is missing', async () => {
  expect(await ask(post('reimage'), 'project/releng/rebooter')).toEqual([403, { detail: 'You may not do this: it needs jobs:reimage, and the scopes of project/releng/rebooter do not give that.' }]);
  expect(berth.sent).toEqual([]);
});

test('401 for a wrong key, an unknown client, a signature of something else, and one of long ago', async () => {
  const refused = [401, { detail: expect.stringMatching(/^Taskcluster does not accept these credentials: /) as string }];
  expect(await ask(post('reboot'), 'project/releng/rebooter', { key: 'wrong' })).toEqual(refused);
  expect(await ask(post('reboot'), 'nobody')).toEqual(refused);
  expect(await ask(post('reboot'), 'project/releng/rebooter', { signed: post('ping') })).toEqual(refused);
  expect(await ask(post('reboot'), 'project/releng/rebooter', { more: { timestamp: 1_000_000 } })).toEqual(refused);
  expect(berth.sent).toEqual([]);
});

test('nothing but these routes takes them', async () => {
  const id = await jobOf(berth);
  for (const [method, path] of [['GET', 'leases'], ['GET', 'me'], ['GET', 'tokens'], ['POST', `jobs/${id}/cancel`], ['POST', 'machines/box/jobs'], ['POST', 'leases']] as const) expect([path, (await ask(path, 'project/releng/all', { method }))[0]]).toEqual([path, 401]);
  expect(asked).toEqual([]);
});

test('an auth service that does not say is told as 503, and never as a refusal', async () => {
  for (const one of ['nothing', { status: 500, body: '{}' }, { status: 400, body: '{}' }, { status: 302, body: '' }, { status: 200, body: 'not JSON' }, { status: 200, body: '{"status":"auth-success"}' }, { status: 200, body: '{"status":"perhaps"}' }] as const) {
    instead = one;
    const [status, body] = await ask(post('reboot'), 'project/releng/rebooter');
    expect([one, status, body]).toEqual([one, 503, { detail: 'The auth service of Taskcluster does not say who you are: try again in a moment, or show a token of Berth.' }]);
  }
  instead = { status: 200, body: '{"status":"no-auth","scheme":"none","scopes":["berth:*"],"expires":"2035-01-01T00:00:00Z"}' };
  expect((await ask(post('reboot'), 'project/releng/rebooter'))[0]).toBe(401);
  expect(berth.sent).toEqual([]);
});

test('one that takes too long is not waited for', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  atEndOfFile(() => silent.closeAllConnections());
  atEndOfFile(() => void silent.close());
  const auth = new Taskcluster(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`, () => false, 50);
  await expect(auth.admit({ headers: { host: 'x', authorization: 'Hawk id="a"' }, method: 'POST', url: '/' })).rejects.toMatchObject({ code: 'unavailable', status: 503 });
});

test('where the port is not said it is that of the protocol', async () => {
  for (const [secure, host, scheme] of [[true, 'berth.example', 'https'], [false, 'berth.example', 'http'], [true, 'berth.example:8443', 'https']] as const) {
    const auth = new Taskcluster(root, () => secure);
    const admission = await auth.admit({ headers: { host, authorization: sign(`${scheme}://${host}/x?y=1`, 'GET', 'project/releng/all') }, method: 'GET', url: '/x?y=1' });
    expect([host, 'who' in admission]).toEqual([host, true]);
  }
});

test('tokens of our own are shown as before; without a deployment only those are', async () => {
  expect((await berth.ask(post('reboot'), { method: 'POST' })).status).toBe(201);
  const alone = await scripted();
  const response = await fetch(`${alone.console.url}/api/v1/${post('reboot')}`, { method: 'POST', headers: { Authorization: sign(`${alone.console.url}/api/v1/${post('reboot')}`, 'POST', 'project/releng/all') } });
  expect([response.status, await response.json()]).toEqual([401, { detail: 'A token is needed: send "Authorization: Bearer TOKEN".' }]);
  expect(asked).toEqual([]);
});

test('a scope is the whole of what it permits, or with a star its beginning', () => {
  const cases: [string[], boolean][] = [[['berth:jobs:reboot'], true], [['berth:jobs:*'], true], [['*'], true], [['berth:jobs:reb*'], true], [['berth:jobs:reboots'], false], [['berth:jobs:reb'], false], [['berth:*:reboot'], false], [[], false], [['x', 'berth:jobs:reboot'], true]];
  for (const [scopes, is] of cases) expect([scopes, permits(scopes, 'berth:jobs:reboot')]).toEqual([scopes, is]);
});
