import { findSshd, newSshKey, resolveHome } from '@berth/embedded/servers';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { atEndOfFile } from '../cleanup.js';
import { portOnAllAddresses } from './address.js';
import { Cloud, newId } from './cloud.js';
import { Faults, type BootRule, type ImageFault, type RefusalRule } from './faults.js';
import type { Ec2Image, Ec2Import, Ec2Snapshot } from './image.js';
import { isAlive, snapshot, type Ec2Instance, type InstanceRecord } from './instance.js';
import { newImage, newSnapshot } from './make-image.js';
import type { EndedToken, Quota } from './run-instances.js';
import { serve, type Ec2Call, type Service } from './service.js';
import { World, type Keys } from './world.js';
import type { S3StandIn } from '../s3/s3.js';

export type { BootFault, Ec2Instance, Ec2Volume, InstanceState, Market } from './instance.js';
export type { BootRule, LaunchMatch, RefusalRule } from './faults.js';
export type { ImageFault, ImageMaker } from './faults.js';
export type { Ec2Call, Ec2Image, Ec2Import, Ec2Snapshot, EndedToken, Quota };

/** How the stand-in behaves; all times in ms. */
export interface Ec2Options {
  /** From RunInstances until sshd is started, which then takes some 20 ms (50). */
  readonly bootMs?: number;
  /** From RunInstances until `running`, at most `bootMs` (half of it). What runs does not answer yet. */
  readonly pendingMs?: number;
  /** From RunInstances until calls other than RunInstances know the instance (0). */
  readonly describeLagMs?: number;
  /** From `shutting-down` to `terminated` (30). */
  readonly terminateMs?: number;
  /** From sshd's start until the console shows the host keys (0). */
  readonly consoleDelayMs?: number;
  /** How long an ended instance is described (an hour, as with the service). */
  readonly terminatedVisibleMs?: number;
  readonly quota?: Quota;
  /** Zones in which each type is offered; types that are not in here do not exist. Absent: every type in every zone. */
  readonly offers?: Readonly<Record<string, readonly string[]>>;
  /** What RunInstances answers to a token whose instances have all terminated: the instances, or an error (`describes`). */
  readonly endedToken?: EndedToken;
  /** From the call that makes an image until it is available, or a disk is imported (20). */
  readonly imageMs?: number;
  /** Where the disks are that can be imported; the keys of the account are those of this one then. */
  readonly s3?: S3StandIn;
  /** The role that the service reads buckets with (`vmimport`); null: the account has none. */
  readonly importRole?: string | null;
  /** Another account or region beside this one: the same endpoint, and what one shares the other can see. */
  readonly beside?: Ec2StandIn;
  /** (eu-central-1) */
  readonly region?: string;
  /** (that of the one beside it, else 123456789012) */
  readonly accountId?: string;
  /** New instances get addresses of ended ones at once, which have another host key then (false). */
  readonly reuseAddresses?: boolean;
}

/**
 * Amazon EC2 as one account sees it in one region. Instances are real SSH servers, each with a host key of its own, on
 * addresses of 127.0.0.0/8 and so on Linux only. They share one file system and one user with the test.
 */
export interface Ec2StandIn {
  readonly endpoint: string;
  readonly region: string;
  readonly accountId: string;
  /** Zones of the region; each has a default subnet. */
  readonly zones: readonly string[];
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of sshd on every instance. */
  readonly port: number;
  /** Who may log in on every instance with `privateKeyPath`, whatever key pair a launch names. */
  readonly user: string;
  readonly privateKeyPath: string;
  readonly privateKey: string;
  /** An id is made when none is given. */
  addImage(image?: Partial<Ec2Image>): Ec2Image;
  removeImage(id: string): void;
  /** Those of the account that are there, oldest first. */
  images(): Ec2Image[];
  snapshots(): Ec2Snapshot[];
  imports(): Ec2Import[];
  /** A snapshot that nothing belongs to; its id. */
  addSnapshot(snapshot?: Partial<Ec2Snapshot>): string;
  addKeyPair(name: string): void;
  /** The id of the new group. One named `default` is there already. */
  addSecurityGroup(name: string): string;
  /** The id of the new subnet. */
  addSubnet(zone: string): string;
  addInstanceProfile(name: string): void;
  /** Every instance that was ever launched, oldest first. */
  instances(): Ec2Instance[];
  /** Those that still cost something: all that are not terminated, stopped ones too. */
  alive(): Ec2Instance[];
  /** @throws Error when there never was such an instance */
  instance(id: string): Ec2Instance;
  /** What was asked, in the order of arrival; what the SDK repeats by itself counts again. */
  readonly calls: readonly Ec2Call[];
  /** Calls fail with this error from now on; returns what takes it back. A launch without a zone goes where none forbids it. */
  refuse(rule: RefusalRule): () => void;
  /** RequestLimitExceeded for the next so many calls. */
  throttle(times: number, action?: string): void;
  /** The next so many calls are carried out, and then the connection is cut. */
  dropAnswer(action: string, times?: number): void;
  /** Calls wait until the returned function is called; then they are carried out, even if nobody waits for them any more. */
  hang(action?: string): () => void;
  /** Launches from now on that go wrong after their answer; returns what takes it back. */
  spoil(rule: BootRule): () => void;
  /** Images and imports that are made from now on and end otherwise; returns what takes it back. */
  spoilImage(rule: ImageFault): () => void;
  /** The capacity of a spot instance is taken back. Resolves when nothing of it runs any more, like the next two. */
  interrupt(instanceId: string): Promise<void>;
  /** The hardware fails: terminated at once, and `forgotten`: not even described any more. */
  vanish(instanceId: string, options?: { readonly forgotten?: boolean }): Promise<void>;
  /** The instance switches itself off, as with `shutdown -h now`. */
  shutDown(instanceId: string): Promise<void>;
  /** @throws AggregateError when an instance could not be started or ended properly */
  stop(): Promise<void>;
}

const REGION = 'eu-central-1';
const ACCOUNT = '123456789012';

/** What stand-ins beside each other share. */
const shared = new WeakMap<Ec2StandIn, { readonly world: World; readonly service: Service }>();

/** Starts the stand-in in this process; it is stopped at the end of the file with all its instances. */
export async function startEc2(options: Ec2Options = {}): Promise<Ec2StandIn> {
  const { bootMs = 50, pendingMs = bootMs / 2, describeLagMs = 0, terminateMs = 30, consoleDelayMs = 0, terminatedVisibleMs = 3_600_000, imageMs = 20, beside } = options;
  if (pendingMs > bootMs) throw new Error('an instance runs before its sshd starts, so pendingMs is at most bootMs');
  const [program, port, dir] = await Promise.all([findSshd(resolveHome()), portOnAllAddresses(), mkdtemp(join(tmpdir(), 'ec2-'))]);
  const login = newSshKey('ec2 login');
  const privateKeyPath = join(dir, 'login_key');
  await writeFile(privateKeyPath, login.privateKey, { mode: 0o600 });
  const faults = new Faults();
  const times = { pendingMs, bootMs, describeLagMs, terminateMs, consoleDelayMs, terminatedVisibleMs, imageMs };
  const { region = REGION, accountId = beside?.accountId ?? ACCOUNT } = options;
  const zones = [`${region}a`, `${region}b`, `${region}c`];
  const neighbour = beside === undefined ? undefined : shared.get(beside);
  const world = neighbour?.world ?? new World();
  const cloud = new Cloud(accountId, region, world, times, { dir, port, program, login, reuseAddresses: options.reuseAddresses ?? false }, faults);
  cloud.securityGroups.set(newId('sg'), 'default');
  for (const zone of zones) cloud.subnets.set(newId('subnet'), { zone, isDefault: true });
  const { accessKeyId, secretAccessKey } = world.keysOf(accountId, () => options.s3 ?? newKeys(accountId));
  const identity = { region, accessKeyId, secretAccessKey };
  const { quota = {}, endedToken = 'describes' } = options;
  const importing = { disks: options.s3, role: options.importRole === null ? undefined : (options.importRole ?? 'vmimport') };
  const tenant = { identity, calls: [], launching: { cloud, faults, quota, endedToken, importing, offers: { zones, zonesOf: (type: string) => zonesOf(type, zones, options.offers) } } };
  const service = neighbour?.service ?? (await serve(tenant));
  neighbour?.service.add(tenant);
  const stop = atEndOfFile(async () => {
    // The one that was there first stops what they share.
    if (neighbour === undefined) await service.stop();
    try {
      await cloud.stop();
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });

  const find = (id: string): InstanceRecord => {
    const record = cloud.instances.get(id);
    if (record === undefined) throw new Error(`there never was an instance ${id}`);
    return record;
  };
  const findAlive = (id: string): InstanceRecord => {
    const record = find(id);
    if (!isAlive(record)) throw new Error(`the instance ${id} has ended`);
    return record;
  };
  const standIn: Ec2StandIn = {
    endpoint: service.endpoint,
    ...identity,
    accountId,
    zones,
    port,
    user: userInfo().username,
    privateKeyPath,
    privateKey: login.privateKey,
    calls: tenant.calls,
    addImage: (given = {}) => {
      const id = given.id ?? newId('ami');
      const image: Ec2Image = { ...newImage(id, `image-${id}`), state: 'available', ...given, id };
      cloud.storage.images.set(id, image);
      return image;
    },
    removeImage: (id) => void cloud.storage.images.delete(id),
    images: () => [...cloud.storage.images.values()],
    snapshots: () => [...cloud.storage.snapshots.values()],
    imports: () => [...cloud.storage.imports.values()],
    addSnapshot: (given = {}) => {
      const snapshot = newSnapshot({ volumeId: newId('vol'), sizeGiB: 8, description: '', tags: {}, state: 'completed', progress: 100, ...given });
      cloud.storage.snapshots.set(snapshot.id, snapshot);
      return snapshot.id;
    },
    addKeyPair: (name) => void cloud.keyPairs.add(name),
    addSecurityGroup: (name) => {
      const id = newId('sg');
      cloud.securityGroups.set(id, name);
      return id;
    },
    addSubnet: (zone) => {
      const id = newId('subnet');
      cloud.subnets.set(id, { zone, isDefault: false });
      return id;
    },
    addInstanceProfile: (name) => void cloud.profiles.add(name),
    instances: () => [...cloud.instances.values()].map(snapshot),
    alive: () => cloud.alive().map(snapshot),
    instance: (id) => snapshot(find(id)),
    refuse: (rule) => faults.refuse(rule),
    throttle: (count, action) => void faults.refuse({ code: 'RequestLimitExceeded', times: count, ...(action === undefined ? {} : { action }) }),
    dropAnswer: (action, count = 1) => faults.dropAnswer(action, count),
    hang: (action) => faults.hang(action),
    spoil: (rule) => faults.spoil(rule),
    spoilImage: (rule) => faults.spoilImage(rule),
    interrupt: async (id) => {
      const record = findAlive(id);
      if (record.market !== 'spot') throw new Error(`${id} is no spot instance, so nobody takes its capacity back`);
      await cloud.end(record, { code: 'Server.SpotInstanceTermination', text: 'Spot instance termination', transition: 'Server.SpotInstanceTermination' });
    },
    vanish: async (id, { forgotten = false } = {}) => {
      const record = findAlive(id);
      record.forgotten = forgotten;
      await cloud.destroy(record, { code: 'Server.InternalError', text: 'Internal error', transition: 'Server.InternalError' });
    },
    shutDown: (id) => cloud.shutDown(findAlive(id)),
    stop,
  };
  shared.set(standIn, { world, service });
  return standIn;
}

function newKeys(accountId: string): Keys {
  return { accessKeyId: accountId === ACCOUNT ? 'AKIAIOSFODNN7EXAMPLE' : `AKIAI44Q${accountId}`, secretAccessKey: newId('secret') };
}

function zonesOf(type: string, zones: readonly string[], offers: Ec2Options['offers']): readonly string[] {
  if (offers !== undefined) return offers[type] ?? [];
  return /^[a-z][a-z0-9-]*\.(nano|micro|small|medium|large|xlarge|\d+xlarge|metal(-\d+xl)?)$/.test(type) ? zones : [];
}
