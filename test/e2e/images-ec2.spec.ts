import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CommandInput, CommandType, ImageEvent } from '@berth/contracts';
import { startCloud, type Cloud } from '../support/cloud.js';
import { startEc2, type Ec2StandIn } from '../support/ec2/ec2.js';
import { serviceNames } from '../support/fleet.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 45_000, everyMs: 50 };

/** From a base image to hosts of another region that are booted from what was baked, over the protocol of EC2. */
describe('images of EC2', { timeout: 90_000 }, () => {
  let cloud: Cloud;
  let far: Ec2StandIn;

  beforeAll(async () => {
    cloud = await startCloud({ services: [...serviceNames, 'image-factory'], ec2: { imageMs: 300 } });
    far = await startEc2({ beside: cloud.ec2, region: 'us-west-2' });
    await tell('SaveProvider', { name: 'cloud', kind: 'ec2', endpoint: cloud.ec2.endpoint });
    await tell('SaveAccount', { name: 'home', provider: 'cloud', region: cloud.ec2.region, credentials: 'env:CLOUD' });
    await tell('SaveAccount', { name: 'west', provider: 'cloud', region: 'us-west-2', credentials: 'env:CLOUD' });
    await cloud.save({ name: 'bakery', attributes: { bakes: 'yes' } });
  });

  const tell = async <T extends CommandType<'image-factory'>>(type: T, data: CommandInput<'image-factory', T>) => {
    const answer = await cloud.fleet.bus.command('image-factory', type, data, { id: randomUUID(), actor: 'ada' });
    if (!answer.accepted) throw new Error(`${type}: ${answer.code}: ${answer.message} ${JSON.stringify(answer.errors)}`);
    return answer;
  };
  const events = async (image: string) => (await cloud.fleet.events('image')).filter(({ id }) => id === image).flatMap(({ commit }) => commit.events as ImageEvent[]);
  const happened = <T extends ImageEvent['type']>(image: string, type: T, is: (data: Extract<ImageEvent, { type: T }>['data']) => boolean) =>
    eventually(async () => {
      const all = await events(image);
      const found = all.find((event) => event.type === type && is(event.data as never));
      if (!found) throw new Error(`no such ${type} of ${image}: ${JSON.stringify(all.slice(-4))}`);
      return found.data as Extract<ImageEvent, { type: T }>['data'];
    }, SOON);
  const save = (name: string, commands = [{ name: 'mark', run: 'echo baked > "$HOME/baked"' }]) =>
    tell('SaveImage', { source: JSON.stringify({ name, os: { name: 'debian', version: '12' }, commands, targets: { ec2: { host: { bakes: 'yes' }, account: 'home' } } }) });
  const build = async (image: string) => (await tell('BuildImage', { image })).id;

  test('a host becomes an image, which is copied to another region, and hosts there are booted from it', async () => {
    await save('web');
    const version = await build('web');
    const { made } = await happened('web', 'TargetCompleted', (data) => data.version === version);
    expect(made.provided).toMatchObject({ account: 'home', id: expect.stringMatching(/^ami-/) as unknown });
    expect(made.sbom?.name).toBe('sbom.spdx.json');
    const baked = made.provided!.id;
    expect(cloud.ec2.images().find(({ id }) => id === baked)?.tags).toMatchObject({ 'berth:image': 'web', 'berth:number': '1' });
    // The host that it was made of is given back.
    await cloud.nothingLeft();

    await tell('PushAll', { version });
    const home = await happened('web', 'PushCompleted', (data) => data.account === 'home');
    const west = await happened('web', 'PushCompleted', (data) => data.account === 'west');
    expect(home.id).toBe(baked);
    expect(far.images().map(({ id }) => id)).toContain(west.id);

    await cloud.save({ name: 'web-west', region: 'us-west-2', user: far.user, port: far.port, credential: `file:${far.privateKeyPath}`, image: { name: 'web', channel: 'latest' }, attributes: { class: 'web' }, pool: { minIdle: 1, idleTimeout: 600_000 } });
    const lease = await cloud.lease({ attributes: { class: 'web' } });
    await cloud.active(lease);
    expect(new Set(far.alive().map(({ imageId }) => imageId))).toEqual(new Set([west.id]));

    // A new version drains old hosts as they fall idle.
    const next = await build('web');
    await happened('web', 'VersionEnded', (data) => data.version === next);
    await tell('PushAll', { version: next });
    const copied = await happened('web', 'PushCompleted', (data) => data.version === next && data.account === 'west');
    await eventually(() => far.alive().some(({ imageId }) => imageId === copied.id), SOON);
    await cloud.release(lease);
    await eventually(() => far.alive().every(({ imageId }) => imageId === copied.id), SOON);

    // What is removed is gone there too, and what a live host uses stays.
    const refused = await cloud.fleet.bus.command('image-factory', 'DeleteVersion', { version: next, cascade: true }, { id: randomUUID() });
    expect(refused).toMatchObject({ accepted: false, code: 'version-in-use' });
    await tell('DeleteVersion', { version, cascade: true });
    await happened('web', 'Deleted', (data) => data.version === version && data.account === undefined && data.target === undefined);
    expect(far.images().find(({ id }) => id === west.id)).toBeUndefined();
    expect(cloud.ec2.images().find(({ id }) => id === baked)).toBeUndefined();
    await cloud.fleet.command('allocator', 'DisableBlueprint', { name: 'web-west' });
  });

  test('a provider that fails, or never has the image, is a failed target with its words', async () => {
    await save('sour');
    cloud.ec2.spoilImage({ by: 'CreateImage', fault: 'fails', times: 1 });
    const version = await build('sour');
    const failed = await happened('sour', 'TargetFailed', (data) => data.version === version);
    expect(failed.error).toMatch(/failed/);
    await cloud.nothingLeft();
    // It is built once more, alone, and a factory that is killed meanwhile makes no second image.
    const before = cloud.ec2.images().length;
    await tell('RebuildTarget', { version, target: 'ec2' });
    await happened('sour', 'TargetStep', (data) => data.version === version && Object.keys(data.facts).length > 0);
    await cloud.fleet.services['image-factory'].kill9();
    await cloud.fleet.services['image-factory'].start();
    await happened('sour', 'VersionEnded', (data) => data.version === version && data.status === 'COMPLETE');
    expect(cloud.ec2.images().length).toBe(before + 1);
  });

  test('an image of another one is made of a host that was booted from that, or of none', async () => {
    await save('ground');
    const one = await build('ground');
    const { made } = await happened('ground', 'TargetCompleted', (data) => data.version === one);
    await tell('SaveImage', { source: JSON.stringify({ name: 'house', os: { name: 'debian', version: '12' }, parent: { image: 'ground' }, commands: [{ name: 'mark', run: 'echo house > "$HOME/house"' }], targets: { ec2: { host: { grounds: 'yes' }, account: 'home' } } }) });
    // It calls itself what it is not.
    await cloud.save({ name: 'looks-like-it', attributes: { grounds: 'yes', image: 'ground', imageVersion: '1' } });
    const fooled = await build('house');
    const failed = await happened('house', 'TargetFailed', (data) => data.version === fooled);
    expect(failed.error).toMatch(/its host was not launched from ground, which the image is made of: targets\.ec2\.host must want a host of a blueprint that launches ground/);
    await cloud.fleet.command('allocator', 'DisableBlueprint', { name: 'looks-like-it' });
    await cloud.nothingLeft();

    await cloud.save({ name: 'grounds', image: { name: 'ground', channel: 'latest' }, attributes: { grounds: 'yes' } });
    const images = new Set(cloud.ec2.images().map(({ id }) => id));
    await tell('RebuildTarget', { version: fooled, target: 'ec2' });
    const house = await happened('house', 'TargetCompleted', (data) => data.version === fooled);
    expect(images).not.toContain(house.made.provided!.id);
    expect(cloud.ec2.instances().at(-1)!.imageId).toBe(made.provided!.id);
    await cloud.nothingLeft();
    await cloud.fleet.command('allocator', 'DisableBlueprint', { name: 'grounds' });
    // Where it is not, no host can be booted from it.
    await tell('SaveImage', { source: JSON.stringify({ name: 'far-house', os: { name: 'debian', version: '12' }, parent: { image: 'ground' }, targets: { ec2: { host: { grounds: 'yes' }, account: 'west' } } }) });
    const refused = await cloud.fleet.bus.command('image-factory', 'BuildImage', { image: 'far-house' }, { id: randomUUID() });
    expect(refused).toMatchObject({ accepted: false, code: 'unbuildable-target', errors: [{ message: 'push it there (berth image push ground@1 --account west)' }] });
  });

  test('a version whose hosts never become ready is rolled back', async () => {
    await save('shaky');
    const one = await build('shaky');
    await happened('shaky', 'VersionEnded', (data) => data.version === one);
    const two = await build('shaky');
    await happened('shaky', 'ChannelAssigned', (data) => data.version === two);
    // Nothing that is booted from it ever says that it is ready.
    await cloud.save({ name: 'shaky-hosts', image: { name: 'shaky', channel: 'latest' }, attributes: { class: 'shaky' }, ready: { command: 'test "$READY" = yes', timeout: 1000 } });
    const lease = await cloud.lease({ attributes: { class: 'shaky' } });
    const back = await happened('shaky', 'ChannelAssigned', (data) => data.by === 'rollback');
    expect(back).toMatchObject({ channel: 'latest', version: one, previous: two });
    await cloud.fleet.command('allocator', 'DisableBlueprint', { name: 'shaky-hosts' });
    await cloud.release(lease);
  });
});
