import { describe, expect, test } from 'vitest';
import { blueprintSpec, CATALOG, derivedId, type AnyRecorded, type CatalogEvent, type ImageEvent } from '@berth/contracts';
import type { LiveBlueprint } from './domain/blueprint.js';
import { Images } from './images.js';

const v = (n: number) => derivedId('version', String(n));
const spec = blueprintSpec.parse({ name: 'cloud', kind: 'ec2', region: 'eu-central-1', image: { name: 'debian' }, types: [{ type: 'c7i.large' }], user: 'admin', credential: 'agent' });
const other = blueprintSpec.parse({ ...spec, image: { ami: 'ami-0123456789abcdef0' } });

/** Debian with its versions 1 to 3 pushed; `stable` points at 1, and 3 is under test. */
function debian() {
  const images = new Images(undefined as never); // whoever asks nothing of the factory needs no bus
  const tell = (kind: 'image' | 'catalog', id: string, events: readonly (ImageEvent | CatalogEvent)[]) =>
    images.views.apply({ kind, id, sequence: 1, commit: { id: v(0), at: '2030-01-31T12:00:00Z', actor: '', cause: v(0), events: [...events] } } as Extract<AnyRecorded, { kind: 'image' | 'catalog' }>);
  const happen = (...events: ImageEvent[]) => tell('image', 'debian', events);
  const points = (n: number | null) => happen({ type: 'ChannelAssigned', data: { channel: 'stable', version: n === null ? null : v(n), previous: null, by: 'assign' } });
  tell('catalog', CATALOG, [
    { type: 'ProviderSaved', data: { name: 'amazon', description: '', kind: 'ec2', target: 'ec2' } },
    { type: 'AccountSaved', data: { name: 'ours', description: '', provider: 'amazon', region: 'eu-central-1', credentials: 'default' } },
  ]);
  for (const n of [1, 2, 3]) happen({ type: 'VersionImported', data: { version: v(n), number: n, revision: 0, target: 'ec2', account: 'ours', id: `ami-${n}`, labels: {} } });
  happen({ type: 'ChannelSaved', data: { channel: 'stable', managed: false } }, { type: 'TestStarted', data: { channel: 'stable', version: v(3), build: v(9), plan: 'smoke', by: 'assign', attempt: 1 } });
  points(1);
  return { images, points };
}
const version = (n: number) => ({ image: 'debian', version: v(n), number: n, id: `ami-${n}` });

describe('what a host is booted from', () => {
  test('the version that it was planned for; one for a test is marked', () => {
    const { images } = debian();
    expect(images.bootable(spec, '1')).toEqual(version(1));
    expect(images.bootable(spec, '3')).toEqual({ ...version(3), test: true });
    expect(images.bootable(other, undefined)).toBeUndefined();
    expect(images.bootable(other, 'of its own')).toBeUndefined();
  });
  test('none when the channel has moved since, and nothing where nothing could be launched then and now', () => {
    const { images, points } = debian();
    points(2);
    expect(images.bootable(spec, '1')).toBe('none');
    expect(images.bootable(spec, undefined)).toBe('none');
    points(null);
    expect(images.bootable(spec, '2')).toBe('none');
    expect(images.bootable(spec, undefined)).toBeUndefined();
  });
});

describe('a breaker', () => {
  const opened = (failing?: string, reason = 'no boot', of = spec): LiveBlueprint => ({
    status: 'there', spec: of, version: 1, failures: 3, hostFailures: 3, refused: [], apart: new Map(), noted: [], breaker: { until: '2030-01-31T12:00:30Z', reason, count: 1 }, ...(failing !== undefined && { failing }),
  });
  test('was opened for something else once another version would be launched', () => {
    const { images, points } = debian();
    expect(images.isMoved(opened(v(1)))).toBe(false);
    points(2);
    expect(images.isMoved(opened(v(1)))).toBe(true);
    expect(images.isMoved(opened(v(2)))).toBe(false);
    expect(images.isMoved(opened(undefined, 'no boot', other))).toBe(false);
  });
  test('and when nothing can be launched any more, or can again; once for each', () => {
    const { images, points } = debian();
    points(null);
    const said = images.of(spec)!.channel as string;
    expect(images.isMoved(opened(v(1)))).toBe(true);
    expect(images.isMoved(opened(undefined, said))).toBe(false);
    points(1);
    expect(images.isMoved(opened(undefined, said))).toBe(true);
  });
});
