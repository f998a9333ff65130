import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Problem } from '@berth/client';
import { scripted, type Scripted } from '../scripted.testing.js';

let berth: Scripted;
beforeAll(async () => {
  berth = await scripted();
});
beforeEach(() => berth.script({}));

type Method = Parameters<Scripted['send']>[0];
const refusal = async (response: Response): Promise<Problem> => {
  expect([response.status, response.headers.get('content-type')]).toEqual([422, 'application/problem+json']);
  return (await response.json()) as Problem;
};
const id = randomUUID();

describe('a parameter that nobody would read', () => {
  test.each<[Method, string, string, string]>([
    ['POST', 'leases?dryrun=true', 'dryrun', 'did you mean "dryRun"?'],
    ['POST', 'leases?wiat=30s', 'wiat', 'did you mean "wait"?'],
    ['POST', 'hardware/import?prune=true&dry_run=true', 'dry_run', 'did you mean "dryRun"?'],
    ['POST', `leases/${id}/renew?wait=30s`, 'wait', 'leave it out'],
    ['DELETE', 'machines/box?force=true', 'force', 'leave it out'],
    ['GET', `builds/${id}/log?folow=true`, 'folow', 'did you mean "follow"?'],
    ['GET', 'events?kind=lease', 'kind', 'did you mean "kinds"?'],
    ['GET', `leases/${id}?x`, 'x', 'use after'],
    ['GET', 'tokens?role=viewer', 'role', 'use after'],
    ['GET', 'leases?ownr=ada', 'ownr', 'did you mean "owner"?'],
  ])('%s %s', async (method, path, field, message) => {
    const problem = await refusal(await berth.send(method, path));
    expect(problem).toMatchObject({ code: 'invalid-data', detail: `The query is refused: there is no parameter ${JSON.stringify(field)}.`, errors: [{ field, message }] });
    expect(berth.sent).toEqual([]);
  });

  test('all of them are told at once', async () => {
    const { detail, errors } = await refusal(await berth.ask('leases?ownr=ada&stat=active'));
    expect([detail, errors.map(({ field }) => field)]).toEqual(['The query is refused: there is no parameter "ownr", "stat".', ['ownr', 'stat']]);
  });

  test('is not told to whoever may not ask at all', async () => {
    expect((await fetch(`${berth.berth.access.url}/api/v1/leases?ownr=ada`)).status).toBe(401);
  });
});

describe('a parameter that is given twice', () => {
  test.each<[Method, string, string]>([['GET', 'leases?limit=1&limit=2', 'limit'], ['POST', 'leases?wait=1s&wait=2s', 'wait'], ['DELETE', 'images/i?cascade=true&cascade=false', 'cascade']])('%s %s', async (method, path, field) => {
    expect(await refusal(await berth.send(method, path))).toMatchObject({ detail: `The query is refused: ${field} is given more than once.`, errors: [{ field, message: 'must be given once' }] });
    expect(berth.sent).toEqual([]);
  });

  test('a task in the form of other controllers', async () => {
    const response = await berth.send('POST', 'jobs?task_name=ping&task_name=reboot&tc_worker_id=w');
    expect([response.status, await response.json()]).toEqual([400, { task_name: ['must be given once'] }]);
    expect(berth.sent).toEqual([]);
  });

  test('is meant where several values are one filter', async () => {
    expect((await berth.ask('leases?owner=ada&owner=bob&status=active&status=pending')).status).toBe(200);
  });
});

describe('a field that nobody would read', () => {
  test.each<[Method, string, unknown, string, string]>([
    ['POST', 'leases', { type: 'host', ownr: 'ada' }, 'ownr', 'did you mean "owner"?'],
    ['POST', 'leases', { type: 'working-copy', workingCopy: { repo: 'x' } }, 'workingCopy.repo', 'did you mean "repository"?'],
    ['PUT', 'webhooks/chat', { url: 'http://127.0.0.1:1', kind: ['build'] }, 'kind', 'did you mean "kinds"?'],
    ['POST', 'machines/box/jobs', { task: 'ping', forced: true }, 'forced', 'did you mean "force"?'],
    ['POST', 'tokens', { name: 't', role: 'viewer', project: ['p'] }, 'project', 'did you mean "projects"?'],
    ['POST', `leases/${id}/release`, { why: 'done' }, 'why', 'use reason'],
    ['POST', 'plans', { text: 'name: p' }, 'text', 'use source'],
    ['POST', `leases/${id}/exec`, { command: 'true', cwd: '/' }, 'cwd', 'use command, env, timeout'],
  ])('%s %s %j', async (method, path, body, field, message) => {
    const problem = await refusal(await berth.send(method, path, body));
    expect(problem).toMatchObject({ code: 'invalid-data', detail: `The body is refused: there is no field ${JSON.stringify(field)}.`, errors: [{ field, message }] });
    expect(berth.sent).toEqual([]);
  });

  test('what the path says may be said again', async () => {
    berth.script({ SaveWebhook: ({ data }) => ({ accepted: true, id: String(data['name']), position: 0 }) });
    expect((await berth.send('PUT', 'webhooks/chat', { name: 'chat', url: 'http://127.0.0.1:1' })).status).toBe(201);
  });
});
