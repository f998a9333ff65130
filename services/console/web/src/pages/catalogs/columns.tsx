import type { AccountView, CatalogEntryKind, CatalogView, DeployableView, EnvironmentView, PoolView, ProviderView } from '@berth/client';
import { Link } from 'wouter';
import { useHas } from '../../api/session';
import { ImageBadge } from '../../parts/image-state';
import { CatalogLink, ImageLink, VersionLink } from '../../parts/links';
import { RemovalButton } from '../../parts/removal';
import type { Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { kinds, type EntryView } from './kinds';

const all = (names: readonly string[]) => (names.length === 0 ? <span className="quiet">all</span> : <span title={names.join(', ')}>{names.join(', ')}</span>);
const description = { id: 'description', head: 'Description', cell: ({ description: text }: { description: string }) => <span className="quiet" title={text}>{text}</span> };
const used = { id: 'used', head: 'Named by', width: '84px', number: true, cell: ({ used: times }: { used: number }) => times };
const saved = { id: 'saved', head: 'Saved', width: '98px', number: true, sort: 'modified', cell: ({ modified, by }: { modified: string; by: string }) => <span title={`by ${by}`}><Ago at={modified} /></span> };
const name = { id: 'name', head: 'Name', width: '18%', sort: 'name', cell: ({ name: text }: { name: string }) => text };
const act = (kind: CatalogEntryKind) => ({ id: 'act', head: '', width: '138px', cell: ({ name: text }: EntryView) => <EntryActs kind={kind} name={text} /> });

/** How many of what a catalog offers are where they belong. */
const offered = ({ deployables }: CatalogView): string => `${deployables.filter(({ state }) => state === 'pushed').length} of ${deployables.length}`;

const catalog: readonly Column<CatalogView>[] = [
  { id: 'name', head: 'Catalog', width: '18%', sort: 'name', cell: ({ name: text }) => <CatalogLink name={text} /> },
  description,
  { id: 'pool', head: 'Pool', width: '14%', cell: ({ pool }) => pool },
  { id: 'environment', head: 'Environment', width: '14%', cell: ({ environment }) => environment },
  { id: 'offered', head: 'Pushed', width: '86px', cell: offered },
  act('catalog'),
];
const deployable: readonly Column<DeployableView>[] = [
  name,
  { id: 'state', head: 'State', width: '112px', cell: ({ state }) => <ImageBadge status={state} /> },
  { id: 'image', head: 'Image', width: '20%', cell: ({ image, channel }) => <span title={`${image}:${channel}`}><ImageLink name={image} channel={channel} /></span> },
  { id: 'version', head: 'Version', width: '96px', cell: ({ version, number }) => version !== null && <VersionLink id={version} number={number} /> },
  { id: 'catalogs', head: 'Catalogs', width: '16%', cell: ({ catalogs }) => all(catalogs) },
  description,
  act('deployable'),
];
const pool: readonly Column<PoolView>[] = [name, { id: 'environment', head: 'Environment', width: '18%', cell: ({ environment }) => environment }, description, used, saved, act('pool')];
const environment: readonly Column<EnvironmentView>[] = [
  name,
  { id: 'targets', head: 'Targets', width: '16%', cell: ({ targets }) => all(targets) },
  { id: 'accounts', head: 'Accounts', width: '22%', cell: ({ accounts }) => all(accounts) },
  description, used, saved, act('environment'),
];
const provider: readonly Column<ProviderView>[] = [
  name,
  { id: 'kind', head: 'Kind', width: '84px', cell: ({ kind }) => kind },
  { id: 'target', head: 'Takes', width: '76px', cell: ({ target }) => target },
  { id: 'where', head: 'Where', width: '24%', cell: (one) => { const where = whereOf(one); return <span className="mono" title={where}>{where}</span>; } },
  description, used, saved, act('provider'),
];
const account: readonly Column<AccountView>[] = [
  name,
  { id: 'provider', head: 'Provider', width: '15%', cell: ({ provider: text }) => text },
  { id: 'target', head: 'Takes', width: '70px', cell: ({ target }) => target },
  { id: 'region', head: 'Region', width: '116px', cell: ({ region }) => region },
  { id: 'credentials', head: 'Credentials', width: '17%', cell: ({ credentials, accountId }) => <span className="mono" title={accountId}>{credentials}</span> },
  description, used, saved, act('account'),
];

function whereOf(one: ProviderView): string {
  if (one.kind === 'folder') return one.folder;
  return one.kind === 'ec2' ? [one.endpoint, one.bucket && `s3://${one.bucket.name}`].filter((part) => part !== undefined).join(' ') : '';
}

/** The columns of the list of each kind. */
export const columns = { catalog, deployable, pool, environment, provider, account } as const;

/** What whoever may can do with an entry. */
export function EntryActs({ kind, name: text, small = true, onGone }: { kind: CatalogEntryKind; name: string; small?: boolean; onGone?: () => void }) {
  const { path, one, needs } = kinds[kind];
  const has = useHas(needs);
  if (!has) return null;
  const button = `button ${small ? 'small' : ''}`;
  return (
    <span className="row">
      <Link href={`/catalogs/${path}/${encodeURIComponent(text)}/edit`} className={button} {...(small && { 'aria-label': `Edit ${text}` })}>Edit</Link>
      <RemovalButton
        needs={needs} small={small} {...(small && { label: `Remove ${text}` })} title={`Remove the ${one} ${text}`} onGone={onGone} says="Its name is free. What is named by something else stays until that is changed."
        command={{ key: `remove ${kind} ${text}`, label: `Removal of ${text}`, path: `${path}/${encodeURIComponent(text)}`, until: (event) => event.kind === 'catalog' && event.type === 'CatalogEntryRemoved' && (event.data as { name: string }).name === text }}
      />
    </span>
  );
}
