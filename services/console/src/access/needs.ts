import type { FastifyInstance } from 'fastify';
import { RouteConfig } from '@nestjs/platform-fastify';
import { isNeed, type Need } from './permissions.js';
import type { Principal } from './principal.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    needs?: Need;
    foreign?: Foreign;
  }
  interface FastifyRequest {
    /** who asks; null where nobody has to say so */
    principal: Principal | null;
  }
}

/** A route, and what it needs. */
export interface Route {
  method: string;
  url: string;
  needs: Need;
}

/**
 * Of a route that pages of other origins, and clients of Taskcluster, may ask: which form its "no" has. `bare`: the JSON that
 * they know from other controllers.
 */
export type Foreign = 'problem' | 'bare';

/** What a route needs. One without it is refused at the start, so that none is open by mistake. */
export const Needs = (need: Need, foreign?: Foreign): MethodDecorator => RouteConfig({ needs: need, ...(foreign && { foreign }) });

/**
 * Refuses a route that does not say what it needs, while it is being added.
 * @returns the others, as they are added
 * @throws Error that names the route
 */
export function refuseOpenRoutes(server: FastifyInstance): Route[] {
  const routes: Route[] = [];
  server.addHook('onRoute', ({ method, url, config }) => {
    const needs: unknown = config?.needs;
    const methods = [method].flat();
    if (isNeed(needs)) return void routes.push(...methods.map((one) => ({ method: one, url, needs })));
    throw new Error(`the route ${methods.join(', ')} ${url} does not say what it needs: put @Needs('...') above it, or give it config: { needs: '...' }, with a permission of access/permissions.ts, 'signed-in' or 'anyone'`);
  });
  return routes;
}
