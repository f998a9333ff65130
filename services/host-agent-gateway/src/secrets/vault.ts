import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { secretName } from '@berth/contracts';
import { SecretFault } from './fault.js';
import { replace, type Keyring } from './keyring.js';

const NONCE = 12;
const TAG = 16;

/** A secret in its file: encrypted with AES-256-GCM, bound to its name. */
interface Kept {
  version: 1;
  /** id of the key */
  key: string;
  nonce: string;
  tag: string;
  data: string;
}

/** The values of secrets: a folder with an encrypted file for each. */
export class Vault {
  constructor(
    private readonly folder: string,
    private readonly keys: Keyring,
  ) {}

  /** The names that a folder has values of; none when there is no folder yet. */
  static async namesIn(folder: string): Promise<string[]> {
    try {
      return (await readdir(folder)).filter((name) => secretName.safeParse(name).success).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  names(): Promise<string[]> {
    return Vault.namesIn(this.folder);
  }

  /** @throws {SecretFault} */
  async read(name: string): Promise<Buffer> {
    if (!secretName.safeParse(name).success) throw new SecretFault(JSON.stringify(name.slice(0, 128)), 'it has a name that no secret can have: use letters, digits, ".", "_" and "-"');
    const { key: id, nonce, tag, data } = await this.fileOf(name);
    const key = this.keys.find(id);
    if (!key) throw new SecretFault(name, `it is encrypted under a key that is not there any more; put that key back, or set it again with \`berth secret set ${name}\``);
    try {
      const decipher = createDecipheriv('aes-256-gcm', key.rest, Buffer.from(nonce, 'base64url'), { authTagLength: TAG });
      decipher.setAAD(Buffer.from(name)).setAuthTag(Buffer.from(tag, 'base64url'));
      return Buffer.concat([decipher.update(Buffer.from(data, 'base64url')), decipher.final()]);
    } catch (error) {
      throw new SecretFault(name, `its file was changed by somebody; set it again with \`berth secret set ${name}\``, { cause: error });
    }
  }

  async write(name: string, value: Uint8Array): Promise<void> {
    const { id, rest } = this.keys.newest;
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', rest, nonce).setAAD(Buffer.from(name));
    const data = Buffer.concat([cipher.update(value), cipher.final()]);
    const file: Kept = { version: 1, key: id, nonce: nonce.toString('base64url'), tag: cipher.getAuthTag().toString('base64url'), data: data.toString('base64url') };
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await replace(join(this.folder, name), `${JSON.stringify(file)}\n`);
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.folder, name), { force: true });
  }

  /** Whether its file is encrypted under the newest key. */
  async isNewest(name: string): Promise<boolean> {
    return (await this.fileOf(name)).key === this.keys.newest.id;
  }

  private async fileOf(name: string): Promise<Kept> {
    let text: string;
    try {
      text = await readFile(join(this.folder, name), 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') throw new SecretFault(name, `there is none of this name; set it with \`berth secret set ${name}\``, { cause: error });
      throw new SecretFault(name, `its file in ${this.folder} can't be read (${code}); give the folder to the user that the gateway runs as`, { cause: error });
    }
    try {
      const kept = JSON.parse(text) as Partial<Kept> | null;
      if (kept?.version !== 1 || [kept.key, kept.nonce, kept.tag, kept.data].some((part) => typeof part !== 'string')) throw new Error('not as it was written');
      return kept as Kept;
    } catch (error) {
      throw new SecretFault(name, `its file in ${this.folder} is damaged; set it again with \`berth secret set ${name}\``, { cause: error });
    }
  }
}
