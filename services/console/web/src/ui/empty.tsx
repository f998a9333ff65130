import type { ReactNode } from 'react';
import { ProblemBox } from './problem';

/** That there is nothing, and what to do about it. */
export function Empty({ children }: { children: ReactNode }) {
  return <div className="empty">{children}</div>;
}

/** What is not there yet, or could not be read; else what it is. */
export function Loaded<T>({ read, children }: { read: { data: T | undefined; error: unknown }; children: (data: T) => ReactNode }) {
  if (read.data !== undefined) return <>{children(read.data)}</>;
  if (read.error) return <ProblemBox error={read.error} />;
  return <div className="empty" aria-busy="true">Loading…</div>;
}
