import type { LeaseView } from '@berth/client';
import { useState } from 'react';
import { run } from '../../api/commands';
import { Act } from '../../parts/act';
import { Dialog } from '../../ui/dialog';
import { TextField } from '../../ui/field';
import { short } from '../../words/text';

const ends = ['LeaseReleased', 'LeaseBroken', 'LeaseRefused', 'LeaseDestroyed'];

/** Gives a lease back; pending until the feed shows that it was. */
export function ReleaseButton({ lease, small = false }: { lease: LeaseView; small?: boolean }) {
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState('');
  if (lease.status !== 'pending' && lease.status !== 'acquired' && lease.status !== 'active') return null;
  const key = `release ${lease.id}`;
  const confirm = () =>
    run({ key, label: `Release of lease ${short(lease.id)}`, path: `leases/${lease.id}/release`, body: reason === '' ? {} : { reason }, until: (event) => event.id === lease.id && ends.includes(event.type) }, { quiet: true });
  return (
    <>
      <Act needs="lease:write" pending={key} small={small} tone="danger" onPress={() => setAsking(true)} label={`Release lease ${short(lease.id)}`}>Release</Act>
      {asking && (
        <Dialog title={`Release lease ${short(lease.id)}`} action="Release" danger onConfirm={confirm} onClose={() => setAsking(false)}>
          <p>{lease.status === 'pending' ? `${lease.owner} no longer waits for it.` : `What ${lease.owner} runs on it is ended, and what stands on it is removed.`}</p>
          <TextField label="Why (if you like)" value={reason} onValue={setReason} hint="kept in its history" />
        </Dialog>
      )}
    </>
  );
}
