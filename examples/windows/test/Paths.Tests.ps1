# Prints TAP, and keeps it in a file; ends with 1 when a test failed.
param([Parameter(Mandatory)][string] $Report)

Import-Module (Join-Path $PSScriptRoot '../src/Paths.psm1') -Force

$tests = [ordered]@{
    'paths in one folder have that folder' = { (Get-CommonFolder 'C:\a\b.txt', 'C:\a\c.txt') -eq 'C:\a' }
    'both kinds of slashes separate'       = { (Get-CommonFolder 'C:/a/b/x', 'C:\a\y') -eq 'C:\a' }
    'other drives have nothing in common'  = { (Get-CommonFolder 'C:\a', 'D:\a') -eq '' }
}
$number = 0
$failed = 0
$lines = @("1..$($tests.Count)")
foreach ($name in $tests.Keys) {
    $number++
    $holds = & $tests[$name]
    if (-not $holds) { $failed++ }
    $lines += "$(if ($holds) { 'ok' } else { 'not ok' }) $number - $name"
}
$lines
# Windows PowerShell writes UTF-16 unless told otherwise.
$lines | Set-Content -Path $Report -Encoding ascii
exit [int]($failed -gt 0)
