import type { ReplicationView } from '@berth/client';
import { Link, useLocation, useParams } from 'wouter';
import { stringify } from 'yaml';
import { run } from '../../api/commands';
import { useRead } from '../../api/read';
import { nameIn, YamlEditor } from '../../parts/yaml-editor';
import { Loaded } from '../../ui/empty';
import { Page } from '../../ui/page';
import { EXAMPLE } from './example';

const trail = <><Link href="/warehouse">Warehouse</Link> / <Link href="/warehouse/policies">Policies</Link></>;

/** Says anew which objects are kept a second time. */
export default function EditPolicy() {
  const { name = '' } = useParams<{ name: string }>();
  const read = useRead<ReplicationView>(`warehouse/policies/${encodeURIComponent(name)}`);
  const [, go] = useLocation();
  return (
    <Page title={`Edit ${name}`} trail={trail}>
      <Loaded read={read}>{({ description, query, to, on }) => <YamlEditor text={stringify({ description, query, to, on })} needs="images:write" save={(data) => save(name, data)} onLeave={() => go('/warehouse/policies')} />}</Loaded>
    </Page>
  );
}

/** Says which objects are kept a second time. */
export function NewPolicy({ onLeave }: { onLeave: () => void }) {
  return <Page title="New policy" trail={trail}><YamlEditor text={EXAMPLE} needs="images:write" save={async (data) => save(nameIn(data, 'policy'), data)} onLeave={onLeave} /></Page>;
}

/** Replaces what was said before. */
const save = (name: string, body: Record<string, unknown>): Promise<unknown> =>
  run({ key: `save policy ${name}`, label: `The policy ${name}`, method: 'PUT', path: `warehouse/policies/${encodeURIComponent(name)}`, body, until: (event) => event.kind === 'replication' && event.id === name && event.type === 'ReplicationPolicySaved' }, { quiet: true });
