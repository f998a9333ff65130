import type { CommandInput } from '@berth/contracts';
import { startEc2, type Ec2Options, type Ec2StandIn } from './ec2/ec2.js';
import { startFleet, type Fleet, type FleetService } from './fleet.js';
import { eventually } from './wait.js';

type Saved = CommandInput<'allocator', 'SaveBlueprint'>['spec'];
type CloudSpec = Extract<Saved, { kind: 'ec2' }>;

/** A fleet that launches its hosts. */
export interface Cloud {
  fleet: Fleet;
  ec2: Ec2StandIn;
  image: string;
  /** A blueprint that works; `over` changes it. */
  spec(over?: Partial<CloudSpec>): CloudSpec;
  save(over?: Partial<CloudSpec>): Promise<void>;
  lease(more?: Partial<CommandInput<'lease', 'RequestLease'>>): Promise<string>;
  active(lease: string, timeoutMs?: number): Promise<void>;
  release(lease: string): Promise<void>;
  destroyed(lease: string): Promise<void>;
  /** Resolves when no instance is alive, and each resource was launched at most once. */
  nothingLeft(): Promise<void>;
}

/** Starts every service (or those that are named), and a stand-in for the cloud that outlives any of them. */
export async function startCloud(options: { ec2?: Ec2Options; env?: Record<string, string>; services?: readonly FleetService[] } = {}): Promise<Cloud> {
  const ec2 = await startEc2(options.ec2);
  const image = ec2.addImage().id;
  const fleet = await startFleet({
    ...(options.services && { services: options.services }),
    env: { BERTH_SWEEP_SECONDS: '0.5', BERTH_SWEEP_GRACE_SECONDS: '1', CLOUD_ACCESS_KEY_ID: ec2.accessKeyId, CLOUD_SECRET_ACCESS_KEY: ec2.secretAccessKey, ...options.env },
  });
  const spec = (over: Partial<CloudSpec> = {}): CloudSpec => ({
    name: 'cloud', kind: 'ec2', region: ec2.region, endpoint: ec2.endpoint, credentials: 'env:CLOUD', image: { ami: image }, types: [{ type: 'c7i.large' }],
    user: ec2.user, port: ec2.port, credential: `file:${ec2.privateKeyPath}`, folder: `${fleet.home}/cloud`, pool: { idleTimeout: 500 }, ...over,
  });
  const cloud: Cloud = {
    fleet,
    ec2,
    image,
    spec,
    save: async (over) => void (await fleet.command('allocator', 'SaveBlueprint', { spec: spec(over) })),
    lease: (more = {}) => fleet.requestLease({ type: 'host', attributes: { elastic: 'yes' }, ...more }),
    active: async (lease, timeoutMs = 30_000) => void (await fleet.bus.waitForStatus('lease', lease, ['active'], { timeoutMs })),
    release: async (lease) => void (await fleet.command('lease', 'ReleaseLease', { lease })),
    destroyed: async (lease) => void (await fleet.bus.waitForStatus('lease', lease, ['destroyed'], { timeoutMs: 30_000 })),
    async nothingLeft() {
      await eventually(() => ec2.alive().length === 0, { timeoutMs: 30_000 });
      const launched = ec2.instances().map((instance) => instance.clientToken);
      if (new Set(launched).size !== launched.length) throw new Error(`launched twice: ${launched.join()}`);
    },
  };
  return cloud;
}
