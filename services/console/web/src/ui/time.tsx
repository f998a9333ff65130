import { useSyncExternalStore } from 'react';

/** One clock for all times on the page: each of them changes at the same moment. */
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const watchers = new Set<() => void>();

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  // While nobody looked, it stood still.
  if (timer === undefined) now = Date.now();
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of watchers) each();
  }, 1000);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time, a second at a time. */
export const useNow = (): number => useSyncExternalStore(watch, () => now);

/** "4s", "12m", "3h 05m", "6d 4h". */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h ${String(minutes % 60).padStart(2, '0')}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** The same of what is watched as it goes: "2m 14s". */
export function running(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return seconds < 60 || seconds >= 3600 ? span(ms) : `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, '0')}s`;
}

/** "2030-01-31 12:00:05", where the reader is. */
export function stamp(at: string | number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** How long ago, or in how long; the exact time on pointing at it. */
export function Ago({ at }: { at: string }) {
  const distance = Date.parse(at) - useNow();
  return (
    <time dateTime={at} title={stamp(at)}>
      {distance > 0 ? `in ${span(distance)}` : `${span(-distance)} ago`}
    </time>
  );
}

/** How long since. */
export function Since({ at }: { at: string }) {
  return (
    <time dateTime={at} title={stamp(at)}>
      {running(useNow() - Date.parse(at))}
    </time>
  );
}
