import './plans.css';
import { useRef, useState, type FormEvent } from 'react';
import { Link } from 'wouter';
import { run, type Command } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { Act } from '../../parts/act';
import { Field } from '../../ui/field';
import { Page } from '../../ui/page';
import { ProblemBox } from '../../ui/problem';
import { faultsOf, offsetOf } from './faults';

const BEGINNING = `name: hello
host: { os: linux }
variables:
  WHO: { default: world, description: who is greeted }
steps:
  - name: Greet
    run: echo "Hello, $WHO"
`;
const LINES = 22;

/** Writes a plan, beginning with a small one. */
export function NewPlan({ onLeave }: { onLeave: (saved?: string) => void }) {
  return <Page title="New plan" trail={<Link href="/plans">Plans</Link>}><Editor text={BEGINNING} onLeave={onLeave} /></Page>;
}

interface Read {
  name: string;
  steps: { id: string; name: string }[];
}

/** The text of a plan, and what the service says of it, line by line. What is saved is its next version. */
export function Editor({ text: initial, version = 0, onLeave }: { text: string; version?: number; onLeave: (saved?: string) => void }) {
  const [text, setText] = useState(initial);
  const [problem, setProblem] = useState<unknown>();
  const [fine, setFine] = useState<Read>();
  const [busy, setBusy] = useState<'save' | 'check'>();
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const faults = problem instanceof ProblemError ? faultsOf(problem.errors) : [];

  const send = async <T,>(what: 'save' | 'check', command: Pick<Command, 'label' | 'path'>): Promise<T | undefined> => {
    setBusy(what);
    setProblem(undefined);
    setFine(undefined);
    try {
      return await run<T>({ key: `${what} plan`, body: text, type: 'application/yaml', ...command }, { quiet: true });
    } catch (error) {
      setProblem(error);
      return undefined;
    } finally {
      setBusy(undefined);
    }
  };
  const check = async (): Promise<void> => setFine(await send<Read>('check', { label: 'Check of the plan', path: 'plans/validate' }));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void send<{ name: string }>('save', { label: 'Plan', path: 'plans' }).then((saved) => saved && onLeave(saved.name));
  };
  const goTo = (line: number, column: number): void => {
    const start = offsetOf(text, line, column);
    const end = text.indexOf('\n', start);
    area.current?.focus();
    area.current?.setSelectionRange(start, end < 0 ? text.length : end);
  };
  const bad = new Set(faults.map(({ line }) => line));
  const count = text.split('\n').length;
  return (
    <form onSubmit={submit} className="stack" noValidate>
      <Field label="Plan" hint={<>YAML or JSON; <code>docs/reference/plan.md</code> says what may stand in it</>}>
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
      {faults.length === 0 && <ProblemBox error={problem} />}
      {faults.length > 0 && <p className="note bad" role="alert">{faults.length === 1 ? 'One thing is wrong with it.' : `${faults.length} things are wrong with it.`}</p>}
      {faults.length > 0 && (
        <ul className="faults" aria-label="What is wrong">
          {faults.map(({ line, column, field, message }, i) => (
            <li key={i}>{line > 0 && <button type="button" className="button small" onClick={() => goTo(line, column)}>line {line}, column {column}</button>} {field !== undefined && <code>{field}</code>} {message}</li>
          ))}
        </ul>
      )}
      {fine && <p className="note" role="status">It can be saved as {fine.name}: {fine.steps.length} {fine.steps.length === 1 ? 'step' : 'steps'}, {fine.steps.map(({ name }) => name).join(', ')}.</p>}
      <div className="row wrap">
        <Act needs="plan:write" tone="primary" busy={busy === 'save'}>{version === 0 ? 'Save' : `Save as version ${version + 1}`}</Act>
        <button type="button" className="button" disabled={busy !== undefined} onClick={() => void check()}>{busy === 'check' && <span className="spinner" aria-hidden />} Check</button>
        <button type="button" className="button" onClick={() => onLeave()}>Cancel</button>
      </div>
    </form>
  );
}
