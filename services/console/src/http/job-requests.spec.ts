import pg from 'pg';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { jobTasks } from '@berth/contracts';
import { freshDatabase } from '../../../../test/support/postgres.js';
import { asker, type Asker } from '../access/access.testing.js';
import { wire, type Heard } from '../fuzz/wire.testing.js';
import { scripted, type Scripted } from '../scripted.testing.js';
import { gateway, LIVE } from './jobs.testing.js';

let berth: Scripted;
let viewer: Asker;
let builder: Asker;
beforeAll(async () => {
  berth = await scripted();
  viewer = await asker(berth, 'viewer', 'viewer');
  builder = await asker(berth, 'builder', 'builder');
});
beforeEach(() => berth.script(gateway(berth)));

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const authorized = (secret = berth.token): [string, string] => ['Authorization', `Bearer ${secret}`];
const ask = (path: string, { method = 'POST', headers = [authorized()], body }: { method?: string; headers?: [string, string][]; body?: string } = {}): Promise<Heard> => wire(berth.console.url, method, `/api/v1/${path}`, headers, body);
const said = async (path: string, more: Parameters<typeof ask>[1] = {}): Promise<[number, unknown]> => {
  const { status, body } = await ask(path, more);
  return [status, JSON.parse(body)];
};
const asked = () => berth.sent.filter(({ type }) => type === 'RequestJob');
const forms = [
  ['jobs', (worker: string, task: string) => `jobs?tc_worker_id=${worker}&task_name=${task}`],
  ['workers/W/jobs', (worker: string, task: string) => `workers/${worker}/jobs?task_name=${task}`],
  ['workers/W/group/G/jobs', (worker: string, task: string) => `workers/${worker}/group/g/jobs?task_name=${task}`],
] as const;

describe.each(forms)('%s', (_form, path) => {
  test('201 with exactly what was asked for and its id, which is then there', async () => {
    const { status, headers, body } = await ask(path('tc-worker-1', 'ping'));
    const answer = JSON.parse(body) as { task_id: string };
    expect([status, Object.entries(answer)]).toEqual([201, [['task_name', 'ping'], ['tc_worker_id', 'tc-worker-1'], ['task_id', expect.stringMatching(uuid)]]]);
    expect([headers.get('content-type'), headers.get('location')]).toEqual(['application/json; charset=utf-8', `/api/v1/jobs/${answer.task_id}`]);
    expect(await said(`jobs/${answer.task_id}`, { method: 'GET' })).toEqual([200, expect.objectContaining({ id: answer.task_id, status: 'QUEUED', task: 'ping' })]);
    expect(asked()).toEqual([expect.objectContaining({ id: answer.task_id, actor: 'token:admin', data: { task: 'ping', worker: { id: 'tc-worker-1', ...(_form.includes('group') && { group: 'g' }) } } })]);
  });

  test('400 names each parameter, and nothing is asked for', async () => {
    const tasks = `use ${jobTasks.join(', ')}`;
    const id = 'use 1 to 128 letters, digits, "-" or "_"';
    expect(await said(path('w', 'fly'))).toEqual([400, { task_name: [`there is no task "fly": ${tasks}`] }]);
    expect(await said(path('w', ''))).toEqual([400, { task_name: ['is required'] }]);
    expect(await said(path('x'.repeat(129), 'ping'))).toEqual([400, { tc_worker_id: [id] }]);
    expect(await said(path('x'.repeat(129), ''))).toEqual([400, { task_name: ['is required'], tc_worker_id: [id] }]);
    expect((await ask(path('x'.repeat(128), 'ping'))).status).toBe(201);
    expect(asked()).toHaveLength(1);
  });

  test('what would be more than a word is refused, whichever parameter it is', async () => {
    for (const text of ['; echo foo', '$(echo foo)', '`echo foo`', '-w 5', 'a b', "a'b", 'a\nb', 'a/../b', 'a%00b']) {
      const word = encodeURIComponent(text);
      expect([text, (await ask(path(word, 'ping'))).status]).toEqual([text, 400]);
      expect([text, (await ask(path('w', word))).status]).toEqual([text, 400]);
    }
    expect(asked()).toEqual([]);
  });

  test('404 for a worker that is not known, or runs on nothing that is managed: two texts', async () => {
    expect(await said(path('stranger', 'ping'))).toEqual([404, { tc_worker_id: 'TC worker with that ID not found.' }]);
    expect(await said(path('cloudy', 'ping'))).toEqual([404, { tc_worker_id: 'Not managing hardware running that TC worker.' }]);
  });

  test('409 names the job that is live; another one says why', async () => {
    expect(await said(path('busy', 'reboot'))).toEqual([409, { detail: 'The task reboot is under way on busy.', task_id: LIVE }]);
    expect(await said(path('bare', 'ipmi_off'))).toEqual([409, { detail: 'The machine bare has no IPMI.' }]);
  });

  test('400 for a task that is not published, and for what the gateway does not like', async () => {
    expect(await said(path('w', 'wake'))).toEqual([400, { task_name: ['The task wake is not published here.', 'must be one of ping, reboot'] }]);
    expect(await said(path('odd', 'ping'))).toEqual([400, { tc_worker_id: ['is odd'], task_name: ['is odd too'] }]);
  });

  test('401 and 403 say why in a sentence', async () => {
    expect(await said(path('w', 'ping'), { headers: [] })).toEqual([401, { detail: 'A token is needed: send "Authorization: Bearer TOKEN", or sign in with a browser.' }]);
    expect(await said(path('w', 'ping'), { headers: [authorized('wrong')] })).toEqual([401, { detail: 'This token is not valid here.' }]);
    expect(await said(path('w', 'ping'), { headers: [authorized(viewer.secret)] })).toEqual([403, { detail: 'You may not do this: it needs jobs:ping, which the role viewer does not have.' }]);
    expect((await ask(path('w', 'ping'), { headers: [authorized(builder.secret)] })).status).toBe(201);
    // The permission of one task is not that of another.
    expect(await said(path('w', 'reboot'), { headers: [authorized(builder.secret)] })).toEqual([403, { detail: 'You may not do this: it needs jobs:reboot, which the role builder does not have.' }]);
    expect(asked()).toHaveLength(1);
  });

  test('405 for other methods; OPTIONS asks nobody who they are', async () => {
    const other = await ask(path('w', 'ping'), { method: 'DELETE' });
    expect([other.status, JSON.parse(other.body)]).toEqual([405, { detail: expect.stringMatching(/^DELETE is not for this path: use (GET, HEAD, )?POST\.$/) }]);
    const { status, body, headers } = await ask(path('w', 'ping'), { method: 'OPTIONS', headers: [] });
    expect([status, body]).toEqual([200, '{}']);
    expect(Object.fromEntries(['access-control-allow-methods', 'access-control-allow-headers'].map((name) => [name, headers.get(name)]))).toEqual({ 'access-control-allow-methods': 'GET, POST, OPTIONS', 'access-control-allow-headers': 'Authorization, Content-Type, Idempotency-Key' });
  });

  test('a body is not looked at, whatever it is', async () => {
    for (const [type, body] of [['application/json', '{'], ['application/x-www-form-urlencoded', 'task_name=fly'], ['text/plain', ''], ['x', 'y']]) expect((await ask(path('w', 'ping'), { headers: [authorized(), ['Content-Type', type!]], body: body! })).status).toBe(201);
    expect((await ask(path('w', 'ping'), { headers: [authorized(), ['Content-Type', 'application/json']], body: '{"task":"reboot","machine":"x","force":true}' })).status).toBe(201);
    expect(new Set(asked().map(({ data }) => Object.keys(data).join()))).toEqual(new Set(['task,worker']));
  });

  test('pages of any origin may read every answer, without cookies', async () => {
    const answers = [
      await ask(path('w', 'ping')), await ask(path('w', 'fly')), await ask(path('w', 'ping'), { headers: [] }), await ask(path('w', 'ping'), { headers: [authorized(viewer.secret)] }), await ask(path('stranger', 'ping')),
      await ask(path('busy', 'ping')), await ask(path('w', 'ping'), { method: 'PUT' }), await ask(path('w', 'ping'), { method: 'OPTIONS', headers: [] }), await ask(path('w', 'ping'), { headers: [authorized(), ['Accept', 'text/html']] }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 400, 401, 403, 404, 409, 405, 200, 406]);
    for (const { headers } of answers) expect([headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')]).toEqual(['*', undefined]);
  });
});

test('the parts of a worker are told by name', async () => {
  expect((await ask('workers/w/jobs?task_name=ping&worker_group=g&worker_type=t&provisioner_id=aws/x&other=1')).status).toBe(201);
  expect(asked()[0]!.data).toEqual({ task: 'ping', worker: { id: 'w', group: 'g', type: 't', provisioner: 'aws/x' } });
  const no = 'use 1 to 128 letters, digits, "-", "_", "." or "/"';
  const foo = encodeURIComponent('; echo foo');
  expect(await said(`workers/w/jobs?task_name=ping&worker_group=${foo}&worker_type=${foo}&provisioner_id=${foo}`)).toEqual([400, { worker_group: [no], worker_type: [no], provisioner_id: [no] }]);
  expect(await said(`workers/w/group/${foo}/jobs?task_name=ping`)).toEqual([400, { worker_group: [no] }]);
  expect(await said('jobs')).toEqual([400, { task_name: ['is required'], tc_worker_id: ['is required'] }]);
});

test('an answer of the job itself can be read by such pages too, and one that is not there is a problem', async () => {
  const { status, headers, body } = await ask(`jobs/${LIVE}`, { method: 'GET' });
  expect([status, headers.get('content-type'), headers.get('access-control-allow-origin'), (JSON.parse(body) as { code: string }).code]).toEqual([404, 'application/problem+json', '*', 'unknown-job']);
  const preflight = await ask(`jobs/${LIVE}`, { method: 'OPTIONS', headers: [] });
  expect([preflight.status, preflight.body, preflight.headers.get('access-control-allow-origin')]).toEqual([200, '{}', '*']);
  // Nothing else of the API is open to them.
  expect((await ask('leases', { method: 'GET' })).headers.get('access-control-allow-origin')).toBeUndefined();
});

test('503 when the gateway does not answer: it is not known whether it was carried out', { timeout: 30_000 }, async () => {
  berth.script({ RequestJob: () => undefined });
  const [status, body] = await said('jobs?tc_worker_id=w&task_name=ping');
  expect([status, body]).toEqual([503, { detail: expect.stringMatching(/^The host-agent-gateway did not answer, so it is unknown whether this was carried out/) }]);
});

test('the same Idempotency-Key is the same job', async () => {
  const key: [string, string] = ['Idempotency-Key', LIVE];
  expect(await said('jobs?tc_worker_id=w&task_name=ping', { headers: [authorized(), key] })).toEqual([201, { task_name: 'ping', tc_worker_id: 'w', task_id: LIVE }]);
  expect(await said('jobs?tc_worker_id=w&task_name=ping', { headers: [authorized(), ['Idempotency-Key', 'x']] })).toEqual([400, { 'Idempotency-Key': ['must be a UUID in canonical text form'] }]);
});

test('whose pages may ask can be said', async () => {
  const other = await scripted({ jobsOrigin: 'https://ci.example' });
  const { headers } = await wire(other.console.url, 'OPTIONS', '/api/v1/jobs?tc_worker_id=w&task_name=ping', [['Origin', 'https://elsewhere.example']], undefined);
  expect(headers.get('access-control-allow-origin')).toBe('https://ci.example');
});

test('one whose row is late is there all the same', async () => {
  const databaseUrl = await freshDatabase();
  const late = await scripted({ databaseUrl });
  late.script(gateway(late));
  const database = new pg.Client(databaseUrl);
  await database.connect();
  try {
    // Whoever holds the checkpoints holds up the rows.
    await database.query('BEGIN');
    await database.query('SELECT * FROM berth.checkpoint FOR UPDATE');
    const { task_id } = (await (await late.send('POST', 'jobs?tc_worker_id=w&task_name=ping')).json()) as { task_id: string };
    const got = await late.send('GET', `jobs/${task_id}`);
    expect([got.status, await got.json()]).toEqual([200, expect.objectContaining({ id: task_id, status: 'QUEUED' })]);
    expect((await database.query('SELECT id FROM berth_views.job')).rows).toEqual([]);
    await late.happen('job', task_id, { type: 'JobStarted', data: {} });
    await expect.poll(async () => ((await (await late.send('GET', `jobs/${task_id}`)).json()) as { status: string }).status).toBe('RUNNING');
    expect((await database.query('SELECT id FROM berth_views.job')).rows).toEqual([]);
  } finally {
    await database.query('ROLLBACK');
    await database.end();
  }
  await expect.poll(async () => (await late.berth.jobs.list()).items.map(({ status }) => status)).toEqual(['RUNNING']);
});

test('1,000 at once, each looked at as soon as it is answered: every one is there', { timeout: 120_000 }, async () => {
  const url = `${berth.console.url}/api/v1`;
  const Authorization = `Bearer ${berth.token}`;
  const seen = await Promise.all(
    Array.from({ length: 1000 }, async (_, i) => {
      const posted = await fetch(`${url}/jobs?tc_worker_id=w-${i}&task_name=ping`, { method: 'POST', headers: { Authorization } });
      const { task_id } = (await posted.json()) as { task_id: string };
      const got = await fetch(`${url}/jobs/${task_id}`, { headers: { Authorization } });
      const { id } = (await got.json()) as { id?: string };
      return [posted.status, got.status, id === task_id].join();
    }),
  );
  expect(new Set(seen)).toEqual(new Set(['201,200,true']));
  expect(new Set(asked().map(({ id }) => id)).size).toBe(1000);
});
