import type { AnyRecorded, SavedPlan } from '@berth/contracts';
import type { Counter, Histogram, Metrics } from '@berth/runtime';
import { secondsSince } from './leases.js';

type Of<K extends AnyRecorded['kind']> = Extract<AnyRecorded, { kind: K }>;
type Outcome = 'passed' | 'failed' | 'aborted' | 'error';

interface Known {
  status: 'pending' | 'preparing' | 'building' | 'over';
  /** of this generation, ms since the epoch */
  asked: number;
  /** of the steps of its plan, by number */
  kinds: readonly string[];
}

/** Seconds that steps and builds take. */
const LONG_BUCKETS = [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400];

/** What is counted of builds, their steps and the actions of both, folded from all events. Plans are no labels: there is no end to them. */
export class BuildFigures {
  private readonly known = new Map<string, Known>();
  /** one list for all builds of the same steps: a build that is over costs little, and may be restarted at any time */
  private readonly lists = new Map<string, readonly string[]>();
  private readonly actions = new Map<string, { kind: string; asked: number }>();
  private readonly builds: Counter<'outcome'>;
  private readonly duration: Histogram<'outcome'>;
  private readonly steps: Histogram<'kind' | 'outcome'>;
  private readonly actionTime: Histogram<'kind' | 'outcome'>;

  constructor(metrics: Metrics) {
    this.builds = metrics.counter('berth_builds_total', 'Builds that are over, each generation counted, by outcome: passed, failed, aborted, error.', ['outcome']);
    this.duration = metrics.histogram('berth_build_duration_seconds', 'From the request of a build, or its restart, to its end.', ['outcome'], LONG_BUCKETS);
    this.steps = metrics.histogram('berth_step_duration_seconds', 'What a step took, each try counted; skipped steps are not.', ['kind', 'outcome'], LONG_BUCKETS);
    this.actionTime = metrics.histogram('berth_action_duration_seconds', 'From the request of an action on a host to its end.', ['kind', 'outcome'], LONG_BUCKETS);
    metrics.gauge('berth_builds', 'Builds that are not over, by status: pending, preparing (waiting for hosts), building.', ['status'], (gauge) => {
      const counts = { pending: 0, preparing: 0, building: 0 };
      for (const { status } of this.known.values()) if (status !== 'over') counts[status]++;
      for (const [status, count] of Object.entries(counts)) gauge.set({ status }, count);
    });
    metrics.gauge('berth_actions', 'Actions that are asked for or under way, by kind.', ['kind'], (gauge) => {
      for (const { kind } of this.actions.values()) gauge.inc({ kind });
    });
  }

  apply({ id, commit }: Of<'build'>): void {
    for (const event of commit.events) {
      if (event.type === 'BuildRequested' || event.type === 'BuildRestarted') {
        this.known.set(id, { status: 'pending', asked: Date.parse(commit.at), kinds: this.kindsOf(event.data.plan) });
        continue;
      }
      const build = this.known.get(id);
      if (!build) continue; // of a stream without a beginning, which nobody of ours writes
      switch (event.type) {
        case 'BuildPreparing':
          build.status = 'preparing';
          break;
        case 'BuildStarted':
          build.status = 'building';
          break;
        case 'StepFinished': {
          const { step, outcome, durationMs } = event.data;
          if (outcome !== 'skipped') this.steps.observe({ kind: build.kinds[step] ?? 'unknown', outcome }, durationMs / 1000);
          break;
        }
        case 'BuildPassed':
          this.end(build, 'passed', commit.at);
          break;
        case 'BuildFailed':
          this.end(build, 'failed', commit.at);
          break;
        case 'BuildAborted':
          this.end(build, 'aborted', commit.at);
          break;
        case 'BuildErrored':
          this.end(build, 'error', commit.at);
          break;
        default:
          break; // says nothing of times or ends
      }
    }
  }

  private end(build: Known, outcome: Outcome, at: string): void {
    build.status = 'over';
    this.builds.inc({ outcome });
    this.duration.observe({ outcome }, secondsSince(build.asked, at));
  }

  private kindsOf({ steps }: SavedPlan): readonly string[] {
    const kinds = steps.map(({ run, uses }) => (run === undefined ? (uses ?? 'unknown') : 'run-command'));
    const key = kinds.join(' ');
    const list = this.lists.get(key) ?? kinds;
    this.lists.set(key, list);
    return list;
  }

  applyAction({ id, commit }: Of<'action'>): void {
    for (const event of commit.events) {
      switch (event.type) {
        case 'ActionRequested':
          this.actions.set(id, { kind: event.data.spec.kind, asked: Date.parse(commit.at) });
          break;
        case 'ActionSucceeded':
          this.endAction(id, 'succeeded', commit.at);
          break;
        case 'ActionFailed':
          this.endAction(id, 'failed', commit.at);
          break;
        case 'ActionLost':
          this.endAction(id, 'lost', commit.at);
          break;
        case 'ActionCancelled':
          this.endAction(id, 'cancelled', commit.at);
          break;
        case 'ActionStarted':
        case 'CancelRequested':
          break;
      }
    }
  }

  private endAction(id: string, outcome: string, at: string): void {
    const action = this.actions.get(id);
    if (!action) return;
    this.actions.delete(id);
    this.actionTime.observe({ kind: action.kind, outcome }, secondsSince(action.asked, at));
  }
}
