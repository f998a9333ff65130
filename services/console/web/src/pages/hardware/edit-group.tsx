import type { HardwareGroupView } from '@berth/client';
import { useLocation, useParams } from 'wouter';
import { stringify } from 'yaml';
import { useFresh } from '../../api/read';
import { YamlEditor } from '../../parts/yaml-editor';
import { Loaded } from '../../ui/empty';
import { Page } from '../../ui/page';
import { save, trail } from './edit';

/** What was said of it, without what is told of it besides. */
const textOf = ({ escalation, loanSteps, mail }: HardwareGroupView): string => stringify({ ...(escalation && { escalation }), ...(loanSteps && { loanSteps }), mail });

/** Says anew how a group of machines is driven. */
export default function EditGroup() {
  const { name = '' } = useParams<{ name: string }>();
  const read = useFresh<HardwareGroupView>(`hardware-groups/${encodeURIComponent(name)}`);
  const [, go] = useLocation();
  return (
    <Page title={`Edit group ${name}`} trail={trail}>
      <Loaded read={read}>
        {(group) => <YamlEditor of={group} text={textOf(group)} needs="hardware:write" save={(data, base) => save('group', name, data, base)} onLeave={() => go('/hardware')} />}
      </Loaded>
    </Page>
  );
}
