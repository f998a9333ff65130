import type { Machine } from './machine.js';

/**
 * "Amazon EC2 instance state changes" (User Guide): `pending` is being prepared, `running` has been switched on (which
 * does not mean that sshd answers), `shutting-down` ends for good, `terminated` has ended and is described for a while;
 * `stopping` and `stopped` keep their disk.
 */
export type InstanceState = 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated';

export type Market = 'on-demand' | 'spot';

/** A disk that was made for an instance. */
export interface Ec2Volume {
  readonly id: string;
  readonly device: string;
  readonly sizeGiB: number;
  readonly type: string;
  readonly deleteOnTermination: boolean;
  readonly tags: Readonly<Record<string, string>>;
  /** Left over after the end of its instance unless `deleteOnTermination`. */
  readonly exists: boolean;
}

/** An instance as it is now, seen from the inside: a copy that does not change. */
export interface Ec2Instance {
  readonly id: string;
  readonly reservationId: string;
  readonly state: InstanceState;
  readonly type: string;
  readonly zone: string;
  readonly market: Market;
  /** `sir-...`, only of spot instances. */
  readonly spotRequestId: string | undefined;
  readonly imageId: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly clientToken: string;
  readonly launchedAt: Date;
  readonly terminatedAt: Date | undefined;
  /** Its public and its private address; another instance may get it after its end. */
  readonly address: string;
  readonly subnetId: string;
  readonly securityGroupIds: readonly string[];
  readonly keyName: string | undefined;
  /** Name of the instance profile. */
  readonly instanceProfile: string | undefined;
  /** Decoded. */
  readonly userData: string | undefined;
  readonly shutdownBehavior: 'stop' | 'terminate';
  readonly volumes: readonly Ec2Volume[];
  readonly stateReason: { readonly code: string; readonly message: string } | undefined;
  /** `StateTransitionReason`; empty when nothing happened. */
  readonly transitionReason: string;
  /** Not described any more. */
  readonly forgotten: boolean;
  /** `ssh-ed25519 AAAA...`, what sshd shows. */
  readonly hostKeyPublic: string;
  /** `SHA256:...` of it. */
  readonly hostFingerprint: string;
  /** $HOME of its commands; removed with its disk. */
  readonly home: string;
  /** Undefined when sshd does not run. */
  readonly sshdPid: number | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What goes wrong with an instance from its launch on; see `Ec2StandIn.spoil`. */
export type BootFault = 'stays-pending' | 'dies-pending' | 'no-capacity' | 'no-ssh' | 'silent-ssh' | 'no-console' | 'other-console-key';

/** The instance as the stand-in keeps it. */
export interface InstanceRecord extends Mutable<Omit<Ec2Instance, 'hostKeyPublic' | 'hostFingerprint' | 'home' | 'sshdPid' | 'tags' | 'volumes'>> {
  readonly tags: Record<string, string>;
  readonly volumes: Mutable<Ec2Volume>[];
  readonly machine: Machine;
  readonly fault: BootFault | undefined;
  /** From then on (ms since 1970) calls other than RunInstances know it. */
  readonly knownAt: number;
  /** From then on (ms since 1970) the console shows the boot. */
  consoleAt: number | undefined;
  /** Resolves when nothing of it runs any more. */
  ending: Promise<void> | undefined;
}

/** Whether it still has something that costs: everything but `terminated`. */
export function isAlive(instance: Pick<Ec2Instance, 'state'>): boolean {
  return instance.state !== 'terminated';
}

/** Whether it counts against the vCPU limits, which only what runs or is about to does. */
export function countsAsRunning(instance: Pick<Ec2Instance, 'state'>): boolean {
  return instance.state === 'pending' || instance.state === 'running';
}

export function snapshot(record: InstanceRecord): Ec2Instance {
  const { machine, fault: _fault, knownAt: _knownAt, consoleAt: _consoleAt, ending: _ending, ...rest } = record;
  return {
    ...rest,
    tags: { ...record.tags },
    volumes: record.volumes.map((volume) => ({ ...volume, tags: { ...volume.tags } })),
    hostKeyPublic: machine.hostKey.publicKey,
    hostFingerprint: machine.hostKey.fingerprint,
    home: machine.home,
    sshdPid: machine.pid,
  };
}

/** Processors by size, "Amazon EC2 instance types": `large` has 2, `xlarge` 4, each multiple as many times 4. */
export function vcpusOf(type: string): number {
  const size = type.slice(type.indexOf('.') + 1);
  const multiple = /^(\d+)xlarge$/.exec(size)?.[1];
  if (multiple !== undefined) return 4 * Number(multiple);
  if (size.startsWith('metal')) return Number(/-(\d+)xl$/.exec(size)?.[1] ?? 24) * 4;
  if (size === 'xlarge') return 4;
  return size === 'medium' && !type.startsWith('t') ? 1 : 2;
}
