import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpProblem } from './problem.js';

/** Largest body that is read as a whole. Files are streamed and have a limit of their own. */
export const MAX_BODY = 1024 * 1024;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** What is wrong with an Authorization header; nothing when it has the token. */
export type Gate = (authorization: string | undefined) => HttpProblem | undefined;

/** Lets in whoever shows the token. */
export function tokenGate(token: string): Gate {
  const expected = digest(token);
  return (authorization) => {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    // Equal lengths and equal time, whatever was given.
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return undefined;
    return new HttpProblem('unauthorized', given === undefined ? 'A token is needed: send "Authorization: Bearer TOKEN".' : 'This token is not valid here.');
  };
}

/** Whoever asks for anything under /api must show the token. Runs before a body is read. */
export function requireToken(server: FastifyInstance, gate: Gate): void {
  server.addHook('onRequest', (request, _reply, done) => {
    // By the route that was matched, not only by the text: `/%61pi/v1/leases` is matched too.
    const inside = [request.routeOptions.url, request.url].some((url) => url !== undefined && /^\/api(\/|\?|$)/.test(url));
    done(inside ? gate(request.headers.authorization) : undefined);
  });
}

/** What bodies there are: JSON and YAML as a whole, files as a stream. */
export function readBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: MAX_BODY }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(body as string));
    } catch (error) {
      done(new HttpProblem('invalid-json', `The body is not JSON: ${(error as Error).message}.`, [{ field: '(the whole)', message: 'send a JSON object' }]));
    }
  });
  server.addContentTypeParser(['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml', 'text/plain'], { parseAs: 'string', bodyLimit: MAX_BODY }, (_request, body, done) => done(null, body));
  server.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
}

/** The body as an object: what commands are made of. Nothing at all counts as {}. */
export function objectBody(request: FastifyRequest): Record<string, unknown> {
  const { body } = request;
  if (body === undefined || body === null) return {};
  if (typeof body === 'string' || typeof body !== 'object' || 'pipe' in body) {
    throw new HttpProblem('unsupported-media-type', 'The body must be a JSON object: send it as application/json.');
  }
  if (Array.isArray(body)) throw new HttpProblem('invalid-data', 'The body must be a JSON object, not a list.', [{ field: '(the whole)', message: 'must be an object' }]);
  return body as Record<string, unknown>;
}

/** One value of a query parameter; given twice, the last one. */
export function queryText(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Record<string, string | string[] | undefined>)[name];
  const last = Array.isArray(value) ? value.at(-1) : value;
  return last === '' ? undefined : last;
}

/** `?follow=true`; `?follow` alone means it too. */
export function queryFlag(request: FastifyRequest, name: string): boolean {
  const { [name]: value } = request.query as Record<string, string | string[] | undefined>;
  const last = Array.isArray(value) ? value.at(-1) : value;
  if (last === undefined || last === 'false' || last === '0') return false;
  if (last === '' || last === 'true' || last === '1') return true;
  throw new HttpProblem('invalid-data', `The query is refused: ${name} is true or false.`, [{ field: name, message: 'must be true or false' }]);
}

/** The same where leaving it out means yes. */
export const queryUnlessFalse = (request: FastifyRequest, name: string): boolean => queryText(request, name) === undefined || queryFlag(request, name);

export function queryCount(request: FastifyRequest, name: string, { least, most, otherwise }: { least: number; most: number; otherwise: number }): number {
  const text = queryText(request, name);
  if (text === undefined) return otherwise;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new HttpProblem('invalid-data', `The query is refused: ${name} is a number from ${least} to ${most}.`, [{ field: name, message: `must be a number from ${least} to ${most}` }]);
}
