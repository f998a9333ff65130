import './source.css';
import { useRef, useState, type FormEvent, type ReactNode } from 'react';
import type { Permission } from '@berth/client';
import type { FieldError } from '@berth/contracts';
import { ProblemError } from '../api/problem';
import { tagOf } from '../api/request';
import { Field } from '../ui/field';
import { ProblemBox } from '../ui/problem';
import { Act } from './act';
import { faultsOf, offsetOf, type Fault } from './faults';
import { Meanwhile } from './meanwhile';

const LINES = 22;

interface EditorProps {
  label: string;
  hint: ReactNode;
  /** what one begins with */
  text: string;
  needs: Permission;
  /** on the button that saves */
  action: string;
  /** what was read, as it is now, where something is changed */
  of?: object | undefined;
  /** saves the text, based on the read with that tag, and leaves */
  save: (text: string, base: string | undefined) => Promise<void>;
  /** has the text read and saves nothing; gives what it is, in a sentence */
  check: (text: string) => Promise<string>;
  onCancel: () => void;
  /** of what the service says is wrong, what is wrong with the text */
  isOfText?: (error: FieldError) => boolean;
  /** it was begun anew with what is there now: so has what `children` show to be */
  onTheirs?: () => void;
  /** told of each "no", for `children` to show */
  onProblem?: (error: unknown) => void;
  /** fields of the form besides the text, which show what is wrong with them by themselves */
  children?: ReactNode;
}

/** A text that the service reads itself, and what it says of it, line by line. */
export function SourceEditor({ label, hint, text: initial, of, needs, action, save, check, onCancel, isOfText = () => true, onTheirs, onProblem, children }: EditorProps) {
  const [text, setText] = useState(initial);
  // As it was opened: it may be changed by others while one writes.
  const [base, setBase] = useState(tagOf(of));
  const [problem, setProblem] = useState<unknown>();
  const [fine, setFine] = useState<string>();
  const [busy, setBusy] = useState<'save' | 'check'>();
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const faults = problem instanceof ProblemError ? faultsOf(problem.errors.filter(isOfText), text) : [];

  const send = async (what: 'save' | 'check', on = base): Promise<void> => {
    setBusy(what);
    setProblem(undefined);
    onProblem?.(undefined);
    setFine(undefined);
    try {
      if (what === 'check') setFine(await check(text));
      else await save(text, on);
    } catch (error) {
      setProblem(error);
      onProblem?.(error);
    } finally {
      setBusy(undefined);
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void send('save');
  };
  const take = (): void => {
    setText(initial);
    setBase(tagOf(of));
    setProblem(undefined);
    onProblem?.(undefined);
    onTheirs?.();
  };
  const goTo = ({ line, column }: Fault): void => {
    const start = offsetOf(text, line, column);
    const end = text.indexOf('\n', start);
    area.current?.focus();
    area.current?.setSelectionRange(start, end < 0 ? text.length : end);
  };
  const bad = new Set(faults.map(({ line }) => line));
  const count = text.split('\n').length;
  return (
    <form onSubmit={submit} className="stack" noValidate>
      <Field label={label} hint={hint}>
        {(control) => (
          <div className="editor">
            <div className="gutter" ref={gutter} aria-hidden><div>{Array.from({ length: count }, (_, i) => <span key={i} className={bad.has(i + 1) ? 'fault' : ''} style={{ display: 'block' }}>{i + 1}</span>)}</div></div>
            <textarea
              {...control} ref={area} className="input" rows={LINES} spellCheck={false} wrap="off" value={text} onChange={(event) => setText(event.target.value)} {...(faults.length > 0 && { 'aria-invalid': true })}
              onScroll={() => {
                gutter.current!.scrollTop = area.current!.scrollTop;
              }}
            />
          </div>
        )}
      </Field>
      {children}
      {faults.length === 0 && <ProblemBox error={problem} known={problem instanceof ProblemError ? problem.errors.filter((error) => !isOfText(error)).map(({ field }) => field) : []} />}
      <Meanwhile problem={problem} heard={tagOf(of) !== base} onTheirs={take} onMine={() => void send('save', tagOf(of))} />
      {faults.length > 0 && <p className="note bad" role="alert">{faults.length === 1 ? 'One thing is wrong with it.' : `${faults.length} things are wrong with it.`}</p>}
      {faults.length > 0 && (
        <ul className="faults" aria-label="What is wrong">
          {faults.map((fault, i) => (
            <li key={i}>{fault.line > 0 && <button type="button" className="button small" onClick={() => goTo(fault)}>line {fault.line}{fault.column > 0 && `, column ${fault.column}`}</button>} {fault.field !== undefined && <code>{fault.field}</code>} {fault.message}</li>
          ))}
        </ul>
      )}
      {fine !== undefined && <p className="note" role="status">{fine}</p>}
      <div className="row wrap">
        <Act needs={needs} tone="primary" busy={busy === 'save'}>{action}</Act>
        <button type="button" className="button" disabled={busy !== undefined} onClick={() => void send('check')}>{busy === 'check' && <span className="spinner" aria-hidden />} Check</button>
        <button type="button" className="button" onClick={onCancel}>Cancel</button>
      </div>
    </form>
  );
}
