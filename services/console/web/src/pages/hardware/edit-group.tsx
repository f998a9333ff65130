import type { HardwareGroupView } from '@berth/client';
import { useLocation, useParams } from 'wouter';
import { stringify } from 'yaml';
import { useRead } from '../../api/read';
import { YamlEditor } from '../../parts/yaml-editor';
import { Loaded } from '../../ui/empty';
import { Page } from '../../ui/page';
import { save, trail } from './edit';

/** Says anew how a group of machines is driven. */
export default function EditGroup() {
  const { name = '' } = useParams<{ name: string }>();
  const read = useRead<HardwareGroupView>(`hardware-groups/${encodeURIComponent(name)}`);
  const [, go] = useLocation();
  return (
    <Page title={`Edit group ${name}`} trail={trail}>
      <Loaded read={read}>
        {({ escalation, loanSteps, mail }) => (
          <YamlEditor text={stringify({ ...(escalation && { escalation }), ...(loanSteps && { loanSteps }), mail })} needs="hardware:write" save={(data) => save('group', name, data)} onLeave={() => go('/hardware')} />
        )}
      </Loaded>
    </Page>
  );
}
