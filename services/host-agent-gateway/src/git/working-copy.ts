import { HostError } from '../transports/errors.js';
import { checkedId, shQuote } from '../runner/quote.js';

/** Which files a working copy holds. */
export interface WorkingCopyRequest {
  /** Id of the working copy; its folder is `copies/<copyId>` in the host's folder. */
  copyId: string;
  /** A Git URL, `user@host:path`, or an absolute path on the host; absent = an empty folder. */
  repository?: string;
  /** Branch, tag, full ref, full or short commit; absent = the repository's default branch. */
  ref?: string;
}

/** Why there is no working copy. */
export type WorkingCopyFault = 'git-missing' | 'repository-unreachable' | 'ref-missing' | 'folder-failed' | 'working-copy-stays';

/** What a prepare or remove script came to; `commit` is the full id, absent for an empty folder and after a removal. */
export type WorkingCopyResult =
  | { ok: true; path: string; commit?: string }
  | { ok: false; code: WorkingCopyFault; message: string };

/** Exit codes of the scripts below, chosen away from what sh and git use. */
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
 * The script that makes a working copy afresh, whatever an earlier try left in its folder.
 * One git process where the ref is a branch, a tag or absent: 10 to 15 ms for a small local repository.
 * @throws HostError `invalid-value` for a value that could be taken for an option or is no repository or ref at all
 */
export function prepareScript(hostFolder: string, request: WorkingCopyRequest): string {
  const path = shQuote(copyPath(hostFolder, request.copyId));
  const clean = `[ ! -e ${path} ] && [ ! -L ${path} ] || rm -rf -- ${path} || { chmod -R u+rwx -- ${path}; rm -rf -- ${path}; } || exit 73
[ -d ${shQuote(`${hostFolder}/copies`)} ] || mkdir -p -- ${shQuote(`${hostFolder}/copies`)} || exit 73
`;
  if (request.repository === undefined) {
    if (request.ref !== undefined) throw invalid('A ref needs a repository that it belongs to.');
    return `${clean}mkdir -- ${path} || exit 73\n`;
  }
  const repository = checkedRepository(request.repository);
  const ref = request.ref === undefined ? '' : checkedRef(request.ref);
  return `set +e
copy=${path}
repo=${shQuote(repository)}
ref=${shQuote(ref)}
shown=${shQuote(withoutSecrets(repository))}
${clean}${PREPARE}`;
}

/** The script that removes a working copy and makes sure that it is gone. A copy that is not there is fine. */
export function removeScript(hostFolder: string, copyId: string): string {
  return `set +e
copy=${shQuote(copyPath(hostFolder, copyId))}
${REMOVE}`;
}

/** Reads what one of the scripts came to from its exit code and output. */
export function workingCopyResult(hostFolder: string, copyId: string, code: number, stdout: string, stderr: string): WorkingCopyResult {
  const path = copyPath(hostFolder, copyId);
  if (code === 0) {
    const commit = /^berth-commit ([0-9a-f]{40,64})$/m.exec(stdout)?.[1];
    return { ok: true, path, ...(commit === undefined ? {} : { commit }) };
  }
  const said = stderr.trim().split('\n').slice(-4).join(' ');
  return { ok: false, code: FAULTS.get(code) ?? 'folder-failed', message: said || `The working copy ${copyId} failed with exit code ${code}.` };
}

/** The URL as it may be shown: without a password or token in it. */
export function withoutSecrets(repository: string): string {
  return repository.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1');
}

function checkedRepository(repository: string): string {
  const wrong = (why: string): HostError => invalid(`The repository '${withoutSecrets(repository)}' ${why}.`);
  if (/[\0-\x1f\x7f]/.test(repository)) throw wrong('has a control character in it');
  if (repository.startsWith('-')) throw wrong('starts with - and would be an option');
  if (/^[a-z][a-z0-9+.-]*::/i.test(repository)) throw wrong('asks for a transport program, which is not allowed');
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(repository)?.[1]?.toLowerCase();
  if (scheme !== undefined) {
    if (!['file', 'git', 'http', 'https', 'ssh'].includes(scheme)) throw wrong(`has the scheme ${scheme}; file, git, http, https and ssh are allowed`);
  } else if (!repository.startsWith('/') && !/^[^/:\s]+:[^:]/.test(repository)) {
    throw wrong('is neither a URL nor an absolute path on the host');
  }
  return repository;
}

/** The parts of git's own rules for ref names that also keep a value from being an option, a range or another syntax. */
function checkedRef(ref: string): string {
  if (ref === '' || ref.startsWith('-') || ref.startsWith('/') || /[\0-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\.lock$|[./]$/.test(ref)) {
    throw invalid(`'${ref.replace(/[\0-\x1f\x7f]/g, '?')}' cannot be a branch, tag or commit.`);
  }
  return ref;
}

function invalid(message: string): HostError {
  return new HostError('invalid-value', message);
}

/**
 * Reads $copy, $repo, $ref, $shown; the values never become syntax. Distinct exit codes come from asking again what is wrong,
 * not from the text of git's messages, which changes between versions.
 */
const PREPARE = `
command -v git >/dev/null 2>&1 || { echo "git is not installed on this host" >&2; exit 70; }
export LC_ALL=C GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=/bin/false SSH_ASKPASS=/bin/false
export GIT_ALLOW_PROTOCOL=file:git:http:https:ssh
export GIT_SSH_COMMAND="\${GIT_SSH_COMMAND:-ssh} -o BatchMode=yes"
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_CONFIG GIT_CONFIG_PARAMETERS

case $repo in /*)
  [ -e "$repo" ] || { printf 'the repository %s does not exist on this host\\n' "$shown" >&2; exit 71; }
  if [ ! -O "$repo" ]; then
    # Of another owner: git refuses unless told that this one is meant. It hears that only from a file, because its own
    # child process does not inherit -c; the file adds one path to what the user has configured.
    mine=$copy.gitconfig
    trap 'rm -f -- "$mine"' EXIT
    {
      printf '[include]\\n\\tpath = %s\\n' "\${GIT_CONFIG_GLOBAL:-~/.gitconfig}"
      quoted=$(printf '%s' "$repo" | sed 's/[\\\\"]/\\\\&/g')
      printf '[safe]\\n\\tdirectory = "%s"\\n\\tdirectory = "%s/.git"\\n' "$quoted" "\${quoted%/}"
    } >"$mine" || exit 73
    export GIT_CONFIG_GLOBAL="$mine"
  fi;;
esac

head() { # the commit in $1, without a process where its HEAD can be read as a file
  sha=; read -r sha <"$1/.git/HEAD" || return 1
  case $sha in 'ref: '*) { read -r sha <"$1/.git/\${sha#ref: }"; } 2>/dev/null || sha=$(git -C "$1" rev-parse --verify --quiet HEAD) || return 1;; esac
  [ -n "$sha" ]
}
done_with() { printf 'berth-commit %s\\n' "$sha"; exit 0; }
unreachable() {
  printf '%s\\n' "$said" >&2
  printf 'the repository %s does not exist or cannot be read from this host\\n' "$shown" >&2
  exit 71
}
no_ref() {
  rm -rf -- "$copy"
  if [ -n "$ref" ]; then printf 'the repository %s has no branch, tag or commit %s\\n' "$shown" "$ref" >&2
  else printf 'the repository %s has no commit yet\\n' "$shown" >&2; fi
  exit 72
}

# No template: its sample hooks cost 3 ms to copy, and a hook of the user has no business in a build.
# What looks like a commit may be a branch as well, so it takes the longer way that can tell.
if [ -z "$ref" ]; then
  said=$(git clone --quiet --template= -- "$repo" "$copy" 2>&1) || unreachable
  head "$copy" || no_ref
  done_with
fi
commitish=
case $ref in *[!0-9a-fA-F]*|?|??|???) ;; *) commitish=1;; esac
name=\${ref#refs/heads/}; name=\${name#refs/tags/}
if [ -z "$commitish" ]; then
  if said=$(git clone --quiet --template= --branch "$name" -- "$repo" "$copy" 2>&1); then
    head "$copy" || no_ref
    done_with
  fi
  rm -rf -- "$copy"
  git ls-remote --quiet -- "$repo" HEAD >/dev/null 2>&1 || unreachable
fi
said=$(git clone --quiet --template= --no-checkout -- "$repo" "$copy" 2>&1) || unreachable
cd "$copy" || exit 73
for full in "refs/remotes/origin/$name" "refs/tags/$name" "$ref"; do
  sha=$(git rev-parse --verify --quiet --end-of-options "$full^{commit}") && break
  sha=
done
# Something that no branch or tag leads to, a pull request or a commit by its full id: the server may still give it.
if [ -z "$sha" ] && git fetch --quiet -- origin "$ref" 2>/dev/null; then
  sha=$(git rev-parse --verify --quiet 'FETCH_HEAD^{commit}') || sha=
fi
[ -n "$sha" ] || { cd /; no_ref; }
said=$(git checkout --quiet --detach "$sha" 2>&1) || { printf '%s\\n' "$said" >&2; exit 73; }
done_with
`;

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
