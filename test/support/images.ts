import { createHash, randomUUID } from 'node:crypto';
import { jetStreamObjects } from '@berth/artifacts';
import { imageTemplate, type ImageEvent, type ImageTarget, type KeptFile } from '@berth/contracts';
import { jetStreamStore } from '@berth/event-store';
import { artifactBucket } from '@berth/nats';
import { connect, type NatsConnection } from 'nats';
import { atEndOfFile } from './cleanup.js';

/** What a version is to have. */
export interface Written {
  target?: ImageTarget;
  body: Uint8Array;
  /** an SPDX document, as bytes; none when absent */
  sbom?: Uint8Array;
  labels?: Readonly<Record<string, string>>;
  os?: { name: string; version: string; arch?: 'x86_64' | 'aarch64' };
}

/** A connection of the spec's own, until the end of the file. */
export async function connectTo(url: string): Promise<NatsConnection> {
  const connection = await connect({ servers: url, noEcho: false });
  atEndOfFile(() => connection.close());
  return connection;
}

/** Images as the factory would have written them, with their files in the store of artifacts on the bus: for specs in which nothing is built. */
export function imageWriter(connection: NatsConnection) {
  const store = jetStreamStore(connection);
  const artifacts = jetStreamObjects(connection, artifactBucket);
  const stored = (image: string) => store.load<ImageEvent>('image', image);

  async function append(image: string, ...events: ImageEvent[]): Promise<number> {
    const before = await stored(image);
    return store.append('image', image, before.at(-1)?.sequence ?? 0, { id: randomUUID(), at: new Date().toISOString(), actor: 'spec', cause: 'spec', events });
  }

  async function keep(name: string, body: Uint8Array): Promise<KeptFile> {
    const object = `${randomUUID()}/1/${name}`;
    await artifacts.put(object, (async function* () {
      yield await Promise.resolve(body);
    })());
    return { name, object, bytes: body.byteLength, sha256: createHash('sha256').update(body).digest('hex') };
  }

  return {
    store, artifacts, append,
    /** Writes one more version of an image, complete. */
    async version(image: string, { target = 'raw', body, sbom, labels = {}, os = { name: 'debian', version: '12' } }: Written) {
      const events = (await stored(image)).flatMap(({ commit }) => commit.events);
      const number = 1 + events.filter(({ type }) => type === 'VersionRequested').length;
      const revision = 1 + events.filter(({ type }) => type === 'ImageSaved').length;
      const version = randomUUID();
      const object = await keep(`disk.${target}`, body);
      const made = { object, ...(sbom && { sbom: await keep('sbom.spdx.json', sbom) }) };
      const position = await append(
        image,
        { type: 'ImageSaved', data: { revision, source: 'written by a spec', format: 'yaml', template: imageTemplate.parse({ name: image, os, targets: { [target]: {} } }) } },
        ...(number === 1 ? [{ type: 'ChannelSaved' as const, data: { channel: 'latest', managed: true } }] : []),
        { type: 'VersionRequested', data: { version, number, revision, targets: [target], labels, cause: 'asked' } },
        { type: 'TargetStarted', data: { version, target, attempt: 1, build: randomUUID() } },
        { type: 'TargetCompleted', data: { version, target, made } },
        { type: 'VersionEnded', data: { version, status: 'COMPLETE' } },
      );
      return { id: version, number, object, position };
    },
  };
}
