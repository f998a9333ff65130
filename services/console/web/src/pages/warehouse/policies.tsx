import type { ReplicationView } from '@berth/client';
import { Link } from 'wouter';
import { press } from '../../api/commands';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { RemovalButton } from '../../parts/removal';
import { Badge } from '../../ui/badge';
import { Filters, TextFilter } from '../../ui/filters';
import { useList } from '../../ui/list';
import { useParam } from '../../ui/params';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';

/** Where copies are put, as an address. */
const placeOf = ({ to }: ReplicationView): string => (to.kind === 's3' ? `s3://${to.bucket}/${to.prefix}` : to.folder);

const columns: readonly Column<ReplicationView>[] = [
  { id: 'name', head: 'Policy', width: '13%', sort: 'name', cell: ({ name, description }) => <span title={description}>{name}</span> },
  { id: 'query', head: 'Objects that', cell: ({ query }) => <Link href={`/warehouse?query=${encodeURIComponent(query)}`} className="mono" title={query}>{query}</Link> },
  { id: 'to', head: 'Kept in', width: '19%', cell: (policy) => <span className="mono" title={placeOf(policy)}>{placeOf(policy)}</span> },
  { id: 'there', head: 'There', width: '92px', number: true, cell: ({ objects, there }) => `${there} of ${objects}` },
  { id: 'failed', head: 'Failed', width: '64px', number: true, cell: ({ failed }) => (failed === 0 ? failed : <span className="text-bad">{failed}</span>) },
  { id: 'check', head: 'Last look', width: '212px', cell: ({ checking, lastCheck }) => (checking ? <Badge status="running">looks at every copy</Badge> : lastCheck && <span title={`${lastCheck.sound} sound, ${lastCheck.repaired} made anew, ${lastCheck.failed} failed`}><Ago at={lastCheck.at} />: {lastCheck.sound} sound, {lastCheck.repaired} anew</span>) },
  { id: 'act', head: '', width: '196px', cell: (policy) => <Acts of={policy} /> },
];

function Acts({ of: { name, checking } }: { of: ReplicationView }) {
  const has = useHas('images:write');
  if (!has) return null;
  const path = `warehouse/policies/${encodeURIComponent(name)}`;
  const is = (type: string) => (event: { kind: string; id: string; type: string }): boolean => event.kind === 'replication' && event.id === name && event.type === type;
  return (
    <span className="row">
      <Act needs="images:write" small pending={`check ${name}`} why={checking ? 'Its copies are being looked at' : undefined} label={`Check ${name}`} onPress={() => press({ key: `check ${name}`, label: `Check of ${name}`, path: `${path}/check`, body: {}, until: is('ReplicationCheckStarted') })}>Check</Act>
      <Link href={`/${path}/edit`} className="button small" aria-label={`Edit ${name}`}>Edit</Link>
      <RemovalButton small label={`Remove ${name}`} title={`Remove the policy ${name}`} says="Nothing more is copied. Copies stay where they are." command={{ key: `remove policy ${name}`, label: `Removal of ${name}`, path, until: is('ReplicationPolicyRemoved') }} />
    </span>
  );
}

/** Which objects are kept a second time, and how far that is. */
export function Policies() {
  const [q] = useParam('q');
  const list = useList<ReplicationView>('warehouse/policies', 'name', { q });
  return (
    <>
      <Filters><TextFilter name="q" label="Name begins with" /></Filters>
      <Table label="Policies" least={1000} columns={columns} {...list} rowKey={({ name }) => name} empty={q === '' ? 'Nothing is kept a second time: a policy says what is, and where.' : 'None is called so.'} />
    </>
  );
}
