#!/bin/sh
# list, search, info, config, clean, run: looking, and what is not a change of packages.
. "$(dirname "$0")/lib.sh"

channel main <<'TABLE'
package upgr 1.0 0
  license MIT
package upgr 2.0 0
  depends dep >=1
  license MIT
package dep 1.5 h_1
  file etc/conda/activate.d/dep.sh
  | export DEP_ACTIVE="yes in $CONDA_PREFIX"
  file bin/show-dep 0755
  | #!/bin/sh
  | echo "$DEP_ACTIVE|$CONDA_DEFAULT_ENV|$*"
  file bin/seven 0755
  | #!/bin/sh
  | exit 7
TABLE
cat >"$HOME/.condarc" <<E2
channels:
  - file://$T/main
default_channels: []
E2
run create -yq -n demo upgr

begin "list shows name, version, build and channel"
run list -n demo
expect_status 0
expect_out "# packages in environment at $T/envs/demo:"
grep -Eq '^upgr +2\.0 +0 ' "$OUT" || bad "no row"

begin "list with a pattern"
run list -n demo ^de
expect_out dep
expect_no_out upgr

begin "list --json"
run list -n demo --json
expect_json /0/dist_name dep-1.5-h_1
expect_json /1/base_url "file://$T/main"

begin "list of nothing"
run list -n nope
expect_status 1
expect_err "$T/envs/nope"

begin "what pip installed is listed"
mkdir -p "$T/envs/demo/lib/python3.12/site-packages/Some_Pkg-0.5.dist-info"
printf 'Metadata-Version: 2.1\nName: Some_Pkg\nVersion: 0.5\n\nText\nName: not this\n' \
	>"$T/envs/demo/lib/python3.12/site-packages/Some_Pkg-0.5.dist-info/METADATA"
channel py <<'TABLE'
package python 3.12.1 0
  file bin/python3.12
  | not a python
TABLE
run install -yq -n demo -c "file://$T/py" python
run list -n demo
grep -Eq '^some-pkg +0\.5 +pypi_0 +pypi' "$OUT" || bad "no pypi row"

begin "search by name"
run search upgr
expect_status 0
expect_out "1.0"
expect_out "2.0"

begin "search by range, as JSON"
run search 'upgr>1' --json
expect_json /upgr '#1'
expect_json /upgr/0/version 2.0

begin "search --info"
run search upgr=2 --info
expect_out "dependencies"
expect_out "dep >=1"

begin "search for nothing"
run search nosuch
expect_status 1
expect_err nosuch

begin "info --json"
run info --json
expect_status 0
expect_json /root_prefix "$R"
expect_json /channels/0 "file://$T/main/linux-64"

begin "info --envs"
run info --envs
expect_out "$T/envs/demo"

begin "config: set, get, show, remove"
run config --set channel_priority strict
run config --append channels other
run config --get channel_priority
expect_out "strict"
run config --show channels
expect_out "  - other"
run config --remove channels other
expect_status 0
run config --remove-key channel_priority
run config --show channel_priority
expect_out "flexible"

begin "config: bad values"
run config --set channel_priority sometimes
expect_status 1
run config --set nosuchkey 1
expect_status 1
run config --show nosuchkey
expect_status 2

begin "config mends a file that cannot be read"
cp "$HOME/.condarc" "$T/good"
printf 'channel_priority: [\n' >"$HOME/.condarc"
run config --show channels
expect_status 1
expect_err ".condarc"
cp "$T/good" "$HOME/.condarc"

begin "run: arguments, activation, status"
run run -n demo show-dep 'a b' '*'
expect_status 0
expect_text "$OUT" "yes in $T/envs/demo|demo|a b *"
run run -n demo seven
expect_status 7

begin "run: a program that is not there"
run run -n demo no-such-program
expect_status 127
expect_err no-such-program

begin "clean: says what goes, then it is gone"
run clean --tarballs --dry-run
expect_status 0
run clean -ay
expect_status 0
if find "$T/pkgs" -name '*.conda' | grep -q .; then bad "archives are left"; fi

begin "clean keeps what environments are linked to"
expect_file "$T/pkgs/dep-1.5-h_1"

begin "clean without a target"
run clean
expect_status 2

begin "env export, and back"
run env export -n demo
expect_out "name: demo"
run env export -n demo --from-history
cp "$OUT" "$T/environment.yml"
run env create -q -n fromfile -f "$T/environment.yml" -c "file://$T/py"
expect_status 0
expect_file "$T/envs/fromfile/conda-meta/upgr-2.0-0.json"

begin "variables of an environment"
run env config vars set -n demo GREETING=hello
expect_status 0
run run -n demo sh -c 'echo $GREETING'
expect_text "$OUT" hello
run env config vars unset -n demo GREETING
run run -n demo sh -c 'echo "<$GREETING>"'
expect_text "$OUT" "<>"

begin "--version and -V"
run --version
expect_text "$OUT" "conda $(cat "$SOURCE_ROOT/VERSION")"
run -V
expect_status 0

begin "every command has --help"
for command in create install update remove list search info config clean env export run init; do
	run "$command" --help
	expect_status 0
	expect_out "conda $command"
done

begin "a command that is none"
run instal x
expect_status 1
expect_err "conda install"

begin "a full disk behind stdout is told"
"$CONDA" info >/dev/full 2>"$ERR"
STATUS=$?
expect_status 1

finish
