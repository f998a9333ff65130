import { useId, type ChangeEvent, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes } from 'react';

interface Around {
  label: string;
  hint?: ReactNode;
  /** what is wrong with it, in the words of the API */
  error?: string | undefined;
  className?: string;
}
type Described = { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true };

/** A label, its control, a hint and what is wrong, joined for whoever does not see them side by side. */
export function Field({ label, hint, error, className = '', children }: Around & { children: (control: Described) => ReactNode }) {
  const id = useId();
  const told = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`].filter(Boolean).join(' ');
  return (
    <div className={`field ${className}`}>
      <label htmlFor={id}>{label}</label>
      {children({ id, ...(told && { 'aria-describedby': told }), ...(error !== undefined && { 'aria-invalid': true }) })}
      {hint !== undefined && <span className="hint" id={`${id}-hint`}>{hint}</span>}
      {error !== undefined && <span className="error" id={`${id}-error`}>{error}</span>}
    </div>
  );
}

interface Value {
  value: string;
  onValue: (value: string) => void;
}
const told = (onValue: (value: string) => void) => (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>) => onValue(event.target.value);

export function TextField({ label, hint, error, className, onValue, ...rest }: Around & Value & Omit<InputHTMLAttributes<HTMLInputElement>, 'value'>) {
  return (
    <Field {...{ label, hint, error, ...(className !== undefined && { className }) }}>
      {(control) => <input className="input" autoComplete="off" {...rest} {...control} onChange={told(onValue)} />}
    </Field>
  );
}

export function TextArea({ label, hint, error, className, onValue, ...rest }: Around & Value & Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, 'value'>) {
  return (
    <Field {...{ label, hint, error, ...(className !== undefined && { className }) }}>
      {(control) => <textarea className="input" spellCheck={false} {...rest} {...control} onChange={told(onValue)} />}
    </Field>
  );
}

/** One of some values; those as a pair have a text of their own. */
export function SelectField({ label, hint, error, className, onValue, options, ...rest }: Around & Value & { options: readonly (string | readonly [value: string, text: string])[] } & Omit<SelectHTMLAttributes<HTMLSelectElement>, 'value'>) {
  return (
    <Field {...{ label, hint, error, ...(className !== undefined && { className }) }}>
      {(control) => (
        <select className="input" {...rest} {...control} onChange={told(onValue)}>
          {options.map((option) => {
            const [value, text] = typeof option === 'string' ? [option, option] : option;
            return <option key={value} value={value}>{text}</option>;
          })}
        </select>
      )}
    </Field>
  );
}
