import type { Permission } from '@berth/client';
import { lazy, Suspense, type ComponentType } from 'react';
import { Link, useParams } from 'wouter';
import { useSession } from '../../api/session';
import { Empty } from '../../ui/empty';
import { Page } from '../../ui/page';
import Own from './own';

interface Tab {
  label: string;
  /** to look at it */
  needs: Permission | null;
  Shown: ComponentType;
  /** one thing of it, by its name */
  One?: ComponentType<{ name: string }>;
}

/** Pages of the settings, by the end of their address. */
const tabs: Readonly<Record<string, Tab>> = {
  '': { label: 'You and limits', needs: null, Shown: Own },
  tokens: { label: 'Tokens', needs: 'tokens:read', Shown: lazy(() => import('./tokens')) },
  secrets: { label: 'Secrets', needs: 'secrets:read', Shown: lazy(() => import('./secrets')) },
  webhooks: { label: 'Webhooks', needs: 'webhooks:read', Shown: lazy(() => import('./webhooks')), One: lazy(() => import('./webhook')) },
  audit: { label: 'Audit', needs: 'audit:read', Shown: lazy(() => import('./audit')) },
};

/** The settings: one page of them, and the ways to the others, which keep the focus. Without its permission nothing of a page is asked for. */
export default function Settings() {
  const { tab: at = '', name } = useParams<{ tab?: string; name?: string }>();
  const session = useSession();
  const may = (needs: Permission | null): boolean => needs === null || (session.status === 'in' && session.me.permissions.includes(needs));
  const tab = Object.hasOwn(tabs, at) ? tabs[at]! : undefined;
  if (!tab || (name !== undefined && !tab.One)) return <Page title="Not found"><Empty>There is no such page.</Empty></Page>;
  const { label, needs, Shown, One } = tab;
  const trail = at === '' ? undefined : <><Link href="/settings">Settings</Link>{name !== undefined && <> / <Link href={`/settings/${at}`}>{label}</Link></>}</>;
  return (
    <Page title={name ?? (at === '' ? 'Settings' : label)} trail={trail} fill={at !== '' && name === undefined}>
      <nav className="tabs" aria-label="Pages of the settings">
        {Object.entries(tabs).filter(([, one]) => may(one.needs)).map(([path, one]) => (
          <Link key={path} href={path === '' ? '/settings' : `/settings/${path}`} {...(path === at && { 'aria-current': 'page' as const })}>{one.label}</Link>
        ))}
      </nav>
      <Suspense fallback={<div className="empty" aria-busy="true">Loading…</div>}>
        {!may(needs) ? <Empty>You need the permission {needs} to see this.</Empty> : name !== undefined && One ? <One key={name} name={name} /> : <Shown />}
      </Suspense>
    </Page>
  );
}
