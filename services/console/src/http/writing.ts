import type { FastifyInstance, FastifyRequest } from 'fastify';
import { schemas } from '@berth/client';
import { duration } from '@berth/contracts';
import { HttpProblem } from './problem.js';
import type { Route, RouteTable } from './routes.js';
import { queryText } from './server.js';
import type { Settling } from './settling.js';
import { partsOf, tagsIn, type Marks } from './tags.js';
import { noting, type Written } from './written.js';

/** Longest `?wait=`: what is between us and the asker seldom keeps a silent request for longer. */
const LONGEST_WAIT_MS = 60_000;

interface Write extends Written {
  waitMs: number | undefined;
}

/**
 * What all writes do alike: their answer says which position they wrote, and with `?wait=` it comes when what was begun is
 * at rest, or when the time is up. Before the handler runs the wait is read, so that a faulty one has no effect. With
 * `If-Match` nothing is written when somebody has said anew, since the read that had that tag, what this says.
 */
export function answerWrites(server: FastifyInstance, table: RouteTable, settling: Settling, marks: Marks): void {
  const writes = new WeakMap<FastifyRequest, Write>();
  server.addHook('preHandler', (request, _reply, done) => {
    const route = table.find(request.method, request.routeOptions.url);
    if (!route || route.method === 'GET') return done();
    const write: Write = { position: undefined, base: baseOf(request, route, marks), waitMs: route.description.settles ? waitOf(request) : undefined };
    writes.set(request, write);
    noting(write, done);
  });
  server.addHook('preSerialization', async (request, reply, payload) => {
    const write = writes.get(request);
    if (!write || !isAccepted(payload) || reply.statusCode >= 400) return payload;
    const { position, waitMs } = write;
    if (position !== undefined) reply.header('Berth-Position', position);
    const { answers } = table.find(request.method, request.routeOptions.url)!.description;
    // What was waited for anyway is answered with itself.
    if (answers[200] === schemas.ActionView) reply.header('Location', `/api/v1/actions/${payload.id}`);
    if (reply.statusCode !== 201 && reply.statusCode !== 202) return payload;
    const answer = { ...payload, ...(position !== undefined && { position }) };
    const settles = table.find(request.method, request.routeOptions.url)?.description.settles;
    if (waitMs === undefined || !settles) return answer;
    const { settled, status } = await within(request, waitMs, (signal) => settling.wait(settles, payload.id, position ?? 0, signal));
    if (settled) reply.code(200);
    return { ...answer, settled, ...(status !== null && { status }) };
  });
}

const isAccepted = (payload: unknown): payload is { id: string } => typeof payload === 'object' && payload !== null && 'id' in payload && typeof payload.id === 'string';

function waitOf(request: FastifyRequest): number | undefined {
  const given = queryText(request, 'wait');
  if (given === undefined) return undefined;
  const parsed = duration.safeParse(given);
  if (parsed.success && parsed.data <= LONGEST_WAIT_MS) return parsed.data;
  throw new HttpProblem('invalid-data', 'The query is refused: wait is not a time of at most a minute.', [{ field: 'wait', message: 'must be a duration such as 30s, at most 1m' }]);
}

/** The position of the read that a write is based on, if it says so. @throws {HttpProblem} its tag is of no such read */
function baseOf(request: FastifyRequest, { method, description: { writes } }: Route, marks: Marks): number | undefined {
  const given = request.headers['if-match'];
  if (writes === undefined || given === undefined) return undefined;
  if (given.trim() === '*') throw new HttpProblem('invalid-data', 'The request is refused: If-Match names no read.', [{ field: 'If-Match', message: 'must be the ETag of a GET, not *' }]);
  // What is saved under the name that stands in it has another address than where it was read.
  const own = (mark: string): boolean => method === 'POST' || mark === marks(request, request.url.replace(/\?.*$/, ''));
  const tag = tagsIn(given).map(partsOf).find((one) => one !== undefined && own(one.mark));
  if (!tag) throw new HttpProblem('changed-meanwhile', 'The ETag in If-Match is not one of what stands at this address, as it is shown to you: read it again.');
  return tag.position;
}

/** Work that ends with the time, or with the asker. */
async function within<T>(request: FastifyRequest, ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const leave = () => limit.abort();
  const timer = setTimeout(leave, ms);
  const { socket } = request.raw;
  socket.once('close', leave);
  try {
    return await work(limit.signal);
  } finally {
    clearTimeout(timer);
    socket.off('close', leave);
  }
}
