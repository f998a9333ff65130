import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import type { Foreign } from '../access/needs.js';
import { isNeed, type Need } from '../access/permissions.js';
import { DESCRIPTION, type Description, type Told } from './describe.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
const methods: Readonly<Partial<Record<RequestMethod, Method>>> = { [RequestMethod.GET]: 'GET', [RequestMethod.POST]: 'POST', [RequestMethod.PUT]: 'PUT', [RequestMethod.PATCH]: 'PATCH', [RequestMethod.DELETE]: 'DELETE' };

/** A way into the console. */
export interface Route {
  method: Method;
  /** as the router has it: `/api/v1/leases/:id`; `*` is all that is left */
  path: string;
  /** names the route in the document: `leases.get` */
  name: string;
  description: Told;
  /** what whoever asks must have */
  needs: Need;
}

/**
 * All routes of some controllers.
 * @throws when one has no description, or does not say what it needs: what nobody can read about nobody should be able to call
 */
export function routesOf(controllers: readonly Type[]): Route[] {
  return controllers.flatMap((controller) => {
    const group = controller.name.replace(/Controller$/, '').replace(/^./, (letter) => letter.toLowerCase());
    const base = pathOf(controller);
    return handlersOf(controller).map(([name, handler]) => {
      const method = methods[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
      const path = `/${[base, pathOf(handler)].flatMap((part) => part.split('/')).filter((part) => part !== '').join('/')}`;
      const description = Reflect.getMetadata(DESCRIPTION, handler) as Description | undefined;
      if (method === undefined) throw new Error(`${controller.name}.${name} answers a method that the document of the API does not know: use ${Object.values(methods).join(', ')}`);
      if (!description) throw new Error(`${controller.name}.${name} (${method} ${path}) has no description: put @Describe({ summary, answers, ... }) on it`);
      const { needs, foreign } = (Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) ?? {}) as { needs?: unknown; foreign?: Foreign };
      if (!isNeed(needs)) throw new Error(`${controller.name}.${name} (${method} ${path}) does not say what it needs: put @Needs('...') on it`);
      return { method, path, name: `${group}.${name}`, description: { ...description, ...(needs === 'anyone' && { open: true as const }), ...(foreign && { foreign }) }, needs };
    });
  });
}

const pathOf = (target: object): string => String(Reflect.getMetadata(PATH_METADATA, target) ?? '');

/** The methods of a controller that are routes, in the order in which they stand. */
function handlersOf(controller: Type): [string, object][] {
  const own = Object.entries(Object.getOwnPropertyDescriptors(controller.prototype)) as [string, PropertyDescriptor][];
  return own.flatMap(([name, { value }]) => (typeof value === 'function' && Reflect.hasMetadata(METHOD_METADATA, value as object) ? [[name, value as object]] : []));
}

/** Finds the description of a route by what the router says of a request. HEAD is GET without the body. */
export class RouteTable {
  private readonly byRoute: ReadonlyMap<string, Route>;

  constructor(readonly routes: readonly Route[]) {
    this.byRoute = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
  }

  find(method: string, path: string | undefined): Route | undefined {
    return path === undefined ? undefined : this.byRoute.get(`${method === 'HEAD' ? 'GET' : method} ${path}`);
  }
}
