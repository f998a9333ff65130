import type { ReactNode } from 'react';
import { address, type Query } from '../api/request';

/** A link to bytes of the API, which the browser saves as a file: however large, they are never held by the page. */
export function Download({ path, query = {}, name, label, small = false, children }: { path: string; query?: Query; name: string; label?: string; small?: boolean; children: ReactNode }) {
  return (
    <a className={`button ${small ? 'small' : ''}`} href={address(path, query)} download={name} {...(label !== undefined && { 'aria-label': label })}>
      {children}
    </a>
  );
}
