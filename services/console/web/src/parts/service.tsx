import type { MachineView, ResourceView, ServiceVerb } from '@berth/client';
import { useState } from 'react';
import { run } from '../api/commands';
import { ProblemError } from '../api/problem';
import { Dialog } from '../ui/dialog';
import { TextField } from '../ui/field';
import { Act } from './act';

type Host = Pick<ResourceView, 'quarantined' | 'held' | 'draining'> & { state: ResourceView['state'] | null };
interface Of {
  /** `machines/NAME` or `resources/ID` */
  path: string;
  /** as people call it */
  name: string;
  host: Host;
}

interface Asked {
  title: string;
  says: string;
  action: string;
  /** how long: needed, welcome, or not asked */
  lasting: 'needed' | 'welcome' | 'no';
  reason: 'needed' | 'welcome' | 'no';
  danger?: true;
}

const asked: Record<ServiceVerb, Asked> = {
  drain: { title: 'Drain', says: 'No new leases on it until you say otherwise. What is leased goes on.', action: 'Drain', lasting: 'no', reason: 'welcome' },
  'end-drain': { title: 'End the drain of', says: 'It takes leases again.', action: 'End drain', lasting: 'no', reason: 'no' },
  quarantine: { title: 'Quarantine', says: 'No new leases on it for a while, then its health is looked at first. What is leased goes on.', action: 'Quarantine', lasting: 'welcome', reason: 'needed' },
  'end-quarantine': { title: 'End the quarantine of', says: 'It can be leased again at once.', action: 'End quarantine', lasting: 'no', reason: 'welcome' },
  hold: { title: 'Hold', says: 'It is kept as it is, for debugging: no new leases, and what stands on it is not removed until the hold ends.', action: 'Hold', lasting: 'needed', reason: 'needed' },
  'end-hold': { title: 'End the hold of', says: 'What was kept on it is cleaned up, and it can be leased again.', action: 'End hold', lasting: 'no', reason: 'no' },
  release: { title: 'End', says: 'It ends for good once its last lease is over.', action: 'End it', lasting: 'no', reason: 'welcome', danger: true },
};

/** What a verb does to a host, as an event that the feed will show. */
const shows: Record<ServiceVerb, string> = {
  drain: 'DrainBegan', 'end-drain': 'DrainEnded', quarantine: 'ResourceQuarantined', 'end-quarantine': 'QuarantineEnded', hold: 'ResourceHeld', 'end-hold': 'HoldEnded', release: 'ResourceReleased',
};

/** The verbs that can be said of a host as it is. */
function verbsOf({ quarantined, held, draining, state }: Host, ends: boolean): ServiceVerb[] {
  if (state === null || state === 'ending') return [];
  return [draining === null ? 'drain' : 'end-drain', quarantined ? 'end-quarantine' : 'quarantine', held ? 'end-hold' : 'hold', ...(ends ? ['release' as const] : [])];
}

/** Buttons that take a host out of service and back, each of which asks first. */
export function ServiceButtons({ of, id, ends = false }: { of: Of; /** of the resource behind it, by which the feed calls it */ id: string | null; ends?: boolean }) {
  const [verb, setVerb] = useState<ServiceVerb>();
  return (
    <>
      {verbsOf(of.host, ends).map((one) => <Act key={one} pending={`${one} ${of.path}`} onPress={() => setVerb(one)} {...(one === 'release' && { tone: 'danger' as const })}>{asked[one].action}</Act>)}
      {verb && <ServiceDialog of={of} id={id} verb={verb} onClose={() => setVerb(undefined)} />}
    </>
  );
}

function ServiceDialog({ of: { path, name }, id, verb, onClose }: { of: Of; id: string | null; verb: ServiceVerb; onClose: () => void }) {
  const { title, says, action, lasting, reason, danger } = asked[verb];
  const [span, setSpan] = useState(lasting === 'needed' ? '1h' : '');
  const [why, setWhy] = useState('');
  const [problem, setProblem] = useState<unknown>();
  const wrong = (field: string) => (problem instanceof ProblemError ? problem.of(field) : undefined);
  const confirm = () =>
    run(
      {
        key: `${verb} ${path}`, label: `${action} ${name}`, path: `${path}/${verb}`,
        body: { ...(lasting !== 'no' && span !== '' && { for: span }), ...(reason !== 'no' && (why !== '' || reason === 'needed') && { reason: why }) },
        ...(id !== null && { until: (event) => event.kind === 'resource' && event.id === id && event.type === shows[verb] }),
      },
      { quiet: true },
    );
  return (
    <Dialog title={`${title} ${name}`} action={action} {...(danger && { danger })} onConfirm={confirm} onClose={onClose} known={['for', 'reason']} onProblem={setProblem}>
      <p>{says}</p>
      {lasting !== 'no' && <TextField label="For how long" value={span} onValue={setSpan} hint={lasting === 'needed' ? 'such as 30m or 4h' : 'such as 30m; by itself 10 s, and twice as long each time in a row'} error={wrong('for')} />}
      {reason !== 'no' && <TextField label={reason === 'needed' ? 'Why' : 'Why (if you like)'} value={why} onValue={setWhy} hint="everybody sees it beside the host" error={wrong('reason')} required={reason === 'needed'} />}
    </Dialog>
  );
}

/** Why a host takes no leases, in a sentence; nothing when it does. */
export function whyOut({ error, quarantined, held, draining, state }: Pick<MachineView, 'error' | 'quarantined' | 'held' | 'draining' | 'state'>): string | null {
  if (state === 'unreachable' || state === 'broken') return error;
  if (held) return held.reason;
  if (quarantined) return quarantined.reason;
  return draining;
}
