import type { FastifyInstance, FastifyRequest, HTTPMethods } from 'fastify';
import { qualityOf, wanted } from '@berth/runtime';
import { isContent } from './describe.js';
import { foreignAt } from './foreign.js';
import { HttpProblem } from './problem.js';
import type { Route, RouteTable } from './routes.js';

/** Methods that something else than "not found" is said of. */
const KNOWN: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Answers for each path the methods that it has no route for: OPTIONS with those that it has, any other with 405. */
export function answerOtherMethods(server: FastifyInstance, { routes }: RouteTable): void {
  const own = new Map<string, Set<string>>();
  for (const { path, method } of routes) own.set(path, (own.get(path) ?? new Set()).add(method));
  const paths = [...own].map(([path, methods]) => ({ path, parts: path.split('/'), methods }));
  for (const { path, parts } of paths) {
    const allowed = methodsOf(paths.filter((wide) => covers(wide.parts, parts)).flatMap(({ methods }) => [...methods]));
    const allow = [...allowed, 'OPTIONS'].join(', ');
    const foreign = foreignAt(routes, path);
    // A method that a wider path has (`artifacts/*` beside `artifacts/pin`) is left to it.
    server.route({
      method: KNOWN.filter((method) => !allowed.includes(method)),
      url: path,
      exposeHeadRoute: false,
      config: { needs: needsOf(path), ...(foreign && { foreign }) },
      handler: (request, reply) => {
        reply.header('Allow', allow);
        throw new HttpProblem('method-not-allowed', `${request.method} is not for this path: use ${allowed.join(', ')}.`);
      },
    });
    // Browsers ask it before a page of another origin does, and show nothing with that.
    if (foreign) server.route({ method: 'OPTIONS', url: path, config: { needs: 'anyone', foreign }, handler: (_request, reply) => reply.code(200).header('Allow', allow).send({}) });
    else server.route({ method: 'OPTIONS', url: path, config: { needs: needsOf(path) }, handler: (_request, reply) => reply.code(204).header('Allow', allow).send() });
  }
}

/** Under /api not even that a path has other methods is news for everybody. */
const needsOf = (path: string): 'signed-in' | 'anyone' => (path.startsWith('/api/') ? 'signed-in' : 'anyone');

const methodsOf = (methods: readonly string[]): HTTPMethods[] => KNOWN.filter((method) => methods.includes(method === 'HEAD' ? 'GET' : method));

/** Whether a path with parameters, by its parts, is found by whatever another one is found by. */
function covers(one: readonly string[], other: readonly string[]): boolean {
  if (one.at(-1) === '*') return other.length >= one.length && one.slice(0, -1).every((part, i) => matches(part, other[i]!));
  return one.length === other.length && one.every((part, i) => matches(part, other[i]!));
}

const matches = (part: string, other: string): boolean => part === other || (part.startsWith(':') && other !== '*');

/** Refuses what asks for a type that its route never answers with. A "no" is problem+json, whatever was asked for. */
export function refuseUnacceptable(server: FastifyInstance, table: RouteTable): void {
  const given = new Map(table.routes.map((route) => [route, typesOf(route)]));
  server.addHook('onRequest', (request: FastifyRequest, _reply, done) => {
    const route = table.find(request.method, request.routeOptions.url);
    const types = route && given.get(route);
    const accept = request.headers.accept;
    if (types === undefined || types.length === 0 || accept === undefined || types.some((type) => accepts(accept, type))) return done();
    done(new HttpProblem('not-acceptable', `This is answered with ${types.join(' or ')}, which Accept does not allow.`, [{ field: 'Accept', message: `must allow ${types.join(' or ')}` }]));
  });
}

function typesOf({ description: { answers, rather } }: Route): string[] {
  const own = Object.entries(answers).filter(([status, answer]) => Number(status) < 300 && typeof answer !== 'string');
  return [...new Set([...own.flatMap(([, answer]) => (typeof answer !== 'string' && isContent(answer) ? answer.types : ['application/json'])), ...(rather?.types ?? [])])];
}

/** Whether a media type is among those that are accepted. */
export const accepts = (header: string, type: string): boolean => wanted(header, type) > 0;

/** Whether a coding is among those that are accepted: `gzip, br;q=0.5`. */
export function acceptsCoding(header: string | string[] | undefined, coding: string): boolean {
  const list = (Array.isArray(header) ? header.join(',') : (header ?? '')).toLowerCase().split(',');
  return list.some((one) => {
    const [name = '', ...parameters] = one.split(';').map((part) => part.trim());
    return name === coding && qualityOf(parameters) > 0;
  });
}
