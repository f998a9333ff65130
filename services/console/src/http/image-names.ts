import { z } from 'zod';
import { uuid } from '@berth/contracts';
import type { Images } from '../views/images.js';
import { HttpProblem, notFound } from './problem.js';

/** How images, versions and channels are named in paths and bodies. */

export const unknownImage = (name: string): HttpProblem => notFound('unknown-image', `image ${JSON.stringify(name)}`, '/api/v1/images');
export const unknownVersion = (name: string): HttpProblem => notFound('unknown-version', `version ${JSON.stringify(name)}`, '/api/v1/versions');
export const unknownChannel = (name: string): HttpProblem => notFound('unknown-channel', `channel ${JSON.stringify(name)}`, '/api/v1/channels');

/** A version in a body. */
export const versionRef = z.union([uuid, z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}[@:][A-Za-z0-9][A-Za-z0-9_-]{0,62}$/)]).describe('id of the version, `IMAGE@NUMBER` or `IMAGE:CHANNEL`');

/** The two names in `IMAGE:CHANNEL`. */
export function channelIn(name: string, unknown: (name: string) => HttpProblem = unknownChannel): { image: string; channel: string } {
  const [, image, channel] = /^([A-Za-z0-9][A-Za-z0-9_-]{0,62}):([A-Za-z0-9][A-Za-z0-9_-]{0,62})$/.exec(name) ?? [];
  if (image === undefined || channel === undefined) throw unknown(name);
  return { image, channel };
}

/** The name of a channel that is to be made. */
export const badChannel = (name: string): HttpProblem =>
  new HttpProblem('invalid-data', `The channel is refused: ${JSON.stringify(name)} is not IMAGE:CHANNEL.`, [{ field: 'name', message: 'use IMAGE:CHANNEL, each of 1 to 63 letters, digits, "-" or "_"' }]);

/**
 * The id of a version that a path names.
 * @throws {HttpProblem} nothing has that name
 */
export async function versionIn(images: Images, name: string): Promise<string> {
  const id = await images.versionId(name);
  if (id === undefined) throw unknownVersion(name);
  return id;
}

/** A body with each of some fields that names a version by its id. What is no text is left to whoever reads the command. */
export async function withVersions(images: Images, body: Record<string, unknown>, ...fields: string[]): Promise<Record<string, unknown>> {
  const named = await Promise.all(fields.flatMap((field) => (typeof body[field] === 'string' ? [versionIn(images, body[field]).then((id) => [field, id] as const)] : [])));
  return { ...body, ...Object.fromEntries(named) };
}
