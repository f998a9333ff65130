import { open, realpath } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { secretName } from '@berth/contracts';
import type { Config } from './config.js';

/** Shorter ones can't be masked: they would be found everywhere. */
const LEAST_BYTES = 4;
/** An environment variable holds at most 128 KiB on Linux, and what is longer is a file and no secret. */
const MOST_BYTES = 64 * 1024;
/** Rights of anybody but the owner. */
const OTHERS = 0o077;

/** A secret that can't be used: one sentence that names it and says what to do, never what it is. */
export class SecretFault extends Error {
  override readonly name = 'SecretFault';
  constructor(
    readonly secret: string,
    why: string,
    options?: { cause?: unknown },
  ) {
    super(`The secret ${secret} can't be used: ${why}.`, options);
  }
}

/** The store of secrets: a folder beside the services with a file for each. */
export const secretsFolder = (config: Pick<Config, 'home' | 'secretsFolder'>): string => resolve(config.secretsFolder ?? join(config.home, 'secrets'));

/**
 * The value of a secret, as its file says it now; one line break at its end is dropped.
 *
 * @throws {SecretFault}
 */
export async function readSecret(config: Pick<Config, 'home' | 'secretsFolder'>, name: string): Promise<Buffer> {
  const named = secretName.safeParse(name);
  if (!named.success) throw new SecretFault(JSON.stringify(name.slice(0, 128)), 'it has a name that no secret can have: use letters, digits, ".", "_" and "-"');
  const folder = secretsFolder(config);
  const file = await placeOf(folder, name);
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw new SecretFault(name, `its file ${file} can't be read (${(error as NodeJS.ErrnoException).code}); give it to the user that the services run as`, { cause: error });
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new SecretFault(name, `${file} is not a file; put the value into a file of this name`);
    // Windows has no such bits.
    if ((stats.mode & OTHERS) !== 0 && process.platform !== 'win32') throw new SecretFault(name, `others may use its file; take that away: chmod 600 ${file}`);
    if (stats.size > MOST_BYTES + 2) throw new SecretFault(name, `it is larger than ${MOST_BYTES} bytes; keep a key for it instead`);
    const value = withoutLineBreak(await handle.readFile());
    if (value.length < LEAST_BYTES) throw new SecretFault(name, `it is shorter than ${LEAST_BYTES} bytes, so it can't be masked in output; use a longer one`);
    if (value.length > MOST_BYTES) throw new SecretFault(name, `it is larger than ${MOST_BYTES} bytes; keep a key for it instead`);
    return value;
  } finally {
    await handle.close();
  }
}

/** Where its file is, every link followed: links inside the folder are how some stores change a secret, others lead astray. */
async function placeOf(folder: string, name: string): Promise<string> {
  const file = join(folder, name);
  try {
    const [root, place] = await Promise.all([realpath(folder), realpath(file)]);
    if (!place.startsWith(root + sep)) throw new SecretFault(name, `${file} is a link that leads out of the folder of secrets; put the file itself there`);
    return place;
  } catch (error) {
    if (error instanceof SecretFault) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw new SecretFault(name, `its file ${file} can't be reached (${code}); give the folder to the user that the services run as`, { cause: error });
    throw new SecretFault(name, `there is none of this name; write its value to ${file} with mode 0600`, { cause: error });
  }
}

function withoutLineBreak(value: Buffer): Buffer {
  if (value.at(-1) !== 0x0a) return value;
  return value.subarray(0, value.at(-2) === 0x0d ? -2 : -1);
}
