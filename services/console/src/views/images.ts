import type { ImageBoard, ImageVersionView, ImageView, ChannelView, LineageView, ReplicationView, WarehouseObject } from '@berth/client';
import type { AttributeQuery, ImageTarget, KeptFile, Needed } from '@berth/contracts';
import type { DataSource } from 'typeorm';
import type { Catalogue } from './catalogue.js';
import { projectionEntities, projectionNames, type ProjectionName } from './columns.js';
import { imageBoard, type BoardFacts } from './image-board.js';
import type { ChannelRow } from './image-channel.js';
import { ImageRows, uuidLike } from './image-rows.js';
import type { ImageVersionRow } from './image-version.js';
import { channelView, imageView, lineageView, versionView } from './image-views.js';
import type { ImageRow } from './image.js';
import { COUNTED, type Listed, type ListForm, type ListQuery } from './list-query.js';
import { readList } from './lists.js';
import type { Reads } from './reads.js';
import type { ReplicaRow } from './replication.js';
import type { Row } from './row.js';
import { LIVE_SCHEMA } from './schema.js';
import { replicasOf, type Placed } from './warehouse.js';

/** What can be asked of the objects of the warehouse, beside a query of their attributes. */
export const objectForm: ListForm = { filters: { q: 'text', since: 'instant', until: 'instant' }, sorts: { created: 'instant' }, tie: 'number', order: '-created' };

/** How something of an image is that somebody waits for. */
export interface ImageState {
  /** of its last change */
  position: number;
  status: string;
}

/** Generations of images that are looked through: there are never so many, and a circle would have no end. */
const MOST_GENERATIONS = 100;

const entities = projectionEntities(LIVE_SCHEMA);
const own = new Set<ProjectionName>(['image', 'image_version', 'channel', 'catalog_entry', 'replication', 'replica']);
/** All tables that are read here. */
const tables = projectionNames.filter((name) => own.has(name)).map((name) => `${LIVE_SCHEMA}.${name}`).join(', ');

/** What is asked of images, their versions and channels, the catalogue and the warehouse. Each answer is as of one moment; a read after a write sees the write. */
export class Images {
  constructor(
    private readonly database: DataSource,
    private readonly reads: Pick<Reads, 'caughtUp'>,
  ) {}

  /** All that it reads is as of the same moment. */
  private async moment<T>(read: (rows: ImageRows) => Promise<T>): Promise<T> {
    await this.reads.caughtUp();
    return this.database.transaction('REPEATABLE READ', async (manager) => {
      // Before the moment is fixed, and in the order in which a rebuild replaces them: neither waits for the other in a circle, and no table is a new one whose rows this moment does not have.
      await manager.query(`LOCK TABLE ${tables} IN ACCESS SHARE MODE`);
      return read(new ImageRows(manager));
    });
  }

  list(query: ListQuery): Promise<Listed<ImageView>> {
    return this.moment(async (rows) => {
      const listed = await readList<ImageRow>(rows.manager, LIVE_SCHEMA, entities, 'image', query);
      const around = await rows.aroundImages(listed.items);
      return { ...listed, items: listed.items.map((row) => imageView(row, around)) };
    });
  }

  image(name: string): Promise<ImageView | undefined> {
    return this.moment(async (rows) => {
      const row = await rows.image(name);
      return row && imageView(row, await rows.aroundImages([row]));
    });
  }

  board(name: string): Promise<ImageBoard | undefined> {
    return this.moment(async (rows) => {
      const facts = await rows.boards([name], await rows.catalogue());
      const own = facts.get(name);
      return own && imageBoard(own);
    });
  }

  versions(query: ListQuery): Promise<Listed<ImageVersionView>> {
    return this.moment(async (rows) => {
      const listed = await readList<ImageVersionRow>(rows.manager, LIVE_SCHEMA, entities, 'image_version', query);
      const around = await rows.aroundVersions(listed.items);
      return { ...listed, items: listed.items.map((row) => versionView(row, around)) };
    });
  }

  version(named: string): Promise<ImageVersionView | undefined> {
    return this.moment(async (rows) => {
      const row = await rows.version(named);
      return row && versionView(row, await rows.aroundVersions([row]));
    });
  }

  /** The id of a version by its id, as `IMAGE@NUMBER` or as `IMAGE:CHANNEL`. An id is not looked up. */
  async versionId(named: string): Promise<string | undefined> {
    if (uuidLike.test(named)) return named.toLowerCase();
    return this.moment(async (rows) => (await rows.version(named))?.id);
  }

  /** What a version is made of, of the target that is named or the first that says it; undefined when there is no such version, null when nothing says it. */
  sbom(named: string, target: ImageTarget | undefined): Promise<{ file: KeptFile; version: { image: string; number: number }; target: ImageTarget } | null | undefined> {
    return this.moment(async (rows) => {
      const row = await rows.version(named);
      if (!row) return undefined;
      const found = row.targets.find((one) => one.sbom !== null && (target === undefined || one.target === target));
      return found?.sbom ? { file: found.sbom, version: row, target: found.target } : null;
    });
  }

  lineage(named: string): Promise<LineageView | undefined> {
    return this.moment(async (rows) => {
      const row = await rows.version(named);
      if (!row) return undefined;
      const ancestors: ImageVersionRow[] = [];
      for (let next = row.parent; next && ancestors.length < MOST_GENERATIONS; next = ancestors.at(-1)!.parent) {
        const [found] = await rows.versions([next.version]);
        if (!found) break;
        ancestors.push(found);
      }
      const descendants: { row: ImageVersionRow; depth: number }[] = [];
      for (let [depth, of] = [1, [row.id]]; of.length > 0 && depth <= MOST_GENERATIONS; depth++) {
        const made = await rows.madeOf(of);
        descendants.push(...made.map((one) => ({ row: one, depth })));
        of = made.map(({ id }) => id);
      }
      return lineageView(row, ancestors, descendants, await rows.aroundVersions([row, ...ancestors, ...descendants.map((one) => one.row)]));
    });
  }

  channels(query: ListQuery): Promise<Listed<ChannelView>> {
    return this.moment(async (rows) => {
      const listed = await readList<ChannelRow>(rows.manager, LIVE_SCHEMA, entities, 'channel', query);
      const around = await rows.aroundChannels(listed.items);
      return { ...listed, items: listed.items.map((row) => channelView(row, around)) };
    });
  }

  channel(id: string): Promise<ChannelView | undefined> {
    return this.moment(async (rows) => {
      const [row] = await rows.channels([id]);
      return row && channelView(row, await rows.aroundChannels([row]));
    });
  }

  /** All that the catalogue holds, and how many images each environment has. */
  catalogue(): Promise<{ catalogue: Catalogue; images: ReadonlyMap<string, number> }> {
    return this.moment(async (rows) => ({ catalogue: await rows.catalogue(), images: await rows.imagesByEnvironment() }));
  }

  /** The same, with all that is needed to say how each deployable stands. */
  offers(): Promise<{ catalogue: Catalogue; boards: ReadonlyMap<string, BoardFacts> }> {
    return this.moment(async (rows) => {
      const catalogue = await rows.catalogue();
      return { catalogue, boards: await rows.boards([...new Set(catalogue.all('deployable').map(({ spec }) => spec.image))], catalogue) };
    });
  }

  /** One page of the objects that a query of attributes holds for: those of versions that have what it needs are looked at, one by one. */
  objects({ holds, needs }: { holds: AttributeQuery; needs?: Needed | undefined }, query: ListQuery): Promise<Listed<WarehouseObject>> {
    return this.moment(async (rows) => {
      const wanted: Placed[] = [];
      let count = 0;
      for await (const placed of rows.objects({ ...query, needs })) {
        if (!matches(placed, query) || !holds(placed.object.attributes)) continue;
        count++;
        if (isBehind(placed, query) && wanted.length <= query.limit) wanted.push(placed);
        if (query.total ? count > COUNTED && wanted.length > query.limit : wanted.length > query.limit) break;
      }
      const page = wanted.slice(0, query.limit);
      const last = page.at(-1);
      const policies = await rows.policies();
      const replicas = await rows.replicas(page.map(({ object }) => object.id));
      const items = page.map(({ object }) => ({ ...object, replicas: replicasOf(object, policies, replicas) }));
      return { items, next: last && wanted.length > query.limit ? { key: last.created, tie: last.tie } : null, total: query.total ? count : undefined };
    });
  }

  /** Policies by name, with how far they are. */
  policies(): Promise<ReplicationView[]> {
    return this.moment(async (rows) => {
      const policies = await rows.policies();
      const covered = new Map(policies.map(({ row }) => [row.name, 0]));
      if (policies.length > 0) for await (const { object } of rows.objects()) for (const { row, covers } of policies) if (covers(object.attributes)) covered.set(row.name, covered.get(row.name)! + 1);
      const counts = await rows.replicaCounts();
      const of = (policy: string, state: ReplicaRow['state']) => counts.get(`${policy} ${state}`) ?? 0;
      return policies.map(({ row: { name, spec, lastCheck, checking, modified } }) => ({ ...spec, objects: covered.get(name)!, there: of(name, 'there'), failed: of(name, 'failed'), lastCheck, checking, modified }));
    });
  }

  /** How a version is as the rows show it now. */
  versionState(id: string): Promise<ImageState | undefined> {
    return this.stateOf('image_version', id, ({ status }: ImageVersionRow) => status);
  }

  /** How all that is pushed of a version is: BUILDING while one is under way, FAILED when one has, else COMPLETE. */
  pushState(id: string): Promise<ImageState | undefined> {
    const is = ({ pushes }: ImageVersionRow, ...statuses: string[]) => pushes.some(({ status }) => statuses.includes(status));
    return this.stateOf('image_version', id, (row: ImageVersionRow) => (is(row, 'PENDING', 'BUILDING') ? 'BUILDING' : is(row, 'FAILED') ? 'FAILED' : 'COMPLETE'));
  }

  /** Whether a channel has come to where it was told to point: `testing`, `failed` when its last test was later than its last move, else `assigned`. */
  channelState(id: string): Promise<ImageState | undefined> {
    return this.stateOf('channel', id, ({ testing, lastTest, history }: ChannelRow) => (testing ? 'testing' : lastTest && !lastTest.passed && lastTest.at > (history[0]?.at ?? '') ? 'failed' : 'assigned'));
  }

  private async stateOf<R extends Row>(name: 'image_version' | 'channel', id: string, status: (row: R) => string): Promise<ImageState | undefined> {
    const row = (await this.database.getRepository<Row>(entities[name]).findOneBy({ id })) as R | null;
    return row ? { position: row.position, status: status(row) } : undefined;
  }
}

const sameCase = (text: string): string => text.toLowerCase();
function matches({ object, created }: Placed, { where }: ListQuery): boolean {
  const { q, since, until } = where;
  return (!q || q.some((beginning) => object.id.startsWith(beginning) || sameCase(object.image).startsWith(sameCase(beginning)))) && (!since || created >= since[0]!) && (!until || created < until[0]!);
}
/** Whether it comes after what the asker has. */
function isBehind({ created, tie }: Placed, { after, descending }: ListQuery): boolean {
  if (!after) return true;
  const order = created === after.key ? tie - Number(after.tie) : created < String(after.key) ? -1 : 1;
  return descending ? order < 0 : order > 0;
}
