import type { HardwareView } from '@berth/client';
import { Link, useLocation, useParams } from 'wouter';
import { stringify } from 'yaml';
import { run } from '../../api/commands';
import { useFresh } from '../../api/read';
import { nameIn, YamlEditor } from '../../parts/yaml-editor';
import { Loaded } from '../../ui/empty';
import { SelectField } from '../../ui/field';
import { Page } from '../../ui/page';
import { examples } from './examples';

const what = [['machine', 'a machine'], ['group', 'a group of machines']] as const;
export const trail = <Link href="/hardware">Hardware</Link>;

/** Says anew how a machine is managed. */
export default function EditHardware() {
  const { name = '' } = useParams<{ name: string }>();
  const read = useFresh<HardwareView>(`hardware/${encodeURIComponent(name)}`);
  const [, go] = useLocation();
  return (
    <Page title={`Edit ${name}`} trail={trail}>
      <Loaded read={read}>{(hardware) => <YamlEditor of={hardware} text={specOf(hardware)} needs="hardware:write" save={(data, base) => save('machine', name, data, base)} onLeave={() => go(`/hardware/${name}`)} />}</Loaded>
    </Page>
  );
}

/** What was said of it, without what is told of it besides. */
const specOf = ({ address, platform, workers, groups, interfaces, tracker }: HardwareView): string => stringify({ address, platform, workers, groups, interfaces, ...(tracker !== undefined && { tracker }) });

/** Says how a machine or a group is managed, for the first time. */
export function NewHardware({ kind, onKind, onLeave }: { kind: string; onKind: (kind: string) => void; onLeave: () => void }) {
  const known = kind === 'group' ? 'group' : 'machine';
  return (
    <Page title="New hardware" trail={trail}>
      <div className="filters"><SelectField label="Of" value={known} onValue={onKind} options={what} /></div>
      <YamlEditor key={known} text={examples[known]} needs="hardware:write" save={async (data) => save(known, nameIn(data, known), data)} onLeave={onLeave} />
    </Page>
  );
}

/** Replaces what was said before. */
export function save(kind: keyof typeof examples, name: string, body: Record<string, unknown>, base?: string): Promise<unknown> {
  const [path, type] = kind === 'machine' ? (['hardware', 'HardwareSet'] as const) : (['hardware-groups', 'HardwareGroupSet'] as const);
  return run({ key: `save ${path} ${name}`, label: `What is said of ${name}`, method: 'PUT', path: `${path}/${encodeURIComponent(name)}`, body, base, until: (event) => event.id === name && event.type === type }, { quiet: true });
}
