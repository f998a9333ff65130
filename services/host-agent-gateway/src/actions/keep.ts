import type { KeptFile } from '@berth/contracts';
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
  name?: string | undefined;
  whenNone: 'fail' | 'pass';
  maxFiles: number;
  maxBytes: number;
}

/** Characters of all names together: they go into one event, which fits one message. */
const NAMES_LENGTH = 400_000;

/**
 * The files that patterns match, with their names; each pattern has to match something.
 * @throws FileFault `not-found`, `too-large`, `same-name`, `bad-name`
 */
export async function findAll({ files, root, say }: Moving, wanted: Wanted): Promise<Named[]> {
  const found: Found[] = [];
  for (const pattern of wanted.paths) {
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
    throw new FileFault('too-large', `${which} ${large.length === 1 ? 'is' : 'are'} larger than the ${size(wanted.maxBytes)} that are allowed for a file.`);
  }
  return named;
}

/** Pure. What each file is called: see `Found`; `wanted.name` is the one file's, or the folder of several. */
export function namesOf(found: readonly Found[], wanted: Pick<Wanted, 'paths' | 'name' | 'maxFiles'>): Named[] {
  const { name } = wanted;
  const alone = wanted.paths.length === 1 && found[0]?.named === true;
  const byName = new Map<string, Named>();
  for (const file of found) {
    const own = alone ? (name ?? file.below) : name === undefined ? file.below : `${name}/${file.below}`;
    checkName(own, file);
    const other = byName.get(own);
    // Two patterns may match one file.
    if (other && other.real === file.real) continue;
    if (other) throw new FileFault('same-name', `${plain(other.path)} and ${plain(file.path)} would both be kept as ${plain(own)}: upload one of them apart from the other, with a name.`);
    byName.set(own, { ...file, name: own });
  }
  if (byName.size > wanted.maxFiles) throw new FileFault('too-large', `The patterns match ${byName.size} files and ${wanted.maxFiles} are allowed: keep them as one archive, or name fewer.`);
  const length = [...byName.keys()].reduce((sum, own) => sum + own.length, 0);
  if (length > NAMES_LENGTH) throw new FileFault('too-large', `The names of ${byName.size} files are ${length} characters and ${NAMES_LENGTH} are allowed: keep them as one archive.`);
  return [...byName.values()];
}

function checkName(name: string, file: Found): void {
  const parts = name.split('/');
  const wrong = parts.some((part) => part === '' || part === '.' || part === '..') ? 'has an empty part, "." or ".."' : name !== plain(name) ? 'has a control character' : name.length > 1024 ? 'is longer than 1024 characters' : undefined;
  if (wrong !== undefined) throw new FileFault('bad-name', `${plain(file.path)} cannot be kept as '${plain(name).slice(0, 200)}', which ${wrong}: rename it, or give another name.`);
}

/** Keeps a file of the host as an artifact. */
export async function keep(context: ActionContext, moving: Moving, file: Named, prefix: string, maxBytes: number): Promise<KeptFile> {
  const object = `${prefix}/${file.name}`;
  const { bytes, sha256 } = await context.objects.put(artifactBucket, object, contentOf(moving.files, file.real, file.bytes), { maxBytes, signal: moving.signal });
  await moving.say(`kept ${plain(file.path)} as ${file.name} (${size(bytes)})`);
  return { name: file.name, object, bytes, sha256 };
}
