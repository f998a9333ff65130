import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReplicationEvent } from '@berth/contracts';
import { beforeAll, describe, expect, test } from 'vitest';
import { tempFolder } from '../support/cleanup.js';
import { startFleet, type Fleet } from '../support/fleet.js';
import { imageWriter } from '../support/images.js';
import { startS3, type S3StandIn } from '../support/s3/s3.js';
import { eventually } from '../support/wait.js';

const VERSIONS = 16;
const BYTES = 6 * 1024 ** 2;
const KILLS = 4;
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('the image factory is killed while it copies', () => {
  let fleet: Fleet;
  let s3: S3StandIn;
  let bucket: ReturnType<S3StandIn['addBucket']>;
  let folder: string;
  beforeAll(async () => {
    s3 = await startS3();
    bucket = s3.addBucket('copies-bucket');
    folder = join(await tempFolder('copies'), 'far');
    fleet = await startFleet({ services: ['image-factory'], env: { COPIES_ACCESS_KEY_ID: s3.accessKeyId, COPIES_SECRET_ACCESS_KEY: s3.secretAccessKey } });
  });

  /** What is there under names of objects: by path, its hash. */
  const inFolder = (): Map<string, string> =>
    new Map(readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !path.includes('/.incoming/'))
      .map((path) => [path.slice(folder.length + 1), hashOf(readFileSync(path))]));
  const inBucket = (): Map<string, string> => new Map([...bucket.objects].filter(([key]) => !key.includes('.incoming/')).map(([key, { body }]) => [key, hashOf(body)]));

  test('again and again: in the end exactly what is wanted is there, nothing of it half, and at no time was anything half', async () => {
    const images = imageWriter(fleet.bus.connection);
    const wanted = new Map<string, string>();
    for (let number = 1; number <= VERSIONS; number++) {
      const body = randomBytes(BYTES);
      await images.version('web', { body, labels: { wanted: number % 2 === 0 ? 'yes' : 'no' } });
      if (number % 2 === 0) wanted.set(`web/${number}/raw/disk.raw`, hashOf(body));
    }
    const isBody = ([path]: [string, string]) => path.endsWith('disk.raw');
    const query = 'image == "web" && label.wanted == "yes"';
    await fleet.command('image-factory', 'SaveReplicationPolicy', { name: 'near', query, to: { kind: 'folder', folder } });
    await fleet.command('image-factory', 'SaveReplicationPolicy', { name: 'far', query, to: { kind: 's3', bucket: 'copies-bucket', region: s3.region, endpoint: s3.endpoint, credentials: 'env:COPIES' } });

    for (let kill = 1; kill <= KILLS; kill++) {
      // Each time a little further, so that it is in the middle of something.
      await eventually(() => expect(inFolder().size + inBucket().size).toBeGreaterThanOrEqual(Math.min(kill * 5, wanted.size * 3)), { timeoutMs: 30_000, everyMs: 5 });
      await fleet.services['image-factory'].kill9();
      for (const there of [inFolder(), inBucket()]) for (const [path, hash] of [...there].filter(isBody)) expect(hash, path).toBe(wanted.get(path));
      await fleet.services['image-factory'].start();
    }

    for (const policy of ['near', 'far']) {
      await eventually(async () => {
        const events = (await images.store.load<ReplicationEvent>('replication', policy)).flatMap(({ commit }) => commit.events);
        expect(new Set(events.flatMap((event) => (event.type === 'ObjectReplicated' ? [event.data.object] : []))).size).toBe(wanted.size);
        expect(events.filter(({ type }) => type === 'ReplicationFailed')).toEqual([]);
      }, { timeoutMs: 60_000 });
    }
    const attributes = [...wanted.keys()].map((path) => `${path}.attributes.json`);
    for (const there of [inFolder(), inBucket()]) {
      expect(new Map([...there].filter(isBody))).toEqual(wanted);
      expect([...there.keys()].sort()).toEqual([...wanted.keys(), ...attributes].sort());
    }
    for (const path of attributes) expect(inFolder().get(path)).toBe(inBucket().get(path));
  });
});
