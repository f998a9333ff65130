import type { ReactNode } from 'react';
import { usePending } from '../api/commands';
import { useMay, type Role } from '../api/session';

interface ActProps {
  /** who may */
  role?: Role;
  /** of the command that it sends: while that is on its way, it cannot be pressed again */
  pending?: string;
  onPress: () => void;
  tone?: 'primary' | 'danger';
  small?: boolean;
  /** for whoever does not see what it stands beside */
  label?: string;
  children: ReactNode;
}

/** A button that changes something: out of use for whoever may not, and while it is being done. */
export function Act({ role = 'operator', pending = '', onPress, tone, small, label, children }: ActProps) {
  const may = useMay(role);
  const busy = usePending(pending);
  return (
    <button type="button" className={`button ${tone ?? ''} ${small ? 'small' : ''}`} disabled={!may || busy} onClick={onPress} {...(label !== undefined && { 'aria-label': label })} {...(!may && { title: `Needs the role ${role}` })}>
      {busy && <span className="spinner" aria-hidden />}
      {children}
    </button>
  );
}
