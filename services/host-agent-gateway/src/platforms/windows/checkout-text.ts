import { folderOf, type CheckoutRequest } from '../../git/checkout.js';
import { checkedRef, checkedRepository, invalid, withoutSecrets } from '../../git/repository.js';
import { GIT, GONE } from './git-text.js';
import { argvQuote, nativePath, psQuote } from './quote.js';

/**
 * PowerShell that puts a repository into a folder of a working copy, in the steps and with the exit codes of git/checkout-text.ts:
 * the clone is made in the action's own folder and only its .git is moved into place.
 */

/** Of git itself, whatever is configured in a clone that was there before. */
const CAREFUL = ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'gc.auto=0', '-c', 'maintenance.auto=false'];
const line = (...words: string[]): string => psQuote([...CAREFUL, ...words].map(argvQuote).join(' '));
/** To which the id of an object is added there: hexadecimal digits, as git printed them. */
const open = (...words: string[]): string => psQuote(`${[...CAREFUL, ...words].map(argvQuote).join(' ')} `);
/** The folder of the clone, in that of the action, where git is run. */
const STAGE = 'stage';
const staged = (...words: string[]): string => line('-C', STAGE, ...words);

/** Which of several reasons it was is in git's words alone, so what is not known among them is told as it is. */
const UNREACHABLE = `
function Stop-Unreachable($label, $shown, $hint) {
  if ($said -match 'not found|does not appear to be a git repository|does not exist|returned error: (404|410)') { Stop-Here 76 ($label + "there is no repository $shown, or it is not shown to this host") }
  if ($said -match 'Authentication failed|could not read (Username|Password)|returned error: (401|403)|permission denied|Host key verification failed|access rights') { Stop-Here 77 ($label + "the repository $shown lets nobody in from this host$hint") }
  if ($said -match "could not resolve|failed to connect|connection (refused|timed out|reset)|network is unreachable|no route to host|couldn.t connect|unable to connect|returned error: 5|RPC failed|SSL |TLS |remote end hung up|early EOF") { Stop-Here 78 ($label + "the repository $shown cannot be reached from this host") }
  Stop-Here 71 ($said + [Environment]::NewLine + $label + "the repository $shown does not exist or cannot be read from this host")
}
`;

/** The folder of the request below the working copy, of which Windows knows one by more names than are written. */
function folderOn(path: string | undefined): string {
  const below = folderOf(path?.replaceAll('\\', '/'));
  if (below.split('/').some((part) => /[<>:"|?*\x00-\x1f]|[. ]$|~\d/.test(part))) throw invalid(`'${path}' cannot be a folder on Windows: write it without <>:"|?*, without ~ before a digit, and with no dot or blank at the end of a name.`);
  return below;
}

/** Sets $sha, and $attach to the line that puts the files of it there. */
function cloned({ repository, ref, depth }: { repository: string; ref: string; depth: number | undefined }, target: string, unreachable: string): string {
  const shown = withoutSecrets(repository);
  // Of a path on this host git would take all of the history, whatever is said.
  const shallow = depth === undefined ? [] : ['--no-local', '--depth', String(depth)];
  const bare = ['clone', '--quiet', '--template=', '--no-checkout'];
  const name = ref.replace(/^refs\/heads\//, '').replace(/^refs\/tags\//, '');
  const commit = (of: string): string => staged('rev-parse', '--verify', '--quiet', '--end-of-options', `${of}^{commit}`);
  const noRef = `Stop-Here 72 ${psQuote(ref === '' ? `the repository ${shown} has no commit yet` : `the repository ${shown} has no branch, tag or commit ${ref}`)}`;
  // The clone's own HEAD is what was asked for.
  const own = `if (-not (Invoke-Git ${commit('HEAD')})) { ${noRef} }; $sha = $out; $attach = ${line('-C', target, 'reset', '--quiet', '--hard')}`;
  if (ref === '') {
    return `if (-not (Invoke-Git ${line(...bare, ...shallow, '--', repository, STAGE)})) { ${unreachable} }
${own}
`;
  }
  const onBranch = open('-C', target, 'checkout', '--quiet', '--force', '-B', name);
  const detached = open('-C', target, 'checkout', '--quiet', '--force', '--detach');
  const quick = /^[0-9a-f]{4,}$/i.test(ref)
    ? ''
    : `if (Invoke-Git ${line(...bare, ...shallow, '--branch', name, '--', repository, STAGE)}) { ${own} } else {
  [void](Remove-All $stage)
  if (-not (Invoke-Git ${line('ls-remote', '--quiet', '--', repository, 'HEAD')})) { ${unreachable} }
}
`;
  const heads = '+refs/heads/*:refs/remotes/origin/*';
  const alone = depth === undefined ? '' : `if (-not $sha) {
  foreach ($line in @(${[line('init', '--quiet', '--template=', '--', STAGE), staged('config', 'remote.origin.url', repository), staged('config', 'remote.origin.fetch', heads)].join(', ')})) { if (-not (Invoke-Git $line)) { Stop-Here 73 $said } }
${[[`refs/heads/${name}`, onBranch], [`refs/tags/${name}`, detached], [ref, detached]].map(([full = '', how = '']) => `  if (-not $sha -and (Invoke-Git ${staged('fetch', '--quiet', '--depth', String(depth), '--no-tags', '--', 'origin', full)}) -and (Invoke-Git ${commit('FETCH_HEAD')})) { $sha = $out; $attach = ${how} + $sha + ' --' }`).join('\n')}
  if (-not $sha) {
    [void](Remove-All $stage)
    [Console]::Out.Write(${psQuote(`berth-note all of the history was fetched, because a commit like ${ref} cannot be asked for alone`)} + "\`n")
  }
}
`;
  return `${quick}${alone}if (-not $sha) {
  if (-not (Invoke-Git ${line(...bare, '--', repository, STAGE)})) { ${unreachable} }
${[[`refs/remotes/origin/${name}`, onBranch], [`refs/tags/${name}`, detached], [ref, detached]].map(([full = '', how = '']) => `  if (-not $sha -and (Invoke-Git ${commit(full)})) { $sha = $out; $attach = ${how} + $sha + ' --' }`).join('\n')}
  if (-not $sha -and (Invoke-Git ${staged('fetch', '--quiet', '--', 'origin', ref)}) -and (Invoke-Git ${commit('FETCH_HEAD')})) { $sha = $out; $attach = ${detached} + $sha + ' --' }
  if (-not $sha) { ${noRef} }
}
`;
}

/**
 * The script that puts a repository into a folder below `root`, as `checkoutScript` of git/checkout.ts.
 * @throws HostError `invalid-value`
 */
export function checkoutOnWindows(root: string, request: CheckoutRequest): string {
  const below = folderOn(request.path);
  const repository = checkedRepository(request.repository);
  const ref = request.ref === undefined ? '' : checkedRef(request.ref);
  const { depth, submodules } = request;
  const shown = withoutSecrets(repository);
  const target = nativePath(below === '' ? root : `${root}/${below}`);
  const hint = request.secret === undefined ? ': give its token as a secret, or add a key on the host' : `: the secret ${request.secret} is not accepted there`;
  const unreachable = `Stop-Unreachable '' ${psQuote(shown)} ${psQuote(hint)}`;
  const inTheWay = (why: string): string => `Stop-Here 73 ${psQuote(`the folder ${below === '' ? 'of the working copy' : below} ${why}`)}`;
  const here = (...words: string[]): string => line('-C', target, ...words);
  const parts = below.split('/').filter((part) => part !== '');
  const above = parts.map((_, index) => psQuote(nativePath([root, ...parts.slice(0, index + 1)].join('/'))));
  const more = [...(submodules === 'recursive' ? ['--recursive'] : []), ...(depth === undefined ? [] : ['--depth', String(depth)])];
  // A repository of the network has no business among the folders of this host.
  const remote = /^(https?|git|ssh):|^[^/\\:]{2,}:/i.test(repository);
  const lfs = (lines: readonly string[], what: string): string => `foreach ($line in @(${lines.join(', ')})) { if (-not (Invoke-Git $line)) { Stop-Here 73 (${psQuote(what)} + $said) } }\n`;
  return `$ErrorActionPreference = 'Stop'
${GONE}${GIT}${UNREACHABLE}
${request.lfs ? `if (-not (Invoke-Git 'lfs version')) { Stop-Here 75 'git-lfs is not installed on this host: install it there, or check out without lfs' }\n` : ''}$target = ${psQuote(target)}
if (-not [IO.Directory]::Exists(${psQuote(nativePath(root))})) { Stop-Here 73 ${psQuote(`there is no folder ${nativePath(root)}`)} }
foreach ($above in @(${above.join(', ')})) {
  # A link on the way may lead anywhere.
  if ((Test-There $above) -and ([IO.File]::GetAttributes($above) -band [IO.FileAttributes]::ReparsePoint)) { ${inTheWay('is not where its path says: a link in the working copy leads elsewhere')} }
}
$old = [IO.Directory]::Exists("$target\\.git")
if ($old) {
  if (-not (Invoke-Git ${line('config', '--file', `${target}\\.git\\config`, '--get-all', 'remote.origin.url')}) -or $out -cne ${psQuote(repository)}) { ${inTheWay('is a clone of another repository already: name another path')} }
} elseif ((Test-There $target) -and (-not [IO.Directory]::Exists($target) -or [IO.Directory]::GetFileSystemEntries($target).Length)) { ${inTheWay('has something else in it already: name another path')} }
[Environment]::CurrentDirectory = $PSScriptRoot
$stage = Join-Path $PSScriptRoot '${STAGE}'
[void](Remove-All $stage)
$sha = $null
${cloned({ repository, ref, depth }, target, unreachable)}
[void][IO.Directory]::CreateDirectory($target)
if ($old) {
  # Its files go, and what git does not know stays.
  [void](Invoke-Git ${here('submodule', 'deinit', '--quiet', '--all', '--force')})
  if ((-not (Invoke-Git ${here('hash-object', '-t', 'tree', '/dev/null')}) -or -not (Invoke-Git (${open('-C', target, 'read-tree', '-u', '--reset')} + $out))) -and [IO.File]::Exists("$target\\.git\\index")) { Stop-Here 73 ('the files of the clone that is there could not be taken away: ' + $said) }
  if ($null -ne (Remove-All "$target\\.git")) { Stop-Here 73 'the clone that is there could not be taken away' }
}
[IO.Directory]::Move("$stage\\.git", "$target\\.git")
# Pointers first: large files are fetched together afterwards, or not at all.
$env:GIT_LFS_SKIP_SMUDGE = '1'
if (-not (Invoke-Git $attach)) { Stop-Here 73 $said }
${submodules === 'no' ? '' : `if ([IO.File]::Exists("$target\\.gitmodules")) {
  ${remote ? `$env:GIT_ALLOW_PROTOCOL = 'git:http:https:ssh'\n  ` : ''}if (-not (Invoke-Git ${here('submodule', 'update', '--init', '--quiet', '--force', ...more)})) {
    if ($said -match "clone of '([^']*)'") { Stop-Unreachable ${psQuote(`a submodule of ${shown}: `)} $Matches[1] ${psQuote(hint)} }
    # Not one that could not be cloned: its commit is gone, say.
    Stop-Here 73 (${psQuote(`a submodule of ${shown}: `)} + $said)
  }
}
`}${request.lfs ? `Remove-Item Env:GIT_LFS_SKIP_SMUDGE
${lfs([here('lfs', 'install', '--local', '--skip-repo'), here('lfs', 'pull')], 'its large files could not be fetched: ')}${submodules === 'no' ? '' : lfs([here('submodule', 'foreach', '--quiet', ...(submodules === 'recursive' ? ['--recursive'] : []), 'git lfs install --local --skip-repo && git lfs pull')], 'large files of a submodule could not be fetched: ')}` : ''}[Console]::Out.Write(${psQuote(`berth-path ${below === '' ? root : `${root}/${below}`}`)} + "\`n" + "berth-commit $sha\`n")
exit 0
`;
}
