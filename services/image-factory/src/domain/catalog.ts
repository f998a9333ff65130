import { unreachable, type AccountSpec, type CatalogEntry, type CatalogEntryKind, type CatalogEvent, type DeployableSpec, type EnvironmentSpec, type FieldError, type ImageTarget, type ProviderSpec, type Refusal } from '@berth/contracts';
import { refuse, refuseAll } from './refusals.js';

/** Everything that images are pushed to and offered in, by name. */
export type Catalog = { readonly [K in CatalogEntryKind]: ReadonlyMap<string, CatalogEntry<K>> };

export const noCatalog: Catalog = { provider: new Map(), account: new Map(), environment: new Map(), pool: new Map(), catalog: new Map(), deployable: new Map() };

type Save = { [K in CatalogEntryKind]: { type: 'Save'; kind: K; entry: CatalogEntry<K>; /** of a deployable: whether there is such an image */ imageThere?: boolean } }[CatalogEntryKind];
export type CatalogCommand = Save | { type: 'Remove'; kind: CatalogEntryKind; name: string; /** what else names it, in words */ inUse?: string };

const saved = { provider: 'ProviderSaved', account: 'AccountSaved', environment: 'EnvironmentSaved', pool: 'PoolSaved', catalog: 'CatalogSaved', deployable: 'DeployableSaved' } as const satisfies Record<CatalogEntryKind, CatalogEvent['type']>;
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Pure. */
export function decideCatalog(command: CatalogCommand, catalog: Catalog): readonly CatalogEvent[] | Refusal {
  if (command.type === 'Remove') return remove(command, catalog);
  const errors = faultsOf(command, catalog);
  if (errors.length > 0) return refuseAll(codeOf(command, errors), `${titleOf(command.kind)} ${command.entry.name} can't be saved: ${errors[0]!.message}.`, errors);
  const moved = command.kind === 'provider' ? fixed(command.entry, catalog) : undefined;
  if (moved) return moved;
  if (same(catalog[command.kind].get(command.entry.name), command.entry)) return [];
  return [{ type: saved[command.kind], data: command.entry } as CatalogEvent];
}

const titleOf = (kind: CatalogEntryKind): string => `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;

function codeOf({ kind }: Save, errors: readonly FieldError[]) {
  const unknown = errors.some(({ message }) => message.startsWith('there is no'));
  if (!unknown) return 'invalid-data';
  return kind === 'account' ? 'unknown-provider' : kind === 'environment' ? 'unknown-account' : kind === 'deployable' && errors.every(({ field }) => field === 'data.image') ? 'unknown-image' : 'unknown-catalog-entry';
}

const missing = (kind: CatalogEntryKind, name: string, field: string): FieldError => ({ field: `data.${field}`, message: `there is no ${kind} ${name}: save it first` });

function faultsOf(command: Save, catalog: Catalog): FieldError[] {
  switch (command.kind) {
    case 'provider':
      return providerFaults(command.entry);
    case 'account':
      return accountFaults(command.entry, catalog);
    case 'environment':
      return environmentFaults(command.entry, catalog);
    case 'pool':
      return catalog.environment.has(command.entry.environment) ? [] : [missing('environment', command.entry.environment, 'environment')];
    case 'catalog':
      return catalog.pool.has(command.entry.pool) ? [] : [missing('pool', command.entry.pool, 'pool')];
    case 'deployable':
      return deployableFaults(command.entry, command.imageThere !== false, catalog);
    default:
      return unreachable(command);
  }
}

function providerFaults(provider: ProviderSpec): FieldError[] {
  return provider.kind === 'ec2' && provider.target === 'raw' && !provider.bucket ? [{ field: 'data.bucket', message: 'must name the bucket that disks are uploaded to, for target raw' }] : [];
}

function accountFaults({ provider: name, region }: AccountSpec, catalog: Catalog): FieldError[] {
  const provider = catalog.provider.get(name);
  if (!provider) return [missing('provider', name, 'provider')];
  if (provider.kind === 'ec2' && region === undefined) return [{ field: 'data.region', message: `must be given: provider ${name} is EC2, and an account is in one region` }];
  if (provider.kind !== 'ec2' && region !== undefined) return [{ field: 'data.region', message: `must be left out: provider ${name} has no regions` }];
  return [];
}

function environmentFaults({ accounts, targets }: EnvironmentSpec, catalog: Catalog): FieldError[] {
  return accounts.flatMap((name): FieldError[] => {
    const account = catalog.account.get(name);
    if (!account) return [missing('account', name, 'accounts')];
    const target = catalog.provider.get(account.provider)!.target;
    return targets.length === 0 || targets.includes(target) ? [] : [{ field: 'data.accounts', message: `has ${name}, which takes ${target}, and that is none of its targets` }];
  });
}

function deployableFaults({ catalogs, image }: DeployableSpec, imageThere: boolean, catalog: Catalog): FieldError[] {
  return [...catalogs.filter((name) => !catalog.catalog.has(name)).map((name) => missing('catalog', name, 'catalogs')), ...(imageThere ? [] : [{ field: 'data.image', message: `there is no image ${image}: save it first` }])];
}

/** What accounts rely on stays. */
function fixed(provider: ProviderSpec, catalog: Catalog): Refusal | undefined {
  const before = catalog.provider.get(provider.name);
  if (!before || (before.kind === provider.kind && before.target === provider.target)) return undefined;
  const accounts = accountsOf(catalog, provider.name);
  return accounts.length === 0 ? undefined : refuse('catalog-in-use', `Provider ${provider.name} has accounts: ${accounts.join(', ')}.`, before.kind === provider.kind ? 'target' : 'kind', 'stays what it is while it has accounts: save another provider');
}

const accountsOf = (catalog: Catalog, provider: string): string[] => [...catalog.account.values()].filter((account) => account.provider === provider).map(({ name }) => name);

/** What names an entry, in words. */
export function namersOf(catalog: Catalog, kind: CatalogEntryKind, name: string): string[] {
  switch (kind) {
    case 'provider':
      return accountsOf(catalog, name).map((one) => `account ${one}`);
    case 'account':
      return [...catalog.environment.values()].filter(({ accounts }) => accounts.includes(name)).map((one) => `environment ${one.name}`);
    case 'environment':
      return [...catalog.pool.values()].filter(({ environment }) => environment === name).map((one) => `pool ${one.name}`);
    case 'pool':
      return [...catalog.catalog.values()].filter(({ pool }) => pool === name).map((one) => `catalog ${one.name}`);
    case 'catalog':
      return [...catalog.deployable.values()].filter(({ catalogs }) => catalogs.includes(name)).map((one) => `deployable ${one.name}`);
    case 'deployable':
      return [];
    default:
      return unreachable(kind);
  }
}

function remove({ kind, name, inUse }: Extract<CatalogCommand, { type: 'Remove' }>, catalog: Catalog): readonly CatalogEvent[] | Refusal {
  if (!catalog[kind].has(name)) return refuse('unknown-catalog-entry', `There is no ${kind} ${name}.`, 'name', `is not the name of a ${kind}`);
  const namers = [...namersOf(catalog, kind, name), ...(inUse === undefined ? [] : [inUse])];
  if (namers.length > 0) return refuse('catalog-in-use', `${titleOf(kind)} ${name} is used by ${namers.slice(0, 5).join(', ')}${namers.length > 5 ? ' and others' : ''}.`, 'name', `is used by ${namers[0]!}: change that first`);
  return [{ type: 'CatalogEntryRemoved', data: { kind, name } }];
}

/** Pure. */
export function evolveCatalog(catalog: Catalog, event: CatalogEvent): Catalog {
  switch (event.type) {
    case 'ProviderSaved':
      return { ...catalog, provider: new Map(catalog.provider).set(event.data.name, event.data) };
    case 'AccountSaved':
      return { ...catalog, account: new Map(catalog.account).set(event.data.name, event.data) };
    case 'EnvironmentSaved':
      return { ...catalog, environment: new Map(catalog.environment).set(event.data.name, event.data) };
    case 'PoolSaved':
      return { ...catalog, pool: new Map(catalog.pool).set(event.data.name, event.data) };
    case 'CatalogSaved':
      return { ...catalog, catalog: new Map(catalog.catalog).set(event.data.name, event.data) };
    case 'DeployableSaved':
      return { ...catalog, deployable: new Map(catalog.deployable).set(event.data.name, event.data) };
    case 'CatalogEntryRemoved': {
      const { kind, name } = event.data;
      const left = new Map<string, unknown>(catalog[kind]);
      left.delete(name);
      return { ...catalog, [kind]: left };
    }
    default:
      return unreachable(event);
  }
}

/** One entry of the one stream of all. */
const says = (event: CatalogEvent): string => (event.type === 'CatalogEntryRemoved' ? `${event.data.kind} ${event.data.name}` : `${event.type.replace(/Saved$/, '').toLowerCase()} ${event.data.name}`);

export const catalogDecider = { initial: noCatalog, decide: decideCatalog, evolve: evolveCatalog, ended: () => false, says };

/** An account with its provider. */
export interface Placed {
  account: AccountSpec;
  provider: ProviderSpec;
}
export function placed(catalog: Catalog, name: string): Placed | undefined {
  const account = catalog.account.get(name);
  const provider = account && catalog.provider.get(account.provider);
  return account && provider ? { account, provider } : undefined;
}

/** The accounts that an image of an environment is pushed to. */
export function accountsFor(catalog: Catalog, environment: string | undefined): Placed[] {
  const known = environment === undefined ? undefined : catalog.environment.get(environment);
  const names = known && known.accounts.length > 0 ? known.accounts : [...catalog.account.keys()];
  return names.flatMap((name) => placed(catalog, name) ?? []).filter(({ provider }) => !known || known.targets.length === 0 || known.targets.includes(provider.target));
}

/** What of a template can be built in its environment. */
export function targetsFor(catalog: Catalog, targets: readonly ImageTarget[], environment: string | undefined): ImageTarget[] {
  const allowed = environment === undefined ? undefined : catalog.environment.get(environment)?.targets;
  return targets.filter((target) => !allowed || allowed.length === 0 || allowed.includes(target));
}
