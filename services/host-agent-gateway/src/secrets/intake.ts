import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { derivedId, secretName } from '@berth/contracts';
import type { Runtime } from '@berth/runtime';
import { secretId } from '../domain/secret.js';
import { SecretFault } from './fault.js';
import { readSecretFile } from './file.js';
import type { Vault } from './vault.js';

/**
 * Takes in what lies in a folder as plain files, one for each secret: that was the store of secrets once, and it is how a machine
 * is set up without anybody at it. A file is taken in once; what is set otherwise later is not undone by it.
 */
export class Intake {
  /** what is in the vault by now and has no event yet */
  readonly taken: { name: string; id: string }[] = [];

  constructor(
    private readonly folder: string,
    private readonly vault: Vault,
    private readonly runtime: Pick<Runtime, 'store' | 'log'>,
  ) {}

  async read(): Promise<void> {
    for (const name of await this.names()) {
      try {
        const { value, mark } = await readSecretFile(this.folder, name);
        const id = derivedId(`${name} ${mark}`, 'taken in');
        const known = (await this.runtime.store.load('secret', secretId(name))).some(({ commit }) => commit.id === id);
        if (known) {
          await this.removeFile(name);
          continue;
        }
        await this.vault.write(name, value);
        this.taken.push({ name, id });
      } catch (error) {
        if (!(error instanceof SecretFault)) throw error;
        this.runtime.log.warn({ problem: error.message }, 'a file was not taken in as a secret');
      }
    }
  }

  /** Its value is in the vault: in the clear it is one place too many. */
  async removeFile(name: string): Promise<void> {
    const file = join(this.folder, name);
    try {
      if ((await lstat(file)).isSymbolicLink()) {
        this.runtime.log.warn({ file }, 'the secret was taken in, but its file is a link: remove what it leads to');
        return;
      }
      await rm(file);
      this.runtime.log.info({ secret: name }, 'taken in from its file');
    } catch (error) {
      this.runtime.log.warn({ file, error }, 'the secret was taken in, but its file could not be removed: remove it');
    }
  }

  private async names(): Promise<string[]> {
    try {
      const entries = await readdir(this.folder, { withFileTypes: true });
      return entries.filter((entry) => !entry.isDirectory() && secretName.safeParse(entry.name).success).map(({ name }) => name);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return [];
      throw new Error(`the folder of secrets ${this.folder} can't be read (${code}): give it to the user that the gateway runs as, or unset BERTH_SECRETS`, { cause: error });
    }
  }
}
