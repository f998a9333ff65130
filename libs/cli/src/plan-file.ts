import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Failure } from './failure.js';
import { isRepository, snapshotRepository } from './repository.js';

/** Where a scalar stands in a text. */
interface Found {
  value: string;
  start: number;
  end: number;
}

/**
 * Makes the repository of a plan reachable for the host: a path becomes absolute, seen from the first of `bases` where it is,
 * and a plain folder becomes a repository. Only the value itself is replaced, so that lines in later messages are those of
 * the file.
 */
export async function withRepository(source: string, bases: string | readonly string[], home: string, note: (text: string) => void): Promise<string> {
  const found = findRepository(source);
  if (!found) return source;
  const reachable = await reachableRepository(found.value, bases, home, note);
  return reachable === found.value ? source : `${source.slice(0, found.start)}${JSON.stringify(reachable)}${source.slice(found.end)}`;
}

/** A repository as the host can clone it: what is no local path stays as it is. */
export async function reachableRepository(repository: string, bases: string | readonly string[], home: string, note: (text: string) => void): Promise<string> {
  if (!isLocalPath(repository)) return repository;
  const places = [...new Set([bases].flat().map((base) => resolve(base, repository)))];
  const found = await firstThere(places);
  // An absolute path may be one of the host's own; a relative one can only be meant here.
  if (!found && repository.startsWith('/')) return repository;
  if (!found?.isFolder) {
    const message = found ? 'is not a folder' : `does not exist (looked for ${places.join(' and ')})`;
    throw new Failure('invalid-plan', `The repository ${repository} ${message}.`, [{ field: 'workingCopy.repository', message }]);
  }
  const folder = found.path;
  if (await isRepository(folder)) return folder;
  const snapshot = await snapshotRepository(folder, home);
  note(`${repository} is no Git repository: its ${snapshot.files} files are commit ${snapshot.commit.slice(0, 12)} on branch main of ${snapshot.repository}`);
  return snapshot.repository;
}

async function firstThere(paths: readonly string[]): Promise<{ path: string; isFolder: boolean } | undefined> {
  for (const path of paths) {
    try {
      return { path, isFolder: (await stat(path)).isDirectory() };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    }
  }
  return undefined;
}

/** Neither `https://…` nor `user@host:path` nor `host:path`. */
const isLocalPath = (text: string): boolean => !/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text) && !/^[^/]*:/.test(text);

/**
 * The value of `workingCopy.repository` in YAML, in block or flow style. Not a YAML parser: whatever this does not find is
 * left as it is, and the service, which has one, says what is wrong with it.
 */
export function findRepository(source: string): Found | undefined {
  const top = /^(?:workingCopy|"workingCopy"|'workingCopy')[ \t]*:/m.exec(source);
  if (!top) return undefined;
  const from = top.index + top[0].length;
  const next = /\n(?=[^\s#\-}\]])/.exec(source.slice(from));
  const block = source.slice(from, next ? from + next.index : undefined);
  const key = /(?:^|[{,\n])[ \t]*(?:repository|"repository"|'repository')[ \t]*:[ \t]+/.exec(withoutComments(block));
  if (!key) return undefined;
  const start = from + key.index + key[0].length;
  const rest = source.slice(start);
  const flow = block.trimStart().startsWith('{');
  const quoted = /^"(?:[^"\\\n]|\\.)*"|^'(?:[^'\n]|'')*'/.exec(rest)?.[0];
  const text = quoted ?? (flow ? /^[^,}\n]*/ : /^[^\n]*/).exec(rest)![0].replace(/[ \t]#.*$/, '').trimEnd();
  if (text === '' || /^[|>&*!]/.test(text)) return undefined;
  const value = unquoted(text);
  return value === undefined ? undefined : { value, start, end: start + text.length };
}

/** Comments become spaces: places stay where they are. */
const withoutComments = (text: string): string => text.replace(/(^|\s)#[^\n]*/g, (comment, before: string) => before + ' '.repeat(comment.length - before.length));

function unquoted(text: string): string | undefined {
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined; // YAML has more escapes than JSON: left to the service
  }
}
