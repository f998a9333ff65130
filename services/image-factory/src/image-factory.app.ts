import type { Objects } from '@berth/artifacts';
import type { AnyRecorded } from '@berth/contracts';
import { Follower, type Following, type Runtime } from '@berth/runtime';
import { Catalogue } from './catalogue.js';
import { Copies } from './copies.js';
import { Hosts } from './follow/hosts.js';
import { Images } from './images.js';
import type { OpenProviders } from './providers/index.js';
import { Replications } from './replications.js';
import { imageStatusOf } from './status.js';
import type { Targets } from './targets/target.js';
import { Work } from './work/building.js';
import { Moving } from './work/moving.js';
import { Replicating } from './work/replicating.js';
import { Times } from './work/times.js';

/** The image factory: the one writer of images, of their catalogue and of their copies. */
export class ImageFactoryApp implements Following {
  readonly follower: Follower;
  readonly images: Images;
  readonly catalogue: Catalogue;
  readonly replications: Replications;
  readonly kinds = ['image', 'catalog', 'build', 'lease', 'resource', 'replication'] as const;
  readonly status: NonNullable<Following['status']> = {
    kinds: ['image'],
    of: ({ kind, id }) => (kind === 'image' && this.images.image(id).status !== 'none' ? imageStatusOf(id, this.images.image(id)) : undefined),
  };
  private readonly hosts = new Hosts();
  private readonly work: Work;
  private readonly moving: Moving;
  private readonly times: Times;
  private readonly replicating: Replicating;

  constructor(runtime: Runtime, objects: Objects, targets: Targets, private readonly open: OpenProviders) {
    const { providers } = open;
    this.follower = new Follower(runtime, this);
    const follower = () => this.follower;
    this.catalogue = new Catalogue(runtime, follower, providers, () => this.images);
    this.images = new Images(runtime, follower, this.hosts, targets, providers, this.catalogue);
    this.work = new Work(runtime, follower, this.images, this.catalogue, this.hosts, targets, providers, objects);
    this.moving = new Moving(runtime, follower, this.images, this.catalogue, providers, objects);
    this.times = new Times(runtime, this.images, this.hosts);
    const copies = new Copies();
    this.replications = new Replications(runtime, follower, copies);
    this.replicating = new Replicating(runtime, follower, this.images, this.replications, objects, copies);
  }

  apply(recorded: AnyRecorded): void {
    this.catalogue.apply(recorded);
    this.images.apply(recorded);
    this.replications.apply(recorded);
    if (recorded.kind === 'resource') for (const event of recorded.commit.events) this.hosts.applyResource(recorded.id, event);
    else if (recorded.kind === 'lease') for (const event of recorded.commit.events) this.hosts.applyLease(recorded.id, event);
    else this.work.apply(recorded);
  }

  caughtUp(): void {
    this.work.caughtUp();
    this.moving.caughtUp();
    this.times.caughtUp();
    this.replicating.caughtUp();
  }

  react(recorded: AnyRecorded): void {
    this.work.react(recorded);
    this.moving.react(recorded);
    this.times.react(recorded);
    this.replicating.react(recorded);
  }

  async stop(): Promise<void> {
    this.work.stop();
    this.moving.stop();
    this.times.stop();
    await Promise.all([this.open.close(), this.replicating.stop()]);
  }
}
