import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Page } from '@berth/client';
import { eventually } from '../../../../test/support/wait.js';
import { scripted, type Scripted } from '../scripted.testing.js';
import { actionOf, asker, buildOf, leaseOf, problemOf, statusAndCode, type Asker } from './access.testing.js';

let berth: Scripted;
/** Who works for compilers, who for both, who for nobody in particular. */
let one: Asker;
let both: Asker;
let free: Asker;
let watcher: Asker;
let operator: Asker;
let compilers: { lease: string; build: string; action: string };
let graphics: { lease: string; build: string; action: string };
let mine: { lease: string; build: string };

const ids = async (answer: Promise<Response>): Promise<string[]> => ((await (await answer).json()) as Page<{ id: string }>).items.map(({ id }) => id).sort();
const accepted = { accepted: true, id: 'x' } as const;

beforeAll(async () => {
  berth = await scripted();
  one = await asker(berth, 'one', 'builder', ['compilers']);
  both = await asker(berth, 'both', 'builder', ['compilers', 'graphics']);
  free = await asker(berth, 'free', 'builder');
  watcher = await asker(berth, 'watcher', 'viewer', ['compilers']);
  operator = await asker(berth, 'operator', 'operator');
  const group = async (project: string) => {
    const lease = await leaseOf(berth, 'somebody', project);
    return { lease, build: await buildOf(berth, 'somebody', project), action: await actionOf(berth, lease) };
  };
  compilers = await group('compilers');
  graphics = await group('graphics');
  mine = { lease: await leaseOf(berth, 'free'), build: await buildOf(berth, 'free') };
  await eventually(async () => expect(await ids(berth.ask('leases'))).toHaveLength(3));
});

describe('who sees what', () => {
  test('lists have what acts for one\'s projects, also when another is asked for', async () => {
    expect(await ids(one.ask('GET', 'leases'))).toEqual([compilers.lease]);
    expect(await ids(watcher.ask('GET', 'builds'))).toEqual([compilers.build]);
    expect(await ids(both.ask('GET', 'leases'))).toEqual([compilers.lease, graphics.lease].sort());
    expect(await ids(both.ask('GET', 'leases?project=graphics'))).toEqual([graphics.lease]);
    expect(await ids(one.ask('GET', 'leases?project=graphics'))).toEqual([]);
    expect(await ids(free.ask('GET', 'leases'))).toHaveLength(3);
  });

  test('what acts for others is not there, in the words of what is not there', async () => {
    const nowhere = randomUUID();
    for (const [path, own, other] of [['leases', compilers.lease, graphics.lease], ['builds', compilers.build, graphics.build], ['actions', compilers.action, graphics.action]] as const) {
      expect((await watcher.ask('GET', `${path}/${own}`)).status).toBe(200);
      const absent = await problemOf(watcher.ask('GET', `${path}/${nowhere}`));
      expect(await problemOf(watcher.ask('GET', `${path}/${other}`))).toEqual(JSON.parse(JSON.stringify(absent).replaceAll(nowhere, other)));
      expect((await free.ask('GET', `${path}/${other}`)).status).toBe(200);
    }
    // Nor is what acts for nobody.
    expect(await statusAndCode(one.ask('GET', `leases/${mine.lease}`))).toEqual([404, 'unknown-lease']);
    for (const path of [`builds/${graphics.build}/log`, `builds/${graphics.build}/artifacts`, `actions/${graphics.action}/log`, `history/${graphics.lease}`, `history/${graphics.build}`]) expect((await one.ask('GET', path)).status).toBe(404);
    expect((await one.ask('GET', `history/${compilers.build}`)).status).toBe(200);
  });

  test('the feed tells each what it may read, in order, and tokens to admins alone', async () => {
    const read = async (who: Asker): Promise<string[]> => {
      const seen: string[] = [];
      const stop = new AbortController();
      const last = await leaseOf(berth, 'somebody', 'compilers');
      for await (const event of who.berth.events({ after: '0', signal: stop.signal })) {
        seen.push(`${event.kind} ${event.id}`);
        if (event.id === last) stop.abort();
        if (event.id === last) break;
      }
      return seen;
    };
    const [scoped, whole] = [await read(watcher), await read(free)];
    expect(scoped.slice(0, 3)).toEqual([`lease ${compilers.lease}`, `build ${compilers.build}`, `action ${compilers.action}`]);
    expect(scoped.join()).not.toMatch(new RegExp(`${graphics.lease}|${mine.lease}|token|access`));
    expect(whole).toEqual(expect.arrayContaining([`lease ${graphics.lease}`, `lease ${mine.lease}`]));
    expect(whole.join()).not.toMatch(/token|access/);
    expect((await one.ask('GET', 'history/one')).status).toBe(404);
    expect((await berth.ask('history/one')).status).toBe(200);
  });

  test('live, too', async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    let told: (() => void) | undefined;
    const began = new Promise<void>((resolve) => (told = resolve));
    const first = await leaseOf(berth, 'x', 'compilers');
    let last = '';
    const following = (async () => {
      for await (const event of watcher.berth.events({ after: '0', signal: stop.signal })) {
        seen.push(event.id);
        if (event.id === first) told!();
        if (event.id === last) return stop.abort();
      }
    })();
    await began;
    const hidden = await leaseOf(berth, 'x', 'graphics');
    last = randomUUID();
    await leaseOf(berth, 'x', 'compilers', last);
    await following;
    expect(seen).toContain(last);
    expect(seen).not.toContain(hidden);
  });

  test('who holds a slot of a host is told to whom the lease is', async () => {
    const resource = randomUUID();
    const created = { type: 'ResourceCreated', data: { type: 'host', blueprint: 'preallocated', name: 'box', attributes: {}, slots: 2, machine: 'box' } };
    await berth.happen('resource', resource, created, { type: 'ResourceActivated', data: {} }, { type: 'SlotClaimed', data: { slot: 0, lease: compilers.lease, owner: 'x' } });
    const after = await berth.happen('resource', resource, { type: 'SlotClaimed', data: { slot: 1, lease: graphics.lease, owner: 'y' } });
    await eventually(async () => expect((await berth.berth.resources.get(resource)).leases).toHaveLength(2));
    const shown = await watcher.berth.resources.get(resource);
    expect([shown.busy, shown.leases.map(({ lease }) => lease)]).toEqual([2, [compilers.lease]]);
    expect((await watcher.berth.resources.list({ after })).items[0]!.leases.map(({ lease }) => lease)).toEqual([compilers.lease]);
    expect((await operator.berth.resources.get(resource)).leases).toHaveLength(2);
  });

  test('nor is it found out by asking for an owner, or in the past', async () => {
    const resource = randomUUID();
    const [own, other] = [await leaseOf(berth, 'carl', 'compilers'), await leaseOf(berth, 'zoe', 'graphics')];
    await berth.happen('resource', resource, { type: 'ResourceCreated', data: { type: 'host', blueprint: 'preallocated', name: 'shared', attributes: {}, slots: 2, machine: 'shared' } }, { type: 'ResourceActivated', data: {} });
    let after = 0;
    for (const [slot, lease, owner] of [[0, other, 'zoe'], [1, own, 'carl']] as const) {
      await berth.happen('resource', resource, { type: 'SlotClaimed', data: { slot, lease, owner } });
      after = await berth.happen('lease', lease, { type: 'LeaseAcquired', data: { resource, blueprint: 'preallocated', slot, token: slot + 1 } });
    }
    const held = async (who: Asker, owner: string) => (await who.berth.resources.list({ owner, after, total: true }));
    expect(await held(watcher, 'zoe')).toEqual({ items: [], cursor: null, total: 0, totalIsBound: false });
    expect((await held(watcher, 'carl')).items.map(({ id, owner, busy }) => [id, owner, busy])).toEqual([[resource, 'carl', 2]]);
    expect((await held(operator, 'zoe')).items.map(({ id, owner }) => [id, owner])).toEqual([[resource, 'zoe']]);
    const seen = async (who: Asker) => {
      const { resources, leases, builds, totals } = await who.berth.fleet({ at: String(after), after });
      const { owner, leases: holders } = resources.find(({ id }) => id === resource)!;
      return [owner, holders.map((one) => one.owner), leases.map((one) => one.project), builds.map((one) => one.project), totals.leases === leases.length].map((one) => JSON.stringify(one));
    };
    expect(await seen(watcher)).toEqual([JSON.stringify('carl'), JSON.stringify(['carl']), expect.not.stringMatching(/graphics|null/), expect.not.stringMatching(/graphics|null/), 'true']);
    expect(await seen(operator)).toEqual([JSON.stringify('zoe'), JSON.stringify(['zoe', 'carl']), expect.stringMatching(/graphics/), expect.stringMatching(/graphics/), 'true']);
    // What all have used together is nobody's in particular.
    for (const path of ['usage', 'usage.csv', 'timeline']) expect([(await watcher.ask('GET', path)).status, (await operator.ask('GET', path)).status]).toEqual([403, 200]);
  });
});

describe('who touches what', () => {
  test('what acts for one\'s projects; what is one\'s own; an operator all', async () => {
    berth.script({ ReleaseLease: () => accepted, AbortBuild: () => accepted, CancelAction: () => accepted });
    const tries = async (who: Asker): Promise<number[]> => {
      const answers: number[] = [];
      for (const [path, id] of [['leases', compilers.lease], ['leases', graphics.lease], ['leases', mine.lease]] as const) answers.push((await who.ask('POST', `${path}/${id}/release`, {})).status);
      for (const id of [compilers.build, graphics.build, mine.build]) answers.push((await who.ask('POST', `builds/${id}/abort`, {})).status);
      for (const id of [compilers.action, graphics.action]) answers.push((await who.ask('POST', `actions/${id}/cancel`, {})).status);
      return answers;
    };
    expect(await tries(one)).toEqual([202, 404, 404, 202, 404, 404, 202, 404]);
    expect(await tries(both)).toEqual([202, 202, 404, 202, 202, 404, 202, 202]);
    expect(await tries(free)).toEqual([403, 403, 202, 403, 403, 202, 403, 403]);
    expect(await tries(operator)).toEqual([202, 202, 202, 202, 202, 202, 202, 202]);
    expect(await tries(watcher)).toEqual([403, 403, 403, 403, 403, 403, 403, 403]);
    expect((await problemOf(free.ask('POST', `leases/${compilers.lease}/release`, {}))).detail).toContain("The lease is somebody's: you are free");
    // A refusal at the door is no command.
    expect(berth.sent.filter(({ type }) => type === 'CancelAction').map(({ data }) => data['action'])).toEqual([compilers.action, compilers.action, graphics.action, compilers.action, graphics.action]);
  });

  test('files and commands of a lease of others: neither', async () => {
    for (const path of [`leases/${compilers.lease}/exec`, `leases/${compilers.lease}/terminal`, `leases/${compilers.lease}/get`]) expect(await statusAndCode(free.ask('POST', path, { command: 'true' }))).toEqual([403, 'forbidden']);
    expect(await statusAndCode(free.ask('GET', `leases/${compilers.lease}/files`))).toEqual([403, 'forbidden']);
    expect(await statusAndCode(one.ask('GET', `leases/${graphics.lease}/files/content?path=x`))).toEqual([404, 'unknown-lease']);
    // One's own is refused only for what it is.
    expect(await statusAndCode(free.ask('POST', `leases/${mine.lease}/exec`, { command: 'true' }))).toEqual([409, 'lease-not-active']);
  });
});

describe('what is asked for acts for whom it may', () => {
  const asked = () => berth.sent.filter(({ type }) => type === 'RequestLease' || type === 'RequestBuild' || type === 'SendBuildMessage').map(({ data }) => data);

  test('a single project is filled in; of several one must be said; another is forbidden', async () => {
    berth.script({ RequestLease: () => accepted, RequestBuild: () => accepted, SendBuildMessage: () => accepted });
    const wanted = { type: 'host', wait: 'always' };
    expect((await one.ask('POST', 'leases', wanted)).status).toBe(202);
    expect((await both.ask('POST', 'leases', { ...wanted, project: 'graphics' })).status).toBe(202);
    expect((await free.ask('POST', 'builds', { plan: 'p', project: 'anything' })).status).toBe(202);
    expect((await operator.ask('POST', 'leases', { ...wanted, owner: 'ada' })).status).toBe(202);
    expect(await problemOf(both.ask('POST', 'leases', wanted))).toMatchObject({ status: 422, errors: [{ field: 'project', message: 'must be one of compilers, graphics' }] });
    expect(await problemOf(one.ask('POST', 'builds', { plan: 'p', project: 'graphics' }))).toMatchObject({ status: 403, code: 'forbidden', errors: [{ field: 'project' }] });
    expect(await problemOf(one.ask('POST', 'leases?dryRun=true', { ...wanted, project: 'graphics' }))).toMatchObject({ status: 403 });
    expect(asked()).toEqual([
      { ...wanted, project: 'compilers', owner: 'one' },
      { ...wanted, project: 'graphics', owner: 'both' },
      { plan: 'p', project: 'anything', initiator: 'free' },
      { ...wanted, owner: 'ada' },
    ]);
  });

  test('nobody asks, builds or speaks in another\'s name', async () => {
    berth.script({ RequestLease: () => accepted, SendBuildMessage: () => accepted, AddArtifact: () => accepted });
    expect(await problemOf(free.ask('POST', 'leases', { type: 'host', owner: 'ada' }))).toMatchObject({ status: 403, errors: [{ field: 'owner', message: 'must be "free", or be left out' }] });
    expect(await problemOf(free.ask('POST', 'builds', { plan: 'p', initiator: 'ada' }))).toMatchObject({ status: 403, errors: [{ field: 'initiator' }] });
    const say = (who: Asker, body: unknown) => who.ask('POST', `builds/${compilers.build}/steps/ok/messages`, body);
    expect(await problemOf(say(one, { type: 'pass', by: 'ada' }))).toMatchObject({ status: 403, errors: [{ field: 'by' }] });
    expect((await say(one, { type: 'pass' })).status).toBe(202);
    expect((await say(operator, { type: 'pass', by: 'ada' })).status).toBe(202);
    expect(await problemOf(one.ask('POST', `builds/${compilers.build}/artifacts`, { name: 'x', uri: 'https://x.example', by: 'ada' }))).toMatchObject({ status: 403 });
    expect(asked().map(({ by }) => by)).toEqual(['one', 'ada']);
  });

  test('a whole machine is had by those alone who may take hosts out of service', async () => {
    berth.script({ RequestLease: () => accepted });
    const whole = { type: 'host', wait: 'always', exclusive: { machine: 'box', force: true } };
    for (const who of [free, one]) expect(await problemOf(who.ask('POST', 'leases', whole))).toMatchObject({ status: 403, code: 'forbidden', errors: [{ field: 'exclusive' }] });
    expect((await operator.ask('POST', 'leases', whole)).status).toBe(202);
    expect(asked()).toHaveLength(1);
  });

  test('nothing is put onto a lease of others', async () => {
    berth.script({ RequestLease: () => accepted });
    const onto = (lease: string) => ({ type: 'working-copy', wait: 'always', host: { lease } });
    expect(await statusAndCode(one.ask('POST', 'leases', onto(graphics.lease)))).toEqual([404, 'unknown-lease']);
    expect(await statusAndCode(free.ask('POST', 'leases', onto(compilers.lease)))).toEqual([403, 'forbidden']);
    expect((await one.ask('POST', 'leases', onto(compilers.lease))).status).toBe(202);
    expect(berth.sent).toHaveLength(1);
  });

  test('why a lease waits, and what would become of one, is explained to each as far as each sees', async () => {
    const explanation = { verdict: 'wait', reason: 'it is taken', next: 'it is given back', ahead: 0, considered: [{ blueprint: 'pool', code: 'no-free-slot', reason: 'no free slot: held by another project', holders: [{ owner: 'another project' }] }], more: 0 };
    berth.script({ ConsiderLease: ({ id }) => ({ accepted: true, id, data: explanation }), RequestLease: () => accepted });
    for (const who of [one, both, watcher, operator]) expect(await (await who.ask('GET', `leases/${compilers.lease}/explanation`)).json()).toMatchObject({ explanation });
    expect(await (await one.ask('POST', 'leases?dryRun=true', { type: 'host' })).json()).toEqual(explanation);
    expect((await one.ask('POST', 'leases', { type: 'host', wait: 'no' })).status).toBe(422);
    expect(berth.sent.map(({ type, data }) => [type, data['projects']])).toEqual([['compilers'], ['compilers', 'graphics'], ['compilers'], undefined, ['compilers'], ['compilers']].map((projects) => ['ConsiderLease', projects]));
  });
});

test.each([['leases/nope/release', 'lease'], ['builds/nope/abort', 'build'], ['actions/nope/cancel', 'action'], ['builds/nope/steps/One/rerun', 'build']])('%s: what can be the id of nothing is not there, and no command is sent', async (path, kind) => {
  berth.script({});
  const { status, code, detail } = await problemOf(berth.send('POST', path));
  expect([status, code, detail]).toEqual([404, `unknown-${kind}`, expect.stringContaining(`There is no ${kind} "nope"`)]);
  expect(berth.sent).toEqual([]);
});
