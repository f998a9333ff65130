import { keepPreviousData, QueryClient, replaceEqualDeep, useInfiniteQuery, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Page } from '@berth/client';
import { ProblemError } from './problem';
import { ask, sameTag, type Query } from './request';

const PAGE = 200;
/** The most that one page of a list has. */
const MOST = 1000;
const TRIES = 3;

/** What was read, for all pages. The feed says when something of it is old, so nothing else asks again. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Infinity,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      networkMode: 'always',
      structuralSharing: (before, read) => sameTag(read, replaceEqualDeep(before, read)),
      // A "no" stays one; an outage may be over in a moment.
      retry: (failures, error) => failures < TRIES && (!(error instanceof ProblemError) || error.status === 0 || error.status >= 500),
    },
    mutations: { networkMode: 'always', retry: false },
  },
});

/** The key of what is read at a path: its parts, then the query. `feed.ts` finds by it what an event makes old. */
export const keyOf = (path: string, query: Query = {}): readonly unknown[] => [...path.split('/'), query];

export interface ReadOptions {
  query?: Query;
  enabled?: boolean;
  /** milliseconds: asked for again so often, for what no event tells of */
  every?: number;
  /** read when it is first shown, even where what was read before is not known to be old */
  anew?: boolean;
}

/** Reads one thing and keeps it fresh. */
export function useRead<T>(path: string, { query = {}, enabled = true, every, anew = false }: ReadOptions = {}): UseQueryResult<T, ProblemError> {
  return useQuery<T, ProblemError>({
    queryKey: keyOf(path, query),
    queryFn: ({ signal }) => ask<T>(path, { query, signal }),
    enabled,
    placeholderData: keepPreviousData,
    ...(every !== undefined && { refetchInterval: every }),
    ...(anew && { refetchOnMount: 'always' as const }),
  });
}

/** Reads one thing for a form to begin with: what was kept of it may be old, and what makes it so is told of a moment later, so nothing is shown before it was read. From then on it is kept fresh. */
export function useFresh<T>(path: string): { data: T | undefined; error: ProblemError | null } {
  const { data, error, isFetching, isPlaceholderData } = useRead<T>(path, { anew: true });
  const [of, setOf] = useState<string>();
  const isRead = data !== undefined && error === null && !isFetching && !isPlaceholderData;
  if (isRead && of !== path) setOf(path);
  return { data: isRead || of === path ? data : undefined, error };
}

/** Reads all pages of a list as one, and keeps it fresh: for what is looked through here. */
export function useWhole<T>(path: string, { query = {}, enabled = true }: Pick<ReadOptions, 'query' | 'enabled'> = {}): UseQueryResult<Page<T>, ProblemError> {
  return useQuery<Page<T>, ProblemError>({
    queryKey: keyOf(path, { ...query, limit: MOST }),
    queryFn: async ({ signal }) => {
      const items: T[] = [];
      let cursor: string | undefined;
      do {
        const page: Page<T> = await ask<Page<T>>(path, { query: { ...query, limit: MOST, cursor }, signal });
        items.push(...page.items);
        cursor = page.cursor ?? undefined;
      } while (cursor !== undefined);
      return { items, cursor: null };
    },
    enabled,
    placeholderData: keepPreviousData,
  });
}

/** A list, as much of it as was scrolled to. */
export interface Rows<T> {
  rows: readonly T[];
  /** all of the list is here, so it can be sorted here */
  whole: boolean;
  loading: boolean;
  error: ProblemError | null;
  /** the next page, if there is one and it is not on its way */
  more(): void;
  loadingMore: boolean;
}

/** Reads a list page by page. */
export function usePages<T>(path: string, query: Query = {}): Rows<T> {
  const read = useInfiniteQuery<Page<T>, ProblemError, { pages: Page<T>[] }, readonly unknown[], string | undefined>({
    queryKey: keyOf(path, query),
    queryFn: ({ pageParam, signal }) => ask<Page<T>>(path, { query: { limit: PAGE, ...query, cursor: pageParam }, signal }),
    initialPageParam: undefined,
    getNextPageParam: (last) => last.cursor ?? undefined,
    placeholderData: keepPreviousData,
  });
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = read;
  // While the list is being read again the next page has to wait: nobody scrolls a second time to ask for it.
  const wanted = useRef(false);
  useEffect(() => {
    if (!wanted.current || read.isFetching) return;
    wanted.current = false;
    if (hasNextPage) void fetchNextPage();
  }, [read.isFetching, hasNextPage, fetchNextPage]);
  const rows = useMemo(() => data?.pages.flatMap(({ items }) => items) ?? [], [data]);
  return {
    rows,
    whole: data !== undefined && !hasNextPage,
    loading: read.isPending,
    error: read.error,
    loadingMore: isFetchingNextPage,
    more: () => {
      if (!hasNextPage || isFetchingNextPage) return;
      if (read.isFetching) wanted.current = true;
      else void fetchNextPage();
    },
  };
}
