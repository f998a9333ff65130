import { unreachable, type AccountSpec, type AnyRecorded, type CatalogEvent, type ImageEvent, type ProviderSpec } from '@berth/contracts';
import type { ResourceInfo } from './resource.js';

/** A version that hosts can be launched from: the attributes of these, and what the provider calls it. */
export type Bootable = Pick<NonNullable<ResourceInfo['booted']>, 'image' | 'version' | 'number' | 'id'>;

/** What an `ec2` blueprint says of its image, and where it launches. */
export interface Wish {
  image: string;
  channel: string;
  region: string;
  endpoint?: string | undefined;
  credentials: string;
}

/** What a blueprint launches from an image of the factory. */
export interface Source {
  /** what its channel points at; or one sentence that says why that can't be launched */
  channel: Bootable | string;
  /** versions under test that are there, the oldest first; without that of the channel */
  tests: readonly Bootable[];
}

/** What is to become of a host. `test`: it is for requests that want its version. `over`: it gets no new lease. */
export type Standing = { is: 'kept' } | { is: 'test' } | { is: 'over'; reason: string };

interface Version {
  id: string;
  number: number;
  complete: boolean;
  use: 'active' | 'deprecated' | 'disabled';
  revoked: boolean;
  deleted: boolean;
  /** account -> what the provider calls it */
  pushed: Map<string, string>;
  /** target -> the image that its provider made */
  made: Map<string, { account: string; id: string }>;
  /** builds that test it now */
  tests: Set<string>;
}

interface Channel {
  version: string | null;
  /** what it pointed at before, the newest last; without what it was taken back from */
  before: readonly string[];
}

interface Image {
  versions: Map<string, Version>;
  /** ids of versions under test, in the order in which their tests began */
  tested: Set<string>;
  channels: Map<string, Channel>;
}

/** What hosts can be booted from: folded from the events of images and of the catalogue, and looked up by name. */
export class ImageViews {
  private readonly images = new Map<string, Image>();
  private readonly providers = new Map<string, ProviderSpec>();
  private readonly accounts = new Map<string, AccountSpec>();
  /** accounts on EC2 by where hosts would be launched, in the order of their names */
  private places = new Map<string, AccountSpec[]>();

  /** @returns whether hosts may have to be launched from something else now */
  apply(recorded: Extract<AnyRecorded, { kind: 'image' | 'catalog' }>): boolean {
    if (recorded.kind === 'catalog') return recorded.commit.events.map((event) => this.applyCatalog(event)).includes(true);
    return recorded.commit.events.map((event) => this.applyImage(recorded.id, event, recorded.commit.at)).includes(true);
  }

  /** Undefined: Berth has no image of that name. O(accounts of the region + versions under test). */
  source(wish: Wish): Source | undefined {
    const image = this.images.get(wish.image);
    if (!image) return undefined;
    const { version: current = null } = image.channels.get(wish.channel) ?? {};
    const tests = [...image.tested].flatMap((id) => {
      const bootable = id === current ? 'it is the one of the channel' : this.bootable(wish, image.versions.get(id));
      return typeof bootable === 'string' ? [] : [bootable];
    });
    return { channel: this.ofChannel(wish, image), tests };
  }

  /** The id of the version that the channel points at, whether or not it can be launched. */
  current({ image, channel }: Pick<Wish, 'image' | 'channel'>): string | undefined {
    return this.images.get(image)?.channels.get(channel)?.version ?? undefined;
  }

  /** Is there a version that the channel could be taken back to? */
  hasBefore({ image, channel }: Pick<Wish, 'image' | 'channel'>): boolean {
    const known = this.images.get(image);
    return known?.channels.get(channel)?.before.some((id) => unfit(image, known.versions.get(id)) === undefined) ?? false;
  }

  /** What is to become of a host of a blueprint that names an image now. O(1). */
  standing(wish: Wish, booted: NonNullable<ResourceInfo['booted']>): Standing {
    const image = this.images.get(wish.image);
    const channel = image?.channels.get(wish.channel);
    if (!image || !channel) return { is: 'kept' };
    const own = wish.image === booted.image ? image.versions.get(booted.version) : undefined;
    const current = own !== undefined && channel.version === own.id;
    if (own && own.tests.size > 0 && (booted.test || !current) && unfit(wish.image, own) === undefined) return { is: 'test' };
    if (booted.test) return { is: 'over', reason: `it was booted for a test of version ${booted.number} of ${booted.image}, which is over` };
    const wrong = wish.image === booted.image ? unfit(wish.image, own) : undefined;
    if (wrong !== undefined) return { is: 'over', reason: `it was booted from version ${booted.number} of ${booted.image}: ${wrong}` };
    const next = current ? undefined : this.ofChannel(wish, image);
    // A host of the version before is worth more than none.
    if (next === undefined || typeof next === 'string') return { is: 'kept' };
    return { is: 'over', reason: `channel ${wish.channel} of ${wish.image} points at version ${next.number}: it was booted from version ${booted.number}${wish.image === booted.image ? '' : ` of ${booted.image}`}` };
  }

  private ofChannel(wish: Wish, image: Image): Bootable | string {
    const channel = image.channels.get(wish.channel);
    if (!channel) return `image ${wish.image} has no channel ${wish.channel}: make it, or name another`;
    if (channel.version === null) return `channel ${wish.channel} of image ${wish.image} points at no version: assign it one`;
    return this.bootable(wish, image.versions.get(channel.version));
  }

  private bootable(wish: Wish, version: Version | undefined): Bootable | string {
    const wrong = unfit(wish.image, version);
    if (wrong !== undefined) return wrong;
    const { id: own, number } = version!;
    const there = (this.places.get(placeOf(wish)) ?? []).flatMap(({ name, credentials }) => {
      const id = version!.pushed.get(name) ?? [...version!.made.values()].find(({ account }) => account === name)?.id;
      return id === undefined ? [] : [{ id, credentials }];
    });
    const [chosen] = [...there.filter(({ credentials }) => credentials === wish.credentials), ...there];
    if (!chosen) return `version ${number} of image ${wish.image} is not pushed to ${wish.region}: push it with \`berth image push\``;
    return { image: wish.image, version: own, number, id: chosen.id };
  }

  // --- what happened ---

  private applyCatalog(event: CatalogEvent): boolean {
    switch (event.type) {
      case 'ProviderSaved':
        this.providers.set(event.data.name, event.data);
        break;
      case 'AccountSaved':
        this.accounts.set(event.data.name, event.data);
        break;
      case 'CatalogEntryRemoved':
        if (event.data.kind === 'provider') this.providers.delete(event.data.name);
        else if (event.data.kind === 'account') this.accounts.delete(event.data.name);
        else return false;
        break;
      case 'EnvironmentSaved':
      case 'PoolSaved':
      case 'CatalogSaved':
      case 'DeployableSaved':
        return false;
      default:
        return unreachable(event);
    }
    this.places = new Map();
    for (const account of [...this.accounts.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const provider = this.providers.get(account.provider);
      if (provider?.kind !== 'ec2' || account.region === undefined) continue;
      const place = placeOf({ region: account.region, endpoint: provider.endpoint });
      this.places.set(place, [...(this.places.get(place) ?? []), account]);
    }
    return true;
  }

  /** @param at RFC 3339, when it was decided */
  private applyImage(name: string, event: ImageEvent, at: string): boolean {
    if (event.type === 'ImageSaved') {
      if (!this.images.has(name)) this.images.set(name, { versions: new Map(), tested: new Set(), channels: new Map() });
      return true;
    }
    if (event.type === 'ImageRemoved') return this.images.delete(name);
    let image = this.images.get(name);
    // The first version of what is imported makes its image.
    if (!image) this.images.set(name, (image = { versions: new Map(), tested: new Set(), channels: new Map() }));
    switch (event.type) {
      case 'ChannelSaved':
        if (!image.channels.has(event.data.channel)) image.channels.set(event.data.channel, { version: null, before: [] });
        return true;
      case 'ChannelRemoved':
        return image.channels.delete(event.data.channel);
      case 'ChannelAssigned':
        image.channels.set(event.data.channel, moved(image.channels.get(event.data.channel), event.data));
        return true;
      case 'VersionRequested':
      case 'VersionImported': {
        const { version: id, number } = event.data;
        const imported = event.type === 'VersionImported';
        image.versions.set(id, {
          id, number, complete: imported, use: 'active', revoked: false, deleted: false,
          pushed: new Map(imported ? [[event.data.account, event.data.id]] : []), made: new Map(), tests: new Set(),
        });
        return imported;
      }
      default: {
        const version = image.versions.get(event.data.version);
        return version !== undefined && applyVersion(image, version, event, at);
      }
    }
  }
}

type VersionEvent = Exclude<ImageEvent, { type: 'ImageSaved' | 'ImageRemoved' | 'ChannelSaved' | 'ChannelRemoved' | 'ChannelAssigned' | 'VersionRequested' | 'VersionImported' }>;

function applyVersion(image: Image, version: Version, event: VersionEvent, at: string): boolean {
  switch (event.type) {
    case 'VersionEnded':
      version.complete = event.data.status === 'COMPLETE';
      return true;
    case 'TargetCompleted':
      if (event.data.made.provided) version.made.set(event.data.target, event.data.made.provided);
      return event.data.made.provided !== undefined;
    case 'PushCompleted':
      version.pushed.set(event.data.account, event.data.id);
      return true;
    case 'DeletionStarted':
    case 'Deleted':
      // What is being removed is not launched any more, also when that fails.
      if (event.data.account !== undefined) return version.pushed.delete(event.data.account);
      if (event.data.target !== undefined) return version.made.delete(event.data.target);
      version.deleted = true;
      image.tested.delete(version.id);
      if (event.type === 'Deleted') image.versions.delete(version.id);
      return true;
    case 'VersionMarked':
      version.use = event.data.as;
      return true;
    case 'VersionRevoked':
      version.revoked = Date.parse(event.data.at) <= Date.parse(at);
      return version.revoked;
    case 'RevocationDue':
      version.revoked = true;
      return true;
    case 'VersionRestored':
      version.revoked = false;
      return true;
    case 'TestStarted':
      version.tests.add(event.data.build);
      image.tested.add(version.id);
      return true;
    case 'TestEnded':
      version.tests.delete(event.data.build);
      if (version.tests.size === 0) image.tested.delete(version.id);
      return true;
    case 'TargetStarted':
    case 'TargetProgressed':
    case 'TargetStep':
    case 'TargetFailed':
    case 'PushStarted':
    case 'PushProgressed':
    case 'PushStep':
    case 'PushFailed':
    case 'DeletionFailed':
    case 'LabelsSet':
    case 'AttributesSet':
      return false;
    default:
      return unreachable(event);
  }
}

/** What it was taken back from is not what it would be taken back to next. */
function moved(channel: Channel | undefined, { version, previous, by }: Extract<ImageEvent, { type: 'ChannelAssigned' }>['data']): Channel {
  const before = channel?.before ?? [];
  switch (by) {
    case 'assign':
    case 'managed':
      return { version, before: [...before.filter((id) => id !== version && id !== previous), ...(previous === null ? [] : [previous])] };
    case 'rollback':
    case 'revoke':
    case 'delete': {
      const at = version === null ? -1 : before.lastIndexOf(version);
      return { version, before: at === -1 ? before : before.slice(0, at) };
    }
    default:
      return unreachable(by);
  }
}

/** Why a version is not to be launched anywhere. */
function unfit(image: string, version: Version | undefined): string | undefined {
  if (!version || version.deleted) return `the version of image ${image} is deleted`;
  const said = `version ${version.number} of image ${image} is`;
  if (version.revoked) return `${said} revoked`;
  if (version.use === 'disabled') return `${said} disabled`;
  return version.complete ? undefined : `${said} not complete`;
}

const placeOf = ({ region, endpoint }: Pick<Wish, 'region' | 'endpoint'>): string => `${region} ${endpoint === undefined ? '' : serverOf(endpoint)}`;

/** Amazon's own servers are meant when no other is named. */
function serverOf(endpoint: string): string {
  const { hostname, href } = new URL(endpoint);
  return /(^|\.)amazonaws\.com(\.cn)?$/.test(hostname) ? '' : href;
}
