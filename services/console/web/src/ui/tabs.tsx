import { Link } from 'wouter';

/** One page among several of a thing. */
export interface Tab {
  /** its address */
  path: string;
  label: string;
  count?: number;
}

/** Leads from one page of a thing to another. `at`: the address of the one that is shown. */
export function Tabs({ label, tabs, at }: { label: string; tabs: readonly Tab[]; at: string }) {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map(({ path, label: text, count }) => (
        <Link key={path} href={path} {...(path === at && { 'aria-current': 'page' as const })}>
          {text} {count !== undefined && <span className="count">{count}</span>}
        </Link>
      ))}
    </nav>
  );
}
