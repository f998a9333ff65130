import type { ImageTarget, VersionUse } from '@berth/contracts';
import type {
  AccountView, CatalogInput, CatalogView, ChannelInput, ChannelQuery, ChannelView, DeployableView, EnvironmentView, ImageBoard, ImageBuildInput, ImageImportInput, ImageInput, ImageQuery, ImageVersionQuery, ImageVersionView,
  ImageView, LineageView, PoolView, ProviderView, RemovedView, ReplicationInput, ReplicationView, RestoreInput, RevokeInput, RollbackInput, ValidTemplate, WarehouseObject, WarehouseQuery,
} from './api-images.js';
import type { PageOptions } from './api-lists.js';
import type { Page } from './api.js';
import type { Download, ReadOptions, WriteOptions } from './http.js';
import type { Accepted } from './schemas.js';
import type { Call } from './transport.js';

type Query = Call['query'];
interface Ways {
  get: <T>(path: string, query?: Query) => Promise<T>;
  write: <T = Accepted>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body: unknown, options?: WriteOptions, query?: Query) => Promise<T>;
  at: (...parts: string[]) => string;
  download: (call: Call) => Promise<Download>;
}
type Named = Accepted & { name: string };

/** Whatever people give a name in the catalogue. */
function entries<V, I>({ get, write, at }: Ways, path: string) {
  return {
    list: (options: PageOptions = {}) => get<Page<V>>(at(path), { ...options }),
    get: (name: string, options: ReadOptions = {}) => get<V>(at(path, name), { ...options }),
    set: (name: string, entry: I, options?: WriteOptions) => write<Named>('PUT', at(path, name), entry, options),
    remove: (name: string, options?: WriteOptions) => write<Named>('DELETE', at(path, name), undefined, options),
  };
}

/** The calls about images: one per route. */
export function imageCalls(ways: Ways) {
  const { get, write, at, download } = ways;
  const post = (path: string, body: unknown, options?: WriteOptions) => write('POST', path, body, options);
  return {
    images: {
      list: (options: ImageQuery = {}) => get<Page<ImageView>>(at('images'), { ...options }),
      get: (name: string, options: ReadOptions = {}) => get<ImageView>(at('images', name), { ...options }),
      /** Saves an image under the name in its template. */
      save: (image: ImageInput, options?: WriteOptions) => write<Named & { version: number | null }>('POST', at('images'), image, options),
      /** Reads a template and saves nothing. */
      validate: (source: string) => write<ValidTemplate>('POST', at('images', 'validate'), { source }),
      remove: (name: string, { cascade, ...options }: WriteOptions & { cascade?: boolean } = {}) => write<RemovedView>('DELETE', at('images', name), undefined, options, { cascade: cascade || undefined }),
      board: (name: string, options: ReadOptions = {}) => get<ImageBoard>(at('images', name, 'board'), { ...options }),
      /** The id of the answer is that of the version. */
      build: (name: string, build: ImageBuildInput = {}, options?: WriteOptions) => post(at('images', name, 'build'), build, options),
      buildAll: (name: string, options?: WriteOptions) => post(at('images', name, 'build-all'), {}, options),
      /** Takes in what a provider has already; the id of the answer is that of the version. */
      import: (image: ImageImportInput, options?: WriteOptions) => post(at('images', 'import'), image, options),
    },
    versions: {
      list: (options: ImageVersionQuery = {}) => get<Page<ImageVersionView>>(at('versions'), { ...options, all: options.all || undefined }),
      get: (id: string, options: ReadOptions = {}) => get<ImageVersionView>(at('versions', id), { ...options }),
      push: (id: string, accounts: string[], options?: WriteOptions) => post(at('versions', id, 'push'), { accounts }, options),
      pushAll: (id: string, options?: WriteOptions) => post(at('versions', id, 'push-all'), {}, options),
      abort: (id: string, reason?: string, options?: WriteOptions) => post(at('versions', id, 'abort'), { reason }, options),
      rebuild: (id: string, target: ImageTarget, options?: WriteOptions) => post(at('versions', id, 'targets', target, 'rebuild'), {}, options),
      remove: (id: string, { cascade, ...options }: WriteOptions & { cascade?: boolean } = {}) => write<RemovedView>('DELETE', at('versions', id), undefined, options, { cascade: cascade || undefined }),
      removeTarget: (id: string, target: ImageTarget, { cascade, ...options }: WriteOptions & { cascade?: boolean } = {}) => write<RemovedView>('DELETE', at('versions', id, 'targets', target), undefined, options, { cascade: cascade || undefined }),
      removePushed: (id: string, account: string, options?: WriteOptions) => write<RemovedView>('DELETE', at('versions', id, 'accounts', account), undefined, options),
      revoke: (id: string, revoke: RevokeInput = {}, options?: WriteOptions) => post(at('versions', id, 'revoke'), revoke, options),
      restore: (id: string, restore: RestoreInput = {}, options?: WriteOptions) => post(at('versions', id, 'restore'), restore, options),
      mark: (id: string, as: VersionUse, reason?: string, options?: WriteOptions) => post(at('versions', id, 'mark'), { as, reason }, options),
      label: (id: string, labels: Record<string, string>, options?: WriteOptions) => write('PUT', at('versions', id, 'labels'), { labels }, options),
      attributes: (id: string, attributes: Record<string, string>, options?: WriteOptions) => write('PUT', at('versions', id, 'attributes'), { attributes }, options),
      lineage: (id: string, options: ReadOptions = {}) => get<LineageView>(at('versions', id, 'lineage'), { ...options }),
      /** SPDX 2.3 as JSON; of the first target that has one when none is named. */
      sbom: (id: string, target?: ImageTarget) => download({ path: at('versions', id, 'sbom'), query: { target } }),
    },
    /** Named `IMAGE:CHANNEL`. */
    channels: {
      list: (options: ChannelQuery = {}) => get<Page<ChannelView>>(at('channels'), { ...options }),
      get: (name: string, options: ReadOptions = {}) => get<ChannelView>(at('channels', name), { ...options }),
      set: (name: string, channel: ChannelInput, options?: WriteOptions) => write<Named>('PUT', at('channels', name), channel, options),
      remove: (name: string, options?: WriteOptions) => write<Named>('DELETE', at('channels', name), undefined, options),
      /** `retest`: try the test again that the version has failed. */
      assign: (name: string, version: string, reason?: string, { retest, ...options }: WriteOptions & { retest?: boolean } = {}) => post(at('channels', name, 'assign'), { version, reason, retest: retest || undefined }, options),
      rollback: (name: string, rollback: RollbackInput = {}, options?: WriteOptions) => post(at('channels', name, 'rollback'), rollback, options),
    },
    providers: entries<ProviderView, CatalogInput<'provider'>>(ways, 'providers'),
    accounts: entries<AccountView, CatalogInput<'account'>>(ways, 'accounts'),
    environments: entries<EnvironmentView, CatalogInput<'environment'>>(ways, 'environments'),
    pools: entries<PoolView, CatalogInput<'pool'>>(ways, 'pools'),
    catalogs: entries<CatalogView, CatalogInput<'catalog'>>(ways, 'catalogs'),
    deployables: entries<DeployableView, CatalogInput<'deployable'>>(ways, 'deployables'),
    warehouse: {
      objects: (options: WarehouseQuery = {}) => get<Page<WarehouseObject>>(at('warehouse', 'objects'), { ...options }),
      policies: {
        ...entries<ReplicationView, ReplicationInput>({ ...ways, at: (...parts) => at('warehouse', ...parts) }, 'policies'),
        /** Looks at every copy, and makes those anew that are not there or differ. */
        check: (name: string, options?: WriteOptions) => post(at('warehouse', 'policies', name, 'check'), {}, options),
      },
    },
  };
}
