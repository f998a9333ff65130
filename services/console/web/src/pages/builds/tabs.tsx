import type { BuildView } from '@berth/client';
import { Link } from 'wouter';

/** Pages of a build, by the end of their address. */
export const tabs = ['', 'log', 'tests', 'artifacts', 'generations', 'history'] as const;
export type Tab = (typeof tabs)[number];
const labels: Record<Tab, string> = { '': 'Steps', log: 'Log', tests: 'Tests', artifacts: 'Artifacts', generations: 'Generations', history: 'History' };

/** Leads from one page of a build to another. */
export function Tabs({ build, tab }: { build: BuildView; tab: Tab }) {
  const counts: Partial<Record<Tab, number>> = {
    tests: build.steps.filter(({ report }) => report !== null).length,
    artifacts: build.artifacts.length,
    generations: build.generations.length,
  };
  return (
    <nav className="tabs" aria-label="Pages of this build">
      {tabs.map((one) => (
        <Link key={one} href={`/builds/${build.id}${one === '' ? '' : `/${one}`}`} {...(one === tab && { 'aria-current': 'page' as const })}>
          {labels[one]} {counts[one] !== undefined && <span className="count">{counts[one]}</span>}
        </Link>
      ))}
    </nav>
  );
}
