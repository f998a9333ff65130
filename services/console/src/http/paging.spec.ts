import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { wholeList, type HistoryQuery, type LeaseView, type Page, type Problem, type ResourceQuery } from '@berth/client';
import { savedPlan } from '@berth/contracts';
import { eventually } from '../../../../test/support/wait.js';
import { scripted, type Scripted } from '../scripted.testing.js';

let berth: Scripted;
const build = randomUUID();
const lease = async (owner: string, project: string) => berth.happen('lease', randomUUID(), { type: 'LeaseRequested', data: { type: 'host', owner, project, attributes: { os: 'linux' }, prefer: [], blueprints: [], priority: 100, wait: 'always' } });
const plan = savedPlan.parse({ name: 'p', host: {}, workingCopy: {}, env: {}, steps: [{ name: 'One', run: 'true', env: {} }] });
const about = { plan, planVersion: 1, variables: {}, initiator: 'ada' };

beforeAll(async () => {
  berth = await scripted();
  for (let i = 0; i < 7; i++) await lease(i % 2 ? 'ada' : 'bob, the builder', i < 3 ? 'one' : 'two');
  for (const name of ['alpha', 'beta', 'gamma']) await berth.happen('resource', randomUUID(), { type: 'ResourceCreated', data: { type: 'host', blueprint: 'preallocated', name, attributes: { os: 'linux', disk: name }, slots: 1 } }, { type: 'ResourceActivated', data: {} });
  const gone = randomUUID();
  await berth.happen('resource', gone, { type: 'ResourceCreated', data: { type: 'host', blueprint: 'preallocated', name: 'omega', attributes: {}, slots: 1 } }, { type: 'ResourceReleased', data: { reason: 'old' } }, { type: 'ResourceDestroyed', data: {} });
  for (const name of ['p1', 'p2', 'q1']) await berth.happen('plan', name, { type: 'PlanSaved', data: { version: 1, source: 'x', plan: { ...plan, name } } });
  await berth.happen('build', build, { type: 'BuildRequested', data: about });
  await berth.happen('build', build, { type: 'ArtifactKept', data: { name: 'out/a.txt', object: 'o', bytes: 1, sha256: 'f' } }, { type: 'BuildFailed', data: { error: 'no' } });
  const last = await berth.happen('build', build, { type: 'BuildRestarted', data: { ...about, generation: 2, attempt: 1, reason: 'again' } });
  await eventually(async () => expect((await berth.berth.projections.list()).items.every(({ position }) => position >= last)).toBe(true));
});

const refusal = async (path: string): Promise<Problem> => {
  const response = await berth.ask(path);
  expect(response.status).toBe(422);
  return (await response.json()) as Problem;
};
const leases = async (path: string): Promise<Page<LeaseView>> => (await (await berth.ask(`leases?${path}`)).json()) as Page<LeaseView>;

describe('lists', () => {
  test.each([
    ['leases?colour=red', 'colour', 'use status, owner, project, type, blueprint, resource, build, attr, q, since, until, machine, plan, sort, limit, cursor, total, after'],
    ['builds?owner=x', 'owner', 'use status, plan, initiator, project, ref, q, since, until, machine, sort, limit, cursor, total, after'],
    ['machines?state=held', 'state', 'did you mean "status"?'],
    ['plans?status=x', 'status', 'use q, since, until, sort, limit, cursor, total, after'],
    ['blueprints?kind=boat', 'kind', 'use one of preallocated, local, ec2, working-copy, service, composite'],
    ['leases?status=lost', 'status', 'use one of pending, acquired, active, released, broken, destroyed'],
    ['leases?sort=colour', 'sort', 'use one of created, modified, priority, with - before it for the greatest first'],
    ['leases?since=yesterday', 'since', 'use an RFC 3339 time from 1970 to 9999, such as 2030-01-31T12:00:00Z'],
    ['builds?until=0000-01-01T00:00:00Z', 'until', 'use an RFC 3339 time from 1970 to 9999, such as 2030-01-31T12:00:00Z'],
    [`leases?cursor=${Buffer.from('["-created","0000-01-01T00:00:00Z",1]').toString('base64url')}`, 'cursor', 'use the cursor of the page before'],
    ['resources?attr=linux', 'attr', 'use NAME:VALUE, such as os:linux'],
    ['leases?owner=%00', 'owner', 'leave out the NUL'],
    ['leases?cursor=x', 'cursor', 'use the cursor of the page before'],
    [`leases?cursor=${Buffer.from('["-created","yesterday",1]').toString('base64url')}`, 'cursor', 'use the cursor of the page before'],
    [`leases?cursor=${Buffer.from('["-created","2030-01-01T00:00:00Z","x"]').toString('base64url')}`, 'cursor', 'use the cursor of the page before'],
    [`leases?cursor=${Buffer.from('["created","2030-01-01T00:00:00Z",1]').toString('base64url')}`, 'cursor', 'keep the sort from page to page'],
    [`resources?cursor=${Buffer.from('["name","\\u0000",1]').toString('base64url')}`, 'cursor', 'use the cursor of the page before'],
    [`builds/${build}/artifacts?generation=x`, 'generation', 'must be a number from 1 on'],
    [`builds/${build}?generation=3`, 'generation', 'must be a number from 1 to 2'],
    ['leases?total=maybe', 'total', 'must be true or false'],
    ['leases?limit=1001', 'limit', 'must be a number from 1 to 1000'],
  ])('%s is refused', async (path, field, message) => expect((await refusal(path)).errors).toEqual([{ field, message }]));

  test('several values of a filter, filters together, and how many there are', async () => {
    expect(await leases('owner=ada&total=true&limit=1')).toMatchObject({ items: [{ owner: 'ada' }], total: 3, totalIsBound: false });
    expect((await leases('owner=ada&owner=bob,+the+builder&project=one&total')).total).toBe(3);
    expect((await berth.berth.leases.list({ owner: ['ada', 'bob, the builder'], project: 'two', attr: 'os:linux', total: true })).total).toBe(4);
    expect(await leases('owner=nobody&total=true')).toEqual({ items: [], cursor: null, total: 0, totalIsBound: false });
    expect(await leases('owner=ada')).not.toHaveProperty('total');
    expect((await berth.berth.leases.list({ since: new Date().toISOString() })).items).toEqual([]);
    expect((await berth.berth.leases.list({ until: new Date().toISOString(), total: true })).total).toBe(7);
  });

  test('page by page, forward and backward', async () => {
    const walk = async (sort: string) => {
      const ids: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await berth.berth.leases.list({ sort, limit: 2, ...(cursor !== undefined && { cursor }) });
        expect(page.items.length).toBeLessThanOrEqual(2);
        ids.push(...page.items.map(({ id }) => id));
        cursor = page.cursor ?? undefined;
      } while (cursor);
      return ids;
    };
    const newest = await walk('-created');
    expect(new Set(newest).size).toBe(7);
    expect(await walk('created')).toEqual([...newest].reverse());
    expect(await walk('priority')).toEqual([...newest].reverse());
  });

  test('resources: those that live, those that ended, by attribute and by beginning', async () => {
    const names = async (query: ResourceQuery) => (await berth.berth.resources.list(query)).items.map(({ name }) => name);
    expect(await names({})).toEqual(['alpha', 'beta', 'gamma']);
    expect(await names({ sort: '-name', limit: 2 })).toEqual(['gamma', 'beta']);
    expect(await names({ attr: ['os:linux', 'disk:beta', 'disk:gamma'] })).toEqual(['beta', 'gamma']);
    expect(await names({ q: 'GA' })).toEqual(['gamma']);
    expect(await names({ status: 'destroyed' })).toEqual(['omega']);
    const [omega] = (await berth.berth.resources.list({ status: 'destroyed' })).items;
    expect(omega).toMatchObject({ status: 'destroyed', state: 'destroyed', free: 0, leases: [], destroyed: expect.any(String) as string });
    expect(await berth.berth.resources.get(omega!.id)).toEqual(omega);
    expect((await wholeList((query: ResourceQuery) => berth.berth.resources.list(query), {})).items).toHaveLength(3);
  });

  test('plans, artifacts, blueprints and histories have pages too', async () => {
    const plans = await berth.berth.plans.list({ q: 'p', sort: '-name', limit: 1, total: true });
    expect(plans).toMatchObject({ items: [{ name: 'p2' }], total: 2, totalIsBound: false });
    expect(await berth.berth.plans.list({ q: 'p', sort: '-name', limit: 1, cursor: plans.cursor! })).toMatchObject({ items: [{ name: 'p1' }], cursor: null });
    expect((await berth.berth.blueprints.list({ type: 'host', status: 'enabled' })).items.map(({ name }) => name)).toEqual(['local', 'preallocated']);
    expect((await berth.berth.builds.artifacts(build, { type: 'file', q: 'a.t', generation: 1 })).items).toMatchObject([{ name: 'out/a.txt' }]);
    const whole = (await berth.berth.history(build)).items.map(({ type }) => type);
    expect(whole).toEqual(['BuildRequested', 'ArtifactKept', 'BuildFailed', 'BuildRestarted']);
    const two = await berth.berth.history(build, { limit: 2 });
    // The page ended in the middle of a commit.
    expect((await berth.berth.history(build, { limit: 2, cursor: two.cursor! })).items.map(({ type }) => type)).toEqual(['BuildFailed', 'BuildRestarted']);
    expect((await berth.berth.history(build, { type: ['BuildFailed', 'BuildRestarted'], sort: '-position' })).items.map(({ type }) => type)).toEqual(['BuildRestarted', 'BuildFailed']);
    expect((await wholeList((query: HistoryQuery) => berth.berth.history(build, query), { actor: 'nobody' })).items).toEqual([]);
  });
});

describe('generations', () => {
  test('stand beside each other: each as it was when the next one began', async () => {
    expect(await berth.berth.builds.get(build, { generation: 1 })).toMatchObject({ generation: 1, status: 'failed', error: 'no', artifacts: [{ name: 'out/a.txt' }], generations: [{ generation: 1, status: 'failed' }] });
    expect(await berth.berth.builds.get(build, { generation: 2 })).toEqual(await berth.berth.builds.get(build));
  });
});

describe('projections', () => {
  test('each says up to where it shows the events, and is rebuilt alone', async () => {
    const { items } = await berth.berth.projections.list();
    const rowsOf = { machine: 0, resource: 4, lease: 7, build: 1, job: 0, image: 0, image_version: 0, channel: 0, catalog_entry: 0, replication: 0, replica: 0 };
    expect(items.map(({ name, rows, lag }) => [name, rows, lag])).toEqual(Object.entries(rowsOf).map(([name, rows]) => [name, rows, { commits: 0, ms: 0 }]));
    const lines: string[] = [];
    for await (const line of berth.berth.projections.rebuild('lease')) lines.push(line);
    expect(lines.at(-1)).toMatch(/^done: \d+ commits$/);
    expect((await leases('total')).total).toBe(7);
    const unknown = await berth.send('POST', 'projections/boat/rebuild', {});
    expect([unknown.status, ((await unknown.json()) as Problem).errors]).toEqual([404, [{ field: 'name', message: `use one of ${Object.keys(rowsOf).join(', ')}` }]]);
  });
});
