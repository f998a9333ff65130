import { createHash } from 'node:crypto';
import { catalogEntries, type AccountSpec, type KeptFile, type ProviderSpec } from '@berth/contracts';
import type { z } from 'zod';
import type { Ec2StandIn } from '../../../../test/support/ec2/ec2.js';
import { ec2Provider, type Ec2ProviderOptions } from './ec2.js';
import type { Call, Facts, RemoveStep, Step } from './provider.js';

/** Variables with such prefixes lead to accounts of the stand-in. */
const PREFIX = 'BERTH_IMAGE_SPEC';

export function provider(given: z.input<typeof catalogEntries.provider>): ProviderSpec {
  return catalogEntries.provider.parse(given);
}

type AccountInput = z.input<typeof catalogEntries.account>;

export function account(given: AccountInput): AccountSpec {
  return catalogEntries.account.parse(given);
}

/** An account of the stand-in, in its region. */
export function accountOf(cloud: Ec2StandIn, given: Partial<AccountInput> = {}): AccountSpec {
  const prefix = `${PREFIX}_${cloud.accountId}`;
  process.env[`${prefix}_ACCESS_KEY_ID`] = cloud.accessKeyId;
  process.env[`${prefix}_SECRET_ACCESS_KEY`] = cloud.secretAccessKey;
  return account({ name: `on-${cloud.region}-${cloud.accountId}`, provider: 'aws', region: cloud.region, credentials: `env:${prefix}`, ...given });
}

export function aws(cloud: Ec2StandIn, given: object = {}): ProviderSpec {
  return provider({ name: 'aws', kind: 'ec2', endpoint: cloud.endpoint, ...given });
}

/** A clock that can be put forward. */
export function clock(): { now: () => number; forward(ms: number): void } {
  let ahead = 0;
  return { now: () => Date.now() + ahead, forward: (ms) => void (ahead += ms) };
}

export const MINUTE = 60_000;

/** One that does not wait long. */
export function quickly(options: Ec2ProviderOptions = {}): ReturnType<typeof ec2Provider> {
  return ec2Provider({ ...options, timing: { pollFrom: 5, pollTo: 20, request: 1000, tries: 2, unseen: 500, inUse: 1000, ...options.timing } });
}

/** A file in the store of artifacts, and how it is read. */
export function kept(name: string, bytes: Buffer): { file: KeptFile; read: Call['read']; reads: () => number } {
  const file = { name, object: `build/${name}`, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  let reads = 0;
  return {
    file,
    reads: () => reads,
    read: async (object) => {
      if (object !== file.object) throw new Error(`there is no object ${object}`);
      reads++;
      return pieces(bytes);
    },
  };
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

type AnyStep = Step | RemoveStep;
type Given = Pick<Call, 'account' | 'provider'> & Partial<Call>;

let versions = 0;

/** How the process dies: after a step is stored, or before it is. */
export type Crash = 'never' | 'after each step is stored' | 'before a step is stored';

/** What is done at a provider for one version, and what the single writer keeps of it. */
export class Rehearsal<P> {
  facts: Facts = {};
  readonly steps: AnyStep[] = [];
  readonly stop = new AbortController();
  readonly call: Omit<Call, 'facts' | 'signal'>;

  constructor(
    private readonly take: (provider: P, call: Call) => Promise<AnyStep>,
    given: Given,
  ) {
    const version = `00000000-0000-4000-8000-${String(++versions).padStart(12, '0')}`;
    this.call = { image: 'web', version, number: versions, attempt: 1, tags: { team: 'blue' }, read: () => Promise.reject(new Error('nothing is read')), ...given };
  }

  get now(): Call {
    return { ...this.call, facts: this.facts, signal: this.stop.signal };
  }

  /** Takes a step and stores what it came to. */
  async next(by: P): Promise<AnyStep> {
    const step = await this.take(by, this.now);
    this.steps.push(step);
    if (step.is === 'keep') this.facts = Object.fromEntries(Object.entries({ ...this.facts, ...step.facts }).filter((entry): entry is [string, string] => entry[1] !== null));
    return step;
  }

  /** Takes steps until one satisfies; waits between them are as long as told. `open` makes a provider that knows nothing. */
  async until(open: () => P & { close?(): Promise<void> }, { enough = ended, crash = 'never' }: { enough?: (step: AnyStep) => boolean; crash?: Crash } = {}): Promise<AnyStep> {
    let by = open();
    const again = async (): Promise<void> => {
      await by.close?.();
      by = open();
    };
    try {
      for (let count = 0; count < 1000; count++) {
        if (crash === 'before a step is stored') {
          const lost = await this.take(by, this.now);
          if (lost.is !== 'wait') await again();
        }
        const step = await this.next(by);
        if (enough(step)) return step;
        if (step.is === 'wait') await new Promise((resolve) => setTimeout(resolve, step.ms));
        else if (crash === 'after each step is stored') await again();
      }
      throw new Error(`1000 steps and no end: ${JSON.stringify(this.steps.slice(-3))}`);
    } finally {
      await by.close?.();
    }
  }

  /** What it was told to show, in order. */
  percents(): number[] {
    return this.steps.flatMap((step) => ('percent' in step && step.percent !== undefined ? [step.percent] : []));
  }
}

function ended({ is }: AnyStep): boolean {
  return is === 'done' || is === 'failed' || is === 'gone';
}

export const crashes: Crash[] = ['never', 'after each step is stored', 'before a step is stored'];

/** Never less than before, and whole. */
export function grow(percents: readonly number[]): boolean {
  return percents.every((percent, i) => Number.isInteger(percent) && percent >= (percents[i - 1] ?? 0) && percent <= 100);
}

export function count(cloud: Ec2StandIn, action: string): number {
  return cloud.calls.filter((call) => call.action === action && call.error === undefined).length;
}

/** Of a version, in an account. */
export function imagesOf(cloud: Ec2StandIn, { call }: { call: Pick<Call, 'version'> }) {
  return cloud.images().filter(({ tags }) => tags['berth:version'] === call.version);
}

export function snapshotsOf(cloud: Ec2StandIn, { call }: { call: Pick<Call, 'version'> }) {
  return cloud.snapshots().filter(({ tags }) => tags['berth:version'] === call.version);
}
