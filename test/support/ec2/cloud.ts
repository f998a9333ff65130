import type { SshdProgram, SshKeyPair } from '@berth/embedded/servers';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { giveBackAddress, takeAddress } from './address.js';
import type { Faults, ImageFault, ImageMaker } from './faults.js';
import { isOpenTo, Storage, type Ec2Image } from './image.js';
import { isAlive, type Ec2Volume, type InstanceRecord } from './instance.js';
import { newMachine } from './machine.js';
import type { World } from './world.js';

/** How long things take, in ms. */
export interface Times {
  readonly pendingMs: number;
  readonly bootMs: number;
  readonly describeLagMs: number;
  readonly terminateMs: number;
  readonly consoleDelayMs: number;
  readonly terminatedVisibleMs: number;
  /** Until an image is available, or a disk is imported. */
  readonly imageMs: number;
}

/** Where the machines are made. */
export interface Site {
  readonly dir: string;
  readonly port: number;
  readonly program: SshdProgram;
  readonly login: SshKeyPair;
  readonly reuseAddresses: boolean;
}

/** What one launch makes of each of its instances. */
export interface LaunchSpec extends Pick<InstanceRecord, 'type' | 'zone' | 'market' | 'imageId' | 'clientToken' | 'subnetId' | 'securityGroupIds' | 'keyName' | 'instanceProfile' | 'userData' | 'shutdownBehavior'> {
  readonly tags: Readonly<Record<string, string>>;
  readonly volumes: readonly Omit<Ec2Volume, 'id' | 'exists'>[];
}

/** Why an instance ends: what its state reason says ("StateReason", API Reference). */
export interface EndReason {
  readonly code: string;
  readonly text: string;
  readonly transition: string;
}

/** A new id as the service makes them: 17 hexadecimal digits. */
export function newId(prefix: string, digits = 17): string {
  return `${prefix}-${randomBytes(9).toString('hex').slice(0, digits)}`;
}

/** Everything of one account in one region, and the clockwork of its instances. */
export class Cloud {
  readonly storage = new Storage(this);
  readonly keyPairs = new Set<string>();
  /** Name by id. */
  readonly securityGroups = new Map<string, string>();
  readonly subnets = new Map<string, { readonly zone: string; readonly isDefault: boolean }>();
  readonly profiles = new Set<string>();
  readonly instances = new Map<string, InstanceRecord>();
  /** What was launched under a client token; the key is made of the token and what it is unique in. */
  readonly launches = new Map<string, { readonly fingerprint: string; readonly reservationId: string }>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly failures: unknown[] = [];
  private stopped = false;
  private readonly working = new Set<Promise<void>>();

  constructor(
    readonly accountId: string,
    readonly region: string,
    readonly world: World,
    readonly times: Times,
    private readonly site: Site,
    private readonly faults: Faults,
  ) {
    world.add(this);
  }

  imageFault(by: ImageMaker): ImageFault | undefined {
    return this.faults.imageFault(by);
  }

  /** An image that this account owns, or may launch because another one shares it, and who owns it. */
  image(id: string): { readonly image: Ec2Image; readonly owner: Cloud } | undefined {
    return this.visibleImages().find(({ image }) => image.id === id);
  }

  visibleImages(): { readonly image: Ec2Image; readonly owner: Cloud }[] {
    return this.world.in(this.region).flatMap((owner) => owner.storage.knownImages().flatMap((image) => (owner === this || isOpenTo(image, this.accountId) ? [{ image, owner }] : [])));
  }

  alive(): InstanceRecord[] {
    return [...this.instances.values()].filter(isAlive);
  }

  /** What calls other than RunInstances know of; after a launch that takes a moment ("Eventual consistency", Developer Guide). */
  known(): InstanceRecord[] {
    return [...this.instances.values()].filter(({ forgotten, knownAt }) => !forgotten && Date.now() >= knownAt);
  }

  /** Starts instances and gives them while they are pending. */
  launch(spec: LaunchSpec, count: number): InstanceRecord[] {
    const reservationId = newId('r');
    return Array.from({ length: count }, () => this.launchOne(spec, reservationId));
  }

  /**
   * Ends an instance in the regular way: its processes at once, the rest after `terminateMs`. One that ends already
   * goes on as it was. Resolves when nothing of it runs any more.
   */
  end(record: InstanceRecord, reason: EndReason): Promise<void> {
    if (record.state === 'shutting-down' || record.state === 'terminated') return record.ending ?? Promise.resolve();
    return this.switchOff(record, reason, 'shutting-down', () => this.terminated(record));
  }

  /** The instance switches itself off; what that means was said at its launch. */
  shutDown(record: InstanceRecord): Promise<void> {
    if (record.ending !== undefined) return record.ending;
    const reason = { code: 'Client.InstanceInitiatedShutdown', text: 'Instance initiated shutdown', transition: '' };
    if (record.shutdownBehavior === 'terminate') return this.end(record, reason);
    return this.switchOff(record, reason, 'stopping', () => {
      if (record.state === 'stopping') record.state = 'stopped';
    });
  }

  /** Ends an instance without a moment of shutting down. */
  destroy(record: InstanceRecord, reason: EndReason): Promise<void> {
    const off = this.switchOff(record, reason, 'shutting-down', () => undefined);
    this.terminated(record);
    return off;
  }

  /** @throws AggregateError with what went wrong in the background */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers) clearTimeout(timer);
    const ended = await Promise.allSettled([...this.instances.values()].map(({ machine }) => machine.off()));
    await Promise.all(this.working);
    for (const record of this.alive()) giveBackAddress(record.address);
    const failures = [...this.failures, ...ended.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))];
    if (failures.length > 0) throw new AggregateError(failures, `instances failed: ${failures.map(String).join('; ')}`);
  }

  private launchOne(spec: LaunchSpec, reservationId: string): InstanceRecord {
    const id = newId('i');
    const { dir, port, program, login, reuseAddresses } = this.site;
    const address = takeAddress(reuseAddresses);
    const record: InstanceRecord = {
      ...spec,
      id,
      reservationId,
      state: 'pending',
      spotRequestId: spec.market === 'spot' ? newId('sir', 8) : undefined,
      tags: { ...spec.tags },
      // To the second, as the service tells it.
      launchedAt: new Date(Math.floor(Date.now() / 1000) * 1000),
      terminatedAt: undefined,
      address,
      volumes: spec.volumes.map((volume) => ({ ...volume, id: newId('vol'), exists: true })),
      stateReason: undefined,
      transitionReason: '',
      forgotten: false,
      machine: newMachine({ instanceId: id, dir: join(dir, id), address, port, program, login }),
      fault: this.faults.bootFault(spec.type, spec.market, spec.zone),
      knownAt: Date.now() + this.times.describeLagMs,
      consoleAt: undefined,
      ending: undefined,
    };
    this.instances.set(id, record);
    this.boot(record);
    return record;
  }

  private boot(record: InstanceRecord): void {
    const { fault, machine } = record;
    const { pendingMs, bootMs, consoleDelayMs } = this.times;
    if (fault === 'dies-pending' || fault === 'no-capacity') {
      // "Instance terminates immediately" (User Guide): from pending to terminated, and the reason says why.
      const [code, text] = fault === 'dies-pending' ? ['Server.InternalError', 'Internal error on launch'] : ['Server.InsufficientInstanceCapacity', 'Insufficient capacity to satisfy instance request'];
      const reason = { code, text, transition: code };
      this.later(pendingMs, () => (record.state === 'pending' ? this.destroy(record, reason) : undefined));
    }
    if (fault === 'dies-pending' || fault === 'no-capacity' || fault === 'stays-pending') return;
    this.later(pendingMs, () => {
      if (record.state === 'pending') record.state = 'running';
    });
    this.later(Math.max(bootMs, pendingMs), async () => {
      if (fault !== 'no-ssh') await machine.start(fault === 'silent-ssh' ? 'silent' : 'sshd');
      if (record.ending === undefined) record.consoleAt = Date.now() + consoleDelayMs;
    });
  }

  private switchOff(record: InstanceRecord, { code, text, transition }: EndReason, state: 'shutting-down' | 'stopping', then: () => void): Promise<void> {
    record.state = state;
    record.stateReason = { code, message: `${code}: ${text}` };
    record.transitionReason = transition;
    const until = Date.now() + this.times.terminateMs;
    record.ending = record.machine.off();
    this.work(record.ending.then(() => this.later(Math.max(0, until - Date.now()), then)));
    return record.ending;
  }

  private terminated(record: InstanceRecord): void {
    // Hardware may fail while the instance shuts down; its address is given back once.
    if (record.state === 'terminated') return;
    record.state = 'terminated';
    record.terminatedAt = new Date();
    for (const volume of record.volumes) if (volume.deleteOnTermination) volume.exists = false;
    this.work(
      record.machine.off().then(async () => {
        await record.machine.wipe();
        giveBackAddress(record.address);
      }),
    );
    this.later(this.times.terminatedVisibleMs, () => {
      record.forgotten = true;
    });
  }

  /** Something that happens by itself. */
  later(ms: number, then: () => void | Promise<void>): void {
    if (this.stopped) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.work(Promise.resolve().then(then));
    }, ms);
    this.timers.add(timer);
  }

  /** Something that nobody waits for: whether it went well is told by `stop`. */
  private work(doing: Promise<void>): void {
    const done = doing
      .catch((error: unknown) => void this.failures.push(error))
      .finally(() => this.working.delete(done));
    this.working.add(done);
  }
}
