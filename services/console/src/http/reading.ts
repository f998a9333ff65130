import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { NestInterceptor } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { of } from 'rxjs';
import type { AnyRecorded } from '@berth/contracts';
import type { Hub } from '../live/hub.js';
import type { Projection } from '../views/projection.js';
import type { Shows } from './describe.js';
import { readsViews, takesAfter } from './document.js';
import { acceptsCoding } from './methods.js';
import { HttpProblem } from './problem.js';
import type { RouteTable } from './routes.js';
import { queryCount } from './server.js';
import { partsOf, tagsIn, type Marks } from './tags.js';

/** The views follow in milliseconds: whoever asks for a position that is not there by then has asked for one that is not to be. */
const AFTER_MS = 2000;
/** So long a read that somebody may write on waits for the rows of what was seen last. */
const CATCH_UP_MS = 1000;
/** Below this a compressed answer is hardly shorter, and costs time. */
const WORTH_COMPRESSING = 1400;
/** Of the lives of resources only these change what is shown of a lease. */
const behindLeases: ReadonlySet<string> = new Set(['ResourceCreated', 'ResourceActivated', 'ResourceDestroyed']);

const zip = { br: promisify(brotliCompress), gzip: promisify(gzip) };

/** Where the views of the console stand. */
export interface Standing {
  hub: Pick<Hub, 'position' | 'since' | 'listen' | 'origin'>;
  projection: Pick<Projection, 'reached' | 'position'>;
}

/**
 * What all reads do alike: `?after=` waits for a position, `If-None-Match` is answered with 304, and long answers are
 * compressed. Streams are no part of this: they write their answer themselves.
 *
 * A tag is `W/"MARK-POSITION-HASH"`: the mark is of the address and of this installation, what it was made of stood at that position, and its text had that hash. While nothing
 * that is shown has changed since the position, nobody has to be asked. Otherwise the hash says.
 *
 * @returns what has to stand around all handlers
 */
export function answerReads(server: FastifyInstance, table: RouteTable, { hub, projection }: Standing, own: Marks): NestInterceptor {
  const standing = new WeakMap<FastifyRequest, number>();
  /** By the path of a read that somebody may write on, in whose events that is said. */
  const written = new Map(table.routes.flatMap(({ description: { writes } }) => (writes ? [[writes.at, writes.kind] as const] : [])));
  server.addHook('preHandler', async (request) => {
    const route = table.find(request.method, request.routeOptions.url);
    if (!route || !readsViews(route.method, route.description)) return;
    const { shows } = route.description;
    if (takesAfter(route.method, route.description)) await reached(request, shows?.rows === true);
    // Whoever writes on what is shown says its position. One that is too low would count what they have seen as what others have said since.
    const base = written.has(route.path);
    if (base && shows?.rows) await projection.reached(hub.position, CATCH_UP_MS);
    if (shows || base) standing.set(request, shows?.rows ? projection.position : hub.position);
  });

  async function reached(request: FastifyRequest, rows: boolean): Promise<void> {
    const position = queryCount(request, 'after', { least: 0, most: Number.MAX_SAFE_INTEGER, otherwise: 0 });
    if (position === 0) return;
    const seen = rows ? await projection.reached(position, AFTER_MS) : await heard(hub, position);
    if (!seen) throw new HttpProblem('not-yet', `Position ${position} is not shown yet: ask again, or without after.`, [{ field: 'after', message: `is ahead of what is shown, which is ${rows ? projection.position : hub.position}` }]);
  }

  /** Whether nothing of what a route shows has changed after a position; false when that is too long ago to tell. */
  function unchanged(position: number, shows: Shows, request: FastifyRequest): boolean {
    const id = shows.one === undefined ? undefined : (request.params as Record<string, string>)[shows.one];
    return position <= hub.position && hub.since(position)?.every((recorded) => !touches(recorded, shows, id)) === true;
  }

  /** Whether what was written on a tag is still written on the present text: it may have been said otherwise and then as before. */
  const stands = (position: number, path: string | undefined): boolean => {
    const kind = written.get(path ?? '');
    return kind === undefined || hub.since(position)?.every((recorded) => recorded.kind !== kind) === true;
  };

  server.addHook('onSend', async (request, reply, payload) => {
    const type = String(reply.getHeader('content-type') ?? '');
    if (typeof payload !== 'string' || !/^(application\/json|text\/(html|css))/.test(type)) return payload;
    reply.header('Vary', [reply.getHeader('vary'), 'Accept-Encoding, Authorization, Cookie'].filter(Boolean).join(', '));
    if (!reply.hasHeader('Cache-Control')) reply.header('Cache-Control', request.method === 'GET' || request.method === 'HEAD' ? 'private, no-cache' : 'no-store');
    if (reply.statusCode === 200 && (request.method === 'GET' || request.method === 'HEAD')) {
      const hash = createHash('sha1').update(payload).digest('base64url').slice(0, 16);
      const text = `W/"${own(request)}-${standing.get(request) ?? 0}-${hash}"`;
      const known = tags(request).find((tag) => {
        const parts = partsOf(tag);
        return tag === '*' || (parts?.mark === own(request) && parts.hash === hash && stands(parts.position, request.routeOptions.url));
      });
      if (known !== undefined) {
        reply.code(304).header('ETag', known === '*' ? text : known).removeHeader('content-type');
        reply.removeHeader('content-length');
        return '';
      }
      reply.header('ETag', text);
    }
    return compressed(request, reply, payload);
  });

  // Behind all guards: whoever may not see a thing is not told that it is the same either.
  return {
    intercept(context, next) {
      const request = context.switchToHttp().getRequest<FastifyRequest>();
      const shows = table.find(request.method, request.routeOptions.url)?.description.shows;
      const known = shows && !shows.timed && tags(request).map(partsOf).find((tag) => tag?.mark === own(request) && unchanged(tag.position, shows, request));
      if (!known) return next.handle();
      notModified(context.switchToHttp().getResponse<FastifyReply>(), known.text);
      return of(undefined);
    },
  };
}

function touches({ kind, id, commit }: AnyRecorded, { kinds }: Shows, one: string | undefined): boolean {
  if (!kinds.includes(kind)) return false;
  // What is shown of a lease is in part its resource, whose id the path does not say.
  if (kind === 'resource') return commit.events.some(({ type }) => behindLeases.has(type));
  return one === undefined || id.toLowerCase() === one.toLowerCase();
}

async function compressed(request: FastifyRequest, reply: FastifyReply, payload: string): Promise<string | Buffer> {
  if (payload.length < WORTH_COMPRESSING) return payload;
  const coding = (['br', 'gzip'] as const).find((one) => acceptsCoding(request.headers['accept-encoding'], one));
  if (coding === undefined) return payload;
  // At the speed of gzip, br is the shorter one.
  const packed = coding === 'br' ? await zip.br(payload, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }) : await zip.gzip(payload, { level: 4 });
  reply.header('Content-Encoding', coding).header('Content-Length', packed.byteLength);
  return packed;
}

function notModified(reply: FastifyReply, tag: string): void {
  reply.code(304).header('ETag', tag).header('Vary', 'Accept-Encoding, Authorization, Cookie').header('Cache-Control', 'private, no-cache');
}

const tags = (request: FastifyRequest): string[] => tagsIn(request.headers['if-none-match']);

/** Whether the hub has come to a position before the time is up. What is kept in memory is as far as the hub. */
function heard(hub: Pick<Hub, 'position' | 'listen'>, position: number): Promise<boolean> {
  if (hub.position >= position) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (is: boolean) => {
      clearTimeout(timer);
      stop();
      resolve(is);
    };
    const timer = setTimeout(() => settle(false), AFTER_MS);
    const stop = hub.listen(({ sequence }) => {
      if (sequence >= position) settle(true);
    });
  });
}
