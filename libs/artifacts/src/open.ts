import type { NatsConnection } from 'nats';
import { artifactBucket } from '@berth/nats';
import { folderObjects } from './folder.js';
import { jetStreamObjects } from './jetstream.js';
import { layered } from './layered.js';
import type { Listed, Objects } from './objects.js';
import type { ArtifactsSetting } from './setting.js';

/**
 * The store of artifacts that the setting names. What was kept in the bucket of the bus before another store was chosen is
 * still found there.
 */
export function openArtifacts(setting: ArtifactsSetting | undefined, connection: NatsConnection): Objects {
  const bucket = jetStreamObjects(connection, artifactBucket);
  switch (setting?.kind) {
    case undefined:
    case 'jetstream':
      return bucket;
    case 'folder':
      return layered(folderObjects(setting.path), bucket);
    case 's3':
      // The SDK takes a third of a second and 25 MiB to load: only those pay for it who use it.
      return layered(atFirstUse(async () => (await import('./s3.js')).s3Objects(setting)), bucket);
  }
}

function atFirstUse(open: () => Promise<Objects>): Objects {
  let opening: Promise<Objects> | undefined;
  const opened = () => (opening ??= open());
  return {
    put: async (...about) => (await opened()).put(...about),
    open: async (name) => (await opened()).open(name),
    remove: async (name) => (await opened()).remove(name),
    async *list(prefix): AsyncGenerator<Listed, void, undefined> {
      yield* (await opened()).list(prefix);
    },
  };
}
