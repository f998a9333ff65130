import type { BlueprintView } from '@berth/client';
import { useRef, useState, type FormEvent } from 'react';
import { Link, useLocation, useParams } from 'wouter';
import { stringify } from 'yaml';
import { run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { useRead } from '../../api/read';
import { Act } from '../../parts/act';
import { Loaded } from '../../ui/empty';
import { Field, SelectField } from '../../ui/field';
import { Page } from '../../ui/page';
import { ProblemBox } from '../../ui/problem';
import { examples } from './examples';
import { located, readSource, type Source } from './source';

const kinds = Object.keys(examples);

/** Changes a blueprint; what is saved is its next version. */
export default function EditBlueprint() {
  const { name = '' } = useParams<{ name: string }>();
  const read = useRead<BlueprintView>(`blueprints/${encodeURIComponent(name)}`);
  const [, go] = useLocation();
  return (
    <Page title={`Edit ${name}`} trail={<Link href="/blueprints">Blueprints</Link>}>
      <Loaded read={read}>{({ spec }) => <Editor text={stringify(spec)} name={name} onLeave={() => go(`/blueprints/${name}`)} />}</Loaded>
    </Page>
  );
}

/** Makes a blueprint, beginning with an example of its kind. */
export function NewBlueprint({ kind, onKind, onLeave }: { kind: string; onKind: (kind: string) => void; onLeave: () => void }) {
  const known = kinds.includes(kind) ? (kind as keyof typeof examples) : 'preallocated';
  return (
    <Page title="New blueprint" trail={<Link href="/blueprints">Blueprints</Link>}>
      <div className="filters"><SelectField label="Begin with" value={known} onValue={onKind} options={kinds} /></div>
      <Editor key={known} text={examples[known]} onLeave={onLeave} />
    </Page>
  );
}

/** The text of a blueprint, and what the service says of it, line by line. */
function Editor({ text: initial, name: fixed, onLeave }: { text: string; name?: string; onLeave: () => void }) {
  const [text, setText] = useState(initial);
  const [problem, setProblem] = useState<unknown>();
  const [source, setSource] = useState<Source>();
  const [check, setCheck] = useState(true);
  const [busy, setBusy] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const faults = problem instanceof ProblemError ? located(problem.errors, source?.lineOf ?? (() => 1)) : [];

  const save = async (): Promise<void> => {
    const read = readSource(text);
    setSource(read);
    const name = fixed ?? read.data['name'];
    if (typeof name !== 'string' || name === '') throw new ProblemError(0, 'invalid-data', 'The blueprint has no name.', [{ field: 'name', message: 'is required: letters, digits and dashes' }]);
    await run({ key: `save blueprint ${name}`, label: `Blueprint ${name}`, method: 'PUT', path: `blueprints/${encodeURIComponent(name)}`, body: read.data, ...(!check && { query: { check: false } }) }, { quiet: true });
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    save().then(onLeave, (error: unknown) => {
      setProblem(error);
      setBusy(false);
    });
  };
  const goTo = (line: number): void => {
    const start = text.split('\n').slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
    const end = text.indexOf('\n', start);
    area.current?.focus();
    area.current?.setSelectionRange(start, end < 0 ? text.length : end);
  };
  return (
    <form onSubmit={submit} className="stack" noValidate>
      <Field label="Specification" hint="YAML or JSON">
        {(control) => <textarea {...control} ref={area} className="input" rows={26} spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} {...(faults.length > 0 && { 'aria-invalid': true })} />}
      </Field>
      {problem !== undefined && <ProblemBox error={problem} known={problem instanceof ProblemError ? problem.errors.map(({ field }) => field) : []} />}
      {faults.length > 0 && (
        <ul className="faults" aria-label="What is wrong">
          {faults.map(({ line, field, message }, i) => (
            <li key={i}><button type="button" className="button small" onClick={() => goTo(line)}>line {line}</button> {!field.startsWith('line ') && <code>{field}</code>} {message}</li>
          ))}
        </ul>
      )}
      <div className="row wrap">
        <Act tone="primary" busy={busy}>Save</Act>
        <button type="button" className="button" onClick={onLeave}>Cancel</button>
        <label className="row"><input type="checkbox" checked={check} onChange={(event) => setCheck(event.target.checked)} /> ask its provider whether it could launch</label>
      </div>
    </form>
  );
}
