import type { Needed } from '@berth/contracts';
import { In, IsNull, type EntityManager, type SelectQueryBuilder } from 'typeorm';
import { Catalogue, type CatalogRow } from './catalogue.js';
import { projectionEntities } from './columns.js';
import type { BoardFacts } from './image-board.js';
import { channelId, type ChannelRow } from './image-channel.js';
import type { ImageVersionRow } from './image-version.js';
import { osOf, parentChannel, type Around } from './image-views.js';
import type { ImageRow } from './image.js';
import type { ListQuery, Place } from './list-query.js';
import type { ReplicaRow, ReplicationRow } from './replication.js';
import type { Row } from './row.js';
import { prefix } from './lists.js';
import { conditionOf } from './object-index.js';
import { LIVE_SCHEMA } from './schema.js';
import { objectsOf, policyOf, type Placed, type Policy } from './warehouse.js';

const entities = projectionEntities(LIVE_SCHEMA);
export const uuidLike = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
/** Versions that are looked at together in the search for objects. */
const PORTION = 500;
const byId = <R extends { id: string }>(rows: readonly R[]): Map<string, R> => new Map(rows.map((row) => [row.id, row]));
const some = (ids: readonly (string | null | undefined)[]): string[] => [...new Set(ids.filter((id) => typeof id === 'string'))];

/** Letters of the id of a version. */
const UUID = 36;

/** What is asked of objects, and what must hold for those that are wanted. */
export type ObjectsQuery = Pick<ListQuery, 'descending' | 'after' | 'total' | 'where'> & { needs?: Needed | undefined };
const everyObject: ObjectsQuery = { descending: false, after: undefined, total: false, where: {} };

/** Rows of images and of what stands around them, as of one moment: that of the transaction. */
export class ImageRows {
  constructor(readonly manager: EntityManager) {}

  private repository<R extends Row>(name: keyof typeof entities) {
    return this.manager.getRepository<R>(entities[name] as never);
  }

  async image(name: string): Promise<ImageRow | undefined> {
    const [row] = await this.images([name]);
    return row?.removed === null ? row : undefined;
  }

  /** Also those that are gone: versions of theirs are remembered. */
  private images(names: readonly string[]): Promise<ImageRow[]> {
    return this.repository<ImageRow>('image').findBy({ id: In(names) });
  }

  versions(ids: readonly string[]): Promise<ImageVersionRow[]> {
    return ids.length === 0 ? Promise.resolve([]) : this.repository<ImageVersionRow>('image_version').findBy({ id: In(ids) });
  }

  /** By its id, as `IMAGE@NUMBER`, or as `IMAGE:CHANNEL`. */
  async version(named: string): Promise<ImageVersionRow | undefined> {
    if (uuidLike.test(named)) return (await this.versions([named.toLowerCase()]))[0];
    const [, image, sign, rest] = /^([A-Za-z0-9][A-Za-z0-9_-]{0,62})([@:])([A-Za-z0-9][A-Za-z0-9_-]{0,62})$/.exec(named) ?? [];
    if (image === undefined || rest === undefined) return undefined;
    if (sign === ':') {
      const [channel] = await this.channels([channelId(image, rest)]);
      return channel?.version ? (await this.versions([channel.version]))[0] : undefined;
    }
    if (!/^[1-9]\d{0,8}$/.test(rest)) return undefined;
    const found = await this.repository<ImageVersionRow>('image_version').find({ where: { image, number: Number(rest) }, order: { opened: 'DESC' }, take: 1 });
    return found[0];
  }

  madeOf(ids: readonly string[]): Promise<ImageVersionRow[]> {
    return this.repository<ImageVersionRow>('image_version').find({ where: { parentVersion: In(ids) }, order: { opened: 'ASC' } });
  }

  /** That are there. */
  channels(ids: readonly string[]): Promise<ChannelRow[]> {
    return ids.length === 0 ? Promise.resolve([]) : this.repository<ChannelRow>('channel').findBy({ id: In(ids), removed: IsNull() });
  }

  private channelsOf(images: readonly string[]): Promise<ChannelRow[]> {
    return images.length === 0 ? Promise.resolve([]) : this.repository<ChannelRow>('channel').find({ where: { image: In(images), removed: IsNull() }, order: { name: 'ASC' } });
  }

  async catalogue(): Promise<Catalogue> {
    return new Catalogue(await this.repository<CatalogRow>('catalog_entry').find({ where: { removed: IsNull() }, order: { kind: 'ASC', name: 'ASC' } }));
  }

  async imagesByEnvironment(): Promise<Map<string, number>> {
    const found = await this.manager.query<{ environment: string; count: string }[]>(`SELECT environment, count(*) AS count FROM ${LIVE_SCHEMA}.image WHERE removed IS NULL AND environment IS NOT NULL GROUP BY 1`);
    return new Map(found.map(({ environment, count }) => [environment, Number(count)]));
  }

  async aroundImages(rows: readonly ImageRow[]): Promise<Around> {
    const [versions, channels, catalogue] = [await this.versions(some(rows.map(({ living }) => living.at(-1)?.id))), await this.channelsOf(rows.map(({ name }) => name)), await this.catalogue()];
    return { images: byId(rows), versions: byId(versions), channels: byId(channels), catalogue };
  }

  async aroundVersions(rows: readonly ImageVersionRow[]): Promise<Around> {
    const images = byId(await this.images(some(rows.map(({ image }) => image))));
    const named = some(rows.flatMap(({ parent, revoked }) => [parent?.version, revoked?.ancestor?.version]));
    const versions = byId([...rows, ...(await this.versions(named.filter((id) => !rows.some((row) => row.id === id))))]);
    const parents = rows.flatMap((row) => {
      const channel = parentChannel(row, images);
      return row.parent && channel !== null ? [channelId(row.parent.image, channel)] : [];
    });
    const channels = byId([...(await this.channelsOf([...images.keys()])), ...(await this.channels(some(parents)))]);
    return { images, versions, channels, catalogue: await this.catalogue() };
  }

  async aroundChannels(rows: readonly ChannelRow[]): Promise<Around> {
    const named = some(rows.flatMap(({ version, testing, lastTest, history }) => [version, testing?.version, lastTest?.version, ...history.map((entry) => entry.version)]));
    return { images: new Map(), versions: byId(await this.versions(named)), channels: byId(rows), catalogue: new Catalogue([]) };
  }

  async boards(names: readonly string[], catalogue: Catalogue): Promise<Map<string, BoardFacts>> {
    const images = names.length === 0 ? [] : (await this.images(names)).filter(({ removed }) => removed === null);
    const ids = images.flatMap(({ living }) => living.map(({ id }) => id));
    const versions = (await this.versions(ids)).sort((a, b) => b.number - a.number);
    const channels = await this.channelsOf(images.map(({ name }) => name));
    return new Map(images.map((image) => [image.name, { image, versions: versions.filter((one) => one.image === image.name), channels: channels.filter((one) => one.image === image.name), catalogue }]));
  }

  /** All objects that a query may want, in its order, from where its page begins unless all are counted. */
  async *objects(query: ObjectsQuery = everyObject): AsyncGenerator<Placed> {
    const { descending, after, total } = query;
    let from = total ? undefined : after?.key;
    let opened: number | undefined;
    for (;;) {
      const found = await this.versionsWith(query, from, opened).getMany();
      const images = byId(await this.images(some(found.map(({ image }) => image))));
      for (const version of found) {
        const placed = objectsOf(version, osOf(version, images));
        yield* descending ? placed.reverse() : placed;
      }
      const last = found.at(-1);
      if (!last || found.length < PORTION) return;
      [from, opened] = [last.created, last.opened];
    }
  }

  /**
   * The next versions that may have objects which a query wants.
   * @param from when the first was created; with `opened` the one before it, else of it the rest may be wanted still
   */
  versionsWith({ descending, needs, where: { q, since, until } }: ObjectsQuery, from?: Place['key'], opened?: number): SelectQueryBuilder<ImageVersionRow> {
    const order = descending ? 'DESC' : 'ASC';
    const versions = this.repository<ImageVersionRow>('image_version').createQueryBuilder('row').where(`row.status <> 'DELETED'`).orderBy('row.created', order).addOrderBy('row.opened', order).limit(PORTION);
    if (opened !== undefined) versions.andWhere(`(row.created, row.opened) ${descending ? '<' : '>'} (:from, :opened)`, { from, opened });
    else if (from !== undefined) versions.andWhere(`row.created ${descending ? '<=' : '>='} :from`, { from });
    if (since) versions.andWhere('row.created >= :since', { since: since[0] });
    if (until) versions.andWhere('row.created < :until', { until: until[0] });
    let bound = 0;
    const bind = (value: unknown): string => {
      const name = `needed${bound++}`;
      versions.setParameter(name, value);
      return `:${name}`;
    };
    // Ids of objects begin with that of their version.
    if (q) versions.andWhere(`(${q.map((beginning) => `row.id LIKE ${bind(prefix(beginning.slice(0, UUID)))} OR lower(row.image) LIKE ${bind(prefix(beginning.toLowerCase()))}`).join(' OR ')})`);
    const condition = needs && conditionOf(needs, bind);
    if (condition !== undefined) versions.andWhere(condition);
    return versions;
  }

  async policies(): Promise<Policy[]> {
    return (await this.repository<ReplicationRow>('replication').find({ where: { removed: IsNull() }, order: { name: 'ASC' } })).map(policyOf);
  }

  replicas(objects: readonly string[]): Promise<ReplicaRow[]> {
    return objects.length === 0 ? Promise.resolve([]) : this.repository<ReplicaRow>('replica').findBy({ object: In(objects), removed: IsNull() });
  }

  async replicaCounts(): Promise<Map<string, number>> {
    const found = await this.manager.query<{ policy: string; state: string; count: string }[]>(`SELECT policy, state, count(*) AS count FROM ${LIVE_SCHEMA}.replica WHERE removed IS NULL GROUP BY 1, 2`);
    return new Map(found.map(({ policy, state, count }) => [`${policy} ${state}`, Number(count)]));
  }
}
