import type { FastifyRequest } from 'fastify';
import type { OutputStream } from '../live/place.js';
import { HttpProblem } from './problem.js';
import { queryCount, queryFlag, queryText } from './server.js';

const MOST = Number.MAX_SAFE_INTEGER;
const MOST_TAIL = 1_000_000;
const LONGEST_QUERY = 1000;
const PAGE = { least: 1, most: 1000, otherwise: 100 };

/** How a log is to be given. */
export interface LogQuery {
  follow: boolean;
  format: 'text' | 'ndjson';
  timestamps: boolean;
  /** without the escape sequences of terminals */
  plain: boolean;
  download: boolean;
  offset: number;
  /** as it was given: a line, or a section and a line of it */
  from: string | undefined;
  count: number | undefined;
  tail: number | undefined;
  /** lines are made of the bytes: anything but the plain text from a byte on */
  byLines: boolean;
}

/** What is looked for in a log. */
export interface SearchQuery {
  text: string;
  ignoreCase: boolean;
  limit: number;
  cursor: string | undefined;
}

const refused = (field: string, sentence: string, advice: string): HttpProblem => new HttpProblem('invalid-data', `The query is refused: ${sentence}.`, [{ field, message: advice }]);

function oneOf<T extends string>(request: FastifyRequest, name: string, values: readonly T[]): T | undefined {
  const text = queryText(request, name);
  if (text === undefined || values.includes(text as T)) return text as T | undefined;
  throw refused(name, `${name} is ${values.join(' or ')}`, `must be ${values.join(' or ')}`);
}

export const streamQuery = (request: FastifyRequest): OutputStream | undefined => oneOf(request, 'stream', ['stdout', 'stderr']);

function optionalCount(request: FastifyRequest, name: string, most: number): number | undefined {
  return queryText(request, name) === undefined ? undefined : queryCount(request, name, { least: 1, most, otherwise: 1 });
}

/** Reads how a log is to be given; what does not go together is refused. */
export function logQuery(request: FastifyRequest): LogQuery {
  const query = {
    follow: queryFlag(request, 'follow'),
    format: oneOf(request, 'format', ['text', 'ndjson']) ?? 'text',
    timestamps: queryFlag(request, 'timestamps'),
    plain: oneOf(request, 'ansi', ['keep', 'strip']) === 'strip',
    download: queryFlag(request, 'download'),
    offset: queryCount(request, 'offset', { least: 0, most: MOST, otherwise: 0 }),
    from: queryText(request, 'from'),
    count: optionalCount(request, 'count', MOST),
    tail: optionalCount(request, 'tail', MOST_TAIL),
  } as const;
  if (query.timestamps && query.format === 'ndjson') throw refused('timestamps', 'ndjson has the time of each line anyway', 'leave it out, or use format=text');
  if (query.offset > 0 && query.format === 'ndjson') throw refused('offset', 'offset counts bytes of text, and ndjson has none', 'use from, the number of a line');
  if (query.tail !== undefined && query.from !== undefined) throw refused('tail', 'the last lines and those from a number on are two things', 'use tail, or from and count');
  if (query.tail !== undefined && query.count !== undefined) throw refused('tail', 'tail says how many lines already', 'use tail, or from and count');
  if (query.tail !== undefined && query.offset > 0) throw refused('tail', 'what the last lines are changes, so their bytes have no place to go on from', 'use from, the number of a line, with offset');
  return { ...query, byLines: query.timestamps || query.format === 'ndjson' || query.from !== undefined || query.count !== undefined || query.tail !== undefined };
}

/** Number of a line, as in `from` or a cursor. */
export function lineNumber(field: string, text: string | undefined): number {
  if (text === undefined) return 1;
  const line = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (line >= 1) return line;
  throw refused(field, `${field} is the number of a line`, 'must be a number from 1');
}

/** A line of a build, as `SECTION:LINE`; undefined when it has not that form. */
export function spotOf(text: string): { section: number; line: number } | undefined {
  const match = /^(\d{1,9}):(\d{1,15})$/.exec(text);
  if (!match) return undefined;
  const [section, line] = [Number(match[1]), Number(match[2])];
  return line >= 1 ? { section, line } : undefined;
}

/** A line of a build, in `from` or a cursor. */
export function spot(field: string, text: string): { section: number; line: number } {
  const found = spotOf(text);
  if (found) return found;
  throw refused(field, `${field} of a build is SECTION:LINE, because lines are counted in each step`, 'use what `at` or `cursor` says, such as 2:120; or name a step and give the number of a line');
}

export function searchQuery(request: FastifyRequest): SearchQuery {
  const text = queryText(request, 'q');
  if (text === undefined) throw refused('q', 'q is the text to look for', 'must not be empty');
  if (text.length > LONGEST_QUERY) throw refused('q', `q has ${text.length} characters`, `must have at most ${LONGEST_QUERY}`);
  if (/[\n\r]/.test(text)) throw refused('q', 'q is looked for inside of lines', 'must not have the end of a line in it');
  return { text, ignoreCase: queryFlag(request, 'ignoreCase'), limit: queryCount(request, 'limit', PAGE), cursor: queryText(request, 'cursor') };
}
