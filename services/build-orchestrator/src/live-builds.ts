import { isLive, type Build } from './domain/build/build.js';
import { isGathering } from './domain/react.js';
import type { Before, View } from './domain/view.js';

interface Live {
  id: string;
  order: number;
  plan: string;
  ref: string;
  group: string | undefined;
  /** it may need several hosts */
  several: boolean;
}

/** Builds that are under way, in the order in which they (or their last generation) were asked for. */
export class LiveBuilds {
  private readonly all = new Map<string, Live>();
  private readonly groups = new Map<string, Map<string, Live>>();
  private readonly plans = new Map<string, Map<string, Live>>();
  private readonly several = new Map<string, Live>();
  private count = 0;

  constructor(
    private readonly build: (id: string) => Build | undefined,
    private readonly view: Pick<View, 'lease'>,
  ) {}

  /** A build was written to. `again`: a new generation of it has begun, which stands behind all others. */
  note(id: string, again: boolean): void {
    const build = this.build(id);
    const known = this.all.get(id);
    if (known && (again || !build || !isLive(build))) this.drop(known);
    if (!build || !isLive(build) || this.all.has(id)) return;
    const live: Live = { id, order: this.count++, plan: build.about.plan, ref: build.about.workingCopy.ref ?? '', group: build.about.group, several: Object.keys(build.about.hosts).length > 1 };
    this.all.set(id, live);
    entry(this.plans, live.plan).set(id, live);
    if (live.group !== undefined) entry(this.groups, live.group).set(id, live);
    if (live.several) this.several.set(id, live);
  }

  has(id: string): boolean {
    return this.all.has(id);
  }

  /** The oldest one that is under way of the same group, before this one. */
  beforeInGroup(id: string, group: string): Before | undefined {
    return this.first(this.groups.get(group), id, () => true);
  }

  beforeOfPlan(id: string, plan: string, ref: string | undefined): Before | undefined {
    return this.first(this.plans.get(plan), id, (live) => ref === undefined || live.ref === ref);
  }

  olderGathering(id: string): Before | undefined {
    return this.first(this.several, id, (live) => {
      const build = this.build(live.id);
      return build !== undefined && isGathering(build, this.view);
    });
  }

  private first(among: ReadonlyMap<string, Live> | undefined, id: string, fits: (live: Live) => boolean): Before | undefined {
    const own = this.all.get(id)?.order ?? this.count;
    const callers = this.callersOf(id);
    for (const live of among?.values() ?? []) {
      if (live.order >= own) return undefined;
      if (!callers.has(live.id) && fits(live)) return { id: live.id, status: this.build(live.id)?.status ?? 'none' };
    }
    return undefined;
  }

  /** Builds that wait for this one, by steps that call plans: to wait for one of them would be to wait for ever. */
  private callersOf(id: string): ReadonlySet<string> {
    const callers = new Set<string>();
    for (let at = this.build(id); at && at.status !== 'none'; ) {
      const caller: string | undefined = at.about.parent?.build;
      if (caller === undefined || callers.has(caller)) break;
      callers.add(caller);
      at = this.build(caller);
    }
    return callers;
  }

  private drop(live: Live): void {
    this.all.delete(live.id);
    for (const [index, key] of [[this.plans, live.plan], [this.groups, live.group]] as const) {
      if (key === undefined) continue;
      const among = index.get(key);
      among?.delete(live.id);
      if (among?.size === 0) index.delete(key);
    }
    this.several.delete(live.id);
  }
}

function entry(index: Map<string, Map<string, Live>>, key: string): Map<string, Live> {
  const known = index.get(key) ?? new Map<string, Live>();
  index.set(key, known);
  return known;
}
