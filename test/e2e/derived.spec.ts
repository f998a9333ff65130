import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { nothingLeft } from '../faults/left.js';
import { branch, repository } from '../support/repository.js';
import { eventually } from '../support/wait.js';
import { ANSWERS, freePorts, listens, startYard, webServer, type Yard } from '../support/yard.js';

let yard: Yard;
beforeAll(async () => {
  yard = await startYard();
  await yard.host('quay', { slots: 4, attributes: { quay: 'yes' } });
});

const over = () => nothingLeft(yard.fleet, [...yard.folders.values()]);
const text = async (uri: string) => (await fetch(uri)).text();
const onQuay = { attributes: { quay: 'yes' } };

describe('a service', () => {
  let port: number;
  let stops: string;
  beforeAll(async () => {
    port = await freePorts(4);
    stops = join(yard.fleet.home, 'stops');
    await yard.save({
      name: 'web', kind: 'service', on: onQuay, port: { from: port, to: port + 3 }, env: { SAYS: 'moored', STOPS: stops },
      start: webServer('process.env.SAYS'), ready: { command: ANSWERS }, stop: 'echo stopped $PORT >>"$STOPS"', uri: 'http://{address}:{port}/',
    });
  });

  test('is started on a host of its own, answers, and is ended in good order', async () => {
    const lease = await yard.lease({ type: 'service', blueprints: ['web'] });
    await yard.active(lease);
    const made = await yard.madeFor(lease, 'service');
    expect([0, 1, 2, 3]).toContain(made.port! - port);
    expect(made.uri).toBe(`http://127.0.0.1:${made.port}/`);
    expect(await text(made.uri!)).toBe('moored');
    const own = yard.ownLease(yard.resourceOf(lease, 'service'));
    expect((await yard.fleet.bus.waitForStatus('lease', own, ['active'], { timeoutMs: 1000 })).data['type']).toBe('host');

    await yard.release(lease);
    await yard.destroyed(lease, own);
    expect(await listens(made.port!)).toBe(false);
    expect(await readFile(stops, 'utf8')).toBe(`stopped ${made.port}\n`);
    const order = await yard.destroyedInOrder();
    expect(order.indexOf(lease)).toBeLessThan(order.indexOf(own));
    await over();
  });

  test('of which four begin at once on a given host get a port each, and all end with the host, leaf first', async () => {
    const host = await yard.lease({ type: 'host', ...onQuay });
    await yard.active(host);
    const leases = await Promise.all([0, 1, 2, 3].map(() => yard.lease({ type: 'service', blueprints: ['web'], host: { lease: host } })));
    await Promise.all(leases.map((lease) => yard.active(lease)));
    const made = await Promise.all(leases.map((lease) => yard.madeFor(lease, 'service')));
    expect(made.map((one) => one.port! - port).sort()).toEqual([0, 1, 2, 3]);
    for (const { uri } of made) expect(await text(uri!)).toBe('moored');
    const another = await yard.lease({ type: 'service', blueprints: ['web'], host: { lease: host } });
    expect((await yard.destroyed(another))[0]!.data.error).toBe('every port of web is taken on its host');

    await yard.release(host);
    await yard.destroyed(...leases, host);
    expect((await yard.destroyedInOrder()).at(-1)).toBe(host);
    expect(await Promise.all(made.map((one) => listens(one.port!)))).toEqual([false, false, false, false]);
    await over();
  });

  test.each([
    ['whose start fails', { start: 'echo no mooring; sleep 60 & exit 3' }, 'exit code 3'],
    ['that never gets ready', { start: 'sleep 60 >/dev/null 2>&1 &', ready: { command: 'echo no harbour; false', timeout: 300 } }, 'not ready after 0.3 s: no harbour'],
    ['whose start takes too long', { start: 'sleep 60', startTimeout: 300 }, 'ran longer than 0.3 s'],
  ])('%s breaks its lease and says why', async (_, spec, error) => {
    await yard.save({ name: 'unfit', kind: 'service', on: onQuay, ...spec });
    const lease = await yard.lease({ type: 'service', blueprints: ['unfit'] });
    const broken = await yard.fleet.bus.waitForStatus('lease', lease, ['broken', 'destroyed'], { timeoutMs: 10_000 });
    expect(broken.data.error).toContain(error);
    await yard.destroyed(lease, yard.ownLease(yard.resourceOf(lease, 'service')));
    await over();
  });

  test('stands on a working copy: the web server of a change under review', async () => {
    const repo = await repository({ page: 'as it was' });
    await branch(repo, 'change', { page: 'as it will be' });
    const review = { kind: 'service', port: { from: port, to: port + 1 }, start: webServer('require("fs").readFileSync("page")'), ready: { command: ANSWERS }, uri: 'http://{address}:{port}/' } as const;
    await yard.save({ ...review, name: 'review', on: { ...onQuay, workingCopy: { repository: repo, ref: 'change' } } });
    const own = await yard.lease({ type: 'service', blueprints: ['review'] });
    // And on one that somebody leased for it.
    const copy = await yard.lease({ type: 'working-copy', ...onQuay, workingCopy: { repository: repo, ref: 'main' } });
    await Promise.all([own, copy].map((lease) => yard.active(lease)));
    const given = await yard.lease({ type: 'service', blueprints: ['review'], host: { lease: copy } });
    await yard.active(given);
    expect(await text((await yard.madeFor(own, 'service')).uri!)).toBe('as it will be');
    expect(await text((await yard.madeFor(given, 'service')).uri!)).toBe('as it was');

    await yard.release(own, copy);
    const ownCopy = yard.ownLease(yard.resourceOf(own, 'service'));
    const ownHost = yard.ownLease(yard.resourceOf(ownCopy));
    await yard.destroyed(own, ownCopy, ownHost, given, copy);
    const order = await yard.destroyedInOrder();
    expect([own, ownCopy, ownHost].map((lease) => order.indexOf(lease))).toEqual([own, ownCopy, ownHost].map((lease) => order.indexOf(lease)).sort((a, b) => a - b));
    expect(order.indexOf(given)).toBeLessThan(order.indexOf(copy));
    await over();
  });

  test('breaks when the host that it leased for itself is taken from it', async () => {
    const lease = await yard.lease({ type: 'service', blueprints: ['web'] });
    await yard.active(lease);
    await yard.release(yard.ownLease(yard.resourceOf(lease, 'service')));
    const broken = await yard.fleet.bus.waitForStatus('lease', lease, ['broken', 'destroyed'], { timeoutMs: 5000 });
    expect(broken.data.error).toContain('released');
    await yard.destroyed(lease);
    await over();
  });

  test('is there once, whenever the allocator is killed', async () => {
    const { fleet } = yard;
    const gate = join(fleet.home, 'gate');
    const starts = join(fleet.home, 'starts');
    const wait = `until [ -e '${gate}' ]; do sleep 0.02; done`;
    await yard.save({ name: 'slow', kind: 'service', on: onQuay, port: { from: port, to: port + 1 }, start: `echo on >>'${starts}'; ${wait}; ${webServer('1')}`, ready: { command: ANSWERS }, stop: `echo off >>'${starts}'; ${wait}`, uri: 'http://{address}:{port}/' });
    const lease = await yard.lease({ type: 'service', blueprints: ['slow'] });
    await eventually(() => existsSync(starts), { timeoutMs: 10_000 });
    await fleet.services.allocator.kill9();
    await writeFile(gate, '');
    await fleet.services.allocator.start();
    await yard.active(lease);
    const { uri, port: at } = await yard.madeFor(lease, 'service');
    expect(await text(uri!)).toBe('1');

    await rm(gate);
    await yard.release(lease);
    await eventually(async () => (await readFile(starts, 'utf8')) === 'on\noff\n', { timeoutMs: 10_000 });
    await fleet.services.allocator.kill9();
    await writeFile(gate, '');
    await fleet.services.allocator.start();
    await yard.destroyed(lease, yard.ownLease(yard.resourceOf(lease, 'service')));
    expect(await readFile(starts, 'utf8')).toBe('on\noff\n');
    expect(await listens(at!)).toBe(false);
    await over();
  });
});

describe('a working copy', () => {
  test('leases its own host, and holds the repositories that go with it', async () => {
    const [main, also] = await Promise.all([repository({ a: 'main' }), repository({ b: 'also' })]);
    const lease = await yard.lease({ type: 'working-copy', ...onQuay, workingCopy: { repository: main, also: { 'libs/b': { repository: also } } } });
    await yard.active(lease);
    const { path, commit } = await yard.madeFor(lease);
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
    expect(await Promise.all([readFile(join(path!, 'a'), 'utf8'), readFile(join(path!, 'libs/b/b'), 'utf8')])).toEqual(['main', 'also']);
    await yard.release(lease);
    await yard.destroyed(lease, yard.ownLease(yard.resourceOf(lease)));
    await over();
  });

  test('that no host fits is refused at once, with the hosts that were looked at', async () => {
    const request = { type: 'working-copy', attributes: { quay: 'no' } } as const;
    const dry = await yard.considered(request);
    expect(dry).toMatchObject({ verdict: 'never', reason: expect.stringMatching(/host.*quay=no is wanted/), considered: expect.arrayContaining([expect.objectContaining({ code: 'attributes', name: 'quay' })]) });
    const lease = await yard.lease(request);
    expect((await yard.destroyed(lease))[0]!.data.error).toBe(dry.reason);
    expect((await yard.eventsOf(lease)).map(({ type }) => type)).toEqual(['LeaseRequested', 'LeaseRefused', 'LeaseDestroyed']);
    expect(await yard.eventsOf(yard.resourceOf(lease))).toEqual([]);
    await over();
  });

  test('that waits whatever there is, is made on a host that is added later', async () => {
    const lease = await yard.lease({ type: 'working-copy', attributes: { later: 'yes' }, wait: 'always' });
    const own = yard.ownLease(yard.resourceOf(lease));
    await yard.fleet.bus.waitForStatus('lease', own, ({ data }) => String(data.activity).includes('later=yes is wanted'), { timeoutMs: 5000 });
    await yard.host('later', { attributes: { later: 'yes' } });
    await yard.active(lease);
    await yard.release(lease);
    await yard.destroyed(lease, own);
    await over();
  });

  test('is made by a blueprint that could be stood on, not by one before it that could not', async () => {
    await yard.save({ name: 'nowhere', kind: 'working-copy', rank: 1, host: { attributes: { quay: 'no' } } });
    await yard.save({ name: 'somewhere', kind: 'working-copy', rank: 2, host: onQuay });
    const request: Parameters<Yard['lease']>[0] = { type: 'working-copy', blueprints: ['nowhere', 'somewhere'], wait: 'no' };
    expect(await yard.considered(request)).toMatchObject({ verdict: 'now', considered: expect.arrayContaining([expect.objectContaining({ blueprint: 'nowhere', code: 'no-resources', reason: expect.stringContaining('quay=no') })]) });
    const lease = await yard.lease(request);
    expect((await yard.active(lease)).data['blueprint']).toBe('somewhere');
    await yard.release(lease);
    await yard.destroyed(lease, yard.ownLease(yard.resourceOf(lease)));
    await over();
  });

  test.each(['project', 'anybody'] as const)('begins with the clone that was kept for %s, without what its last user left', async (reuse) => {
    const repo = await repository({ file: 'x', '.gitignore': 'ignored\n' });
    await yard.save({ name: `kept-${reuse}`, kind: 'working-copy', reuse, keep: 3, host: onQuay });
    // A folder keeps its number when it is moved, and no other has it as long as it is there.
    const objects = async (path: string) => (await stat(join(path, '.git/objects'))).ino;
    const use = async (project: string) => {
      const lease = await yard.lease({ type: 'working-copy', blueprints: [`kept-${reuse}`], project, workingCopy: { repository: repo } });
      await yard.active(lease);
      const path = (await yard.madeFor(lease)).path!;
      const seen = ['planted', 'ignored', '.git/hooks/post-checkout'].filter((name) => existsSync(join(path, name)));
      await mkdir(join(path, '.git/hooks'), { recursive: true });
      await Promise.all([writeFile(join(path, 'planted'), ''), writeFile(join(path, 'ignored'), ''), writeFile(join(path, 'file'), 'changed'), writeFile(join(path, '.git/hooks/post-checkout'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })]);
      const made = { seen, objects: await objects(path) };
      await yard.release(lease);
      await yard.destroyed(lease, yard.ownLease(yard.resourceOf(lease)));
      return made;
    };
    const first = await use('web');
    const other = await use('mobile');
    const second = await use('web');
    expect([first.seen, other.seen, second.seen]).toEqual([[], [], []]);
    expect(second.objects).toBe(first.objects);
    if (reuse === 'project') expect(other.objects).not.toBe(first.objects);
    else expect(other.objects).toBe(first.objects);
    await over();
  });

  test('is made where its clone was kept, when that host is free', async () => {
    await Promise.all([yard.host('twin-a', { attributes: { twin: 'yes' } }), yard.host('twin-b', { attributes: { twin: 'yes' } })]);
    await yard.save({ name: 'twin', kind: 'working-copy', reuse: 'anybody', host: { attributes: { twin: 'yes' } } });
    const repos = await Promise.all([repository({ a: '1' }), repository({ b: '2' })]);
    const both = async (order: readonly number[]) => {
      const leases = new Map<number, string>();
      for (const i of order) {
        const lease = await yard.lease({ type: 'working-copy', blueprints: ['twin'], workingCopy: { repository: repos[i]! } });
        await yard.active(lease);
        leases.set(i, lease);
      }
      const folders = await Promise.all([0, 1].map(async (i) => join((await yard.madeFor(leases.get(i)!)).path!, '../..')));
      await yard.release(...leases.values());
      await yard.destroyed(...[...leases.values()].flatMap((lease) => [lease, yard.ownLease(yard.resourceOf(lease))]));
      return folders;
    };
    const before = await both([0, 1]);
    expect(await both([1, 0])).toEqual(before);
    await over();
  });

  test.each([
    [{ resources: 1 }, 'may have no more than 1 resource'],
    [{ leases: 1 }, 'has as many leases as its limit allows (1)'],
    [{ leasesPerOwner: 1 }, 'anonymous has as many leases of'],
    [{ resources: 1, leases: 2 }, 'may have no more than 1 resource'],
  ])('over the limit %o waits, says why, and has its turn', async (limits, reason) => {
    const name = `limited-${Object.keys(limits).join('-').toLowerCase()}`;
    await yard.save({ name, kind: 'working-copy', limits, host: onQuay });
    const before = (await yard.fleet.events('fleet')).length;
    const first = await yard.lease({ type: 'working-copy', blueprints: [name] });
    await yard.active(first);
    const second = await yard.lease({ type: 'working-copy', blueprints: [name] });
    const waiting = await yard.fleet.bus.waitForStatus('lease', second, ({ data }) => String(data.activity).startsWith('waiting'), { timeoutMs: 5000 });
    expect(waiting.data.activity).toContain(reason);
    await yard.release(first);
    await yard.active(second);
    await yard.release(second);
    await yard.destroyed(first, second, ...[first, second].map((lease) => yard.ownLease(yard.resourceOf(lease))));
    await over();
    // Who waits asks for room when there is some, and not all the time.
    expect((await yard.fleet.events('fleet')).length - before).toBeLessThan(10);
  });

  test('waits no longer for its host than its request does', async () => {
    const host = await yard.lease({ type: 'host', ...onQuay });
    await yard.active(host);
    const others = await Promise.all([1, 2, 3].map(() => yard.lease({ type: 'host', ...onQuay })));
    await Promise.all(others.map((lease) => yard.active(lease)));
    const now = await yard.lease({ type: 'working-copy', ...onQuay, wait: 'no' });
    const soon = await yard.lease({ type: 'working-copy', ...onQuay, waitAtMost: 300 });
    const [a, b] = await yard.destroyed(now, soon);
    expect(a!.data.error).toContain('slots');
    expect(b!.data.error).toContain('it waited for');
    await yard.release(host, ...others);
    await yard.destroyed(host, ...others);
    await over();
  });
});

describe('a blueprint that is not for everybody', () => {
  const refused = async (request: Parameters<Yard['lease']>[0], reason: string) => {
    const before = (await yard.fleet.events()).length;
    expect(await yard.considered(request)).toMatchObject({ verdict: 'never', reason: expect.stringContaining(reason) });
    expect((await yard.fleet.events()).length).toBe(before);
    const lease = await yard.lease(request);
    const at = Date.now();
    await yard.destroyed(lease);
    expect(Date.now() - at).toBeLessThan(1000);
    expect((await yard.eventsOf(lease)).map((event) => event.type)).toEqual(['LeaseRequested', 'LeaseRefused', 'LeaseDestroyed']);
    expect((await yard.eventsOf(lease)).find((event) => event.type === 'LeaseRefused')!.data).toMatchObject({ reason: expect.stringContaining(reason) });
  };

  test('serves those whom it is for, and refuses others at once', async () => {
    await yard.save({ name: 'for-web', kind: 'working-copy', allow: { projects: ['web'] }, host: onQuay });
    const request = { type: 'working-copy' as const, blueprints: ['for-web'] };
    await refused({ ...request, project: 'mobile' }, 'for-web: project mobile may not use it');
    await refused(request, 'for-web: anonymous may not use it');
    const lease = await yard.lease({ ...request, project: 'web' });
    await yard.active(lease);
    await yard.release(lease);
    await yard.destroyed(lease, yard.ownLease(yard.resourceOf(lease)));
    await over();
  });

  test('that is disabled refuses everybody, until it is enabled', async () => {
    await yard.save({ name: 'closed', kind: 'working-copy', host: onQuay });
    await yard.fleet.command('allocator', 'DisableBlueprint', { name: 'closed', reason: 'low water' });
    const request = { type: 'working-copy' as const, blueprints: ['closed'] };
    await refused(request, 'closed is disabled: low water');
    const patient = await yard.lease({ ...request, wait: 'always' });
    await yard.fleet.command('allocator', 'EnableBlueprint', { name: 'closed' });
    await yard.active(patient);
    await yard.release(patient);
    await yard.destroyed(patient, yard.ownLease(yard.resourceOf(patient)));
    await over();
  });
});
