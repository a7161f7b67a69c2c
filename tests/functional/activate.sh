#!/bin/sh
# Activation as people do it: the functions sourced, then `conda activate`, in each POSIX shell that
# is here.
. "$(dirname "$0")/lib.sh"

channel main <<'TABLE'
package tool 1.0 0
  file bin/tool 0755
  | #!/bin/sh
  | echo the tool
package vars 1.0 0
  file etc/conda/activate.d/vars.sh
  | export VARS_SEEN="$CONDA_PREFIX"
  file etc/conda/deactivate.d/vars.sh
  | unset VARS_SEEN
  | LEFT=yes
TABLE
cat >"$HOME/.condarc" <<E2
channels:
  - file://$T/main
default_channels: []
E2
ln -s "$CONDA" "$R/bin/conda"
run create -yq -n work tool vars
run create -yq -n other tool
run create -yq -p "$T/with space" tool
run env config vars set -n work "COLOUR=red and blue"

begin "init writes the functions and the rc file"
run init bash
expect_status 0
expect_file "$R/etc/profile.d/conda.sh"
expect_file "$R/condabin/conda"
grep -q 'conda initialize' "$HOME/.bashrc" || bad "no block in .bashrc"
run init bash
expect_status 0
expect_same "$(grep -c '>>> conda initialize' "$HOME/.bashrc")" 1

unset CONDA_ROOT_PREFIX

# in_shell SHELL TEXT: a clean environment, as a login has it.
in_shell()
{
	# shellcheck disable=SC2086 # "busybox ash" is two words
	env -i HOME="$HOME" PATH=/usr/bin:/bin TERM=dumb R="$R" T="$T" \
		CONDA_ENVS_PATH="$CONDA_ENVS_PATH" $1 -euc ". \"\$R/etc/profile.d/conda.sh\"
$2" >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
}

for shell in bash dash 'busybox ash'; do
	command -v "${shell%% *}" >/dev/null || continue

	begin "$shell: an environment by name"
	in_shell "$shell" 'conda activate work
		echo "prefix $CONDA_PREFIX $CONDA_DEFAULT_ENV $CONDA_SHLVL"
		echo "hook $VARS_SEEN"
		echo "colour $COLOUR"
		tool
		conda deactivate
		echo "after ${CONDA_PREFIX-none} ${VARS_SEEN-none} ${COLOUR-none} $LEFT $CONDA_SHLVL"
		command -v tool || echo "no tool"'
	expect_status 0
	expect_out "prefix $T/envs/work work 1"
	expect_out "hook $T/envs/work"
	expect_out "colour red and blue"
	expect_out "the tool"
	expect_out "after none none none yes 0"
	expect_out "no tool"

	begin "$shell: base, another on top, and back"
	in_shell "$shell" 'conda activate
		echo "1 $CONDA_DEFAULT_ENV"
		conda activate other
		echo "2 $CONDA_DEFAULT_ENV $CONDA_SHLVL"
		conda activate "$T/with space"
		echo "3 $CONDA_PREFIX"
		tool
		conda deactivate
		conda deactivate
		echo "4 $CONDA_DEFAULT_ENV $CONDA_SHLVL"
		conda deactivate
		echo "5 $CONDA_SHLVL $PATH"'
	expect_status 0
	expect_out "1 base"
	expect_out "2 other 2"
	expect_out "3 $T/with space"
	expect_out "the tool"
	expect_out "4 base 1"
	expect_out "5 0 $R/condabin:/usr/bin:/bin"

	begin "$shell: what does not exist leaves the shell as it was"
	in_shell "$shell" 'conda activate other
		if conda activate nowhere; then echo activated; else echo "status $?"; fi
		echo "still $CONDA_DEFAULT_ENV"'
	expect_status 0
	expect_out "status 1"
	expect_out "still other"
	expect_err "nowhere"

	begin "$shell: a change of the active environment is seen at once"
	in_shell "$shell" "conda activate other
		CONDA_PKGS_DIRS=$CONDA_PKGS_DIRS conda install -yq vars
		echo \"hook \$VARS_SEEN\"
		CONDA_PKGS_DIRS=$CONDA_PKGS_DIRS conda remove -yq vars
		echo \"gone \${VARS_SEEN-none}\""
	expect_status 0
	expect_out "hook $T/envs/other"
	expect_file "$T/envs/other/bin/tool"
done

finish
