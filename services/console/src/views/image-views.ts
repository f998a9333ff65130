import type { AccountView, CatalogView, ChannelView, DeployableView, EnvironmentView, ImageVersionView, ImageView, LineageView, PoolView, ProviderView } from '@berth/client';
import type { KeptFile } from '@berth/contracts';
import type { Catalogue, Entry } from './catalogue.js';
import { standing, type BoardFacts } from './image-board.js';
import { channelId, type ChannelRow } from './image-channel.js';
import type { ImageVersionRow, KeptPush, KeptTarget } from './image-version.js';
import { targetsOf, type ImageRow } from './image.js';

/** Rows beside those that are shown, by their ids. */
export interface Around {
  images: ReadonlyMap<string, ImageRow>;
  versions: ReadonlyMap<string, ImageVersionRow>;
  /** that are there */
  channels: ReadonlyMap<string, ChannelRow>;
  catalogue: Catalogue;
}

const fileView = (file: KeptFile | null) => file && { name: file.name, bytes: file.bytes, sha256: file.sha256 };
const targetView = ({ file, sbom, ...target }: KeptTarget): ImageVersionView['targets'][number] => ({ ...target, file: fileView(file), sbom: fileView(sbom) });
const pushView = ({ provider, ...push }: KeptPush, catalogue: Catalogue): ImageVersionView['pushes'][number] => {
  const place = catalogue.place(push.account);
  return { ...push, provider: provider ?? place?.provider ?? '', region: place?.region ?? null };
};
const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What a version is made of, as its template says: as it was told, where there was none. */
export const osOf = (version: ImageVersionRow, images: Around['images']): Record<string, string> => version.os ?? { ...images.get(version.image)?.revisions[version.revision]?.os };

/** The channel that a version was made of. */
export const parentChannel = (version: ImageVersionRow, images: Around['images']): string | null => images.get(version.image)?.revisions[version.revision]?.parent?.channel ?? null;

/** What it is made of has moved on, or was revoked. */
export function isOutdated(version: ImageVersionRow, { images, versions, channels }: Around): boolean {
  if (!version.parent) return false;
  const channel = parentChannel(version, images);
  const now = channel === null ? undefined : channels.get(channelId(version.parent.image, channel));
  return versions.get(version.parent.version)?.revoked?.holds === true || (now !== undefined && now.version !== null && now.version !== version.parent.version);
}

const numberOf = (id: string | null, { versions }: Around): number | null => (id === null ? null : (versions.get(id)?.number ?? null));
const nameOf = ({ image, version }: { image: string; version: string }, around: Around) => ({ image, version, number: numberOf(version, around) ?? 0 });

/** Pure: what the API shows of a version. */
export function versionView(row: ImageVersionRow, around: Around): ImageVersionView {
  const { opened: _opened, parentVersion: _parentVersion, pushed: _pushed, shown: _shown, revoked, parent, targets, pushes, os: _os, ...rest } = row;
  const ancestor = revoked?.ancestor && nameOf(revoked.ancestor, around);
  return {
    ...rest,
    revoked: revoked && { ...revoked, ancestor: ancestor ? `${ancestor.image}@${ancestor.number}` : null },
    parent: parent && nameOf(parent, around),
    outdated: isOutdated(row, around),
    channels: [...around.channels.values()].filter(({ image, version }) => image === row.image && version === row.id).map(({ channel }) => channel).sort(byName),
    os: osOf(row, around.images),
    targets: targets.map(targetView),
    pushes: pushes.map((push) => pushView(push, around.catalogue)).sort((a, b) => byName(a.account, b.account)),
  };
}

/** Pure: what the API shows of a channel. */
export function channelView(row: ChannelRow, around: Around): ChannelView {
  const { id, image, channel, version, managed, test, testing, lastTest, history, modified } = row;
  const numbered = <T extends { version: string }>(of: T) => ({ ...of, number: numberOf(of.version, around) ?? 0 });
  return {
    id, image, channel, version, number: numberOf(version, around), managed, test, testing: testing && numbered(testing), lastTest: lastTest && numbered(lastTest),
    history: history.map((entry) => ({ ...entry, number: numberOf(entry.version, around) })), modified,
  };
}

/** Pure: what the API shows of an image. */
export function imageView(row: ImageRow, around: Around): ImageView {
  const { name, description, revision, format, source, template, environment, retention, rebuild, status, living, created, modified, position } = row;
  const newest = around.versions.get(living.at(-1)?.id ?? '');
  const numbers = new Map(living.map(({ id, number }) => [id, number]));
  return {
    name, description, revision, format, source, template, targets: around.catalogue.builtIn(environment, targetsOf(row)), environment, retention, rebuild,
    parent: template?.parent ? { image: template.parent.image, channel: template.parent.channel } : null,
    status,
    newest: newest ? { id: newest.id, number: newest.number, status: newest.status, percent: newest.percent, created: newest.created } : null,
    versions: living.length,
    channels: [...around.channels.values()].filter(({ image }) => image === name).map(({ channel, version, managed }) => ({ channel, version, number: version === null ? null : (numbers.get(version) ?? null), managed })).sort((a, b) => byName(a.channel, b.channel)),
    created, modified, position,
  };
}

/** Pure: what a version is made of, the nearest first, and what is made of it. */
export function lineageView(row: ImageVersionRow, ancestors: readonly ImageVersionRow[], descendants: readonly { row: ImageVersionRow; depth: number }[], around: Around): LineageView {
  const name = ({ image, id, number }: ImageVersionRow) => ({ image, version: id, number });
  const state = (one: ImageVersionRow) => ({ outdated: isOutdated(one, around), revoked: one.revoked?.holds === true });
  return {
    version: name(row),
    // Each is named by the channel that the one below it is made of.
    ancestors: ancestors.map((one, nth) => ({ ...name(one), channel: parentChannel(ancestors[nth - 1] ?? row, around.images) ?? '', ...state(one) })),
    descendants: descendants.map(({ row: one, depth }) => ({ ...name(one), depth, ...state(one), channels: [...around.channels.values()].filter(({ version }) => version === one.id).map(({ channel }) => channel).sort(byName) })),
  };
}

const usedBy = ({ modified, by }: { modified: string; by: string }, used: number) => ({ used, modified, by });

/** Pure: what the API shows of entries of the catalogue that people name and nothing else is known of. */
export const entryViews = {
  provider: (entry: Entry<'provider'>, catalogue: Catalogue): ProviderView => ({ ...entry.spec, ...usedBy(entry, catalogue.used('provider', entry.spec.name)) }),
  // An account is never without its provider: that one is not removed before.
  account: (entry: Entry<'account'>, catalogue: Catalogue): AccountView => ({ ...entry.spec, ...usedBy(entry, catalogue.used('account', entry.spec.name)), target: catalogue.place(entry.spec.name)?.target ?? 'mock' }),
  environment: (entry: Entry<'environment'>, catalogue: Catalogue, images: ReadonlyMap<string, number>): EnvironmentView => ({ ...entry.spec, ...usedBy(entry, catalogue.used('environment', entry.spec.name, images.get(entry.spec.name) ?? 0)) }),
  pool: (entry: Entry<'pool'>, catalogue: Catalogue): PoolView => ({ ...entry.spec, ...usedBy(entry, catalogue.used('pool', entry.spec.name)) }),
} as const;

const environmentOf = (catalog: string, catalogue: Catalogue): string | undefined => catalogue.get('pool', catalogue.get('catalog', catalog)?.spec.pool ?? '')?.spec.environment;

/** Pure: a deployable as it stands in some of its catalogs. */
export function deployableView({ spec }: Entry<'deployable'>, catalogs: readonly string[], boards: ReadonlyMap<string, BoardFacts>, catalogue: Catalogue): DeployableView {
  const facts = boards.get(spec.image);
  const channel = facts?.channels.find((one) => one.channel === spec.channel);
  const version = facts?.versions.find(({ id }) => id === channel?.version);
  const environments = catalogs.flatMap((catalog) => environmentOf(catalog, catalogue) ?? []);
  return { ...spec, version: version?.id ?? null, number: version?.number ?? null, state: facts ? standing(facts, version, environments) : 'not_built' };
}

/** Pure: a catalog with what it offers. */
export function catalogView({ spec }: Entry<'catalog'>, boards: ReadonlyMap<string, BoardFacts>, catalogue: Catalogue): CatalogView {
  const offered = catalogue.all('deployable').filter((deployable) => deployable.spec.catalogs.includes(spec.name));
  return { ...spec, environment: environmentOf(spec.name, catalogue) ?? '', deployables: offered.map((deployable) => deployableView(deployable, [spec.name], boards, catalogue)).sort((a, b) => byName(a.name, b.name)) };
}
