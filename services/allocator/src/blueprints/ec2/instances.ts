import { DescribeInstancesCommand, type EC2Client, type Filter, type Instance } from '@aws-sdk/client-ec2';
import { filter, ForeignAnswer } from '@berth/ec2';

/** By what a single instance is asked for. */
export type Key = 'instance-id' | 'client-token' | 'tag:berth:resource';

/** "Filter", API Reference: values of all filters of a call together. */
const MOST_VALUES = 200;
/** "DescribeInstances", API Reference. */
const PAGE = 1000;

interface Question {
  answer(found: Instance[]): void;
  fail(error: unknown): void;
}

/**
 * Asks for instances. Questions about single ones within a few ms become one call: a hundred launches poll like one.
 * They are asked by filters, because an id that EC2 does not know (yet) makes a call with a list of ids fail as a whole.
 */
export class Instances {
  private readonly gathered = new Map<Key, Map<string, Question[]>>();

  constructor(
    private readonly ec2: EC2Client,
    /** ms */
    private readonly gather: number,
  ) {}

  /** Those that match, ended ones too as long as EC2 describes them (about an hour). */
  by(key: Key, value: string, signal?: AbortSignal): Promise<Instance[]> {
    return new Promise((resolve, reject) => {
      // The call goes on: others may have asked with it.
      const giveUp = (): void => reject(signal?.reason as Error);
      if (signal?.aborted === true) return giveUp();
      signal?.addEventListener('abort', giveUp, { once: true });
      const settled = <T>(settle: (value: T) => void) => (value: T): void => {
        signal?.removeEventListener('abort', giveUp);
        settle(value);
      };
      const question: Question = { answer: settled(resolve), fail: settled(reject) };
      const values = this.gathered.get(key) ?? new Map<string, Question[]>();
      if (values.size === 0) {
        this.gathered.set(key, values);
        setTimeout(() => this.ask(key), this.gather);
      }
      values.set(value, [...(values.get(value) ?? []), question]);
    });
  }

  /** All that match all filters. */
  async all(filters: readonly Filter[]): Promise<Instance[]> {
    const found: Instance[] = [];
    let next: string | undefined;
    do {
      const page = await this.ec2.send(new DescribeInstancesCommand({ Filters: [...filters], MaxResults: PAGE, ...(next !== undefined && { NextToken: next }) }));
      // Something else on the way may answer with status 200; nothing may be concluded from that.
      if (page.Reservations === undefined) throw new ForeignAnswer('the answer has no list of instances');
      for (const { Instances: of = [] } of page.Reservations) found.push(...of);
      next = page.NextToken === '' ? undefined : page.NextToken;
    } while (next !== undefined);
    return found;
  }

  private ask(key: Key): void {
    const values = [...(this.gathered.get(key) ?? [])];
    this.gathered.delete(key);
    for (let start = 0; start < values.length; start += MOST_VALUES) {
      const part = values.slice(start, start + MOST_VALUES);
      this.all([filter(key, part.map(([value]) => value))]).then(
        (found) => {
          for (const [value, questions] of part) {
            const matching = found.filter((instance) => valueOf(key, instance) === value);
            for (const question of questions) question.answer(matching);
          }
        },
        (error: unknown) => {
          for (const [, questions] of part) for (const question of questions) question.fail(error);
        },
      );
    }
  }
}

export function tagOf(instance: Instance, key: string): string | undefined {
  return instance.Tags?.find((tag) => tag.Key === key)?.Value;
}

function valueOf(key: Key, instance: Instance): string | undefined {
  switch (key) {
    case 'instance-id':
      return instance.InstanceId;
    case 'client-token':
      return instance.ClientToken;
    case 'tag:berth:resource':
      return tagOf(instance, 'berth:resource');
  }
}

/** What ends or has ended never runs again, and is not billed any more ("Amazon EC2 instance state changes", User Guide). */
export function hasEnded(instance: Instance): boolean {
  return instance.State?.Name === 'shutting-down' || instance.State?.Name === 'terminated';
}
