import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const KEY = 32;
const NONCE = 12;
const TAG = 16;

/** Seals what is given away and comes back: nobody else can read or change it (AES-256-GCM). */
export class Seal {
  constructor(private readonly key: Uint8Array) {}

  /** @param purpose what was sealed for one is not opened for another */
  close(value: unknown, purpose: string): string {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce, { authTagLength: TAG }).setAAD(Buffer.from(purpose));
    const sealed = Buffer.concat([cipher.update(JSON.stringify(value)), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  /** What was sealed; undefined when it was not, or not by us, or for something else. */
  open(text: string, purpose: string): unknown {
    const bytes = Buffer.from(text, 'base64url');
    // One text for the same bytes: the last letter of another could say more than they hold.
    if (bytes.length <= NONCE + TAG || bytes.toString('base64url') !== text) return undefined;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.key, bytes.subarray(0, NONCE), { authTagLength: TAG });
      decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
      return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]).toString('utf8')) as unknown;
    } catch {
      return undefined; // the only thing that can be wrong is what was shown: whoever shows it is told so
    }
  }
}

/**
 * The key of this installation, made at the first start.
 * @returns `first`: it was made just now
 * @throws when the state folder can't be used, or the key in it is damaged
 */
export async function openSeal(home: string): Promise<{ seal: Seal; first: boolean }> {
  const file = join(home, 'session.key');
  await mkdir(home, { recursive: true, mode: 0o700 });
  // The file appears with its content in one step: of two who start at once, both read the key of the first.
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, randomBytes(KEY), { mode: 0o600, flag: 'wx' });
  const first = await link(draft, file).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  ).finally(() => rm(draft, { force: true }));
  const key = await readFile(file);
  if (key.length !== KEY) throw new Error(`${file} is damaged: remove it, and a new one is made; whoever is signed in has to do so again`);
  return { seal: new Seal(key), first };
}
