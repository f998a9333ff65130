import type { Permission } from '@berth/client';
import type { ReactNode } from 'react';
import { usePending } from '../api/commands';
import { useHas } from '../api/session';

interface ActProps {
  /** what the route behind it needs */
  needs?: Permission;
  /** of the command that it sends: while that is on its way, it cannot be pressed again */
  pending?: string;
  /** the same, of what the page itself knows to be on its way */
  busy?: boolean;
  /** why it cannot be pressed as things are */
  why?: string | undefined;
  /** without it, it sends the form that it stands in */
  onPress?: () => void;
  tone?: 'primary' | 'danger';
  small?: boolean;
  /** for whoever does not see what it stands beside */
  label?: string;
  children: ReactNode;
}

/** A button that changes something: out of use for whoever may not, while it is being done, and when it can't be: it says why. */
export function Act({ needs = 'fleet:write', pending = '', busy = false, why, onPress, tone, small, label, children }: ActProps) {
  const has = useHas(needs);
  const sent = usePending(pending) || busy;
  const reason = !has ? `Needs the permission ${needs}` : sent ? 'It was asked for, and is on its way' : why;
  return (
    <button type={onPress ? 'button' : 'submit'} className={`button ${tone ?? ''} ${small ? 'small' : ''}`} disabled={reason !== undefined} onClick={onPress} {...(label !== undefined && { 'aria-label': label })} {...(reason !== undefined && { title: reason })}>
      {sent && <span className="spinner" aria-hidden />}
      {children}
    </button>
  );
}
