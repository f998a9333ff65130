import type { ChannelView, PlanView } from '@berth/client';
import { useState } from 'react';
import { run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { useFresh, useWhole } from '../../api/read';
import { tagOf } from '../../api/request';
import { Dialog } from '../../ui/dialog';
import { SelectField, TextField } from '../../ui/field';

/** Changes a channel, from how it is once this is opened. */
export function ChangeChannel({ channel: { id, image }, onClose }: { channel: ChannelView; onClose: () => void }) {
  const { data } = useFresh<ChannelView>(`channels/${encodeURIComponent(id)}`);
  return data && <ChannelForm image={image} channel={data} onClose={onClose} />;
}

/** Makes a channel of an image, or changes one. */
export function ChannelForm({ image, channel: is, taken = [], onClose }: { image: string; channel?: ChannelView; /** names of others */ taken?: readonly string[]; onClose: () => void }) {
  const [base] = useState(tagOf(is));
  const [name, setName] = useState(is?.channel ?? '');
  const [managed, setManaged] = useState(is?.managed ?? false);
  const [test, setTest] = useState(is?.test ?? '');
  const [problem, setProblem] = useState<unknown>();
  const plans = useWhole<PlanView>('plans').data?.items ?? [];
  const wrong = (field: string) => (problem instanceof ProblemError ? problem.of(field) : undefined);
  const names = new Set([...plans.map((plan) => plan.name).filter((one) => !one.startsWith('image-')), ...(test === '' ? [] : [test])]);
  const confirm = async (): Promise<unknown> => {
    if (name === '') throw new ProblemError(0, 'invalid-data', 'The channel has no name.', [{ field: 'channel', message: 'is required: letters, digits and dashes' }]);
    // Saving is changing, where there is one.
    if (taken.includes(name)) throw new ProblemError(0, 'name-taken', 'The name is taken.', [{ field: 'channel', message: 'is a channel already: change that one, or choose another name' }]);
    const id = `${image}:${name}`;
    return run({ key: `change ${id}`, label: `Channel ${id}`, method: 'PUT', path: `channels/${encodeURIComponent(id)}`, body: { managed, ...(test !== '' && { test }) }, base, until: (event) => event.kind === 'image' && event.id === image && event.type === 'ChannelSaved' }, { quiet: true });
  };
  return (
    <Dialog title={is ? `Change ${is.channel}` : 'New channel'} action="Save" onConfirm={confirm} onClose={onClose} known={['channel', 'managed', 'test']} onProblem={setProblem}>
      {!is && <TextField label="Name" value={name} onValue={setName} hint="such as dev, test or prod" error={wrong('channel')} required />}
      <div>
        <label className="row"><input type="checkbox" checked={managed} disabled={is?.channel === 'latest'} onChange={(event) => setManaged(event.target.checked)} /> <span>It follows what is built: each new version, once it is complete and has passed the test</span></label>
        {wrong('managed') !== undefined && <span className="text-bad">{wrong('managed')}</span>}
      </div>
      <SelectField label="Test" value={test} onValue={setTest} options={[['', 'none'], ...names]} hint="a plan that must pass on a host booted from a version before" error={wrong('test')} />
    </Dialog>
  );
}
