import { objectName, type KeptFile } from '@berth/contracts';
import { artifactBucket } from '@berth/nats';
import { FileFault, plain, size, some } from '../files/fault.js';
import { find, whatIsThere, type Found } from '../files/find.js';
import { contentOf } from '../files/transfer.js';
import type { ActionContext } from './action.js';
import type { Moving } from './moving.js';

/** A file of the host, and what it is to be called among the artifacts. */
export interface Named extends Found {
  name: string;
}

export interface Wanted {
  paths: readonly string[];
  /** What the names of objects begin with. */
  prefix: string;
  /** What the one file is called, or the folder of several. */
  name?: string | undefined;
  /** The folder, also of one file. */
  folder?: string;
  whenNone: 'fail' | 'pass';
  maxFiles: number;
  maxBytes: number;
}

/** Bytes that all of them may take in the event that tells of them: it is one message, and a message is 1 MiB at most. */
const TOLD_BYTES = 600_000;
/** Of one, beside its name, which is there twice. */
const FIGURES_BYTES = 200;

/**
 * The files that patterns match, with their names; each pattern has to match something.
 * @throws FileFault `not-found`, `too-large`, `same-name`, `bad-name`
 */
export async function findAll({ files, root, inside, say }: Moving, wanted: Wanted): Promise<Named[]> {
  const found: Found[] = [];
  for (const pattern of wanted.paths.map(inside)) {
    const matched = await find(files, root, pattern, wanted);
    for (const sentence of matched.left) await say(`left out: ${sentence}`);
    if (matched.files.length === 0) {
      const why = await whatIsThere(files, root, pattern);
      if (wanted.whenNone === 'fail') throw new FileFault('not-found', `${why}.`);
      await say(why);
    }
    found.push(...matched.files);
  }
  const named = namesOf(found, wanted);
  const large = named.filter(({ bytes }) => bytes > wanted.maxBytes);
  if (large.length > 0) {
    const which = some(large.map(({ path, bytes }) => `${plain(path)} (${size(bytes)})`));
    throw new FileFault('too-large', `${which} ${large.length === 1 ? 'is' : 'are'} larger than the ${size(wanted.maxBytes)} that are allowed for a file: make ${large.length === 1 ? 'it' : 'them'} smaller, or have the limit raised.`);
  }
  return named;
}

/** Pure. What each file is called: the one that a path names by its last name, others by what is `below` (see `Found`). */
export function namesOf(found: readonly Found[], wanted: Omit<Wanted, 'whenNone' | 'maxBytes'>): Named[] {
  const { folder } = wanted;
  const name = folder ?? wanted.name;
  const alone = wanted.paths.length === 1 && found[0]?.named === true;
  const byName = new Map<string, Named>();
  for (const file of found) {
    const own = alone && folder === undefined ? (name ?? file.below) : name === undefined ? file.below : `${name}/${file.below}`;
    checkName(`${wanted.prefix}/${own}`, own, file);
    const other = byName.get(own);
    // Two patterns may match one file.
    if (other && other.real === file.real) continue;
    if (other) throw new FileFault('same-name', `${plain(other.path)} and ${plain(file.path)} would both be kept as ${plain(own)}: upload one of them apart from the other, with a name.`);
    byName.set(own, { ...file, name: own });
  }
  if (byName.size > wanted.maxFiles) throw new FileFault('too-large', `The patterns match ${byName.size} files and ${wanted.maxFiles} are allowed: keep them as one archive, or name fewer.`);
  const told = [...byName.keys()].reduce((sum, own) => sum + 2 * Buffer.byteLength(own) + FIGURES_BYTES, 0);
  if (told > TOLD_BYTES) throw new FileFault('too-large', `${byName.size} files with names as long as these are more than can be told of: keep them as one archive.`);
  return [...byName.values()];
}

function checkName(object: string, name: string, file: Found): void {
  const wrong = objectName.safeParse(object).error?.issues[0]?.message;
  if (wrong !== undefined) throw new FileFault('bad-name', `${plain(file.path)} cannot be kept as '${plain(name).slice(0, 200)}', which ${wrong}: rename it, or give another name.`);
}

/** Keeps a file of the host as an artifact; `content` is that of the file when it was read already. */
export async function keep(context: ActionContext, moving: Moving, file: Named, prefix: string, maxBytes: number, content?: Buffer): Promise<KeptFile> {
  const object = `${prefix}/${file.name}`;
  const source = content === undefined ? contentOf(moving.files, file.real, file.bytes) : one(content);
  const { bytes, sha256 } = await context.objects.put(artifactBucket, object, source, { maxBytes, signal: moving.signal });
  const kept = { name: file.name, object, bytes, sha256 };
  moving.kept.push(kept);
  await moving.say(`kept ${plain(file.path)} as ${file.name} (${size(bytes)})`);
  return kept;
}

async function* one(content: Buffer): AsyncGenerator<Buffer> {
  if (content.length > 0) yield await Promise.resolve(content);
}
