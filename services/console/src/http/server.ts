import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpProblem } from './problem.js';

export const JSON_TYPE = 'application/json';
/** JSON that says only what is to be otherwise (RFC 7396). */
export const MERGE_TYPE = 'application/merge-patch+json';

/** Largest body that is read as a whole. Files are streamed and have a limit of their own. */
export const MAX_BODY = 1024 * 1024;

/** What is nested deeper can be read here and not be written again, which takes a call for each level. */
const MAX_DEPTH = 100;

/** Whether a value has more levels than so many. Level by level, so that nothing is too deep for it. */
function deeper(value: unknown, levels: number): boolean {
  let level = [value];
  for (let depth = 0; depth <= levels; depth++) {
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
    if (level.length === 0) return false;
  }
  return true;
}

/** What bodies there are: JSON and YAML as a whole, files as a stream. */
export function readBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser([JSON_TYPE, MERGE_TYPE], { parseAs: 'string', bodyLimit: MAX_BODY }, (_request, body, done) => {
    try {
      const value: unknown = body === '' ? undefined : JSON.parse(body as string);
      if (!deeper(value, MAX_DEPTH)) return done(null, value);
      done(new HttpProblem('invalid-data', `The body is refused: it is nested more than ${MAX_DEPTH} deep.`, [{ field: '(the whole)', message: `must be nested at most ${MAX_DEPTH} deep` }]));
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
