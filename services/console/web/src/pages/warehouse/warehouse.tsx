import type { WarehouseObject } from '@berth/client';
import { useState, type FormEvent } from 'react';
import { useLocation, useParams } from 'wouter';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { ImageLink, VersionLink } from '../../parts/links';
import { Badge } from '../../ui/badge';
import { Empty } from '../../ui/empty';
import { TextField } from '../../ui/field';
import { useList } from '../../ui/list';
import { Page } from '../../ui/page';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { Tabs } from '../../ui/tabs';
import { bytes } from '../../words/text';
import { NewPolicy } from './edit';
import { Policies } from './policies';
import { attributesOf, kindOf } from './objects';

const tabs = [{ path: '/warehouse', label: 'Objects' }, { path: '/warehouse/policies', label: 'Policies' }];

/** What is kept of images, and where it is kept a second time. */
export default function Warehouse() {
  const { tab } = useParams<{ tab?: string }>();
  const [making, setMaking] = useParam('new');
  const [, go] = useLocation();
  const has = useHas('images:write');
  if (tab !== undefined && tab !== 'policies') return <Page title="Not found"><Empty>There is no such page.</Empty></Page>;
  if (making !== '') return <NewPolicy onLeave={() => go('/warehouse/policies')} />;
  return (
    <Page title="Warehouse" fill {...(has && tab === 'policies' && { actions: <Act needs="images:write" tone="primary" onPress={() => setMaking('1')}>New policy</Act> })}>
      <Tabs label="Pages of the warehouse" at={tab === undefined ? '/warehouse' : `/warehouse/${tab}`} tabs={tabs} />
      {tab === undefined ? <Objects /> : <Policies />}
    </Page>
  );
}

const columns: readonly Column<WarehouseObject>[] = [
  { id: 'image', head: 'Image', width: '16%', cell: ({ image }) => <ImageLink name={image} /> },
  { id: 'version', head: 'Version', width: '92px', cell: ({ version, number }) => <VersionLink id={version} number={number} /> },
  { id: 'what', head: 'Object', width: '120px', cell: (one) => <span title={one.id}>{one.target} {kindOf(one)}</span> },
  { id: 'size', head: 'Size', width: '82px', number: true, cell: (one) => <span title={`${one.bytes} bytes, SHA-256 ${one.sha256}`}>{bytes(one.bytes)}</span> },
  { id: 'attributes', head: 'Attributes', cell: (one) => <span className="quiet" title={attributesOf(one)}>{attributesOf(one)}</span> },
  { id: 'replicas', head: 'Copies', width: '25%', cell: ({ replicas }) => replicas.map(({ policy, state, error }) => <span key={policy} title={error ?? ''}><Badge status={state}>{policy}: {state}</Badge> </span>) },
];

/** Objects, by what is asked of their attributes. */
function Objects() {
  const [query, setQuery] = useParam('query');
  const list = useList<WarehouseObject>('warehouse/objects', '-created', { query });
  return (
    <>
      <Ask key={query} query={query} onAsk={setQuery} error={list.error?.of('query')} />
      <Table label="Objects" least={980} columns={columns} {...list} rowKey={({ id }) => id} empty={query === '' ? 'Nothing is kept yet: what is built for a target that makes a file is.' : 'No object is like that.'} />
    </>
  );
}

/** Sent when it is whole: a half-typed query can't be read. */
function Ask({ query, onAsk, error }: { query: string; onAsk: (query: string) => void; error: string | undefined }) {
  const [text, setText] = useState(query);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onAsk(text.trim());
  };
  return (
    <form className="filters" role="search" onSubmit={submit}>
      <TextField label="With the attributes" className="grow" value={text} onValue={setText} placeholder={'arch == "x86_64" && os.version >= 12'} error={error} />
      <button className="button">Show</button>
    </form>
  );
}
