import type { AnyRecorded, Answer, CommandData } from '@berth/contracts';
import { aggregates, type Aggregates, type Cause, type Command, type Follower, type Runtime } from '@berth/runtime';
import { tokenDecider, type Token, type TokenCommand } from './domain/token.js';

type Data<T extends 'CreateToken' | 'RevokeToken'> = Command<CommandData<'console', T>>;

/** What the console itself writes: the one writer of tokens. It learns of them from its feed, as of everything. */
export class ConsoleApp {
  readonly tokens: Aggregates<Token, TokenCommand, Parameters<typeof tokenDecider.evolve>[1]>;

  constructor(
    runtime: Pick<Runtime, 'store'>,
    private readonly follower: () => Pick<Follower, 'feed' | 'reached'>,
  ) {
    this.tokens = aggregates('token', tokenDecider, runtime.store, () => this.follower().feed);
  }

  // --- commands ---

  async createToken(command: Data<'CreateToken'>): Promise<Answer> {
    await this.follower().reached(command.after);
    const { name, ...token } = command.data;
    return this.tokens.handle(name, { type: 'Create', name, token: { id: command.id, ...token }, now: now() }, causeOf(command));
  }

  async revokeToken(command: Data<'RevokeToken'>): Promise<Answer> {
    await this.follower().reached(command.after);
    const { token } = command.data;
    return this.tokens.handle(token, { type: 'Revoke', name: token }, causeOf(command));
  }

  // --- feed ---

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'token') this.tokens.apply(recorded);
  }
}

const now = (): string => new Date().toISOString();
const causeOf = (command: Command): Cause => ({ id: command.id, actor: command.actor, cause: command.id, at: now() });
