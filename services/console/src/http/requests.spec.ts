import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LeaseExplanation, Problem } from '@berth/client';
import { leaseRequest, planDocument, rejected, savedPlan, type Explanation } from '@berth/contracts';
import { eventually } from '../../../../test/support/wait.js';
import { scripted, type Scripted, type Sent } from '../scripted.testing.js';

let berth: Scripted;
beforeAll(async () => {
  berth = await scripted();
});

const never: Explanation = { verdict: 'never', reason: 'no host has gpu=yes', next: 'nothing', ahead: 0, considered: [{ blueprint: 'local', code: 'attributes', reason: 'no attribute gpu' }], more: 0 };
const wait: Explanation = { ...never, verdict: 'wait', reason: 'all slots are taken', next: 'the first that is free', ahead: 2 };
const now: Explanation = { ...never, verdict: 'now', reason: 'a slot is free', next: 'it is claimed', considered: [] };
const considering = (explanation: Explanation) => ({ accepted: true, id: 'x', data: { ...explanation } }) as const;

/** Makes the lease that it is asked for. */
const request = async ({ id, data }: Sent) => {
  const known = await berth.store.load('lease', id);
  const position = known.length > 0 ? known[0]!.sequence : await berth.happen('lease', id, { type: 'LeaseRequested', data: leaseRequest.parse(data) });
  return { accepted: true, id, position } as const;
};
const types = () => berth.sent.map((command) => command.type);
const problem = async (answer: Promise<Response>): Promise<Problem> => {
  const response = await answer;
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return (await response.json()) as Problem;
};

describe('asking for a lease', () => {
  test.each([
    ['served at once', now, {}, 202],
    ['waits', wait, {}, 202],
    ['can never be served', never, {}, 422],
    ['can never be served, says so', never, { wait: 'served' }, 422],
    ['not to wait, but has to', wait, { wait: 'no' }, 422],
    ['not to wait, and need not', now, { wait: 'no' }, 202],
    ['not to wait, and can never be served', never, { wait: 'no' }, 422],
  ])('%s', async (_name, explanation, more, status) => {
    berth.script({ ConsiderLease: () => considering(explanation), RequestLease: request });
    const body = { type: 'host', owner: 'ada', attributes: { gpu: 'yes' }, ...more };
    const response = await berth.send('POST', 'leases', body);
    expect(response.status).toBe(status);
    expect(berth.sent[0]).toMatchObject({ type: 'ConsiderLease', data: { request: body } });
    if (status === 202) return expect(types()).toEqual(['ConsiderLease', 'RequestLease']);
    expect(types()).toEqual(['ConsiderLease']);
    const answer = (await response.json()) as Problem;
    expect(answer).toMatchObject({ code: 'unservable', type: 'urn:berth:problem:unservable', errors: [], explanation });
    expect(answer.detail).toBe(explanation === never ? 'No host has gpu=yes.' : 'All slots are taken.');
  });

  test('that always waits, or stands on another lease, is not considered first', async () => {
    berth.script({ RequestLease: request });
    for (const body of [{ type: 'host', wait: 'always' }, { type: 'working-copy', host: { lease: randomUUID() } }, { type: 'service', host: { lease: randomUUID() } }]) {
      expect((await berth.send('POST', 'leases', body)).status).toBe(202);
    }
    expect(types()).toEqual(['RequestLease', 'RequestLease', 'RequestLease']);
    berth.script({ ConsiderLease: () => considering(never) });
    expect((await problem(berth.send('POST', 'leases', { type: 'working-copy' }))).code).toBe('unservable');
  });

  test('sent again it is the same lease, even if it could not be served a second time', async () => {
    const key = { 'Idempotency-Key': randomUUID() };
    berth.script({ ConsiderLease: () => considering(now), RequestLease: request });
    const body = { type: 'host', wait: 'no' };
    const first = await berth.send('POST', 'leases', body, key);
    expect(first.status).toBe(202);
    berth.script({ ConsiderLease: () => considering(wait), RequestLease: request });
    const again = await berth.send('POST', 'leases', body, key);
    expect([again.status, await again.json()]).toEqual([202, await first.json()]);
    expect(types()).toEqual(['RequestLease']);
  });

  test('what is wrong with it is told by the service that makes leases', async () => {
    berth.script({ RequestLease: () => rejected('invalid-data', 'The lease is refused: data.type: must be one of these.', [{ field: 'data.type', message: 'must be one of these' }]) });
    const answer = await problem(berth.send('POST', 'leases', { type: 'boat' }));
    expect([answer.status, answer.code, answer.errors, answer.detail]).toEqual([422, 'invalid-data', [{ field: 'type', message: 'must be one of these' }], 'The lease is refused: type: must be one of these.']);
    expect(types()).toEqual(['RequestLease']);
  });

  test('an allocator that is away does not keep requests from being made', async () => {
    berth.script({ ConsiderLease: () => undefined, RequestLease: request });
    expect((await berth.send('POST', 'leases', { type: 'host' })).status).toBe(202);
    expect(types().at(-1)).toBe('RequestLease');
  });

  test('a dry run makes nothing', async () => {
    berth.script({ ConsiderLease: () => considering(never) });
    expect(await berth.berth.leases.consider({ type: 'host' })).toEqual(never);
    expect(types()).toEqual(['ConsiderLease']);
    berth.script({ ConsiderLease: () => rejected('invalid-data', 'The request is refused: data.request.type: is required.', [{ field: 'data.request.type', message: 'is required' }]) });
    const answer = await problem(berth.send('POST', 'leases?dryRun=true', {}));
    expect([answer.status, answer.errors[0]!.field, answer.detail]).toEqual([422, 'type', 'The request is refused: type: is required.']);
  });

  test('beats, priorities and holds are commands of their services', async () => {
    const lease = randomUUID();
    const resource = randomUUID();
    berth.script({ BeatLease: () => ({ accepted: true, id: lease }), ChangePriority: () => ({ accepted: true, id: lease }), HoldResource: () => ({ accepted: true, id: resource }) });
    expect(await berth.berth.leases.beat(lease)).toEqual({ id: lease });
    expect(await berth.berth.leases.prioritize(lease, 7)).toEqual({ id: lease });
    expect(await berth.berth.leases.hold(lease, { for: '1h', reason: 'look' })).toEqual({ id: resource });
    expect(berth.sent.map(({ type, data }) => [type, data])).toEqual([['BeatLease', { lease }], ['ChangePriority', { lease, priority: 7 }], ['HoldResource', { lease, for: '1h', reason: 'look' }]]);
  });
});

describe('why', () => {
  test('a pending lease is asked of the allocator, which has seen it; a time is read from the events', async () => {
    const lease = randomUUID();
    const first = await berth.happen('lease', lease, { type: 'LeaseRequested', data: { type: 'host', owner: 'ada', attributes: {} } });
    const second = await berth.happen('lease', lease, { type: 'LeaseWaiting', data: { reason: 'older' } });
    const third = await berth.happen('lease', lease, { type: 'LeaseWaiting', data: { reason: wait.reason, explanation: wait } });
    berth.script({ ConsiderLease: () => considering({ ...wait, ahead: 1 }) });
    expect(await berth.berth.leases.explanation(lease)).toMatchObject({ live: true, position: null, reason: wait.reason, explanation: { ahead: 1 }, lease: { id: lease, status: 'pending' } });
    expect(berth.sent).toMatchObject([{ data: { lease }, after: third }]);
    const at = async (text: string | number) => {
      const { live, position, reason, explanation } = await berth.berth.leases.explanation(lease, { at: String(text) });
      return [live, position, reason, explanation];
    };
    expect(await at(first)).toEqual([false, null, null, null]);
    expect(await at(second)).toEqual([false, second, 'older', null]);
    expect(await at(third)).toEqual([false, third, wait.reason, wait]);
    expect(await at('2999-01-01T00:00:00Z')).toEqual([false, third, wait.reason, wait]);
    expect(await at('2999-01-01T00:00:00+02:00')).toEqual([false, third, wait.reason, wait]);
    expect(await at('2001-01-01T00:00:00Z')).toEqual([false, null, null, null]);
    expect((await problem(berth.ask(`leases/${lease}/explanation?at=yesterday`))).errors[0]!.field).toBe('at');

    await berth.happen('lease', lease, { type: 'LeaseRefused', data: { reason: never.reason, explanation: never } });
    expect(await berth.berth.leases.explanation(lease)).toMatchObject({ live: false, reason: never.reason, explanation: never, lease: { status: 'destroyed', ended: 'refused' } });
    expect((await problem(berth.ask(`leases/${randomUUID()}/explanation`))).code).toBe('unknown-lease');
  });

  test('one that was served at this very moment is read from the events', async () => {
    const lease = randomUUID();
    await berth.happen('lease', lease, { type: 'LeaseRequested', data: { type: 'host', owner: 'ada', attributes: {} } });
    berth.script({
      ConsiderLease: async () => {
        await berth.happen('lease', lease, { type: 'LeaseAcquired', data: { resource: randomUUID(), blueprint: 'local', slot: 0, token: 1 } });
        return rejected('lease-ended', 'It waits no more.');
      },
    });
    expect(await berth.berth.leases.explanation(lease)).toMatchObject({ live: false, reason: null, lease: { status: 'acquired' } });
  });

  describe('one whose resource leases something itself', () => {
    const uuids = (count: number) => Array.from({ length: count }, () => randomUUID());
    const asked = (lease: string, type: 'host' | 'working-copy' | 'composite') => berth.happen('lease', lease, { type: 'LeaseRequested', data: { type, owner: 'ada', attributes: {} } });
    const acquired = (lease: string, resource: string) => berth.happen('lease', lease, { type: 'LeaseAcquired', data: { resource, blueprint: 'copies', slot: 0, token: 1 } });
    const made = (resource: string, parent?: string) =>
      berth.happen('resource', resource, { type: 'ResourceCreated', data: { type: parent ? 'working-copy' : 'composite', blueprint: 'copies', name: 'c', attributes: {}, slots: 1, ...(parent && { parent: { lease: parent, own: true } }) } });

    test('is explained by that as long as it waits, then by what it is at, and by that again as of then', async () => {
      const [copy, resource, host] = uuids(3) as [string, string, string];
      await asked(copy, 'working-copy');
      await made(resource, host);
      await acquired(copy, resource);
      expect(await berth.berth.leases.explanation(copy)).toMatchObject({ live: true, reason: 'copies is making it', explanation: null });
      await asked(host, 'host');
      const told = await berth.happen('lease', host, { type: 'LeaseWaiting', data: { reason: wait.reason, explanation: wait } });
      berth.script({ ConsiderLease: () => considering(wait) });
      expect(await berth.berth.leases.explanation(copy)).toMatchObject({ live: true, lease: { id: copy, status: 'acquired' }, waitsFor: { lease: host, type: 'host', member: null }, reason: wait.reason, explanation: wait });
      expect(berth.sent).toMatchObject([{ data: { lease: host } }]);
      await acquired(host, randomUUID());
      await berth.happen('lease', host, { type: 'LeaseActivated', data: {} });
      expect(await berth.berth.leases.explanation(copy)).toMatchObject({ live: true, reason: 'copies is making it', explanation: null });
      const then = await berth.happen('lease', copy, { type: 'LeaseActivated', data: {} });
      for (const at of [undefined, String(told), String(then)]) {
        expect(await berth.berth.leases.explanation(copy, at === undefined ? {} : { at })).toMatchObject({ live: false, position: told, waitsFor: { lease: host }, explanation: wait, lease: { status: 'active' } });
      }
      expect(await berth.berth.leases.explanation(copy, { at: String(told - 1) })).toMatchObject({ position: null, explanation: null });
    });

    test('a composite is explained by the member that waits, down to what that stands on', async () => {
      const [lease, resource, left, right, copy, host] = uuids(6) as [string, string, string, string, string, string];
      await asked(lease, 'composite');
      await made(resource);
      await berth.happen('resource', resource, { type: 'FactsKept', data: { facts: { members: { left: randomUUID() } } } }, { type: 'FactsKept', data: { facts: { members: null } } }, { type: 'FactsKept', data: { facts: { members: { left, right } } } });
      await acquired(lease, resource);
      await asked(left, 'host');
      await acquired(left, randomUUID());
      await asked(right, 'working-copy');
      await made(copy, host);
      await acquired(right, copy);
      await asked(host, 'host');
      berth.script({ ConsiderLease: () => considering(wait) });
      expect(await berth.berth.leases.explanation(lease)).toMatchObject({ live: true, lease: { id: lease }, waitsFor: { lease: host, type: 'host', member: 'right' }, explanation: wait });
      await berth.happen('lease', host, { type: 'LeaseRefused', data: { reason: never.reason, explanation: never } });
      await berth.happen('lease', right, { type: 'LeaseBroken', data: { error: never.reason } });
      await berth.happen('lease', lease, { type: 'LeaseBroken', data: { error: `its member right can't be had: ${never.reason}` } });
      expect(await berth.berth.leases.explanation(lease)).toMatchObject({ live: false, lease: { status: 'broken' }, waitsFor: { lease: host }, explanation: never });
    });
  });

  test('a build is explained by the lease it asked for last, as of then', async () => {
    const [build, host, copy] = [randomUUID(), randomUUID(), randomUUID()];
    const plan = savedPlan.parse({ name: 'p', host: {}, workingCopy: {}, env: {}, steps: [{ name: 'One', run: 'true', env: {} }] });
    const requested = await berth.happen('build', build, { type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator: 'ada', project: 'widgets', priority: 3 } });
    const none = await problem(berth.ask(`builds/${build}/explanation`));
    expect([none.status, none.code]).toEqual([404, 'not-found']);
    await berth.happen('lease', host, { type: 'LeaseRequested', data: { type: 'host', owner: 'ada', attributes: {} } });
    await berth.happen('build', build, { type: 'BuildPreparing', data: { attempt: 1, hostLease: host } });
    berth.script({ ConsiderLease: () => considering(wait) });
    expect(await berth.berth.builds.explanation(build)).toMatchObject({ live: true, lease: { id: host } });
    const before = await berth.happen('lease', copy, { type: 'LeaseRequested', data: { type: 'working-copy', owner: 'ada', attributes: {}, host: { lease: host } } });
    await berth.happen('build', build, { type: 'BuildWorkingCopyRequested', data: { workingCopyLease: copy } });
    expect((await berth.berth.builds.explanation(build)).lease.id).toBe(copy);
    expect((await berth.berth.builds.explanation(build, { at: String(before) }) satisfies LeaseExplanation).lease.id).toBe(host);
    expect((await problem(berth.ask(`builds/${build}/explanation?at=${requested}`))).code).toBe('not-found');
    expect((await problem(berth.ask(`builds/${build}/explanation?at=1`))).code).toBe('unknown-build');
    expect(await berth.berth.builds.get(build)).toMatchObject({ project: 'widgets', priority: 3 });
  });
});

describe('a lease is shown with its resource', () => {
  test('a service with its place, a composite with its members', async () => {
    const [lease, resource, member] = [randomUUID(), randomUUID(), randomUUID()];
    await berth.happen('resource', resource, { type: 'ResourceCreated', data: { type: 'service', blueprint: 'db', name: 'db', attributes: {}, slots: 1, members: { host: member } } }, { type: 'ResourceActivated', data: { port: 20_000, uri: 'db://h:20000', path: '/srv' } });
    await berth.happen('lease', lease, { type: 'LeaseRequested', data: { type: 'service', owner: 'ada', attributes: {} } }, { type: 'LeaseAcquired', data: { resource, blueprint: 'db', slot: 0, token: 1 } });
    await eventually(async () => expect(await berth.berth.leases.get(lease)).toMatchObject({ port: 20_000, uri: 'db://h:20000', path: '/srv', members: { host: member } }));
    await eventually(async () => expect((await berth.berth.leases.list({ limit: 1 })).items[0]).toMatchObject({ id: lease, uri: 'db://h:20000' }));
  });
});

test('the schema of plans, for editors', async () => {
  const response = await berth.send('GET', 'schemas/plan.json');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('application/json');
  expect(await response.json()).toEqual(planDocument());
});
