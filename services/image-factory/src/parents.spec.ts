import { describe, expect, test } from 'vitest';
import { imageTemplate, type ImageEvent, type ImageTarget } from '@berth/contracts';
import type { Placed } from './domain/catalog.js';
import { evolve, noImage, type Image } from './domain/image.js';
import { Parents } from './parents.js';
import { begun, built, channel, complete, completed, ended, fold, gone, id, leaving, made, pushed, requested, saved, started } from './spec/image.testing.js';
import { targets } from './targets/index.js';

const account = (name: string, region: string): [string, Placed] => [name, { account: { name, provider: 'cloud', region, credentials: 'default' }, provider: { name: 'cloud', kind: 'ec2', target: 'ec2' } } as Placed];
const accounts = new Map([account('here', 'eu'), account('beside', 'eu'), account('far', 'us')]);

const templateOf = (more: object = {}) => imageTemplate.parse({ name: 'child', os: { name: 'debian', version: 'bookworm' }, parent: { image: 'web' }, targets: { raw: {}, oci: {}, mock: {}, ec2: { host: {}, account: 'here' } }, ...more });
/** A child of an image `web` that this happened to. */
function child(web: readonly ImageEvent[], more: object = {}, own: readonly ImageEvent[] = []) {
  const image = [saved(1, { template: templateOf(more) }), channel(), ...own].reduce(evolve, noImage);
  const images = new Map<string, Image>([['web', fold(web)], ['child', image]]);
  const parents = new Parents(
    {
      image: (name) => images.get(name) ?? noImage,
      templateOf: (name, revision) => (revision === 0 ? undefined : images.get(name)?.saved?.template),
      images: { entries: () => new Map([...images].map(([name, state]) => [name, { state }])).entries() },
    },
    { placed: (name) => accounts.get(name) },
    targets,
  );
  return {
    parents,
    now: (...wanted: ImageTarget[]) => parents.now(image, wanted),
    of: (target: ImageTarget, root?: ImageTarget) => parents.of('child', { ...image.versions.get(id(7))!, parent: { image: 'web', version: id(1), ...(root && { root }) } }, target),
  };
}
const refused = (code: string, message: string, fix: string) => ({ accepted: false, code, message, errors: [{ field: 'data.image', message: fix }] });
const file = (target: ImageTarget) => ({ PARENT_BUILD: (started(1, target).data as { build: string }).build, PARENT_FILE: made.object!.name });

describe('what a version is made of', () => {
  test('is fixed when it is asked for, with the file that its root filesystems begin from', () => {
    const both = [...begun, ...complete(1, null, ['raw', 'oci'])];
    expect(child(both).now('raw', 'oci')).toEqual({ image: 'web', version: id(1), root: 'oci' });
    expect(child([...begun, ...complete(1)]).now('oci')).toEqual({ image: 'web', version: id(1), root: 'raw' });
    expect(child(both).now('mock')).toEqual({ image: 'web', version: id(1) });
    expect(child(both, { parent: undefined }).now('raw')).toBeUndefined();
  });
  test('must be there', () => {
    expect(child([]).now('raw')).toMatchObject({ code: 'unknown-channel' });
    expect(child([...begun, ...requested(1)]).now('raw')).toMatchObject({ code: 'version-not-complete' });
  });
  test('must have what a target begins from', () => {
    const hosts = [...begun, ...complete(1, null, ['ec2'])];
    expect(child(hosts.map((event) => (event.type === 'TargetCompleted' ? { ...event, data: { ...event.data, made: { provided: { account: 'here', id: 'ami-1' } } } } : event))).now('raw', 'ec2')).toEqual(
      refused('unbuildable-target', "Image child can't be built: version 1 of web, which it is made of, has no file that holds its root filesystem.", 'build web as oci or raw too'));
    expect(child([...begun, ...complete(1)]).now('ec2')).toEqual(
      refused('unbuildable-target', "Image child can't be built: version 1 of web, which it is made of, is not where account here is.", 'push it there (berth image push web@1 --account here)'));
  });
  test('must be the same system', () => {
    const other = (os: object, is: string) => expect(child([...begun, ...complete(1)], { os: { name: 'debian', version: '12', ...os } }).now('mock')).toEqual(
      refused('unbuildable-target', `Image child can't be built: child is ${is}, and version 1 of web is debian bookworm for x86_64.`, 'must be the same system as what it is made of, debian bookworm for x86_64'));
    other({ version: '13' }, 'debian trixie for x86_64');
    other({ name: 'ubuntu', version: '24.04' }, 'ubuntu noble for x86_64');
    other({ arch: 'aarch64' }, 'debian bookworm for aarch64');
  });
  test('of what was imported, what was said of it counts', () => {
    const imported = (os?: Record<string, string>): ImageEvent[] => [{ type: 'VersionImported', data: { version: id(1), number: 1, revision: 0, target: 'ec2', account: 'beside', id: 'ami-1', labels: {}, ...(os && { os }) } }, channel(), { type: 'ChannelAssigned', data: { channel: 'latest', version: id(1), previous: null, by: 'assign' } }];
    expect(child(imported()).now('ec2')).toEqual({ image: 'web', version: id(1) });
    expect(child(imported({ name: 'debian', version: '12' })).now('ec2')).toEqual({ image: 'web', version: id(1) });
    expect(child(imported({ name: 'debian', version: '11' })).now('ec2')).toMatchObject({ code: 'unbuildable-target' });
  });
});

describe('what a target begins from', () => {
  const both = [...begun, ...complete(1, null, ['raw', 'oci'])];
  test('is a file of that version, whatever it has besides', () => {
    expect(child(both).of('oci', 'raw')).toEqual({ variables: file('raw') });
    expect(child(both).of('raw', 'oci')).toEqual({ variables: file('oci') });
    expect(child([...both, ...complete(2, 1, ['oci'])]).of('raw')).toEqual({ variables: file('oci') });
    expect(child(both).of('mock', 'oci')).toEqual({});
  });
  test('is a host that is booted from it, where the account is', () => {
    const host = { host: { image: 'web', imageVersion: '1' } };
    for (const name of ['here', 'beside']) expect(child([...both, ...pushed(1, name)]).of('ec2')).toEqual(host);
    expect(child([...both, ...pushed(1, 'far')]).of('ec2')).toMatchObject({ is: 'version 1 of web, which it is made of, is not where account here is' });
    expect(child([...both, ...pushed(1, 'here'), gone(1, { account: 'here' })]).of('ec2')).toMatchObject({ fix: 'push it there (berth image push web@1 --account here)' });
    expect(child([...begun, ...requested(1, ['ec2']), { type: 'TargetCompleted', data: { version: id(1), target: 'ec2', made: { provided: { account: 'beside', id: 'ami-1' } } } }, ended(1)]).of('ec2')).toEqual(host);
    // Its build will say that.
    expect(child(both, { targets: { ec2: { host: {}, account: 'lost' } } }, []).of('ec2')).toEqual(host);
  });
  test('may be removed by then', () => {
    const fix = 'build a new version of child (berth image build child)';
    expect(child([...both, leaving(1, { target: 'oci' })]).of('raw', 'oci')).toEqual({ is: 'target oci of version 1 of web, which it is made of, was removed', fix });
    // What began from one file does not go on with another.
    expect(child([...both, gone(1, { target: 'oci' })]).of('raw', 'oci')).toMatchObject({ fix });
    for (const target of ['raw', 'ec2'] as const) expect(child([...both, leaving(1)]).of(target, 'raw')).toEqual({ is: 'version 1 of web, which it is made of, was removed', fix });
  });
});

test('a version is needed by what is being built of it', () => {
  const of = (number: number, ...events: readonly ImageEvent[]) => child([...begun, ...complete(1)], {}, events.map((event) => (event.type === 'VersionRequested' ? { ...event, data: { ...event.data, parent: { image: 'web', version: id(number) } } } : event))).parents;
  expect(of(1, ...requested(7)).heirOf(id(1))).toBe('child@7');
  expect(of(2, ...requested(7)).heirOf(id(1))).toBeUndefined();
  expect(of(1, ...built(7)).heirOf(id(1))).toBeUndefined();
  expect(of(1, ...requested(7, ['raw', 'oci']), completed(7)).heirOf(id(1))).toBe('child@7');
});
