import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Problem } from '@berth/client';
import { blueprintSpec, rejected } from '@berth/contracts';
import { eventually } from '../../../../test/support/wait.js';
import { scripted, type Scripted } from '../scripted.testing.js';

let berth: Scripted;
beforeAll(async () => {
  berth = await scripted();
});

const problem = async (answer: Promise<Response>): Promise<Problem> => (await (await answer).json()) as Problem;
const body = { kind: 'service', start: 'true', startTimeout: '5m' };

describe('blueprints', () => {
  test('saved under the name in the path, seen at once, and in the history under that name', async () => {
    berth.script({
      SaveBlueprint: async ({ data }) => {
        const spec = blueprintSpec.parse(data['spec']);
        return { accepted: true, id: spec.name, position: await berth.happen('blueprint', spec.name, { type: 'BlueprintSaved', data: { version: 1, spec } }), data: { name: spec.name, version: 1 } };
      },
    });
    const response = await berth.send('PUT', 'blueprints/db', body);
    expect([response.status, response.headers.get('location'), await response.json()]).toEqual([201, '/api/v1/blueprints/db', { id: 'db', name: 'db', version: 1, position: 1 }]);
    expect(berth.sent.map(({ data }) => data)).toEqual([{ spec: { ...body, name: 'db' }, check: true }]);
    expect(await berth.berth.blueprints.get('db')).toMatchObject({ name: 'db', kind: 'service', version: 1, enabled: true, spec: { startTimeout: 300_000 } });
    expect((await berth.berth.blueprints.list()).items.map((b) => b.name)).toEqual(['db', 'local', 'preallocated', 'working-copy']);
    expect((await berth.berth.history('db')).items).toMatchObject([{ kind: 'blueprint', id: 'db', type: 'BlueprintSaved' }]);
  });

  test('unchecked only when asked for', async () => {
    berth.script({ SaveBlueprint: () => ({ accepted: true, id: 'db', data: { name: 'db', version: 2 } }) });
    await berth.send('PUT', 'blueprints/db?check=false', { ...body, name: 'db' });
    await berth.send('PUT', 'blueprints/db?check', body);
    await berth.berth.blueprints.save('db', body, { check: false });
    expect(berth.sent.map(({ data }) => data['check'])).toEqual([false, true, false]);
  });

  test('another name in the body, and faults, are told by field', async () => {
    berth.script({ SaveBlueprint: () => rejected('invalid-data', 'The blueprint is refused: data.spec.start: is required.', [{ field: 'data.spec.start', message: 'is required' }]) });
    const other = await problem(berth.send('PUT', 'blueprints/db', { ...body, name: 'other' }));
    expect([other.status, other.code, other.errors[0]!.field]).toEqual([422, 'invalid-data', 'name']);
    expect(berth.sent).toEqual([]);
    const faulty = await problem(berth.send('PUT', 'blueprints/db', { kind: 'service' }));
    expect([faulty.errors, faulty.detail]).toEqual([[{ field: 'start', message: 'is required' }], 'The blueprint is refused: start: is required.']);
  });

  test('what is wrong with the whole of it is told of the whole', async () => {
    const errors = [{ field: 'data.spec', message: 'can not be launched' }, { field: 'data.spec.image', message: 'is not there' }];
    berth.script({ SaveBlueprint: () => rejected('provider-refused', 'It is refused: data.spec.image: is not there; data.spec: can not be launched.', errors) });
    expect(await problem(berth.send('PUT', 'blueprints/db', body))).toMatchObject({
      status: 422, code: 'provider-refused', detail: 'It is refused: image: is not there; (the whole): can not be launched.',
      errors: [{ field: '(the whole)', message: 'can not be launched' }, { field: 'image', message: 'is not there' }],
    });
  });

  test('enabled, disabled, removed, and refused with the status of the code', async () => {
    const done = () => ({ accepted: true, id: 'db' }) as const;
    berth.script({ EnableBlueprint: done, DisableBlueprint: done, RemoveBlueprint: () => rejected('blueprint-in-use', 'It has resources.') });
    expect(await berth.berth.blueprints.enable('db')).toMatchObject({ id: 'db' });
    expect(await berth.berth.blueprints.disable('db', 'costs')).toMatchObject({ id: 'db' });
    expect(await problem(berth.send('DELETE', 'blueprints/db'))).toMatchObject({ status: 409, code: 'blueprint-in-use' });
    expect(berth.sent.map(({ type, data }) => [type, data])).toEqual([['EnableBlueprint', { name: 'db' }], ['DisableBlueprint', { name: 'db', reason: 'costs' }], ['RemoveBlueprint', { name: 'db' }]]);
    expect(await problem(berth.ask('blueprints/nobody'))).toMatchObject({ status: 404, code: 'unknown-blueprint' });
    expect(await problem(berth.send('POST', 'blueprints/a.b/enable', {}))).toMatchObject({ status: 404, code: 'unknown-blueprint' });
  });
});

describe('resources', () => {
  const [busy, held] = [randomUUID(), randomUUID()];
  beforeAll(async () => {
    const created = (name: string, type: string) => ({ type: 'ResourceCreated', data: { type, blueprint: 'preallocated', name, attributes: { os: 'linux' }, slots: 2 } });
    await berth.happen('resource', busy, created('busy', 'host'), { type: 'ResourceActivated', data: {} }, { type: 'SlotClaimed', data: { slot: 0, lease: randomUUID(), owner: 'ada' } });
    await berth.happen('resource', held, created('held', 'host'), { type: 'ResourceActivated', data: {} }, { type: 'ResourceHeld', data: { until: '2999-01-01T00:00:00.000Z', reason: 'ada looks' } });
    await eventually(async () => expect((await berth.berth.resources.list()).items).toHaveLength(2));
  });

  test('listed by blueprint, type, status and state; shown by id', async () => {
    const names = async (options: Parameters<typeof berth.berth.resources.list>[0]) => (await berth.berth.resources.list(options)).items.map((r) => r.name);
    expect(await names({})).toEqual(['busy', 'held']);
    expect(await names({ status: 'active' })).toEqual(['busy', 'held']);
    expect(await names({ status: 'held,broken' })).toEqual(['held']);
    expect(await names({ blueprint: 'local' })).toEqual([]);
    expect(await names({ blueprint: 'preallocated', type: 'host' })).toEqual(['busy', 'held']);
    expect(await names({ type: 'service' })).toEqual([]);
    expect(await berth.berth.resources.get(held)).toMatchObject({ state: 'held', held: { reason: 'ada looks' }, free: 0 });
    expect(await problem(berth.ask('resources?status=lost'))).toMatchObject({ status: 422, errors: [{ field: 'status' }] });
    expect(await problem(berth.ask('resources?type=boat'))).toMatchObject({ status: 422, errors: [{ field: 'type' }] });
    expect(await problem(berth.ask(`resources/${randomUUID()}`))).toMatchObject({ status: 404, code: 'unknown-resource' });
  });

  test.each([
    ['quarantine', 'QuarantineResource', { for: '10m', reason: 'flaky' }],
    ['end-quarantine', 'EndQuarantine', {}],
    ['hold', 'HoldResource', { for: 60_000, reason: 'look' }],
    ['end-hold', 'EndHold', {}],
    ['drain', 'DrainResource', { reason: 'new disk' }],
    ['end-drain', 'EndDrain', {}],
    ['release', 'ReleaseResource', {}],
  ] as const)('%s, by id and by machine', async (verb, type, input) => {
    berth.script({ [type]: () => ({ accepted: true, id: busy }) });
    expect(await berth.berth.resources.service(busy, verb, input)).toEqual({ id: busy });
    expect(await berth.berth.machines.service('box', verb, input)).toEqual({ id: 'box', name: 'box' });
    expect(berth.sent.map(({ data }) => data)).toEqual([{ ...input, resource: busy }, { ...input, machine: 'box' }]);
  });

  test('what is not there, and what can not be done', async () => {
    berth.script({ HoldResource: () => rejected('unknown-resource', 'There is none.') });
    expect(await problem(berth.send('POST', `resources/${busy}/hold`, { for: '1h', reason: 'x' }))).toMatchObject({ status: 404, code: 'unknown-resource' });
    expect(await problem(berth.send('POST', 'resources/x/hold', {}))).toMatchObject({ status: 404, code: 'unknown-resource' });
    expect(await problem(berth.send('POST', 'machines/a.b/hold', {}))).toMatchObject({ status: 404, code: 'unknown-machine' });
    expect(await problem(berth.send('POST', `resources/${busy}/polish`, {}))).toMatchObject({ status: 404, code: 'not-found' });
  });

  test('capacity, and limits with their use', async () => {
    expect(await berth.berth.capacity('os')).toMatchObject({ by: 'os', total: { total: 4, free: 1, busy: 1, held: 2 }, values: [{ value: 'linux', total: 4 }] });
    berth.script({ SetQuota: async ({ data }) => ({ accepted: true, id: 'fleet', position: await berth.happen('fleet', 'fleet', { type: 'QuotaSet', data: { owners: {}, ...data } }) }) });
    await berth.berth.quota.set({ hosts: 5, owners: { ada: 1 } });
    expect(await berth.berth.quota.get()).toEqual({ quota: { hosts: 5, owners: { ada: 1 } }, use: { hosts: 1, resources: 0, owners: [{ owner: 'ada', hosts: 1, limit: 1 }] } });
    expect(await berth.berth.orphans()).toEqual({ items: [], cursor: null });
  });
});
