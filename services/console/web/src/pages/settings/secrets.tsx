import type { Page, SecretView } from '@berth/client';
import { useState } from 'react';
import { run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { useRead } from '../../api/read';
import { Act } from '../../parts/act';
import { Dialog } from '../../ui/dialog';
import { Loaded } from '../../ui/empty';
import { TextArea, TextField } from '../../ui/field';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { withoutLineBreak } from './words';

interface Asked {
  what: 'set' | 'remove';
  /** undefined: a new one */
  name?: string;
}

const columnsWith = (onAsk: (asked: Asked) => void): readonly Column<SecretView>[] => [
  { id: 'name', head: 'Secret', sort: ({ name }) => name, cell: ({ name }) => <span title={name}>{name}</span> },
  { id: 'by', head: 'Set by', width: '28%', sort: ({ by }) => by, cell: ({ by }) => <span title={by}>{by}</span> },
  { id: 'set', head: 'Set', width: '110px', number: true, sort: ({ set }) => -Date.parse(set), cell: ({ set }) => <Ago at={set} /> },
  {
    id: 'act', head: '', width: '160px',
    cell: ({ name }) => (
      <span className="row">
        <Act needs="secrets:write" small pending={`secret ${name}`} label={`Replace ${name}`} onPress={() => onAsk({ what: 'set', name })}>Replace</Act>
        <Act needs="secrets:write" small tone="danger" pending={`secret ${name}`} label={`Remove ${name}`} onPress={() => onAsk({ what: 'remove', name })}>Remove</Act>
      </span>
    ),
  },
];

/** Names of the secrets that plans and commands are given; never a value. */
export default function Secrets() {
  const [asked, ask] = useState<Asked>();
  return (
    <>
      <div className="row"><Act needs="secrets:write" tone="primary" onPress={() => ask({ what: 'set' })}>New secret</Act></div>
      <List onAsk={ask} />
      {asked?.what === 'set' && <SetDialog name={asked.name} onClose={() => ask(undefined)} />}
      {asked?.what === 'remove' && asked.name !== undefined && <RemoveDialog name={asked.name} onClose={() => ask(undefined)} />}
    </>
  );
}

function List({ onAsk }: { onAsk: (asked: Asked) => void }) {
  const read = useRead<Page<SecretView>>('secrets');
  return <Loaded read={read}>{({ items }) => <Table label="Secrets" least={640} columns={columnsWith(onAsk)} rows={items} rowKey={({ name }) => name} empty="There is no secret yet: a plan names those that its steps are given." />}</Loaded>;
}

const seen = (name: string, type: string) => (event: { kind: string; type: string; data: unknown }) => event.kind === 'secret' && event.type === type && (event.data as { name?: unknown }).name === name;

function SetDialog({ name: known, onClose }: { name: string | undefined; onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const [value, setValue] = useState('');
  const [problem, setProblem] = useState<unknown>();
  const name = known ?? typed;
  const confirm = async (): Promise<void> => {
    if (name === '') throw new ProblemError(0, 'invalid-data', 'The secret has no name.', [{ field: 'name', message: 'is required: letters, digits, ".", "_" or "-"' }]);
    await run({ key: `secret ${name}`, label: `Secret ${name} set`, method: 'PUT', path: `secrets/${encodeURIComponent(name)}`, body: withoutLineBreak(value), type: 'application/octet-stream', until: seen(name, 'SecretSet') }, { quiet: true });
  };
  return (
    <Dialog title={known === undefined ? 'New secret' : `Replace ${known}`} action="Set it" onConfirm={confirm} onClose={onClose} known={['name']} onProblem={setProblem}>
      {known === undefined ? <TextField label="Name" value={typed} onValue={setTyped} hint="one that is there already gets another value" error={problem instanceof ProblemError ? problem.of('name') : undefined} required /> : <p>A new value counts from the next command on.</p>}
      <TextArea label="Value" rows={4} autoComplete="off" value={value} onValue={setValue} hint="4 bytes to 64 KiB; one line break at its end does not count. It is never shown again." required />
    </Dialog>
  );
}

function RemoveDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const confirm = () => run({ key: `secret ${name}`, label: `Secret ${name} removed`, method: 'DELETE', path: `secrets/${encodeURIComponent(name)}`, until: seen(name, 'SecretRemoved') }, { quiet: true });
  return (
    <Dialog title={`Remove ${name}`} action="Remove it" danger onConfirm={confirm} onClose={onClose}>
      <p>What needs it fails from the next command on. Its value cannot be brought back.</p>
    </Dialog>
  );
}
