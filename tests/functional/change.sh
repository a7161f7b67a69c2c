#!/bin/sh
# install, update, remove: what moves, what stays, and nothing by half.
. "$(dirname "$0")/lib.sh"

channel main <<'TABLE'
package python 3.12.1 0
  file bin/python3.12
  | not a python
package python 3.12.5 0
  file bin/python3.12
  | not a python
package python 3.13.0 0
  file bin/python3.13
  | not a python
package lib 1.0 0
  file lib/lib.txt
  | lib 1.0
package lib 2.0 0
  file lib/lib.txt
  | lib 2.0
package tool 1.0 0
  depends lib
  file bin/tool 0755
  | #!/bin/sh
  | cat @PREFIX@/lib/lib.txt
package tool 1.1 0
  depends lib >=2
  file bin/tool 0755
  | #!/bin/sh
  | cat @PREFIX@/lib/lib.txt
  file share/tool/new.txt
  | new in 1.1
package pyext 1.0 0
  depends python >=3.12
package notes 1.0 0
  script post-link
  | echo "installed in $PREFIX as $PKG_NAME $PKG_VERSION" > "$PREFIX/notes.txt"
  script pre-unlink
  | rm -f "$PREFIX/notes.txt"
package failing 1.0 0
  file share/failing.txt
  | x
  script post-link
  | exit 3
package rival 1.0 0
  file lib/lib.txt
  | rival
TABLE
cat >"$HOME/.condarc" <<E2
channels:
  - file://$T/main
default_channels: []
aggressive_update_packages: []
add_pip_as_python_dependency: false
E2

run create -yq -n e tool=1.0 lib=1.0 python=3.12.1

begin "what is there already is not installed again"
run install -y -n e tool=1.0
expect_status 0
expect_out "already installed"

begin "a newer version brings what it needs and removes what it had"
run install -y -n e tool=1.1 lib
expect_status 0
expect_same "$("$T/envs/e/bin/tool")" "lib 2.0"
expect_file "$T/envs/e/share/tool/new.txt"
expect_no_file "$T/envs/e/conda-meta/tool-1.0-0.json"

begin "an older version takes the new file and its folder away"
run install -yq -n e tool=1.0
expect_status 0
expect_no_file "$T/envs/e/share/tool"

begin "python stays within its minor version"
run install -yq -n e pyext
expect_status 0
run update -yq -n e --all
expect_status 0
expect_file "$T/envs/e/conda-meta/python-3.12.5-0.json"

begin "unless it is asked for"
run install -yq -n e python=3.13
expect_status 0
expect_file "$T/envs/e/conda-meta/python-3.13.0-0.json"

begin "a pin holds a package, unless another version is named"
echo "lib ==1.0" >"$T/envs/e/conda-meta/pinned"
run update -yq -n e --all
expect_status 0
expect_file "$T/envs/e/conda-meta/lib-1.0-0.json"
run install -yq -n e lib=2.0
expect_status 0
expect_file "$T/envs/e/conda-meta/lib-2.0-0.json"
rm "$T/envs/e/conda-meta/pinned"

begin "remove takes what depends on it"
run remove -y -n e lib
expect_status 0
expect_no_file "$T/envs/e/bin/tool"
expect_no_file "$T/envs/e/lib/lib.txt"
expect_file "$T/envs/e/conda-meta/pyext-1.0-0.json"

begin "remove of what is not there"
run remove -y -n e lib
expect_status 1
expect_err "lib"

begin "scripts run when a package comes and goes"
run install -yq -n e notes
expect_status 0
expect_text "$T/envs/e/notes.txt" "installed in $T/envs/e as notes 1.0"
run remove -yq -n e notes
expect_no_file "$T/envs/e/notes.txt"

begin "a failing script undoes the change"
run install -yq -n e failing
expect_status 1
expect_no_file "$T/envs/e/share/failing.txt"
expect_no_file "$T/envs/e/conda-meta/failing-1.0-0.json"

begin "a revision of the past comes back"
run list -n e --revisions --json
revs=$(grep -c '"rev"' "$OUT")
run install -yq -n e --revision 0
expect_status 0
expect_file "$T/envs/e/conda-meta/tool-1.0-0.json"
[ "$revs" -gt 3 ] || bad "only $revs revisions"

begin "a revision of the future does not"
run install -y -n e --revision 99
expect_status 1
expect_err "99"

begin "--copy copies"
run create -yq -n copied --copy lib
expect_same "$(stat -c %h "$T/envs/copied/lib/lib.txt")" 1

begin "--download-only leaves the environment alone"
run install -y -n e --download-only rival
expect_status 0
expect_no_file "$T/envs/e/conda-meta/rival-1.0-0.json"

begin "two packages with one file: as path_conflict says"
run create -yq -n clobber lib rival
expect_status 0
CONDA_PATH_CONFLICT=prevent run create -yq -n prevent lib rival
expect_status 1
expect_err "lib/lib.txt"
expect_no_file "$T/envs/prevent/lib/lib.txt"

begin "a file edited by hand does not stop a removal"
run create -yq -n edited tool
echo changed >"$T/envs/edited/lib/lib.txt"
run remove -yq -n edited lib
expect_status 0
expect_no_file "$T/envs/edited/lib/lib.txt"

begin "a missing environment"
run install -y -n nowhere lib
expect_status 1
expect_err "$T/envs/nowhere"

begin "a folder that is no environment"
mkdir "$T/plain"
run install -y -p "$T/plain" lib
expect_status 1
expect_err "not a conda environment"

begin "an environment that may not be written"
if [ "$(id -u)" = 0 ]; then
	mkdir "$T/own"
	run create -yq -p "$T/own/env" lib
	mkdir "$T/theirs"
	chown 65534 "$T/theirs"
	chmod 755 "$T" "$T/own"
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		env HOME="$T" CONDA_PKGS_DIRS="$T/theirs" "$CONDA" install -y \
		-p "$T/own/env" tool >"$OUT" 2>"$ERR"
	STATUS=$?
else
	run create -yq -p "$T/own/env" lib
	chmod a-w "$T/own/env/conda-meta"
	run install -y -p "$T/own/env" tool
fi
expect_status 1
expect_err "$T/own/env"

begin "remove --all removes the environment"
run remove -y -n e --all
expect_status 0
expect_no_file "$T/envs/e"
if grep -qx "$T/envs/e" "$HOME/.conda/environments.txt"; then bad "still registered"; fi

begin "but not base"
run remove -y -n base --all
expect_status 1

finish
