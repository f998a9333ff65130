import { HostError } from '../transports/errors.js';
import type { HostFiles } from '../transports/transport.js';

/** Refusal of a path that leaves its folder. */
function outside(relative: string, root: string, why: string): HostError {
  return new HostError('path-outside', `The path '${relative}' leaves ${root}: ${why}.`);
}

/** The parts of a relative path; refuses what could leave the folder by its text alone. */
function partsOf(root: string, relative: string): string[] {
  if (relative === '' || relative.includes('\0')) throw outside(relative.replaceAll('\0', '?'), root, 'it is empty or has a NUL in it');
  if (relative.startsWith('/')) throw outside(relative, root, 'it is absolute');
  const parts = relative.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw outside(relative, root, "it goes up with '..'");
  return parts;
}

/**
 * The real path of an existing file or folder inside `root`, every link resolved; use this result and not the given path.
 * A link that is put there between this check and the use is not seen: SFTP has no way to open without following.
 * @throws HostError `path-outside`, or `not-found`
 */
export async function resolveInside(files: HostFiles, root: string, relative: string): Promise<string> {
  const parts = partsOf(root, relative);
  const [realRoot, real] = await Promise.all([files.realpath(root), files.realpath([root, ...parts].join('/'))]);
  return checked(realRoot, real, relative, root);
}

/**
 * Where a file may be written inside `root`: the real path of its folder, which is made when missing, and its name.
 * @throws HostError `path-outside`, `not-found` when `root` is missing
 */
export async function resolveTarget(files: HostFiles, root: string, relative: string): Promise<{ folder: string; name: string }> {
  const parts = partsOf(root, relative);
  const name = parts.pop();
  if (name === undefined || relative.endsWith('/')) throw outside(relative, root, 'it names a folder where a file is to be written');
  const realRoot = await files.realpath(root);
  let folder = realRoot;
  for (const part of parts) folder = checked(realRoot, await enter(files, `${folder}/${part}`), relative, root);
  return { folder, name };
}

/**
 * Where an entry of a folder inside `root` is: the real path of its folder, and its name, which may be a link and is not followed.
 * @throws HostError `path-outside`, or `not-found` when the folder is missing
 */
export async function resolveEntry(files: HostFiles, root: string, relative: string): Promise<{ folder: string; name: string }> {
  const parts = partsOf(root, relative);
  const name = parts.pop();
  if (name === undefined) throw outside(relative, root, 'it is the folder itself');
  const [realRoot, real] = await Promise.all([files.realpath(root), files.realpath([root, ...parts].join('/'))]);
  return { folder: checked(realRoot, real, relative, root), name };
}

/**
 * Makes a folder inside `root`, with those above it; one that is there is fine.
 * @throws HostError `path-outside`, `already-exists` when a file is in its place
 */
export async function makeInside(files: HostFiles, root: string, relative: string): Promise<string> {
  const realRoot = await files.realpath(root);
  let folder = realRoot;
  for (const part of partsOf(root, relative)) folder = checked(realRoot, await enter(files, `${folder}/${part}`), relative, root);
  if ((await files.stat(folder)).kind !== 'folder') throw new HostError('already-exists', `There is a file at '${relative}', so no folder can be made there.`);
  return folder;
}

/** The real path of a folder, made when nothing is there. */
async function enter(files: HostFiles, path: string): Promise<string> {
  try {
    return await files.realpath(path);
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== 'not-found') throw error;
  }
  // Two files for one new folder may be put at the same time; a link that leads nowhere fails here as well.
  await files.mkdir(path, 0o755).catch((error: unknown) => {
    if (!(error instanceof HostError) || error.code !== 'already-exists') throw error;
  });
  return files.realpath(path);
}

function checked(realRoot: string, real: string, relative: string, root: string): string {
  if (real !== realRoot && !real.startsWith(realRoot === '/' ? '/' : `${realRoot}/`)) {
    throw outside(relative, root, 'a link on the way leads out of it');
  }
  return real;
}
