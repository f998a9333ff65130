import type { BootFault, Market } from './instance.js';
import { Ec2Refusal } from './refusal.js';

/** Which launches are meant; what is absent matches all. */
export interface LaunchMatch {
  readonly type?: string;
  readonly zone?: string;
  readonly market?: Market;
}

/** An error that calls get. With a part of `LaunchMatch` it means RunInstances only. */
export interface RefusalRule extends LaunchMatch {
  readonly action?: string;
  readonly code: string;
  readonly message?: string;
  /** How often; absent: until it is taken back. */
  readonly times?: number;
}

export interface BootRule extends LaunchMatch {
  readonly fault: BootFault;
  readonly times?: number;
}

/** What makes an image, or the snapshot that one is made of. */
export type ImageMaker = 'CreateImage' | 'CopyImage' | 'RegisterImage' | 'ImportSnapshot';

/** How what is made ends instead: it fails, for this reason, or stays on its way. */
export interface ImageFault {
  readonly by?: ImageMaker;
  readonly fault: 'fails' | 'never';
  readonly code?: string;
  readonly message?: string;
  readonly times?: number;
}

interface Rule<T> {
  readonly what: T;
  left: number;
}

/** What was arranged to go wrong. A rule with `times` ends by itself after so many uses. */
export class Faults {
  private readonly refusals = new Set<Rule<RefusalRule>>();
  private readonly boots = new Set<Rule<BootRule>>();
  private readonly images = new Set<Rule<ImageFault>>();
  private readonly drops = new Set<Rule<string>>();
  private readonly hangs = new Set<{ readonly action: string | undefined; readonly over: Promise<void> }>();

  refuse(rule: RefusalRule): () => void {
    if (isAboutLaunch(rule) && rule.action !== undefined && rule.action !== 'RunInstances') throw new Error(`${rule.action} has no type, zone or market to match`);
    return add(this.refusals, rule, rule.times);
  }

  spoil(rule: BootRule): () => void {
    return add(this.boots, rule, rule.times);
  }

  spoilImage(rule: ImageFault): () => void {
    return add(this.images, rule, rule.times);
  }

  imageFault(by: ImageMaker): ImageFault | undefined {
    const rule = [...this.images].find(({ what }) => (what.by ?? by) === by);
    if (rule !== undefined) use(this.images, rule);
    return rule?.what;
  }

  dropAnswer(action: string, times: number): void {
    add(this.drops, action, times);
  }

  hang(action: string | undefined): () => void {
    let release = (): void => undefined;
    const entry = { action, over: new Promise<void>((resolve) => (release = resolve)) };
    this.hangs.add(entry);
    return () => {
      this.hangs.delete(entry);
      release();
    };
  }

  /** Waits as long as calls of this action are held. */
  async held(action: string): Promise<void> {
    for (const hang of [...this.hangs]) if (hang.action === undefined || hang.action === action) await hang.over;
  }

  /** @throws Ec2Refusal when a rule without a type, zone or market says so */
  admit(action: string): void {
    for (const rule of this.refusals) {
      if (!isAboutLaunch(rule.what) && (rule.what.action === undefined || rule.what.action === action)) throw this.spent(rule);
    }
  }

  /**
   * The first of `zones` in which nothing forbids the launch.
   * @throws Ec2Refusal when there is none; one use of one rule counts for one call
   */
  admitLaunch(type: string, market: Market, zones: readonly string[]): string {
    const rules = [...this.refusals].filter(({ what }) => isAboutLaunch(what) && (what.type ?? type) === type && (what.market ?? market) === market);
    const everywhere = rules.find(({ what }) => what.zone === undefined);
    if (everywhere !== undefined) throw this.spent(everywhere);
    const free = zones.find((zone) => !rules.some(({ what }) => what.zone === zone));
    if (free !== undefined) return free;
    const first = rules.find(({ what }) => what.zone === zones[0]);
    if (first === undefined) throw new Error('a launch needs a zone to go to');
    throw this.spent(first);
  }

  bootFault(type: string, market: Market, zone: string): BootFault | undefined {
    for (const rule of this.boots) {
      const { what } = rule;
      if ((what.type ?? type) !== type || (what.market ?? market) !== market || (what.zone ?? zone) !== zone) continue;
      use(this.boots, rule);
      return what.fault;
    }
    return undefined;
  }

  /** Whether the answer to a call that was carried out gets lost. */
  loses(action: string): boolean {
    const rule = [...this.drops].find(({ what }) => what === action);
    if (rule !== undefined) use(this.drops, rule);
    return rule !== undefined;
  }

  private spent(rule: Rule<RefusalRule>): Ec2Refusal {
    use(this.refusals, rule);
    return new Ec2Refusal(rule.what.code, rule.what.message ?? messageOf(rule.what));
  }
}

function add<T>(rules: Set<Rule<T>>, what: T, times = Infinity): () => void {
  const rule = { what, left: times };
  if (times > 0) rules.add(rule);
  return () => void rules.delete(rule);
}

function use<T>(rules: Set<Rule<T>>, rule: Rule<T>): void {
  rule.left -= 1;
  if (rule.left <= 0) rules.delete(rule);
}

function isAboutLaunch(rule: LaunchMatch): boolean {
  return rule.type !== undefined || rule.zone !== undefined || rule.market !== undefined;
}

function messageOf({ code, type, zone, action }: RefusalRule): string {
  switch (code) {
    case 'InsufficientInstanceCapacity':
      return `We currently do not have sufficient ${type ?? 'instance'} capacity in the Availability Zone you requested${zone === undefined ? '' : ` (${zone})`}. Our system will be working on provisioning additional capacity.`;
    case 'UnauthorizedOperation':
      return `You are not authorized to perform this operation.${action === undefined ? '' : ` User is not authorized to perform: ec2:${action}`}`;
    case 'RequestLimitExceeded':
      return 'Request limit exceeded.';
    default:
      return `${code}, as the test arranged.`;
  }
}
