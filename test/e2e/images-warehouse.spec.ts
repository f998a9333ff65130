import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReplicationEvent, Recorded } from '@berth/contracts';
import { beforeAll, describe, expect, test } from 'vitest';
import { tempFolder } from '../support/cleanup.js';
import { serviceNames, startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import { startS3, type S3StandIn } from '../support/s3/s3.js';
import { eventually } from '../support/wait.js';

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const PATH = 'web/1/mock/image.mock';
const ATTRIBUTES = `${PATH}.attributes.json`;

describe('an image that is built is kept a second time', () => {
  let fleet: Fleet;
  let s3: S3StandIn;
  let bucket: ReturnType<S3StandIn['addBucket']>;
  let folder: string;
  let version: string;
  beforeAll(async () => {
    s3 = await startS3();
    bucket = s3.addBucket('copies-bucket');
    folder = join(await tempFolder('copies'), 'far');
    fleet = await startFleet({ services: [...serviceNames, 'image-factory'], env: { COPIES_ACCESS_KEY_ID: s3.accessKeyId, COPIES_SECRET_ACCESS_KEY: s3.secretAccessKey } });
    await fleet.addMachine('box', await startTestSshd(), { slots: 2 });
  });

  const events = async (policy: string) => ((await fleet.events('replication')) as Recorded<ReplicationEvent>[]).filter(({ id }) => id === policy).flatMap(({ commit }) => commit.events);
  const until = (policy: string, type: ReplicationEvent['type'], times: number) =>
    eventually(async () => {
      const found = (await events(policy)).filter((event) => event.type === type);
      expect(found).toHaveLength(times);
      return found;
    }, { timeoutMs: 15_000, everyMs: 50 });
  const inFolder = (path: string) => readFileSync(join(folder, path));
  const inBucket = (path: string) => bucket.objects.get(path)!.body;
  const both = async (type: ReplicationEvent['type'], times: number) => [await until('near', type, times), await until('far', type, times)].flat();

  test('to a folder and to S3, with its attributes', async () => {
    const query = 'target == "mock" && os.version >= 12 && !(label.team == "other")';
    await fleet.command('image-factory', 'SaveReplicationPolicy', { name: 'near', query, to: { kind: 'folder', folder } });
    await fleet.command('image-factory', 'SaveReplicationPolicy', { name: 'far', query, to: { kind: 's3', bucket: 'copies-bucket', region: s3.region, endpoint: s3.endpoint, credentials: 'env:COPIES' } });
    await fleet.command('image-factory', 'SaveImage', { source: 'name: web\nos: { name: debian, version: "12" }\ntargets: { mock: {} }\n' });
    version = (await fleet.command('image-factory', 'BuildImage', { image: 'web', labels: { team: 'web' } })).id;
    const other = (await fleet.command('image-factory', 'BuildImage', { image: 'web', labels: { team: 'other' } })).id;
    await eventually(async () => {
      const ended = (await fleet.events('image')).flatMap(({ commit }) => commit.events).flatMap(({ type, data }) => (type === 'VersionEnded' ? [data as { version: string; status: string }] : []));
      expect(ended.map((one) => ({ [one.version]: one.status }))).toEqual(expect.arrayContaining([{ [version]: 'COMPLETE' }, { [other]: 'COMPLETE' }]));
    }, { timeoutMs: 60_000, everyMs: 100 });

    const copied = await both('ObjectReplicated', 1);
    for (const { data } of copied) expect(data).toMatchObject({ object: `${version}/mock/image`, sha256: hashOf(inFolder(PATH)), attributes: hashOf(inFolder(ATTRIBUTES)) });
    expect(inFolder(PATH).toString()).toBe('image web, revision 1\n');
    expect([inBucket(PATH).equals(inFolder(PATH)), inBucket(ATTRIBUTES).equals(inFolder(ATTRIBUTES))]).toEqual([true, true]);
    expect(JSON.parse(inFolder(ATTRIBUTES).toString())).toMatchObject({ image: 'web', version: '1', 'label.team': 'web', 'os.version': '12' });
    expect([existsSync(join(folder, 'web/2')), [...bucket.objects.keys()].filter((key) => key.startsWith('web/2'))]).toEqual([false, []]);
  });

  test('attributes that change are written anew', async () => {
    await fleet.command('image-factory', 'SetAttributes', { version, attributes: { tier: 'gold' } });
    await both('ObjectReplicated', 2);
    for (const bytes of [inFolder(ATTRIBUTES), inBucket(ATTRIBUTES)]) expect(JSON.parse(bytes.toString())).toMatchObject({ tier: 'gold', image: 'web' });
  });

  test('a check makes copies anew that somebody has damaged or taken away', async () => {
    writeFileSync(join(folder, PATH), 'imagE\n');
    rmSync(join(folder, ATTRIBUTES));
    bucket.objects.delete(PATH);
    for (const policy of ['near', 'far']) await fleet.command('image-factory', 'CheckReplication', { policy });
    for (const { data } of await both('ReplicationCheckEnded', 1)) expect(data).toEqual({ sound: 0, repaired: 1, failed: 0 });
    for (const bytes of [inFolder(PATH), inBucket(PATH)]) expect(bytes.toString()).toBe('image web, revision 1\n');
    expect(JSON.parse(inFolder(ATTRIBUTES).toString())).toMatchObject({ tier: 'gold' });
  });
});
