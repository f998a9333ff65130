import { derivedId, type AnyRecorded, type BuildEvent, type SavedPlan } from '@berth/contracts';
import type { Objects } from '@berth/artifacts';
import type { Runtime } from '@berth/runtime';

/** Between two looks at what is to go. */
const SWEEP_MS = 600_000;
/** What was released so long before a start is made sure of once more: the process may have ended between the word and the deed. */
const AGAIN_MS = 86_400_000;
const RETRY_MS = 30_000;

interface OfBuild {
  plan: string;
  keep: NonNullable<SavedPlan['artifacts']> | undefined;
  /** milliseconds since 1970; absent while it is under way */
  ended?: number;
  /** position of its request, which orders the builds of a plan */
  order: number;
  /** by name of the artifact: one object for each generation that kept it */
  kept: Map<string, { objects: Set<string>; pinned: boolean }>;
}

/** An artifact that is to be released, and why. */
export interface Overdue {
  build: string;
  name: string;
  reason: string;
}

/** What builds have kept, for how long that is wanted, and the removal of what is not kept any more. */
export class Keeping {
  private readonly builds = new Map<string, OfBuild>();
  /** objects that nobody names any more, and since when */
  private readonly released = new Map<string, number>();
  private readonly underWay = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private live = false;

  constructor(
    private readonly runtime: Pick<Runtime, 'log'>,
    private readonly objects: Pick<Objects, 'remove'>,
    private readonly release: (overdue: Overdue, id: string) => Promise<unknown>,
  ) {}

  note({ id, sequence, commit }: Extract<AnyRecorded, { kind: 'build' }>): void {
    const at = Date.parse(commit.at);
    for (const event of commit.events) this.noteOne(id, sequence, at, event);
  }

  private noteOne(id: string, order: number, at: number, event: BuildEvent): void {
    if (event.type === 'BuildRequested') this.builds.set(id, { plan: event.data.plan.name, keep: event.data.plan.artifacts, order, kept: new Map() });
    const build = this.builds.get(id);
    if (!build) return;
    switch (event.type) {
      case 'BuildRestarted':
        delete build.ended;
        break;
      case 'ArtifactKept': {
        const { name, object } = event.data;
        const kept = build.kept.get(name) ?? { objects: new Set<string>(), pinned: false };
        kept.objects.add(object);
        build.kept.set(name, kept);
        break;
      }
      case 'ArtifactPinned': {
        const kept = build.kept.get(event.data.name);
        if (kept) kept.pinned = event.data.pinned;
        break;
      }
      case 'ArtifactReleased': {
        const kept = build.kept.get(event.data.name);
        build.kept.delete(event.data.name);
        for (const object of kept?.objects ?? []) this.drop(object, at);
        break;
      }
      case 'BuildCleanedUp':
        build.ended = at;
        // A build without artifacts has nothing to be kept or removed.
        if (build.kept.size === 0) this.builds.delete(id);
        break;
      default: // tells nothing of artifacts
    }
  }

  private drop(object: string, at: number): void {
    this.released.set(object, at);
    if (this.live) void this.remove(object);
  }

  /** The views show all that was stored at the start. */
  begin(now: number): void {
    this.live = true;
    for (const [object, at] of this.released) {
      if (at > now - AGAIN_MS) void this.remove(object);
      else this.released.delete(object);
    }
    this.sweep(now);
  }

  private sweep(now: number): void {
    for (const overdue of this.overdue(now)) {
      const objects = [...(this.builds.get(overdue.build)?.kept.get(overdue.name)?.objects ?? [])];
      const id = derivedId(overdue.build, `release ${overdue.name} ${objects.join(' ')}`);
      this.release(overdue, id).catch((error: unknown) => this.runtime.log.warn({ error, ...overdue }, 'artifact not released, tried again'));
    }
    this.timer = setTimeout(() => this.sweep(Date.now()), SWEEP_MS);
    this.timer.unref();
  }

  /** What is kept for longer than its plan says; what is pinned stays. Plans count as they were when their builds were asked for. */
  overdue(now: number): Overdue[] {
    const found: Overdue[] = [];
    const newer = new Map<string, number>();
    for (const [build, { plan, keep, ended, kept }] of [...this.builds].sort(([, a], [, b]) => b.order - a.order)) {
      const after = newer.get(plan) ?? 0;
      newer.set(plan, after + 1);
      if (!keep || ended === undefined) continue;
      const tooOld = keep.keep !== undefined && ended + keep.keep <= now;
      const tooMany = keep.builds !== undefined && after >= keep.builds;
      if (!tooOld && !tooMany) continue;
      const reason = tooOld ? `kept for ${keep.keep! / 1000} s, as its plan says` : `kept of the last ${keep.builds} builds, as its plan says`;
      for (const [name, { pinned }] of kept) if (!pinned) found.push({ build, name, reason });
    }
    return found;
  }

  private async remove(object: string): Promise<void> {
    if (this.underWay.has(object)) return;
    this.underWay.add(object);
    try {
      await this.objects.remove(object);
      this.released.delete(object);
    } catch (error) {
      this.runtime.log.warn({ error, object }, 'object of an artifact not removed, tried again');
      if (this.live) setTimeout(() => void this.remove(object), RETRY_MS).unref();
    } finally {
      this.underWay.delete(object);
    }
  }

  stop(): void {
    this.live = false;
    clearTimeout(this.timer);
  }
}
