import { describe, expect, test } from 'vitest';
import { readSetting, SettingError } from './setting.js';

describe('where artifacts are kept', () => {
  test.each([
    [undefined, { kind: 'jetstream' }],
    ['', { kind: 'jetstream' }],
    ['jetstream', { kind: 'jetstream' }],
    ['folder:/var/lib/berth', { kind: 'folder', path: '/var/lib/berth' }],
    ['folder:/var//lib/../lib/berth with space//', { kind: 'folder', path: '/var/lib/berth with space' }],
    ['s3://my-bucket', { kind: 's3', bucket: 'my-bucket', prefix: '', pathStyle: false }],
    ['s3://my.bucket/?region=eu-central-1', { kind: 's3', bucket: 'my.bucket', prefix: '', pathStyle: false, region: 'eu-central-1' }],
    ['s3://my-bucket/ci/art%C3%A9facts/', { kind: 's3', bucket: 'my-bucket', prefix: 'ci/artéfacts', pathStyle: false }],
    ['s3://b-1/p?endpoint=http://127.0.0.1:9000/&pathStyle=true', { kind: 's3', bucket: 'b-1', prefix: 'p', pathStyle: true, endpoint: 'http://127.0.0.1:9000' }],
  ])('%s', (text, setting) => expect(readSetting(text)).toEqual(setting));

  test.each([
    ['minio', 'must be jetstream, folder:/absolute/path or s3://bucket/prefix?region=REGION'],
    ['folder:', 'absolute path'],
    ['folder:here', 'absolute path'],
    ['folder:/', 'a folder of its own'],
    ['s3://', 'must name its bucket'],
    ['s3://UPPER/x', 'must name its bucket'],
    ['s3://key:secret@my-bucket/x', 'must not hold credentials'],
    ['s3://AKIA:se/cr+et@my-bucket/x', 'must not hold credentials'],
    ['s3://my-bucket?endpoint=http://me:secret@store', 'must not hold credentials'],
    ['s3://my-bucket?secretAccessKey=hush', 'unknown parameter "secretAccessKey"'],
    ['s3://my-bucket?endpoint=store:9000', 'an endpoint that is no URL'],
    ['s3://my-bucket?pathStyle=yes', 'neither true nor false'],
    ['s3://my-bucket?region=EU!', 'a region that is none'],
    ['s3://my-bucket/a//b', 'a prefix that can\'t be used'],
    ['s3://my-bucket/%zz', 'a prefix that can\'t be used'],
    ['s3://my-bucket/a#b', 'must be a URL'],
  ])('%s is refused, and no secret is in the sentence', (text, sentence) => {
    expect(() => readSetting(text)).toThrow(SettingError);
    expect(() => readSetting(text)).toThrow(sentence);
    expect(() => readSetting(text)).not.toThrow(/secret@|hush|se\/cr/);
  });
});
