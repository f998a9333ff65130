import type { QuotaView } from '@berth/client';
import { useState } from 'react';
import { run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { useRead } from '../../api/read';
import { tagOf } from '../../api/request';
import { useSession } from '../../api/session';
import { Act } from '../../parts/act';
import { ThemeSwitch } from '../../shell/theme-switch';
import { Dialog } from '../../ui/dialog';
import { Loaded } from '../../ui/empty';
import { TextArea, TextField } from '../../ui/field';
import { Facts, Section } from '../../ui/page';

/** What is set for whoever looks, and for the whole fleet. */
export default function Own() {
  const session = useSession();
  return (
    <div className="columns">
      <Section title="You">
        {session.status === 'in' && (
          <Facts of={[['Name', session.me.name], ['Role', session.me.role], ['Projects', session.me.projects === null ? 'all' : session.me.projects.join(', ') || 'none'], ['May', session.me.permissions.join(', ')]]} />
        )}
        <label className="row"><span className="quiet">Appearance</span> <ThemeSwitch /></label>
      </Section>
      <Limits />
    </div>
  );
}

const none = <span className="quiet">no limit</span>;

function Limits() {
  const read = useRead<QuotaView>('quota');
  const [editing, setEditing] = useState(false);
  return (
    <Section title="Limits" note="across all blueprints" actions={read.data && <Act small needs="quota:write" onPress={() => setEditing(true)}>Change</Act>}>
      <Loaded read={read}>
        {({ quota, use }) => (
          <>
            <Facts
              of={[
                ['Slots of hosts', <>{use.hosts} leased, {quota.hosts ?? none}{quota.hosts !== undefined && ' at most'}</>],
                ['For one owner', quota.hostsPerOwner ?? none],
                ['Launched at a time', <>{use.resources} now, {quota.resources ?? none}{quota.resources !== undefined && ' at most'}</>],
                ['Own limits', Object.entries(quota.owners).map(([owner, most]) => `${owner} ${most}`).join(', ')],
              ]}
            />
            {editing && <EditLimits of={read.data} quota={quota} onClose={() => setEditing(false)} />}
          </>
        )}
      </Loaded>
    </Section>
  );
}

const names = ['hosts', 'hostsPerOwner', 'resources'] as const;
const labels = { hosts: 'Slots of hosts leased at a time', hostsPerOwner: 'of these for one owner', resources: 'Resources launched at a time' };

function EditLimits({ of, quota, onClose }: { /** what was read */ of: QuotaView | undefined; quota: QuotaView['quota']; onClose: () => void }) {
  const [base] = useState(tagOf(of));
  const [values, setValues] = useState(() => Object.fromEntries(names.map((name) => [name, quota[name] === undefined ? '' : String(quota[name])])));
  const [owners, setOwners] = useState(() => Object.entries(quota.owners).map(([owner, most]) => `${owner} = ${most}`).join('\n'));
  const [problem, setProblem] = useState<unknown>();
  const wrong = (field: string) => (problem instanceof ProblemError ? problem.of(field, true) : undefined);
  const number = (text: string) => (/^\d+$/.test(text.trim()) ? Number(text) : text);
  const confirm = () => {
    const lines = owners.split('\n').filter((line) => line.trim() !== '').map((line) => line.split(/=(?=[^=]*$)/).map((part) => part.trim()));
    return run({
      key: 'limits', label: 'Limits', method: 'PUT', path: 'quota', base,
      body: { ...Object.fromEntries(names.filter((name) => values[name] !== '').map((name) => [name, number(values[name]!)])), owners: Object.fromEntries(lines.map(([owner = '', most = '']) => [owner, number(most)])) },
    }, { quiet: true });
  };
  return (
    <Dialog title="Limits" action="Set" onConfirm={confirm} onClose={onClose} known={[...names, 'owners']} onProblem={setProblem}>
      <p>What is left empty is not limited. What is leased stays leased.</p>
      {names.map((name) => <TextField key={name} label={labels[name]} inputMode="numeric" value={values[name] ?? ''} onValue={(value) => setValues((before) => ({ ...before, [name]: value }))} error={wrong(name)} />)}
      <TextArea label="Owners with a limit of their own" rows={3} value={owners} onValue={setOwners} hint="a line each: owner = slots" error={wrong('owners')} />
    </Dialog>
  );
}
