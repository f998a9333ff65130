import type { CatalogEntryKind } from '@berth/client';
import { useLocation } from 'wouter';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { Filters, TextFilter } from '../../ui/filters';
import { useList } from '../../ui/list';
import { Page } from '../../ui/page';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { Tabs } from '../../ui/tabs';
import { columns } from './columns';
import { listOf, NewEntry } from './edit';
import { kindNames, kindOf, kinds, type EntryView } from './kinds';

const empty: Readonly<Record<CatalogEntryKind, string>> = {
  catalog: 'No catalogs yet: one says what a frontend offers to the people of a pool.',
  deployable: 'Nothing is offered yet: a deployable is an image in a catalog.',
  pool: 'No pools yet: catalogs belong to one.',
  environment: 'No environments yet: one says what may be built, and where it is pushed to.',
  provider: 'No providers yet: one is a place that images are pushed to.',
  account: 'No accounts yet: one is where images are pushed to, on a provider.',
};

/** What people name in the catalogue: a list of each kind. */
export default function Catalogs() {
  const [path] = useParam('of', 'catalogs');
  const [making, setMaking] = useParam('new');
  const kind = kindOf(path) ?? 'catalog';
  const { label, one, needs } = kinds[kind];
  const has = useHas(needs);
  const [, go] = useLocation();
  if (making !== '') return <NewEntry kind={kind} onLeave={() => go(listOf(kind))} />;
  return (
    <Page title="Catalogs" fill {...(has && { actions: <Act needs={needs} tone="primary" onPress={() => setMaking('1')}>New {one}</Act> })}>
      <Tabs label="Pages of the catalogue" at={listOf(kind)} tabs={kindNames.map((each) => ({ path: listOf(each), label: kinds[each].label }))} />
      <List key={kind} kind={kind} label={label} />
    </Page>
  );
}

function List({ kind, label }: { kind: CatalogEntryKind; label: string }) {
  const [q] = useParam('q');
  const list = useList<EntryView>(kinds[kind].path, 'name', { q });
  return (
    <>
      <Filters><TextFilter name="q" label="Name begins with" /></Filters>
      {/* Each kind is shown by its own columns. */}
      <Table label={label} least={900} columns={columns[kind] as readonly Column<EntryView>[]} {...list} rowKey={({ name }) => name} empty={q === '' ? empty[kind] : 'None is called so.'} />
    </>
  );
}
