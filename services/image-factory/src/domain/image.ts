import { unreachable, type AssignedBy, type ImageEvent, type ImageStatus, type ImageTarget, type ImageTemplate, type MadeImage, type Rebuild, type Retention, type TargetSettings, type VersionUse } from '@berth/contracts';

/** One failed attempt; none is ever forgotten. */
export interface Fault {
  attempt: number;
  error: string;
}

/** What targets and pushes have in common. */
interface Work {
  status: ImageStatus;
  /** which one this is, counted from 1 */
  attempt: number;
  /** 0 to 100, never less than before within an attempt */
  percent: number;
  activity: string;
  /** what is known of it at its provider */
  facts: Readonly<Record<string, string>>;
  failed: readonly Fault[];
  /** why it could not be removed */
  error?: string;
}
export interface Target extends Work {
  /** the build that makes it; of what was imported there is none */
  build?: string;
  made?: MadeImage;
}
export interface Push extends Work {
  target: ImageTarget;
  provider: string;
  /** as the provider calls it */
  id?: string;
}

/** What a version is made of. `root`: which of its targets has the root filesystem that those of this one begin from. */
export interface Parent {
  image: string;
  version: string;
  root?: ImageTarget | undefined;
}

export interface Version {
  id: string;
  number: number;
  /** of the template; 0 = imported */
  revision: number;
  imported: boolean;
  parent?: Parent;
  /** of what was imported, as far as it was said */
  os?: Readonly<Record<string, string>>;
  targets: ReadonlyMap<ImageTarget, Target>;
  pushes: ReadonlyMap<string, Push>;
  labels: Readonly<Record<string, string>>;
  attributes: Readonly<Record<string, string>>;
  use: VersionUse;
  /** `due`: it holds */
  revoked?: Revocation & { due: boolean };
  /** one of its own that is still to come, while one holds that came from what it is made of */
  own?: Revocation;
  /** its last revocation was taken back; `cascade`: with what had followed it */
  restored?: { cascade: boolean };
  /** revocations of what it is made of that it has followed: each only once, so that it can be restored for itself */
  followed: readonly string[];
  /** how building it ended */
  ended?: 'COMPLETE' | 'PARTIAL' | 'FAILED';
  deletion?: 'DELETING' | 'DELETEFAILED' | 'DELETED';
}

/** `ancestor`: what it is made of was revoked; absent when it was revoked for itself. */
export interface Revocation {
  at: string;
  cascade: boolean;
  reason: string;
  ancestor?: { image: string; version: string };
}

export interface Channel {
  managed: boolean;
  test?: string;
  version: string | null;
  /** where it pointed, the oldest first */
  history: readonly (string | null)[];
  testing?: { version: string; build: string; by: AssignedBy; attempt: number };
  /** how the last test of a version ended, of the test that the channel has; `passed` is absent where that is not known */
  tests: ReadonlyMap<string, { passed?: boolean; attempt: number }>;
}

export interface Saved {
  revision: number;
  source: string;
  format: 'yaml' | 'tdl';
  /** with the targets that were said beside the source */
  template: ImageTemplate;
  /** those alone; absent of what was saved before they were kept apart */
  targets?: TargetSettings;
  environment?: string;
  retention?: Retention;
  rebuild?: Rebuild;
}

/** An image with all its versions and channels: what depends on each other is decided in one place. */
export interface Image {
  status: 'none' | 'live' | 'removed';
  /** absent of what was only imported */
  saved?: Saved;
  versions: ReadonlyMap<string, Version>;
  channels: ReadonlyMap<string, Channel>;
  /** how many tests have begun */
  tests: number;
  /** of templates that were saved under its name */
  revisions: number;
}

export const noImage: Image = { status: 'none', versions: new Map(), channels: new Map(), tests: 0, revisions: 0 };
/** The channel that every image has. */
export const LATEST = 'latest';

export const isLive = (status: ImageStatus | undefined): boolean => status === 'PENDING' || status === 'BUILDING';
export const isGone = (version: Version): boolean => version.deletion !== undefined;
const hasTarget = ({ targets }: Version): boolean => [...targets.values()].some(({ status }) => status === 'COMPLETE');
/** Neither revoked nor disabled, and not being removed. */
const isOffered = (version: Version): boolean => !version.revoked?.due && version.use !== 'disabled' && version.deletion === undefined;
/** May a host be booted from it, and a channel point at it? */
export const isUsable = (version: Version | undefined): version is Version => version?.ended === 'COMPLETE' && isOffered(version) && hasTarget(version);
/** Is there a newer version of which something is built, and that may be used? */
export const isOutdated = (image: Image, version: Version): boolean => [...image.versions.values()].some((other) => other.number > version.number && isOffered(other) && hasTarget(other));
/** Versions by number, the newest first. */
export const newestFirst = (image: Image): Version[] => [...image.versions.values()].sort((a, b) => b.number - a.number);
export const numberAfter = (image: Image): number => Math.max(0, ...[...image.versions.values()].map(({ number }) => number)) + 1;

/** When versions are built without being asked for: five fields of cron, in UTC. */
export const scheduleOf = ({ status, saved }: Image): string | undefined => (status === 'live' ? saved?.rebuild?.schedule : undefined);

/** The revocation of a version that is still to come. */
export const nextRevocation = ({ revoked, own }: Version): Revocation | undefined => own ?? (revoked?.due ? undefined : revoked);

/** A revocation, among those of one version. */
export const revocationOf = (version: string, at: string): string => `${version} ${at}`;

const with_ = <K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> => new Map(map).set(key, value);
const without = <K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> => {
  const next = new Map(map);
  next.delete(key);
  return next;
};
const fresh = { percent: 0, activity: '', facts: {}, failed: [] as readonly Fault[] };

/** Facts of a step laid over those before. A fact that becomes an empty text is taken away. */
const laidOver = (before: Readonly<Record<string, string>>, facts: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries({ ...before, ...facts }).filter(([, value]) => value !== ''));

/** Pure. @throws when the event can't follow from the state */
export function evolve(image: Image, event: ImageEvent): Image {
  switch (event.type) {
    case 'ImageSaved': {
      const { revision, source, format, template, targets, environment, retention, rebuild } = event.data;
      const saved: Saved = { revision, source, format, template, ...(targets && { targets }), ...(environment !== undefined && { environment }), ...(retention && { retention }), ...(rebuild && { rebuild }) };
      return { ...image, status: 'live', saved, revisions: revision };
    }
    case 'ImageRemoved':
      return { status: 'removed', versions: image.versions, channels: new Map(), tests: image.tests, revisions: image.revisions };
    case 'VersionRequested': {
      const { version: id, number, revision, labels, parent } = event.data;
      const version: Version = { id, number, revision, imported: false, targets: new Map(), pushes: new Map(), labels, attributes: {}, use: 'active', followed: [], ...(parent && { parent }) };
      return { ...image, versions: with_(image.versions, id, version) };
    }
    case 'VersionImported': {
      const { version: id, number, target, account, id: provided, labels, os } = event.data;
      const version: Version = {
        id, number, revision: 0, imported: true, labels, attributes: {}, use: 'active', followed: [], ended: 'COMPLETE', ...(os && { os }),
        targets: new Map([[target, { ...fresh, status: 'COMPLETE', attempt: 1, percent: 100, made: { provided: { account, id: provided } } }]]),
        pushes: new Map([[account, { ...fresh, status: 'COMPLETE', attempt: 1, percent: 100, target, provider: '', id: provided }]]),
      };
      return { ...image, status: 'live', versions: with_(image.versions, id, version) };
    }
    case 'ChannelSaved': {
      const { channel, managed, test } = event.data;
      const known = image.channels.get(channel);
      const { version = null, history = [], testing } = known ?? {};
      // What another test has said says nothing of this one.
      const tests: Channel['tests'] = known?.test === test ? (known?.tests ?? new Map()) : new Map();
      return { ...image, channels: with_(image.channels, channel, { managed, version, history, tests, ...(test !== undefined && { test }), ...(testing && { testing }) }) };
    }
    case 'ChannelRemoved':
      return { ...image, channels: without(image.channels, event.data.channel) };
    case 'ChannelAssigned': {
      const { channel, version } = event.data;
      const before = channelOf(image, channel, event.type);
      return { ...image, channels: with_(image.channels, channel, { ...before, version, history: [...before.history, version] }) };
    }
    case 'TestStarted': {
      const { channel, version, build, by, attempt } = event.data;
      return { ...image, tests: image.tests + 1, channels: with_(image.channels, channel, { ...channelOf(image, channel, event.type), testing: { version, build, by, attempt } }) };
    }
    case 'TestEnded': {
      const { channel, version, passed, cancelled } = event.data;
      const { testing, ...before } = channelOf(image, channel, event.type);
      return { ...image, channels: with_(image.channels, channel, { ...before, tests: with_(before.tests, version, { ...(!cancelled && { passed }), attempt: testing?.attempt ?? 1 }) }) };
    }
    default: {
      const version = image.versions.get(event.data.version);
      if (!version) throw new Error(`${event.type} of a version that is not there`);
      return { ...image, versions: with_(image.versions, version.id, evolveVersion(version, event)) };
    }
  }
}

function channelOf(image: Image, channel: string, type: string): Channel {
  const known = image.channels.get(channel);
  if (!known) throw new Error(`${type} of a channel that is not there`);
  return known;
}

type OfVersion = Exclude<ImageEvent, { type: 'ImageSaved' | 'ImageRemoved' | 'VersionRequested' | 'VersionImported' | 'ChannelSaved' | 'ChannelRemoved' | 'ChannelAssigned' | 'TestStarted' | 'TestEnded' }>;

function evolveVersion(version: Version, event: OfVersion): Version {
  switch (event.type) {
    case 'TargetStarted':
    case 'TargetProgressed':
    case 'TargetStep':
    case 'TargetCompleted':
    case 'TargetFailed': {
      const before = version.targets.get(event.data.target);
      if (!before && event.type !== 'TargetStarted') throw new Error(`${event.type} of a target that was not begun`);
      const { ended: _ended, ...still } = version;
      // A version whose target is built once more is not over.
      return { ...(event.type === 'TargetStarted' ? still : version), targets: with_(version.targets, event.data.target, evolveTarget(before, event)) };
    }
    case 'PushStarted':
    case 'PushProgressed':
    case 'PushStep':
    case 'PushCompleted':
    case 'PushFailed': {
      const before = version.pushes.get(event.data.account);
      if (!before && event.type !== 'PushStarted') throw new Error(`${event.type} of a push that was not begun`);
      return { ...version, pushes: with_(version.pushes, event.data.account, evolvePush(before, event)) };
    }
    case 'VersionEnded':
      return { ...version, ended: event.data.status };
    case 'DeletionStarted':
    case 'DeletionFailed':
    case 'Deleted':
      return evolveDeletion(version, event);
    case 'LabelsSet':
      return { ...version, labels: event.data.labels };
    case 'AttributesSet':
      return { ...version, attributes: event.data.attributes };
    case 'VersionMarked':
      return { ...version, use: event.data.as };
    case 'VersionRevoked':
      return evolveRevoked(version, event.data);
    case 'RevocationDue': {
      const { own, revoked, ...rest } = version;
      if (!revoked) return version;
      return revoked.due && own ? { ...rest, revoked: { ...own, due: true } } : { ...version, revoked: { ...revoked, due: true } };
    }
    case 'VersionRestored': {
      const { revoked: _revoked, own: _own, ...rest } = version;
      return { ...rest, restored: { cascade: event.data.cascade === true } };
    }
    default:
      return unreachable(event);
  }
}

function evolveRevoked(version: Version, { at, reason, cascade, ancestor }: Extract<ImageEvent, { type: 'VersionRevoked' }>['data']): Version {
  const { own, revoked: before, ...rest } = version;
  const told: Revocation = { at, reason, cascade, ...(ancestor && { ancestor }) };
  // Its own waits until it is due while another one holds; that one goes over one of its own that is still to come.
  if (!ancestor) return before?.ancestor && before.due ? { ...version, own: told } : { ...rest, revoked: { ...told, due: false } };
  const waiting = before && !before.ancestor ? ownOf(before) : own;
  return { ...rest, ...(waiting && { own: waiting }), revoked: { ...told, due: false }, followed: [...version.followed, revocationOf(ancestor.version, at)] };
}
const ownOf = ({ at, reason, cascade }: Revocation): Revocation => ({ at, reason, cascade });

type OfTarget = Extract<ImageEvent, { type: `Target${string}` }>;
function evolveTarget(before: Target | undefined, event: OfTarget): Target {
  if (event.type === 'TargetStarted') return { ...fresh, status: 'BUILDING', attempt: event.data.attempt, build: event.data.build, failed: before?.failed ?? [] };
  const target = before!;
  switch (event.type) {
    case 'TargetProgressed':
      return { ...target, percent: event.data.percent, activity: event.data.activity };
    case 'TargetStep':
      return { ...target, facts: laidOver(target.facts, event.data.facts) };
    case 'TargetCompleted':
      return { ...target, status: 'COMPLETE', percent: 100, activity: '', made: event.data.made };
    case 'TargetFailed':
      return { ...target, status: 'FAILED', activity: '', failed: [...target.failed, { attempt: event.data.attempt, error: event.data.error }] };
    default:
      return unreachable(event);
  }
}

type OfPush = Extract<ImageEvent, { type: `Push${string}` }>;
function evolvePush(before: Push | undefined, event: OfPush): Push {
  if (event.type === 'PushStarted') {
    const { target, provider, attempt } = event.data;
    return { ...fresh, status: 'BUILDING', attempt, target, provider, failed: before?.failed ?? [] };
  }
  const push = before!;
  switch (event.type) {
    case 'PushProgressed':
      return { ...push, percent: event.data.percent, activity: event.data.activity };
    case 'PushStep':
      return { ...push, facts: laidOver(push.facts, event.data.facts) };
    case 'PushCompleted':
      return { ...push, status: 'COMPLETE', percent: 100, activity: '', id: event.data.id };
    case 'PushFailed':
      return { ...push, status: 'FAILED', activity: '', failed: [...push.failed, { attempt: event.data.attempt, error: event.data.error }] };
    default:
      return unreachable(event);
  }
}

function evolveDeletion(version: Version, event: Extract<ImageEvent, { type: 'DeletionStarted' | 'DeletionFailed' | 'Deleted' }>): Version {
  const { account, target } = event.data;
  const status = event.type === 'DeletionStarted' ? 'DELETING' : event.type === 'DeletionFailed' ? 'DELETEFAILED' : 'DELETED';
  const ends = <W extends Work>({ error: _error, ...work }: W): W => ({ ...work, status, ...(event.type === 'DeletionFailed' && { error: event.data.error }) }) as W;
  if (account !== undefined) {
    const push = version.pushes.get(account);
    if (!push) throw new Error(`${event.type} of what was not pushed`);
    return { ...version, pushes: with_(version.pushes, account, ends(push)) };
  }
  if (target !== undefined) {
    const built = version.targets.get(target);
    if (!built) throw new Error(`${event.type} of what was not built`);
    return { ...version, targets: with_(version.targets, target, ends(built)) };
  }
  return { ...version, deletion: status };
}
