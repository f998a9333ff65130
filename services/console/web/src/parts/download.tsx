import { useState, type ReactNode } from 'react';
import { address, send, type Query } from '../api/request';
import { credentials } from '../api/session';
import { ProblemBox } from '../ui/problem';

/**
 * A link to bytes of the API, saved as a file. The browser fetches them by itself where the cookie says who asks; a token it
 * knows nothing of, so with one they go through this page.
 */
export function Download({ path, query = {}, name, label, small = false, children }: { path: string; query?: Query; name: string; label?: string; small?: boolean; children: ReactNode }) {
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const fetched = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      const url = URL.createObjectURL(await (await send(path, { query })).blob());
      const link = Object.assign(document.createElement('a'), { href: url, download: name });
      link.click();
      URL.revokeObjectURL(url);
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <a
        className={`button ${small ? 'small' : ''}`}
        href={address(path, query)}
        download={name}
        aria-busy={busy}
        {...(label !== undefined && { 'aria-label': label })}
        onClick={(event) => {
          if (credentials(false)['Authorization'] === undefined) return;
          event.preventDefault();
          if (!busy) void fetched();
        }}
      >
        {busy && <span className="spinner" aria-hidden />}
        {children}
      </a>
      <ProblemBox error={problem} />
    </>
  );
}
