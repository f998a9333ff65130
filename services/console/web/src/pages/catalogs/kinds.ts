import type { AccountView, CatalogEntryKind, CatalogView, DeployableView, EnvironmentView, Permission, PoolView, ProviderView } from '@berth/client';

/** One kind of what people name in the catalogue. */
export interface EntryKind {
  /** in paths of the API and of these pages */
  path: string;
  label: string;
  /** one of them */
  one: string;
  needs: Permission;
  /** the event that says that one was saved */
  shows: string;
  /** what one begins with: accepted as it is, once what it names is there */
  example: string;
}

export const kinds: Readonly<Record<CatalogEntryKind, EntryKind>> = {
  catalog: { path: 'catalogs', label: 'Catalogs', one: 'catalog', needs: 'images:write', shows: 'CatalogSaved', example: '# What a frontend offers to the people of a pool.\nname: shop\ndescription: what runs our shop\npool: shop\n' },
  deployable: {
    path: 'deployables', label: 'Deployables', one: 'deployable', needs: 'images:write', shows: 'DeployableSaved',
    example: '# What a catalog offers to start: an image, by its channel.\nname: web\ndescription: the server of the shop\ncatalogs: [shop]\nimage: web\nchannel: latest\n',
  },
  pool: { path: 'pools', label: 'Pools', one: 'pool', needs: 'images:write', shows: 'PoolSaved', example: '# People and what they run, in an environment.\nname: shop\ndescription: the team of the shop\nenvironment: prod\n' },
  environment: {
    path: 'environments', label: 'Environments', one: 'environment', needs: 'images:write', shows: 'EnvironmentSaved',
    example: '# What may be built, and where it is pushed to.\nname: prod\ndescription: what customers see\ntargets: [raw]                # raw, oci, ec2, mock; none = all\naccounts: []                  # that are pushed to; none = all of these targets\n',
  },
  provider: {
    path: 'providers', label: 'Providers', one: 'provider', needs: 'providers:write', shows: 'ProviderSaved',
    example: '# A place that images are pushed to: of kind ec2, folder or mock.\nname: shelf\ndescription: a folder of the factory\nkind: folder\ntarget: raw                   # raw or oci\nfolder: /var/lib/images\n',
  },
  account: {
    path: 'accounts', label: 'Accounts', one: 'account', needs: 'providers:write', shows: 'AccountSaved',
    example: '# Credentials on a provider, in one region of it. No secret is in it: it names where credentials are.\nname: eu\ndescription: where customers of Europe are served\nprovider: shelf\n# region: eu-central-1        # of an ec2 provider\n# credentials: profile:eu     # default, profile:NAME, or env:PREFIX\n',
  },
};
/** In the order of their pages. */
export const kindNames = Object.keys(kinds) as readonly CatalogEntryKind[];
export const kindOf = (path: string): CatalogEntryKind | undefined => kindNames.find((kind) => kinds[kind].path === path);

export type EntryView = AccountView | CatalogView | DeployableView | EnvironmentView | PoolView | ProviderView;

/** What is told of an entry and was not said of it. Of a provider its target was said; of an account it is its provider's. */
const told: Readonly<Record<CatalogEntryKind, readonly string[]>> = {
  catalog: ['environment', 'deployables'], deployable: ['version', 'number', 'state'], pool: [], environment: [], provider: [], account: ['target'],
};

/** Pure: what was said of an entry, without its name and what is told of it besides. */
export const specOf = (kind: CatalogEntryKind, entry: EntryView): Record<string, unknown> =>
  Object.fromEntries(Object.entries(entry).filter(([field]) => !['name', 'used', 'modified', 'by', ...told[kind]].includes(field)));
