import { blueprintSpec, type BlueprintOf } from '@berth/contracts';
import type { Ec2StandIn } from '../../../../../test/support/ec2/ec2.js';
import type { Facts, Launch, Launcher, LaunchStep } from '../blueprint.js';
import { ec2Launcher, type Ec2Options } from './index.js';

export type Spec = BlueprintOf<'ec2'>;

/** Variables with this prefix lead to the account of the stand-in. */
const PREFIX = 'BERTH_EC2_SPEC';

/** A blueprint for the stand-in, with an image of it. */
export function specFor(cloud: Ec2StandIn, given: object = {}): Spec {
  process.env[`${PREFIX}_ACCESS_KEY_ID`] = cloud.accessKeyId;
  process.env[`${PREFIX}_SECRET_ACCESS_KEY`] = cloud.secretAccessKey;
  return blueprintSpec.parse({
    kind: 'ec2',
    name: 'pool',
    region: cloud.region,
    endpoint: cloud.endpoint,
    credentials: `env:${PREFIX}`,
    image: 'image' in given ? undefined : { ami: cloud.addImage().id },
    types: [{ type: 'c7i.large', attributes: { cpus: 2 } }],
    user: cloud.user,
    port: cloud.port,
    credential: `file:${cloud.privateKeyPath}`,
    ...given,
  }) as Spec;
}

/** A clock that can be put forward. */
export function clock(): { now: () => number; forward(ms: number): void } {
  let ahead = 0;
  return { now: () => Date.now() + ahead, forward: (ms) => void (ahead += ms) };
}

const quick = { pollFrom: 10, pollTo: 50, request: 1000, tries: 2 };
/** A launcher that does not wait long. */
export function launcherFor(options: Ec2Options = {}): Launcher {
  return ec2Launcher({ ...options, timing: { ...quick, ...options.timing } });
}

let last = 0;

/** One launch, and what the single writer of its resource keeps of it. */
export class Rehearsal {
  facts: Facts = {};
  image: string | undefined;
  readonly refused = new Map<string, string>();
  readonly steps: LaunchStep[] = [];
  readonly resource = `00000000-0000-4000-8000-${String(++last).padStart(12, '0')}`;
  readonly stop = new AbortController();

  constructor(
    public spec: Spec,
    public wants: Record<string, string> = {},
  ) {}

  get launch(): Launch {
    const { resource, spec, facts, wants, image, refused } = this;
    return { installation: 'installation-1', resource, owner: 'ada', spec, facts, wants, image, refused, signal: this.stop.signal };
  }

  /** Takes a step and stores what it came to. */
  async next(launcher: Launcher): Promise<LaunchStep> {
    const step = await launcher.step(this.launch);
    this.store(step);
    return step;
  }

  store(step: LaunchStep): void {
    this.steps.push(step);
    if (step.is === 'refused') this.refused.set(step.offer, step.until);
    if (step.is !== 'keep') return;
    this.facts = Object.fromEntries(Object.entries({ ...this.facts, ...step.facts }).filter(([, value]) => value !== null));
  }

  /** Takes steps until one satisfies; waits between them are as long as told. */
  async until(launcher: Launcher, enough: (step: LaunchStep) => boolean = ended): Promise<LaunchStep> {
    for (let count = 0; count < 500; count++) {
      const step = await this.next(launcher);
      if (enough(step)) return step;
      if (step.is === 'wait') await new Promise((resolve) => setTimeout(resolve, step.ms));
    }
    throw new Error(`500 steps and no end: ${JSON.stringify(this.steps.slice(-3))}`);
  }

  /** Steps up to the one that launches, which is the next. */
  async chosen(launcher: Launcher): Promise<void> {
    await this.until(launcher, (step) => step.is === 'keep' && 'token' in step.facts);
  }

  /** Steps until an instance is stored. */
  async launched(launcher: Launcher): Promise<string> {
    await this.until(launcher, (step) => step.is === 'keep' && 'instance' in step.facts);
    return String(this.facts['instance']);
  }

  /** Destroys until it is gone; how often it was asked. */
  async end(launcher: Launcher): Promise<number> {
    for (let asked = 1; asked < 500; asked++) {
      const end = await launcher.destroy(this.launch);
      if (end.is === 'gone') return asked;
      await new Promise((resolve) => setTimeout(resolve, Math.min(end.ms, 50)));
    }
    throw new Error('500 times destroyed and not gone');
  }
}

function ended({ is }: LaunchStep): boolean {
  return is === 'up' || is === 'failed';
}

/** How often the stand-in was asked for something. */
export function count(cloud: Ec2StandIn, action: string): number {
  return cloud.calls.filter((call) => call.action === action).length;
}
