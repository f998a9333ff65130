import type { AccountView } from '@berth/client';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { useWhole } from '../../api/read';
import { Dialog } from '../../ui/dialog';
import { SelectField, TextField } from '../../ui/field';

/** Takes in an image that a provider has already. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const [image, setImage] = useState('');
  const [account, setAccount] = useState('');
  const [id, setId] = useState('');
  const [problem, setProblem] = useState<unknown>();
  const [, go] = useLocation();
  const accounts = useWhole<AccountView>('accounts').data?.items ?? [];
  const wrong = (field: string) => (problem instanceof ProblemError ? problem.of(field) : undefined);
  const confirm = async (): Promise<void> => {
    const answer = await run<{ id: string }>({ key: `import ${image}`, label: `Import into ${image}`, path: 'images/import', body: { image, account, id } }, { quiet: true });
    go(`/versions/${answer.id}`);
  };
  return (
    <Dialog title="Import an image" action="Import" onConfirm={confirm} onClose={onClose} known={['image', 'account', 'id']} onProblem={setProblem}>
      <p>What a provider has already becomes a version that is complete. It stays there, whatever is removed here.</p>
      <TextField label="Image" value={image} onValue={setImage} hint="is made when there is none of that name" error={wrong('image')} required />
      <SelectField label="Account" value={account} onValue={setAccount} options={[['', 'choose'], ...accounts.map(({ name, provider }) => [name, `${name} on ${provider}`] as const)]} error={wrong('account')} />
      <TextField label="Id" value={id} onValue={setId} hint="as the provider calls it, such as ami-0123456789abcdef0" error={wrong('id')} required />
    </Dialog>
  );
}
