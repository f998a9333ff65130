import type { ImageVersionView } from '@berth/client';
import { useState } from 'react';
import { press, run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { isUnderWay } from '../../parts/image-state';
import { HistoryLink } from '../../parts/links';
import { RemovalButton } from '../../parts/removal';
import { Dialog } from '../../ui/dialog';
import { SelectField, TextArea, TextField } from '../../ui/field';
import { onVersion } from '../images/offers';
import { changed, changesOf, pairsIn, textOf } from './pairs';

type Of = { version: ImageVersionView };

/** What can be done with a version as it is. */
export function Actions({ version }: Of) {
  const [asking, setAsking] = useState<'abort' | 'mark' | 'revoke'>();
  const [mayBuild, mayWrite] = [useHas('images:build'), useHas('images:write')];
  const { id, number, image, status, revoked } = version;
  const gone = status === 'DELETED' || status === 'DELETING';
  const close = (): void => setAsking(undefined);
  const restore = () => press({ key: `revoke ${id}`, label: `Version ${number} restored`, path: `versions/${id}/restore`, body: {}, until: onVersion(image, id, 'VersionRestored') });
  return (
    <>
      <HistoryLink id={image} />
      {mayBuild && (status === 'BUILDING' || status === 'PENDING') && <Act needs="images:build" tone="danger" pending={`abort ${id}`} onPress={() => setAsking('abort')}>Abort</Act>}
      {mayWrite && !gone && <Act needs="images:write" pending={`mark ${id}`} onPress={() => setAsking('mark')}>Mark</Act>}
      {mayWrite && !gone && (revoked === null || !revoked.holds) && <Act needs="images:write" tone="danger" pending={`revoke ${id}`} onPress={() => setAsking('revoke')}>{revoked ? 'Revoke now' : 'Revoke'}</Act>}
      {mayWrite && !gone && revoked && <Act needs="images:write" pending={`revoke ${id}`} onPress={restore}>Restore</Act>}
      {!gone && !isUnderWay(status) && (
        <RemovalButton
          title={`Remove version ${number}`} cascade="also what was built and pushed of it, and channels that point at it go back"
          command={{ key: `remove ${id}`, label: `Removal of version ${number}`, path: `versions/${id}`, until: onVersion(image, id, 'DeletionStarted', 'Deleted') }}
          says="What must be removed by hand is told once it is gone."
        />
      )}
      {asking === 'abort' && <AbortDialog version={version} onClose={close} />}
      {asking === 'mark' && <MarkDialog version={version} onClose={close} />}
      {asking === 'revoke' && <RevokeDialog version={version} onClose={close} />}
    </>
  );
}

function AbortDialog({ version: { id, image, number }, onClose }: Of & { onClose: () => void }) {
  const [reason, setReason] = useState('');
  const confirm = () => run({ key: `abort ${id}`, label: `Abort version ${number}`, path: `versions/${id}/abort`, body: reason === '' ? {} : { reason }, until: onVersion(image, id, 'VersionEnded') }, { quiet: true });
  return (
    <Dialog title={`Abort version ${number}`} action="Abort it" danger onConfirm={confirm} onClose={onClose}>
      <p>What is being built of it has failed then, and can be built again.</p>
      <TextField label="Why (if you like)" value={reason} onValue={setReason} hint="kept in its history" />
    </Dialog>
  );
}

const uses = [['active', 'active: it is offered'], ['deprecated', 'deprecated: it is hidden, and may be launched'], ['disabled', 'disabled: it may not be launched']] as const;

function MarkDialog({ version: { id, image, number, use }, onClose }: Of & { onClose: () => void }) {
  // As it was opened: what others say meanwhile is not taken back by whoever left this as it was.
  const [was] = useState(use);
  const [as, setAs] = useState<string>(use);
  const [reason, setReason] = useState('');
  const confirm = async (): Promise<unknown> =>
    as === was ? undefined : run({ key: `mark ${id}`, label: `Version ${number} is ${as}`, path: `versions/${id}/mark`, body: { as, ...(reason !== '' && { reason }) }, until: onVersion(image, id, 'VersionMarked') }, { quiet: true });
  return (
    <Dialog title={`Mark version ${number}`} action="Mark" onConfirm={confirm} onClose={onClose}>
      <SelectField label="As" value={as} onValue={setAs} options={uses} />
      <TextField label="Why (if you like)" value={reason} onValue={setReason} hint="everybody sees it beside the version" />
    </Dialog>
  );
}

function RevokeDialog({ version: { id, image, number, channels }, onClose }: Of & { onClose: () => void }) {
  const [later, setLater] = useState('');
  const [reason, setReason] = useState('');
  const [cascade, setCascade] = useState(true);
  const [problem, setProblem] = useState<unknown>();
  const wrong = (field: string) => (problem instanceof ProblemError ? problem.of(field) : undefined);
  const confirm = () =>
    run(
      { key: `revoke ${id}`, label: `Revocation of version ${number}`, path: `versions/${id}/revoke`, body: { ...(later !== '' && { at: new Date(later).toISOString() }), ...(reason !== '' && { reason }), cascade }, until: onVersion(image, id, 'VersionRevoked', 'RevocationDue') },
      { quiet: true },
    );
  return (
    <Dialog title={`Revoke version ${number}`} action="Revoke" danger onConfirm={confirm} onClose={onClose} known={['at', 'reason']} onProblem={setProblem}>
      <p>No host is launched from it any more.{channels.length > 0 && ` ${channels.join(', ')} ${channels.length === 1 ? 'goes' : 'go'} back to the version before that may be used.`}</p>
      <TextField label="From when on" type="datetime-local" value={later} onValue={setLater} hint="at once when empty" error={wrong('at')} />
      <TextField label="Why" value={reason} onValue={setReason} hint="everybody sees it beside the version" error={wrong('reason')} />
      <label className="row"><input type="checkbox" checked={cascade} onChange={(event) => setCascade(event.target.checked)} /> <span>also all that is made of it</span></label>
    </Dialog>
  );
}

/** Labels and attributes: who may change them, the route, and the event that says so. */
const kinds = {
  labels: { needs: 'images:build', shows: 'LabelsSet', says: 'They say what it is for, and stay as they are once it is complete.' },
  attributes: { needs: 'images:write', shows: 'AttributesSet', says: 'The warehouse is asked by them, at any time.' },
} as const;

/** A button that has the labels or the attributes of a version changed, for whoever may. */
export function EditPairs({ version: { id, image, number, status, ...of }, what }: Of & { what: keyof typeof kinds }) {
  const { needs, shows, says } = kinds[what];
  const now = of[what];
  const has = useHas(needs);
  const [asking, setAsking] = useState(false);
  // As it was opened: what others add meanwhile stays.
  const [before, setBefore] = useState(now);
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<unknown>();
  if (!has || status === 'DELETED') return null;
  const confirm = async (): Promise<unknown> => {
    const { given, wrong } = pairsIn(text);
    if (wrong.length > 0) throw new ProblemError(0, 'invalid-data', 'Not all lines can be read.', [{ field: what, message: `line ${wrong.join(', ')}: write NAME=VALUE` }]);
    const changes = changesOf(before, given);
    if (Object.keys(changes).length === 0) return undefined;
    return run({ key: `${what} ${id}`, label: `The ${what} of version ${number}`, method: 'PUT', path: `versions/${id}/${what}`, body: { [what]: what === 'labels' ? changed(now, changes) : changes }, until: onVersion(image, id, shows) }, { quiet: true });
  };
  const ask = (): void => {
    setBefore(now);
    setText(textOf(now));
    setAsking(true);
  };
  return (
    <>
      <Act needs={needs} small pending={`${what} ${id}`} label={`Change the ${what}`} onPress={ask}>Change</Act>
      {asking && (
        <Dialog title={`Change the ${what} of version ${number}`} action="Save" onConfirm={confirm} onClose={() => setAsking(false)} known={[what]} onProblem={setProblem}>
          <p>{says}</p>
          <TextArea label="One a line" rows={6} placeholder="NAME=VALUE" value={text} onValue={setText} error={problem instanceof ProblemError ? problem.of(what, true) : undefined} />
        </Dialog>
      )}
    </>
  );
}
