import { HostError } from '../transports/errors.js';
import type { Entry, FileStat, HostFiles } from '../transports/transport.js';
import { FileFault, plain } from './fault.js';
import { advance, beginning, isMatch, namesAhead, parseGlob, type Glob, type Progress } from './glob.js';
import { closest } from './nearest.js';
import { unlessMissing } from './transfer.js';

/** A file that a pattern matches. */
export interface Found {
  /** From the root, as the pattern leads to it. */
  path: string;
  /** Where it is, every link resolved. */
  real: string;
  bytes: number;
  /** From where the pattern's special characters begin, or from the folder that it names. */
  below: string;
  /** The pattern names this file and could match no other. */
  named: boolean;
}

export interface Findings {
  /** By path. */
  files: Found[];
  /** What matches and is no file to be read, a sentence each. */
  left: string[];
}

/** How far is looked. */
export interface Bounds {
  maxFiles: number;
}

/** Folders within folders, and things in them; beyond is a mistake (a link that a mount makes into a circle, all of a disk). */
const DEPTH = 64;
const LOOKED_AT = 200_000;
/** Folders that are listed at a time. */
const AT_A_TIME = 8;

interface Folder {
  real: string;
  names: readonly string[];
  /** `all`: it matched, so all that is in it does. */
  progress: Progress | 'all';
}

/**
 * The files inside `root` that a pattern matches; a folder stands for all that is in it, apart from what begins with a dot.
 * A link to a file inside is that file; one to a folder is only followed where the pattern names it.
 * @throws HostError `path-outside` for a link that leads out of `root`; FileFault `too-large`, `not-found` for a named link that leads nowhere
 */
export async function find(files: HostFiles, root: string, pattern: string, bounds: Bounds): Promise<Findings> {
  const glob = parseGlob(pattern);
  const realRoot = await files.realpath(root);
  const search = new Search(files, realRoot, glob, bounds);
  // A pattern of nothing but dots is the root itself.
  await search.look({ real: realRoot, names: [], progress: glob.parts.length === 0 ? 'all' : beginning(glob) });
  search.found.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files: search.found, left: search.left.sort() };
}

/** A sentence for a pattern that matches nothing: what is there instead. */
export async function whatIsThere(files: HostFiles, root: string, pattern: string): Promise<string> {
  const glob = parseGlob(pattern);
  let [folder, shown] = [await files.realpath(root), 'the folder of the lease'];
  const wanted = glob.literal ? [...glob.base, ...lastName(glob)] : [...glob.base];
  for (const [index, name] of wanted.entries()) {
    const stat = await unlessMissing(files.stat(`${folder}/${name}`));
    if (!stat) return `nothing matches ${plain(pattern)}: there is no ${plain(name)} in ${plain(shown)}, ${await instead(files, folder, name)}`;
    if (stat.kind !== 'folder') return `nothing matches ${plain(pattern)}: ${plain(wanted.slice(0, index + 1).join('/'))} is not a folder`;
    folder = await files.realpath(`${folder}/${name}`);
    shown = wanted.slice(0, index + 1).join('/');
  }
  return `nothing matches ${plain(pattern)}: ${plain(shown)} has ${await instead(files, folder, pattern.split('/').at(-1) ?? '', true)}`;
}

const lastName = (glob: Glob): string[] => glob.parts.slice(-1).map((part) => (part.kind === 'literal' ? part.name : ''));

async function instead(files: HostFiles, folder: string, wanted: string, had = false): Promise<string> {
  const entries = await files.list(folder);
  if (entries.length === 0) return had ? 'nothing in it' : 'which is empty';
  const names = entries.map(({ name, stat }) => plain(stat.kind === 'folder' ? `${name}/` : name));
  return `${had ? '' : 'which has '}${closest(wanted, names)}`;
}

class Search {
  readonly found: Found[] = [];
  readonly left: string[] = [];
  private lookedAt = 0;

  constructor(
    private readonly files: HostFiles,
    private readonly root: string,
    private readonly glob: Glob,
    private readonly bounds: Bounds,
  ) {}

  async look(first: Folder): Promise<void> {
    // A level at a time: what is found first is nearest, should there be too much.
    for (let level = [first]; level.length > 0; ) {
      const below: Folder[] = [];
      for (let at = 0; at < level.length; at += AT_A_TIME) {
        for (const folders of await Promise.all(level.slice(at, at + AT_A_TIME).map((folder) => this.enter(folder)))) below.push(...folders);
      }
      level = below;
    }
  }

  private async enter(folder: Folder): Promise<Folder[]> {
    const { glob, files } = this;
    const named = folder.progress === 'all' ? undefined : namesAhead(glob, folder.progress);
    const entries = named ? await this.named(folder, named) : await files.list(folder.real);
    this.lookedAt += entries.length;
    if (this.lookedAt > LOOKED_AT) throw new FileFault('too-large', `${plain(glob.pattern)} leads through more than ${LOOKED_AT} files and folders: name a folder further down.`);
    const below: Folder[] = [];
    for (const { name, stat } of entries) {
      if (folder.progress === 'all' && name.startsWith('.')) continue;
      const progress = folder.progress === 'all' ? 'all' : advance(glob, folder.progress, name);
      const match = progress === 'all' || isMatch(glob, progress);
      if (!match && progress.size === 0) continue;
      const names = [...folder.names, name];
      const real = `${folder.real === '/' ? '' : folder.real}/${name}`;
      const entered = await this.take({ names, real, stat, match, named: named !== undefined, progress: match ? 'all' : progress });
      if (entered) below.push(entered);
    }
    if (below.length > 0 && folder.names.length >= DEPTH) throw new FileFault('too-large', `${plain(glob.pattern)} leads through more than ${DEPTH} folders within each other: name a folder further down.`);
    return below;
  }

  private async named(folder: Folder, names: readonly string[]): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (const name of new Set(names)) {
      const stat = await unlessMissing(this.files.lstat(`${folder.real}/${name}`));
      if (stat) entries.push({ name, stat });
    }
    return entries;
  }

  private async take(thing: Folder & { stat: FileStat; match: boolean; named: boolean }): Promise<Folder | undefined> {
    const { stat, match, named } = thing;
    const path = thing.names.join('/');
    switch (stat.kind) {
      case 'file':
        if (match) this.add(thing.names, thing.real, stat.size);
        return undefined;
      case 'folder':
        return thing;
      case 'link': {
        const real = await unlessMissing(this.files.realpath(thing.real));
        if (real === undefined) return this.leave(path, 'is a link that leads nowhere', match, named);
        const inside = real === this.root || real.startsWith(this.root === '/' ? '/' : `${this.root}/`);
        if (!inside && !match && !named) return undefined;
        if (!inside) throw new HostError('path-outside', `${plain(path)} is a link that leads out of the folder of the lease, so it is not read.`);
        const target = await this.files.stat(real);
        if (target.kind === 'folder' && named) return { ...thing, real };
        if (target.kind === 'folder') return this.leave(path, 'is a link to a folder, which is only followed when it is named', match, false);
        if (target.kind === 'file') {
          if (match) this.add(thing.names, real, target.size);
          return undefined;
        }
        return this.leave(path, 'is a link to something that is no file', match, named);
      }
      case 'other':
        return this.leave(path, 'is neither a file nor a folder', match, named);
    }
  }

  private add(names: readonly string[], real: string, bytes: number): void {
    const { glob } = this;
    const alone = glob.literal && names.length === glob.parts.length;
    const from = glob.literal && !alone ? glob.parts.length : glob.base.length;
    this.found.push({ path: names.join('/'), real, bytes, below: names.slice(from).join('/'), named: alone });
    if (this.found.length <= this.bounds.maxFiles) return;
    throw new FileFault('too-large', `${plain(glob.pattern)} matches more than ${this.bounds.maxFiles} files: keep them as one archive, or name fewer.`);
  }

  private leave(path: string, why: string, match: boolean, named: boolean): undefined {
    if (!match) return;
    if (named) throw new FileFault('not-found', `${plain(path)} ${why}.`);
    this.left.push(`${plain(path)} ${why}`);
  }
}
