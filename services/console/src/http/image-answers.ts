import type { FastifyReply } from 'fastify';
import type { RemovedView } from '@berth/client';
import type { Kind } from '@berth/contracts';
import { accepted } from './commands.js';
import type { Shows } from './describe.js';
import type { ProblemCode } from './problem.js';

/** Answers a removal, with what the service says a person has to remove. */
export function removed(reply: FastifyReply, location: string, id: string, data: Record<string, unknown>): RemovedView {
  const manual = Array.isArray(data['manual']) ? data['manual'].map(String) : [];
  return accepted(reply, 202, location, { id, manual });
}

/** What is made of images, with what the catalogue says of where they are pushed to. */
export const showsImages: Shows = { kinds: ['image', 'catalog'] satisfies Kind[], rows: true };
export const showsWarehouse: Shows = { kinds: ['image', 'replication'] satisfies Kind[], rows: true };

/** Why something can't be done with a version. */
export const ofVersion = ['unknown-version', 'version-deleted'] as const satisfies readonly ProblemCode[];
/** Why it can't be used. */
export const unusable = ['version-revoked', 'version-disabled'] as const satisfies readonly ProblemCode[];
/** Why something stays. */
export const stays = ['version-in-use', 'version-live', 'target-live', 'push-live'] as const satisfies readonly ProblemCode[];
