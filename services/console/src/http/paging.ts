import type { FastifyRequest } from 'fastify';
import type { ListQuery } from '../views/reads.js';
import { HttpProblem } from './problem.js';
import { queryCount, queryText } from './server.js';

const LIMIT = { least: 1, most: 1000, otherwise: 100 };

/** Reads `?status=&limit=&cursor=` and filters by name. `status` takes several, with commas between. */
export function listQuery(request: FastifyRequest, statuses: readonly string[], filters: readonly string[] = []): ListQuery {
  const cursor = queryText(request, 'cursor');
  if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) throw new HttpProblem('invalid-data', 'The query is refused: cursor is not one of ours.', [{ field: 'cursor', message: 'use the cursor of the page before' }]);
  const status = queryText(request, 'status')?.split(',') ?? [];
  const unknown = status.find((one) => !statuses.includes(one));
  if (unknown !== undefined) throw new HttpProblem('invalid-data', `The query is refused: there is no status ${JSON.stringify(unknown)}.`, [{ field: 'status', message: `use one of ${statuses.join(', ')}` }]);
  const where: Record<string, string[]> = { status };
  for (const filter of filters) {
    const value = queryText(request, filter);
    if (value !== undefined) where[filter] = [value];
  }
  // What acts for others is not among them, and does not count.
  const projects = request.principal?.projects ?? null;
  return { where, projects, limit: queryCount(request, 'limit', LIMIT), before: cursor === undefined ? undefined : Number(cursor) };
}
