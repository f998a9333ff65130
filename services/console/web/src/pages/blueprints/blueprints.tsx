import type { BlueprintView } from '@berth/client';
import { useLocation } from 'wouter';
import { allowed } from '../../parts/allow';
import { BlueprintLink } from '../../parts/links';
import { SlotBar, slotText } from '../../parts/slot-bar';
import { Act } from '../../parts/act';
import { Badge } from '../../ui/badge';
import { useList } from '../../ui/list';
import { Page } from '../../ui/page';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { NewBlueprint } from './edit';

/** The one word for how a blueprint is. */
export function wordOf({ enabled, breaker }: Pick<BlueprintView, 'enabled' | 'breaker'>): { status: string; text: string } {
  if (!enabled) return { status: 'disabled', text: 'disabled' };
  return breaker ? { status: 'open', text: 'breaker open' } : { status: 'enabled', text: 'enabled' };
}

const columns: readonly Column<BlueprintView>[] = [
  { id: 'name', head: 'Blueprint', width: '17%', sort: 'name', cell: ({ name }) => <BlueprintLink name={name} /> },
  { id: 'state', head: 'State', width: '118px', cell: (one) => <Badge status={wordOf(one).status}>{wordOf(one).text}</Badge> },
  { id: 'kind', head: 'Kind', width: '112px', cell: ({ kind }) => kind },
  { id: 'description', head: 'Description', cell: ({ description, answersTo }) => <span title={description || answersTo} className={description ? '' : 'quiet'}>{description || answersTo}</span> },
  { id: 'allow', head: 'For', width: '15%', cell: ({ spec }) => <span title={allowed(spec)}>{allowed(spec)}</span> },
  { id: 'rank', head: 'Rank', width: '56px', number: true, cell: ({ spec }) => spec.rank },
  { id: 'slots', head: 'Slots', width: '150px', cell: ({ slots }) => <span title={slotText(slots)}><SlotBar slots={slots} /></span> },
  { id: 'use', head: 'In use', width: '70px', number: true, cell: ({ busy, slots }) => `${busy} / ${slots.total}` },
  { id: 'version', head: 'Version', width: '76px', number: true, cell: ({ version }) => (version === 0 ? <span className="quiet">built in</span> : version) },
];

/** All kinds of things that can be leased. */
export default function Blueprints() {
  const [kind, setKind] = useParam('new');
  const [, go] = useLocation();
  const list = useList<BlueprintView>('blueprints', 'name', { resources: false });
  if (kind !== '') return <NewBlueprint kind={kind} onKind={setKind} onLeave={() => go('/blueprints')} />;
  return (
    <Page title="Blueprints" fill actions={<Act tone="primary" onPress={() => setKind('preallocated')}>New blueprint</Act>}>
      <Table label="Blueprints" least={960} columns={columns} {...list} rowKey={({ name }) => name} empty="There is no blueprint." />
    </Page>
  );
}
