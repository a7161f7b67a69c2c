# conda.xsh - `conda` for xonsh: to be sourced.
$CONDA_EXE = '@EXE@'
$CONDA_PYTHON_EXE = '@PYTHON@'
if 'CONDA_SHLVL' not in ${...}:
    $CONDA_SHLVL = '0'
    $PATH.insert(0, '@ROOT@/condabin')

def _conda_shell(args):
    from subprocess import run, PIPE
    done = run([$CONDA_EXE, 'shell.xonsh', *args], stdout=PIPE, env=${...}.detype())
    if done.returncode == 0:
        __xonsh__.builtins.execx(done.stdout.decode(), 'exec', __xonsh__.ctx, filename='conda')
    return done.returncode

def _conda(args):
    from subprocess import run
    word = args[0] if args else ''
    if word in ('activate', 'deactivate'):
        return _conda_shell(args)
    status = run([$CONDA_EXE, *args], env=${...}.detype()).returncode
    if status == 0 and word in ('install', 'update', 'upgrade', 'remove', 'uninstall'):
        return _conda_shell(['reactivate'])
    return status

aliases['conda'] = _conda
