import type { ArtifactView, BuildView } from '@berth/client';
import { useState } from 'react';
import { press, run } from '../../api/commands';
import { useWhole } from '../../api/read';
import { Act } from '../../parts/act';
import { Download } from '../../parts/download';
import { LeaseLink } from '../../parts/links';
import { Dialog } from '../../ui/dialog';
import { Loaded } from '../../ui/empty';
import { TextField } from '../../ui/field';
import { Table, type Column } from '../../ui/table';
import { bytes } from '../../words/text';

const isLeased = ({ type }: ArtifactView): boolean => type === 'host' || type === 'working-copy';
const pathOf = (name: string): string => name.split('/').map(encodeURIComponent).join('/');

/** What a build has kept. */
export function Artifacts({ build }: { build: BuildView }) {
  const { id } = build;
  const read = useWhole<ArtifactView>(`builds/${id}/artifacts`);
  const [dropping, setDropping] = useState<ArtifactView>();
  const columns: readonly Column<ArtifactView>[] = [
    { id: 'name', head: 'Name', sort: ({ name }) => name, cell: (artifact) => <Name of={artifact} /> },
    { id: 'type', head: 'Type', width: '112px', sort: ({ type }) => type, cell: ({ type }) => type },
    { id: 'size', head: 'Size', width: '86px', number: true, sort: (one) => one.bytes ?? -1, cell: (one) => one.bytes !== null && <span title={`${one.bytes} bytes`}>{bytes(one.bytes)}</span> },
    { id: 'sha256', head: 'SHA-256', width: '17%', cell: ({ sha256 }) => <span className="mono" title={sha256 ?? ''}>{sha256}</span> },
    { id: 'generation', head: 'Gen.', width: '54px', number: true, sort: ({ generation }) => generation, cell: ({ generation }) => generation },
    { id: 'by', head: 'Added by', width: '100px', cell: ({ by }) => by },
    { id: 'kept', head: 'Kept', width: '92px', cell: (one) => !isLeased(one) && (one.pinned ? 'pinned' : <span className="quiet">as planned</span>) },
    {
      id: 'act', head: '', width: '226px',
      cell: (one) => !isLeased(one) && (
        <span className="row">
          {one.bytes !== null && <Download small path={`builds/${id}/artifacts/${pathOf(one.name)}`} query={{ generation: one.generation }} name={one.name.split('/').at(-1)!} label={`Download ${one.name}`}>Download</Download>}
          <Act needs="build:write" small pending={`pin ${id} ${one.name}`} label={`${one.pinned ? 'Unpin' : 'Pin'} ${one.name}`} onPress={() => press({ key: `pin ${id} ${one.name}`, label: `${one.pinned ? 'Unpin' : 'Pin'} ${one.name}`, path: `builds/${id}/artifacts/pin`, body: { name: one.name, pinned: !one.pinned }, until: (event) => event.id === id && event.type === 'ArtifactPinned' })}>{one.pinned ? 'Unpin' : 'Pin'}</Act>
          <Act needs="build:write" small tone="danger" pending={`drop ${id} ${one.name}`} label={`Drop ${one.name}`} onPress={() => setDropping(one)}>Drop</Act>
        </span>
      ),
    },
  ];
  return (
    <Loaded read={read}>
      {({ items }) => (
        <>
          <Table label="Artifacts" least={980} columns={columns} rows={items} rowKey={({ name, generation }) => `${generation} ${name}`} empty={<>It has kept nothing: a step <code>uses: upload-artifact</code> does.</>} />
          {dropping && <DropDialog build={id} name={dropping.name} onClose={() => setDropping(undefined)} />}
        </>
      )}
    </Loaded>
  );
}

function Name({ of: { name, type, uri } }: { of: ArtifactView }) {
  if (type === 'host' || type === 'working-copy') return <>{name} <LeaseLink id={uri?.split('/').at(-1) ?? ''} /></>;
  if (uri !== null) return <a href={uri} target="_blank" rel="noopener noreferrer" title={uri}>{name}</a>;
  return <span title={name}>{name}</span>;
}

function DropDialog({ build, name, onClose }: { build: string; name: string; onClose: () => void }) {
  const [reason, setReason] = useState('');
  const confirm = () =>
    run({ key: `drop ${build} ${name}`, label: `Drop ${name}`, method: 'DELETE', path: `builds/${build}/artifacts/${pathOf(name)}`, query: { reason }, until: (event) => event.id === build && event.type === 'ArtifactReleased' }, { quiet: true });
  return (
    <Dialog title={`Drop ${name}`} action="Drop it" danger onConfirm={confirm} onClose={onClose}>
      <p>It is removed, of every generation. It cannot be brought back.</p>
      <TextField label="Why (if you like)" value={reason} onValue={setReason} hint="kept in the history of the build" />
    </Dialog>
  );
}
