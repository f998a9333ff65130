import { authorization, busUsers, type BusUser } from '@berth/nats';
import bcrypt from 'bcryptjs';
import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The least that there is. A hash that is slow to make protects passwords that can be guessed; ours are 256 random bits, and
 * the server would spend the time at each connection.
 */
const ROUNDS = 4;

/** Passwords of the users of the bus, kept in a file beside the server that only its owner may read. */
export type Passwords = Readonly<Record<BusUser, string>>;

/** The passwords of the last start; those of users who have none yet are made. */
export async function busPasswords(folder: string): Promise<Passwords> {
  const file = join(folder, 'users.json');
  const kept = await keptIn(file);
  const passwords = Object.fromEntries(busUsers.map((user) => [user, kept[user] ?? randomBytes(32).toString('base64url')])) as Record<BusUser, string>;
  await writeFile(`${file}.new`, `${JSON.stringify(passwords, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return passwords;
}

async function keptIn(file: string): Promise<Partial<Record<string, string>>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  try {
    return JSON.parse(text) as Partial<Record<string, string>>;
  } catch (error) {
    throw new Error(`${file} is not JSON any more: remove it, and the users of the bus get new passwords at the next start`, { cause: error });
  }
}

/** What the server is told of them: hashes. */
export async function hashedUsers(passwords: Passwords): Promise<string> {
  const hashes = new Map(await Promise.all(busUsers.map(async (user) => [user, await bcrypt.hash(passwords[user], ROUNDS)] as const)));
  return authorization((user) => JSON.stringify(hashes.get(user)!));
}
