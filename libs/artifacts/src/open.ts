import type { NatsConnection } from 'nats';
import { artifactBucket } from '@berth/nats';
import { folderObjects } from './folder.js';
import { jetStreamObjects } from './jetstream.js';
import { layered } from './layered.js';
import type { Objects } from './objects.js';
import type { ArtifactsSetting } from './setting.js';

/**
 * The store of artifacts that the setting names. What was kept in the bucket of the bus before another store was chosen is
 * still found there.
 */
export async function openArtifacts(setting: ArtifactsSetting, connection: NatsConnection): Promise<Objects> {
  const bucket = jetStreamObjects(connection, artifactBucket);
  switch (setting.kind) {
    case 'jetstream':
      return bucket;
    case 'folder':
      return layered(folderObjects(setting.path), bucket);
    case 's3': {
      // The SDK takes a third of a second and 25 MiB to load: only those pay for it who use it.
      const { s3Objects } = await import('./s3.js');
      return layered(s3Objects(setting), bucket);
    }
  }
}
