import type { FastifyRequest } from 'fastify';
import { placeOf } from '../live/sse.js';
import { HttpProblem } from './problem.js';
import { queryText } from './server.js';

/**
 * Where a feed of events goes on: behind the `Last-Event-ID` that browsers send when they come back, else behind `?after=`.
 * @throws {HttpProblem} no event has that id
 */
export function lastEvent(request: FastifyRequest): ReturnType<typeof placeOf> {
  const header = request.headers['last-event-id'];
  const [field, given] = typeof header === 'string' && header !== '' ? ['Last-Event-ID', header] : ['after', queryText(request, 'after')];
  if (given === undefined) return undefined;
  const place = placeOf(given);
  if (place) return place;
  throw new HttpProblem('invalid-data', `The request is refused: ${field} is not the id of an event.`, [{ field, message: 'use an id of the feed, such as 123' }]);
}
