import type { BuildView } from '@berth/client';
import { useState } from 'react';
import { press, run, type Command } from '../../api/commands';
import { Act } from '../../parts/act';
import { isOver } from '../../parts/over';
import { Dialog } from '../../ui/dialog';
import { SelectField, TextField } from '../../ui/field';

type Verb = 'pause' | 'resume' | 'abort' | 'restart';
/** What each does, as an event that the feed will show. */
const shows: Record<Verb, string> = { pause: 'BuildPaused', resume: 'BuildResumed', abort: 'BuildAborted', restart: 'BuildRestarted' };
const words: Record<Verb, string> = { pause: 'Pause', resume: 'Resume', abort: 'Abort', restart: 'Restart' };
const places = [['any', 'on any host'], ['same', 'on the same hosts, if they can be had'], ['other', 'on other hosts']] as const;

const commandOf = ({ id, plan }: BuildView, verb: Verb, body: object): Command => ({
  key: `${verb} ${id}`, label: `${words[verb]} ${plan}`, path: `builds/${id}/${verb}`, body, until: (event) => event.id === id && event.type === shows[verb],
});

/** What can be told to a build as it is. */
export function Controls({ build }: { build: BuildView }) {
  const [asking, setAsking] = useState<'abort' | 'restart'>();
  const { id, status } = build;
  const live = !isOver(status);
  return (
    <>
      {live && status !== 'paused' && <Act needs="build:write" pending={`pause ${id}`} onPress={() => press(commandOf(build, 'pause', {}))}>Pause</Act>}
      {status === 'paused' && <Act needs="build:write" pending={`resume ${id}`} onPress={() => press(commandOf(build, 'resume', {}))}>Resume</Act>}
      <Act needs="build:write" pending={`restart ${id}`} onPress={() => setAsking('restart')}>Restart</Act>
      {live && <Act needs="build:write" pending={`abort ${id}`} tone="danger" onPress={() => setAsking('abort')}>Abort</Act>}
      {asking === 'abort' && <AbortDialog build={build} onClose={() => setAsking(undefined)} />}
      {asking === 'restart' && <RestartDialog build={build} onClose={() => setAsking(undefined)} />}
    </>
  );
}

function AbortDialog({ build, onClose }: { build: BuildView; onClose: () => void }) {
  const [reason, setReason] = useState('');
  return (
    <Dialog title={`Abort ${build.plan}`} action="Abort it" danger onClose={onClose} onConfirm={() => run(commandOf(build, 'abort', reason === '' ? {} : { reason }), { quiet: true })}>
      <p>What runs of it is ended on its hosts, and what it used is cleaned up.</p>
      <TextField label="Why (if you like)" value={reason} onValue={setReason} hint="kept in its history" />
    </Dialog>
  );
}

function RestartDialog({ build, onClose }: { build: BuildView; onClose: () => void }) {
  const [host, setHost] = useState('any');
  const [reason, setReason] = useState('');
  return (
    <Dialog title={`Restart ${build.plan}`} action="Restart it" onClose={onClose} onConfirm={() => run(commandOf(build, 'restart', { host, ...(reason !== '' && { reason }) }), { quiet: true })}>
      <p>{isOver(build.status) ? 'It begins anew as a further generation; what this one has kept stays.' : 'What runs of it is ended first; then it begins anew as a further generation.'}</p>
      <SelectField label="Where" value={host} onValue={setHost} options={places} />
      <TextField label="Why (if you like)" value={reason} onValue={setReason} hint="kept in its history" />
    </Dialog>
  );
}
