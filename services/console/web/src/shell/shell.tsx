import { Suspense, useEffect, type ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { feed, useFeedState, type FeedState } from '../api/feed';
import { signOut, useSession } from '../api/session';
import { isOf, sections, type Section } from '../pages/sections';
import icon from '../style/berth.svg';
import { Badge } from '../ui/badge';
import { Toasts } from '../ui/toasts';
import { ThemeSwitch } from './theme-switch';

const words: Record<FeedState, string> = { connecting: 'connecting', live: 'live', lost: 'reconnecting' };

/** The frame around all pages: where one can go, who one is, and whether what is shown is live. */
export function Shell({ children }: { children: ReactNode }) {
  const session = useSession();
  useEffect(() => {
    feed.start();
    return () => feed.stop();
  }, []);
  return (
    <div className="frame">
      <a className="skip" href="#main">Skip to the page</a>
      <nav className="side" aria-label="Pages">
        <Link href="/" className="brand"><img src={icon} alt="" /> Berth</Link>
        <ul>{sections.map((section) => <li key={section.path}><NavLink section={section} /></li>)}</ul>
        <div className="foot">
          <Live />
          <ThemeSwitch />
          {session.status === 'in' && (
            <div className="row">
              <span className="quiet clip" title={`${session.me.name}, ${session.me.role}`}>{session.me.name}</span>
              <button className="button small" onClick={() => void signOut()}>Sign out</button>
            </div>
          )}
        </div>
      </nav>
      <main className="main" id="main" tabIndex={-1}>
        <Suspense fallback={<div className="empty" aria-busy="true">Loading…</div>}>{children}</Suspense>
      </main>
      <Toasts />
    </div>
  );
}

function NavLink({ section }: { section: Section }) {
  const [location] = useLocation();
  return <Link href={section.path} {...(isOf(section, location) && { 'aria-current': 'page' as const })}>{section.label}</Link>;
}

function Live() {
  const state = useFeedState();
  return <div role="status"><Badge status={state} tone={state === 'live' ? 'good' : 'wait'}>{words[state]}</Badge></div>;
}
