import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

const KEY_BYTES = 32;

/**
 * The key in a file, as base64; made at random when there is none. Several processes that begin at once get the same one.
 * @throws when the file can't be read or made, or has something else in it
 */
export async function keyFile(path: string): Promise<Buffer> {
  for (;;) {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new Error(`the key in ${path} can't be read (${error.code}): let the account that Berth runs as read it`, { cause: error });
    });
    if (text !== undefined) {
      const key = Buffer.from(text.trim(), 'base64');
      if (key.length === KEY_BYTES) return key;
      throw new Error(`${path} does not hold a key (${KEY_BYTES} bytes as base64): put the right one there, or remove it, and another one is made`);
    }
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // It appears whole or not at all, and the first one stays.
    const draft = `${path}.${randomUUID()}`;
    await writeFile(draft, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
    try {
      await link(draft, path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
    } finally {
      await rm(draft, { force: true });
    }
  }
}
