import type { SignInWays } from '@berth/client';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { signIn, signInWays } from '../api/session';
import icon from '../style/berth.svg';
import { TextField } from '../ui/field';
import { ProblemBox } from '../ui/problem';

/** Asks who is there. A one-time link signs in by itself, once. */
export function Login({ why }: { why?: string | undefined }) {
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [ways, setWays] = useState<SignInWays>();
  const [params] = useSearchParams();
  const [location, go] = useLocation();
  const once = params.get('once');
  const used = useRef<string>(undefined);

  const enter = (by: Parameters<typeof signIn>[0]): void => {
    setBusy(true);
    setProblem(undefined);
    signIn(by).catch((error: unknown) => {
      setProblem(error);
      setBusy(false);
    });
  };
  useEffect(() => {
    signInWays().then(setWays, setProblem);
  }, []);
  useEffect(() => {
    document.title = 'Sign in · Berth';
    if (once === null || used.current === once) return;
    used.current = once;
    // The code works once and has no business in the address, the history or a bookmark.
    go('/', { replace: true });
    enter({ once });
  }, [once, go]);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    enter({ token: token.trim() });
  };
  return (
    <main className="login">
      <form onSubmit={submit} className="stack">
        <h1 className="row"><img src={icon} alt="" width="22" height="22" /> Berth</h1>
        {why !== undefined && problem === undefined && <p className="note wait">{why}</p>}
        <TextField label="Token" type="password" value={token} onValue={setToken} autoFocus required hint={<>The one that <code>npm start</code> keeps in <code>cli.json</code>, or one of your own.</>} />
        <ProblemBox error={problem} />
        <button className="button primary" disabled={busy || token.trim() === ''}>{busy && <span className="spinner" aria-hidden />} Sign in</button>
        {ways?.provider && <div className="or"><a className="button" href={ways.provider.path}>Sign in with {ways.provider.name}</a></div>}
        {location !== '/' && <p className="quiet">Then you go on to <code>{location}</code>.</p>}
      </form>
    </main>
  );
}
