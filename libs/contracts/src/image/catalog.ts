import { z } from 'zod';
import { folder } from '../machine.js';
import { name } from '../scalars.js';
import { imageTarget } from './template.js';

const description = z.string().max(500).default('');
const region = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'use a region such as eu-central-1');
const endpoint = z.url({ protocol: /^https?$/ });

/** A place that images are pushed to, of the kind of images that it takes. */
export const providerSpec = z.discriminatedUnion('kind', [
  z.strictObject({
    name, description, kind: z.literal('ec2'),
    target: imageTarget.extract(['ec2', 'raw']).default('ec2').describe('ec2: images are copied from region to region; raw: disks are imported as snapshots and registered'),
    endpoint: endpoint.optional().describe('another server than the one of the region'),
    bucket: z.strictObject({ name: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'use the name of a bucket'), endpoint: endpoint.optional() }).optional().describe('that disks are uploaded to; for target raw'),
  }),
  z.strictObject({ name, description, kind: z.literal('folder'), target: imageTarget.extract(['raw', 'oci']), folder: folder.describe('that files are put into, where the factory runs') }),
  z.strictObject({ name, description, kind: z.literal('mock'), target: imageTarget.extract(['mock']).default('mock') }),
]);
export type ProviderSpec = z.output<typeof providerSpec>;
export type ProviderKind = ProviderSpec['kind'];

/** Credentials on a provider, in one region of it. Several may share credentials. */
export const accountSpec = z.strictObject({
  name, description, provider: name,
  region: region.optional().describe('of an ec2 provider'),
  credentials: z
    .string()
    .regex(/^(default|profile:[A-Za-z0-9._-]+|env:[A-Za-z_][A-Za-z0-9_]*)$/, 'use default, profile:NAME, or env:PREFIX (PREFIX_ACCESS_KEY_ID, PREFIX_SECRET_ACCESS_KEY)')
    .default('default')
    .describe("by reference: `default` is the SDK's own chain"),
  accountId: z.string().regex(/^\d{12}$/, 'use the 12 digits of an AWS account').optional().describe('lets it copy what another account owns'),
});
export type AccountSpec = z.output<typeof accountSpec>;

/** What people of one kind may build, and where to. */
export const environmentSpec = z.strictObject({ name, description, targets: z.array(imageTarget).max(10).default([]).describe('that are built there; none = all'), accounts: z.array(name).max(200).default([]).describe('that are pushed to; none = all of these targets') });
export type EnvironmentSpec = z.output<typeof environmentSpec>;
export const poolSpec = z.strictObject({ name, description, environment: name });
export type PoolSpec = z.output<typeof poolSpec>;
export const catalogSpec = z.strictObject({ name, description, pool: name });
export type CatalogSpec = z.output<typeof catalogSpec>;
/** What a frontend offers to start: an image, by its channel. */
export const deployableSpec = z.strictObject({ name, description, catalogs: z.array(name).min(1).max(50), image: name, channel: name.default('latest') });
export type DeployableSpec = z.output<typeof deployableSpec>;

/** What the catalogue holds, by kind. */
export const catalogEntries = { provider: providerSpec, account: accountSpec, environment: environmentSpec, pool: poolSpec, catalog: catalogSpec, deployable: deployableSpec } as const;
export type CatalogEntryKind = keyof typeof catalogEntries;
export type CatalogEntry<K extends CatalogEntryKind> = z.output<(typeof catalogEntries)[K]>;
export const catalogEntryKind = z.enum(['provider', 'account', 'environment', 'pool', 'catalog', 'deployable']);

/** The one stream of the catalogue: what refers to what is decided in one place. */
export const CATALOG = 'main';

export const catalogCommands = {
  SaveProvider: providerSpec.describe('Saves a provider; the same again has no effect. Its kind and target stay what they are while it has accounts.'),
  SaveAccount: accountSpec.describe('Saves an account on a provider. No secret is in it: it names where credentials are.'),
  SaveEnvironment: environmentSpec.describe('Saves an environment.'),
  SavePool: poolSpec.describe('Saves a pool of an environment.'),
  SaveCatalog: catalogSpec.describe('Saves a catalog of a pool.'),
  SaveDeployable: deployableSpec.describe('Saves what a catalog offers.'),
  RemoveCatalogEntry: z.object({ kind: catalogEntryKind, name }).describe('Removes a provider, account, environment, pool, catalog or deployable that nothing refers to.'),
} as const;

export const catalogEvents = {
  ProviderSaved: providerSpec.describe('A place to push to.'),
  AccountSaved: accountSpec.describe('Credentials there, by reference.'),
  EnvironmentSaved: environmentSpec.describe('What may be built and pushed where.'),
  PoolSaved: poolSpec.describe('A pool.'),
  CatalogSaved: catalogSpec.describe('A catalog.'),
  DeployableSaved: deployableSpec.describe('What a catalog offers.'),
  CatalogEntryRemoved: z.object({ kind: catalogEntryKind, name }).describe('It is gone; its name is free.'),
} as const;
