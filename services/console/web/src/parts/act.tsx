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
  /** without it, it sends the form that it stands in */
  onPress?: () => void;
  tone?: 'primary' | 'danger';
  small?: boolean;
  /** for whoever does not see what it stands beside */
  label?: string;
  children: ReactNode;
}

/** A button that changes something: out of use for whoever may not, and while it is being done. */
export function Act({ needs = 'fleet:write', pending = '', busy = false, onPress, tone, small, label, children }: ActProps) {
  const has = useHas(needs);
  const sent = usePending(pending) || busy;
  return (
    <button type={onPress ? 'button' : 'submit'} className={`button ${tone ?? ''} ${small ? 'small' : ''}`} disabled={!has || sent} onClick={onPress} {...(label !== undefined && { 'aria-label': label })} {...(!has && { title: `Needs the permission ${needs}` })}>
      {sent && <span className="spinner" aria-hidden />}
      {children}
    </button>
  );
}
