import { z } from 'zod';
import {
  assignedBy, catalogEntries, imageStatus, imageTarget, imageTemplate, instant, rebuild, replicationPolicy, retention, versionUse, type CatalogEntryKind, type CatalogEntry, type CommandInput,
} from '@berth/contracts';
import type { PageOptions } from './api-lists.js';

/** What the HTTP API says of images. */

const pairs = z.record(z.string(), z.string());
const percent = z.int().min(0).max(100);
/** Another attempt begins at 0. */
const ofAttempt = percent.describe('never less than before in the same attempt');
const faults = z.array(z.object({ attempt: z.int(), error: z.string(), at: instant })).describe('every attempt that has failed, the first one first; none is ever taken away');
const file = z.object({ name: z.string(), bytes: z.int(), sha256: z.string() });
const versionName = z.object({ image: z.string(), version: z.string(), number: z.int() });

/** What a version is built as. */
export const targetImageView = z
  .object({
    target: imageTarget,
    status: imageStatus,
    percent: ofAttempt,
    activity: z.string().nullable(),
    error: z.string().nullable().describe('of the last attempt, when it has failed or could not be removed'),
    failed: faults,
    attempt: z.int().describe('which one this is, counted from 1'),
    build: z.string().nullable().describe('id of the build that makes it'),
    file: file.nullable().describe('the image, where it is a file: an artifact of the build'),
    sbom: file.nullable().describe('what it is made of'),
    provided: z.object({ account: z.string(), id: z.string() }).nullable().describe('the image, where its provider made it'),
  })
  .describe('What a version is built as.');
export type TargetImageView = z.infer<typeof targetImageView>;

/** A version in an account. */
export const providerImageView = z
  .object({
    account: z.string(),
    provider: z.string(),
    region: z.string().nullable(),
    target: imageTarget,
    status: imageStatus,
    percent: ofAttempt,
    activity: z.string().nullable(),
    error: z.string().nullable(),
    failed: faults,
    attempt: z.int(),
    id: z.string().nullable().describe('as the provider calls it, once it has it'),
  })
  .describe('A version in an account of a provider.');
export type ProviderImageView = z.infer<typeof providerImageView>;

/** One version of an image. */
export const imageVersionView = z
  .object({
    id: z.string(),
    image: z.string(),
    number: z.int().describe('counts from 1'),
    revision: z.int().describe('of the template; 0 = it was imported'),
    status: imageStatus,
    percent: percent.describe('of all its targets together'),
    activity: z.string().nullable(),
    error: z.string().nullable(),
    imported: z.boolean(),
    cause: z.enum(['asked', 'schedule', 'parent', 'import']),
    by: z.string().describe('who asked, as the history says it'),
    reason: z.string().nullable(),
    labels: pairs,
    attributes: pairs.describe('that somebody gave it'),
    use: versionUse,
    useReason: z.string().nullable(),
    revoked: z.object({ at: instant, reason: z.string(), holds: z.boolean().describe('false: it is still to come'), ancestor: z.string().nullable() }).nullable(),
    parent: versionName.nullable(),
    outdated: z.boolean().describe('what it is made of has moved on, or was revoked'),
    channels: z.array(z.string()).describe('that point at it'),
    os: pairs.describe('name, version, arch'),
    targets: z.array(targetImageView),
    pushes: z.array(providerImageView),
    manual: z.array(z.string()).describe('of a version that was removed: what must be removed by hand'),
    created: instant,
    ended: instant.nullable(),
    modified: instant,
    position: z.int().describe('in BERTH_EVENTS, of its last change in this view'),
  })
  .describe('One version of an image.');
export type ImageVersionView = z.infer<typeof imageVersionView>;

/** A channel: a name that points at a version. */
export const channelView = z
  .object({
    id: z.string().describe('`IMAGE:CHANNEL`'),
    image: z.string(),
    channel: z.string(),
    version: z.string().nullable(),
    number: z.int().nullable(),
    managed: z.boolean().describe('follows what is built'),
    test: z.string().nullable().describe('plan that must pass on a host booted from a version before'),
    testing: z.object({ version: z.string(), number: z.int(), build: z.string(), attempt: z.int() }).nullable().describe('the test that is under way'),
    lastTest: z.object({ version: z.string(), number: z.int(), build: z.string(), passed: z.boolean(), error: z.string().nullable(), at: instant }).nullable(),
    history: z
      .array(z.object({ version: z.string().nullable(), number: z.int().nullable(), by: assignedBy, reason: z.string().nullable(), who: z.string(), at: instant }))
      .describe('where it pointed, the newest first: the last 50'),
    modified: instant,
  })
  .describe('A channel: a name that points at a version.');
export type ChannelView = z.infer<typeof channelView>;

/** An image. */
export const imageView = z
  .object({
    name: z.string(),
    description: z.string(),
    revision: z.int().describe('of its template; 0 = none: it was imported'),
    format: z.enum(['yaml', 'tdl']).nullable(),
    source: z.string().nullable().describe('the template, as it was saved'),
    template: imageTemplate.nullable(),
    targets: z.array(imageTarget).describe('that it is built for, as its environment says'),
    environment: z.string().nullable(),
    retention: retention.nullable(),
    rebuild: rebuild.nullable(),
    parent: z.object({ image: z.string(), channel: z.string() }).nullable(),
    status: imageStatus.describe('of its newest version; NEW: there is none'),
    newest: z.object({ id: z.string(), number: z.int(), status: imageStatus, percent, created: instant }).nullable(),
    versions: z.int().describe('that are there'),
    channels: z.array(z.object({ channel: z.string(), version: z.string().nullable(), number: z.int().nullable(), managed: z.boolean() })),
    created: instant,
    modified: instant,
    position: z.int(),
  })
  .describe('An image.');
export type ImageView = z.infer<typeof imageView>;

const cellState = z.enum(['not_built', 'building', 'not_pushed', 'pushing', 'pushed', 'deleting', 'delete_failed']);
/** How a version stands with an account. */
export const boardCell = z
  .object({
    account: z.string(),
    state: cellState,
    percent: percent.nullable().describe('while something is under way'),
    activity: z.string().nullable(),
    failed: z.int().describe('attempts that have failed: of the build while it is not built, of the push after'),
    error: z.string().nullable().describe('of the last of them'),
    id: z.string().nullable().describe('as the provider calls it'),
    offer: z.enum(['build', 'push', 'delete']).nullable().describe('the one thing that can be done'),
  })
  .describe('How a version stands with an account.');
export type BoardCell = z.infer<typeof boardCell>;

/** What is built of an image, for which accounts, and what can be done about it. */
export const imageBoard = z
  .object({
    image: z.string(),
    environment: z.string().nullable(),
    accounts: z.array(z.object({ account: z.string(), provider: z.string(), region: z.string().nullable(), target: imageTarget })),
    versions: z
      .array(z.object({ version: z.string().nullable().describe('null: there is none yet'), number: z.int().nullable(), status: imageStatus, channels: z.array(z.string()), cells: z.array(boardCell).describe('one for each of `accounts`, in that order') }))
      .describe('the newest first; older ones only while something of them is pushed, or a channel points at them'),
    buildAll: z.boolean().describe('whether a version can be built'),
    pushAll: z.string().nullable().describe('the version that all of can be pushed'),
  })
  .describe('What is built of an image, for which accounts, and what can be done about it.');
export type ImageBoard = z.infer<typeof imageBoard>;

/** What a catalog offers. */
export const deployableView = catalogEntries.deployable.extend({ version: z.string().nullable(), number: z.int().nullable(), state: cellState.describe('the first that applies of not_built, building, pushing, not_pushed; else pushed') }).describe('What a catalog offers: an image, by its channel.');
export type DeployableView = z.infer<typeof deployableView>;
export const catalogView = catalogEntries.catalog.extend({ environment: z.string(), deployables: z.array(deployableView) }).describe('A catalog of a pool.');
export type CatalogView = z.infer<typeof catalogView>;
const used = { used: z.int().describe('so many things name it'), modified: instant, by: z.string() };
export const providerView = z.intersection(catalogEntries.provider, z.object(used)).describe('A place that images are pushed to.');
export const accountView = catalogEntries.account.extend({ ...used, target: imageTarget }).describe('Credentials on a provider, by reference.');
export const environmentView = catalogEntries.environment.extend(used).describe('What may be built and pushed where.');
export const poolView = catalogEntries.pool.extend(used).describe('A pool of an environment.');
export type ProviderView = z.infer<typeof providerView>;
export type AccountView = z.infer<typeof accountView>;
export type EnvironmentView = z.infer<typeof environmentView>;
export type PoolView = z.infer<typeof poolView>;

/** What a version is made of, and what is made of it. */
export const lineageView = z
  .object({
    version: versionName,
    ancestors: z.array(versionName.extend({ channel: z.string(), outdated: z.boolean(), revoked: z.boolean() })).describe('the nearest first'),
    descendants: z.array(versionName.extend({ depth: z.int(), outdated: z.boolean(), revoked: z.boolean(), channels: z.array(z.string()) })),
  })
  .describe('What a version is made of, and what is made of it.');
export type LineageView = z.infer<typeof lineageView>;

/** An object of the warehouse. */
export const warehouseObject = z
  .object({
    id: z.string().describe('`VERSION/TARGET/image` or `VERSION/TARGET/sbom`'),
    image: z.string(), version: z.string(), number: z.int(), target: imageTarget,
    bytes: z.int(), sha256: z.string(),
    attributes: pairs.describe('what queries ask about'),
    replicas: z.array(z.object({ policy: z.string(), state: z.enum(['waiting', 'there', 'failed']), error: z.string().nullable(), at: instant.nullable() })),
  })
  .describe('An object of the warehouse.');
export type WarehouseObject = z.infer<typeof warehouseObject>;
export const replicationView = replicationPolicy
  .extend({ objects: z.int().describe('that it covers'), there: z.int(), failed: z.int(), lastCheck: z.object({ at: instant, sound: z.int(), repaired: z.int(), failed: z.int() }).nullable(), checking: z.boolean(), modified: instant })
  .describe('Which objects are kept a second time, and where.');
export type ReplicationView = z.infer<typeof replicationView>;

/** What removing something leaves for a person. */
export const removedView = z.object({ id: z.string(), position: z.int().optional(), manual: z.array(z.string()).describe('what must be removed by hand') }).describe('What removing something leaves for a person.');
export type RemovedView = z.infer<typeof removedView>;
/** What reading a template finds when nothing is wrong with it. */
export const validTemplate = z.object({ template: imageTemplate }).describe('A template that can be saved.');
export type ValidTemplate = z.infer<typeof validTemplate>;

export interface ImageQuery extends PageOptions {
  status?: string | undefined;
  environment?: string | undefined;
}
export interface ImageVersionQuery extends PageOptions {
  image?: string | undefined;
  status?: string | undefined;
  channel?: string | undefined;
  /** of an account or a region: only what is pushed there */
  account?: string | undefined;
  region?: string | undefined;
  /** KEY:VALUE */
  label?: string | undefined;
  /** also those that are deprecated, disabled, revoked or removed */
  all?: boolean | undefined;
}
export interface ChannelQuery extends PageOptions {
  image?: string | undefined;
}
export interface WarehouseQuery extends PageOptions {
  /** such as `arch == "x86_64" && os.version >= 12` */
  query?: string | undefined;
}

type Command<T extends 'SaveImage' | 'BuildImage' | 'ImportImage' | 'RevokeVersion' | 'RestoreVersion' | 'SaveChannel' | 'RollbackChannel' | 'SaveReplicationPolicy'> = CommandInput<'image-factory', T>;
export type ImageInput = Command<'SaveImage'>;
export type ImageBuildInput = Omit<Command<'BuildImage'>, 'image'>;
export type ImageImportInput = Command<'ImportImage'>;
export type RevokeInput = Omit<Command<'RevokeVersion'>, 'version'>;
export type RestoreInput = Omit<Command<'RestoreVersion'>, 'version'>;
export type ChannelInput = Omit<Command<'SaveChannel'>, 'image' | 'channel'>;
export type RollbackInput = Omit<Command<'RollbackChannel'>, 'image' | 'channel'>;
export type ReplicationInput = Omit<Command<'SaveReplicationPolicy'>, 'name'>;
// Of each kind of provider for itself: what they have in common is not all that they have.
type Unnamed<T> = T extends unknown ? Omit<T, 'name'> : never;
export type CatalogInput<K extends CatalogEntryKind> = Unnamed<z.input<(typeof catalogEntries)[K]>>;
export type { CatalogEntry, CatalogEntryKind };
