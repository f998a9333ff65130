import type { Objects } from '@berth/artifacts';
import type { Placed } from '../domain/catalog.js';
import type { Version } from '../domain/image.js';
import type { Call, Facts } from '../providers/provider.js';

/** What a provider is told of a version in an account. */
export function callOf(image: string, version: Version, { account, provider }: Placed, attempt: number, facts: Facts, objects: Objects, signal: AbortSignal): Call {
  return {
    image, version: version.id, number: version.number, attempt, account, provider, facts, signal,
    tags: version.labels,
    read: async (name) => {
      const object = await objects.open(name);
      if (!object) throw new Error(`the artifact ${name} is not there any more`);
      return object.read(undefined, signal);
    },
  };
}

/** Facts as they are stored: what is taken away becomes an empty text. */
export const stored = (facts: Readonly<Record<string, string | null>>): Record<string, string> => Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, value ?? '']));
