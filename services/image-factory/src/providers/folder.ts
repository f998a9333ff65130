import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { access, constants, mkdir, open, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { KeptFile, ProviderSpec } from '@berth/contracts';
import { checked, contentOf, share } from './content.js';
import { patiently, type Patience } from './patience.js';
import type { Call, Provider, Step } from './provider.js';
import { Transfers } from './transfers.js';
import { Trouble } from './trouble.js';

export interface FolderProviderOptions {
  now?: () => number;
  log?: (line: string) => void;
  /** between two looks at what is being copied, in ms */
  pollMs?: number;
}

/** Puts files into a folder where the factory runs, as `<folder>/<image>/<number>/<name>`. Ids are absolute paths. */
export function folderProvider({ now = Date.now, log = () => undefined, pollMs = 500 }: FolderProviderOptions = {}): Provider & { close(): Promise<void> } {
  const patience: Patience = { now, log, timing: { pollFrom: pollMs, pollTo: 20 * pollMs } };
  const transfers = new Transfers(pollMs);
  return {
    async check(account, provider) {
      try {
        await probe(folderOf(provider));
        return undefined;
      } catch (error) {
        return told(error, `account ${account.name}`).message;
      }
    },
    async find(account, provider, id) {
      const path = inside(folderOf(provider), id);
      if (path === undefined) throw new Error(`account ${account.name} has what is in ${folderOf(provider)} alone: use an absolute path in there`);
      try {
        return (await stat(path)).isFile() ? { name: basename(path) } : undefined;
      } catch (error) {
        if (isGone(error)) return undefined;
        throw told(error, `account ${account.name}`);
      }
    },
    push: (call) => patiently(call, patience, () => push(call, transfers, pollMs)),
    remove: (call) =>
      patiently(call, patience, async () => {
        const path = inside(folderOf(call.provider), call.id);
        if (path === undefined) return { is: 'gone', manual: [`${call.id} is not in the folder of the provider ${call.provider.name} any more`] };
        await writing(call, () => takeAway(path));
        return { is: 'gone', manual: [] };
      }),
    abandon: (call) =>
      patiently(call, patience, async () => {
        const path = call.facts['path'];
        if (path !== undefined) {
          await transfers.end(path);
          await writing(call, async () => {
            await rm(partOf(call, path), { force: true });
            await takeAway(path);
          });
        }
        return { is: 'gone', manual: [] };
      }),
    close: () => transfers.close(),
  };
}

async function push(call: Parameters<Provider['push']>[0], transfers: Transfers, pollMs: number): Promise<Step> {
  const { object, image, number, provider } = call;
  if (object === undefined) throw new Trouble(`there is no file of ${image} ${number} to copy: build it for the target ${provider.target}`, false);
  const path = call.facts['path'];
  if (path === undefined) return { is: 'keep', facts: { path: join(folderOf(provider), image, String(number), basename(object.name)) }, percent: 0, activity: `copies ${basename(object.name)}` };
  const moved = await transfers.look(path, call.signal, (signal, bytes) => writing(call, () => put(call, object, path, signal, bytes)));
  return moved.is === 'there' ? { is: 'done', id: path } : { is: 'wait', ms: pollMs, percent: share(object, moved.bytes, 0, 99) };
}

/** By another name first, so that who looks finds all of it or nothing. One that is there already and right stays as it is. */
async function put(call: Call, file: KeptFile, path: string, signal: AbortSignal, moved: (bytes: number) => void): Promise<void> {
  if (await isThere(file, path)) return;
  const part = partOf(call, path);
  await makeFolder(dirname(path));
  try {
    await pipeline(checked(file, await contentOf(call, file), moved), createWriteStream(part, { mode: 0o644, flush: true }), { signal });
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** The same for the same attempt: what a crash has left is written over. */
function partOf({ version, attempt }: Call, path: string): string {
  return join(dirname(path), `.${version}-${attempt}.part`);
}

async function isThere(file: KeptFile, path: string): Promise<boolean> {
  try {
    if ((await stat(path)).size !== file.bytes) return false;
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    return hash.digest('hex') === file.sha256;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** The file, and folders that are empty without it. */
async function takeAway(path: string): Promise<void> {
  await rm(path, { force: true });
  for (const folder of [dirname(path), dirname(dirname(path))]) {
    try {
      await rmdir(folder);
    } catch (error) {
      // Others are in there, or it is gone already.
      if (isGone(error) || ['ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) continue;
      throw error;
    }
  }
}

/** Makes it where it is not there, and writes into it: rights alone do not tell of a full or read-only disk. */
async function probe(folder: string): Promise<void> {
  if (!isAbsolute(folder)) throw new Trouble(`the folder ${folder} is not an absolute path`, false);
  await makeFolder(folder);
  await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  const file = join(folder, `.berth-${process.pid}-${Date.now()}`);
  await (await open(file, 'wx')).close();
  await rm(file);
}

/** Not `mkdir` with `recursive`, which never comes back where nothing can be made, as in /proc (seen with Node 20.20). */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (codeOf(error) !== 'ENOENT' || (await isFolder(dirname(path)))) throw error;
    await makeFolder(dirname(path));
    await makeFolder(path);
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

function folderOf(provider: ProviderSpec): string {
  if (provider.kind !== 'folder') throw new Error(`the provider ${provider.name} is of the kind ${provider.kind}`);
  return provider.folder;
}

/** The path, when it is one in the folder. */
function inside(folder: string, id: string): string | undefined {
  const path = relative(folder, id);
  return isAbsolute(id) && path !== '' && path !== '..' && !path.startsWith(`..${sep}`) ? join(folder, path) : undefined;
}

async function writing<T>(call: Call, what: () => Promise<T>): Promise<T> {
  try {
    return await what();
  } catch (error) {
    throw told(error, `account ${call.account.name}`);
  }
}

/** What the file system refuses; room and rights have to be given by somebody. */
function told(error: unknown, who: string): Error {
  if (!(error instanceof Error)) throw error;
  const code = codeOf(error);
  if (error instanceof Trouble) return new Trouble(`${who}: ${error.message}`, error.passing, error.code);
  if (code === '' || error.name === 'AbortError') return error;
  const advice: Readonly<Record<string, string>> = {
    ENOSPC: 'there is no room: make some, and try again',
    EDQUOT: 'the quota is used up: make room, and try again',
    EACCES: 'the user that the image factory runs as may not write there',
    EPERM: 'the user that the image factory runs as may not write there',
    EROFS: 'it is mounted to be read alone',
    ENOTDIR: 'a part of the path is a file',
    EEXIST: 'a part of the path is a file',
  };
  return new Trouble(`${who}: ${advice[code] ?? 'the folder can not be used'} (${error.message})`, false, code, { cause: error });
}

function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOf(error));
}

function codeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : '';
}
