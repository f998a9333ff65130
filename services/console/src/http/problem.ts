import type { FastifyReply } from 'fastify';
import type { Problem } from '@berth/client';
import { bareBody } from './bare.js';
import { refusals, type FieldError, type Refusal, type RefusalCode } from '@berth/contracts';

/** Codes that only HTTP has, beside those of the bus. */
const ofHttp = {
  'bad-request': 400, 'method-not-allowed': 405, 'not-acceptable': 406, 'request-timeout': 408, 'uri-too-long': 414, 'expectation-failed': 417, 'not-yet': 425, 'upgrade-required': 426, 'headers-too-large': 431,
  'unsupported-media-type': 415, 'too-large': 413, 'range-not-satisfiable': 416, 'in-progress': 409, 'session-ended': 410, 'unknown-dead-letter': 404, 'not-retryable': 409, internal: 500,
} as const;
export type ProblemCode = RefusalCode | keyof typeof ofHttp;
const statuses: Record<string, number> = { ...refusals, ...ofHttp };
/** The status that goes with a code. */
export const statusOf = (code: ProblemCode): number => statuses[code] ?? 500;

/** A "no" over HTTP, as data on its way to the one place that writes it. */
export class HttpProblem extends Error {
  /** it is in the audit already */
  told = false;

  constructor(
    readonly code: ProblemCode,
    message: string,
    readonly errors: FieldError[] = [],
    readonly status: number = statusOf(code),
    /** members of the problem beside those of RFC 9457 */
    readonly more: Pick<Problem, 'explanation'> = {},
    /** seconds after which it may go better */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

/** A refusal from the bus. Over HTTP the data is the whole body, or a part of it is, so its fields have no `data.` before them. */
export function problemOf(refusal: Refusal, prefix = 'data.'): HttpProblem {
  const bare = (field: string) => (field.startsWith(prefix) ? field.slice(prefix.length) : `${field}.` === prefix ? '(the whole)' : field.replace(/^data\./, ''));
  // The longest first: one field may be the beginning of another.
  const fields = refusal.errors.map(({ field }) => field).filter((field) => field.startsWith('data.')).sort((a, b) => b.length - a.length);
  const named = (text: string) => fields.reduce((all, field) => all.replaceAll(field, bare(field)), text);
  const errors = refusal.errors.map(({ field, message }) => ({ field: bare(field), message: named(message) }));
  return new HttpProblem(refusal.code as ProblemCode, named(refusal.message), errors);
}

export const notFound = (code: Extract<ProblemCode, `unknown-${string}` | 'not-found'>, what: string, where: string): HttpProblem =>
  new HttpProblem(code, `There is no ${what}: ${where} shows what there is.`);

/** RFC 9457. As bytes: as text it would get a charset, which application/problem+json does not have. */
export function problemBody(problem: HttpProblem): Buffer {
  const title = problem.code.replaceAll('-', ' ').replace(/^./, (letter) => letter.toUpperCase());
  const body: Problem = { type: `urn:berth:problem:${problem.code}`, title, status: problem.status, detail: problem.message, code: problem.code, errors: problem.errors, ...problem.more };
  return Buffer.from(JSON.stringify(body));
}

/** Answers with a problem. */
export function sendProblem(reply: FastifyReply, problem: HttpProblem): void {
  if (problem.status === 401) reply.header('WWW-Authenticate', 'Bearer realm="berth"');
  if (problem.status === 426) reply.header('Upgrade', 'websocket').header('Connection', 'Upgrade');
  if (problem.retryAfter !== undefined) reply.header('Retry-After', String(problem.retryAfter));
  else if (problem.status === 425) reply.header('Retry-After', '1');
  else if (problem.status === 503) reply.header('Retry-After', '2');
  if (reply.request.routeOptions.config?.foreign === 'bare') {
    const { status, body } = bareBody(problem);
    reply.code(status).header('Content-Type', 'application/json').send(Buffer.from(JSON.stringify(body)));
    return;
  }
  reply.code(problem.status).header('Content-Type', 'application/problem+json').send(problemBody(problem));
}
