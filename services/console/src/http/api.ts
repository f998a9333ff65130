import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Type } from '@nestjs/common';
import { docsPage, docsStyle } from './docs-page.js';
import { openApi } from './document.js';
import { routesOf, RouteTable } from './routes.js';
import type { ApiDocument } from './tokens.js';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

/** What the API is: its routes, and the document that tells of them. */
export interface Api {
  table: RouteTable;
  document: ApiDocument;
  /** changes with the document: what an older version answered is not the same answer any more */
  mark: string;
}

/** Of controllers that were asked for before: half a second of work each time, and it never becomes otherwise. */
const known = new WeakMap<readonly Type[], Api>();

/** @throws when a route has no description */
export function apiOf(controllers: readonly Type[]): Api {
  const api = known.get(controllers) ?? made(controllers);
  known.set(controllers, api);
  return api;
}

function made(controllers: readonly Type[]): Api {
  const table = new RouteTable(routesOf(controllers));
  const json = openApi(table.routes, version);
  return { table, document: { json, page: docsPage(json), style: docsStyle }, mark: createHash('sha1').update(JSON.stringify(json)).digest('hex') };
}
