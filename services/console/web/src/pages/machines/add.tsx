import type { MachineTest } from '@berth/client';
import { useState } from 'react';
import { run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { ask } from '../../api/request';
import { Dialog } from '../../ui/dialog';
import { SelectField, TextArea, TextField } from '../../ui/field';
import { Facts } from '../../ui/page';
import { ProblemBox } from '../../ui/problem';
import { pairs } from '../../words/text';
import { readAttributes } from './attributes';

const empty = { name: '', address: '', port: '22', user: '', credential: '', platform: 'linux', slots: '1', folder: '', attributes: '' };
type Form = typeof empty;
const fields = Object.keys(empty);
/** A test is of these; what else there is does not change what is found. */
const tested: readonly (keyof Form)[] = ['address', 'port', 'user', 'credential', 'platform', 'folder'];

const number = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);

/** What enrols the machine: the body of the API. @throws {ProblemError} */
function bodyOf({ name, address, port, user, credential, platform, slots, folder, attributes }: Form) {
  return { name, address, port: number(port), user, credential, platform, slots: number(slots), attributes: readAttributes(attributes), ...(folder !== '' && { folder }) };
}

/** As in the name of the file that a server keeps its key in. */
const kindOf = (hostKey: string): string => /^(?:ssh-|sk-)?(ed25519|rsa|ecdsa)/.exec(hostKey)?.[1] ?? '*';

/** The form that enrols a machine. The key that it shows is looked at by a person before it is trusted. */
export function AddMachine({ onClose }: { onClose: () => void }) {
  const [form, setForm] = useState(empty);
  const [problem, setProblem] = useState<unknown>();
  const [test, setTest] = useState<{ of: string; found: MachineTest }>();
  const [trusted, setTrusted] = useState(false);
  const [testing, setTesting] = useState(false);
  const [failure, setFailure] = useState<unknown>();

  const about = JSON.stringify(tested.map((field) => form[field]));
  const found = test?.of === about ? test.found : undefined;
  const control = (field: keyof Form, nested = false) => ({
    value: form[field],
    onValue: (value: string) => setForm((before) => ({ ...before, [field]: value })),
    error: [problem, failure].map((one) => (one instanceof ProblemError ? one.of(field, nested) : undefined)).find((one) => one !== undefined),
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
  const add = async (): Promise<void> => {
    const body = bodyOf(form);
    if (!found || !trusted) throw new ProblemError(0, 'not-tested', found ? 'Compare the fingerprint and confirm it first.' : 'Test the connection first: the key that the machine shows has to be confirmed by you.');
    await run({ key: 'add machine', label: `Machine ${form.name}`, path: 'machines', body: { ...body, hostKey: found.hostKey }, until: (event) => event.kind === 'machine' && event.id === form.name && event.type === 'MachineAdded' }, { quiet: true });
  };
  return (
    <Dialog title="Add a machine" action="Add" wide onConfirm={add} onClose={onClose} known={fields} onProblem={setProblem}>
      <div className="fields">
        <TextField label="Name" {...control('name')} required hint="letters, digits and dashes" />
        <TextField label="Address" {...control('address')} required hint="host name or IP address" />
        <TextField label="Port" {...control('port')} inputMode="numeric" />
        <TextField label="User" {...control('user')} required hint="who Berth logs in as" />
        <TextField label="Credential" {...control('credential')} required hint={<>a reference, never the secret: <code>file:PATH</code> of a private key on the gateway, <code>agent</code> or <code>env:NAME</code></>} />
        <SelectField label="Platform" {...control('platform')} options={[['linux', 'Linux'], ['mac', 'Mac'], ['windows', 'Windows']]} />
        <TextField label="Slots" {...control('slots')} inputMode="numeric" hint="how many leases it can hold at once" />
        <TextField label="Folder (if another)" {...control('folder')} hint="of working copies and running commands; its blueprint says when left out" />
        <TextArea label="Attributes" className="whole" rows={2} {...control('attributes', true)} hint="name=value, with spaces between them: what requests can ask for, beside what is found on the machine" />
      </div>
      <div className="row wrap">
        <button type="button" className="button" onClick={() => void look()} disabled={testing}>{testing && <span className="spinner" aria-hidden />} Test the connection</button>
        {!found && !testing && failure === undefined && <span className="quiet">Logs in and looks around; nothing is kept.</span>}
      </div>
      <ProblemBox error={failure} known={fields} />
      {found && (
        <div className="stack" role="status">
          <Facts of={[['Host key', <code>{found.fingerprint}</code>], ['Kind', found.hostKey.split(' ')[0]], ['Found', pairs(found.facts)]]} />
          <label className="row">
            <input type="checkbox" checked={trusted} onChange={(event) => setTrusted(event.target.checked)} /> <span>This is the fingerprint that the machine itself shows{form.platform !== 'windows' && <> (<code>ssh-keygen -lf /etc/ssh/ssh_host_{kindOf(found.hostKey)}_key.pub</code>)</>}.</span>
          </label>
        </div>
      )}
    </Dialog>
  );
}
