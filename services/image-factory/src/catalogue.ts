import { CATALOG, type Answer, type AnyRecorded, type CatalogEntryKind, type CatalogEvent, type CommandData, type Refusal } from '@berth/contracts';
import { aggregates, type Aggregates, type Command, type Follower, type Runtime } from '@berth/runtime';
import { causeOf } from './cause.js';
import { catalogDecider, noCatalog, placed, type Catalog, type CatalogCommand, type Placed } from './domain/catalog.js';
import type { Image } from './domain/image.js';
import { refuse } from './domain/refusals.js';
import { ask } from './providers/ask.js';
import type { Providers } from './providers/provider.js';

/** What the catalogue must know of images: whether there is one, and which name an entry. */
interface ImagesThere {
  image(name: string): Image;
  readonly images: { entries(): IterableIterator<[string, { state: Image }]> };
}

/** Providers, accounts, environments, pools, catalogs and deployables: what there is, and what people ask for. */
export class Catalogue {
  private readonly entries: Aggregates<Catalog, CatalogCommand, CatalogEvent>;

  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly providers: Providers,
    private readonly images: () => ImagesThere,
  ) {
    this.entries = aggregates('catalog', catalogDecider, runtime.store, () => follower().feed);
  }

  get catalog(): Catalog {
    return this.entries.get(CATALOG)?.state ?? noCatalog;
  }

  /** An account with its provider. */
  placed(account: string): Placed | undefined {
    return placed(this.catalog, account);
  }

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'catalog') this.entries.apply(recorded);
  }

  async save<K extends CatalogEntryKind>(kind: K, command: Command<Extract<CatalogCommand, { type: 'Save'; kind: K }>['entry']>): Promise<Answer> {
    await this.follower().reached(command.after);
    const entry = command.data;
    const told = { type: 'Save', kind, entry, ...(kind === 'deployable' && { imageThere: this.images().image((entry as { image: string }).image).status === 'live' }) } as CatalogCommand;
    // What can't be saved anyway is not asked of a provider.
    const decided = catalogDecider.decide(told, this.catalog);
    if ('accepted' in decided) return decided;
    if (kind === 'account' && decided.length > 0) {
      const refusal = this.movedAccount(entry as Placed['account']) ?? (await this.checkAccount(entry as Placed['account']));
      if (refusal) return refusal;
    }
    const answer = await this.entries.handle(CATALOG, told, causeOf(command));
    return answer.accepted ? { ...answer, id: entry.name } : answer;
  }

  /** What was pushed to an account is found there again. */
  private movedAccount({ name, provider, region }: Placed['account']): Refusal | undefined {
    const before = this.catalog.account.get(name);
    if (!before || (before.provider === provider && before.region === region)) return undefined;
    const user = this.userOf('account', name);
    return user === undefined ? undefined : refuse('catalog-in-use', `Account ${name} is used by ${user}.`, before.provider === provider ? 'region' : 'provider', 'stays what it is while something is pushed there: save another account');
  }

  private async checkAccount(account: Placed['account']): Promise<Refusal | undefined> {
    const provider = this.catalog.provider.get(account.provider)!;
    const fault = await ask(this.runtime.log, (signal) => this.providers[provider.kind].check(account, provider, signal));
    if (fault === undefined) return undefined;
    return typeof fault === 'string' ? refuse('provider-refused', `Account ${account.name} can't be used: ${fault}`, 'credentials', fault) : fault;
  }

  async remove(command: Command<CommandData<'image-factory', 'RemoveCatalogEntry'>>): Promise<Answer> {
    await this.follower().reached(command.after);
    const { kind, name } = command.data;
    const inUse = this.userOf(kind, name);
    const answer = await this.entries.handle(CATALOG, { type: 'Remove', kind, name, ...(inUse !== undefined && { inUse }) }, causeOf(command));
    return answer.accepted ? { ...answer, id: name } : answer;
  }

  /** An image that names an entry. */
  private userOf(kind: CatalogEntryKind, name: string): string | undefined {
    if (kind !== 'environment' && kind !== 'account') return undefined;
    for (const [image, { state }] of this.images().images.entries()) {
      if (state.status === 'live' && kind === 'environment' && state.saved?.environment === name) return `image ${image}`;
      if (kind !== 'account') continue;
      if (state.status === 'live' && state.saved?.template.targets.ec2?.account === name) return `image ${image}`;
      for (const { pushes, number } of state.versions.values()) {
        const push = pushes.get(name);
        if (push && push.status !== 'DELETED' && push.status !== 'FAILED') return `image ${image}, version ${number}`;
      }
    }
    return undefined;
  }
}
