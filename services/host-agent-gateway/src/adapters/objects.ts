import type { NatsConnection } from 'nats';
import { jetStreamObjects, openArtifacts, type ArtifactsSetting, type Objects as Store, type PutOptions } from '@berth/artifacts';
import { transferBucket, type artifactBucket } from '@berth/nats';

export type Bucket = typeof artifactBucket | typeof transferBucket;

/** Files that are kept, and files on their way. Errors are those of the store. */
export interface Objects {
  put(bucket: Bucket, name: string, content: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<{ bytes: number; sha256: string }>;
  /** undefined when there is no such object */
  get(bucket: Bucket, name: string): Promise<AsyncIterable<Uint8Array> | undefined>;
}

/** What is on its way is always on the bus; what is kept is where the setting says. */
export function gatewayObjects(connection: NatsConnection, artifacts: ArtifactsSetting | undefined): Objects {
  const transfers = jetStreamObjects(connection, transferBucket);
  const kept = openArtifacts(artifacts, connection);
  const storeOf = (bucket: Bucket): Store => (bucket === transferBucket ? transfers : kept);
  return {
    put: (bucket, name, content, options) => storeOf(bucket).put(name, content, options),
    get: async (bucket, name) => (await storeOf(bucket).open(name))?.read(),
  };
}
