import type { CatalogEntryKind } from '@berth/client';
import { Link, useLocation, useParams } from 'wouter';
import { stringify } from 'yaml';
import { run } from '../../api/commands';
import { useFresh } from '../../api/read';
import { nameIn, YamlEditor } from '../../parts/yaml-editor';
import { Empty, Loaded } from '../../ui/empty';
import { Page } from '../../ui/page';
import { kindOf, kinds, specOf, type EntryView } from './kinds';

/** Where the entries of a kind are listed. */
export const listOf = (kind: CatalogEntryKind): string => (kind === 'catalog' ? '/catalogs' : `/catalogs?of=${kinds[kind].path}`);
export const trailOf = (kind: CatalogEntryKind) => <><Link href="/catalogs">Catalogs</Link>{kind !== 'catalog' && <> / <Link href={listOf(kind)}>{kinds[kind].label}</Link></>}</>;

/** Says anew what was said of something in the catalogue. */
export default function EditEntry() {
  const { kind: path = '', name = '' } = useParams<{ kind: string; name: string }>();
  const kind = kindOf(path);
  return kind === undefined ? <Page title="Not found"><Empty>There is no such page.</Empty></Page> : <Edit kind={kind} name={name} />;
}

function Edit({ kind, name }: { kind: CatalogEntryKind; name: string }) {
  const { path, needs } = kinds[kind];
  const read = useFresh<EntryView>(`${path}/${encodeURIComponent(name)}`);
  const [, go] = useLocation();
  return (
    <Page title={`Edit ${name}`} trail={trailOf(kind)}>
      <Loaded read={read}>{(entry) => <YamlEditor of={entry} text={stringify(specOf(kind, entry))} needs={needs} save={(data, base) => save(kind, name, data, base)} onLeave={() => go(kind === 'catalog' ? `/catalogs/${encodeURIComponent(name)}` : listOf(kind))} />}</Loaded>
    </Page>
  );
}

/** Names something for the first time. */
export function NewEntry({ kind, onLeave }: { kind: CatalogEntryKind; onLeave: () => void }) {
  const { one, needs, example } = kinds[kind];
  return (
    <Page title={`New ${one}`} trail={trailOf(kind)}>
      <YamlEditor text={example} needs={needs} save={async (data) => save(kind, nameIn(data, one), data)} onLeave={onLeave} />
    </Page>
  );
}

/** Replaces what was said before. */
function save(kind: CatalogEntryKind, name: string, body: Record<string, unknown>, base?: string): Promise<unknown> {
  const { path, one, shows } = kinds[kind];
  return run({ key: `save ${kind} ${name}`, label: `The ${one} ${name}`, method: 'PUT', path: `${path}/${encodeURIComponent(name)}`, body, base, until: (event) => event.kind === 'catalog' && event.type === shows && (event.data as { name: string }).name === name }, { quiet: true });
}
