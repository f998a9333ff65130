import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { jetStreamObjects, openArtifacts, type Objects } from '@berth/artifacts';
import { artifactBucket, transferBucket } from '@berth/nats';
import { tempFolder } from '../../../../test/support/cleanup.js';
import { eventually } from '../../../../test/support/wait.js';
import { startGateway, type TestGateway } from '../gateway.testing.js';

const bytes = randomBytes(700_000);
const kept = { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };

/** A gateway with a host on this machine that has the file made.bin, and one that takes hours to read. */
async function withFile(gateway: TestGateway) {
  const folder = join(gateway.home, 'host');
  const host = await gateway.host('enrolled', { transport: 'local', address: 'localhost', port: 0, user: 'berth', credential: 'agent', platform: 'linux', folder });
  const copy = await gateway.on(host.lease, 'working-copy', 'active', join(folder, 'copy'));
  mkdirSync(join(folder, 'copy'), { recursive: true });
  writeFileSync(join(folder, 'copy', 'made.bin'), bytes);
  writeFileSync(join(folder, 'copy', 'endless.bin'), '');
  truncateSync(join(folder, 'copy', 'endless.bin'), 2 ** 40);
  return (object: string, path = 'made.bin') => gateway.run(copy.lease, copy.token, { kind: 'get-file', path, object });
}

async function whole(store: Objects, name: string): Promise<Buffer | undefined> {
  const taken: Uint8Array[] = [];
  const opened = await store.open(name);
  if (!opened) return undefined;
  for await (const piece of opened.read()) taken.push(piece);
  return Buffer.concat(taken);
}

describe('a file that is kept', () => {
  let gateway: TestGateway;
  let folder: string;
  let get: Awaited<ReturnType<typeof withFile>>;
  beforeAll(async () => {
    folder = join(await tempFolder('artifacts'), 'store');
    gateway = await startGateway({ artifacts: { kind: 'folder', path: folder } });
    get = await withFile(gateway);
  });

  it('goes to the store of artifacts with a "/" in its name, and to the bus without', async () => {
    const [artifact, transfer] = [`${randomUUID()}/1/dist/made.bin`, randomUUID()];
    expect(await gateway.ended(await get(artifact))).toEqual({ type: 'ActionSucceeded', data: kept });
    expect(await gateway.ended(await get(transfer))).toEqual({ type: 'ActionSucceeded', data: kept });
    expect((await whole(openArtifacts({ kind: 'folder', path: folder }, gateway.connection), artifact))!.equals(bytes)).toBe(true);
    expect(await jetStreamObjects(gateway.connection, artifactBucket).open(artifact)).toBeUndefined();
    expect((await whole(jetStreamObjects(gateway.connection, transferBucket), transfer))!.equals(bytes)).toBe(true);
  });

  it('is refused under a name that none can have', async () => {
    expect(await gateway.ended(await get(`${randomUUID()}/../made.bin`))).toMatchObject({ type: 'ActionFailed', data: { code: 'invalid-value', error: expect.stringContaining('"." or ".."') as string } });
  });

  it('is not waited for once it is cancelled, and nothing of it stays', async () => {
    const object = `${randomUUID()}/1/endless.bin`;
    const action = await get(object, 'endless.bin');
    const drafts = join(folder, '.incoming');
    await eventually(() => readdirSync(drafts).some((draft) => statSync(join(drafts, draft)).size > 0));
    await gateway.bus.command('host-agent-gateway', 'CancelAction', { action, reason: 'not wanted' }, { id: randomUUID(), actor: 'spec' });
    expect(await gateway.ended(action)).toMatchObject({ type: 'ActionCancelled' });
    expect(readdirSync(drafts)).toEqual([]);
  });

  it('waits for a store that is away', async () => {
    const object = `${randomUUID()}/1/late.bin`;
    renameSync(folder, `${folder}-elsewhere`);
    writeFileSync(folder, '');
    const action = await get(object);
    await gateway.started(action);
    renameSync(folder, `${folder}-file`);
    renameSync(`${folder}-elsewhere`, folder);
    expect(await gateway.ended(action)).toEqual({ type: 'ActionSucceeded', data: kept });
  });
});

describe('a store of artifacts that is full', () => {
  it('ends the action with the way out, and nothing is kept', async () => {
    const gateway = await startGateway();
    const get = await withFile(gateway);
    await gateway.connection.jetstream().views.os(artifactBucket, { max_bytes: 300_000 });
    const object = `${randomUUID()}/1/made.bin`;
    expect(await gateway.ended(await get(object))).toMatchObject({ type: 'ActionFailed', data: { code: 'store-full', error: expect.stringContaining('remove what is no longer needed, or give it more room') as string } });
    expect(await jetStreamObjects(gateway.connection, artifactBucket).open(object)).toBeUndefined();
    expect((await (await gateway.connection.jetstreamManager()).streams.info(`OBJ_${artifactBucket}`)).state.messages).toBe(0);
  });
});
