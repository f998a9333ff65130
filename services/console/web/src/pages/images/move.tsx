import type { ChannelView, ImageVersionView, LiveEvent } from '@berth/client';
import { useState } from 'react';
import { run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { useWhole } from '../../api/read';
import { Dialog } from '../../ui/dialog';
import { SelectField, TextField } from '../../ui/field';

/** Whether an event moves a channel, or begins the test that it waits for. */
const moves = ({ image, channel }: ChannelView) => (event: LiveEvent): boolean =>
  event.kind === 'image' && event.id === image && (event.type === 'ChannelAssigned' || event.type === 'TestStarted') && (event.data as { channel: string }).channel === channel;

/** A version in a list: its number, and what is to be known of it. */
const told = ({ number, os, use, revoked, labels }: ImageVersionView): string => [`version ${number}`, os['version'] !== undefined && `${os['name']} ${os['version']}`, use !== 'active' && use, revoked && 'revoked', ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)].filter(Boolean).join(', ');

/** Points a channel at a version. `again`: the one that has failed the test */
export function AssignDialog({ channel, again = false, onClose }: { channel: ChannelView; again?: boolean; onClose: () => void }) {
  const { id, image, channel: name, test, lastTest, version } = channel;
  const [to, setTo] = useState(again ? (lastTest?.version ?? '') : '');
  const [reason, setReason] = useState('');
  const [retest, setRetest] = useState(again);
  const [problem, setProblem] = useState<unknown>();
  const versions = useWhole<ImageVersionView>('versions', { query: { image, status: 'COMPLETE', all: true } }).data?.items ?? [];
  const wrong = (field: string) => (problem instanceof ProblemError ? problem.of(field) : undefined);
  const refused = problem instanceof ProblemError && problem.code === 'test-failed';
  const confirm = () => run({ key: `assign ${id}`, label: `Assignment of ${id}`, path: `channels/${encodeURIComponent(id)}/assign`, body: { version: to, ...(reason !== '' && { reason }), ...(retest && { retest }) }, until: moves(channel) }, { quiet: true });
  return (
    <Dialog title={again ? `Test version ${lastTest?.number ?? ''} again for ${name}` : `Assign ${name}`} action={again ? 'Test again' : 'Assign'} onConfirm={confirm} onClose={onClose} known={['version', 'reason']} onProblem={setProblem}>
      <p>{test === null ? 'It points there at once.' : `It points there once ${test} has passed on a host booted from it.`}</p>
      {!again && <SelectField label="Version" value={to} onValue={setTo} options={[['', 'choose'], ...versions.filter((one) => one.id !== version).map((one) => [one.id, told(one)] as const)]} error={wrong('version')} />}
      {test !== null && !again && (refused || retest) && <label className="row"><input type="checkbox" checked={retest} onChange={(event) => setRetest(event.target.checked)} /> <span>Have it tested again, although it has failed</span></label>}
      <TextField label="Why (if you like)" value={reason} onValue={setReason} hint="kept in its history" error={wrong('reason')} />
    </Dialog>
  );
}

/** Points a channel at a version that it pointed at before. */
export function RollbackDialog({ channel, onClose }: { channel: ChannelView; onClose: () => void }) {
  const { id, channel: name, version, number, history } = channel;
  const [to, setTo] = useState('');
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState<unknown>();
  const wrong = (field: string) => (problem instanceof ProblemError ? problem.of(field) : undefined);
  const before = new Map(history.flatMap((entry) => (entry.version === null || entry.version === version ? [] : [[entry.version, `version ${entry.number ?? entry.version}`] as const])));
  const confirm = () => run({ key: `rollback ${id}`, label: `Rollback of ${id}`, path: `channels/${encodeURIComponent(id)}/rollback`, body: { from: version, ...(to !== '' && { to }), ...(reason !== '' && { reason }) }, until: moves(channel) }, { quiet: true });
  return (
    <Dialog title={`Roll ${name} back`} action="Roll back" danger onConfirm={confirm} onClose={onClose} known={['to', 'reason']} onProblem={setProblem}>
      <p>It points at version {number} now. Hosts that were booted from it go on.</p>
      <SelectField label="To" value={to} onValue={setTo} options={[['', 'the one before it that may be used'], ...before]} error={wrong('to')} />
      <TextField label="Why" value={reason} onValue={setReason} hint="kept in its history" error={wrong('reason')} />
    </Dialog>
  );
}
