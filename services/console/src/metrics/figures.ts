import { unreachable, type AnyRecorded } from '@berth/contracts';
import type { Runtime } from '@berth/runtime';
import type { Readiness } from '../http/tokens.js';
import type { Hub } from '../live/hub.js';
import type { Fleet } from '../views/fleet.js';
import type { Projection } from '../views/projection.js';
import { BuildFigures } from './builds.js';
import { ImageFigures } from './images.js';
import { JobFigures } from './jobs.js';
import { LeaseFigures } from './leases.js';
import { presentFigures } from './present.js';

/** What `/metrics` says of leases, builds, images and the fleet. */
export class Figures {
  private readonly leases: LeaseFigures;
  private readonly builds: BuildFigures;
  private readonly jobs: JobFigures;
  private readonly images: ImageFigures;

  constructor({ metrics, connection }: Pick<Runtime, 'metrics' | 'connection'>, of: { fleet: Fleet; projection: Projection; hub: Hub; readiness: Readiness }) {
    this.leases = new LeaseFigures(metrics);
    this.builds = new BuildFigures(metrics);
    this.jobs = new JobFigures(metrics);
    this.images = new ImageFigures(metrics);
    presentFigures(metrics, { runtime: { connection }, ...of });
  }

  apply(recorded: AnyRecorded): void {
    switch (recorded.kind) {
      case 'lease':
        return this.leases.apply(recorded);
      case 'resource':
        return this.leases.applyResource(recorded);
      case 'build':
        return this.builds.apply(recorded);
      case 'job':
        return this.jobs.apply(recorded);
      case 'image':
        return this.images.apply(recorded);
      case 'action':
        return this.builds.applyAction(recorded);
      case 'machine':
      case 'blueprint':
      case 'fleet':
      case 'plan':
        return; // what there is of these is looked up when it is asked for
      case 'token':
      case 'access':
      case 'webhook':
      case 'secret':
      case 'hardware':
      case 'hardware-group':
      case 'catalog':
      case 'replication':
        return; // counted as requests and as deliveries; how many there are is nobody's figure
      default:
        return unreachable(recorded);
    }
  }
}
