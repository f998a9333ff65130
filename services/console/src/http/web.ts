import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HttpProblem } from './problem.js';
import { has } from './range.js';

/** Where the dashboard is built to. */
export const WEB = fileURLToPath(new URL('../../web/dist', import.meta.url));

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.png': 'image/png', '.json': 'application/json',
};
/** Names in this folder carry a digest of their content, so what is under one never changes. */
const HASHED = '/assets/';
/** Everything that no other route is for. */
export const WEB_ROUTE = '/*';
/** Letters of one part of a path, as it is sent: names of artifacts have 800 bytes, each of them perhaps as %XX. */
export const MOST_PARAMETER = 2400;
/** Whatever is asked for under these is not a page, even if nothing is there. */
const NO_PAGES = /^\/(api|healthz|metrics|assets)(\/|$)/;

interface File {
  body: Buffer;
  gzip: Buffer;
  type: string;
  tag: string;
  caching: string;
}

/**
 * Serves the dashboard. Its files are read once: a page and the scripts it names are of one build, and no path of a request
 * ever reaches the file system. Every page has an address of its own, which is answered with the same document.
 */
export function serveWeb(server: FastifyInstance, folder: string): void {
  const files = readFiles(folder);
  server.route({
    method: ['GET', 'HEAD'],
    url: WEB_ROUTE,
    // The page is nothing but files; what it shows it asks for.
    config: { needs: 'anyone' },
    handler(request, reply) {
      const path = pathOf(request);
      const file = path === undefined ? undefined : (files.get(path) ?? (isPage(request, path) ? files.get('/index.html') : undefined));
      // The router takes what is too long for the route that it was meant for to be one of ours.
      if (!file && request.url.split('?')[0]!.split('/').some((part) => part.length > MOST_PARAMETER)) throw new HttpProblem('uri-too-long', `A part of this path is longer than any may be: ${MOST_PARAMETER} letters, as they are sent.`);
      if (!file) return reply.callNotFound();
      return send(request, reply, file);
    },
  });
}

/** Whether a person with a browser asks, and not for a file or the API. */
const isPage = (request: FastifyRequest, path: string): boolean => path === '/' || (!NO_PAGES.test(path) && (request.headers.accept ?? '').includes('text/html'));

function pathOf(request: FastifyRequest): string | undefined {
  try {
    return decodeURIComponent(request.url.split('?')[0]!);
  } catch {
    return undefined;
  }
}

function send(request: FastifyRequest, reply: FastifyReply, { body, gzip, type, tag, caching }: File): FastifyReply {
  reply.headers({ 'Cache-Control': caching, ETag: `W/${tag}`, Vary: 'Accept, Accept-Encoding', 'X-Content-Type-Options': 'nosniff' });
  if (has(request, tag)) return reply.code(304).send();
  const packed = gzip.length < body.length && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  if (packed) reply.header('Content-Encoding', 'gzip');
  return reply.type(type).send(packed ? gzip : body);
}

/** All files below a folder, by the path they are asked for with. None when it is not there. */
function readFiles(folder: string): Map<string, File> {
  const files = new Map<string, File>();
  if (!existsSync(folder)) return files;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const whole = join(entry.parentPath, entry.name);
    const path = `/${relative(folder, whole).split(sep).join('/')}`;
    const body = readFileSync(whole);
    files.set(path, {
      body,
      gzip: gzipSync(body, { level: 9 }),
      type: types[extname(path)] ?? 'application/octet-stream',
      tag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      caching: path.startsWith(HASHED) ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
  }
  return files;
}
