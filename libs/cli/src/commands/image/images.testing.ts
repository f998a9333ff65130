import type { ChannelView, ImageVersionView, ImageView, ProviderImageView, TargetImageView } from '@berth/client';
import type { Routes } from '../../fake-berth.testing.js';

/** What the specs of `berth image` are answered with. */

export const ID = '7f8c1d66-0000-4000-8000-000000000003';
export const at = '2030-01-01T00:00:00Z';
export const page = (...items: unknown[]) => [200, { items, cursor: null }] as const;
export const problem = (status: number, code: string, detail: string, errors: unknown[] = []) => [status, { code, detail, errors }] as const;

export const raw: TargetImageView = {
  target: 'raw', status: 'COMPLETE', percent: 100, activity: null, error: null, failed: [], attempt: 1, build: 'b-raw', file: { name: 'web.raw', bytes: 2 * 1024 ** 3, sha256: 'ab' }, sbom: null, provided: null,
};
export const eu: ProviderImageView = { account: 'eu', provider: 'aws', region: 'eu-central-1', target: 'raw', status: 'COMPLETE', percent: 100, activity: null, error: null, failed: [], attempt: 1, id: 'ami-1' };
export const version: ImageVersionView = {
  id: ID, image: 'web', number: 3, revision: 2, status: 'COMPLETE', percent: 100, activity: null, error: null, imported: false, cause: 'asked', by: 'token:ci', reason: 'new kernel', labels: { ring: 'canary' }, attributes: {}, use: 'active', useReason: null,
  revoked: null, parent: null, outdated: false, channels: ['latest'], os: { name: 'debian', version: '12', arch: 'x86_64' }, targets: [raw], pushes: [eu], manual: [], created: at, ended: at, modified: at, position: 12,
};
export const image: ImageView = {
  name: 'web', description: 'serves pages', revision: 2, format: 'yaml', source: 'name: web\nos: {name: debian, version: "12"}\n', template: null, targets: ['raw'], environment: 'production', retention: { keep: 10, maxAge: 86_400_000 },
  rebuild: { schedule: '0 3 * * 1', onParent: true }, parent: { image: 'base', channel: 'stable' }, status: 'COMPLETE', newest: { id: ID, number: 3, status: 'COMPLETE', percent: 100, created: at }, versions: 3,
  channels: [{ channel: 'latest', version: ID, number: 3, managed: true }, { channel: 'stable', version: null, number: null, managed: false }], created: at, modified: at, position: 12,
};
export const channel: ChannelView = {
  id: 'web:stable', image: 'web', channel: 'stable', version: ID, number: 3, managed: false, test: 'smoke', testing: null, lastTest: { version: ID, number: 3, build: 'b-test', passed: true, error: null, at },
  history: [{ version: ID, number: 3, by: 'assign', reason: 'well', who: 'token:ada', at }], modified: at,
};

/** The feed of events of an image: so many commits, the first at this position. */
export const feed = (first: number, count = 1) =>
  [200, Array.from({ length: count }, (_, i) => `id: ${first + i}\nevent: TargetProgressed\ndata: ${JSON.stringify({ kind: 'image', id: 'web', type: 'TargetProgressed', data: {}, at, actor: 'x' })}\n\n`).join('')] as const;

/** Something that is read again and again: as it is at each position. */
export const as = (states: Readonly<Record<number, unknown>>): Routes[string] => ({ path }) => {
  const after = /after=(\d+)/.exec(path)?.[1];
  return [200, after === undefined ? Object.values(states)[0] : states[Number(after)]];
};
