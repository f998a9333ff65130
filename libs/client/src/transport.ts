import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Problem } from './api.js';
import { ProblemError } from './problem.js';

/** One request to the API. */
export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  /** several values of one name: given that often */
  query?: Record<string, string | number | boolean | readonly string[] | undefined>;
  /** JSON unless `type` says otherwise */
  body?: unknown;
  type?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** statuses from 400 on that are an answer all the same */
  also?: readonly number[];
  /** a "no" is not a problem (RFC 9457), but says in a field of its own what is wrong */
  bare?: boolean;
}

/** Where and with which token. */
export interface Access {
  url: string;
  token: string;
}

/**
 * Sends one request; resolves with the response once its headers are there and say yes.
 *
 * On `node:http` rather than `fetch`, whose client gives up on a response that is silent for five minutes: the log of a
 * quiet step is.
 *
 * @throws {ProblemError} for a "no", and for no answer at all
 */
export async function send(access: Access, call: Call): Promise<IncomingMessage> {
  const url = new URL(call.path, access.url.endsWith('/') ? access.url : `${access.url}/`);
  for (const [key, value] of Object.entries(call.query ?? {})) for (const one of Array.isArray(value) ? (value as string[]) : value === undefined ? [] : [value]) url.searchParams.append(key, String(one));
  const streamed = call.body instanceof Readable;
  const type = call.type ?? 'application/json';
  const body = call.body === undefined || streamed ? undefined : Buffer.from(type === 'application/json' ? JSON.stringify(call.body) : (call.body as string | Uint8Array));
  for (let tries = 0; ; tries++) {
    try {
      const response = await once(access, url, call, type, streamed ? (call.body as Readable) : body);
      if (response.statusCode! < 400 || call.also?.includes(response.statusCode!)) return response;
      throw await problemOf(response, call.bare === true);
    } catch (error) {
      if (error instanceof ProblemError || call.signal?.aborted) throw error;
      // A kept connection that the server closed at that very moment: nothing was carried out. Writes carry an id of their own.
      if ((error as { reused?: boolean }).reused && !streamed && tries === 0) continue;
      throw new ProblemError(0, 'unavailable', sentence(access.url, error as NodeJS.ErrnoException));
    }
  }
}

function once(access: Access, url: URL, call: Call, type: string, body: Buffer | Readable | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method: call.method ?? 'GET',
      headers: {
        Authorization: `Bearer ${access.token}`,
        Accept: 'application/json, application/problem+json;q=0.9, */*;q=0.8',
        ...(body !== undefined && { 'Content-Type': type }),
        ...(Buffer.isBuffer(body) && { 'Content-Length': String(body.byteLength) }),
        ...call.headers,
      },
      ...(call.signal && { signal: call.signal }),
    });
    request.once('error', (error) => reject(Object.assign(error, { reused: request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET' })));
    request.once('response', resolve);
    // A refusal may come before all was sent: the answer says why, not the broken pipe.
    if (body instanceof Readable) pipeline(body, request).catch((error: unknown) => setTimeout(() => reject(error as Error), 250));
    else request.end(body);
  });
}

/** What a status means where nothing else says it. */
const bareCodes: Readonly<Record<number, string>> = { 400: 'invalid-data', 401: 'unauthorized', 403: 'forbidden', 404: 'unknown-worker', 409: 'job-live', 429: 'rate-limited', 503: 'unavailable' };

/** `{"detail": ...}`, or by the name of a field what is wrong with it. */
function bareProblem(status: number, body: Record<string, unknown>): ProblemError {
  const errors = Object.entries(body).flatMap(([field, said]) => [said].flat().map((message) => ({ field, message: String(message) })));
  const message = typeof body['detail'] === 'string' ? body['detail'] : errors.map((one) => (status === 400 ? `${one.field}: ${one.message}` : one.message)).join('; ');
  return new ProblemError(status, bareCodes[status] ?? 'internal', message, errors);
}

async function problemOf(response: IncomingMessage, bare: boolean): Promise<ProblemError> {
  const text = await textOf(response);
  const status = response.statusCode!;
  try {
    const problem = JSON.parse(text) as Partial<Problem>;
    if (typeof problem.code === 'string') return new ProblemError(status, problem.code, problem.detail ?? problem.title ?? problem.code, problem.errors ?? [], problem.explanation);
    if (bare) return bareProblem(status, problem as Record<string, unknown>);
  } catch {
    // Not ours: something else listens there; told below.
  }
  return new ProblemError(status, 'not-berth', `What answers at this address is not Berth (HTTP ${status}): check BERTH_URL.`);
}

function sentence(url: string, error: NodeJS.ErrnoException): string {
  const code = error.code ?? (error as { errors?: NodeJS.ErrnoException[] }).errors?.[0]?.code;
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'ETIMEDOUT') {
    return `Berth does not answer at ${url}: start it with \`npm start\` or set BERTH_URL.`;
  }
  return `The connection to Berth at ${url} was lost (${code ?? error.message}): try again.`;
}

/** The whole body as text. */
export async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
