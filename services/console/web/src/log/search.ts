import type { BuildLogLine, Page } from '@berth/client';
import { useEffect, useState } from 'react';
import { ask } from '../api/request';

const PAGE = 200;
const TYPING_MS = 300;

/** What was found of a text in a log, and which of it is looked at. */
export interface Search {
  text: string;
  matches: readonly { section: number; line: number }[];
  /** of the one looked at, from 0; -1: none is */
  index: number;
  /** where the server goes on; null: that was all */
  cursor: string | null;
  busy: boolean;
  problem: unknown;
}
const NOTHING: Search = { text: '', matches: [], index: -1, cursor: null, busy: false, problem: undefined };

function placeOf({ at }: BuildLogLine): { section: number; line: number } {
  const [section, line] = at.split(':');
  return { section: Number(section), line: Number(line) };
}

/** Looks for a text in a build's log on the server, as soon as the typing pauses; `step` is the name of one or ''. */
export function useSearch(build: string, step: string): { search: Search; type: (text: string) => void; move: (by: 1 | -1) => void } {
  const [search, setSearch] = useState(NOTHING);
  const { text } = search;
  const page = (cursor: string | null, signal?: AbortSignal) =>
    ask<Page<BuildLogLine>>(`builds/${build}/log/search`, { query: { q: text, ignoreCase: true, limit: PAGE, step, cursor: cursor ?? undefined }, ...(signal && { signal }) });

  useEffect(() => {
    if (text === '') return undefined;
    const stopping = new AbortController();
    const timer = setTimeout(() => {
      page(null, stopping.signal).then(
        ({ items, cursor }) => setSearch((now) => ({ ...now, matches: items.map(placeOf), cursor, index: items.length > 0 ? 0 : -1, busy: false })),
        (problem: unknown) => !stopping.signal.aborted && setSearch((now) => ({ ...now, busy: false, problem })),
      );
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      stopping.abort();
    };
    // `page` is made of these.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [text, build, step]);

  const more = async (): Promise<void> => {
    setSearch((now) => ({ ...now, busy: true }));
    try {
      const { items, cursor } = await page(search.cursor);
      setSearch((now) => (now.text === text ? { ...now, matches: [...now.matches, ...items.map(placeOf)], cursor, index: now.index + (items.length > 0 ? 1 : 0), busy: false } : now));
    } catch (problem) {
      setSearch((now) => ({ ...now, busy: false, problem }));
    }
  };
  return {
    search,
    type: (next) => setSearch({ ...NOTHING, text: next, busy: next !== '' }),
    move(by) {
      const { matches, index, cursor, busy } = search;
      if (matches.length === 0 || busy) return;
      if (by === 1 && index === matches.length - 1 && cursor !== null) void more();
      else setSearch({ ...search, index: (index + by + matches.length) % matches.length });
    },
  };
}
