import { useSyncExternalStore } from 'react';
import { problemOf, ProblemError } from './problem';

/** What somebody may do, each role also what those before it may. */
export const roles = ['viewer', 'builder', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Who is signed in. */
export interface Me {
  name: string;
  role: Role;
  /** null: all of them */
  projects: string[] | null;
  permissions: string[];
}

export type Session = { status: 'unknown' } | { status: 'out'; why?: string } | { status: 'in'; me: Me };

const KEY = 'berth.token';
const ME = '/api/v1/me';
const SESSION = '/api/v1/session';
/** Any read will do to see whether a token is good, where nothing says who one is. */
const ANY_READ = '/api/v1/quota';
/** Who holds the one token of a console without sessions may do everything. */
const EVERYBODY: Me = { name: 'token', role: 'admin', projects: null, permissions: [] };

let session: Session = { status: 'unknown' };
/** Only for a console without sessions; with them the cookie says who is there, and no script can read it. */
let token: string | undefined = sessionStorage.getItem(KEY) ?? undefined;
const listeners = new Set<() => void>();

function become(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

function keep(next: string | undefined): void {
  token = next;
  if (next === undefined) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, next);
}

/** What a request carries to say who asks. A write also says that it comes from this page, which no other page can. */
export function credentials(write: boolean): Record<string, string> {
  return { ...(token !== undefined && { Authorization: `Bearer ${token}` }), ...(write && { 'X-Berth-CSRF': '1' }) };
}

/** Who is signed in now, without React. */
export const currentSession = (): Session => session;

/** Who is signed in. */
export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => session,
  );
}

/** Whether whoever is signed in has at least this role. */
export function useMay(role: Role): boolean {
  const now = useSession();
  return now.status === 'in' && roles.indexOf(now.me.role) >= roles.indexOf(role);
}

/** Whether whoever is signed in has a permission: a console without sessions does not say, and lets everybody in do everything. */
export function useHas(permission: string): boolean {
  const now = useSession();
  return now.status === 'in' && (now.me === EVERYBODY || now.me.permissions.includes(permission));
}

/** Finds out who is signed in. @throws {ProblemError} when the console does not answer */
export async function restore(): Promise<void> {
  const answer = await reach(ME, {});
  if (answer.ok) return become({ status: 'in', me: (await answer.json()) as Me });
  if (answer.status === 401) return become({ status: 'out' });
  if (answer.status !== 404) throw await problemOf(answer);
  const read = await reach(ANY_READ, {});
  if (read.ok) become({ status: 'in', me: EVERYBODY });
  else if (read.status === 401) signedOut();
  else throw await problemOf(read);
}

/** Signs in with a token, or with the code of a one-time link. @throws {ProblemError} */
export async function signIn(by: { token: string } | { once: string }): Promise<void> {
  const answer = await reach(SESSION, { method: 'POST', body: JSON.stringify(by), headers: { 'Content-Type': 'application/json', ...('token' in by && { Authorization: `Bearer ${by.token}` }) } });
  if (answer.ok) keep(undefined);
  else if (answer.status === 404 && 'token' in by) keep(by.token);
  else throw await problemOf(answer);
  await restore();
}

/** Signs out, here and on the console. */
export async function signOut(): Promise<void> {
  const answer = token === undefined ? await reach(SESSION, { method: 'DELETE' }) : undefined;
  if (answer && !answer.ok && answer.status !== 401 && answer.status !== 404) throw await problemOf(answer);
  signedOut();
}

/** A request was refused because nobody is signed in any more. */
export function signedOut(why?: string): void {
  keep(undefined);
  become({ status: 'out', ...(why !== undefined && { why }) });
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { ...init, headers: { Accept: 'application/json', ...credentials(init.method !== undefined), ...(init.headers as Record<string, string> | undefined) } });
  } catch (error) {
    throw new ProblemError(0, 'unavailable', `The console does not answer (${(error as Error).message}): it may be restarting.`);
  }
}
