import { z } from 'zod';

/** Longest name, in bytes of UTF-8: S3 takes keys of 1,024, and a bucket's prefix and the build go before. */
export const MOST_NAME_BYTES = 800;
/** Longest part between two slashes, in bytes: file systems take 255, and a folder's marks go behind. */
export const MOST_SEGMENT_BYTES = 200;

const bytes = (text: string): number => new TextEncoder().encode(text).length;

function fault(name: string): string | undefined {
  if (name === '') return 'must not be empty';
  if (bytes(name) > MOST_NAME_BYTES) return `must be at most ${MOST_NAME_BYTES} bytes long`;
  if (/[\p{Cc}\u2028\u2029]|\p{Surrogate}/u.test(name)) return 'must not hold control characters, line breaks or broken Unicode';
  // A separator on some systems and a letter on others: a file of that name would land somewhere else there.
  if (name.includes('\\')) return 'must not hold "\\": folders are separated by "/"';
  for (const segment of name.split('/')) {
    if (segment === '') return 'must not begin or end with "/" or hold "//"';
    if (segment === '.' || segment === '..') return 'must not hold "." or ".." as a folder';
    if (bytes(segment) > MOST_SEGMENT_BYTES) return `must have at most ${MOST_SEGMENT_BYTES} bytes between two "/"`;
  }
  return undefined;
}

const named = z.string().superRefine((name, context) => {
  const message = fault(name);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

/** What an artifact may be called: a path with "/" that can never lead out of the folder it is put in. */
export const artifactName = named.describe('a name of an artifact: may have folders, separated by "/"');

/** What an object of a store may be called. Names that begin with "." are the stores' own. */
export const objectName = named.refine((name) => !name.startsWith('.'), 'must not begin with "."');

/** The object that holds the bytes of an artifact. */
export const artifactObject = (build: string, generation: number, name: string): string => `${build}/${generation}/${name}`;
