import { unreachable, type AnyRecorded, type CatalogEntry, type CatalogEntryKind, type CatalogEvent } from '@berth/contracts';
import { foldPart, type PartChanges, type PartWhere, type Row, type RowOf } from './row.js';

/** A row of the projection `catalog_entry`. One that was removed stays, until its name is used again. */
export interface CatalogRow extends Row {
  kind: CatalogEntryKind;
  name: string;
  spec: CatalogEntry<CatalogEntryKind>;
  /** who saved it last */
  by: string;
  removed: string | null;
}

const saved = (kind: CatalogEntryKind) => (row: CatalogRow | undefined, spec: CatalogRow['spec'], { id, at, sequence, opened, actor }: PartWhere): CatalogRow => ({
  id, kind, name: spec.name, spec, by: actor, removed: null, created: row?.removed === null ? row.created : at, modified: at, position: sequence, opened: row?.opened ?? opened,
});

const changes: PartChanges<CatalogRow, CatalogEvent> = {
  ProviderSaved: saved('provider'),
  AccountSaved: saved('account'),
  EnvironmentSaved: saved('environment'),
  PoolSaved: saved('pool'),
  CatalogSaved: saved('catalog'),
  DeployableSaved: saved('deployable'),
  CatalogEntryRemoved: (row, _data, { at }) => row && { ...row, removed: at },
};

const idOf = (kind: CatalogEntryKind, name: string): string => `${kind}/${name}`;

/** Which entry an event changes. */
export const entryOf: RowOf<CatalogEvent> = (event) => {
  switch (event.type) {
    case 'ProviderSaved':
      return idOf('provider', event.data.name);
    case 'AccountSaved':
      return idOf('account', event.data.name);
    case 'EnvironmentSaved':
      return idOf('environment', event.data.name);
    case 'PoolSaved':
      return idOf('pool', event.data.name);
    case 'CatalogSaved':
      return idOf('catalog', event.data.name);
    case 'DeployableSaved':
      return idOf('deployable', event.data.name);
    case 'CatalogEntryRemoved':
      return idOf(event.data.kind, event.data.name);
    default:
      return unreachable(event);
  }
};

/** Pure: what a commit of the catalogue says of an entry, into its row. */
export const foldCatalogEntry = (row: CatalogRow | undefined, recorded: AnyRecorded, id: string): CatalogRow | undefined => foldPart(changes, entryOf, row, recorded, id);

/** An entry, and how it came to be as it is. */
export interface Entry<K extends CatalogEntryKind> {
  spec: CatalogEntry<K>;
  modified: string;
  by: string;
}

/** An account with what its provider says. */
export interface Place {
  account: string;
  provider: string;
  region: string | null;
  target: CatalogEntry<'provider'>['target'];
}

/** All that the catalogue holds at one moment: some hundreds of entries. */
export class Catalogue {
  private readonly kinds: { [K in CatalogEntryKind]: Map<string, Entry<K>> } = { provider: new Map(), account: new Map(), environment: new Map(), pool: new Map(), catalog: new Map(), deployable: new Map() };

  constructor(rows: readonly CatalogRow[]) {
    for (const { kind, name, spec, modified, by } of rows) (this.kinds[kind] as Map<string, Entry<CatalogEntryKind>>).set(name, { spec, modified, by });
  }

  all<K extends CatalogEntryKind>(kind: K): Entry<K>[] {
    return [...this.kinds[kind].values()];
  }

  get<K extends CatalogEntryKind>(kind: K, name: string): Entry<K> | undefined {
    return this.kinds[kind].get(name);
  }

  /** Undefined when there is no such account. An account is never without its provider. */
  place(account: string): Place | undefined {
    const { spec } = this.kinds.account.get(account) ?? {};
    const provider = spec && this.kinds.provider.get(spec.provider)?.spec;
    return spec && provider && { account, provider: spec.provider, region: spec.region ?? null, target: provider.target };
  }

  /** Where an environment is pushed to, by name: what it lists, or all accounts of its targets; without one, all accounts. */
  places(environment: string | null): Place[] {
    const of = environment === null ? undefined : this.kinds.environment.get(environment)?.spec;
    const names = of && of.accounts.length > 0 ? of.accounts : [...this.kinds.account.keys()];
    return names
      .flatMap((name) => this.place(name) ?? [])
      .filter(({ target }) => isBuiltIn(of, target))
      .sort((a, b) => (a.account < b.account ? -1 : 1));
  }

  /** Of some targets those that an environment has. */
  builtIn<T extends Place['target']>(environment: string | null, targets: readonly T[]): T[] {
    const of = environment === null ? undefined : this.kinds.environment.get(environment)?.spec;
    return targets.filter((target) => isBuiltIn(of, target));
  }

  /** How many things name an entry; of an environment also so many images. */
  used(kind: CatalogEntryKind, name: string, images = 0): number {
    const count = <K extends CatalogEntryKind>(of: K, names: (spec: CatalogEntry<K>) => boolean) => this.all(of).filter(({ spec }) => names(spec)).length;
    switch (kind) {
      case 'provider':
        return count('account', ({ provider }) => provider === name);
      case 'account':
        return count('environment', ({ accounts }) => accounts.includes(name));
      case 'environment':
        return count('pool', ({ environment }) => environment === name) + images;
      case 'pool':
        return count('catalog', ({ pool }) => pool === name);
      case 'catalog':
        return count('deployable', ({ catalogs }) => catalogs.includes(name));
      case 'deployable':
        return 0;
      default:
        return unreachable(kind);
    }
  }
}

const isBuiltIn = (environment: CatalogEntry<'environment'> | undefined, target: Place['target']): boolean => environment === undefined || environment.targets.length === 0 || environment.targets.includes(target);
