# conda.ps1 - `conda` for PowerShell: to be evaluated.
$Env:CONDA_EXE = "@EXE@"
$Env:_CE_M = ""
$Env:_CE_CONDA = ""
$Env:_CONDA_ROOT = "@ROOT@"
$Env:_CONDA_EXE = "@EXE@"
function global:conda {
    $word = if ($args.Count) { "$($args[0])" } else { "" }
    if ($word -in "activate", "deactivate") {
        $text = & $Env:CONDA_EXE shell.powershell @args | Out-String
        if ($LASTEXITCODE -eq 0) { Invoke-Expression $text }
        return
    }
    & $Env:CONDA_EXE @args
    if ($LASTEXITCODE -eq 0 -and $word -in "install", "update", "upgrade", "remove", "uninstall") {
        Invoke-Expression (& $Env:CONDA_EXE shell.powershell reactivate | Out-String)
    }
}
