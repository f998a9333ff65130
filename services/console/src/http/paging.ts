import type { FastifyRequest } from 'fastify';
import type { Page } from '@berth/client';
import { instant } from '@berth/contracts';
import { COUNTED, type FilterForm, type KeyForm, type Listed, type ListForm, type ListQuery, type Place } from '../views/list-query.js';
import * as parameters from './parameters.js';
import { HttpProblem } from './problem.js';
import { queryCount, queryFlag, queryText } from './server.js';

const LIMIT = { least: 1, most: parameters.MOST };
/** How many a list gives that was whole before it had pages. */
export const WHOLE = LIMIT.most;
const LAST_INSTANT = Date.UTC(9999, 11, 31);

const refused = (field: string, what: string, message: string): HttpProblem => new HttpProblem('invalid-data', `The query is refused: ${what}.`, [{ field, message }]);

/**
 * Reads what is asked of a list: `?FILTER=&sort=&limit=&cursor=&total=`.
 *
 * @throws {HttpProblem} what can't be read, with what there is instead
 */
export function listQuery(request: FastifyRequest, form: ListForm): ListQuery {
  const query = request.query as Record<string, string | string[] | undefined>;
  const where: Record<string, readonly string[]> = {};
  for (const [name, filter] of Object.entries(form.filters)) {
    const values = valuesOf(name, filter, [query[name] ?? []].flat().filter((value) => value !== ''));
    if (values.length > 0) where[name] = values;
  }
  const { sort, descending } = sortOf(request, form);
  const cursor = queryText(request, 'cursor');
  return {
    where, sort, descending, limit: queryCount(request, 'limit', { ...LIMIT, otherwise: form.usual ?? parameters.USUAL }), total: queryFlag(request, 'total'),
    after: cursor === undefined ? undefined : placeOf(cursor, descending ? `-${sort}` : sort, [form.sorts[sort]!, form.tie]),
  };
}

/**
 * Reads `?limit=&cursor=` of a list whose places are positions in a stream, the newest first.
 * @throws {HttpProblem} for a cursor that is not one of ours
 */
export function positionQuery(request: FastifyRequest): { limit: number; before: number | undefined } {
  const cursor = queryText(request, 'cursor');
  if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) throw refused('cursor', 'cursor is not one of ours', 'use the cursor of the page before');
  return { limit: queryCount(request, 'limit', { ...LIMIT, otherwise: parameters.USUAL }), before: cursor === undefined ? undefined : Number(cursor) };
}

/** One page as it is answered. */
export function pageOf<R, V>({ items, next, total }: Listed<R>, { sort, descending }: ListQuery, view: (row: R) => V): Page<V> {
  const counted = total === undefined ? {} : { total: Math.min(total, COUNTED), totalIsBound: total > COUNTED };
  return { items: items.map(view), cursor: next && cursorOf(next, descending ? `-${sort}` : sort), ...counted };
}

/** How a list that is held in memory is filtered and sorted. */
export interface MemoryList<R> {
  filters: Record<string, { form: FilterForm; is: (row: R, values: readonly string[]) => boolean }>;
  /** what it can be sorted by; the first one when nothing is said */
  sorts: Record<string, (row: R) => string | number>;
  /** what tells two rows apart that are alike in what they are sorted by */
  tie: (row: R) => string;
}

/** What can be asked of it. */
export const memoryForm = <R>({ filters, sorts }: MemoryList<R>): ListForm => ({
  filters: Object.fromEntries(Object.entries(filters).map(([name, { form }]) => [name, form])),
  sorts: Object.fromEntries(Object.keys(sorts).map((sort) => [sort, sort === 'position' ? 'number' : 'text'])), tie: 'text', order: Object.keys(sorts)[0]!, usual: WHOLE,
});

/** One page of a list that is held in memory. */
export function memoryPage<R>(rows: Iterable<R>, list: MemoryList<R>, query: ListQuery): Page<R> {
  const { where, sort, descending, limit, after, total } = query;
  const key = list.sorts[sort]!;
  const sign = descending ? -1 : 1;
  const placed = [...rows].filter((row) => Object.entries(where).every(([name, values]) => list.filters[name]!.is(row, values))).map((row) => ({ row, key: key(row), tie: list.tie(row) }));
  placed.sort((a, b) => sign * compare(a, b));
  const rest = after ? placed.filter((one) => sign * compare(one, after) > 0) : placed;
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return pageOf({ items, next: last && rest.length > limit ? { key: last.key, tie: last.tie } : null, total: total ? placed.length : undefined }, query, ({ row }) => row);
}

const compare = (a: Place, b: Place): number => compared(a.key, b.key) || compared(a.tie, b.tie);
const compared = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

/** Filters of lists in memory: any of the values; begins with one; and the instants from and to. */
export const isAny = <R>(form: FilterForm, of: (row: R) => string | null) => ({ form, is: (row: R, values: readonly string[]) => values.includes(of(row) ?? '') });
export const beginsWith = <R>(of: (row: R) => readonly string[]) => ({
  form: 'text' as const, is: (row: R, values: readonly string[]) => values.some((value) => of(row).some((name) => name.toLowerCase().startsWith(value.toLowerCase()))),
});
export const between = <R>(of: (row: R) => string | null) => ({
  since: { form: 'instant' as const, is: (row: R, [value]: readonly string[]) => (of(row) ?? '') >= value! },
  until: { form: 'instant' as const, is: (row: R, [value]: readonly string[]) => (of(row) ?? '') < value! },
});

function valuesOf(name: string, form: FilterForm, given: readonly string[]): string[] {
  // No name has one, and PostgreSQL takes none.
  if (given.some((value) => value.includes('\0'))) throw refused(name, `${name} has a NUL in it`, 'leave out the NUL');
  if (form === 'text') return [...given];
  if (form === 'instant') return given.slice(-1).map((value) => instantQuery(name, value));
  if (form === 'number') {
    if (given.some((value) => !/^[1-9]\d{0,14}$/.test(value))) throw refused(name, `${name} is a number from 1 on`, 'must be a number from 1 on');
    return [...given];
  }
  if (form === 'attribute') {
    if (given.some((value) => value.indexOf(':') < 1)) throw refused(name, `${name} is not an attribute with a value`, 'use NAME:VALUE, such as os:linux');
    return [...given];
  }
  const values = given.flatMap((value) => value.split(','));
  const unknown = values.find((value) => !form.oneOf.includes(value));
  if (unknown !== undefined) throw refused(name, `there is no ${name} ${JSON.stringify(unknown)}`, `use one of ${form.oneOf.join(', ')}`);
  return values;
}

/** An RFC 3339 time from a query, in UTC. */
export function instantQuery(name: string, value: string): string {
  // A plus sign in a query means a space unless it is encoded; nobody means a space here.
  const read = readInstant(value.replace(' ', '+'));
  if (read === undefined) throw refused(name, `${name} is not a time`, 'use an RFC 3339 time from 1970 to 9999, such as 2030-01-31T12:00:00Z');
  return read;
}

/** Within what RFC 3339 and PostgreSQL both can write. */
function readInstant(text: string): string | undefined {
  const read = instant.safeParse(text);
  const time = read.success ? Date.parse(read.data) : Number.NaN;
  return time >= 0 && time <= LAST_INSTANT ? new Date(time).toISOString() : undefined;
}

function sortOf(request: FastifyRequest, { sorts, order }: ListForm): { sort: string; descending: boolean } {
  const given = queryText(request, 'sort') ?? order;
  const descending = given.startsWith('-');
  const sort = descending ? given.slice(1) : given;
  if (!Object.hasOwn(sorts, sort)) throw refused('sort', `the list can't be sorted by ${JSON.stringify(sort)}`, `use one of ${Object.keys(sorts).join(', ')}, with - before it for the greatest first`);
  return { sort, descending };
}

// Opaque to whoever has one; it says which order it is a place in, so that it is not used in another.
const cursorOf = ({ key, tie }: Place, order: string): string => Buffer.from(JSON.stringify([order, key, tie])).toString('base64url');

function placeOf(cursor: string, order: string, forms: [key: KeyForm, tie: KeyForm]): Place {
  let parts: unknown;
  try {
    parts = /^[\w-]{1,2048}$/.test(cursor) ? JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) : undefined;
  } catch {
    parts = undefined; // told below
  }
  const [of, key, tie] = Array.isArray(parts) && parts.length === 3 ? (parts as unknown[]) : [];
  if (typeof of === 'string' && of !== order) throw refused('cursor', `cursor is one of a list sorted by ${of}`, 'keep the sort from page to page');
  if (of !== order || !is(key, forms[0]) || !is(tie, forms[1])) throw refused('cursor', 'cursor is not one of ours', 'use the cursor of the page before');
  return { key, tie };
}

function is(value: unknown, form: KeyForm): value is string | number {
  if (form === 'number') return Number.isSafeInteger(value);
  return typeof value === 'string' && !value.includes('\0') && (form === 'text' || readInstant(value) !== undefined);
}
