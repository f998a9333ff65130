import type { NewToken, Page, TokenView } from '@berth/client';
import type { Role } from '@berth/contracts';
import { useState } from 'react';
import { run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { useRead } from '../../api/read';
import { useSession } from '../../api/session';
import { Act } from '../../parts/act';
import { ShownOnce } from '../../parts/shown-once';
import { Badge } from '../../ui/badge';
import { Dialog } from '../../ui/dialog';
import { Loaded } from '../../ui/empty';
import { SelectField, TextField } from '../../ui/field';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { wordsOf } from './words';

const DAY = 86_400_000;
const roles = [['viewer', 'viewer: sees'], ['builder', 'builder: also leases and builds'], ['operator', 'operator: also runs the fleet'], ['admin', 'admin: everything']] as const satisfies readonly (readonly [Role, string])[];
const spans = [['', 'never'], ['1', 'after a day'], ['7', 'after a week'], ['30', 'after 30 days'], ['90', 'after 90 days'], ['365', 'after a year']] as const;
const never = <span className="quiet">never</span>;

const columns: readonly Column<TokenView>[] = [
  { id: 'name', head: 'Token', width: '18%', sort: ({ name }) => name, cell: ({ name }) => <span title={name}>{name}</span> },
  { id: 'state', head: 'State', width: '106px', sort: ({ state }) => state, cell: ({ state }) => <Badge status={state} /> },
  { id: 'role', head: 'Role', width: '88px', sort: ({ role }) => role, cell: ({ role }) => role },
  { id: 'projects', head: 'Projects', cell: ({ projects }) => (projects === null ? <span className="quiet">all</span> : <span title={projects.join(', ')}>{projects.join(', ')}</span>) },
  { id: 'by', head: 'Made by', width: '15%', sort: ({ createdBy }) => createdBy, cell: ({ createdBy }) => <span title={createdBy}>{createdBy}</span> },
  { id: 'created', head: 'Made', width: '94px', number: true, sort: ({ created }) => -Date.parse(created), cell: ({ created }) => <Ago at={created} /> },
  { id: 'expires', head: 'Expires', width: '94px', number: true, sort: ({ expires }) => (expires === null ? Infinity : Date.parse(expires)), cell: ({ expires }) => (expires === null ? never : <Ago at={expires} />) },
  { id: 'used', head: 'Last used', width: '94px', number: true, sort: ({ lastUsed }) => (lastUsed === null ? Infinity : -Date.parse(lastUsed)), cell: ({ lastUsed }) => (lastUsed === null ? never : <Ago at={lastUsed} />) },
];

/** Tokens of the API: whom they are of, and until when. */
export default function Tokens() {
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<NewToken>();
  return (
    <>
      <div className="row"><Act needs="tokens:write" tone="primary" onPress={() => setMaking(true)}>New token</Act></div>
      <List />
      {making && <NewDialog onMade={setMade} onClose={() => setMaking(false)} />}
      {made && <ShownOnce title={`Token ${made.name}`} label="The token" value={made.secret} onClose={() => setMade(undefined)}>It is shown this once: Berth keeps its hash alone.</ShownOnce>}
    </>
  );
}

function List() {
  const read = useRead<Page<TokenView>>('tokens');
  const [revoking, setRevoking] = useState<string>();
  const act: Column<TokenView> = {
    id: 'act', head: '', width: '84px',
    cell: ({ name, state }) => state === 'live' && <Act needs="tokens:write" small tone="danger" pending={`revoke ${name}`} label={`Revoke ${name}`} onPress={() => setRevoking(name)}>Revoke</Act>,
  };
  return (
    <Loaded read={read}>
      {({ items }) => (
        <>
          <Table label="Tokens" least={960} columns={[...columns, act]} rows={items} rowKey={({ name }) => name} empty="There is no token but that of the installation itself." />
          {revoking !== undefined && <RevokeDialog name={revoking} onClose={() => setRevoking(undefined)} />}
        </>
      )}
    </Loaded>
  );
}

function NewDialog({ onMade, onClose }: { onMade: (token: NewToken) => void; onClose: () => void }) {
  const [{ name, role, projects, days }, setValues] = useState<{ name: string; role: string; projects: string; days: string }>({ name: '', role: 'builder', projects: '', days: '90' });
  const [problem, setProblem] = useState<unknown>();
  const set = (field: string) => (value: string) => setValues((now) => ({ ...now, [field]: value }));
  const wrong = (field: string) => (problem instanceof ProblemError ? problem.of(field, true) : undefined);
  const confirm = async (): Promise<void> => {
    const listed = wordsOf(projects);
    const expires = days === '' ? {} : { expires: new Date(Date.now() + Number(days) * DAY).toISOString() };
    onMade(await run<NewToken>({ key: 'new token', label: `Token ${name}`, path: 'tokens', body: { name, role, projects: listed.length === 0 ? null : listed, ...expires } }, { quiet: true }));
  };
  return (
    <Dialog title="New token" action="Make it" onConfirm={confirm} onClose={onClose} known={['name', 'role', 'projects', 'expires']} onProblem={setProblem}>
      <TextField label="Name" value={name} onValue={set('name')} hint="what it does is in the history as token:NAME" error={wrong('name')} required />
      <SelectField label="Role" value={role} onValue={set('role')} options={roles} error={wrong('role')} />
      <TextField label="Projects" value={projects} onValue={set('projects')} hint="with commas between: it sees and touches only what acts for them; all when empty" error={wrong('projects')} />
      <SelectField label="Expires" value={days} onValue={set('days')} options={spans} error={wrong('expires')} />
    </Dialog>
  );
}

function RevokeDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const session = useSession();
  const own = session.status === 'in' && session.me.actor === `token:${name}`;
  const confirm = () => run({ key: `revoke ${name}`, label: `Token ${name} revoked`, method: 'DELETE', path: `tokens/${encodeURIComponent(name)}`, until: (event) => event.kind === 'token' && event.id === name && event.type === 'TokenRevoked' }, { quiet: true });
  return (
    <Dialog title={`Revoke ${name}`} action="Revoke it" danger onConfirm={confirm} onClose={onClose}>
      <p>It opens nothing any more. The sessions that were begun with it, and the logs, feeds and terminals that it follows, end. It cannot be brought back.</p>
      {own && <p className="note wait">You are signed in with it: you will be signed out.</p>}
    </Dialog>
  );
}
