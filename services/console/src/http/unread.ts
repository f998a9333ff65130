import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { nearest } from '@berth/contracts';
import { isCommand, isContent, type Body, type Content } from './describe.js';
import { queryOf } from './document.js';
import { HttpProblem } from './problem.js';
import type { Route, RouteTable } from './routes.js';
import { unreadFields } from './unread-fields.js';

/**
 * Refuses what a request says and nobody would read: with `?dryrun=true` for `?dryRun=true`, what was only to be looked at would be
 * done, and a lease that is asked for with `for` would have no end. A parameter that has one value and is given two is refused as
 * well: each of them may be the one that was meant. Requests in the form of other controllers may have more in their address, as there.
 */
export function refuseUnread(server: FastifyInstance, table: RouteTable): void {
  server.addHook('preHandler', (request: FastifyRequest, _reply, done) => {
    const route = table.find(request.method, request.routeOptions.url);
    done(route && route.path.startsWith('/api/') ? (unreadQuery(request.query as Query, route) ?? unreadBody(request.body, route)) : undefined);
  });
}

type Query = Readonly<Record<string, string | string[]>>;

function unreadQuery(query: Query, route: Route): HttpProblem | undefined {
  const known = queryOf(route);
  const names = Object.keys(query);
  const unknown = route.description.foreign === 'bare' ? [] : names.filter((name) => !Object.hasOwn(known, name));
  if (unknown.length > 0) {
    return new HttpProblem('invalid-data', `The query is refused: there is no parameter ${unknown.map((name) => JSON.stringify(name)).join(', ')}.`, unknown.map((field) => ({ field, message: instead(field, Object.keys(known)) })));
  }
  const twice = names.filter((name) => Array.isArray(query[name]) && known[name] !== undefined && !(known[name] instanceof z.ZodArray));
  if (twice.length === 0) return undefined;
  return new HttpProblem('invalid-data', `The query is refused: ${twice.join(', ')} is given more than once.`, twice.map((field) => ({ field, message: 'must be given once' })));
}

/** Of JSON: text and files have no fields, and what is no object is told of by whoever reads it. */
function unreadBody(body: unknown, { description }: Route): HttpProblem | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body) || 'pipe' in body) return undefined;
  const told = [description.body ?? []].flat().find((one): one is Exclude<Body, Content> => !isContent(one));
  if (!told) return undefined;
  const [schema, filled] = isCommand(told) ? [told.command, told.filled] : [told, []];
  const unknown = unreadFields(schema, body);
  if (unknown.length === 0) return undefined;
  const names = unknown.map(({ field }) => JSON.stringify(field)).join(', ');
  return new HttpProblem('invalid-data', `The body is refused: there is no field ${names}.`, unknown.map(({ field, known }) => ({ field, message: instead(field.slice(field.lastIndexOf('.') + 1), known.filter((name) => !filled.includes(name))) })));
}

/** What may have been meant, else all that there is. */
function instead(word: string, words: readonly string[]): string {
  const meant = nearest(word, words);
  if (meant !== undefined) return `did you mean ${JSON.stringify(meant)}?`;
  return words.length === 0 ? 'leave it out' : `use ${words.join(', ')}`;
}
