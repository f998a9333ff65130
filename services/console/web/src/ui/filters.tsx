import { useEffect, useState, type ReactNode } from 'react';
import { Field, SelectField } from './field';
import { useParam } from './params';

const TYPING_MS = 250;

/** The bar above a list. */
export function Filters({ children }: { children: ReactNode }) {
  return <div className="filters" role="search">{children}</div>;
}

/** A filter of the address that is typed; the list follows when the typing pauses. */
export function TextFilter({ name, label, placeholder }: { name: string; label: string; placeholder?: string }) {
  const [value, set] = useParam(name);
  const [typed, setTyped] = useState(value);
  const [seen, setSeen] = useState(value);
  // The address was changed by something else, such as going back.
  if (seen !== value) {
    setSeen(value);
    setTyped(value);
  }
  useEffect(() => {
    if (typed === value) return undefined;
    const timer = setTimeout(() => set(typed), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, value, set]);
  return (
    <Field label={label}>
      {(control) => <input className="input" type="search" autoComplete="off" {...control} value={typed} placeholder={placeholder} onChange={(event) => setTyped(event.target.value)} />}
    </Field>
  );
}

/** A filter of the address that is chosen; the first choice is none. */
export function SelectFilter({ name, label, options, all = 'all' }: { name: string; label: string; options: readonly (string | readonly [string, string])[]; all?: string }) {
  const [value, set] = useParam(name);
  return <SelectField label={label} value={value} onValue={set} options={[['', all], ...options]} />;
}
