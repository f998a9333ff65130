import { useSyncExternalStore } from 'react';
import type { MeView, Permission, SignInWays } from '@berth/client';
import { problemOf, ProblemError } from './problem';

export type Session = { status: 'unknown' } | { status: 'out'; why?: string } | { status: 'in'; me: MeView };

const ME = '/api/v1/me';
const SESSION = '/api/v1/session';

let session: Session = { status: 'unknown' };
const listeners = new Set<() => void>();

function become(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

/** The cookie says who asks, and no script can read it. A write also says that it comes from this page, which no other page can. */
export const credentials = (write: boolean): Record<string, string> => (write ? { 'X-Berth-CSRF': '1' } : {});

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

/** Whether whoever is signed in has a permission: what would only be refused is not offered, nor asked for again and again. */
export function useHas(permission: Permission): boolean {
  const now = useSession();
  return now.status === 'in' && now.me.permissions.includes(permission);
}

/** Finds out who is signed in. @throws {ProblemError} when the console does not answer */
export async function restore(): Promise<void> {
  const answer = await reach(ME, {});
  if (answer.ok) return become({ status: 'in', me: (await answer.json()) as MeView });
  if (answer.status !== 401) throw await problemOf(answer);
  become({ status: 'out' });
}

/** How one can sign in besides with a token. @throws {ProblemError} */
export async function signInWays(): Promise<SignInWays> {
  const answer = await reach(`${SESSION}/ways`, {});
  if (!answer.ok) throw await problemOf(answer);
  return (await answer.json()) as SignInWays;
}

/** Signs in with a token, or with the code of a one-time link. @throws {ProblemError} */
export async function signIn(by: { token: string } | { once: string }): Promise<void> {
  const answer = await reach(SESSION, { method: 'POST', body: JSON.stringify(by), headers: { 'Content-Type': 'application/json' } });
  if (!answer.ok) throw await problemOf(answer);
  await restore();
}

/** Signs out, here and on the console. */
export async function signOut(): Promise<void> {
  const answer = await reach(SESSION, { method: 'DELETE' });
  if (!answer.ok && answer.status !== 401) throw await problemOf(answer);
  signedOut();
}

/** A request was refused because nobody is signed in any more. */
export function signedOut(why?: string): void {
  become({ status: 'out', ...(why !== undefined && { why }) });
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { ...init, headers: { Accept: 'application/json', ...credentials(init.method !== undefined), ...(init.headers as Record<string, string> | undefined) } });
  } catch (error) {
    throw new ProblemError(0, 'unavailable', `The console does not answer (${(error as Error).message}): it may be restarting.`);
  }
}
