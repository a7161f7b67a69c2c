# conda.sh - of the stand-in release: `conda` as a function of POSIX shells.
# shellcheck shell=sh
export CONDA_EXE='@PREFIX@/bin/conda'
export _CE_M=''
export _CE_CONDA=''
export CONDA_PYTHON_EXE='@PREFIX@/bin/python'

__conda_exe() (
	"$CONDA_EXE" ${_CE_M:+"$_CE_M"} ${_CE_CONDA:+"$_CE_CONDA"} "$@"
)

__conda_activate() {
	ask_conda=$(PS1="${PS1:-}" __conda_exe shell.posix "$@") || return
	eval "$ask_conda"
	hash -r
}

conda() {
	cmd=${1-__missing__}
	case "$cmd" in
	activate | deactivate) __conda_activate "$@" ;;
	install | update | upgrade | remove | uninstall)
		__conda_exe "$@" || return
		__conda_activate reactivate
		;;
	*) __conda_exe "$@" ;;
	esac
}

if [ -z "${CONDA_SHLVL+x}" ]; then
	export CONDA_SHLVL=0
	PATH='@PREFIX@/condabin:'"$PATH"
	export PATH
fi
