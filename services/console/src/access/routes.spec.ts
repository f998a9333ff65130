import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Problem } from '@berth/client';
import { derivedId, jobTasks, rejected, role, savedPlan, type Role } from '@berth/contracts';
import { fastify } from 'fastify';
import { scripted, type Script, type Scripted } from '../scripted.testing.js';
import { refuseOpenRoutes, type Route } from './needs.js';
import { jobOf } from '../http/jobs.testing.js';
import { OF_TASK, permissionFor, permissionsOf, type Permission } from './permissions.js';

let berth: Scripted;
/** Who asks: every role, over everything and over one project. */
const askers = role.options.flatMap((one) => [{ name: `any-${one}`, role: one, projects: null }, { name: `${one}-of-compilers`, role: one, projects: ['compilers'] }]) satisfies { name: string; role: Role; projects: string[] | null }[];
const secrets = new Map<string, string>();
const idOf = (kind: string, owner: string) => derivedId('7d3f1a52-9c1e-4b7a-8f60-0a4f8d2c1b11', `${kind} of ${owner}`);

beforeAll(async () => {
  berth = await scripted();
  // Whoever gets through to a service is refused there, in words that every route knows.
  const refused: Script = () => rejected('invalid-data', 'The spec refuses all commands.', [{ field: 'data', message: 'is refused' }]);
  berth.script(new Proxy({}, { get: () => refused }));
  const plan = savedPlan.parse({ name: 'p', host: {}, workingCopy: {}, env: {}, steps: [{ name: 'One', run: 'true', env: {} }] });
  for (const { name, role: own, projects } of askers) {
    secrets.set(name, (await berth.berth.tokens.create({ name, role: own, projects })).secret);
    const lease = idOf('lease', name);
    await berth.happen('lease', lease, { type: 'LeaseRequested', data: { type: 'host', owner: name, project: 'compilers', attributes: {}, blueprints: [], priority: 100 } });
    await berth.happen('build', idOf('build', name), { type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator: name, project: 'compilers' } });
    await berth.happen('action', idOf('action', name), { type: 'ActionRequested', data: { lease, token: 1, spec: { kind: 'run-command', command: 'true' } } }, { type: 'ActionCancelled', data: { reason: 'spec' } });
  }
});

/** The path of a route, with things of somebody's own where it has parameters. */
function pathOf({ url }: Route, owner: string): string {
  const kind = /^\/api\/v1\/(leases|builds|actions)\//.exec(url)?.[1]?.slice(0, -1);
  return url.replace(':id', kind ? idOf(kind, owner) : randomUUID()).replace(/:verb/, 'drain').replace(/:[a-z]+/g, 'nothing').replace('*', 'nothing');
}

/** What a route says to somebody, by its status; what it would go on to send is not waited for. */
async function knock(route: Route, owner: string, secret: string | undefined): Promise<{ status: number; code: string | undefined }> {
  const stop = new AbortController();
  const body = route.method === 'GET' || route.method === 'HEAD' ? {} : { body: '{}' };
  const response = await fetch(`${berth.console.url}${pathOf(route, owner)}`, {
    method: route.method, redirect: 'manual', signal: stop.signal, ...body,
    headers: { ...('body' in body && { 'Content-Type': 'application/json' }), ...(secret !== undefined && { Authorization: `Bearer ${secret}` }) },
  });
  const problem = response.headers.get('content-type') === 'application/problem+json' && route.method !== 'HEAD' ? ((await response.json()) as Problem) : undefined;
  stop.abort();
  return { status: response.status, code: problem?.code };
}

describe('each role does exactly what the table says, at every route there is', { timeout: 90_000 }, () => {
  test('the console has its routes', () => {
    const urls = berth.console.routes.map(({ method, url }) => `${method} ${url}`);
    expect(urls).toEqual(expect.arrayContaining(['GET /healthz', 'HEAD /api/v1/leases', 'POST /api/v1/leases/:id/terminal', 'PUT /api/v1/quota', 'GET /api/v1/audit', 'DELETE /api/v1/tokens/:name']));
    expect(urls.length).toBeGreaterThan(80);
  });

  test.each(askers)('$name', async ({ name, role: own, projects }) => {
    const may = new Set<string>(permissionsOf(own, projects));
    const wrong: unknown[] = [];
    for (const route of berth.console.routes) {
      const answer = await knock(route, name, secrets.get(name));
      // Which task it is for, none of these says: those who get to the route are told so.
      const allowed = route.needs === 'anyone' || route.needs === 'signed-in' || route.needs === OF_TASK || may.has(route.needs);
      const refused = answer.status === 403;
      if (answer.status === 401 || refused === allowed || (refused && route.method !== 'HEAD' && answer.code !== 'forbidden')) wrong.push({ ...route, allowed, ...answer });
    }
    expect(wrong).toEqual([]);
  });

  test('nobody at all', async () => {
    const wrong: unknown[] = [];
    for (const route of berth.console.routes) {
      const { status } = await knock(route, 'any-viewer', undefined);
      if ((status === 401) !== (route.needs !== 'anyone')) wrong.push({ ...route, status });
    }
    expect(wrong).toEqual([]);
  });

  test('what needs nobody to say who they are', () => {
    expect(berth.console.routes.filter(({ needs, method }) => needs === 'anyone' && method !== 'HEAD').map(({ method, url }) => `${method} ${url}`)).toEqual(expect.arrayContaining(['GET /healthz', 'POST /api/v1/session', 'GET /login/oidc', 'GET /login/oidc/callback']));
    const inside = berth.console.routes.filter(({ needs, url }) => needs === 'anyone' && url.startsWith('/api')).map(({ url }) => url);
    // What the API is says nothing of the installation, and how one signs in is seen by whoever stands before it.
    expect(new Set(inside.filter((url) => !preflights.has(url)))).toEqual(new Set(['/api/v1/session', '/api/v1/session/ways', '/api/v1/openapi.json', '/api/docs', '/api/docs/style.css']));
    // Browsers ask before a page of another origin does, and show nothing with that: OPTIONS, and nothing else.
    expect(berth.console.routes.filter(({ needs, url, method }) => needs === 'anyone' && preflights.has(url) && method !== 'OPTIONS')).toEqual([]);
    expect(new Set(inside.filter((url) => preflights.has(url)))).toEqual(preflights);
  });
});

/** What pages of other origins may ask. */
const preflights = new Set(['/api/v1/jobs', '/api/v1/jobs/:id', '/api/v1/workers/:worker_id/jobs', '/api/v1/workers/:worker_id/group/:group/jobs']);

describe('each task has a permission of its own, at every way to ask for it', { timeout: 90_000 }, () => {
  const looks = ['ping', 'status', 'ipmi_list', 'redfish_list'];
  const job = new Map<string, string>();
  beforeAll(async () => {
    for (const task of jobTasks) job.set(task, await jobOf(berth, { task }));
  });
  const ways = [
    ['by its worker', (task: string) => [`jobs?tc_worker_id=w&task_name=${task}`]],
    ['by a worker of several', (task: string) => [`workers/w/jobs?task_name=${task}&worker_type=t`]],
    ['by a worker of a group', (task: string) => [`workers/w/group/g/jobs?task_name=${task}`]],
    ['on a machine', (task: string) => ['machines/box/jobs', { task }]],
    ['to cancel it', (task: string) => [`jobs/${job.get(task)}/cancel`, {}]],
  ] as const satisfies [string, (task: string) => [string, object?]][];
  /** Whether it came as far as the service. */
  async function passes([path, body]: readonly [string, object?], secret: string): Promise<boolean> {
    const sent = berth.sent.length;
    const { status } = await fetch(`${berth.console.url}/api/v1/${path}`, { method: 'POST', headers: { Authorization: `Bearer ${secret}`, ...(body && { 'Content-Type': 'application/json' }) }, ...(body && { body: JSON.stringify(body) }) });
    expect([status === 403, berth.sent.length - sent], `${path}: ${status}`).toEqual(status === 403 ? [true, 0] : [false, 1]);
    return status !== 403;
  }
  const mayAsk = async (secret: string, way: (typeof ways)[number][1]): Promise<string[]> => {
    const may: string[] = [];
    for (const task of jobTasks) if (await passes(way(task), secret)) may.push(task);
    return may;
  };
  /** By hand, and not by the table that is looked at here. */
  const expected = ({ role: own, projects }: { role: Role; projects: string[] | null }): readonly string[] =>
    projects !== null || own === 'viewer' ? [] : own === 'builder' ? jobTasks.filter((task) => looks.includes(task)) : jobTasks;

  test.each(askers.flatMap((asker) => ways.map(([how, way]) => ({ asker, way, title: `${asker.name} asks ${how}` }))))('$title', async ({ asker, way }) => {
    expect(await mayAsk(secrets.get(asker.name)!, way)).toEqual(expected(asker));
  });

  test.each(['viewer', 'builder'] as const)('a token of a %s may be given tasks, and then asks for those besides', async (own) => {
    const { secret } = await berth.berth.tokens.create({ name: `rebooter-${own}`, role: own, jobs: ['reboot', 'ipmi_off'] });
    const besides = own === 'viewer' ? [] : looks;
    for (const [, way] of ways) expect(await mayAsk(secret, way)).toEqual(jobTasks.filter((task) => task === 'reboot' || task === 'ipmi_off' || besides.includes(task)));
  });

  test('what a token is given is all that it gains', async () => {
    const { secret } = await berth.berth.tokens.create({ name: 'only-reboots', role: 'viewer', projects: ['compilers'], jobs: ['reboot'] });
    secrets.set('only-reboots', secret);
    const may = new Set<string>([...permissionsOf('viewer', ['compilers']), permissionFor('reboot')]);
    const wrong: unknown[] = [];
    for (const route of berth.console.routes) {
      const { status } = await knock(route, 'viewer-of-compilers', secret);
      const allowed = route.needs === 'anyone' || route.needs === 'signed-in' || route.needs === OF_TASK || may.has(route.needs);
      if ((status === 403) === allowed) wrong.push({ ...route, status });
    }
    expect(wrong).toEqual([]);
    expect((await berth.berth.tokens.get('only-reboots')).jobs).toEqual(['reboot']);
    expect((await berth.berth.tokens.get('any-viewer')).jobs).toEqual([]);
    const refused = await fetch(`${berth.console.url}/api/v1/tokens`, { method: 'POST', headers: { Authorization: `Bearer ${berth.token}`, 'Content-Type': 'application/json' }, body: JSON.stringify({ name: 'x', role: 'viewer', jobs: ['fly'] }) });
    expect([refused.status, ((await refused.json()) as Problem).errors[0]!.field]).toEqual([422, 'jobs[0]']);
  });
});

test('no write needs only to read', () => {
  const writes = berth.console.routes.filter(({ method, needs }) => method !== 'GET' && method !== 'HEAD' && needs.endsWith(':read'));
  // Having a plan or a template checked saves nothing.
  expect(writes.map(({ method, url }) => `${method} ${url}`)).toEqual(['POST /api/v1/plans/validate', 'POST /api/v1/images/validate']);
});

test('a route that does not say what it needs is refused while it is added', () => {
  const server = fastify();
  const routes = refuseOpenRoutes(server);
  server.get('/open', { config: { needs: 'anyone' } }, () => 'open');
  expect(routes).toEqual([{ method: 'GET', url: '/open', needs: 'anyone' }, { method: 'HEAD', url: '/open', needs: 'anyone' }]);
  expect(() => server.get('/forgotten', () => 'open')).toThrow("GET /forgotten does not say what it needs: put @Needs('...') above it");
  expect(() => server.get('/misspelt', { config: { needs: 'lease:wirte' as Permission } }, () => 'open')).toThrow('GET /misspelt does not say');
});
