import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

/** A tag of a read, `W/"MARK-POSITION-HASH"`: of that address and asker, as of that position, with a text of that hash. */
export interface Tag {
  text: string;
  mark: string;
  position: number;
  hash: string;
}

/** The mark of an address, for whoever asks: not everybody is shown the same. */
export type Marks = (request: FastifyRequest, address?: string) => string;

/**
 * @param of what the text depends on besides: the form of the views
 * @param origin of this installation
 */
export const marks = (of: string, origin: () => string): Marks => ({ url, principal }, address = url.replace(/[?&]after=[^&]*/g, '')) =>
  createHash('sha1').update(JSON.stringify([origin(), of, address, principal?.actor, principal?.role, principal?.projects])).digest('hex').slice(0, 8);

/** The tags in a header. */
export const tagsIn = (header: string | undefined): string[] => header?.split(',').map((tag) => tag.trim()) ?? [];

/** What a tag says; undefined for one that is none of ours. */
export function partsOf(tag: string): Tag | undefined {
  const match = /^(?:W\/)?"([0-9a-f]{8})-(\d{1,15})-([\w-]{16})"$/.exec(tag);
  return match ? { text: tag, mark: match[1]!, position: Number(match[2]), hash: match[3]! } : undefined;
}
