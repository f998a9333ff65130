import { problemOf, ProblemError } from './problem';
import { credentials, signedOut } from './session';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** One request to the API. */
export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  query?: Query;
  /** JSON unless `type` says otherwise */
  body?: unknown;
  type?: string;
  /** the same key again has one effect; one is made when absent */
  key?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** The address of something of the API. */
export function address(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return `/api/v1/${path}${text ? `?${text}` : ''}`;
}

/** Sends a request; resolves once it was answered with yes. @throws {ProblemError} */
export async function send(path: string, call: Call = {}): Promise<Response> {
  const { method = 'GET', type = 'application/json' } = call;
  const write = method !== 'GET';
  const headers = {
    Accept: 'application/json, application/problem+json;q=0.9, */*;q=0.8',
    ...credentials(write),
    ...(write && { 'Idempotency-Key': call.key ?? crypto.randomUUID() }),
    ...(call.body !== undefined && { 'Content-Type': type }),
    ...call.headers,
  };
  let response: Response;
  try {
    const body = call.body === undefined ? null : type === 'application/json' ? JSON.stringify(call.body) : (call.body as string | Blob);
    response = await fetch(address(path, call.query), { method, headers, body, ...(call.signal && { signal: call.signal }) });
  } catch (error) {
    if (call.signal?.aborted) throw error;
    throw new ProblemError(0, 'unavailable', 'The console does not answer: it may be restarting, or the network is away.');
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (problem.status === 401) signedOut('You were signed out.');
  throw problem;
}

const tags = new WeakMap<object, string>();

/** The tag of what was read, to be sent with what is written on top of it; nothing of what no read has answered. */
export const tagOf = (data: unknown): string | undefined => (typeof data === 'object' && data !== null ? tags.get(data) : undefined);

/** What stands in place of what was read is as of the same moment. */
export function sameTag<T>(read: unknown, kept: T): T {
  const tag = tagOf(read);
  if (tag !== undefined && typeof kept === 'object' && kept !== null) tags.set(kept, tag);
  return kept;
}

/** Sends a request and reads its answer. @throws {ProblemError} */
export async function ask<T>(path: string, call: Call = {}): Promise<T> {
  const response = await send(path, call);
  const answer = (response.status === 204 ? undefined : await response.json()) as T;
  const tag = response.headers.get('ETag');
  if (tag !== null && typeof answer === 'object' && answer !== null) tags.set(answer, tag);
  return answer;
}
