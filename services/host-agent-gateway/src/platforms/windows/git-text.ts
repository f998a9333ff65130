import { checkedId } from '../../runner/quote.js';
import { copyPath, repositories, type OneRepository, type WorkingCopyRequest } from '../../git/working-copy.js';
import { invalid, withoutSecrets } from '../../git/repository.js';
import { argvQuote, nativePath, psQuote } from './quote.js';

/**
 * PowerShell that makes and removes working copies; exit codes as in git/working-copy.ts. Windows PowerShell does not quote what
 * it hands to a program, so a repository's name could become options of git: its command lines are written here instead, and
 * handed on whole.
 */

/** Removes a folder with read-only files, long paths and links in it, and waits for who has something in it open. */
export const GONE = `
function Test-There($path) { [IO.Directory]::Exists($path) -or [IO.File]::Exists($path) }
function Remove-All($path) { # what is left to say when it stays
  $said = ''
  for ($try = 1; (Test-There $path) -and $try -le 50; $try++) {
    # rd takes paths of any length, away with the attribute that forbids it, and links without what they lead to. The path is
    # read where it has no meaning any more to cmd.
    $env:BERTH_GONE = "\\\\?\\$path"
    $said = (& cmd.exe /d /v:on /s /c 'rd /s /q "!BERTH_GONE!" 2>&1 & exit 0') -join ' '
    if (Test-There $path) { Start-Sleep -Milliseconds 100 }
  }
  if (Test-There $path) { $said } else { $null }
}
function Stop-Here($code, $text) { [Console]::Error.WriteLine($text); exit $code }
`;

/** Finds git, and runs it without asking anybody anything. */
export const GIT = `
$env:LC_ALL = 'C'; $env:GIT_TERMINAL_PROMPT = '0'; $env:GCM_INTERACTIVE = 'never'; $env:GIT_ALLOW_PROTOCOL = 'file:git:http:https:ssh'
if (-not $env:GIT_SSH_COMMAND) { $env:GIT_SSH_COMMAND = 'ssh' }
$env:GIT_SSH_COMMAND += ' -o BatchMode=yes'
foreach ($name in 'GIT_ASKPASS', 'SSH_ASKPASS', 'GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_OBJECT_DIRECTORY', 'GIT_CONFIG', 'GIT_CONFIG_PARAMETERS', 'GIT_ALTERNATE_OBJECT_DIRECTORIES') {
  if (Test-Path "Env:$name") { Remove-Item "Env:$name" }
}
$git = Get-Command git.exe -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
if (-not $git) { Stop-Here 70 'git is not installed on this host' }
$script:said = ''
function Invoke-Git($line) { # true when it ended well; what it printed is in $script:out, what it said in $script:said
  $start = New-Object Diagnostics.ProcessStartInfo
  $start.FileName = $git.Path
  $start.Arguments = '-c core.longpaths=true -c core.askPass= ' + $line
  $start.UseShellExecute = $false
  $start.RedirectStandardOutput = $true
  $start.RedirectStandardError = $true
  $start.StandardOutputEncoding = $start.StandardErrorEncoding = New-Object Text.UTF8Encoding $false
  $run = [Diagnostics.Process]::Start($start)
  $errors = $run.StandardError.ReadToEndAsync()
  $script:out = $run.StandardOutput.ReadToEnd().Trim()
  $run.WaitForExit()
  $script:said = $errors.Result.Trim()
  $run.ExitCode -eq 0
}
`;

/** What git is to do, with every value quoted; `in` is the clone. */
interface Lines {
  clone: string;
  branch: string;
  bare: string;
  ask: string;
  head: string;
  candidates: string[];
  fetch: string;
  fetched: string;
  checkout: string;
}

function lines({ repository, ref }: OneRepository, copy: string): Lines {
  const line = (...words: string[]): string => psQuote(words.map(argvQuote).join(' '));
  const inside = (...words: string[]): string => line('-C', copy, ...words);
  const name = ref.replace(/^refs\/heads\//, '').replace(/^refs\/tags\//, '');
  return {
    clone: line('clone', '--quiet', '--template=', '--', repository, copy),
    branch: line('clone', '--quiet', '--template=', '--branch', name, '--', repository, copy),
    bare: line('clone', '--quiet', '--template=', '--no-checkout', '--', repository, copy),
    ask: line('ls-remote', '--quiet', '--', repository, 'HEAD'),
    head: inside('rev-parse', '--verify', '--quiet', 'HEAD'),
    candidates: [`refs/remotes/origin/${name}`, `refs/tags/${name}`, ref].map((full) => inside('rev-parse', '--verify', '--quiet', '--end-of-options', `${full}^{commit}`)),
    fetch: inside('fetch', '--quiet', '--', 'origin', ref),
    fetched: inside('rev-parse', '--verify', '--quiet', 'FETCH_HEAD^{commit}'),
    // The commit's id is put at the end there: hexadecimal digits, as git printed them.
    checkout: psQuote(`${['-C', copy, 'checkout', '--quiet', '--detach'].map(argvQuote).join(' ')} `),
  };
}

/** One repository in `copy`, as `made` in git/prepare-text.ts; its commit is in $sha then. */
function made(one: OneRepository, copy: string): string {
  const { clone, branch, bare, ask, head, candidates, fetch, fetched, checkout } = lines(one, copy);
  const label = one.folder === '' ? '' : `${one.folder}: `;
  const shown = withoutSecrets(one.repository);
  const unreachable = `Stop-Here 71 ($said + [Environment]::NewLine + ${psQuote(`${label}the repository ${shown} does not exist or cannot be read from this host`)})`;
  const noRef = (why: string): string => `[void](Remove-All ${psQuote(copy)}); Stop-Here 72 ${psQuote(`${label}the repository ${shown} has no ${why}`)}`;
  if (one.ref === '') {
    return `if (-not (Invoke-Git ${clone})) { ${unreachable} }
if (-not (Invoke-Git ${head})) { ${noRef('commit yet')} }
$sha = $out
`;
  }
  // What looks like a commit may be a branch as well, so it takes the longer way that can tell.
  const quick = /^[0-9a-f]{4,}$/i.test(one.ref) ? '$sha = $null' : `$sha = $null
if (Invoke-Git ${branch}) {
  if (Invoke-Git ${head}) { $sha = $out }
} else {
  [void](Remove-All ${psQuote(copy)})
  if (-not (Invoke-Git ${ask})) { ${unreachable} }
}`;
  return `${quick}
if (-not $sha) {
  [void](Remove-All ${psQuote(copy)})
  if (-not (Invoke-Git ${bare})) { ${unreachable} }
  foreach ($line in @(${candidates.join(', ')})) { if (-not $sha -and (Invoke-Git $line)) { $sha = $out } }
  if (-not $sha -and (Invoke-Git ${fetch}) -and (Invoke-Git ${fetched})) { $sha = $out }
  if (-not $sha) { ${noRef(`branch, tag or commit ${one.ref}`)} }
  if (-not (Invoke-Git (${checkout} + $sha))) { Stop-Here 73 (${psQuote(label)} + $said) }
}
`;
}

/** A further repository below the working copy. One may have a link where this folder belongs: nothing is put where that leads. */
function below(one: OneRepository, target: string): string {
  const parts = one.folder.split('/');
  const at = (count: number): string => [target, ...parts.slice(0, count)].join('\\');
  const above = parts.slice(0, -1).map((_, index) => psQuote(at(index + 1)));
  const label = `${one.folder}: `;
  return `foreach ($above in @(${above.join(', ')})) {
  if (-not (Test-There $above)) { [void][IO.Directory]::CreateDirectory($above) }
  elseif ([IO.File]::GetAttributes($above) -band [IO.FileAttributes]::ReparsePoint) { Stop-Here 73 ${psQuote(`${label}a link in the working copy leads elsewhere`)} }
}
$here = ${psQuote(at(parts.length))}
if (Test-There $here) {
  # Git keeps an empty folder for a submodule.
  try { [IO.Directory]::Delete($here) } catch { Stop-Here 73 ${psQuote(`${label}the working copy has something there already`)} }
}
${made(one, at(parts.length))}`;
}

/**
 * The script that makes a working copy afresh; no clone is kept on Windows, so none is begun with.
 * @throws HostError `invalid-value` as `prepareScript` of git/working-copy.ts
 */
export function prepareOnWindows(hostFolder: string, request: WorkingCopyRequest): string {
  if (request.repository === undefined && request.ref !== undefined) throw invalid('A ref needs a repository that it belongs to.');
  const target = nativePath(copyPath(hostFolder, request.copyId));
  const all = repositories(request);
  const begin = `$ErrorActionPreference = 'Stop'
${GONE}
$said = Remove-All ${psQuote(target)}
if ($null -ne $said) { Stop-Here 73 $said }
[void][IO.Directory]::CreateDirectory(${psQuote(nativePath(`${hostFolder}/copies`))})
`;
  if (all.length === 0) return `${begin}[void][IO.Directory]::CreateDirectory(${psQuote(target)})\n`;
  const main = all[0]?.folder === '';
  const parts = all.map((one, number) => (one.folder === '' ? `${made(one, target)}$first = $sha\n` : `${!main && number === 0 ? `[void][IO.Directory]::CreateDirectory(${psQuote(target)})\n` : ''}${below(one, target)}`));
  return `${begin}${GIT}
$first = $null
${parts.join('\n')}
if ($first) { [Console]::Out.Write("berth-commit $first\`n") }
exit 0
`;
}

/** The script that removes a working copy and makes sure that it is gone. */
export function removeOnWindows(hostFolder: string, copyId: string): string {
  const path = nativePath(copyPath(hostFolder, checkedId(copyId)));
  return `$ErrorActionPreference = 'Stop'
${GONE}
$said = Remove-All ${psQuote(path)}
if ($null -ne $said) { Stop-Here 74 ($said + [Environment]::NewLine + ${psQuote(`the working copy ${path} could not be removed`)}) }
exit 0
`;
}
