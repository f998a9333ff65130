import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Route } from './routes.js';

/** What a page of another origin may send, and may read of the answer. */
const preflight = { 'Access-Control-Allow-Methods': 'GET, POST, OPTIONS', 'Access-Control-Allow-Headers': 'Authorization, Content-Type, Idempotency-Key', 'Access-Control-Max-Age': '86400' } as const;

/**
 * Lets pages of another origin ask the routes that are made for them, with whatever credentials they show in a header:
 * cookies are never sent along. Before the door, so that a page can read a refusal too.
 */
export function allowOrigin(server: FastifyInstance, origin: string): void {
  server.addHook('onRequest', (request, reply, done) => {
    const { foreign } = request.routeOptions.config;
    if (foreign === undefined) return done();
    reply.raw.setHeader('Access-Control-Allow-Origin', origin);
    reply.raw.setHeader('Access-Control-Expose-Headers', 'Location, Retry-After');
    if (request.method === 'OPTIONS') for (const [name, value] of Object.entries(preflight)) reply.raw.setHeader(name, value);
    // What they say stands in the address: a body, whatever it is, is not looked at.
    if (foreign === 'bare') dropBody(request);
    done();
  });
}

function dropBody({ raw: { headers } }: FastifyRequest): void {
  for (const name of ['content-type', 'content-length', 'transfer-encoding'] as const) delete headers[name];
}

/** How the other methods of a path are answered, by the routes that it has: as the one whose form is the most particular. */
export function foreignAt(routes: readonly Route[], path: string): Route['description']['foreign'] {
  const own = routes.flatMap((route) => (route.path === path && route.description.foreign ? [route.description.foreign] : []));
  return own.find((one) => one === 'bare') ?? own[0];
}
