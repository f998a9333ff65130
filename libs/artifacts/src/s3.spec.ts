import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startS3, type S3StandIn } from '../../../test/support/s3/s3.js';
import { ChangedError, FullError, UnavailableError } from './errors.js';
import type { Objects } from './objects.js';
import { objectsContract, pieces, whole } from './objects.contract.js';
import { s3Objects } from './s3.js';
import { readSetting, type ArtifactsSetting } from './setting.js';

const MiB = 1024 ** 2;
const before = { ...process.env };

describe('objects in S3', () => {
  let s3: S3StandIn;
  let bucket: ReturnType<S3StandIn['addBucket']>;
  let objects: Objects;
  const setting = (more = 'prefix/of%20ours') => readSetting(`s3://spec-bucket/${more}?region=${s3.region}&endpoint=${s3.endpoint}&pathStyle=true`) as Extract<ArtifactsSetting, { kind: 's3' }>;
  beforeAll(async () => {
    s3 = await startS3({ pageSize: 5 });
    bucket = s3.addBucket('spec-bucket');
    Object.assign(process.env, s3.env);
    objects = s3Objects(setting(), { partBytes: 5 * MiB, copyBytes: 8 * MiB });
  });
  afterAll(() => {
    for (const name of Object.keys(s3.env)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  });

  const stored = (name: string) => bucket.objects.get(`prefix/of ours/${name}`)!;
  const asked = (since: number) => s3.calls.slice(since).map(({ action }) => action);

  objectsContract(() => ({
    objects,
    corrupt: (name) => Promise.resolve(void (stored(name).body = Buffer.from(stored(name).body.map((byte, i) => (i === 5 ? byte ^ 1 : byte))))),
    shorten: (name) => Promise.resolve(void (stored(name).body = stored(name).body.subarray(0, -1000))),
    leftovers: () => Promise.resolve(bucket.uploads.size + [...bucket.objects.keys()].filter((key) => key.includes('/.incoming/')).length),
    away: () => {
      const back = s3.fault({ refuse: 'InternalError' });
      return Promise.resolve(() => Promise.resolve(back()));
    },
    hold: () => s3.hang(),
  }), { holds: true });

  test('a small object is one call, a large one parts that are copied to their name, in parts again when it is very large', async () => {
    const put = async (length: number) => {
      const since = s3.calls.length;
      await objects.put('calls/1/x', pieces(randomBytes(length), MiB));
      return asked(since);
    };
    expect(await put(MiB)).toEqual(['PutObject']);
    expect((await put(6 * MiB)).sort()).toEqual(['CompleteMultipartUpload', 'CopyObject', 'CreateMultipartUpload', 'DeleteObject', 'UploadPart', 'UploadPart']);
    const large = await put(17 * MiB);
    expect(large.filter((action) => action === 'UploadPart')).toHaveLength(4);
    expect(large.filter((action) => action === 'UploadPartCopy')).toHaveLength(3);
    expect(stored('calls/1/x').etag).toMatch(/-3$/);
    expect((await whole((await objects.open('calls/1/x'))!.read())).length).toBe(17 * MiB);
  });

  test('keys are the names, below the prefix, with the hash in their metadata', async () => {
    const { sha256 } = await objects.put('plain/1/a b/ü.txt', pieces(Buffer.from('x')));
    expect(stored('plain/1/a b/ü.txt')).toMatchObject({ body: Buffer.from('x'), metadata: { sha256 } });
    const atRoot = s3Objects(setting(''));
    await atRoot.put('root/1/x', pieces(Buffer.from('x')));
    expect(bucket.objects.has('root/1/x')).toBe(true);
    bucket.objects.set('somebody/1/else', { body: Buffer.from('theirs'), etag: 'x', metadata: {}, modified: new Date() });
    const theirs = (await atRoot.open('somebody/1/else'))!;
    expect([theirs.sha256, (await whole(theirs.read())).toString()]).toEqual([undefined, 'theirs']);
  });

  test('a store that is busy is asked again', async () => {
    s3.fault({ refuse: 'SlowDown', times: 1, action: 'UploadPart' });
    s3.fault({ refuse: 'SlowDown', times: 1, action: 'CopyObject' });
    s3.fault({ refuse: 'SlowDown', times: 1, action: 'GetObject' });
    const bytes = randomBytes(6 * MiB);
    await objects.put('busy/1/x', pieces(bytes, MiB));
    expect((await whole((await objects.open('busy/1/x'))!.read())).equals(bytes)).toBe(true);
  });

  test.each(['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload', 'CopyObject'] as const)('%s fails: nothing is kept, and what was there before stays', async (action) => {
    const name = `failing/1/${action}`;
    await objects.put(name, pieces(Buffer.from('before')));
    const stop = s3.fault({ refuse: 'AccessDenied', action });
    await expect(objects.put(name, pieces(randomBytes(7 * MiB), MiB))).rejects.toThrow('give these credentials the rights');
    stop();
    expect((await whole((await objects.open(name))!.read())).toString()).toBe('before');
    expect(bucket.uploads.size + [...bucket.objects.keys()].filter((key) => key.includes('/.incoming/')).length).toBe(0);
  });

  test.each(['CompleteMultipartUpload', 'CopyObject'] as const)('%s fails in an answer that began well: not taken for stored', async (action) => {
    const stop = s3.fault({ lateError: 'AccessDenied', action });
    await expect(objects.put(`late/1/${action}`, pieces(randomBytes(7 * MiB), MiB))).rejects.toBeInstanceOf(UnavailableError);
    stop();
    expect(await objects.open(`late/1/${action}`)).toBeUndefined();
    expect(bucket.uploads.size).toBe(0);
  });

  test('a very large one whose copy fails leaves no parts', async () => {
    const stop = s3.fault({ refuse: 'QuotaExceeded', action: 'UploadPartCopy' });
    await expect(objects.put('copy/1/x', pieces(randomBytes(17 * MiB), MiB))).rejects.toBeInstanceOf(FullError);
    stop();
    expect(bucket.uploads.size + [...bucket.objects.keys()].filter((key) => key.includes('/.incoming/')).length).toBe(0);
  });

  test('an answer that is cut is an outage, and bytes that were replaced are told as that', async () => {
    await objects.put('cut/1/x', pieces(randomBytes(3 * MiB), MiB));
    s3.fault({ cutAfter: MiB, action: 'GetObject', times: 1 });
    const opened = (await objects.open('cut/1/x'))!;
    await expect(whole(opened.read())).rejects.toBeInstanceOf(UnavailableError);
    await objects.put('cut/1/x', pieces(Buffer.from('others')));
    await expect(whole(opened.read({ start: 1 }))).rejects.toBeInstanceOf(ChangedError);
    await objects.remove('cut/1/x');
    await expect(whole(opened.read())).rejects.toBeInstanceOf(ChangedError);
  });

  test.each([
    ['a bucket that is gone', () => (s3.removeBucket('spec-bucket'), () => void (bucket = s3.addBucket('spec-bucket'))), 'there is no such bucket'],
    ['no right to list', () => s3.forbidLists(), 'the rights that docs/how-to/store-artifacts.md lists'],
    ['a wrong secret', () => (Object.assign(process.env, { AWS_SECRET_ACCESS_KEY: 'wrong' }), () => void Object.assign(process.env, s3.env)), 'the rights that'],
  ])('%s: not told as absent', async (_, begin, sentence) => {
    const end = begin();
    const mine = s3Objects(setting());
    const outcome = await mine.open('nothing/1/x').then((found) => found ?? 'absent', (error: Error) => error);
    end();
    expect(outcome).toBeInstanceOf(UnavailableError);
    expect((outcome as Error).message).toContain(sentence);
    expect((outcome as Error).message).toContain(`the bucket spec-bucket at ${s3.endpoint}`);
  });

  test('a server that is not there', async () => {
    const nobody = s3Objects({ ...setting(), endpoint: 'http://127.0.0.1:1' });
    await expect(nobody.open('any/1/x')).rejects.toBeInstanceOf(UnavailableError);
  });
});
