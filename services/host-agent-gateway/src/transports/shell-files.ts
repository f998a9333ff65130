import { HostError, type HostErrorCode } from './errors.js';
import { shQuote } from '../runner/quote.js';
import type { Entry, ExecResult, FileStat, HostFile, HostFiles, HostSpec } from './transport.js';

/** Runs a command of the user's shell on a channel of its own, with something for it to read. */
export type Exec = (command: string, input?: Buffer) => Promise<ExecResult>;

/** Channels at a time: a host allows ten for a connection by default, and commands need some of them. */
const CHANNELS = 4;
/** Names in one command. */
const NAMES = 200;

/**
 * The host's files for one that offers no SFTP: a short command of POSIX sh for each question. What is read or written goes
 * through a channel untouched. Slower than SFTP by the start of two programs for each block, so it is what is left to do.
 */
export function shellFiles(host: HostSpec, exec: Exec): HostFiles {
  const limited = limit(CHANNELS);
  const ask = async (path: string, script: string, args: readonly (string | number)[] = [], input?: Buffer): Promise<Buffer> => {
    const words = [path, ...args].map((word) => shQuote(String(word))).join(' ');
    // The user's shell may be any; what it hands on is text for one that is known.
    const { code, stdout, stderr } = await limited(() => exec(`exec env LC_ALL=C sh -c ${shQuote(script)} sh ${words}`, input));
    if (code !== 0) throw failure(host, path, stderr.toString().trim());
    return stdout;
  };
  const stat = async (path: string, follow: boolean): Promise<FileStat> => statOf((await ask(path, `ls -ldn${follow ? 'L' : ''} -- "$1"`)).toString());
  const readdir = async (path: string): Promise<string[]> => (await ask(path, NAMES_IN)).toString().split('\0').slice(0, -1).sort();

  return {
    open: async (path, how, mode = 0o600) => {
      if (how === 'create') await ask(path, '(set -C; : >"$1") && chmod "$2" "$1"', [mode.toString(8)]);
      else await ask(path, how === 'read' ? ': <"$1"' : '[ -e "$1" ] || { echo No such file or directory >&2; exit 1; }; : >>"$1"');
      return openFile(path, ask, () => stat(path, true));
    },
    stat: (path) => stat(path, true),
    lstat: (path) => stat(path, false),
    realpath: async (path) => (await ask(path, REAL)).toString(),
    readdir,
    list: async (path) => {
      const entries: Entry[] = [];
      // One that breaks a line would break those of others.
      const names = (await readdir(path)).sort((a, b) => Number(a.includes('\n')) - Number(b.includes('\n')));
      for (let at = 0; at < names.length; ) {
        const count = names[at]?.includes('\n') ? 1 : NAMES;
        const batch = names.slice(at, at + count).filter((name) => count === 1 || !name.includes('\n'));
        at += batch.length;
        entries.push(...(await statAll(path, batch)));
      }
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    mkdir: async (path, mode = 0o700) => void (await ask(path, 'mkdir -m "$2" -- "$1"', [mode.toString(8)])),
    rmdir: async (path) => void (await ask(path, 'rmdir -- "$1"')),
    rename: async (from, to) => void (await ask(from, RENAME, [to])),
    unlink: async (path) => void (await ask(path, '[ -e "$1" ] || [ -L "$1" ] || { echo No such file or directory >&2; exit 1; }; rm -f -- "$1"')),
    chmod: async (path, mode) => void (await ask(path, 'chmod "$2" "$1"', [mode.toString(8)])),
  };

  async function statAll(folder: string, names: readonly string[]): Promise<Entry[]> {
    // `ls` sorts by bytes here, and so do we: line by line, the names are known already.
    const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const said = await ask(folder, 'cd -- "$1" && shift && ls -ldn -- "$@" 2>/dev/null || :', sorted);
    const lines = sorted.length === 1 ? [said.toString()] : said.toString().split('\n').slice(0, -1);
    if (lines.length === sorted.length) return sorted.map((name, index) => ({ name, stat: statOf(lines[index] ?? '') }));
    // One has gone meanwhile: asked one by one, it is left out.
    const one = async (name: string): Promise<Entry[]> =>
      stat(`${folder}/${name}`, false).then((found) => [{ name, stat: found }], (error: unknown) => {
        if (error instanceof HostError && error.code === 'not-found') return [];
        throw error;
      });
    return (await Promise.all(sorted.map(one))).flat();
  }
}

function openFile(path: string, ask: (path: string, script: string, args?: readonly (string | number)[], input?: Buffer) => Promise<Buffer>, stat: () => Promise<FileStat>): HostFile {
  return {
    // What tail says when head has had enough is nobody's affair; a file that is gone is.
    read: (offset, length) => ask(path, '[ -r "$1" ] || { : <"$1"; exit 1; }; tail -c "+$2" -- "$1" 2>/dev/null | head -c "$3"', [offset + 1, length]),
    write: async (offset, data) => {
      // Blocks that the offset is a multiple of; the last one may be short, and what comes in parts is written in parts.
      let block = 65_536;
      while (offset % block !== 0) block /= 2;
      await ask(path, 'dd of="$1" bs="$2" seek="$3" conv=notrunc 2>/dev/null || { echo "could not be written: is the disk full?" >&2; exit 1; }', [block, offset / block], data);
    },
    size: async () => (await stat()).size,
    close: () => Promise.resolve(),
  };
}

/** A line of `ls -ldn`: kind and rights, links, owner, group, size. */
function statOf(line: string): FileStat {
  const [bits = '', , , , size = ''] = line.trim().split(/\s+/);
  const kind = ({ '-': 'file', d: 'folder', l: 'link' } as const)[bits[0] ?? ''] ?? 'other';
  let mode = 0;
  for (let at = 1; at <= 9; at++) {
    const letter = bits[at] ?? '-';
    if (/[rwxst]/.test(letter)) mode |= 1 << (9 - at);
    // The third of each three tells of set-user, set-group and sticky too: as a capital when it is not `x` as well.
    if (at % 3 === 0 && /[sStT]/.test(letter)) mode |= 0o1000 << (3 - at / 3);
  }
  return { kind, size: kind === 'other' ? 0 : Number(size), mode };
}

/** Names with a NUL after each, by what every shell has built in. */
const NAMES_IN = `
[ -e "$1" ] || { echo No such file or directory >&2; exit 1; }
[ -d "$1" ] || { echo Not a directory >&2; exit 1; }
[ -r "$1" ] && cd -- "$1" || { echo Permission denied >&2; exit 1; }
for name in * .[!.]* ..?*; do
  if [ -e "$name" ] || [ -L "$name" ]; then printf '%s\\0' "$name"; fi
done`;

const REAL = `
path=$1; links=0
while [ -L "$path" ]; do
  links=$((links + 1)); [ $links -lt 40 ] || { echo Too many levels of symbolic links >&2; exit 1; }
  target=$(readlink -- "$path" && echo x) || exit 1
  target=\${target%?x}
  case $target in /*) path=$target;; *) path=\${path%/*}/$target;; esac
done
[ -e "$path" ] || { echo No such file or directory >&2; exit 1; }
folder=$path; name=
[ -d "$path" ] || { folder=\${path%/*}; name=/\${path##*/}; }
cd -P -- "\${folder:-/}" 2>/dev/null || { echo Permission denied >&2; exit 1; }
real=$(pwd -P && echo x); real=\${real%?x}
[ -z "$name" ] || [ "$real" != / ] || real=
printf %s "$real$name"`;

/** A target that is a folder would have it put inside; a link to one likewise. */
const RENAME = `
[ -e "$1" ] || [ -L "$1" ] || { echo No such file or directory >&2; exit 1; }
if [ -L "$2" ]; then rm -f -- "$2"; elif [ -d "$2" ]; then rmdir -- "$2" || exit 1; fi
mv -f -- "$1" "$2"`;

function failure(host: HostSpec, path: string, said: string): HostError {
  const code: HostErrorCode = /No such file|Not a directory|nonexistent/i.test(said)
    ? 'not-found'
    : /permission denied|not permitted|Read-only/i.test(said)
      ? 'permission-denied'
      : /File exists|existing file/i.test(said)
        ? 'already-exists'
        : 'file-failed';
  return new HostError(code, `${path} on host ${host.id}: ${said.split('\n').at(-1) || 'the command failed'}.`);
}

/** At most so many at a time; the others wait their turn. */
function limit(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = most;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
