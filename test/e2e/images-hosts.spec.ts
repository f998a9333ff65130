import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { CATALOG, commandEnvelope, subjects, type BlueprintEvent, type CatalogEvent, type CommandEnvelope, type Explanation, type ImageEvent, type ResourceEvent } from '@berth/contracts';
import { jetStreamStore, type EventStore } from '@berth/event-store';
import { atEndOfFile } from '../support/cleanup.js';
import { startCloud, type Cloud } from '../support/cloud.js';
import { eventually } from '../support/wait.js';

type Created = Extract<ResourceEvent, { type: 'ResourceCreated' }>['data'];
type Assigned = Extract<ImageEvent, { type: 'ChannelAssigned' }>['data'];

/** Hosts booted from images; the factory is played by the spec: its events are put into the store, and its commands are answered here. */
describe('hosts booted from an image', () => {
  let cloud: Cloud;
  let store: EventStore;
  const revisions = new Map<string, number>();
  const asked: CommandEnvelope[] = [];

  beforeAll(async () => {
    cloud = await startCloud({ services: ['lease', 'allocator', 'host-agent-gateway'] });
    const { connection } = cloud.fleet.bus;
    store = jetStreamStore(connection);
    const factory = connection.subscribe(subjects.command('image-factory', '*'), {
      callback: (_error, message) => {
        const command = commandEnvelope.parse(message.json());
        asked.push(command);
        message.respond(JSON.stringify({ accepted: true, id: command.id }));
      },
    });
    atEndOfFile(() => factory.unsubscribe());
    const { endpoint, region } = cloud.ec2;
    await catalog(
      { type: 'ProviderSaved', data: { name: 'cloud', description: '', kind: 'ec2', target: 'ec2', endpoint } },
      { type: 'AccountSaved', data: { name: 'another', description: '', provider: 'cloud', region, credentials: 'default' } },
      { type: 'AccountSaved', data: { name: 'here', description: '', provider: 'cloud', region, credentials: 'env:CLOUD' } },
      { type: 'AccountSaved', data: { name: 'far', description: '', provider: 'cloud', region: 'us-west-2', credentials: 'env:CLOUD' } },
    );
  });

  async function append(kind: 'image' | 'catalog', id: string, events: readonly (ImageEvent | CatalogEvent)[]): Promise<void> {
    const at = await store.append(kind, id, revisions.get(`${kind} ${id}`) ?? 0, { id: randomUUID(), at: new Date().toISOString(), actor: 'spec', cause: randomUUID(), events: [...events] });
    revisions.set(`${kind} ${id}`, at);
  }
  const catalog = (...events: CatalogEvent[]) => append('catalog', CATALOG, events);

  /** An image with a channel `stable`; versions are complete, and pushed to `here`. */
  function image(name: string) {
    const happen = (...events: ImageEvent[]) => append('image', name, events);
    let at: string | null = null;
    let number = 0;
    const point = (version: string | null, by: Assigned['by'] = 'assign'): ImageEvent => {
      const previous = at;
      at = version;
      return { type: 'ChannelAssigned', data: { channel: 'stable', version, previous, by } };
    };
    return {
      happen,
      begun: () => happen({ type: 'ChannelSaved', data: { channel: 'stable', managed: false } }),
      async version(account: string | undefined = 'here') {
        const version = randomUUID();
        const ami = cloud.ec2.addImage().id;
        await happen(
          { type: 'VersionRequested', data: { version, number: ++number, revision: 1, targets: ['ec2'], labels: {}, cause: 'asked' } },
          { type: 'VersionEnded', data: { version, status: 'COMPLETE' } },
          ...(account === undefined ? [] : [{ type: 'PushCompleted', data: { version, account, id: ami } } as const]),
        );
        return { version, ami, number };
      },
      moves: (version: string | null, by?: Assigned['by']) => happen(point(version, by)),
      revokes: (version: string, next: string | null) => happen({ type: 'VersionRevoked', data: { version, at: new Date(0).toISOString(), reason: 'a hole', cascade: true } }, point(next, 'revoke')),
    };
  }

  const save = (name: string, over: Parameters<Cloud['save']>[0] = {}) => cloud.save({ name, attributes: { pool: name }, image: { name }, ...over });
  const lease = (pool: string, attributes: Record<string, string> = {}) => cloud.lease({ attributes: { pool, ...attributes } });
  const booted = () => cloud.ec2.alive().map(({ imageId }) => imageId);
  const all = async (kind: 'resource' | 'blueprint', id?: string) => (await cloud.fleet.events(kind)).filter((r) => id === undefined || r.id === id).flatMap((r) => r.commit.events as (ResourceEvent | BlueprintEvent)[]);
  const created = async (blueprint: string): Promise<Created[]> => (await all('resource')).flatMap((e) => (e.type === 'ResourceCreated' && e.data.blueprint === blueprint ? [e.data] : []));
  const explained = async (pool: string, attributes: Record<string, string> = {}) =>
    (await cloud.fleet.command('allocator', 'ConsiderLease', { request: { type: 'host', owner: 'ada', attributes: { pool, ...attributes } } })).data as Explanation;
  const seen = async (what: string, code: string, reason: RegExp) => eventually(async () => (await explained(what)).considered.some((one) => one.code === code && reason.test(one.reason)), { timeoutMs: 15_000 });
  /** The allocator has seen what was put into the store: what it says of a blueprint tells. */
  const launches = (pool: string, attributes: Record<string, string>) => eventually(async () => (await explained(pool, attributes)).verdict !== 'never', { timeoutMs: 10_000 });

  test('the version of its channel is launched, as it is in the region and with the credentials of the blueprint', async () => {
    const debian = image('debian');
    await debian.begun();
    const one = await debian.version();
    const [elsewhere, far] = [cloud.ec2.addImage().id, cloud.ec2.addImage().id];
    await debian.happen({ type: 'PushCompleted', data: { version: one.version, account: 'another', id: elsewhere } }, { type: 'PushCompleted', data: { version: one.version, account: 'far', id: far } });
    await debian.moves(one.version);
    await save('debian');
    const first = await lease('debian', { image: 'debian', imageVersion: '1' });
    await cloud.active(first);
    expect(booted()).toEqual([one.ami]);
    expect(await created('debian')).toMatchObject([{ attributes: { image: 'debian', imageVersion: '1' }, booted: { image: 'debian', version: one.version, number: 1, id: one.ami } }]);
    await cloud.release(first);
    await cloud.nothingLeft();
  }, 60_000);

  test('a new version drains: idle hosts end and are launched anew, a leased one ends with its lease', async () => {
    const fedora = image('fedora');
    await fedora.begun();
    const one = await fedora.version();
    await fedora.moves(one.version);
    await save('fedora', { pool: { minIdle: 1, idleTimeout: 600_000 } });
    const leased = await lease('fedora');
    await cloud.active(leased);
    await eventually(() => cloud.ec2.alive().length === 2, { timeoutMs: 15_000 });
    const two = await fedora.version();
    await fedora.moves(two.version);
    await seen('fedora', 'ending', /channel stable of fedora points at version 2: it was booted from version 1/);
    await eventually(() => booted().sort().join() === [one.ami, two.ami].sort().join(), { timeoutMs: 15_000 });
    const next = await lease('fedora');
    await cloud.active(next);
    expect((await cloud.fleet.bus.waitForStatus('lease', leased, ['active'], { timeoutMs: 5000 })).data.status).toBe('active');
    expect(booted()).toContain(one.ami);
    await cloud.release(leased);
    await cloud.destroyed(leased);
    await eventually(() => booted().every((ami) => ami === two.ami), { timeoutMs: 15_000 });
    // A version that is revoked takes its hosts along in the same way.
    await fedora.revokes(two.version, one.version);
    await cloud.release(next);
    await eventually(() => booted().join() === one.ami, { timeoutMs: 15_000 });
    await save('fedora', { pool: { minIdle: 0, idleTimeout: 300 } });
    await cloud.nothingLeft();
  }, 60_000);

  test('a version whose hosts do not become ready is taken out of its channel, and the version before is launched at once', async () => {
    const arch = image('arch');
    await arch.begun();
    const [one, two] = [await arch.version(), await arch.version()];
    await arch.moves(one.version);
    await arch.moves(two.version);
    const flag = join(cloud.fleet.home, 'boots');
    await rm(flag, { force: true });
    await save('arch', { ready: { command: `test -e ${flag}`, timeout: 200 } });
    const waiting = await lease('arch');
    const command = await eventually(() => asked.find(({ data }) => data['image'] === 'arch') ?? false, { timeoutMs: 20_000 });
    expect(command).toMatchObject({ type: 'RollbackChannel', data: { image: 'arch', channel: 'stable', from: two.version, reason: expect.stringContaining('the ready command still ended with 1') } });
    expect((await all('blueprint', 'arch')).find((e) => e.type === 'BreakerOpened')).toMatchObject({ data: { failures: 3, blames: two.version } });
    // A process that does not know that it was asked for asks for the same.
    await cloud.fleet.services.allocator.kill9();
    await cloud.fleet.services.allocator.start();
    await seen('arch', 'breaker-open', /the ready command still ended with 1/);
    const commands = await eventually(() => {
      const same = asked.filter(({ data }) => data['image'] === 'arch');
      return same.length > 1 && same;
    }, { timeoutMs: 15_000 });
    expect(new Set(commands.map(({ id }) => id)).size).toBe(1);
    await writeFile(flag, '');
    await arch.moves(one.version, 'rollback');
    await cloud.active(waiting);
    expect((await all('blueprint', 'arch')).map(({ type }) => type).slice(-2)).toEqual(['BreakerClosed', 'LaunchSucceeded']);
    expect(booted()).toEqual([one.ami]);
    await cloud.release(waiting);
    await cloud.nothingLeft();
  }, 60_000);

  test('a version under test is for who wants it, and its host is not kept after the test', async () => {
    const nixos = image('nixos');
    await nixos.begun();
    const [one, two] = [await nixos.version(), await nixos.version()];
    await nixos.moves(one.version);
    await save('nixos', { pool: { minIdle: 0, idleTimeout: 600_000 } });
    expect((await explained('nixos', { imageVersion: '2' })).reason).toMatch(/imageVersion=2 is wanted, there is imageVersion=1/);
    const build = randomUUID();
    await nixos.happen({ type: 'TestStarted', data: { channel: 'stable', version: two.version, build, plan: 'smoke', by: 'assign', attempt: 1 } });
    await launches('nixos', { imageVersion: '2' });
    const tested = await lease('nixos', { imageVersion: '2' });
    await cloud.active(tested);
    await cloud.release(tested);
    await cloud.destroyed(tested);
    expect(booted()).toEqual([two.ami]);
    // It is idle, and not for a request that wants no version.
    const usual = await lease('nixos');
    await cloud.active(usual);
    expect(booted().sort()).toEqual([one.ami, two.ami].sort());
    await seen('nixos', 'attributes', /it is of version 2 of nixos, which is under test/);
    await nixos.happen({ type: 'TestEnded', data: { channel: 'stable', version: two.version, build, passed: true } });
    await nixos.moves(two.version);
    await cloud.release(usual);
    await cloud.nothingLeft();
    expect((await all('resource')).flatMap((e) => (e.type === 'ResourceReleased' ? [e.data.reason] : []))).toEqual(
      expect.arrayContaining(['it was booted for a test of version 2 of nixos, which is over', 'channel stable of nixos points at version 2: it was booted from version 1']),
    );
  }, 60_000);

  test('an image that can not be used says why: when its blueprint is saved, when it is launched, and no longer once it can', async () => {
    const suse = image('suse');
    await suse.begun();
    await expect(save('suse')).rejects.toThrow('suse is not saved: No host could be launched of it: channel stable of image suse points at no version: assign it one.');
    const one = await suse.version('far');
    await suse.moves(one.version);
    const sentence = `version 1 of image suse is not pushed to ${cloud.ec2.region}: push it with \`berth image push\``;
    await cloud.fleet.command('allocator', 'SaveBlueprint', { spec: cloud.spec({ name: 'suse', attributes: { pool: 'suse' }, image: { name: 'suse' } }), check: false });
    const waiting = await lease('suse');
    const failed = await eventually(async () => (await all('blueprint', 'suse')).find((e) => e.type === 'LaunchFailed') ?? false, { timeoutMs: 15_000 });
    expect(failed.data).toMatchObject({ fault: 'image', error: sentence });
    await seen('suse', 'breaker-open', /is not pushed to/);
    await suse.happen({ type: 'PushCompleted', data: { version: one.version, account: 'here', id: one.ami } });
    await cloud.active(waiting);
    await cloud.release(waiting);
    await cloud.nothingLeft();
  }, 60_000);
});
