import { nativePath, psQuote } from './quote.js';

/** What a Windows host says of itself, in the lines of looks/facts-text.ts. Tools are asked all at once and have two seconds. */
export const factsOnWindows = (folder: string): string => `
$system = Get-CimInstance Win32_OperatingSystem
$arch = if ($env:PROCESSOR_ARCHITEW6432) { $env:PROCESSOR_ARCHITEW6432 } else { $env:PROCESSOR_ARCHITECTURE }
$arch = if ($arch -eq 'AMD64') { 'x86_64' } else { $arch.ToLowerInvariant() }
'os=windows'
"arch=$arch"
"kernel=$($system.Version)"
"cpus=$([Environment]::ProcessorCount)"
"memory=$([Math]::Floor($system.TotalVisibleMemorySize / 1024))MiB"
'distro=windows'
"distroVersion=$($system.Version)"
"powershell=$($PSVersionTable.PSVersion.Major).$($PSVersionTable.PSVersion.Minor)"
$drive = [IO.Path]::GetPathRoot(${psQuote(nativePath(folder))})
try { "disk=$([Math]::Floor((New-Object IO.DriveInfo $drive).AvailableFreeSpace / 1048576))MiB" } catch { [Console]::Error.WriteLine("$_") }
$asked = @()
foreach ($tool in @('git', '--version'), @('node', '--version'), @('docker', '--version'), @('python', '--version'), @('make', '--version'), @('gcc', '--version'), @('cargo', '--version'), @('cmake', '--version'), @('java', '-version'), @('go', 'version')) {
  $found = Get-Command "$($tool[0]).exe" -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
  if (-not $found) { continue }
  $start = New-Object Diagnostics.ProcessStartInfo
  $start.FileName = $found.Path
  $start.Arguments = $tool[1]
  $start.UseShellExecute = $false
  $start.RedirectStandardInput = $true
  $start.RedirectStandardOutput = $true
  $start.RedirectStandardError = $true
  try { $run = [Diagnostics.Process]::Start($start) } catch { [Console]::Error.WriteLine("$_"); continue }
  $run.StandardInput.Close()
  $asked += @{ Name = $tool[0]; Run = $run; Out = $run.StandardOutput.ReadToEndAsync(); Err = $run.StandardError.ReadToEndAsync() }
}
$until = [DateTime]::UtcNow.AddSeconds(2)
foreach ($one in $asked) {
  $left = [Math]::Max(0, ($until - [DateTime]::UtcNow).TotalMilliseconds)
  if (-not $one.Run.WaitForExit([int]$left)) { try { $one.Run.Kill() } catch { [Console]::Error.WriteLine("$_") }; "$($one.Name)=yes"; continue }
  # A stand-in of the store, say, which only tells where to get the tool.
  if ($one.Run.ExitCode -ne 0) { continue }
  $said = $one.Out.Result + ' ' + $one.Err.Result
  $version = if ($said -match '[0-9]+(\\.[0-9]+)+') { $Matches[0] } else { 'yes' }
  $name = if ($one.Name -eq 'python' -and $version.StartsWith('3')) { 'python3' } else { $one.Name }
  "$name=$version"
}
`;

/** Folders of working copies and leases with their times, by the host's own clock, in the lines of looks/folders-text.ts. */
export const foldersOnWindows = (folder: string): string => `
$copies = ${psQuote(nativePath(`${folder}/copies`))}
if ([IO.Directory]::Exists($copies)) {
  $epoch = New-Object DateTime 1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc)
  "now=$([Math]::Floor(([DateTime]::UtcNow - $epoch).TotalSeconds))"
  foreach ($one in [IO.Directory]::GetDirectories($copies)) { "$([Math]::Floor(([IO.Directory]::GetLastWriteTimeUtc($one) - $epoch).TotalSeconds)) $([IO.Path]::GetFileName($one))" }
}
`;

/** Tries \`command\` until it ends well, with \`mark\` before each try, as the loop of a POSIX host does. */
export const untilReadyOnWindows = (command: string, mark: string): string => `$ErrorActionPreference = 'Continue'
$ready = Join-Path $PSScriptRoot 'ready.ps1'
[IO.File]::WriteAllText($ready, ${psQuote(`$ErrorActionPreference = 'Stop'\r\n${command}`)}, (New-Object Text.UTF8Encoding $true))
while ($true) {
  ''
  ${psQuote(mark)}
  $global:LASTEXITCODE = 0
  $well = $true
  try { & $ready } catch { "$_"; $well = $false }
  if ($well -and $LASTEXITCODE -eq 0) { exit 0 }
  Start-Sleep -Milliseconds 200
}
`;
