import type { ImageFault, ImageMaker } from './faults.js';
import type { Cloud } from './cloud.js';

export type ImageState = 'pending' | 'available' | 'failed' | 'deregistered' | 'disabled';

/** What a device of an image is made from. */
export interface Ec2Mapping {
  readonly device: string;
  readonly snapshotId: string;
  readonly sizeGiB: number;
  readonly type: string;
  readonly deleteOnTermination: boolean;
}

/** An image (AMI) as the account sees it. */
export interface Ec2Image {
  /** `ami-` and 8 or 17 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Only `available` ones can be launched. */
  readonly state: ImageState;
  readonly stateReason: { readonly code: string; readonly message: string } | undefined;
  readonly createdAt: Date;
  /** `self` or an owner alias like `amazon`. */
  readonly owner: string;
  readonly architecture: string;
  readonly bootMode: string | undefined;
  readonly enaSupport: boolean;
  readonly virtualizationType: string;
  readonly rootDevice: string;
  readonly mappings: readonly Ec2Mapping[];
  readonly sourceInstanceId: string | undefined;
  readonly source: { readonly id: string; readonly region: string } | undefined;
  /** Accounts that may launch it; `all` = everybody. */
  readonly sharedWith: readonly string[];
}

/** A snapshot of a volume. */
export interface Ec2Snapshot {
  readonly id: string;
  readonly volumeId: string;
  readonly sizeGiB: number;
  readonly state: 'pending' | 'completed' | 'error';
  /** 0 to 100 */
  readonly progress: number;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly startedAt: Date;
  /** Accounts that may make volumes of it. */
  readonly sharedWith: readonly string[];
}

/** An import of a disk. */
export interface Ec2Import {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly bytes: number;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly status: 'active' | 'deleted' | 'completed';
  readonly progress: number;
  readonly message: string;
  readonly snapshotId: string | undefined;
}

/** What was made under a client token. */
interface Made {
  readonly fingerprint: string;
  readonly id: string;
}

const STEPS = 4;

/** Images, snapshots and imports of one account in one region. Entries are replaced, never changed. */
export class Storage {
  readonly images = new Map<string, Ec2Image>();
  readonly snapshots = new Map<string, Ec2Snapshot>();
  readonly imports = new Map<string, Ec2Import>();
  /** Ids of images that were there. */
  readonly deregistered = new Set<string>();
  /** By action and token. */
  readonly tokens = new Map<string, Made>();
  /** From when on (ms since 1970) calls other than the one that made something know it. */
  private readonly knownAt = new Map<string, number>();

  constructor(private readonly cloud: Cloud) {}

  isKnown(id: string): boolean {
    return Date.now() >= (this.knownAt.get(id) ?? 0);
  }

  knownImages(): Ec2Image[] {
    return [...this.images.values()].filter(({ id }) => this.isKnown(id));
  }

  knownSnapshots(): Ec2Snapshot[] {
    return [...this.snapshots.values()].filter(({ id }) => this.isKnown(id));
  }

  /** An image that is on its way, with its snapshots; `fault` says how it ends. */
  make(image: Ec2Image, snapshots: readonly Ec2Snapshot[], by: ImageMaker): void {
    const fault = this.cloud.imageFault(by);
    this.images.set(image.id, image);
    for (const snapshot of snapshots) this.snapshots.set(snapshot.id, snapshot);
    for (const { id } of [image, ...snapshots]) this.hide(id);
    const ids = snapshots.map(({ id }) => id);
    this.grow(this.cloud.times.imageMs, fault, (percent) => {
      for (const id of ids) this.change(this.snapshots, id, { progress: percent, ...(percent === 100 && { state: 'completed' }) });
    }, (failure) => {
      if (failure === undefined) this.change(this.images, image.id, { state: 'available' });
      else {
        for (const id of ids) this.change(this.snapshots, id, { state: 'error' });
        this.change(this.images, image.id, { state: 'failed', stateReason: failure });
      }
    });
  }

  /** An import that is on its way. `broken`: asked when half of it is done; what is wrong with it, if anything. */
  bring(task: Ec2Import, broken: () => string | undefined, snapshot: Ec2Snapshot): void {
    const fault = this.cloud.imageFault('ImportSnapshot');
    this.imports.set(task.id, task);
    let wrong: string | undefined;
    this.grow(this.cloud.times.imageMs, fault, (percent) => {
      if (percent === 50) wrong = broken();
      this.change(this.imports, task.id, { progress: percent, message: percent < 50 ? 'downloading/converting' : 'preparing' });
    }, (failure) => {
      // It was cancelled meanwhile.
      if (this.imports.get(task.id)?.status !== 'active') return;
      const message = failure?.message ?? wrong;
      if (message !== undefined) return this.change(this.imports, task.id, { status: 'deleted', message: `ClientError: ${message}` });
      this.snapshots.set(snapshot.id, snapshot);
      this.hide(snapshot.id);
      this.change(this.imports, task.id, { status: 'completed', progress: 100, message: '', snapshotId: snapshot.id });
    });
  }

  change<T>(map: Map<string, T>, id: string, to: Partial<T>): void {
    const before = map.get(id);
    // What was removed meanwhile does not come back.
    if (before !== undefined) map.set(id, { ...before, ...to });
  }

  private grow(ms: number, fault: ImageFault | undefined, progress: (percent: number) => void, end: (failure: { code: string; message: string } | undefined) => void): void {
    // Half of it is there, and it stays so.
    const last = fault?.fault === 'never' ? STEPS / 2 : STEPS;
    for (let step = 1; step <= last; step++) {
      this.cloud.later((ms * step) / STEPS, () => {
        if (step < STEPS) return progress((100 * step) / STEPS);
        if (fault?.fault !== 'fails') progress(100);
        end(fault?.fault === 'fails' ? { code: fault.code ?? 'Client.InternalError', message: fault.message ?? 'as the test arranged' } : undefined);
      });
    }
  }

  private hide(id: string): void {
    this.knownAt.set(id, Date.now() + this.cloud.times.describeLagMs);
  }
}

/** Whether what is shared so is open to an account. */
export function isOpenTo({ sharedWith }: { readonly sharedWith: readonly string[] }, accountId: string): boolean {
  return sharedWith.includes(accountId) || sharedWith.includes('all');
}
