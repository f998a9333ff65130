import type { AccountView, ImageVersionView, ProviderImageView } from '@berth/client';
import { useState } from 'react';
import { press, run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { useWhole } from '../../api/read';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { Failed } from '../../parts/failed';
import { ImageBadge } from '../../parts/image-state';
import { RemovalButton } from '../../parts/removal';
import { Bar } from '../../ui/bar';
import { Dialog } from '../../ui/dialog';
import { Empty } from '../../ui/empty';
import { SelectField } from '../../ui/field';
import { Section } from '../../ui/page';
import { push, unpush } from '../images/offers';

/** Where a version was pushed to. */
export function Pushes({ version }: { version: ImageVersionView }) {
  const [asking, setAsking] = useState(false);
  const has = useHas('images:write');
  const built = version.targets.some(({ status }) => status === 'COMPLETE');
  return (
    <Section title="Pushes" note="where it is" actions={has && <Act needs="images:write" small why={built ? undefined : 'Nothing of it is built'} onPress={() => setAsking(true)}>Push</Act>}>
      {version.pushes.length === 0 ? <Empty>It was pushed nowhere.</Empty> : (
        <div className="table-box loose board" tabIndex={0} role="group" aria-label="Pushes, table">
          <table className="table" aria-label="Pushes">
            <thead><tr><th scope="col">Account</th><th scope="col">Status</th><th scope="col">Id at the provider</th><th scope="col">Target</th><th scope="col"><span className="hidden-visually">Actions</span></th></tr></thead>
            <tbody>{version.pushes.map((one) => <Push key={one.account} version={version} of={one} />)}</tbody>
          </table>
        </div>
      )}
      {asking && <PushDialog version={version} onClose={() => setAsking(false)} />}
    </Section>
  );
}

function Push({ version: { id: version, number, image }, of: { account, provider, region, target, status, percent, activity, error, failed, id } }: { version: ImageVersionView; of: ProviderImageView }) {
  const has = useHas('images:write');
  const again = push(image, version, number, account);
  return (
    <tr>
      <th scope="row">{account}<div className="quiet">{provider}{region !== null && `, ${region}`}</div></th>
      <td>
        <div className="cell">
          <ImageBadge status={status} />
          {status === 'BUILDING' && <Bar small tone="busy" percent={percent} label={`Push to ${account}`} />}
          {activity !== null && <span className="quiet">{activity}</span>}
          {/* Why it could not be removed is told below. */}
          <Failed times={failed.length} error={failed.at(-1)?.error ?? (status === 'DELETEFAILED' ? null : error)} />
          {status === 'DELETEFAILED' && <span className="text-bad">{error}</span>}
        </div>
      </td>
      <td className="mono">{id}</td>
      <td>{target}</td>
      <td>
        {status === 'FAILED' && has && <Act needs="images:write" small pending={again.key} label={`Push again to ${account}`} onPress={() => press(again)}>Push again</Act>}
        {(status === 'COMPLETE' || status === 'DELETEFAILED') && <RemovalButton small label={`Delete from ${account}`} title={`Delete version ${number} from ${account}`} command={unpush(image, version, number, account)} says="It is removed at the provider. What is built stays, and can be pushed again.">Delete</RemovalButton>}
      </td>
    </tr>
  );
}

/** Pushes a version to an account that its board need not have. */
function PushDialog({ version: { id, number, image, targets, pushes }, onClose }: { version: ImageVersionView; onClose: () => void }) {
  const [account, setAccount] = useState('');
  const [problem, setProblem] = useState<unknown>();
  const accounts = useWhole<AccountView>('accounts').data?.items ?? [];
  const there = new Set(pushes.filter(({ status }) => status !== 'FAILED' && status !== 'DELETED').map((one) => one.account));
  const fitting = accounts.filter(({ name, target }) => !there.has(name) && targets.some((one) => one.target === target && one.status === 'COMPLETE'));
  const confirm = async (): Promise<unknown> => {
    if (account === '') throw new ProblemError(0, 'invalid-data', 'No account is chosen.', [{ field: 'accounts', message: 'choose one' }]);
    return run(push(image, id, number, account), { quiet: true });
  };
  return (
    <Dialog title={`Push version ${number}`} action="Push" onConfirm={confirm} onClose={onClose} known={['accounts']} onProblem={setProblem}>
      <SelectField label="Account" value={account} onValue={setAccount} options={[['', fitting.length === 0 ? 'none takes what is built of it' : 'choose'], ...fitting.map(({ name, provider }) => [name, `${name} on ${provider}`] as const)]} error={problem instanceof ProblemError ? problem.of('accounts', true) : undefined} />
    </Dialog>
  );
}
