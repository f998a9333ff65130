import { randomUUID } from 'node:crypto';
import type { Objects } from '@berth/artifacts';
import { attributeQuery, QueryFault, type AnyRecorded, type Answer, type AttributeQuery, type CommandData, type CommandType, type Refusal, type ReplicaStore, type ReplicationEvent } from '@berth/contracts';
import { aggregates, type Aggregates, type Command, type Follower, type Runtime } from '@berth/runtime';
import { causeOf } from './cause.js';
import { faultOf, type Copies } from './copies.js';
import { refuse } from './domain/refusals.js';
import { decidePolicy, noPolicy, policyDecider, type Policy, type PolicyCommand } from './domain/replication.js';

type Data<T extends CommandType<'image-factory'>> = Command<CommandData<'image-factory', T>>;
export type Saved = Extract<Policy, { status: 'saved' }>;

/** A store is asked for so long before a person is told that it does not answer. */
const ASK_MS = 10_000;

/** Policies of replication: what there is, and what people ask for. */
export class Replications {
  readonly policies: Aggregates<Policy, PolicyCommand, ReplicationEvent>;
  /** by name, each as it was read last */
  private readonly queries = new Map<string, { text: string; covers: AttributeQuery }>();

  constructor(
    private readonly runtime: Pick<Runtime, 'store' | 'log'>,
    private readonly follower: () => Follower,
    private readonly copies: Copies,
    private readonly askMs = ASK_MS,
  ) {
    this.policies = aggregates('replication', policyDecider, runtime.store, () => follower().feed);
  }

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'replication') this.policies.apply(recorded);
  }

  /** undefined: there is none, or none any more */
  saved(name: string): Saved | undefined {
    const policy = this.policies.get(name)?.state;
    return policy?.status === 'saved' ? policy : undefined;
  }

  *all(): Generator<[string, Saved], void, undefined> {
    for (const [name, { state }] of this.policies.entries()) if (state.status === 'saved') yield [name, state];
  }

  /** Which objects a policy covers. What was saved can be read. */
  covers(name: string, { spec: { query } }: Saved): AttributeQuery {
    const known = this.queries.get(name);
    if (known?.text === query) return known.covers;
    const covers = attributeQuery(query);
    this.queries.set(name, { text: query, covers });
    return covers;
  }

  async save(command: Data<'SaveReplicationPolicy'>): Promise<Answer> {
    await this.follower().reached(command.after);
    const spec = command.data;
    const unreadable = queryFault(spec.query);
    if (unreadable) return unreadable;
    const told: PolicyCommand = { type: 'Save', spec };
    const decided = decidePolicy(told, this.policies.get(spec.name)?.state ?? noPolicy);
    // What changes nothing is asked of nobody.
    if (!('accepted' in decided) && decided.length > 0) {
      const unusable = await this.ask(spec.name, spec.to);
      if (unusable) return unusable;
    }
    return this.handle(spec.name, told, command);
  }

  async remove(command: Data<'RemoveReplicationPolicy'>): Promise<Answer> {
    await this.follower().reached(command.after);
    return this.handle(command.data.policy, { type: 'Remove', policy: command.data.policy }, command);
  }

  async check(command: Data<'CheckReplication'>): Promise<Answer> {
    await this.follower().reached(command.after);
    return this.handle(command.data.policy, { type: 'StartCheck', policy: command.data.policy }, command);
  }

  private async handle(name: string, told: PolicyCommand, command: Command): Promise<Answer> {
    const answer = await this.policies.handle(name, told, causeOf(command));
    if (answer.accepted && answer.position) await this.follower().reached(answer.position);
    return answer;
  }

  /** Why copies can't be put there; undefined: they can. */
  private async ask(name: string, to: ReplicaStore): Promise<Refusal | undefined> {
    try {
      await within(this.askMs, async (signal) => probe(await this.copies.of(to), signal));
      return undefined;
    } catch (error) {
      const { field, message } = faultOf(error, to);
      this.runtime.log.warn({ problem: message, policy: name }, 'a store for copies could not be used');
      const code = field === 'folder' || field === 'prefix' ? 'invalid-data' : 'provider-refused';
      return refuse(code, `Policy ${name} can't be saved: ${message}.`, `to.${field}`, message);
    }
  }
}

function queryFault(query: string): Refusal | undefined {
  try {
    attributeQuery(query);
    return undefined;
  } catch (error) {
    if (!(error instanceof QueryFault)) throw error;
    return refuse('invalid-query', `The query can't be read: ${error.message}.`, 'query', error.message);
  }
}

/** A store that can be read may be one that can't be written. */
async function probe(objects: Objects, signal: AbortSignal): Promise<void> {
  const name = `berth-probe/${randomUUID()}`;
  await objects.put(name, one(Buffer.from('Berth looks whether copies can be put here.\n')), { signal });
  await objects.remove(name);
}

export async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}

/** Not every call takes a signal, so it is not waited for any longer either. */
async function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`the store has not answered within ${ms / 1000} s`);
      reject(error);
      controller.abort(error);
    }, ms);
  });
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
