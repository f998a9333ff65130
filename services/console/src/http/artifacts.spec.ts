import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { jetStreamObjects, openArtifacts, type ArtifactsSetting, type Objects } from '@berth/artifacts';
import type { Problem } from '@berth/client';
import { savedPlan, type BuildEvent } from '@berth/contracts';
import { artifactBucket } from '@berth/nats';
import { tempFolder } from '../../../../test/support/cleanup.js';
import { eventually } from '../../../../test/support/wait.js';
import { scripted, type Scripted } from '../scripted.testing.js';

const plan = savedPlan.parse({ name: 'p', host: {}, workingCopy: {}, env: {}, steps: [{ name: 's', run: 'true', env: {} }] });
const bytes = randomBytes(500_000);
const sha256 = createHash('sha256').update(bytes).digest('hex');

let berth: Scripted;
let folder: string;
let setting: ArtifactsSetting;
/** as the gateway of this installation writes them */
let store: Objects;
/** as one wrote them before the folder was chosen */
let older: Objects;
beforeAll(async () => {
  folder = await tempFolder('artifacts');
  setting = { kind: 'folder', path: folder };
  berth = await scripted({ artifacts: setting });
  store = openArtifacts(setting, berth.bus);
  older = jetStreamObjects(berth.bus, artifactBucket);
});

async function* once(content: Uint8Array) {
  yield await Promise.resolve(content);
}

/** A build that kept the bytes under that name; the object is not put yet. */
async function kept(name: string, object?: string): Promise<{ id: string; object: string; path: string }> {
  const id = randomUUID();
  const at = object ?? `${id}/1/${name}`;
  await berth.happen('build', id, { type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator: 'spec' } }, { type: 'BuildPreparing', data: { attempt: 1, hostLease: randomUUID() } });
  await berth.happen('build', id, { type: 'ArtifactKept', data: { name, object: at, bytes: bytes.length, sha256 } });
  await eventually(async () => expect((await berth.berth.builds.get(id)).artifacts).toHaveLength(1));
  return { id, object: at, path: `builds/${id}/artifacts/${name.split('/').map(encodeURIComponent).join('/')}` };
}
const body = async (response: Response) => Buffer.from(await response.arrayBuffer());

describe('artifacts over HTTP', () => {
  test('hosts and working copies are listed, and each leads to its lease', async () => {
    const id = randomUUID();
    const [main, copy, side] = [randomUUID(), randomUUID(), randomUUID()];
    const events: BuildEvent[] = [
      { type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator: 'spec' } },
      { type: 'BuildPreparing', data: { attempt: 1, hostLease: main } },
      { type: 'BuildPreparing', data: { attempt: 1, hostLease: side, host: 'side' } },
      { type: 'BuildWorkingCopyRequested', data: { workingCopyLease: copy } },
      { type: 'LinkAdded', data: { name: 'docs', type: 'uri', uri: 'https://docs.example/' } },
    ];
    await berth.happen('build', id, ...events);
    await eventually(async () => expect((await berth.berth.builds.get(id)).artifacts).toHaveLength(1));
    const { items } = await berth.berth.builds.artifacts(id);
    expect(items.map(({ name, type, uri, generation }) => [name, type, uri, generation])).toEqual([
      ['docs', 'uri', 'https://docs.example/', 1],
      ['host://main', 'host', `/api/v1/leases/${main}`, 1],
      ['host://side', 'host', `/api/v1/leases/${side}`, 1],
      ['working-copy://main', 'working-copy', `/api/v1/leases/${copy}`, 1],
    ]);
    for (const { name, uri } of items) {
      const response = await berth.ask(`builds/${id}/artifacts/${encodeURIComponent(name)}`, { redirect: 'manual' });
      expect([response.status, response.headers.get('location')]).toEqual([303, uri]);
    }
    expect((await berth.ask(`builds/${id}/artifacts/host://side`, { redirect: 'manual' })).headers.get('location')).toBe(`/api/v1/leases/${side}`);
  });

  test.each([
    ['plain', 'made.bin'],
    ['in folders', 'dist/app/made.bin'],
    ['odd', 'größe (1)/a%2Fb+c#d?.bin'],
    ['long', `${'x'.repeat(200)}/${'ü'.repeat(100)}/${'y'.repeat(200)}`],
  ])('a name that is %s: whole, by its path or with its slashes encoded', async (_, name) => {
    const { id, object, path } = await kept(name);
    await store.put(object, once(bytes));
    for (const at of [path, `builds/${id}/artifacts/${encodeURIComponent(name)}`]) {
      const response = await berth.ask(at);
      expect([response.status, (await body(response)).equals(bytes)]).toEqual([200, true]);
      expect(response.headers.get('accept-ranges')).toBe('bytes');
      expect(response.headers.get('etag')).toBe(`"${sha256}"`);
      expect(response.headers.get('content-disposition')).toContain(encodeURIComponent(name.split('/').at(-1)!).replace(/[()]/g, (c) => `%${c.charCodeAt(0).toString(16)}`));
    }
    const head = await berth.ask(path, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '500000']);
  });

  test('a part of it: from a byte on, between two, the last ones', async () => {
    const { object, path, id } = await kept('part.bin');
    await store.put(object, once(bytes));
    const get = (range: string, more: Record<string, string> = {}) => berth.ask(path, { headers: { Range: range, ...more } });
    for (const [range, start, end] of [['bytes=0-0', 0, 1], ['bytes=499999-', 499_999, 500_000], ['bytes=1000-200999', 1000, 201_000], ['bytes=-10', 499_990, 500_000], ['bytes=-600000', 0, 500_000], ['bytes=1000-9999999', 1000, 500_000]] as const) {
      const response = await get(range);
      expect([range, response.status, response.headers.get('content-range'), response.headers.get('content-length')]).toEqual([range, 206, `bytes ${start}-${end - 1}/500000`, String(end - start)]);
      expect((await body(response)).equals(bytes.subarray(start, end))).toBe(true);
    }
    for (const range of ['bytes=500000-', 'bytes=-0', 'bytes=900000-900001']) {
      const response = await get(range);
      expect([range, response.status, response.headers.get('content-range')]).toEqual([range, 416, 'bytes */500000']);
      expect(((await response.json()) as Problem).code).toBe('range-not-satisfiable');
    }
    for (const range of ['bytes=0-1,5-6', 'lines=1-2', 'bytes=5-4', 'bytes=-', 'bytes=a-']) {
      const response = await get(range);
      expect([range, response.status, (await body(response)).length]).toEqual([range, 200, 500_000]);
    }
    expect((await get('bytes=5-', { 'If-Range': `"${sha256}"` })).status).toBe(206);
    expect((await get('bytes=5-', { 'If-Range': '"other"' })).status).toBe(200);
    expect((await get('bytes=5-', { 'If-None-Match': `"other", W/"${sha256}"` })).status).toBe(304);
    expect((await berth.ask(path, { method: 'HEAD', headers: { Range: 'bytes=5-' } })).status).toBe(200);
    const rest = await berth.berth.builds.artifact(id, 'part.bin', { rest: { from: 499_000, sha256 } });
    expect([rest.start, rest.bytes, rest.sha256]).toEqual([499_000, 500_000, sha256]);
    rest.stream.destroy();
    const all = await berth.berth.builds.artifact(id, 'part.bin', { rest: { from: 499_000, sha256: 'other' } });
    expect([all.start, all.bytes]).toEqual([0, 500_000]);
    all.stream.destroy();
  });

  test('what was kept on the bus before the folder was chosen is still there', async () => {
    const { object, path } = await kept('old.bin', `${randomUUID()}/old.bin`);
    await older.put(object, once(bytes));
    expect((await body(await berth.ask(path))).equals(bytes)).toBe(true);
    expect((await body(await berth.ask(path, { headers: { Range: 'bytes=300000-' } }))).equals(bytes.subarray(300_000))).toBe(true);
  });

  test('damaged bytes: the connection breaks before the end, and the log says why', async () => {
    const { object, path } = await kept('damaged.bin');
    const spoilt = Buffer.from(bytes);
    spoilt[5]! ^= 1;
    await older.put(object, once(bytes));
    const manager = await berth.bus.jetstreamManager();
    const stream = `OBJ_${artifactBucket}`;
    const { nuid } = (await (await berth.bus.jetstream().views.os(artifactBucket)).info(object))!;
    await manager.streams.purge(stream, { filter: `$O.${artifactBucket}.C.${nuid}` });
    for (let at = 0; at < spoilt.length; at += 131_072) await berth.bus.jetstream().publish(`$O.${artifactBucket}.C.${nuid}`, spoilt.subarray(at, at + 131_072));
    const response = await berth.ask(path);
    expect(response.status).toBe(200);
    let taken = 0;
    const reading = (async () => {
      for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) taken += piece.byteLength;
    })();
    await expect(reading).rejects.toThrow('terminated');
    expect(taken).toBeLessThan(bytes.length);
    const line = await eventually(() => readFileSync(berth.logFile, 'utf8').split('\n').find((one) => one.includes('a response could not be finished')) ?? false);
    expect(JSON.parse(line)).toMatchObject({ error: { type: 'CorruptError', message: expect.stringContaining(`the stored bytes of ${object} are damaged`) as string } });
  });

  test('other bytes under its name are not sent for it, and what is gone is told', async () => {
    const { object, path } = await kept('other.bin');
    await store.put(object, once(randomBytes(500_000)));
    const response = await berth.ask(path);
    expect([response.status, ((await response.json()) as Problem).detail]).toEqual([500, 'The bytes that are stored for artifact "other.bin" are not those that the build kept.']);
    await store.remove(object);
    expect([(await berth.ask(path)).status, (await berth.ask(`${path}/no`)).status, (await berth.ask(path.replace('other.bin', ''))).status]).toEqual([404, 404, 404]);
  });

  test('a store that is away is told as that', async () => {
    const { path, object } = await kept('away.bin');
    await store.put(object, once(bytes));
    renameSync(join(folder, 'objects'), join(folder, 'elsewhere'));
    const response = await berth.ask(path);
    renameSync(join(folder, 'elsewhere'), join(folder, 'objects'));
    expect([response.status, ((await response.json()) as Problem).code]).toEqual([503, 'unavailable']);
  });
});
