import { derivedId, imageTemplate, type AnyRecorded, type CatalogEvent, type ImageEvent, type ImageTarget, type ReplicationEvent } from '@berth/contracts';
import { Catalogue, entryOf, foldCatalogEntry, type CatalogRow } from './catalogue.js';
import type { BoardFacts } from './image-board.js';
import { channelOf, foldChannel, type ChannelRow } from './image-channel.js';
import { foldImageVersion, versionOf, type ImageVersionRow } from './image-version.js';
import { foldImage, type ImageRow } from './image.js';
import { foldReplica, foldReplication, replicaOf, type ReplicaRow, type ReplicationRow } from './replication.js';
import { ALL, type Row } from './row.js';

/** Events of images, as specs say them. */

export const V1 = '7d3f1a52-0000-4000-8000-000000000001';
export const V2 = '7d3f1a52-0000-4000-8000-000000000002';
export const BUILD = '7d3f1a52-0000-4000-8000-0000000000b0';
export const SHA = 'ab'.repeat(32);

export const templateOf = (name: string, targets: readonly ImageTarget[] = ['raw', 'oci'], more: object = {}) => {
  const host = { os: 'linux' };
  const settings = { raw: { host }, oci: { host }, ec2: { host, account: 'eu' }, mock: { host } };
  return imageTemplate.parse({ name, os: { name: 'debian', version: '12' }, targets: Object.fromEntries(targets.map((target) => [target, settings[target]])), ...more });
};
export const saved = (name: string, { revision = 1, environment, targets, parent }: { revision?: number; environment?: string; targets?: readonly ImageTarget[]; parent?: { image: string; channel: string } } = {}): ImageEvent => ({
  type: 'ImageSaved', data: { revision, source: `name: ${name}`, format: 'yaml', template: templateOf(name, targets, { ...(parent && { parent }) }), ...(environment !== undefined && { environment }) },
});
export const requested = (version: string, number: number, more: Partial<Extract<ImageEvent, { type: 'VersionRequested' }>['data']> = {}): ImageEvent => ({
  type: 'VersionRequested', data: { version, number, revision: 1, targets: ['raw', 'oci'], labels: {}, cause: 'asked', ...more },
});
export const imported = (version: string, number: number, more: Partial<Extract<ImageEvent, { type: 'VersionImported' }>['data']> = {}): ImageEvent => ({
  type: 'VersionImported', data: { version, number, revision: 0, target: 'ec2', account: 'eu', id: 'ami-1', labels: {}, ...more },
});
export const started = (version: string, target: ImageTarget, attempt = 1): ImageEvent => ({ type: 'TargetStarted', data: { version, target, attempt, build: BUILD } });
export const keptAs = (version: string, target: ImageTarget, name: string) => ({ name, object: `${version}/${target}/${name}`, bytes: 1000, sha256: SHA });
export const completed = (version: string, target: ImageTarget): ImageEvent => ({ type: 'TargetCompleted', data: { version, target, made: { object: keptAs(version, target, `image.${target}`), sbom: keptAs(version, target, 'sbom.json') } } });
export const targetFailed = (version: string, target: ImageTarget, attempt = 1, error = 'no mirror'): ImageEvent => ({ type: 'TargetFailed', data: { version, target, attempt, error } });
export const ended = (version: string, status: 'COMPLETE' | 'PARTIAL' | 'FAILED' = 'COMPLETE'): ImageEvent => ({ type: 'VersionEnded', data: { version, status } });
export const built = (version: string, ...targets: ImageTarget[]): ImageEvent[] => [...targets.flatMap((target) => [started(version, target), completed(version, target)]), ended(version)];
export const pushStarted = (version: string, account: string, target: ImageTarget = 'raw', attempt = 1): ImageEvent => ({ type: 'PushStarted', data: { version, account, target, provider: `p-${target}`, attempt } });
export const pushed = (version: string, account: string, id = `disk-${account}`): ImageEvent => ({ type: 'PushCompleted', data: { version, account, id } });
export const pushFailed = (version: string, account: string, attempt = 1, error = 'no room'): ImageEvent => ({ type: 'PushFailed', data: { version, account, attempt, error } });
export const channelSaved = (channel: string, more: { managed?: boolean; test?: string } = {}): ImageEvent => ({ type: 'ChannelSaved', data: { channel, managed: false, ...more } });
export const assigned = (channel: string, version: string | null, previous: string | null = null): ImageEvent => ({ type: 'ChannelAssigned', data: { channel, version, previous, by: 'assign' } });
export const revoked = (version: string, more: { at?: string; cascade?: boolean; ancestor?: { image: string; version: string } } = {}): ImageEvent => ({ type: 'VersionRevoked', data: { version, at: '2020-01-01T00:00:00Z', reason: 'CVE', cascade: true, ...more } });

/** Providers of each kind, with two accounts each: `a-raw` and `b-raw`, and so on; an environment of raw and oci, and one of raw in `a-raw` alone. */
export const catalogue: CatalogEvent[] = [
  { type: 'ProviderSaved', data: { kind: 'folder', name: 'p-raw', description: '', target: 'raw', folder: '/srv/raw' } },
  { type: 'ProviderSaved', data: { kind: 'folder', name: 'p-oci', description: '', target: 'oci', folder: '/srv/oci' } },
  { type: 'ProviderSaved', data: { kind: 'ec2', name: 'p-ec2', description: '', target: 'ec2' } },
  ...['a-raw', 'b-raw', 'a-oci'].map((name): CatalogEvent => ({ type: 'AccountSaved', data: { name, description: '', provider: `p-${name.slice(2)}`, credentials: 'default' } })),
  { type: 'AccountSaved', data: { name: 'eu', description: '', provider: 'p-ec2', region: 'eu-central-1', credentials: 'default' } },
  { type: 'EnvironmentSaved', data: { name: 'dev', description: '', targets: ['raw', 'oci'], accounts: [] } },
  { type: 'EnvironmentSaved', data: { name: 'prod', description: '', targets: ['raw'], accounts: ['a-raw'] } },
  { type: 'PoolSaved', data: { name: 'pool', description: '', environment: 'dev' } },
  { type: 'CatalogSaved', data: { name: 'shop', description: '', pool: 'pool' } },
  { type: 'DeployableSaved', data: { name: 'shop-web', description: '', catalogs: ['shop'], image: 'web', channel: 'latest' } },
];

export const at = (second: number): string => new Date(Date.UTC(2030, 0, 1, 0, 0, second)).toISOString();

/** All rows of images, folded without a database: what the projections must come to. */
export class FoldedImages {
  readonly images = new Map<string, ImageRow>();
  readonly versions = new Map<string, ImageVersionRow>();
  readonly channels = new Map<string, ChannelRow>();
  readonly entries = new Map<string, CatalogRow>();
  readonly policies = new Map<string, ReplicationRow>();
  readonly replicas = new Map<string, ReplicaRow>();
  private sequence = 0;

  /** One commit, a second after the one before. */
  happen(kind: 'image' | 'catalog' | 'replication', id: string, ...events: (ImageEvent | CatalogEvent | ReplicationEvent)[]): this {
    const sequence = ++this.sequence;
    this.apply({ kind, id, sequence, commit: { id: V1, at: at(sequence), actor: `spec:${sequence}`, cause: V1, events } } as AnyRecorded);
    return this;
  }

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'image') {
      put(this.images, recorded.id, foldImage(this.images.get(recorded.id), recorded));
      const events = recorded.commit.events;
      for (const id of touched(this.versions, events.map((event) => versionOf(event, recorded.id)), ({ image }) => image === recorded.id)) put(this.versions, id, foldImageVersion(this.versions.get(id), recorded, id));
      for (const id of touched(this.channels, events.map((event) => channelOf(event, recorded.id)), ({ image }) => image === recorded.id)) put(this.channels, id, foldChannel(this.channels.get(id), recorded, id));
    } else if (recorded.kind === 'catalog') {
      for (const id of touched(this.entries, recorded.commit.events.map((event) => entryOf(event, recorded.id)), () => false)) put(this.entries, id, foldCatalogEntry(this.entries.get(id), recorded, id));
    } else if (recorded.kind === 'replication') {
      put(this.policies, recorded.id, foldReplication(this.policies.get(recorded.id), recorded));
      for (const id of touched(this.replicas, recorded.commit.events.map((event) => replicaOf(event, recorded.id)), ({ policy }) => policy === recorded.id)) put(this.replicas, id, foldReplica(this.replicas.get(id), recorded, id));
    }
  }

  facts(image: string): BoardFacts {
    const row = this.images.get(image)!;
    const living = new Set(row.living.map(({ id }) => id));
    return {
      image: row,
      versions: [...this.versions.values()].filter(({ id }) => living.has(id)).sort((a, b) => b.number - a.number),
      channels: [...this.channels.values()].filter((one) => one.image === image && one.removed === null),
      catalogue: new Catalogue([...this.entries.values()].filter(({ removed }) => removed === null)),
    };
  }
}

const put = <R extends Row>(rows: Map<string, R>, id: string, row: R | undefined): void => void (row && rows.set(id, row));
function touched<R extends Row>(rows: ReadonlyMap<string, R>, ids: readonly (string | typeof ALL | undefined)[], isOfStream: (row: R) => boolean): Set<string> {
  const all = ids.includes(ALL) ? [...rows.values()].filter(isOfStream).map(({ id }) => id) : [];
  return new Set([...ids.filter((id) => typeof id === 'string'), ...all]);
}

/** What may happen next, by what has happened: only what keeps the order of things. */
interface KnownVersion {
  id: string;
  number: number;
  targets: Map<ImageTarget, { status: 'PENDING' | 'BUILDING' | 'COMPLETE' | 'FAILED' | 'DELETING' | 'DELETEFAILED' | 'DELETED'; attempt: number }>;
  pushes: Map<string, { status: 'BUILDING' | 'COMPLETE' | 'FAILED' | 'DELETING' | 'DELETEFAILED' | 'DELETED'; attempt: number }>;
  over: boolean;
  deleting: boolean;
  revoked: 'no' | 'due' | 'holds';
}
const accountsOf: Record<ImageTarget, readonly string[]> = { raw: ['a-raw', 'b-raw'], oci: ['a-oci'], ec2: ['eu'], mock: [] };

/** Makes a history of one image out of numbers: the same numbers make the same history. Each element is what one commit says. */
export function imageHistory(name: string, choices: readonly number[]): ImageEvent[][] {
  const commits: ImageEvent[][] = [[saved(name, { environment: 'dev' }), channelSaved('latest', { managed: true })]];
  const versions: KnownVersion[] = [];
  const tests = new Map<string, { version: string; build: string }>();
  let [revision, number] = [1, 0];
  for (const [nth, choice] of choices.entries()) {
    const pick = <T>(of: readonly T[]): T | undefined => (of.length === 0 ? undefined : of[Math.floor(choice / 32) % of.length]);
    const id = derivedId(name, `${nth} ${choice}`);
    const version = pick(versions);
    const target = version && pick([...version.targets.keys()]);
    const of = version && target && version.targets.get(target);
    const account = pick([...(target ? accountsOf[target] : [])]);
    const push = version && account !== undefined ? version.pushes.get(account) : undefined;
    const percent = choice % 101;
    const events: ImageEvent[] = [];
    switch (choice % 32) {
      case 0:
        events.push(saved(name, { revision: ++revision, environment: choice % 64 === 0 ? 'prod' : 'dev' }));
        break;
      case 1:
      case 2:
      case 3:
        versions.push({ id, number: ++number, targets: new Map([['raw', { status: 'PENDING', attempt: 0 }], ['oci', { status: 'PENDING', attempt: 0 }]]), pushes: new Map(), over: false, deleting: false, revoked: 'no' });
        events.push(requested(id, number, { revision }));
        break;
      case 4:
        versions.push({ id, number: ++number, targets: new Map([['ec2', { status: 'COMPLETE', attempt: 1 }]]), pushes: new Map([['eu', { status: 'COMPLETE', attempt: 1 }]]), over: true, deleting: false, revoked: 'no' });
        events.push(imported(id, number));
        break;
      case 5:
      case 6:
      case 7:
        if (!version || !target || !of || version.deleting || (of.status !== 'PENDING' && of.status !== 'FAILED')) break;
        Object.assign(of, { status: 'BUILDING', attempt: of.attempt + 1 });
        version.over = false;
        events.push(started(version.id, target, of.attempt));
        break;
      case 8:
      case 9:
        if (version && target && of?.status === 'BUILDING') events.push({ type: 'TargetProgressed', data: { version: version.id, target, percent, activity: `step ${percent}` } });
        break;
      case 10:
      case 11:
      case 12:
      case 13:
        if (!version || !target || of?.status !== 'BUILDING') break;
        of.status = choice % 32 === 13 ? 'FAILED' : 'COMPLETE';
        events.push(of.status === 'FAILED' ? targetFailed(version.id, target, of.attempt, `error ${nth}`) : completed(version.id, target));
        break;
      case 14:
      case 15: {
        const all = version ? [...version.targets.values()].map(({ status }) => status) : [];
        if (!version || version.over || all.some((status) => status === 'PENDING' || status === 'BUILDING')) break;
        version.over = true;
        events.push(ended(version.id, all.every((status) => status === 'COMPLETE') ? 'COMPLETE' : all.includes('COMPLETE') ? 'PARTIAL' : 'FAILED'));
        break;
      }
      case 16:
      case 17:
        if (!version || !target || account === undefined || version.deleting || of?.status !== 'COMPLETE' || (push && push.status !== 'FAILED' && push.status !== 'DELETED')) break;
        version.pushes.set(account, { status: 'BUILDING', attempt: (push?.attempt ?? 0) + 1 });
        events.push(pushStarted(version.id, account, target, (push?.attempt ?? 0) + 1));
        break;
      case 18:
        if (version && account !== undefined && push?.status === 'BUILDING') events.push({ type: 'PushProgressed', data: { version: version.id, account, percent, activity: `sends ${percent}` } });
        break;
      case 19:
      case 20:
      case 21:
        if (!version || account === undefined || push?.status !== 'BUILDING') break;
        push.status = choice % 32 === 21 ? 'FAILED' : 'COMPLETE';
        events.push(push.status === 'FAILED' ? pushFailed(version.id, account, push.attempt, `error ${nth}`) : pushed(version.id, account));
        break;
      case 22:
        if (!version || account === undefined || !push || (push.status !== 'COMPLETE' && push.status !== 'DELETEFAILED')) break;
        push.status = 'DELETING';
        events.push({ type: 'DeletionStarted', data: { version: version.id, account } });
        break;
      case 23:
      case 24:
        if (!version || account === undefined || push?.status !== 'DELETING') break;
        push.status = choice % 32 === 23 ? 'DELETED' : 'DELETEFAILED';
        events.push(push.status === 'DELETED' ? { type: 'Deleted', data: { version: version.id, account, manual: [] } } : { type: 'DeletionFailed', data: { version: version.id, account, error: 'in use' } });
        break;
      case 25:
        if (!version?.over || version.deleting) break;
        version.deleting = true;
        events.push({ type: 'DeletionStarted', data: { version: version.id } });
        break;
      case 26:
        if (!version?.deleting) break;
        versions.splice(versions.indexOf(version), 1);
        events.push({ type: 'Deleted', data: { version: version.id, manual: choice % 3 === 0 ? ['ami-1'] : [] } });
        break;
      case 27:
        if (version) events.push([{ type: 'LabelsSet', data: { version: version.id, labels: { n: String(nth) } } }, { type: 'AttributesSet', data: { version: version.id, attributes: { n: String(nth) } } }, { type: 'VersionMarked', data: { version: version.id, as: pick(['active', 'deprecated', 'disabled'] as const)!, reason: 'said so' } }][nth % 3] as ImageEvent);
        break;
      case 28:
        if (!version) break;
        events.push(version.revoked === 'no' ? revoked(version.id, { at: nth % 2 ? '2020-01-01T00:00:00Z' : '2040-01-01T00:00:00+02:00' }) : version.revoked === 'due' ? { type: 'RevocationDue', data: { version: version.id } } : { type: 'VersionRestored', data: { version: version.id, reason: 'well' } });
        version.revoked = version.revoked === 'no' ? (nth % 2 ? 'holds' : 'due') : version.revoked === 'due' ? 'holds' : 'no';
        break;
      case 29:
        events.push(channelSaved('prod', { managed: nth % 2 === 0, ...(nth % 3 === 0 && { test: 'smoke' }) }));
        if (version?.over) events.push(assigned('prod', nth % 5 ? version.id : null));
        break;
      case 30: {
        const test = tests.get('latest');
        if (test) {
          tests.delete('latest');
          events.push({ type: 'TestEnded', data: { channel: 'latest', ...test, passed: nth % 2 === 0, ...(nth % 2 && { error: 'it failed' }) } }, ...(nth % 2 ? [] : [assigned('latest', test.version)]));
        } else if (version?.over) {
          tests.set('latest', { version: version.id, build: id });
          events.push({ type: 'TestStarted', data: { channel: 'latest', version: version.id, build: id, plan: 'smoke', by: 'managed', attempt: 1 } });
        }
        break;
      }
      default:
        if (choice % 256 !== 31) break;
        // And begins anew, under the same name.
        versions.length = 0;
        tests.clear();
        [revision, number] = [1, 0];
        commits.push([{ type: 'ImageRemoved', data: {} }]);
        events.push(saved(name), channelSaved('latest', { managed: true }));
    }
    if (events.length > 0) commits.push(events);
  }
  return commits;
}
