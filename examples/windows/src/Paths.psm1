<# The longest folder that all of the paths are in; empty when there is none. #>
function Get-CommonFolder {
    param([Parameter(Mandatory)][string[]] $Path)
    $common = @(($Path[0] -split '[\\/]') | Select-Object -SkipLast 1)
    foreach ($one in $Path) {
        $parts = @(($one -split '[\\/]') | Select-Object -SkipLast 1)
        $same = 0
        while ($same -lt $common.Count -and $same -lt $parts.Count -and $common[$same] -eq $parts[$same]) { $same++ }
        $common = @($common | Select-Object -First $same)
    }
    $common -join '\'
}

Export-ModuleMember -Function Get-CommonFolder
