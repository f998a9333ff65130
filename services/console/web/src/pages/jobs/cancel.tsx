import type { JobView, Permission } from '@berth/client';
import { useState } from 'react';
import { run } from '../../api/commands';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { Dialog } from '../../ui/dialog';
import { TextField } from '../../ui/field';
import { short } from '../../words/text';
import { isOver } from './status';

/** Ends a job where the machine is not left half-done; there for whoever may ask for its task. */
export function CancelButton({ job: { id, task, machine, status, cancelling } }: { job: JobView }) {
  const needs: Permission = `jobs:${task}`;
  const has = useHas(needs);
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState('');
  if (!has || isOver(status) || cancelling !== null) return null;
  const key = `cancel ${id}`;
  const confirm = () =>
    run({ key, label: `End of job ${short(id)}`, path: `jobs/${id}/cancel`, body: reason === '' ? {} : { reason }, until: (event) => event.kind === 'job' && event.id === id && (event.type === 'CancelRequested' || event.type === 'JobCancelled') }, { quiet: true });
  return (
    <>
      <Act needs={needs} pending={key} tone="danger" onPress={() => setAsking(true)}>Cancel</Act>
      {asking && (
        <Dialog title={`Cancel ${task} of ${machine}`} action="End it" danger onConfirm={confirm} onClose={() => setAsking(false)}>
          <p>It ends at the next point where the machine is not left half-done: what was switched off for it is switched on again.</p>
          <TextField label="Why (if you like)" value={reason} onValue={setReason} hint="kept in its history" />
        </Dialog>
      )}
    </>
  );
}
