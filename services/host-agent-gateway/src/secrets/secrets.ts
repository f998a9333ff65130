import { join, resolve } from 'node:path';
import { derivedId, rejected, type Answer, type CommandData, type SecretEvent } from '@berth/contracts';
import { aggregates, rawOf, unseal, type Aggregates, type Command, type Runtime } from '@berth/runtime';
import type { Feed } from '@berth/event-store';
import { causeOf, own } from '../cause.js';
import { secretDecider, secretId, type Secret, type SecretCommand } from '../domain/secret.js';
import { faultOfValue, SecretFault } from './fault.js';
import { Intake } from './intake.js';
import { Keyring } from './keyring.js';
import { Vault } from './vault.js';

type Data<T extends 'SealingKey' | 'SetSecret' | 'RemoveSecret' | 'RotateSecrets'> = Command<CommandData<'host-agent-gateway', T>>;

/** Secrets: their values encrypted in files beside the gateway, and events that say what was done with them and by whom. */
export class Secrets {
  readonly aggregates: Aggregates<Secret, SecretCommand, SecretEvent>;
  private readonly folder: string;
  private opened: { keys: Keyring; vault: Vault; intake: Intake } | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly runtime: Runtime,
    feed: () => Pick<Feed, 'reached'>,
  ) {
    this.folder = join(resolve(runtime.config.home), 'vault');
    this.aggregates = aggregates('secret', secretDecider, runtime.store, feed);
  }

  /** Before anything is carried out: what goes on from before needs its secrets, also those in files that nobody took in yet. */
  readonly opening = {
    start: async (): Promise<void> => {
      const { home, secretsKey, secretsKeyFile, secretsFolder } = this.runtime.config;
      const empty = (await Vault.namesIn(this.folder)).length === 0;
      const keys = secretsKey === undefined ? await Keyring.fromFile(resolve(secretsKeyFile ?? join(home, 'secrets.key')), empty) : Keyring.fromText(secretsKey);
      const vault = new Vault(this.folder, keys);
      const intake = new Intake(resolve(secretsFolder ?? join(home, 'secrets')), vault, this.runtime);
      await intake.read();
      this.opened = { keys, vault, intake };
    },
    stop: async (): Promise<void> => {
      await this.turn.catch(() => undefined); // told to whoever asked
    },
  };

  /** Once the feed is live: the events of what was taken in. */
  readonly telling = {
    start: async (): Promise<void> => {
      for (const { name, id } of this.parts.intake.taken) {
        await this.aggregates.handle(secretId(name), { type: 'Set', name }, own(id));
        await this.parts.intake.removeFile(name);
      }
    },
    stop: (): Promise<void> => Promise.resolve(),
  };

  private get parts() {
    if (!this.opened) throw new Error('secrets are read before they were opened');
    return this.opened;
  }

  /** The value of a secret, as it is now. @throws {SecretFault} */
  read(name: string): Promise<Buffer> {
    return this.parts.vault.read(name);
  }

  sealingKey({ id }: Data<'SealingKey'>): Promise<Answer> {
    const { newest } = this.parts.keys;
    return Promise.resolve({ accepted: true, id, data: { key: newest.id, publicKey: rawOf(newest.sealing) } });
  }

  set(command: Data<'SetSecret'>): Promise<Answer> {
    return this.alone(async () => {
      const { name, sealed } = command.data;
      const before = await this.carriedOut(command, name);
      if (before) return before;
      const key = this.parts.keys.find(sealed.key);
      if (!key) return rejected('sealing-key-changed', 'SetSecret is refused: the value is sealed to a key that the gateway does not have.', [{ field: 'data.sealed.key', message: 'is no key of now: ask for SealingKey again' }]);
      let value: Buffer;
      try {
        value = unseal(key.sealing, sealed, { command: command.id, name });
      } catch {
        // Why is of no use to anybody: a value is opened whole, or nothing is known of it.
        return rejected('invalid-data', `SetSecret is refused: the value does not open for ${name} and this command.`, [{ field: 'data.sealed', message: 'must be sealed for this name and the id of this command' }]);
      }
      const fault = faultOfValue(value);
      if (fault !== undefined) return rejected('invalid-data', `The secret ${name} is refused: ${fault}.`, [{ field: 'value', message: fault }]);
      await this.parts.vault.write(name, value);
      return this.aggregates.handle(secretId(name), { type: 'Set', name }, causeOf(command));
    });
  }

  remove(command: Data<'RemoveSecret'>): Promise<Answer> {
    return this.alone(async () => {
      const { name } = command.data;
      const before = await this.carriedOut(command, name);
      if (before) return before;
      await this.parts.vault.remove(name);
      return this.aggregates.handle(secretId(name), { type: 'Remove', name }, causeOf(command));
    });
  }

  /** Every value under a new key. After a crash in the middle both keys are there, and the command comes again. */
  rotate(command: Data<'RotateSecrets'>): Promise<Answer> {
    return this.alone(async () => {
      const { keys, vault } = this.parts;
      const names = await vault.names();
      if (!keys.fixed) await keys.add();
      let changed = 0;
      for (const name of names) {
        try {
          if (await vault.isNewest(name)) continue;
          await vault.write(name, await vault.read(name));
        } catch (error) {
          if (!(error instanceof SecretFault)) throw error;
          return rejected('unknown-secret', error.message, [{ field: 'name', message: 'can\'t be read: set it again or remove it, then rotate once more' }]);
        }
        await this.aggregates.handle(secretId(name), { type: 'Reencrypt', name }, { ...causeOf(command), id: derivedId(command.id, name) });
        changed++;
      }
      if (keys.fixed && changed === 0) {
        return rejected('no-new-key', 'RotateSecrets is refused: every secret is under the newest key of BERTH_SECRETS_KEY already.', [{ field: 'BERTH_SECRETS_KEY', message: 'needs a new key in front of the one before, with a comma between, and the gateway a start with it' }]);
      }
      await keys.dropOld();
      return { accepted: true, id: command.id, data: { secrets: changed } };
    });
  }

  /** The answer of before, when a command comes again: what was set since must not be undone by it. */
  private async carriedOut(command: Command, name: string): Promise<Answer | undefined> {
    const id = secretId(name);
    const commit = (await this.runtime.store.load('secret', id)).find((recorded) => recorded.commit.id === command.id);
    return commit && { accepted: true, id, position: commit.sequence };
  }

  /** One after the other: files and events change together. */
  private alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(work, work);
    this.turn = mine.catch(() => undefined); // told to whoever asked
    return mine;
  }
}
