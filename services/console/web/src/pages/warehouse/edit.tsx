import type { ReplicationView } from '@berth/client';
import { Link, useLocation, useParams } from 'wouter';
import { stringify } from 'yaml';
import { run } from '../../api/commands';
import { useFresh } from '../../api/read';
import { nameIn, YamlEditor } from '../../parts/yaml-editor';
import { Loaded } from '../../ui/empty';
import { Page } from '../../ui/page';
import { EXAMPLE } from './example';

const trail = <><Link href="/warehouse">Warehouse</Link> / <Link href="/warehouse/policies">Policies</Link></>;

/** Says anew which objects are kept a second time. */
export default function EditPolicy() {
  const { name = '' } = useParams<{ name: string }>();
  const read = useFresh<ReplicationView>(`warehouse/policies/${encodeURIComponent(name)}`);
  const [, go] = useLocation();
  return (
    <Page title={`Edit ${name}`} trail={trail}>
      <Loaded read={read}>{(policy) => <YamlEditor of={policy} text={textOf(policy)} needs="images:write" save={(data, base) => save(name, data, base)} onLeave={() => go('/warehouse/policies')} />}</Loaded>
    </Page>
  );
}

/** What was said of it, without what is told of it besides. */
const textOf = ({ description, query, to, on }: ReplicationView): string => stringify({ description, query, to, on });

/** Says which objects are kept a second time. */
export function NewPolicy({ onLeave }: { onLeave: () => void }) {
  return <Page title="New policy" trail={trail}><YamlEditor text={EXAMPLE} needs="images:write" save={async (data) => save(nameIn(data, 'policy'), data)} onLeave={onLeave} /></Page>;
}

/** Replaces what was said before. */
const save = (name: string, body: Record<string, unknown>, base?: string): Promise<unknown> =>
  run({ key: `save policy ${name}`, label: `The policy ${name}`, method: 'PUT', path: `warehouse/policies/${encodeURIComponent(name)}`, body, base, until: (event) => event.kind === 'replication' && event.id === name && event.type === 'ReplicationPolicySaved' }, { quiet: true });
