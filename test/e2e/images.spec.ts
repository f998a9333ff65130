import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BuildEvent, CommandInput, CommandType, ImageEvent } from '@berth/contracts';
import { imageWriter } from '../support/images.js';
import { serviceNames, startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 30_000, everyMs: 50 };

describe('images', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    const [started, sshd] = await Promise.all([startFleet({ services: [...serviceNames, 'image-factory'] }), startTestSshd()]);
    fleet = started;
    await fleet.addMachine('baker', sshd, { slots: 4, attributes: { bakes: 'yes' } });
    await tell('SaveProvider', { name: 'store', kind: 'mock' });
    await tell('SaveAccount', { name: 'east', provider: 'store' });
    await tell('SaveAccount', { name: 'west-failing', provider: 'store' });
    await tell('SaveEnvironment', { name: 'prod', targets: ['mock'], accounts: ['east', 'west-failing'] });
  });

  const ask = async <T extends CommandType<'image-factory'>>(type: T, data: CommandInput<'image-factory', T>) => fleet.bus.command('image-factory', type, data, { id: randomUUID(), actor: 'ada' });
  const tell = async <T extends CommandType<'image-factory'>>(type: T, data: CommandInput<'image-factory', T>) => {
    const answer = await ask(type, data);
    if (!answer.accepted) throw new Error(`${type}: ${answer.code}: ${answer.message} ${JSON.stringify(answer.errors)}`);
    return answer;
  };
  const refusal = async <T extends CommandType<'image-factory'>>(type: T, data: CommandInput<'image-factory', T>) => {
    const answer = await ask(type, data);
    if (answer.accepted) throw new Error(`${type} was accepted`);
    return `${answer.code}: ${answer.message}`;
  };
  const template = (name: string, more: Record<string, unknown> = {}) => JSON.stringify({ name, os: { name: 'debian', version: '12' }, targets: { mock: { host: { bakes: 'yes' } } }, ...more });
  const save = (name: string, more: Record<string, unknown> = {}, rest: Partial<CommandInput<'image-factory', 'SaveImage'>> = {}) => tell('SaveImage', { source: template(name, more), environment: 'prod', ...rest });
  const events = async (image: string) => (await fleet.events('image')).filter(({ id }) => id === image).flatMap(({ commit }) => commit.events as ImageEvent[]);
  const ended = (image: string, version: string) =>
    eventually(async () => {
      const last = (await events(image)).filter((event) => event.type === 'VersionEnded' && event.data.version === version).at(-1);
      if (last?.type !== 'VersionEnded') throw new Error(`${image} is still at ${(await events(image)).at(-1)?.type}`);
      return last.data.status;
    }, SOON);
  const build = async (image: string, more: Partial<CommandInput<'image-factory', 'BuildImage'>> = {}) => {
    const { id } = await tell('BuildImage', { image, ...more });
    return id;
  };
  const built = async (image: string) => {
    const id = await build(image);
    expect(await ended(image, id)).toBe('COMPLETE');
    return id;
  };
  const pointsAt = (image: string, channel: string, version: string | null) =>
    eventually(async () => expect((await fleet.bus.waitForStatus('image', image, () => true, { timeoutMs: 5000 })).data['channels']).toMatchObject({ [channel]: version }), SOON);
  const pushed = (image: string, version: string, account: string, wanted: string) =>
    fleet.bus.waitForStatus('image', image, ({ data }) => data['version'] === version && (data['pushes'] as { account: string; status: string }[]).some((one) => one.account === account && one.status === wanted), { timeoutMs: 30_000 });

  test('a version is built by a build of its own, told on the feed, and `latest` follows', async () => {
    expect(await save('web')).toMatchObject({ data: { name: 'web', revision: 1 } });
    expect(await save('web')).toMatchObject({ data: { revision: 1 } });
    const version = await built('web');
    const all = await events('web');
    const percents = all.flatMap((event) => (event.type === 'TargetProgressed' ? [event.data.percent] : []));
    expect(percents).toEqual([...percents].sort((a, b) => a - b));
    expect(all.find((event) => event.type === 'TargetCompleted')?.data).toMatchObject({ version, target: 'mock', made: { object: { name: 'image.mock' } } });
    const status = await fleet.bus.waitForStatus('image', 'web', ['COMPLETE'], { timeoutMs: 5000 });
    expect(status.data).toMatchObject({ id: 'web', percent: 100, error: null, version, number: 1, channels: { latest: version } });
    // It is an ordinary build, of a plan that anybody can look at.
    const started = all.find((event) => event.type === 'TargetStarted');
    const of = (await fleet.events('build')).filter(({ id }) => started?.type === 'TargetStarted' && id === started.data.build).flatMap(({ commit }) => commit.events as BuildEvent[]);
    expect(of.map(({ type }) => type)).toContain('BuildPassed');
    expect(of.find((event) => event.type === 'BuildRequested')?.data).toMatchObject({ plan: { name: 'image-web-mock-r1' } });
  });

  test('a template that is saved again keeps what was said beside it, where that is to be kept', async () => {
    const bare = { targets: {} };
    await save('kept', bare, { targets: { mock: { host: { bakes: 'yes' } } }, retention: { keep: 5, maxAge: '30d' }, rebuild: { schedule: '0 3 * * 1' } });
    await save('kept', { ...bare, description: 'more' }, { environment: undefined, unsaid: 'kept', rebuild: { onParent: true } });
    await save('kept', bare, { environment: null, unsaid: 'kept', retention: { maxAge: null } });
    await save('kept', bare);
    const said = (await events('kept')).flatMap(({ type, data }) => (type === 'ImageSaved' ? [{ targets: Object.keys(data.template.targets), environment: data.environment, retention: data.retention, rebuild: data.rebuild }] : []));
    const month = { keep: 5, maxAge: 30 * 86_400_000 };
    expect(said).toEqual([
      { targets: ['mock'], environment: 'prod', retention: month, rebuild: { schedule: '0 3 * * 1', onParent: false } },
      { targets: ['mock'], environment: 'prod', retention: month, rebuild: { schedule: '0 3 * * 1', onParent: true } },
      { targets: ['mock'], environment: undefined, retention: { keep: 5 }, rebuild: { schedule: '0 3 * * 1', onParent: true } },
      { targets: [], environment: 'prod', retention: undefined, rebuild: undefined },
    ]);
    expect(await refusal('SaveImage', { source: template('kept', bare), unsaid: 'kept', rebuild: { schedule: '0 3 * * 9' } })).toMatch(/^invalid-data: The schedule/);
  });

  test('a target that has failed says why, for good, and is built once more alone', async () => {
    await save('frail', { targets: { mock: { host: { bakes: 'yes' }, outcome: 'failed' } } });
    const version = await build('frail');
    expect(await ended('frail', version)).toBe('FAILED');
    const status = await fleet.bus.waitForStatus('image', 'frail', ['FAILED'], { timeoutMs: 5000 });
    expect(status.data.error).toMatch(/the template says that this image fails/);
    expect(await refusal('AssignChannel', { image: 'frail', channel: 'latest', version })).toMatch(/^version-not-complete: Version 1 has failed/);
    expect(await refusal('PushImage', { version, accounts: ['east'] })).toMatch(/^target-not-built/);
    await tell('RebuildTarget', { version, target: 'mock' });
    await eventually(async () => expect((await events('frail')).filter(({ type }) => type === 'TargetFailed')).toHaveLength(2), SOON);
    expect((await events('frail')).flatMap((event) => (event.type === 'TargetFailed' ? [[event.data.attempt, /this image fails/.test(event.data.error)]] : []))).toEqual([[1, true], [2, true]]);
  });

  test('what is built is pushed; what fails says so and is tried again; what was imported stays where it is', async () => {
    await save('pushed');
    const version = await built('pushed');
    expect(await refusal('PushImage', { version, accounts: ['nowhere'] })).toMatch(/^unknown-account: .*nowhere/);
    await tell('PushAll', { version });
    await pushed('pushed', version, 'east', 'COMPLETE');
    const failed = await pushed('pushed', version, 'west-failing', 'FAILED');
    expect(failed.data.error).toBeTruthy();
    await tell('PushImage', { version, accounts: ['west-failing', 'east'] });
    await eventually(async () => expect((await events('pushed')).filter(({ type }) => type === 'PushFailed')).toHaveLength(2), SOON);
    expect((await events('pushed')).filter((event) => event.type === 'PushCompleted')).toHaveLength(1);

    const newer = await built('pushed');
    expect(await refusal('PushAll', { version })).toMatch(/^version-outdated/);
    await tell('DeleteProviderImage', { version, account: 'east' });
    await eventually(async () => expect((await events('pushed')).some((event) => event.type === 'Deleted' && event.data.account === 'east')).toBe(true), SOON);
    expect(await refusal('DeleteVersion', { version: newer })).toMatch(/^version-in-use: Channel latest points/);
    await tell('DeleteVersion', { version: newer, cascade: true });
    await pointsAt('pushed', 'latest', version);
  });

  test('a channel moves by hand, by what is built, and back; what is revoked leaves it, with what is made of it', async () => {
    await save('base');
    await tell('SaveChannel', { image: 'base', channel: 'stable' });
    const [one, two] = [await built('base'), await built('base')];
    await tell('AssignChannel', { image: 'base', channel: 'stable', version: one });
    await tell('AssignChannel', { image: 'base', channel: 'stable', version: two });
    await save('child', { parent: { image: 'base', channel: 'stable' } }, { rebuild: { onParent: true } });
    // It is built because what it is made of is there, without being asked for.
    const first = await eventually(async () => {
      const asked = (await events('child')).find((event) => event.type === 'VersionRequested');
      expect(asked?.data).toMatchObject({ cause: 'parent', parent: { image: 'base', version: two } });
      return (asked!.data as { version: string }).version;
    }, SOON);
    expect(await ended('child', first)).toBe('COMPLETE');
    expect(await refusal('RollbackChannel', { image: 'base', channel: 'stable', from: one })).toMatch(/^channel-moved/);
    await tell('RevokeVersion', { version: two, reason: 'a hole in it' });
    await pointsAt('base', 'stable', one);
    await pointsAt('base', 'latest', one);
    await eventually(async () => expect((await events('child')).find((event) => event.type === 'VersionRevoked')?.data).toMatchObject({ version: first, ancestor: { image: 'base', version: two } }), SOON);
    expect(await refusal('AssignChannel', { image: 'base', channel: 'stable', version: two })).toMatch(/^version-revoked: .*a hole in it/);
    // The parent has moved: another one follows.
    await eventually(async () => expect((await events('child')).filter((event) => event.type === 'VersionRequested').at(-1)?.data).toMatchObject({ parent: { version: one } }), SOON);
    expect(await refusal('RemoveImage', { image: 'base', cascade: true })).toMatch(/^image-in-use: .*child/);
    // What was revoked with it comes back with it.
    await tell('RestoreVersion', { version: two, reason: 'mended' });
    await eventually(async () => expect((await events('child')).find((event) => event.type === 'VersionRestored')?.data).toMatchObject({ version: first, ancestor: { image: 'base', version: two } }), SOON);
  });

  test('a version is built on what it is made of as that was when it was asked for, or says what it lacks', async () => {
    const parent = { parent: { image: 'ground' } };
    // The one host that would build it has something else to do, so it waits.
    await fleet.addMachine('mason', await startTestSshd(), { attributes: { builds: 'roots' } });
    await fleet.requestLease({ type: 'host', attributes: { builds: 'roots' } });
    const writer = imageWriter(fleet.bus.connection);
    const ground = async (target: 'oci' | 'mock') => {
      const written = await writer.version('ground', { target, body: Buffer.from('not a system') });
      await writer.append('ground', { type: 'ChannelAssigned', data: { channel: 'latest', version: written.id, previous: null, by: 'managed' } });
      return written;
    };
    await ground('mock');
    expect(await refusal('SaveImage', { source: template('house', { ...parent, os: { name: 'debian', version: '13' } }) })).toBe("invalid-template: The template can't be used: house is debian trixie for x86_64, and ground is debian bookworm for x86_64.");
    await tell('SaveImage', { source: template('house', { ...parent, targets: { oci: { host: { builds: 'roots' } } } }) });
    expect(await refusal('BuildImage', { image: 'house' })).toBe("unbuildable-target: Image house can't be built: version 1 of ground, which it is made of, has no file that holds its root filesystem.");
    const { id: of, object } = await ground('oci');
    const kept = (await events('ground')).flatMap((event) => (event.type === 'TargetStarted' && event.data.version === of ? [event.data.build] : []))[0];
    const version = await build('house');
    const [asked, started] = (await events('house')).slice(-2);
    expect(asked?.data).toMatchObject({ version, parent: { image: 'ground', version: of, root: 'oci' } });
    const variables = { PARENT_BUILD: kept, PARENT_FILE: object.name };
    const requested = (id: string) => eventually(async () => {
      const found = (await fleet.events('build')).filter((one) => one.id === id).flatMap(({ commit }) => commit.events as BuildEvent[]).find(({ type }) => type === 'BuildRequested');
      expect(found?.data).toMatchObject({ variables });
    }, SOON);
    await requested((started!.data as { build: string }).build);
    expect(await refusal('DeleteVersion', { version: of, cascade: true })).toBe('version-in-use: house@1 is being built of version 2.');
    expect(await refusal('DeleteTargetImage', { version: of, target: 'oci' })).toBe('version-in-use: house@1 is being built of version 2.');
    await tell('AbortVersion', { version });
    expect(await ended('house', version)).toBe('FAILED');
    // The channel moves on; another attempt does not.
    await ground('oci');
    await tell('RebuildTarget', { version, target: 'oci' });
    await requested(((await events('house')).filter(({ type }) => type === 'TargetStarted').at(-1)!.data as { build: string }).build);
    await tell('AbortVersion', { version });
    await tell('DeleteVersion', { version: of });
    expect(await refusal('RebuildTarget', { version, target: 'oci' })).toBe("unbuildable-target: Version 1 of house can't be built as oci once more: version 2 of ground, which it is made of, was removed.");
  });

  test('a channel with a test points at a version only once a plan has passed on a host of it', async () => {
    await save('tested');
    await fleet.applyPlan('name: smoke\nhost: { image: tested }\nqueueTimeout: 20s\nsteps: [{ name: Look, run: "test -e $HOME" }]');
    await tell('SaveChannel', { image: 'tested', channel: 'checked', test: 'smoke' });
    const sshd = await startTestSshd();
    await fleet.addMachine('booted', sshd, { attributes: { image: 'tested', imageVersion: '1' } });
    const [one, two] = [await built('tested'), await built('tested')];
    await tell('AssignChannel', { image: 'tested', channel: 'checked', version: one });
    await pointsAt('tested', 'checked', one);
    expect((await events('tested')).find((event) => event.type === 'TestEnded')?.data).toMatchObject({ version: one, passed: true });
    // A host of the first is live, so it is not removed.
    expect(await refusal('DeleteVersion', { version: one, cascade: true })).toMatch(/^version-in-use: A live host/);
    // No host of the second one comes up.
    await fleet.applyPlan('name: smoke\nhost: { image: tested }\nqueueTimeout: 1s\nsteps: [{ name: Look, run: "true" }]');
    await tell('AssignChannel', { image: 'tested', channel: 'checked', version: two });
    await eventually(async () => expect((await events('tested')).filter((event) => event.type === 'TestEnded').at(-1)?.data).toMatchObject({ version: two, passed: false }), SOON);
    expect(await refusal('AssignChannel', { image: 'tested', channel: 'checked', version: two })).toMatch(/^test-failed/);
    await pointsAt('tested', 'checked', one);
  });

  test('a factory that is killed goes on where it was, and builds nothing twice', async () => {
    await save('killed');
    const version = await build('killed');
    await eventually(async () => expect((await events('killed')).some(({ type }) => type === 'TargetStarted')).toBe(true), SOON);
    await fleet.services['image-factory'].kill9();
    await fleet.services['image-factory'].start();
    expect(await ended('killed', version)).toBe('COMPLETE');
    expect((await events('killed')).filter(({ type }) => type === 'TargetStarted')).toHaveLength(1);
    const aborted = await build('killed');
    await tell('AbortVersion', { version: aborted, reason: 'enough' });
    expect(await ended('killed', aborted)).toBe('FAILED');
    const started = (await events('killed')).filter((event) => event.type === 'TargetStarted').at(-1);
    await eventually(async () => {
      const of = (await fleet.events('build')).filter(({ id }) => started?.type === 'TargetStarted' && id === started.data.build).flatMap(({ commit }) => commit.events as BuildEvent[]);
      expect(of.map(({ type }) => type)).toContain('BuildAborted');
    }, SOON);
  });
});
