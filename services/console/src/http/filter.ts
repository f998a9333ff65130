import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Runtime } from '@berth/runtime';
import { QueryFailedError } from 'typeorm';
import { FullError, UnavailableError as StoreUnavailableError } from '@berth/artifacts';
import { isOutage, UnavailableError } from '@berth/event-store';
import { HttpProblem, sendProblem, type ProblemCode } from './problem.js';

/** SQLSTATE classes of a server that is away, stops, or has no room: not our mistake. */
const databaseOutage = /^(08|53|57)/;
const networkOutage = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH']);

/** The one place where an error becomes an answer. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Runtime['log']) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (reply.sent || reply.raw.headersSent) {
      this.log.warn({ error }, 'an error after the answer had begun');
      return;
    }
    const problem = asProblem(error);
    // Without its query: what signs somebody in may stand there.
    if (problem.status >= 500) this.log.warn({ error, method: reply.request.method, path: reply.request.url.split('?')[0], commandId: reply.request.headers['idempotency-key'] }, 'a request failed');
    sendProblem(reply, problem);
  }
}

/** What an error means to whoever asked. An outage is told as one, never as "not found". */
export function asProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof FullError) return new HttpProblem('unavailable', `There is no room for it: ${error.message}.`);
  if (error instanceof UnavailableError || error instanceof StoreUnavailableError) return new HttpProblem('unavailable', `A part of Berth does not answer (${error.message}): try again in a moment.`);
  if (isOutage(error)) return new HttpProblem('unavailable', 'The bus (NATS) does not answer: try again in a moment.');
  if (isDatabaseOutage(error)) return new HttpProblem('unavailable', 'The database (PostgreSQL) does not answer: try again in a moment.');
  if (error instanceof HttpException) return ofNest(error);
  const { code, statusCode, message } = error as { code?: string; statusCode?: number; message?: string };
  if (typeof code === 'string' && code.startsWith('FST_ERR_') && statusCode && statusCode < 500) return ofStatus(statusCode, message ?? code);
  return new HttpProblem('internal', 'Something went wrong inside Berth: the log of the console says what.');
}

function ofNest(error: HttpException): HttpProblem {
  const status = error.getStatus();
  if (status === 404) return new HttpProblem('not-found', `There is nothing here (${error.message}): see the list of routes in the documentation of the HTTP API.`);
  return status < 500 ? ofStatus(status, error.message) : new HttpProblem('internal', error.message);
}

function ofStatus(status: number, message: string): HttpProblem {
  const codes: Record<number, ProblemCode> = { 404: 'not-found', 413: 'too-large', 414: 'uri-too-long', 415: 'unsupported-media-type' };
  if (status === 413) return new HttpProblem('too-large', 'The body is too large: at most 1 MiB.');
  if (status === 415) return new HttpProblem('unsupported-media-type', 'The body has a type that nothing here reads: send application/json (a plan: application/yaml).');
  return new HttpProblem(codes[status] ?? 'bad-request', message, [], status);
}

function isDatabaseOutage(error: unknown): boolean {
  const own = error instanceof QueryFailedError ? (error.driverError as Error & { code?: string }) : (error as Error & { code?: string });
  const code = own?.code;
  if (typeof code === 'string') return databaseOutage.test(code) || networkOutage.has(code);
  // pg has no code for these
  return own instanceof Error && /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error)/.test(own.message);
}
