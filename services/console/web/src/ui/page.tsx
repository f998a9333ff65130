import { useLayoutEffect, type ReactNode } from 'react';

/** What every page has: a title, what can be done, and a name in the browser's tab. `fill`: its table scrolls, not the page. */
export function Page({ title, trail, actions, fill = false, children }: { title: ReactNode; trail?: ReactNode; actions?: ReactNode; fill?: boolean; children: ReactNode }) {
  // With the heading, not after it: whoever hears of the new page by its title is on it.
  useLayoutEffect(() => {
    document.title = `${typeof title === 'string' ? `${title} · ` : ''}Berth`;
  }, [title]);
  return (
    <div className={fill ? 'page fill' : 'page'}>
      <header>
        <h1>{trail !== undefined && <span className="trail">{trail} / </span>}{title}</h1>
        {actions !== undefined && <div className="actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A part of a page under a heading. */
export function Section({ title, note, actions, children }: { title: string; note?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  return (
    <section className="section" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {note !== undefined && <span className="quiet">{note}</span>}
        {actions !== undefined && <div className="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** Names and values, one below the other; what is null or undefined is left out. */
export function Facts({ of }: { of: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="facts">
      {of.filter(([, value]) => value !== null && value !== undefined && value !== '' && value !== false && !(Array.isArray(value) && value.length === 0)).map(([name, value]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
