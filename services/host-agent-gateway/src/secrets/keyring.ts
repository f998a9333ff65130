import { createHash, hkdfSync, randomBytes, type KeyObject } from 'node:crypto';
import { open, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sealingKeyFrom } from '@berth/runtime';

const BYTES = 32;
/** Rights of anybody but the owner. */
const OTHERS = 0o077;

/** A key of the secrets: what encrypts them at rest, and what opens values that were sealed to us. Both follow from the same bytes. */
export interface Key {
  id: string;
  rest: Buffer;
  sealing: KeyObject;
}

/**
 * The keys of the secrets, the newest first. They are in a file, which is made at the first start, or in the environment.
 * Keys that went are still known until this process ends: what was sealed to them may be on its way.
 */
export class Keyring {
  private constructor(
    private readonly file: string | undefined,
    private raw: Buffer[],
    private readonly known: Key[],
  ) {}

  /** @throws when there is a text that is no key */
  static fromText(text: string): Keyring {
    const raw = text.split(',').map((part) => keyOf(part.trim(), 'BERTH_SECRETS_KEY'));
    return new Keyring(undefined, raw, raw.map(derived));
  }

  /**
   * @param mayBeMade whether nothing is lost with a new key
   * @throws when there is none and none may be made, when it can't be read, and when others may read it
   */
  static async fromFile(file: string, mayBeMade: boolean): Promise<Keyring> {
    const text = await contentOf(file);
    if (text === undefined) {
      if (!mayBeMade) throw new Error(`the key of the secrets is not in ${file}, and without it no secret can be read: put it back, or name its file in BERTH_SECRETS_KEY_FILE`);
      const raw = [randomBytes(BYTES)];
      await store(file, raw);
      return new Keyring(file, raw, raw.map(derived));
    }
    const raw = text.split('\n').filter((line) => line.trim() !== '').map((line) => keyOf(line.trim(), file));
    if (raw.length === 0) throw new Error(`${file} holds no key of the secrets: put it back`);
    return new Keyring(file, raw, raw.map(derived));
  }

  get newest(): Key {
    return this.known[0]!;
  }

  find(id: string): Key | undefined {
    return this.known.find((key) => key.id === id);
  }

  /** Of the environment: nobody but its owner can add a key. */
  get fixed(): boolean {
    return this.file === undefined;
  }

  /** A new newest key, stored beside those before. */
  async add(): Promise<void> {
    const fresh = randomBytes(BYTES);
    const raw = [fresh, ...this.raw];
    await store(this.file!, raw);
    this.raw = raw;
    this.known.unshift(derived(fresh));
  }

  /** Nothing is encrypted under the keys before the newest any more. */
  async dropOld(): Promise<void> {
    if (this.fixed || this.raw.length === 1) return;
    const raw = this.raw.slice(0, 1);
    await store(this.file!, raw);
    this.raw = raw;
  }
}

function keyOf(text: string, where: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (!/^[A-Za-z0-9+/_-]+=?$/.test(text) || bytes.length !== BYTES) throw new Error(`${where} holds something that is no key of secrets: a key is 32 random bytes in base64, as \`openssl rand -base64 32\` prints them`);
  return bytes;
}

function derived(raw: Buffer): Key {
  const part = (what: string) => Buffer.from(hkdfSync('sha256', raw, '', `berth ${what} 1`, BYTES));
  return { id: createHash('sha256').update('berth key id 1').update(raw).digest('hex').slice(0, 16), rest: part('secrets at rest'), sealing: sealingKeyFrom(part('sealing key')) };
}

async function contentOf(file: string): Promise<string | undefined> {
  let mode: number;
  try {
    ({ mode } = await stat(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`the key of the secrets in ${file} can't be read (${(error as NodeJS.ErrnoException).code}): give it to the user that the gateway runs as`, { cause: error });
  }
  // Windows has no such bits.
  if ((mode & OTHERS) !== 0 && process.platform !== 'win32') throw new Error(`others may read the key of the secrets: take that away with chmod 600 ${file}`);
  const handle = await open(file, 'r');
  try {
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

const store = (file: string, raw: readonly Buffer[]): Promise<void> => replace(file, raw.map((key) => `${key.toString('base64url')}\n`).join(''));

/** Puts a file in the place of another in one step, and on the disk: a key that is lost takes all secrets along. */
export async function replace(file: string, content: string): Promise<void> {
  // No secret can have a name that begins so.
  const draft = join(dirname(file), `.new-${basename(file)}`);
  const handle = await open(draft, 'w', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
  // Windows can't open a folder for that.
  if (process.platform === 'win32') return;
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
