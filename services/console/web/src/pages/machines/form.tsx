import type { LiveEvent, MachineTest, MachineView } from '@berth/client';
import { useState } from 'react';
import { run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { ask } from '../../api/request';
import { Dialog } from '../../ui/dialog';
import { SelectField, TextArea, TextField } from '../../ui/field';
import { Facts } from '../../ui/page';
import { ProblemBox } from '../../ui/problem';
import { pairs } from '../../words/text';
import { bodyOf, changesOf, empty, formOf, type Form } from './said';

const fields = [...Object.keys(empty), 'hostKey'];
/** A test is of these; what else there is does not change what is found. */
const tested: readonly (keyof Form)[] = ['address', 'port', 'user', 'credential', 'platform', 'folder'];

/** As in the name of the file that a server keeps its key in. */
const kindOf = (hostKey: string): string => /^(?:ssh-|sk-)?(ed25519|rsa|ecdsa)/.exec(hostKey)?.[1] ?? '*';

const sameKey = (a: string, b: string): boolean => a.split(' ', 2).join(' ') === b.split(' ', 2).join(' ');

/**
 * The form that enrols a machine, or changes one. A key that it shows is looked at by a person before it is trusted; one that is
 * changed in how Berth gets in is tried first, and the key that it is known by needs no second look.
 */
export function MachineForm({ of, onClose }: { of?: MachineView; onClose: () => void }) {
  const [was] = useState(of && formOf(of));
  const [form, setForm] = useState(was ?? empty);
  const [problem, setProblem] = useState<unknown>();
  const [test, setTest] = useState<{ of: string; found: MachineTest }>();
  const [trusted, setTrusted] = useState(false);
  const [testing, setTesting] = useState(false);
  const [failure, setFailure] = useState<unknown>();

  const about = JSON.stringify(tested.map((field) => form[field]));
  const found = test?.of === about ? test.found : undefined;
  const isKnown = found !== undefined && of !== undefined && sameKey(found.hostKey, of.hostKey);
  const control = (field: keyof Form, named: string = field) => ({
    value: form[field],
    onValue: (value: string) => setForm((before) => ({ ...before, [field]: value })),
    error: [problem, failure].map((one) => (one instanceof ProblemError ? one.of(named, true) : undefined)).find((one) => one !== undefined),
  });
  const look = async (): Promise<void> => {
    setTesting(true);
    setFailure(undefined);
    setProblem(undefined);
    try {
      setTest({ of: about, found: await ask<MachineTest>('machines/test', { method: 'POST', body: bodyOf(form) }) });
      setTrusted(false);
    } catch (error) {
      setTest(undefined);
      setFailure(error);
    }
    setTesting(false);
  };
  const check = (): MachineTest => {
    if (!found || !(trusted || isKnown)) throw new ProblemError(0, 'not-tested', found ? 'Compare the fingerprint and confirm it first.' : 'Test the connection first: the key that the machine shows has to be confirmed by you.');
    return found;
  };
  const seen = (name: string, type: string) => (event: LiveEvent) => event.kind === 'machine' && event.id === name && event.type === type;
  const add = async (): Promise<void> => {
    const body = bodyOf(form);
    await run({ key: 'add machine', label: `Machine ${form.name}`, path: 'machines', body: { ...body, hostKey: check().hostKey }, until: seen(form.name, 'MachineAdded') }, { quiet: true });
  };
  const change = async (before: Form, { name, hostKey }: MachineView): Promise<void> => {
    const otherwise = tested.some((field) => form[field] !== before[field]);
    // A machine that was made anew shows another key, and nothing else need be otherwise.
    const newKey = (otherwise || found) && !sameKey(check().hostKey, hostKey) ? { hostKey: check().hostKey } : {};
    const body = { ...changesOf(form, before), ...newKey };
    if (Object.keys(body).length === 0) throw new ProblemError(0, 'invalid-data', 'Nothing is otherwise than it was.');
    await run({ key: `change machine ${name}`, label: `Change of ${name}`, method: 'PATCH', path: `machines/${name}`, body, until: seen(name, 'MachineChanged') }, { quiet: true });
  };
  return (
    <Dialog title={of ? `Edit ${of.name}` : 'Add a machine'} action={of ? 'Save' : 'Add'} wide onConfirm={() => (of && was ? change(was, of) : add())} onClose={onClose} known={fields} onProblem={setProblem}>
      {of && of.busy > 0 && <p>What runs on it goes on as it was. It gives no new leases until the present {of.busy === 1 ? 'one is' : `${of.busy} are`} over, unless only who may use it is changed.</p>}
      <div className="fields">
        {!of && <TextField label="Name" {...control('name')} required hint="letters, digits and dashes" />}
        <TextField label="Address" {...control('address')} required hint="host name or IP address" />
        <TextField label="Port" {...control('port')} inputMode="numeric" />
        <TextField label="User" {...control('user')} required hint="who Berth logs in as" />
        <TextField label="Credential" {...control('credential')} required hint={<>a reference, never the secret: <code>file:PATH</code> of a private key on the gateway, <code>agent</code> or <code>env:NAME</code></>} />
        <SelectField label="Platform" {...control('platform')} options={[['linux', 'Linux'], ['mac', 'Mac'], ['windows', 'Windows']]} />
        <TextField label="Slots" {...control('slots')} inputMode="numeric" hint="how many leases it can hold at once" />
        <TextField label="Folder (if another)" {...control('folder')} hint="of working copies and running commands; its blueprint says when left out" />
        <TextArea label="Attributes" className="whole" rows={2} {...control('attributes')} hint="name=value, with spaces between them: what requests can ask for, beside what is found on the machine" />
        <TextArea label="Projects that may use it" rows={2} {...control('projects', 'allow.projects')} hint="one a line; everybody may when neither projects nor owners are named" />
        <TextArea label="Owners who may use it" rows={2} {...control('owners', 'allow.owners')} hint="one a line" />
      </div>
      <div className="row wrap">
        <button type="button" className="button" onClick={() => void look()} disabled={testing}>{testing && <span className="spinner" aria-hidden />} Test the connection</button>
        {!found && !testing && failure === undefined && <span className="quiet">Logs in and looks around; nothing is kept.</span>}
      </div>
      <ProblemBox error={failure} known={fields} />
      {found && (
        <div className="stack" role="status">
          <Facts of={[['Host key', <code>{found.fingerprint}</code>], ['Kind', found.hostKey.split(' ')[0]], ['Found', pairs(found.facts)]]} />
          {isKnown ? <p>It is the key that {of?.name} is known by.</p> : <label className="row">
            <input type="checkbox" checked={trusted} onChange={(event) => setTrusted(event.target.checked)} /> <span>This is the fingerprint that the machine itself shows{form.platform !== 'windows' && <> (<code>ssh-keygen -lf /etc/ssh/ssh_host_{kindOf(found.hostKey)}_key.pub</code>)</>}.</span>
          </label>}
        </div>
      )}
    </Dialog>
  );
}
