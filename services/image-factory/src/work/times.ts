import { derivedId, type AnyRecorded } from '@berth/contracts';
import type { Runtime } from '@berth/runtime';
import { Cron } from 'croner';
import { expired } from '../domain/keeping.js';
import { nextRevocation, scheduleOf, type Image, type Version } from '../domain/image.js';
import type { Hosts } from '../follow/hosts.js';
import type { Images } from '../images.js';

/** How often it is looked at what is due by the time. */
const TICK_MS = 1000;
/** What is old is looked for so often: it makes no difference whether it goes now or in a minute. */
const KEEP_EVERY_MS = 60_000;

/** What happens to images without being asked for: revocations that were put off, versions on a schedule or because a parent has moved, versions that are too old. */
export class Times {
  private timer: NodeJS.Timeout | undefined;
  private kept = 0;
  /** when the next version of an image is due, ms since the epoch, by the schedule that says so; an image that is not there was not looked at yet */
  private readonly due = new Map<string, { schedule: string; at: number }>();

  constructor(
    private readonly runtime: Pick<Runtime, 'log'>,
    private readonly images: Images,
    private readonly hosts: Hosts,
    private readonly now: () => number = Date.now,
  ) {}

  caughtUp(): void {
    for (const [name, { state }] of this.images.images.entries()) {
      this.followParents(name, state);
      this.passOn(state, name);
      this.takeBack(state);
    }
    this.timer = setInterval(() => this.look(), TICK_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  react(recorded: AnyRecorded): void {
    if (recorded.kind !== 'image' || this.timer === undefined) return;
    const image = this.images.image(recorded.id);
    const types = new Set(recorded.commit.events.map(({ type }) => type));
    // What is made of it may have waited until it is there.
    if (types.has('ChannelAssigned') || types.has('PushCompleted')) for (const child of this.images.childrenOf(recorded.id)) this.followParents(child, this.images.image(child));
    if (types.has('ImageSaved')) this.followParents(recorded.id, image);
    if (types.has('RevocationDue')) this.passOn(image, recorded.id);
    for (const { type, data } of recorded.commit.events) {
      if (type === 'VersionRestored') this.restored(image, data.version);
      if (type === 'VersionRevoked' && data.ancestor) this.takeBack(this.images.image(data.ancestor.image));
    }
  }

  /** What followed it is restored too; it follows again what it is made of, where it did not do that before. */
  private restored(image: Image, id: string): void {
    this.takeBack(image);
    const parent = image.versions.get(id)?.parent?.image;
    if (parent !== undefined) this.passOn(this.images.image(parent), parent);
  }

  /** A version of its own for each version that the parent's channel comes to point at. */
  private followParents(name: string, image: Image): void {
    if (image.status !== 'live' || !image.saved?.rebuild?.onParent) return;
    const parent = this.images.parentOf(image);
    if (!parent) return;
    if ('accepted' in parent) {
      if (parent.code === 'unbuildable-target') this.runtime.log.warn({ image: name, problem: parent.message }, 'what it is made of has moved, and it could not be built');
      return;
    }
    if ([...image.versions.values()].some((version) => version.parent?.version === parent.version)) return;
    this.images.tell(name, { type: 'Build', image: name, version: derivedId(name, `made of ${parent.version} in ${image.saved.revision}`), available: this.images.buildable(image), labels: {}, parent, cause: 'parent' }, `made of ${parent.version}`);
  }

  /** What is made of a version that was revoked is revoked too, where that was said. */
  private passOn(image: Image, name: string): void {
    for (const { id, revoked } of image.versions.values()) {
      if (!revoked?.due || !revoked.cascade) continue;
      const { at, reason } = revoked;
      for (const [child, made] of this.madeOf(id)) {
        if (made.revoked?.due) continue;
        this.images.tell(child, { type: 'Revoke', version: made.id, at, now: new Date(this.now()).toISOString(), reason, cascade: true, ancestor: { image: name, version: id } }, `${made.id} revoked with ${id} ${at}`);
      }
    }
  }

  /** What was revoked with a version that was restored is restored too, where that was said. What was revoked for itself is not. */
  private takeBack(image: Image): void {
    for (const { id, restored, revoked } of image.versions.values()) {
      if (!restored?.cascade || revoked?.due) continue;
      for (const [child, made] of this.madeOf(id)) {
        if (made.revoked?.ancestor?.version !== id) continue;
        const { at, ancestor } = made.revoked;
        this.images.tell(child, { type: 'Restore', version: made.id, reason: 'restored', cascade: true, ancestor: { ...ancestor, at } }, `${made.id} restored with ${id} ${at}`);
      }
    }
  }

  /** What is made of a version and stays, with the names of its images. */
  private *madeOf(version: string): Generator<readonly [string, Version]> {
    for (const id of this.images.madeOf(version)) {
      const name = this.images.ownerOf(id) ?? '';
      const made = this.images.image(name).versions.get(id);
      if (made && !made.deletion) yield [name, made];
    }
  }

  /** What is due by the time. */
  look(): void {
    const now = this.now();
    const keep = now - this.kept >= KEEP_EVERY_MS;
    if (keep) this.kept = now;
    for (const [name, { state }] of this.images.images.entries()) {
      for (const version of state.versions.values()) {
        const at = nextRevocation(version)?.at;
        if (at !== undefined && Date.parse(at) <= now) this.images.tell(name, { type: 'RevocationDue', version: version.id, now: new Date(now).toISOString() }, `due ${version.id} ${at}`);
      }
      this.schedule(name, state, now);
      if (keep) this.forgetOld(name, state, now);
    }
  }

  /** A version for the last of its times that has passed since the schedule was saved: of those that nobody looked at, the ones before are left out. */
  private schedule(name: string, image: Image, now: number): void {
    const schedule = scheduleOf(image);
    if (schedule === undefined) return void this.due.delete(name);
    const known = this.due.get(name);
    if (known?.schedule === schedule && known.at > now) return;
    const times = new Cron(schedule, { paused: true, timezone: 'UTC', mode: '5-part' });
    this.due.set(name, { schedule, at: times.nextRun(new Date(now))?.getTime() ?? Number.POSITIVE_INFINITY });
    // What is asked for is before its argument.
    const last = times.previousRuns(1, new Date(now + 1))[0]?.getTime();
    if (last === undefined || last <= this.images.scheduledSince(name)) return;
    const version = derivedId(name, `scheduled ${last}`);
    if (image.versions.has(version)) return;
    const parent = this.images.parentOf(image);
    if (parent && 'accepted' in parent) return this.runtime.log.warn({ image: name, problem: parent.message }, 'a version was due, and could not be built');
    this.images.tell(name, { type: 'Build', image: name, version, available: this.images.buildable(image), labels: {}, cause: 'schedule', ...(parent && { parent }) }, `scheduled ${last}`);
  }

  private forgetOld(name: string, image: Image, now: number): void {
    for (const { id, number } of expired(image, (version) => this.images.askedAt(version), now)) {
      if (!this.hosts.has(name, number) && this.images.heirOf(id) === undefined) this.images.tell(name, { type: 'DeleteVersion', version: id, cascade: true, hosts: false }, `too old ${id}`);
    }
  }
}

