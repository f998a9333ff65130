import type { BuildEvent, Recorded, SavedPlan } from '@berth/contracts';
import { stepIdOf } from './domain/build/build.js';

/** How much the last time counts beside those before. */
const NEWEST = 0.4;
/** Plans whose times are known; the one that was not built for longest goes first. */
const KEEP = 5000;
const HOST = ' host';
const COPY = ' working copy';

interface Watched {
  plan: SavedPlan;
  asked?: number;
  came?: number;
}

/** What the parts of builds took before, by plan: how far a build has come and how long it will take is told by it. */
export class History {
  /** milliseconds, by plan and by step id */
  private readonly plans = new Map<string, Map<string, number>>();
  private readonly watched = new Map<string, Watched>();

  /** What each part took: the host, the working copy, every step; undefined for a plan of which nothing is known. In milliseconds, at least 1. */
  weights(plan: SavedPlan): number[] | undefined {
    const known = this.plans.get(plan.name);
    if (!known) return undefined;
    const steps = plan.steps.map((_, index) => known.get(stepIdOf(plan, index)));
    const some = steps.filter((ms) => ms !== undefined);
    if (some.length === 0) return undefined;
    // A step that is new takes what the others take.
    const usual = some.reduce((sum, ms) => sum + ms, 0) / some.length;
    return [known.get(HOST) ?? usual, known.get(COPY) ?? usual, ...steps.map((ms) => ms ?? usual)].map((ms) => Math.max(1, Math.round(ms)));
  }

  note({ id, commit }: Recorded<BuildEvent>): void {
    const at = Date.parse(commit.at);
    for (const event of commit.events) {
      if (event.type === 'BuildRequested' || event.type === 'BuildRestarted') this.watched.set(id, { plan: event.data.plan });
      const build = this.watched.get(id);
      if (!build) continue;
      switch (event.type) {
        case 'BuildPreparing':
          build.asked = at;
          break;
        case 'BuildWorkingCopyRequested':
          if (build.asked !== undefined) this.learn(build.plan.name, HOST, at - build.asked);
          build.came = at;
          break;
        case 'BuildStarted':
          if (build.came !== undefined) this.learn(build.plan.name, COPY, at - build.came);
          break;
        case 'StepFinished':
          if (event.data.outcome === 'passed') this.learn(build.plan.name, stepIdOf(build.plan, event.data.step), event.data.durationMs);
          break;
        case 'BuildPassed':
        case 'BuildFailed':
        case 'BuildAborted':
        case 'BuildErrored':
          this.watched.delete(id);
          break;
        default: // tells nothing of times
      }
    }
  }

  private learn(plan: string, part: string, ms: number): void {
    const known = this.plans.get(plan) ?? new Map<string, number>();
    this.plans.delete(plan);
    this.plans.set(plan, known);
    const before = known.get(part);
    known.set(part, before === undefined ? Math.max(0, ms) : before + (Math.max(0, ms) - before) * NEWEST);
    if (this.plans.size > KEEP) this.plans.delete(this.plans.keys().next().value!);
  }
}
