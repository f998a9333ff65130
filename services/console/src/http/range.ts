import type { FastifyRequest } from 'fastify';

/** What a request asks of a body of known length: all of it, a part, or a part that it has not (RFC 9110, 14). */
export type Wanted = { kind: 'whole' } | { kind: 'part'; start: number; end: number } | { kind: 'none' };

/**
 * Reads `Range`. What can't be read, more ranges than one, and a range of what the asker has of another version (`If-Range`)
 * mean the whole, as the standard has it.
 *
 * @param tag the ETag of the present version
 */
export function wantedRange(request: FastifyRequest, bytes: number, tag: string): Wanted {
  const { range, 'if-range': version } = request.headers;
  if (range === undefined || (version !== undefined && version !== tag)) return { kind: 'whole' };
  const [, first = '', last = ''] = /^bytes= *(\d{0,15})-(\d{0,15}) *$/i.exec(range) ?? [];
  if (first === '' && last === '') return { kind: 'whole' };
  if (first === '') return Number(last) === 0 || bytes === 0 ? { kind: 'none' } : { kind: 'part', start: Math.max(0, bytes - Number(last)), end: bytes };
  if (last !== '' && Number(last) < Number(first)) return { kind: 'whole' };
  if (Number(first) >= bytes) return { kind: 'none' };
  return { kind: 'part', start: Number(first), end: last === '' ? bytes : Math.min(bytes, Number(last) + 1) };
}

/** Whether the asker has this version already: `If-None-Match`, compared weakly. */
export function has(request: FastifyRequest, tag: string): boolean {
  const given = request.headers['if-none-match'];
  return given !== undefined && given.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === tag);
}
