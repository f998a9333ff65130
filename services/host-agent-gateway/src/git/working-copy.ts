import { checkedId, shQuote } from '../runner/quote.js';
import { KEEP } from './keep-text.js';
import { ONE, SEVERAL } from './prepare-text.js';
import { checkedRef, checkedRepository, invalid, withoutSecrets } from './repository.js';

/** Which files a working copy holds. */
export interface WorkingCopyRequest {
  /** Id of the working copy; its folder is `copies/<copyId>` in the host's folder. */
  copyId: string;
  /** A Git URL, `user@host:path`, or an absolute path on the host; absent = an empty folder. */
  repository?: string;
  /** Branch, tag, full ref, full or short commit; absent = the repository's default branch. */
  ref?: string;
  /** Further repositories, by folder below the working copy. */
  also?: Readonly<Record<string, { repository: string; ref?: string | undefined }>>;
  /** Begin with a kept clone of this key when there is one. */
  cache?: string;
}

/** What is kept of a working copy, and for whom. */
export interface KeepRequest extends Pick<WorkingCopyRequest, 'copyId' | 'repository' | 'also'> {
  cache: string;
  /** Kept clones on this host, of all keys. */
  most: number;
}

/** Why there is no working copy. */
export type WorkingCopyFault = 'git-missing' | 'repository-unreachable' | 'ref-missing' | 'folder-failed' | 'working-copy-stays';

/** What a prepare or remove script came to; `commit` is the full id, absent for an empty folder and after a removal. */
export type WorkingCopyResult =
  | { ok: true; path: string; commit?: string }
  | { ok: false; code: WorkingCopyFault; message: string };

/** Exit codes of the scripts, chosen away from what sh and git use. */
const FAULTS = new Map<number, WorkingCopyFault>([
  [70, 'git-missing'],
  [71, 'repository-unreachable'],
  [72, 'ref-missing'],
  [73, 'folder-failed'],
  [74, 'working-copy-stays'],
]);

/** Absolute path of a working copy, given the host's absolute folder. */
export function copyPath(hostFolder: string, copyId: string): string {
  return `${hostFolder}/copies/${checkedId(copyId)}`;
}

/**
 * The script that makes a working copy afresh, whatever an earlier try left in its folder. It runs as an action, in whose
 * own folder on the host it keeps what is half done.
 *
 * One git process where there is one repository, no kept clone of it, and the ref is a branch, a tag or absent: 10 to 15 ms
 * for a small local repository.
 * @throws HostError `invalid-value` for a value that could be taken for an option or is no repository or ref at all
 */
export function prepareScript(hostFolder: string, request: WorkingCopyRequest): string {
  const path = shQuote(copyPath(hostFolder, request.copyId));
  const clean = `[ ! -e ${path} ] && [ ! -L ${path} ] || rm -rf -- ${path} || { chmod -R u+rwx -- ${path}; rm -rf -- ${path}; } || exit 73
[ -d ${shQuote(`${hostFolder}/copies`)} ] || mkdir -p -- ${shQuote(`${hostFolder}/copies`)} || exit 73
`;
  if (request.repository === undefined && request.ref !== undefined) throw invalid('A ref needs a repository that it belongs to.');
  const all = repositories(request);
  if (all.length === 0) return `${clean}mkdir -- ${path} || exit 73\n`;
  const [main] = all;
  const kept = request.cache === undefined ? '' : `kept=${shQuote(`${hostFolder}/cache/${checkedId(request.cache)}`)}\n`;
  const only = all.length === 1 && main?.folder === '';
  const begin = `set +e\ntarget=${path}\nkept=\n${kept}${clean}${ONE}`;
  if (only && request.cache === undefined) return `${begin}${pick(main)}copy=$target\nmade; exit\n`;
  return `${begin}
pick() { # number -> $repo, $ref, $shown, $label, $below
  case $1 in
${all.map((one, number) => `  ${number}) ${pick(one).trim().replaceAll('\n', '; ')};;`).join('\n')}
  esac
}
total=${all.length}
alone=${only ? '1' : ''}
${SEVERAL}`;
}

/**
 * The script that turns a working copy into a kept clone which carries nothing of the lease it was made for. Whatever goes
 * wrong, the working copy or what is left of it is where it was, to be removed.
 */
export function keepScript(hostFolder: string, request: KeepRequest): string {
  const all = repositories(request);
  return `set +e
copy=${shQuote(copyPath(hostFolder, request.copyId))}
id=${shQuote(checkedId(request.copyId))}
cache=${shQuote(`${hostFolder}/cache`)}
key=${shQuote(checkedId(request.cache))}
most=${Number(request.most)}
pick() { # number -> $shown, $below
  case $1 in
${all.map((one, number) => `  ${number}) shown=${shQuote(withoutSecrets(one.repository))}; below=${shQuote(one.folder)};;`).join('\n')}
  esac
}
total=${all.length}
${KEEP}`;
}

/** The script that removes a working copy and makes sure that it is gone. A copy that is not there is fine. */
export function removeScript(hostFolder: string, copyId: string, before = ''): string {
  return `set +e
copy=${shQuote(copyPath(hostFolder, copyId))}
${before}${REMOVE}`;
}

/** Reads what one of the scripts came to from its exit code and output. */
export function workingCopyResult(hostFolder: string, copyId: string, code: number, stdout: string, stderr: string): WorkingCopyResult {
  const path = copyPath(hostFolder, copyId);
  if (code === 0) {
    const commit = /^berth-commit ([0-9a-f]{40,64})$/m.exec(stdout)?.[1];
    return { ok: true, path, ...(commit === undefined ? {} : { commit }) };
  }
  const said = stderr.trim().split(/\r?\n/).slice(-4).join(' ');
  return { ok: false, code: FAULTS.get(code) ?? 'folder-failed', message: said || `The working copy ${copyId} failed with exit code ${code}.` };
}

export interface OneRepository {
  repository: string;
  ref: string;
  /** below the working copy; empty for the one that is the working copy itself */
  folder: string;
}

/** The main one first, then the others so that a folder comes before what is inside it: always in the same order. */
export function repositories(request: Pick<WorkingCopyRequest, 'repository' | 'ref' | 'also'>): OneRepository[] {
  const one = (folder: string, repository: string, ref: string | undefined): OneRepository => ({
    folder: checkedFolder(folder),
    repository: checkedRepository(repository),
    ref: ref === undefined ? '' : checkedRef(ref),
  });
  return [
    ...(request.repository === undefined ? [] : [one('', request.repository, request.ref)]),
    ...Object.entries(request.also ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([folder, { repository, ref }]) => one(folder, repository, ref)),
  ];
}

function checkedFolder(folder: string): string {
  if (folder !== '' && !folder.split('/').every((part) => /^[A-Za-z0-9._-]+$/.test(part) && part !== '.' && part !== '..' && part.toLowerCase() !== '.git')) {
    throw invalid(`'${folder.replace(/[\0-\x1f\x7f]/g, '?')}' cannot be a folder inside the working copy.`);
  }
  return folder;
}

function pick({ repository, ref, folder }: OneRepository): string {
  const label = folder === '' ? '' : `${folder}: `;
  return `repo=${shQuote(repository)}\nref=${shQuote(ref)}\nshown=${shQuote(withoutSecrets(repository))}\nlabel=${shQuote(label)}\nbelow=${shQuote(folder)}\n`;
}

const REMOVE = `
for try in 1 2 3; do
  [ -e "$copy" ] || [ -L "$copy" ] || exit 0
  rm -rf -- "$copy" 2>/dev/null && continue
  # Folders without the right to write keep what is in them; a link is never followed, because rm took it away above.
  [ -L "$copy" ] || chmod -R u+rwx -- "$copy" 2>/dev/null
  said=$(rm -rf -- "$copy" 2>&1) || [ $try = 3 ] || sleep 0.1
done
[ -e "$copy" ] || [ -L "$copy" ] || exit 0
printf '%s\\nthe working copy %s could not be removed\\n' "$said" "$copy" >&2
exit 74
`;
