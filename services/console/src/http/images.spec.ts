import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ImageVersionView } from '@berth/client';
import { jetStreamObjects } from '@berth/artifacts';
import { artifactBucket } from '@berth/nats';
import { asker, problemOf, statusAndCode, type Asker } from '../access/access.testing.js';
import { scripted, type Scripted } from '../scripted.testing.js';
import { assigned, built, catalogue, channelSaved, completed, ended, pushed, pushFailed, requested, saved, started, targetFailed } from '../views/images.testing.js';
import { factory } from './images.testing.js';

let berth: Scripted;
let operator: Asker;
let builder: Asker;
let viewer: Asker;
/** of the image web */
let first: string;

beforeAll(async () => {
  berth = await scripted();
  [operator, builder, viewer] = await Promise.all([asker(berth, 'operator', 'operator'), asker(berth, 'builder', 'builder'), asker(berth, 'viewer', 'viewer')]);
  berth.script(factory(berth));
  await berth.happen('catalog', 'main', ...catalogue);
});

const web = (...events: Parameters<Scripted['happen']>[2][]) => berth.happen('image', 'web', ...events);

describe('an image', () => {
  test('is read without being saved, and refused line by line', async () => {
    expect((await viewer.berth.images.validate('name: web')).template.name).toBe('web');
    const problem = await problemOf(viewer.ask('POST', 'images/validate', { source: 'bad' }));
    expect([problem.status, problem.code, problem.errors]).toEqual([422, 'invalid-template', [{ field: 'source', message: 'line 1: name is missing' }]]);
    expect(await statusAndCode(viewer.ask('POST', 'images', { source: 'x' }))).toEqual([403, 'forbidden']);
    expect(await statusAndCode(builder.ask('POST', 'images', { source: 'x' }))).toEqual([403, 'forbidden']);
  });

  test('is saved, built, and shown', async () => {
    const response = await operator.ask('POST', 'images', { source: 'name: web' });
    expect([response.status, response.headers.get('location'), await response.json()]).toEqual([201, '/api/v1/images/web', { id: 'web', name: 'web', version: 1, position: expect.any(Number) as number }]);
    expect(await viewer.berth.images.get('web')).toMatchObject({
      name: 'web', revision: 1, format: 'yaml', source: 'name: web', targets: ['raw', 'oci'], environment: 'dev', status: 'NEW', newest: null, versions: 0, parent: null, channels: [{ channel: 'latest', version: null, number: null, managed: true }],
    });
    expect(await viewer.berth.images.board('web')).toMatchObject({ buildAll: true, pushAll: null, versions: [{ version: null, status: 'NEW' }] });
    const id = randomUUID();
    const asked = await builder.berth.images.build('web', { labels: { team: 'web' } }, { id });
    expect(asked).toMatchObject({ id, position: expect.any(Number) as number });
    first = id;
    expect(await viewer.berth.versions.get(id)).toMatchObject({
      id, image: 'web', number: 1, status: 'BUILDING', percent: 0, imported: false, cause: 'asked', by: 'spec', labels: { team: 'web' }, use: 'active', revoked: null, parent: null, outdated: false, channels: [],
      os: { name: 'debian', version: '12', arch: 'x86_64' }, targets: [{ target: 'raw', status: 'BUILDING' }, { target: 'oci', status: 'PENDING' }], pushes: [], manual: [], ended: null,
    } satisfies Partial<ImageVersionView> | object);
    expect(await viewer.berth.images.get('web')).toMatchObject({ status: 'BUILDING', versions: 1, newest: { id, number: 1, status: 'BUILDING', percent: 0 } });
    expect(await statusAndCode(viewer.ask('POST', 'images/web/build', {}))).toEqual([403, 'forbidden']);
    expect((await problemOf(builder.ask('POST', 'images/nothing/build', {}))).errors).toEqual([{ field: 'image', message: 'is not known' }]);
  });

  test('a wait for a build ends when it does, and one for a rebuild when that does', async () => {
    const id = randomUUID();
    const waiting = builder.berth.images.buildAll('web', { id, wait: '20s' });
    await expect.poll(async () => (await viewer.berth.versions.list({ image: 'web' })).items.some((version) => version.id === id), { timeout: 5000 }).toBe(true);
    await web(completed(id, 'raw'), started(id, 'oci'));
    await web(targetFailed(id, 'oci'), ended(id, 'PARTIAL'));
    expect(await waiting).toMatchObject({ id, settled: true, status: 'PARTIAL' });
    const rebuilding = builder.berth.versions.rebuild(id, 'oci', { wait: '20s' });
    await expect.poll(async () => (await viewer.berth.versions.get(id)).targets[1]!.attempt, { timeout: 5000 }).toBe(2);
    await web(completed(id, 'oci'), ended(id));
    expect(await rebuilding).toMatchObject({ id, settled: true, status: 'COMPLETE' });
    expect((await viewer.berth.versions.get(id)).targets[1]).toMatchObject({ status: 'COMPLETE', error: null, failed: [{ attempt: 1, error: 'no mirror' }] });
    expect(await statusAndCode(builder.ask('POST', `versions/${id}/targets/iso/rebuild`, {}))).toEqual([422, 'invalid-data']);
  });

  test('what is not there is told so, by its own code', async () => {
    const missing = [
      ['images/none', 'unknown-image'], ['images/none/board', 'unknown-image'], ['images/a%00b', 'unknown-image'], [`versions/${randomUUID()}`, 'unknown-version'], ['versions/none', 'unknown-version'], ['versions/web@99', 'unknown-version'],
      ['versions/web:none', 'unknown-version'], ['versions/web:latest', 'unknown-version'], ['versions/a%00b', 'unknown-version'], ['versions/none/lineage', 'unknown-version'], ['versions/none/sbom', 'unknown-version'], ['channels/none', 'unknown-channel'],
      ['channels/web:none', 'unknown-channel'], ['channels/a%00:b', 'unknown-channel'], ['providers/none', 'unknown-provider'], ['accounts/none', 'unknown-account'], ['pools/none', 'unknown-catalog-entry'], ['warehouse/policies/none', 'unknown-policy'],
    ] as const;
    for (const [path, code] of missing) expect([path, ...(await statusAndCode(viewer.ask('GET', path)))]).toEqual([path, 404, code]);
    for (const [method, path, code] of [['DELETE', 'images/a%20b', 'unknown-image'], ['POST', 'versions/web@99/push-all', 'unknown-version'], ['DELETE', 'channels/none', 'unknown-channel'], ['POST', 'channels/none/assign', 'unknown-channel']] as const) {
      expect([path, ...(await statusAndCode(operator.ask(method, path, {})))]).toEqual([path, 404, code]);
    }
    expect((await problemOf(operator.ask('PUT', 'channels/none', {}))).errors[0]!.field).toBe('name');
  });
});

describe('a version', () => {
  test('is pushed; the wait ends when all of it has ended', async () => {
    await web(completed(first, 'raw'), started(first, 'oci'), completed(first, 'oci'), ended(first));
    const pushing = operator.berth.versions.push(first, ['a-raw', 'b-raw'], { wait: '20s' });
    await expect.poll(async () => (await viewer.berth.versions.get(first)).pushes.length, { timeout: 5000 }).toBe(2);
    await web({ type: 'PushProgressed', data: { version: first, account: 'a-raw', percent: 30, activity: 'copies' } }, pushed(first, 'a-raw'));
    await web(pushFailed(first, 'b-raw'));
    expect(await pushing).toMatchObject({ id: first, settled: true, status: 'FAILED' });
    expect((await viewer.berth.versions.get(first)).pushes).toMatchObject([{ account: 'a-raw', provider: 'p-raw', region: null, status: 'COMPLETE', id: 'disk-a-raw' }, { account: 'b-raw', status: 'FAILED', error: 'no room', failed: [{ attempt: 1 }] }]);
    expect(berth.sent.filter(({ type }) => type === 'PushImage').map(({ data }) => data)).toEqual([{ version: first, accounts: ['a-raw', 'b-raw'] }]);
    const board = await viewer.berth.images.board('web');
    expect(board.versions.map(({ number, cells }) => [number, ...cells.map(({ account, state, offer }) => `${account} ${state} ${offer}`)])).toEqual([
      [2, 'a-oci not_pushed push', 'a-raw not_pushed push', 'b-raw not_pushed push'], [1, 'a-oci not_pushed push', 'a-raw pushed delete', 'b-raw not_pushed push'],
    ]);
    expect(board.pushAll).toBe((await viewer.berth.versions.get('web@2')).id);
    expect(await statusAndCode(builder.ask('POST', `versions/${first}/push-all`, {}))).toEqual([403, 'forbidden']);
  });

  test('is named by its id, its number or its channel, in paths and in bodies', async () => {
    await operator.berth.channels.set('web:prod', {});
    expect(await operator.berth.channels.assign('web:prod', 'web@1', 'first', { wait: '5s' })).toMatchObject({ id: 'web:prod', settled: true, status: 'assigned' });
    expect(berth.sent.at(-1)).toMatchObject({ type: 'AssignChannel', data: { image: 'web', channel: 'prod', version: first, reason: 'first' } });
    for (const name of [first, first.toUpperCase(), 'web@1', 'web:prod']) expect((await viewer.berth.versions.get(name)).id).toBe(first);
    await operator.berth.channels.assign('web:prod', 'web@2');
    await operator.berth.channels.rollback('web:prod', { from: 'web:prod', to: 'web@1' });
    expect(berth.sent.at(-1)!.data).toEqual({ image: 'web', channel: 'prod', from: (await viewer.berth.versions.get('web@2')).id, to: first });
    const channel = await viewer.berth.channels.get('web:prod');
    expect(channel).toMatchObject({ id: 'web:prod', image: 'web', channel: 'prod', version: first, number: 1, managed: false, testing: null, lastTest: null });
    expect(channel.history.map(({ number, by }) => [number, by])).toEqual([[1, 'rollback'], [2, 'assign'], [1, 'assign']]);
    expect((await viewer.berth.versions.get(first)).channels).toEqual(['prod']);
    expect(await statusAndCode(operator.ask('POST', 'channels/web:prod/assign', { version: 'web@99' }))).toEqual([404, 'unknown-version']);
    expect((await viewer.berth.channels.list({ image: 'web', q: 'WEB:P' })).items.map(({ id }) => id)).toEqual(['web:prod']);
    await operator.berth.channels.set('web:spare', {});
    await operator.berth.channels.remove('web:spare');
    expect((await viewer.berth.channels.list({ sort: '-name', total: true }))).toMatchObject({ total: 2, items: [{ id: 'web:prod' }, { id: 'web:latest' }] });
  });

  test('an assignment with a test is waited for until the test has ended', async () => {
    await operator.berth.channels.set('web:tested', { test: 'smoke' });
    const assigning = operator.berth.channels.assign('web:tested', first, undefined, { wait: '20s' });
    await expect.poll(async () => (await viewer.berth.channels.get('web:tested')).testing, { timeout: 5000 }).toMatchObject({ version: first, number: 1, attempt: 1 });
    const build = (await viewer.berth.channels.get('web:tested')).testing!.build;
    await web({ type: 'TestEnded', data: { channel: 'tested', version: first, build, passed: false, error: 'no boot' } });
    expect(await assigning).toMatchObject({ settled: true, status: 'failed' });
    expect(await viewer.berth.channels.get('web:tested')).toMatchObject({ version: null, testing: null, lastTest: { number: 1, passed: false, error: 'no boot' } });
    await operator.berth.channels.assign('web:tested', first, undefined, { retest: true });
    expect(berth.sent.at(-1)).toMatchObject({ type: 'AssignChannel', data: { channel: 'tested', version: first, retest: true } });
    await operator.berth.channels.remove('web:tested');
  });

  test('is listed by what it is, where it is and whether it is offered', async () => {
    const numbers = async (query: object) => (await viewer.berth.versions.list({ sort: 'created', ...query })).items.map(({ number }) => number);
    await web(started(first, 'ec2'), { type: 'TargetCompleted', data: { version: first, target: 'ec2', made: { provided: { account: 'eu', id: 'ami-9' } } } }, { type: 'PushStarted', data: { version: first, account: 'eu', target: 'ec2', provider: 'p-ec2', attempt: 1 } }, pushed(first, 'eu', 'ami-9'), ended(first));
    expect(await numbers({})).toEqual([1, 2]);
    expect(await numbers({ image: 'web', status: 'COMPLETE', channel: 'prod' })).toEqual([1]);
    expect(await numbers({ channel: 'web:prod' })).toEqual([1]);
    expect(await numbers({ account: 'a-raw' })).toEqual([1]);
    expect(await numbers({ account: 'b-raw' })).toEqual([]);
    expect(await numbers({ region: 'eu-central-1' })).toEqual([1]);
    expect(await numbers({ region: 'us-east-1' })).toEqual([]);
    expect(await numbers({ label: 'team:web' })).toEqual([1]);
    expect(await numbers({ label: 'team:db' })).toEqual([]);
    expect(await numbers({ q: 'we' })).toEqual([1, 2]);
    await operator.berth.versions.mark('web@2', 'deprecated');
    expect([await numbers({}), await numbers({ all: true })]).toEqual([[1], [1, 2]]);
    await operator.berth.versions.mark('web@2', 'active');
    await operator.berth.versions.revoke('web@2', { at: '2040-01-01T00:00:00Z' });
    expect((await viewer.berth.versions.get('web@2')).revoked).toEqual({ at: '2040-01-01T00:00:00.000Z', reason: 'CVE', holds: false, ancestor: null });
    expect(await numbers({})).toEqual([1, 2]);
    await operator.berth.versions.revoke('web@2');
    expect([await numbers({}), await numbers({ all: true })]).toEqual([[1], [1, 2]]);
    await operator.berth.versions.restore('web@2');
    const page = await viewer.berth.versions.list({ limit: 1, total: true });
    expect([page.items.map(({ number }) => number), page.total]).toEqual([[2], 2]);
    expect((await viewer.berth.versions.list({ limit: 1, cursor: page.cursor! })).items.map(({ number }) => number)).toEqual([1]);
    expect(await statusAndCode(viewer.ask('GET', 'versions?colour=red'))).toEqual([422, 'invalid-data']);
  });

  test('labels, attributes, an abort and removals go to the factory by its id; what is refused names the field of the body', async () => {
    const problem = await problemOf(builder.ask('PUT', 'versions/web@1/labels', { labels: { a: 'b' } }));
    expect([problem.code, problem.detail, problem.errors]).toEqual(['labels-frozen', 'The version is complete: labels stays as it is.', [{ field: 'labels', message: 'stays as it is' }]]);
    await operator.berth.versions.attributes('web@1', { tier: 'gold' });
    expect((await viewer.berth.versions.get(first)).attributes).toEqual({ tier: 'gold' });
    const id = (await builder.berth.images.build('web')).id;
    await builder.berth.versions.abort(id, 'enough');
    expect(berth.sent.at(-1)).toMatchObject({ type: 'AbortVersion', data: { version: id, reason: 'enough' } });
    const removal = await operator.ask('DELETE', 'versions/web@3?cascade=true');
    expect([removal.status, await removal.json(), berth.sent.at(-1)!.data]).toEqual([202, { id, position: expect.any(Number) as number, manual: ['ami-1 of eu'] }, { version: id, cascade: true }]);
    expect(await operator.berth.versions.removeTarget(id, 'raw', { cascade: true })).toMatchObject({ id, manual: [] });
    expect(berth.sent.at(-1)!.data).toEqual({ version: id, target: 'raw', cascade: true });
    await operator.berth.versions.removePushed(first, 'a-raw');
    expect(berth.sent.at(-1)).toMatchObject({ type: 'DeleteProviderImage', data: { version: first, account: 'a-raw' } });
    expect(await statusAndCode(builder.ask('DELETE', `versions/${id}`))).toEqual([403, 'forbidden']);
  });

  test('says what it consists of: the bytes that were kept', async () => {
    const bytes = Buffer.from('{"spdxVersion":"SPDX-2.3"}');
    const object = `${first}/sbom`;
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await jetStreamObjects(berth.bus, artifactBucket).put(object, Readable.from([bytes]), { maxBytes: 1000 });
    const id = randomUUID();
    await web(requested(id, 9), started(id, 'oci'), { type: 'TargetCompleted', data: { version: id, target: 'oci', made: { sbom: { name: 'sbom.json', object, bytes: bytes.length, sha256 } } } });
    await viewer.berth.versions.list({ after: await web({ type: 'TargetFailed', data: { version: id, target: 'raw', attempt: 1, error: 'x' } }) });
    const response = await viewer.ask('GET', `versions/${id}/sbom`);
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([200, 'application/spdx+json', bytes.toString()]);
    expect(response.headers.get('content-disposition')).toContain('web-9-oci.spdx.json');
    expect(await statusAndCode(viewer.ask('GET', `versions/${id}/sbom?target=raw`))).toEqual([404, 'not-found']);
    expect(await statusAndCode(viewer.ask('GET', `versions/${id}/sbom?target=iso`))).toEqual([422, 'invalid-data']);
    // Its bytes are gone.
    expect(await statusAndCode(viewer.ask('GET', `versions/${first}/sbom`))).toEqual([404, 'not-found']);
  });
});

describe('what is made of what', () => {
  test('ancestors and descendants, and that a child is outdated', async () => {
    const [base, child, grandchild, newer] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    await berth.happen('image', 'base', saved('base'), channelSaved('latest', { managed: true }), requested(base, 1), ...built(base, 'raw', 'oci'), assigned('latest', base));
    await berth.happen('image', 'mid', saved('mid', { parent: { image: 'base', channel: 'latest' } }), channelSaved('latest', { managed: true }), requested(child, 1, { parent: { image: 'base', version: base } }), ...built(child, 'raw', 'oci'), assigned('latest', child));
    const position = await berth.happen('image', 'top', saved('top', { parent: { image: 'mid', channel: 'latest' } }), channelSaved('latest'), requested(grandchild, 1, { parent: { image: 'mid', version: child } }));
    expect(await viewer.berth.versions.lineage('mid@1', { after: position })).toEqual({
      version: { image: 'mid', version: child, number: 1 },
      ancestors: [{ image: 'base', version: base, number: 1, channel: 'latest', outdated: false, revoked: false }],
      descendants: [{ image: 'top', version: grandchild, number: 1, depth: 1, outdated: false, revoked: false, channels: [] }],
    });
    expect((await viewer.berth.versions.lineage(base)).descendants.map(({ image, depth, channels }) => [image, depth, channels])).toEqual([['mid', 1, ['latest']], ['top', 2, []]]);
    expect((await viewer.berth.versions.lineage(grandchild)).ancestors.map(({ image, channel }) => [image, channel])).toEqual([['mid', 'latest'], ['base', 'latest']]);
    expect(await viewer.berth.versions.get(child)).toMatchObject({ parent: { image: 'base', version: base, number: 1 }, outdated: false });
    const moved = await berth.happen('image', 'base', requested(newer, 2), ...built(newer, 'raw', 'oci'), assigned('latest', newer, base));
    expect((await viewer.berth.versions.get(child, { after: moved })).outdated).toBe(true);
    expect((await viewer.berth.versions.get(grandchild)).outdated).toBe(false);
    await berth.happen('image', 'mid', { type: 'VersionRevoked', data: { version: child, at: '2020-01-01T00:00:00Z', reason: 'CVE', cascade: true, ancestor: { image: 'base', version: base } } });
    const last = await berth.happen('image', 'top', { type: 'LabelsSet', data: { version: grandchild, labels: {} } });
    expect((await viewer.berth.versions.get(child, { after: last })).revoked).toMatchObject({ holds: true, ancestor: 'base@1' });
    expect((await viewer.berth.versions.get(grandchild)).outdated).toBe(true);
  });
});

describe('reads', () => {
  test('are answered with a tag, and with 304 while nothing has changed', async () => {
    for (const path of ['images', 'images/web', 'images/web/board', 'versions', `versions/${first}`, 'channels', 'catalogs/shop', 'warehouse/objects']) {
      const tag = (await viewer.ask('GET', path)).headers.get('etag')!;
      expect([path, (await viewer.ask('GET', path, undefined, { 'If-None-Match': tag })).status]).toEqual([path, 304]);
    }
    const tag = (await viewer.ask('GET', 'images/web/board')).headers.get('etag')!;
    await viewer.berth.versions.list({ after: await web(channelSaved('late'), assigned('late', first)) });
    expect((await viewer.ask('GET', 'images/web/board', undefined, { 'If-None-Match': tag })).status).toBe(200);
    expect(await statusAndCode(viewer.ask('GET', 'images?after=999999'))).toEqual([425, 'not-yet']);
  });

  test('images are listed by name, status and environment; their history is that of their name', async () => {
    const names = async (query: object) => (await viewer.berth.images.list(query)).items.map(({ name }) => name);
    expect(await names({})).toEqual(['base', 'mid', 'top', 'web']);
    expect(await names({ environment: 'dev' })).toEqual(['web']);
    expect(await names({ status: 'COMPLETE,PENDING', sort: '-name' })).toEqual(['top', 'mid', 'base']);
    expect(await names({ q: 'B', limit: 1 })).toEqual(['base']);
    const history = await viewer.berth.history('mid');
    expect(history.items.map(({ kind, type }) => `${kind} ${type}`).slice(0, 3)).toEqual(['image ImageSaved', 'image ChannelSaved', 'image VersionRequested']);
  });

  test('one that is imported is complete at once; an image that is removed is not there', async () => {
    const imported = await operator.berth.images.import({ image: 'web', account: 'eu', id: 'ami-1' });
    expect(await viewer.berth.versions.get(imported.id)).toMatchObject({ status: 'COMPLETE', imported: true, revision: 0, cause: 'import', pushes: [{ account: 'eu', provider: 'p-ec2', region: 'eu-central-1', id: 'ami-1' }] });
    expect(await operator.berth.images.remove('web', { cascade: true })).toMatchObject({ id: 'web', manual: [] });
    expect(await statusAndCode(viewer.ask('GET', 'images/web'))).toEqual([404, 'unknown-image']);
    expect(await statusAndCode(viewer.ask('GET', 'channels/web:latest'))).toEqual([404, 'unknown-channel']);
    // Versions are remembered.
    expect((await viewer.berth.versions.get(first)).status).toBe('DELETED');
  });
});
