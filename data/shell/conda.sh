# conda.sh - `conda` for POSIX shells (bash, dash, ash, ksh, zsh): to be sourced. Activation changes
# variables, so it has to happen in the shell: the program prints what to do, and eval does it.
export CONDA_EXE='@EXE@'
export _CE_M=''
export _CE_CONDA=''
export CONDA_PYTHON_EXE='@PYTHON@'

__conda_activate() {
	__conda_text=$(PS1="${PS1-}" "$CONDA_EXE" shell.posix "$@") || return
	eval "$__conda_text"
	unset __conda_text
	hash -r 2>/dev/null || :
}

conda() {
	case "${1-}" in
	activate | deactivate)
		__conda_activate "$@"
		;;
	install | update | upgrade | remove | uninstall)
		"$CONDA_EXE" "$@" || return
		__conda_activate reactivate
		;;
	*)
		"$CONDA_EXE" "$@"
		;;
	esac
}

if [ -z "${CONDA_SHLVL+x}" ]; then
	export CONDA_SHLVL=0
	# A shell that reads its files twice finds CONDA_SHLVL set and leaves PATH alone.
	# shellcheck disable=SC2123
	case ":${PATH-}:" in
	*:'@ROOT@/condabin':*) ;;
	*) PATH='@ROOT@/condabin'"${PATH:+:$PATH}" ;;
	esac
	export PATH
	# Shells that never showed a prompt have none: activation still wants to read it.
	if [ -z "${PS1+x}" ]; then
		PS1=
	fi
fi
