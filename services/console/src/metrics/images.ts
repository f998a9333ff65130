import type { AnyRecorded } from '@berth/contracts';
import type { Counter, Histogram, Metrics } from '@berth/runtime';
import { secondsSince } from './leases.js';

type Commit = Extract<AnyRecorded, { kind: 'image' }>;

/** Seconds that targets take. */
const BUCKETS = [1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400];

/** What is counted of images, folded from all their events. Images are no labels: there is no end to them. */
export class ImageFigures {
  /** targets that are being built, by version and target: since when, in ms since the epoch */
  private readonly building = new Map<string, number>();
  private readonly versions: Counter<'status'>;
  private readonly targets: Histogram<'target'>;
  private readonly pushes: Counter<'outcome'>;

  constructor(metrics: Metrics) {
    this.versions = metrics.counter('berth_image_versions_total', 'Versions of images that were built, each time that nothing of one is being built any more, by status: COMPLETE, PARTIAL, FAILED.', ['status']);
    this.targets = metrics.histogram('berth_image_target_seconds', 'From the start of an attempt to build a target to its end, however it ended.', ['target'], BUCKETS);
    this.pushes = metrics.counter('berth_image_pushes_total', 'Attempts to push a version to an account that are over, by outcome: complete, failed.', ['outcome']);
  }

  apply({ commit }: Commit): void {
    for (const event of commit.events) {
      switch (event.type) {
        case 'TargetStarted':
          this.building.set(keyOf(event.data), Date.parse(commit.at));
          break;
        case 'TargetCompleted':
        case 'TargetFailed':
          this.end(event.data, commit.at);
          break;
        case 'VersionEnded':
          this.versions.inc({ status: event.data.status });
          break;
        case 'PushCompleted':
          this.pushes.inc({ outcome: 'complete' });
          break;
        case 'PushFailed':
          this.pushes.inc({ outcome: 'failed' });
          break;
        default:
          break; // says nothing of times or ends
      }
    }
  }

  private end(of: { version: string; target: string }, at: string): void {
    const since = this.building.get(keyOf(of));
    // One may fail that never began.
    if (since === undefined) return;
    this.building.delete(keyOf(of));
    this.targets.observe({ target: of.target }, secondsSince(since, at));
  }
}

const keyOf = ({ version, target }: { version: string; target: string }): string => `${version}/${target}`;
