import { useRef, useState, type FormEvent, type ReactNode } from 'react';
import type { Permission } from '@berth/client';
import { ProblemError } from '../api/problem';
import { tagOf } from '../api/request';
import { Field } from '../ui/field';
import { ProblemBox } from '../ui/problem';
import { Act } from './act';
import { Meanwhile } from './meanwhile';
import { located, readSource, type Source } from './source';

interface EditorProps {
  /** what one begins with */
  text: string;
  needs?: Permission;
  /** what was read, as it is now, where something is changed */
  of?: object;
  /** sends what was written, based on the read with that tag; a "no" is told line by line */
  save: (data: Record<string, unknown>, base: string | undefined) => Promise<unknown>;
  /** after it was saved, or when it is not to be */
  onLeave: () => void;
  /** beside the buttons */
  children?: ReactNode;
}

/** The text of a specification, and what the service says of it, line by line. */
export function YamlEditor({ text: initial, of, needs = 'fleet:write', save, onLeave, children }: EditorProps) {
  const [text, setText] = useState(initial);
  // As it was opened: it may be changed by others while one writes.
  const [base, setBase] = useState(tagOf(of));
  const [problem, setProblem] = useState<unknown>();
  const [source, setSource] = useState<Source>();
  const [busy, setBusy] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const faults = problem instanceof ProblemError ? located(problem.errors, source?.lineOf ?? (() => 1)) : [];

  const send = async (on: string | undefined): Promise<void> => {
    const read = readSource(text);
    setSource(read);
    await save(read.data, on);
  };
  const submit = (on = base): void => {
    setBusy(true);
    setProblem(undefined);
    send(on).then(onLeave, (error: unknown) => {
      setProblem(error);
      setBusy(false);
    });
  };
  const take = (): void => {
    setText(initial);
    setBase(tagOf(of));
    setProblem(undefined);
  };
  const goTo = (line: number): void => {
    const start = text.split('\n').slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
    const end = text.indexOf('\n', start);
    area.current?.focus();
    area.current?.setSelectionRange(start, end < 0 ? text.length : end);
  };
  return (
    <form
      className="stack" noValidate
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        submit();
      }}
    >
      <Field label="Specification" hint="YAML or JSON">
        {(control) => <textarea {...control} ref={area} className="input" rows={26} spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} {...(faults.length > 0 && { 'aria-invalid': true })} />}
      </Field>
      {problem !== undefined && <ProblemBox error={problem} known={problem instanceof ProblemError ? problem.errors.map(({ field }) => field) : []} />}
      <Meanwhile problem={problem} heard={tagOf(of) !== base} onTheirs={take} onMine={() => submit(tagOf(of))} />
      {faults.length > 0 && (
        <ul className="faults" aria-label="What is wrong">
          {faults.map(({ line, field, message }, i) => (
            <li key={i}><button type="button" className="button small" onClick={() => goTo(line)}>line {line}</button> {!field.startsWith('line ') && <code>{field}</code>} {message}</li>
          ))}
        </ul>
      )}
      <div className="row wrap">
        <Act tone="primary" needs={needs} busy={busy}>Save</Act>
        <button type="button" className="button" onClick={onLeave}>Cancel</button>
        {children}
      </div>
    </form>
  );
}

/** The name in a specification that is made anew. @throws {ProblemError} when there is none */
export function nameIn(data: Record<string, unknown>, what: string): string {
  const { name } = data;
  if (typeof name !== 'string' || name === '') throw new ProblemError(0, 'invalid-data', `The ${what} has no name.`, [{ field: 'name', message: 'is required: letters, digits and dashes' }]);
  return name;
}
