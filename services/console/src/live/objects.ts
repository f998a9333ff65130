import type { NatsConnection } from 'nats';
import { jetStreamObjects, openArtifacts, type ArtifactsSetting, type Objects as Store, type OpenObject } from '@berth/artifacts';
import { transferBucket, type artifactBucket } from '@berth/nats';

export type Bucket = typeof artifactBucket | typeof transferBucket;

/** Files that are kept, where the setting says, and files on their way, which are always on the bus. Errors are those of the store. */
export class Objects {
  private readonly transfers: Store;
  private readonly kept: Store;

  constructor(connection: NatsConnection, artifacts: ArtifactsSetting | undefined) {
    this.transfers = jetStreamObjects(connection, transferBucket);
    this.kept = openArtifacts(artifacts, connection);
  }

  private storeOf(bucket: Bucket): Store {
    return bucket === transferBucket ? this.transfers : this.kept;
  }

  /** Undefined when there is no such object. */
  open(bucket: Bucket, name: string): Promise<OpenObject | undefined> {
    return this.storeOf(bucket).open(name);
  }

  /** Stores a body of unknown length, all or nothing. */
  async put(bucket: Bucket, name: string, source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<number> {
    return (await this.storeOf(bucket).put(name, source, { maxBytes })).bytes;
  }

  delete(bucket: Bucket, name: string): Promise<void> {
    return this.storeOf(bucket).remove(name);
  }
}
