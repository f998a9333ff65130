import { z } from 'zod';
import { duration, instant, insidePath } from '@berth/contracts';

/** Parameters that several routes have. They are read by the functions of `server.ts`, `paging.ts` and `log-query.ts`. */

const count = (least: number, most: number) => z.int().min(least).max(most);
export const flag = z.enum(['true', 'false']).describe('alone it means true');
export const limit = count(1, 1000).describe('so many at most; 100 when absent');
export const cursor = z.string().describe('`cursor` of the page before');
export const path = insidePath;
export const mode = z.string().regex(/^0?[0-7]{3}$/).describe('permission bits, as octal digits such as 644');

/** Some of several words, with commas between. */
export const some = (words: readonly string[], what: string) => z.array(z.enum(words as [string, ...string[]])).describe(`${what}, with commas between`);

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
