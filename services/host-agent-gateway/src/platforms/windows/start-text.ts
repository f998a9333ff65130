import { createHash } from 'node:crypto';
import { encodedCommand } from './quote.js';
import { RUNNER_SOURCE } from './runner-text.js';
import { SYSTEM_SOURCE } from './system-text.js';

/**
 * Whatever the login shell is, cmd or PowerShell, it sees one word of base64 after plain options. Without `-OutputFormat Text`
 * PowerShell writes its errors as XML to a pipe.
 */
export const POWERSHELL = 'powershell.exe -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -OutputFormat Text -EncodedCommand';
const powershell = (text: string): string => `${POWERSHELL} ${encodedCommand(text)}`;

const SOURCE = `${RUNNER_SOURCE}${SYSTEM_SOURCE}`;
/** The program is compiled once on a host for each version of it. */
const ASSEMBLY = `berth-${createHash('sha256').update(SOURCE).digest('hex').slice(0, 16)}.dll`;

const QUIET = `$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'`;
/** PowerShell reads nothing of its input by itself as long as its commands have no variable named "input". */
const READ = `function Read-Text { [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([Console]::In.ReadLine())) }`;

/** The runner: reads two lines, its source and the folder for its assembly, and then answers requests. */
export const RUNNER_SHELL = powershell(`${QUIET}
${READ}
try {
  $source = Read-Text
  $folder = Read-Text
  $assembly = Join-Path $folder '${ASSEMBLY}'
  if (-not (Test-Path -LiteralPath $assembly)) {
    [void][IO.Directory]::CreateDirectory($folder)
    $made = Join-Path $folder "berth-$PID.dll"
    Add-Type -TypeDefinition $source -OutputAssembly $made -IgnoreWarnings
    # Another connection may have been first.
    try { [IO.File]::Move($made, $assembly) } catch { if (-not (Test-Path -LiteralPath $assembly)) { throw } }
    [IO.File]::Delete($made)
  }
  [void][Reflection.Assembly]::LoadFrom($assembly)
  [Berth.Runner]::Serve((New-Object Berth.Windows $assembly), [Console]::In, [Console]::OpenStandardOutput())
} catch {
  [Console]::Error.WriteLine("$_")
  exit 1
}`);

const line = (text: string): string => `${Buffer.from(text, 'utf8').toString('base64')}\n`;

/** What RUNNER_SHELL is told first; `folder` is where its assembly is kept. */
export const runnerProgram = (folder: string): string => line(SOURCE) + line(folder);

/** The last line of a short text's output, with its exit code. */
export const END_MARK = 'berth-end';
/** Runs one text, which it reads as a line, and says when it is over. */
export const TEXT_SHELL = powershell(`${QUIET}
${READ}
try { [Console]::OutputEncoding = New-Object Text.UTF8Encoding $false } catch { [Console]::Error.WriteLine("$_") }
try { & ([ScriptBlock]::Create((Read-Text))); $code = 0 } catch { [Console]::Error.WriteLine("$_"); $code = 1 }
"${END_MARK} $code"`);
export const textLine = line;

/**
 * Runs the script that BERTH_SCRIPT names, stopping at its first error; its exit code is the script's, or that of its last
 * program. From PowerShell 7.4 on a program that fails is such an error, as in sh -e; Windows PowerShell has no way to say so.
 */
export const PS_COMMAND = `$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'; $PSNativeCommandUseErrorActionPreference = $true
try { [Console]::OutputEncoding = $OutputEncoding = New-Object Text.UTF8Encoding $false } catch { [Console]::Error.WriteLine("$_") }
$global:LASTEXITCODE = 0
$berth = $env:BERTH_SCRIPT
Remove-Item Env:BERTH_SCRIPT
try { & $berth } catch {
  [Console]::Error.WriteLine(($_ | Out-String))
  if ($LASTEXITCODE) { exit $LASTEXITCODE }
  exit 1
}
exit $LASTEXITCODE`;

/** Command line of a PowerShell script. */
export const PS_LINE = powershell(PS_COMMAND);

/**
 * Command line of a batch file. /d: nothing that the registry names runs before it. /v:on: `!NAME!` is put in after the line was
 * read, so a value never becomes syntax, as the path of the script does not here.
 */
export const CMD_LINE = 'cmd.exe /d /v:on /s /c ""!BERTH_SCRIPT!""';

/** A script as its shell reads it: with a byte order mark, or Windows PowerShell takes it for text in the code page of the system. */
export const psScript = (text: string): string => `\ufeff${text}`;

/** A batch file: labels are only found where lines end in CR LF; and it prints what it prints, in UTF-8, not its own lines. */
export const cmdScript = (text: string): string => `@echo off\r\n@chcp 65001 >nul\r\n${text.replace(/\r?\n/g, '\r\n')}\r\n`;

