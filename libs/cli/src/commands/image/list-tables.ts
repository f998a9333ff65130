import type { AccountView, CatalogView, DeployableView, EnvironmentView, ImageView, PoolView, ProviderView } from '@berth/client';
import { relative, table } from '../../text.js';

export const imageTable = (images: readonly ImageView[], colour: boolean): string =>
  table(
    images,
    [
      ['IMAGE', (i) => i.name],
      ['STATUS', (i) => i.status],
      ['NEWEST', (i) => i.newest && `${i.name}@${i.newest.number}`],
      ['DONE', (i) => i.newest && `${i.newest.percent}%`],
      ['VERSIONS', (i) => i.versions],
      ['TARGETS', (i) => i.targets.join(', ')],
      ['ENVIRONMENT', (i) => i.environment],
      ['CHANNELS', (i) => i.channels.map(({ channel, number }) => (number === null ? channel : `${channel}=${number}`)).join(', ')],
      ['MADE OF', (i) => i.parent && `${i.parent.image}:${i.parent.channel}`],
      ['MODIFIED', (i) => relative(i.modified)],
    ],
    { colour },
  );

export const providerTable = (providers: readonly ProviderView[]): string =>
  table(providers, [['PROVIDER', (p) => p.name], ['KIND', (p) => p.kind], ['TARGET', (p) => p.target], ['ACCOUNTS', (p) => p.used], ['DESCRIPTION', (p) => p.description], ['MODIFIED', (p) => `${relative(p.modified)} by ${p.by}`]]);
export const accountTable = (accounts: readonly AccountView[]): string =>
  table(accounts, [['ACCOUNT', (a) => a.name], ['PROVIDER', (a) => a.provider], ['REGION', (a) => a.region], ['TARGET', (a) => a.target], ['CREDENTIALS', (a) => a.credentials], ['USED BY', (a) => a.used], ['MODIFIED', (a) => `${relative(a.modified)} by ${a.by}`]]);
export const environmentTable = (environments: readonly EnvironmentView[]): string =>
  table(environments, [['ENVIRONMENT', (e) => e.name], ['TARGETS', (e) => e.targets.join(', ') || 'all'], ['ACCOUNTS', (e) => e.accounts.join(', ') || 'all of these targets'], ['USED BY', (e) => e.used], ['MODIFIED', (e) => `${relative(e.modified)} by ${e.by}`]]);
export const poolTable = (pools: readonly PoolView[]): string => table(pools, [['POOL', (p) => p.name], ['ENVIRONMENT', (p) => p.environment], ['CATALOGS', (p) => p.used], ['MODIFIED', (p) => `${relative(p.modified)} by ${p.by}`]]);

export const catalogTable = (catalogs: readonly CatalogView[]): string =>
  table(catalogs, [['CATALOG', (c) => c.name], ['POOL', (c) => c.pool], ['ENVIRONMENT', (c) => c.environment], ['OFFERS', (c) => c.deployables.map(({ name }) => name).join(', ')], ['DESCRIPTION', (c) => c.description]]);
export const deployableTable = (deployables: readonly DeployableView[], colour: boolean): string =>
  table(
    deployables,
    [
      ['DEPLOYABLE', (d) => d.name],
      ['IMAGE', (d) => `${d.image}:${d.channel}`],
      ['VERSION', (d) => d.number],
      ['STATE', (d) => d.state],
      ['CATALOGS', (d) => d.catalogs.join(', ')],
      ['DESCRIPTION', (d) => d.description],
    ],
    { colour },
  );
