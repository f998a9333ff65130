import { useSyncExternalStore } from 'react';
import type { LiveEvent } from '@berth/client';
import { feed } from './feed';
import { ProblemError } from './problem';
import { ask, type Call } from './request';

/** A write, and how it is seen that it was carried out. */
export interface Command extends Pick<Call, 'query' | 'body' | 'type'> {
  /** what is pending, such as `release LEASE`: a button is told by it that it was pressed */
  key: string;
  /** in the toast: "Release of lease 3f2a" */
  label: string;
  method?: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  /** tag of the read that it is based on: refused when somebody has said the same anew since */
  base?: string | undefined;
  /** pending until the feed shows such an event; without it, until the service has answered */
  until?: (event: LiveEvent) => boolean;
}

export interface Toast {
  id: string;
  label: string;
  state: 'queued' | 'accepted' | 'done' | 'refused';
  /** why not */
  problem?: string;
}

const DONE_MS = 3500;
/** The effect may take as long as it takes; a toast says no more than that it was accepted. */
const ACCEPTED_MS = 8000;
/** What was accepted is carried out; a button that still waits for the news then may be pressed again all the same. */
const NEWS_MS = 120_000;

let toasts: readonly Toast[] = [];
let pending: ReadonlySet<string> = new Set();
const watchers = new Set<() => void>();
const watch = (watcher: () => void): (() => void) => {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
};
const told = (): void => watchers.forEach((watcher) => watcher());

function put(toast: Toast): void {
  toasts = [...toasts.filter(({ id }) => id !== toast.id), toast];
  told();
}

export function dismiss(id: string): void {
  toasts = toasts.filter((toast) => toast.id !== id);
  told();
}

function setPending(key: string, on: boolean): void {
  const next = new Set(pending);
  if (on) next.add(key);
  else next.delete(key);
  pending = next;
  told();
}

/** Sends a command and shows how it goes. @throws {ProblemError} refused, which a toast has said unless `quiet` */
export async function run<T = unknown>(command: Command, { quiet = false } = {}): Promise<T> {
  const { key, label, path, base, until, method = 'POST', query, body, type } = command;
  const id = crypto.randomUUID();
  let shown = false;
  let over = false;
  const finish = (): void => {
    shown = true;
    if (!over) return;
    stop();
    setPending(key, false);
    put({ id, label, state: 'done' });
    setTimeout(() => dismiss(id), DONE_MS);
  };
  const stop = until ? feed.listen((event) => until(event) && finish()) : () => undefined;
  setPending(key, true);
  put({ id, label, state: 'queued' });
  try {
    const answer = await ask<T>(path, { method, key: id, ...(query && { query }), ...(body !== undefined && { body }), ...(type !== undefined && { type }), ...(base !== undefined && { headers: { 'If-Match': base } }) });
    over = true;
    if (shown || !until) finish();
    else {
      put({ id, label, state: 'accepted' });
      setTimeout(() => {
        stop();
        setPending(key, false);
      }, NEWS_MS);
      setTimeout(() => toasts.some((toast) => toast.id === id && toast.state === 'accepted') && dismiss(id), ACCEPTED_MS);
    }
    return answer;
  } catch (error) {
    stop();
    setPending(key, false);
    if (quiet) dismiss(id);
    else put({ id, label, state: 'refused', problem: error instanceof ProblemError ? error.message : String(error) });
    throw error;
  }
}

/** The same for a button, which has nowhere else to say why not. */
export const press = (command: Command): void => void run(command).catch(() => undefined);

/** Whether a command with this key is on its way. */
export const usePending = (key: string): boolean => useSyncExternalStore(watch, () => pending.has(key));

export const useToasts = (): readonly Toast[] => useSyncExternalStore(watch, () => toasts);
