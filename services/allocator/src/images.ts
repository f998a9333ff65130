import { derivedId, type BlueprintSpec } from '@berth/contracts';
import type { Runtime } from '@berth/runtime';
import type { LiveBlueprint } from './domain/blueprint.js';
import { ImageViews, type Source, type Standing, type Wish } from './domain/images.js';
import type { LiveResource } from './domain/resource.js';

/** For an answer of the factory; after that it is asked again when blueprints are looked at next. */
const PATIENCE_MS = 10_000;
const LONGEST_REASON = 1024;

/** What blueprints launch hosts from, and what becomes of hosts when that is something else by now. */
export class Images {
  readonly views = new ImageViews();
  /** commands that are on their way, or were answered */
  private readonly asked = new Set<string>();

  constructor(private readonly runtime: Runtime) {}

  /** Undefined: the blueprint names no image, or Berth has none of that name. */
  of(spec: BlueprintSpec): Source | undefined {
    const wish = wishOf(spec);
    return wish && this.views.source(wish);
  }

  /**
   * What a host is booted from that is made for a version, by its number; undefined: no image of ours, or nothing that can be
   * launched, which its launch will say. `none`: that is not so any more.
   */
  bootable(spec: BlueprintSpec, number: string | undefined): LiveResource['info']['booted'] | 'none' {
    const source = this.of(spec);
    if (!source) return undefined;
    const { channel } = source;
    if (number === undefined) return typeof channel === 'string' ? undefined : 'none';
    if (typeof channel !== 'string' && String(channel.number) === number) return channel;
    const test = source.tests.find((one) => String(one.number) === number);
    return test ? { ...test, test: true } : 'none';
  }

  /** The id of the version that its channel points at, whether or not it can be launched. */
  current(spec: BlueprintSpec): string | undefined {
    const wish = wishOf(spec);
    return wish && this.views.current(wish);
  }

  /** The id of the version that it would launch; undefined: none, or none of ours. */
  launched(spec: BlueprintSpec): string | undefined {
    const image = this.of(spec)?.channel;
    return typeof image === 'string' ? undefined : image?.version;
  }

  /** What is to become of a host; undefined: it was booted from none of our images, or its blueprint names none any more. */
  standing({ info }: LiveResource, spec: BlueprintSpec | undefined): Standing | undefined {
    const wish = info.booted && spec && wishOf(spec);
    return wish && info.booted && this.views.standing(wish, info.booted);
  }

  /** Has its breaker been opened for something else than what would be launched now? */
  isMoved({ spec, breaker, failing }: LiveBlueprint): boolean {
    const image = breaker && this.of(spec)?.channel;
    if (image === undefined) return false;
    // What can't be launched at all has failed with that sentence.
    return typeof image === 'string' ? failing !== undefined || breaker?.reason !== image : failing !== image.version;
  }

  /** Takes a channel back from a version whose hosts failed every time: once per version and channel, whoever does it how often. */
  takeBack({ spec, breaker }: LiveBlueprint): void {
    const wish = wishOf(spec);
    const version = breaker?.blames;
    if (!wish || version === undefined || this.views.current(wish) !== version || !this.views.hasBefore(wish)) return;
    const { image, channel } = wish;
    const id = derivedId(version, `rollback ${channel}`);
    if (this.asked.has(id)) return;
    this.asked.add(id);
    const reason = `hosts of blueprint ${spec.name} failed one after the other: ${breaker?.reason ?? ''}`.slice(0, LONGEST_REASON);
    this.runtime.bus
      .command('image-factory', 'RollbackChannel', { image, channel, from: version, reason }, { id, actor: 'allocator', patienceMs: PATIENCE_MS })
      .then((answer) => {
        if (!answer.accepted) this.runtime.log.warn({ image, channel, version, problem: answer.message }, 'the channel was not taken back');
      })
      .catch((error: unknown) => {
        this.asked.delete(id);
        if (!this.runtime.connection.isClosed()) this.runtime.log.warn({ error, image, channel }, 'not known whether the channel is taken back, asked again');
      });
  }
}

function wishOf(spec: BlueprintSpec): Wish | undefined {
  if (spec.kind !== 'ec2' || 'ami' in spec.image) return undefined;
  const { image, region, endpoint, credentials } = spec;
  return { image: image.name, channel: image.channel, region, endpoint, credentials };
}
