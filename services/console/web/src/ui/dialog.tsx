import { useEffect, useId, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { ProblemBox } from './problem';

interface DialogProps {
  title: string;
  /** what it says and asks */
  children?: ReactNode;
  /** on the button that does it */
  action: string;
  danger?: boolean;
  /** it tells and does not ask, so there is nothing to be cancelled */
  tells?: boolean;
  wide?: boolean;
  /** resolves when it was done, which closes the dialog; a "no" is shown in it */
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
  /** fields of the form that show what is wrong with them by themselves */
  known?: readonly string[];
  /** told of each "no", for fields to show */
  onProblem?: (error: unknown) => void;
}

/** Asks before something is done. The browser keeps the focus in it and gives it back. */
export function Dialog({ title, children, action, danger, tells, wide, onConfirm, onClose, known, onProblem }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    onProblem?.(undefined);
    onConfirm().then(onClose, (error: unknown) => {
      setProblem(error);
      onProblem?.(error);
      setBusy(false);
    });
  };
  return (
    <dialog ref={dialog} className={wide ? 'wide' : ''} aria-labelledby={heading} onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <h2 id={heading}>{title}</h2>
        {children}
        <ProblemBox error={problem} {...(known && { known })} />
        <footer>
          {!tells && <button type="button" className="button" onClick={onClose}>Cancel</button>}
          <button type="submit" className={`button ${danger ? 'danger' : 'primary'}`} disabled={busy}>
            {busy && <span className="spinner" aria-hidden />} {action}
          </button>
        </footer>
      </form>
    </dialog>
  );
}
