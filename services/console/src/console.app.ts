import { randomUUID } from 'node:crypto';
import type { AccessEvent, AnyRecorded, Answer, CommandData } from '@berth/contracts';
import { aggregates, tellUntilStored, type Aggregates, type Cause, type Command, type Follower, type Runtime } from '@berth/runtime';
import { accessStream } from './access/sign-ins.js';
import { accessDecider } from './domain/access.js';
import { tokenDecider, type Token, type TokenCommand } from './domain/token.js';

type Data<T extends 'CreateToken' | 'RevokeToken'> = Command<CommandData<'console', T>>;

/** What the console itself writes: the one writer of tokens, and of what happens at its door. It learns of them from its feed, as of everything. */
export class ConsoleApp {
  readonly tokens: Aggregates<Token, TokenCommand, Parameters<typeof tokenDecider.evolve>[1]>;
  private readonly access: Aggregates<null, AccessEvent, AccessEvent>;

  constructor(
    private readonly runtime: Pick<Runtime, 'store' | 'log' | 'connection'>,
    private readonly follower: () => Pick<Follower, 'feed' | 'reached'>,
  ) {
    this.tokens = aggregates('token', tokenDecider, runtime.store, () => this.follower().feed);
    this.access = aggregates('access', accessDecider, runtime.store, () => this.follower().feed);
  }

  // --- commands ---

  async createToken(command: Data<'CreateToken'>): Promise<Answer> {
    await this.reached(command.after);
    const { name, ...token } = command.data;
    return this.tokens.handle(name, { type: 'Create', name, token: { id: command.id, ...token }, now: now() }, causeOf(command));
  }

  async revokeToken(command: Data<'RevokeToken'>): Promise<Answer> {
    await this.reached(command.after);
    const { token } = command.data;
    return this.tokens.handle(token, { type: 'Revoke', name: token }, causeOf(command));
  }

  // --- bookkeeping ---

  /** A token was used. Nobody waits for that to be stored. */
  used({ name, id }: { name: string; id: string }): void {
    tellUntilStored(this.runtime, this.tokens, name, { type: 'Use', id, now: now() }, ownCause(`token:${name}`));
  }

  /**
   * Stores what happened at the door. @returns its position
   * @throws {UnavailableError} it is not known whether it is stored
   */
  async told(actor: string, event: AccessEvent): Promise<number> {
    const answer = await this.access.handle(accessStream(actor), event, ownCause(actor));
    if (!answer.accepted) throw new Error(`what happened at the door was refused: ${answer.message}`);
    return answer.position ?? 0;
  }

  /** The same where nobody waits for it. */
  tell(actor: string, event: AccessEvent): void {
    tellUntilStored(this.runtime, this.access, accessStream(actor), event, ownCause(actor));
  }

  /** Resolves once a position has been seen here. */
  reached(position: number): Promise<void> {
    return this.follower().reached(position);
  }

  // --- feed ---

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'token') this.tokens.apply(recorded);
    else if (recorded.kind === 'access') this.access.apply(recorded);
  }
}

const now = (): string => new Date().toISOString();
const causeOf = (command: Command): Cause => ({ id: command.id, actor: command.actor, cause: command.id, at: now() });
const ownCause = (actor: string): Cause => {
  const id = randomUUID();
  return { id, actor, cause: id, at: now() };
};
