import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, type CommandInput, type ReplicationEvent } from '@berth/contracts';
import { natsBus, startService, type Bus, type Config, type RunningService } from '@berth/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { atEndOfFile, tempFolder } from '../../../test/support/cleanup.js';
import { connectTo, imageWriter } from '../../../test/support/images.js';
import { startTestNats } from '../../../test/support/nats.js';
import { startS3, type S3StandIn } from '../../../test/support/s3/s3.js';
import { eventually } from '../../../test/support/wait.js';
import { imageFactoryService } from './image-factory.module.js';

const hashOf = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const PREFIX = 'SPEC_COPIES';

let bus: Bus;
let images: ReturnType<typeof imageWriter>;
let service: RunningService;
let config: Config;
let s3: S3StandIn;
let bucket: ReturnType<S3StandIn['addBucket']>;
let root: string;
let count = 0;

const start = () => startService(imageFactoryService, config, (error) => {
  throw error;
});
beforeAll(async () => {
  const nats = await startTestNats();
  const home = await tempFolder('warehouse');
  root = await tempFolder('copies');
  const connection = await connectTo(nats.url);
  bus = natsBus(connection);
  images = imageWriter(connection);
  s3 = await startS3();
  bucket = s3.addBucket('copies-bucket');
  process.env[`${PREFIX}_ACCESS_KEY_ID`] = s3.accessKeyId;
  process.env[`${PREFIX}_SECRET_ACCESS_KEY`] = s3.secretAccessKey;
  config = { home, httpPort: 0, natsUrl: nats.url, databaseUrl: '', logLevel: 'info', logFile: join(home, 'log'), sweepMs: 60_000, sweepGraceMs: 60_000 };
  service = await start();
  atEndOfFile(() => service.stop());
});
afterAll(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith(PREFIX)) delete process.env[name];
});

type Policy = CommandInput<'image-factory', 'SaveReplicationPolicy'>;
const ask = async (type: 'SaveReplicationPolicy' | 'RemoveReplicationPolicy' | 'CheckReplication' | 'SetAttributes' | 'DeleteVersion', data: object): Promise<Answer> => bus.command('image-factory', type, data as never, { id: randomUUID(), actor: 'spec', patienceMs: 20_000 });
const told = async (type: Parameters<typeof ask>[0], data: object): Promise<void> => expect(await ask(type, data)).toMatchObject({ accepted: true });
/** An image of its own for each test, a policy that covers it alone, and a folder for its copies. */
function own() {
  const name = `own-${++count}`;
  const folder = join(root, name);
  const policy = (more: Partial<Policy> = {}): Policy => ({ name, query: `image == "${name}"`, to: { kind: 'folder', folder }, ...more });
  return { name, folder, policy, save: (more: Partial<Policy> = {}) => told('SaveReplicationPolicy', policy(more)) };
}
const inS3 = (prefix: string, more: object = {}): Policy['to'] => ({ kind: 's3', bucket: 'copies-bucket', region: s3.region, endpoint: s3.endpoint, prefix, credentials: `env:${PREFIX}`, ...more });
const events = async (policy: string) => (await images.store.load<ReplicationEvent>('replication', policy)).flatMap(({ commit }) => commit.events);
const types = async (policy: string) => (await events(policy)).map(({ type }) => type);
const until = (policy: string, type: ReplicationEvent['type'], times = 1) =>
  eventually(async () => {
    const found = (await events(policy)).filter((event) => event.type === type);
    expect(found).toHaveLength(times);
    return found;
  }, { timeoutMs: 15_000 });
/** What lies in a folder, whole. */
const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).filter((path) => !path.startsWith('.incoming/')).sort();

describe('copies in a folder', () => {
  test('what the query holds for is there as files, with its attributes beside it, whether it was built before or after', async () => {
    const { name, folder, save } = own();
    const bodies = [randomBytes(300_000), randomBytes(10), randomBytes(20)] as const;
    const before = await images.version(name, { body: bodies[0], sbom: Buffer.from('{"spdxVersion":"SPDX-2.3"}'), labels: { team: 'web' } });
    await images.version(name, { body: bodies[1], labels: { team: 'other' } });
    await save({ query: `image == "${name}" && label.team == "web"` });
    await until(name, 'ObjectReplicated', 2);
    const after = await images.version(name, { body: bodies[2], labels: { team: 'web' } });
    const copied = await until(name, 'ObjectReplicated', 3);
    expect(files(folder)).toEqual(['1/raw/disk.raw', '1/raw/disk.raw.attributes.json', '1/raw/sbom.spdx.json', '1/raw/sbom.spdx.json.attributes.json', '3/raw/disk.raw', '3/raw/disk.raw.attributes.json'].map((path) => `${name}/${path}`));
    expect(readFileSync(join(folder, name, '1/raw/disk.raw')).equals(bodies[0])).toBe(true);
    const attributes = readFileSync(join(folder, name, '1/raw/disk.raw.attributes.json'), 'utf8');
    expect(JSON.parse(attributes)).toEqual({ arch: 'x86_64', bytes: '300000', image: name, kind: 'image', 'label.team': 'web', 'os.name': 'debian', 'os.version': '12', revoked: 'false', status: 'active', target: 'raw', version: '1' });
    expect(copied.map(({ data }) => data)).toContainEqual({ object: `${before.id}/raw/image`, sha256: hashOf(bodies[0]), attributes: hashOf(attributes), bytes: 300_000 });
    expect(copied.map(({ data }) => data)).toContainEqual(expect.objectContaining({ object: `${after.id}/raw/image`, sha256: hashOf(bodies[2]) }));
  });

  test('when attributes change their file is written anew, and the body is not', async () => {
    const { name, folder, save } = own();
    const version = await images.version(name, { body: randomBytes(1000) });
    await save();
    await until(name, 'ObjectReplicated');
    const body = statSync(join(folder, name, '1/raw/disk.raw'));
    await told('SetAttributes', { version: version.id, attributes: { tier: 'gold' } });
    await until(name, 'ObjectReplicated', 2);
    expect(JSON.parse(readFileSync(join(folder, name, '1/raw/disk.raw.attributes.json'), 'utf8'))).toMatchObject({ tier: 'gold' });
    expect(statSync(join(folder, name, '1/raw/disk.raw')).ino).toBe(body.ino);
  });

  test.each([['body', ['disk.raw'], ['', /^[0-9a-f]{64}$/]], ['attributes', ['disk.raw.attributes.json'], [/^[0-9a-f]{64}$/, '']]] as const)('on %s nothing else is copied, and nothing when the other changes', async (on, names, [attributes, sha256]) => {
    const { name, folder, save } = own();
    const version = await images.version(name, { body: randomBytes(1000) });
    await save({ on });
    expect((await until(name, 'ObjectReplicated'))[0]).toMatchObject({ data: { sha256: expect.stringMatching(sha256), attributes: expect.stringMatching(attributes) } });
    expect(files(folder)).toEqual(names.map((one) => `${name}/1/raw/${one}`));
    if (on === 'attributes') return;
    await told('SetAttributes', { version: version.id, attributes: { tier: 'gold' } });
    const next = await images.version(name, { body: randomBytes(10) });
    await until(name, 'ObjectReplicated', 2);
    expect((await events(name)).at(-1)).toMatchObject({ data: { object: `${next.id}/raw/image` } });
    await save({ on: 'both' });
    await until(name, 'ObjectReplicated', 4);
    expect(files(folder)).toHaveLength(4);
  });

  test('what is not covered any more, and what is removed, is forgotten, and its copy stays', async () => {
    const { name, folder, save } = own();
    const [leaves, goes] = [await images.version(name, { body: randomBytes(100) }), await images.version(name, { body: randomBytes(100) })];
    await save({ query: `image == "${name}" && !has(private)` });
    await until(name, 'ObjectReplicated', 2);
    await told('SetAttributes', { version: leaves.id, attributes: { private: 'yes' } });
    expect(await until(name, 'ReplicaForgotten')).toMatchObject([{ data: { object: `${leaves.id}/raw/image` } }]);
    await told('DeleteVersion', { version: goes.id, cascade: true });
    expect((await until(name, 'ReplicaForgotten', 2))[1]).toMatchObject({ data: { object: `${goes.id}/raw/image` } });
    expect(files(folder)).toHaveLength(4);
    await told('SetAttributes', { version: leaves.id, attributes: { private: '' } });
    await until(name, 'ObjectReplicated', 3);
  });

  test('elsewhere all is copied anew, and stays where it was', async () => {
    const { name, folder, save } = own();
    await images.version(name, { body: randomBytes(100) });
    await save();
    await until(name, 'ObjectReplicated');
    await save({ to: { kind: 'folder', folder: `${folder}-other` } });
    await until(name, 'ObjectReplicated', 2);
    expect([files(folder), files(`${folder}-other`)]).toEqual([files(folder), files(folder)]);
    expect(files(folder)).toHaveLength(2);
  });

  test('a folder that goes away is told once, others go on, and what is due is copied when it is back', async () => {
    const [away, beside] = [own(), own()];
    await away.save();
    await beside.save();
    renameSync(away.folder, `${away.folder}-unmounted`);
    writeFileSync(away.folder, 'no folder');
    await images.version(away.name, { body: randomBytes(100) });
    const [failure] = await until(away.name, 'ReplicationFailed');
    expect(failure).toMatchObject({ data: { error: expect.stringContaining(`the folder ${away.folder} can't be used`) } });
    await images.version(beside.name, { body: randomBytes(100) });
    await until(beside.name, 'ObjectReplicated');
    rmSync(away.folder);
    renameSync(`${away.folder}-unmounted`, away.folder);
    await until(away.name, 'ObjectReplicated');
    expect(await types(away.name)).toEqual(['ReplicationPolicySaved', 'ReplicationFailed', 'ObjectReplicated']);
  });

  test('what is not what was built is not copied, and holds up nothing else', async () => {
    const { name, folder, save } = own();
    const body = randomBytes(200_000);
    const [damaged, missing] = [await images.version(name, { body }), await images.version(name, { body: randomBytes(9) })];
    const other = Buffer.from(body);
    other[100]! ^= 1;
    await images.artifacts.put(damaged.object.object, (async function* () {
      yield await Promise.resolve(other);
    })());
    await images.artifacts.remove(missing.object.object);
    await images.version(name, { body: randomBytes(10) });
    await save();
    await until(name, 'ObjectReplicated');
    const failures = await until(name, 'ReplicationFailed', 2);
    const errors = failures.map(({ data }) => ('error' in data ? data.error : ''));
    expect(errors).toContainEqual(expect.stringContaining('are damaged'));
    expect(errors).toContainEqual(`the artifact ${missing.object.object} is not there any more`);
    expect(files(folder)).toEqual(['disk.raw', 'disk.raw.attributes.json'].map((file) => `${name}/3/raw/${file}`));
    expect(readdirSync(join(folder, '.incoming'))).toEqual([]);
  });
});

describe('copies in S3', () => {
  test('the same as in a folder, in parts where they are large, and no credential is in an event or in the log', async () => {
    const { name, save } = own();
    const body = randomBytes(9 * 1024 ** 2);
    await images.version(name, { body });
    await save({ to: inS3('/far/away/') });
    const [copied] = await until(name, 'ObjectReplicated');
    const key = `far/away/${name}/1/raw/disk.raw`;
    expect([...bucket.objects.keys()].filter((one) => one.startsWith(`far/away/${name}/`)).sort()).toEqual([key, `${key}.attributes.json`]);
    expect([...bucket.objects.keys()].filter((one) => one.includes('.incoming') || one.includes('berth-probe'))).toEqual([]);
    expect(bucket.objects.get(key)!.body.equals(body)).toBe(true);
    expect(copied).toMatchObject({ data: { sha256: hashOf(body), attributes: hashOf(bucket.objects.get(`${key}.attributes.json`)!.body) } });
    const all = JSON.stringify(await images.store.load('replication', name)) + readFileSync(config.logFile!, 'utf8');
    for (const secret of [s3.secretAccessKey, s3.accessKeyId]) expect(all).not.toContain(secret);
  });

  test('two objects at a time; a policy that is removed ends what is under way, and nothing is told of it any more', async () => {
    const { name, save } = own();
    await save({ to: inS3(name) });
    const on = s3.hang('PutObject');
    const since = s3.calls.length;
    for (let i = 0; i < 4; i++) await images.version(name, { body: randomBytes(10) });
    const puts = () => s3.calls.slice(since).filter(({ action }) => action === 'PutObject').length;
    await eventually(() => expect(puts()).toBe(2));
    await told('RemoveReplicationPolicy', { policy: name });
    on();
    await eventually(() => expect([...bucket.objects.keys()].filter((key) => key.startsWith(`${name}/${name}/`))).toHaveLength(2));
    const after = own();
    await images.version(after.name, { body: randomBytes(10) });
    await after.save({ to: inS3(after.name) });
    await until(after.name, 'ObjectReplicated');
    expect(await types(name)).toEqual(['ReplicationPolicySaved', 'ReplicationPolicyRemoved']);
    expect([...bucket.objects.keys()].filter((key) => key.startsWith(`${name}/${name}/`))).toHaveLength(2);
  });

  test('a store that is out of order is told once for each cause', async () => {
    const { name, save } = own();
    await save({ to: inS3(name) });
    const back = s3.fault({ refuse: 'AccessDenied', action: 'PutObject' });
    await images.version(name, { body: randomBytes(10) });
    await until(name, 'ReplicationFailed');
    const asked = s3.calls.length;
    await eventually(() => expect(s3.calls.slice(asked).some(({ action }) => action === 'PutObject')).toBe(true));
    back();
    await until(name, 'ObjectReplicated');
    expect(await types(name)).toEqual(['ReplicationPolicySaved', 'ReplicationFailed', 'ObjectReplicated']);
    expect((await events(name))[1]).toMatchObject({ data: { error: expect.stringContaining('AccessDenied') } });
  });
});

describe('a check', () => {
  test('in a folder, makes anew what is not there or differs, and says how many there were of each', async () => {
    const { name, folder, save } = own();
    const body = randomBytes(5000);
    for (let i = 0; i < 4; i++) await images.version(name, { body });
    await save();
    await until(name, 'ObjectReplicated', 4);
    const at = (number: number, file = 'disk.raw') => join(folder, name, String(number), 'raw', file);
    const turned = Buffer.from(body);
    turned[2500]! ^= 1;
    writeFileSync(at(1), turned);
    rmSync(at(2));
    writeFileSync(at(3, 'disk.raw.attributes.json'), '{}');
    await told('CheckReplication', { policy: name });
    expect(await until(name, 'ReplicationCheckEnded')).toMatchObject([{ data: { sound: 1, repaired: 3, failed: 0 } }]);
    for (const number of [1, 2, 3, 4]) expect(readFileSync(at(number)).equals(body)).toBe(true);
    expect(JSON.parse(readFileSync(at(3, 'disk.raw.attributes.json'), 'utf8'))).toMatchObject({ version: '3' });
    await told('CheckReplication', { policy: name });
    expect((await until(name, 'ReplicationCheckEnded', 2))[1]).toMatchObject({ data: { sound: 4, repaired: 0, failed: 0 } });
  });

  test('in S3 too', async () => {
    const { name, save } = own();
    for (let i = 0; i < 3; i++) await images.version(name, { body: randomBytes(50) });
    await save({ to: inS3('checked') });
    await until(name, 'ObjectReplicated', 3);
    const key = (number: number) => `checked/${name}/${number}/raw/disk.raw`;
    const before = bucket.objects.get(key(1))!.body;
    bucket.objects.get(key(1))!.body = Buffer.from(before.map((byte, i) => (i === 7 ? byte ^ 1 : byte)));
    bucket.objects.delete(key(2));
    await told('CheckReplication', { policy: name });
    expect(await until(name, 'ReplicationCheckEnded')).toMatchObject([{ data: { sound: 1, repaired: 2, failed: 0 } }]);
    expect([bucket.objects.get(key(1))!.body.equals(before), bucket.objects.has(key(2))]).toEqual([true, true]);
  });

  test('what can not be looked at has failed, and is sound again once it was looked at, without a copy', async () => {
    const { name, folder, save } = own();
    await images.version(name, { body: randomBytes(50) });
    await save();
    await until(name, 'ObjectReplicated');
    const { ino } = statSync(join(folder, name, '1/raw/disk.raw'));
    renameSync(folder, `${folder}-unmounted`);
    writeFileSync(folder, 'no folder');
    await told('CheckReplication', { policy: name });
    expect(await until(name, 'ReplicationCheckEnded')).toMatchObject([{ data: { sound: 0, repaired: 0, failed: 1 } }]);
    await until(name, 'ReplicationFailed');
    rmSync(folder);
    renameSync(`${folder}-unmounted`, folder);
    await until(name, 'ObjectReplicated', 2);
    expect(statSync(join(folder, name, '1/raw/disk.raw')).ino).toBe(ino);
  });

  test('that a restart has broken off begins anew; what changed while nobody was there is due', async () => {
    const { name, folder, save } = own();
    const first = await images.version(name, { body: randomBytes(50) });
    await save();
    await until(name, 'ObjectReplicated');
    await service.stop();
    const stored = await images.store.load('replication', name);
    await images.store.append('replication', name, stored.at(-1)!.sequence, { id: randomUUID(), at: new Date().toISOString(), actor: 'spec', cause: 'spec', events: [{ type: 'ReplicationCheckStarted', data: {} }] });
    rmSync(join(folder, name, '1/raw/disk.raw'));
    await images.append(name, { type: 'AttributesSet', data: { version: first.id, attributes: { tier: 'gold' } } });
    const second = await images.version(name, { body: randomBytes(50) });
    service = await start();
    await until(name, 'ReplicationCheckEnded');
    await eventually(() => expect(files(folder)).toHaveLength(4), { timeoutMs: 15_000 });
    expect(JSON.parse(readFileSync(join(folder, name, '1/raw/disk.raw.attributes.json'), 'utf8'))).toMatchObject({ tier: 'gold' });
    await eventually(async () => expect((await events(name)).some(({ data }) => 'object' in data && data.object === `${second.id}/raw/image`)).toBe(true), { timeoutMs: 15_000 });
  });

  test('of a policy that is not there is refused', async () => {
    expect(await ask('CheckReplication', { policy: 'nowhere' })).toMatchObject({ accepted: false, code: 'unknown-policy' });
    expect(await ask('RemoveReplicationPolicy', { policy: 'nowhere' })).toMatchObject({ accepted: false, code: 'unknown-policy' });
  });
});

describe('what can not be kept is not saved', () => {
  const refusedFor = async (more: Partial<Policy>) => {
    const { name, policy } = own();
    const answer = await ask('SaveReplicationPolicy', policy(more));
    expect(answer).toMatchObject({ accepted: false });
    expect(await events(name)).toEqual([]);
    return answer as Extract<Answer, { accepted: false }>;
  };

  test('a query that can not be read, with the place', async () => {
    expect(await refusedFor({ query: 'arch = "x86_64"' })).toMatchObject({ code: 'invalid-query', message: expect.stringContaining('column 6'), errors: [{ field: 'data.query' }] });
  });
  test.each(['~/copies', 'C:\\copies', '/'])('the folder %s', async (folder) => {
    expect(await refusedFor({ to: { kind: 'folder', folder } })).toMatchObject({ code: 'invalid-data', errors: [{ field: 'data.to.folder' }] });
  });
  test('a folder where none can be made', async () => {
    const file = join(root, 'a-file');
    writeFileSync(file, '');
    expect(await refusedFor({ to: { kind: 'folder', folder: join(file, 'below') } })).toMatchObject({ code: 'invalid-data', message: expect.stringContaining('ENOTDIR'), errors: [{ field: 'data.to.folder' }] });
    expect(existsSync(join(file, 'below'))).toBe(false);
  });
  test('a bucket that is not there, credentials that lead nowhere or are refused, a prefix that leads elsewhere', async () => {
    expect(await refusedFor({ to: inS3('', { bucket: 'no-such-bucket' }) })).toMatchObject({ code: 'provider-refused', message: expect.stringContaining('there is no such bucket: make it, or correct the policy') });
    expect(await refusedFor({ to: inS3('', { credentials: 'env:SPEC_NOT_SET' }) })).toMatchObject({ code: 'provider-refused', message: expect.stringContaining('SPEC_NOT_SET_ACCESS_KEY_ID is not set'), errors: [{ field: 'data.to.credentials' }] });
    expect(await refusedFor({ to: inS3('', { credentials: 'profile:spec-not-there' }) })).toMatchObject({ message: expect.stringContaining('there is no profile spec-not-there'), errors: [{ field: 'data.to.credentials' }] });
    expect(await refusedFor({ to: inS3('a/../b') })).toMatchObject({ code: 'invalid-data', errors: [{ field: 'data.to.prefix' }] });
    Object.assign(process.env, { [`${PREFIX}_WRONG_ACCESS_KEY_ID`]: s3.accessKeyId, [`${PREFIX}_WRONG_SECRET_ACCESS_KEY`]: 'a-wrong-secret' });
    const wrong = await refusedFor({ to: inS3('', { credentials: `env:${PREFIX}_WRONG` }) });
    expect(wrong).toMatchObject({ code: 'provider-refused', message: expect.stringContaining(`correct ${PREFIX}_WRONG_SECRET_ACCESS_KEY`) });
    expect(JSON.stringify(wrong) + readFileSync(config.logFile!, 'utf8')).not.toContain('a-wrong-secret');
  });
  test('a store that does not answer, within ten seconds', async () => {
    const on = s3.hang();
    const refused = await refusedFor({ to: inS3('hung') });
    on();
    expect(refused).toMatchObject({ code: 'provider-refused', message: expect.stringContaining('has not answered within 10 s'), errors: [{ field: 'data.to.endpoint' }] });
  });
  test('what is the same as before is asked of nobody', async () => {
    const { save } = own();
    await save({ to: inS3('same') });
    const since = s3.calls.length;
    await save({ to: inS3('same') });
    expect(s3.calls.length).toBe(since);
  });
});
