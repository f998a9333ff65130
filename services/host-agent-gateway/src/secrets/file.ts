import { open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { MOST_SECRET_BYTES } from '@berth/contracts';
import { faultOfValue, SecretFault } from './fault.js';

/** Rights of anybody but the owner. */
const OTHERS = 0o077;

/** A value as a file says it, and by what it is known which content that was. */
export interface SecretFile {
  value: Buffer;
  mark: string;
}

/**
 * The value in the file of that name; one line break at its end is dropped.
 *
 * @throws {SecretFault}
 */
export async function readSecretFile(folder: string, name: string): Promise<SecretFile> {
  const file = await placeOf(folder, name);
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw new SecretFault(name, `its file ${file} can't be read (${(error as NodeJS.ErrnoException).code}); give it to the user that the services run as`, { cause: error });
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new SecretFault(name, `${file} is not a file; put the value into a file of this name`);
    // Windows has no such bits.
    if ((stats.mode & OTHERS) !== 0 && process.platform !== 'win32') throw new SecretFault(name, `others may use its file; take that away: chmod 600 ${file}`);
    if (stats.size > MOST_SECRET_BYTES + 2) throw new SecretFault(name, `it is larger than ${MOST_SECRET_BYTES} bytes; keep a key for it instead`);
    const value = withoutLineBreak(await handle.readFile());
    const fault = faultOfValue(value);
    if (fault !== undefined) throw new SecretFault(name, fault);
    return { value, mark: `${stats.ino} ${stats.size} ${stats.mtimeMs}` };
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
    throw new SecretFault(name, `${file} leads nowhere; put the value into a file of this name`, { cause: error });
  }
}

function withoutLineBreak(value: Buffer): Buffer {
  if (value.at(-1) !== 0x0a) return value;
  return value.subarray(0, value.at(-2) === 0x0d ? -2 : -1);
}
