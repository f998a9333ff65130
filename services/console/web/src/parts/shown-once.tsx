import { useEffect, useRef, useState, type ReactNode } from 'react';
import { Dialog } from '../ui/dialog';
import { Field } from '../ui/field';

/** Shows what is never shown again, to be copied. */
export function ShownOnce({ title, label, value, children, onClose }: { title: string; label: string; value: string; children: ReactNode; onClose: () => void }) {
  const text = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const [said, setSaid] = useState('');
  // Whoever presses Enter once more copies it, rather than losing it.
  useEffect(() => button.current?.focus(), []);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(value);
      setSaid('Copied.');
    } catch {
      // Browsers let a page do so only over TLS or on this machine.
      text.current?.select();
      setSaid('This browser does not let the page copy it: it is selected, so copy it with the keyboard.');
    }
  };
  return (
    <Dialog title={title} action="Done" tells onConfirm={() => Promise.resolve()} onClose={onClose}>
      <p>{children}</p>
      <Field label={label}>
        {(control) => (
          <div className="row">
            <input {...control} ref={text} className="input mono grow" readOnly value={value} />
            <button type="button" ref={button} className="button" onClick={() => void copy()}>Copy</button>
          </div>
        )}
      </Field>
      <p role="status" className="quiet">{said}</p>
    </Dialog>
  );
}
