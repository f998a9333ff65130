import { z } from 'zod';
import { duration, instant, insidePath } from '@berth/contracts';
import type { FilterForm, ListForm } from '../views/list-query.js';

/** Parameters that several routes have. They are read by the functions of `server.ts`, `paging.ts` and `log-query.ts`. */

const count = (least: number, most: number) => z.int().min(least).max(most);
export const flag = z.enum(['true', 'false']).describe('alone it means true');
/** How many a page has: at most, and when nothing is said. */
export const MOST = 1000;
export const USUAL = 100;
const limitOr = (usual: number) => count(1, MOST).describe(`so many at most; ${usual} when absent`);
export const limit = limitOr(USUAL);
export const cursor = z.string().describe('`cursor` of the page before');
export const path = insidePath;
export const mode = z.string().regex(/^0?[0-7]{3}$/).describe('permission bits, as octal digits such as 644');

/** Some of several words, with commas between. */
export const some = (words: readonly string[], what: string) => z.array(z.enum(words as [string, ...string[]])).describe(`${what}, with commas between`);

/** Any of several, or all: the parameter once for each. */
const each = (schema: z.ZodType, what: string) => z.array(schema).meta({ description: what, repeated: true });
/** Whether several values are told by the parameter several times, and not with commas. */
export const isRepeated = (schema: z.ZodType): boolean => z.globalRegistry.get(schema)?.['repeated'] === true;

/** What can be asked of a list: `listQuery` knows these parameters and no others. */
export function ofList({ filters, sorts, order, usual = USUAL }: ListForm): Record<string, z.ZodType> {
  const orders = Object.keys(sorts).flatMap((sort) => [sort, `-${sort}`]);
  return {
    ...Object.fromEntries(Object.entries(filters).map(([name, form]) => [name, filter(name, form)])),
    sort: z.enum(orders as [string, ...string[]]).describe(`with - before it the greatest first; ${order} when absent`),
    limit: limitOr(usual),
    cursor: z.string().describe('`cursor` of the page before, with the same filters and the same order'),
    total: flag.describe('how many there are on all pages too; alone it means true'),
  };
}

function filter(name: string, form: FilterForm): z.ZodType {
  switch (form) {
    case 'text':
      return each(z.string(), name === 'q' ? 'begins with it: names and ids; several times: with one of them' : 'as it is; several times: any of them');
    case 'attribute':
      return each(z.string().regex(/^[^:]+:.*$/), 'NAME:VALUE, such as os:linux; several times: all of them, and of one name any');
    case 'instant':
      return instant.describe(name === 'since' ? 'from this time on' : 'before this time');
    case 'number':
      return each(count(1, 999_999_999_999_999), 'several times: any of them');
    default:
      return some(form.oneOf, 'any of them');
  }
}

export const asOf = z.union([instant, z.int().nonnegative()]).describe('as of this time (RFC 3339), or of this position');
export const after = z.int().nonnegative().describe('a position, such as that of the answer to a write: answered once it is shown, or with not-yet');
export const wait = duration.describe('how long to wait for what was begun to come to rest, such as 30s: at most 1m. 202 at once when absent');
export const idempotencyKey = z.uuid().describe('id of the command behind the write: the same one again has one effect. Made here when absent');

/** Which part of a log. */
export const log = {
  follow: flag.describe('goes on until it has ended'),
  format: z.enum(['text', 'ndjson']).describe('text when absent; ndjson: one JSON object a line'),
  timestamps: flag.describe('each line begins with the time at which its beginning was read'),
  ansi: z.enum(['keep', 'strip']).describe('strip: without escape sequences of terminals'),
  offset: count(0, Number.MAX_SAFE_INTEGER).describe('leaves out so many bytes of the answer'),
  count: count(1, Number.MAX_SAFE_INTEGER).describe('so many lines'),
  tail: count(1, 1_000_000).describe('the last lines there are now'),
  download: flag.describe('as a file'),
};
export const search = {
  q: z.string().min(1).max(1000).describe('text inside of one line; not a pattern'),
  ignoreCase: flag,
  limit,
  cursor,
};
export const line = count(1, 999_999_999_999_999);
export const spot = z.string().regex(/^\d{1,9}:\d{1,15}$/);
