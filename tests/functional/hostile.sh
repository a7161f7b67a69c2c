#!/bin/sh
# hostile: odd words, odd places, odd channels: nothing is lost, leaked or left half done.
. "$(dirname "$0")/lib.sh"

channel "odd ch%41n" <<'TABLE'
package hello 1.0 h_0
  file bin/hello 0755
  | #!/bin/sh
  | echo hello
package deep 1.0 0
  file share/deep/a.txt
  | a
TABLE
cat >"$HOME/.condarc" <<E2
channels:
  - file://$T/odd%20ch%2541n
default_channels: []
aggressive_update_packages: []
safety_checks: enabled
extra_safety_checks: true
E2
ESC=$(printf '\033')

begin "an empty path is no place"
cd "$T" || exit 1
run create -y -p "" hello
expect_status 1
expect_err "path of -p/--prefix is empty"
expect_no_file "$T/conda-meta"

begin "a path that counts from a folder that is gone"
mkdir "$T/gone" && cd "$T/gone" && rmdir "$T/gone"
run create -y -p "no-such-$$/env" --offline
expect_status 1
expect_err "current folder is not there"
expect_no_file "/no-such-$$"
cd "$T" || exit 1

begin "nor is the root folder"
run create -y -p / --offline hello
expect_status 1
expect_err "root folder cannot be an environment"

begin "a folder with files is asked about, and no answer is a no"
mkdir "$T/mine" && echo data >"$T/mine/data"
run create -p "$T/mine" hello
expect_status 0
expect_err "Exiting"
expect_out "not a conda environment"
expect_no_file "$T/mine/conda-meta"
run create -y -p "$T/mine" hello
expect_status 0
expect_text "$T/mine/data" data

begin "an environment is replaced after a yes alone"
run create -p "$T/mine" hello
expect_err "Exiting"
expect_file "$T/mine/data"
run_in 'n
' create -p "$T/mine"
expect_err "Exiting"
expect_file "$T/mine/data"
run_in 'y
' create -p "$T/mine"
expect_status 0
expect_no_file "$T/mine/data"

begin "base stays, whatever it is called, and so does what holds it"
ln -s "$R" "$T/alias"
run remove -y --all -p "$T/alias"
expect_status 1
mkdir -p "$T/conda-meta" && : >"$T/conda-meta/history"
run remove -y --all -p "$T"
expect_status 1
expect_err "base environment '$R' is in it"
expect_file "$R/conda-meta/history"
rm -r "$T/conda-meta"

begin "the home folder is no environment to remove"
mkdir "$HOME/conda-meta" && : >"$HOME/conda-meta/history"
run remove -y --all -p "$HOME"
expect_status 1
expect_err "home folder"
expect_file "$HOME/.condarc"
rm -r "$HOME/conda-meta"

begin "a package file whose path has blanks"
run create -y -n file "$T/odd ch%41n/linux-64/hello-1.0-h_0.conda"
expect_status 0
expect_file "$T/envs/file/bin/hello"

begin "the URL of a spec is where the package comes from"
serve "$T"
printf 'channels: []\ndefault_channels: []\n' >"$T/condarc"
mv "$HOME/.condarc" "$T/saved"
mv "$T/condarc" "$HOME/.condarc"
run create -y -n url "$URL/odd%20ch%2541n::hello"
expect_status 0
grep -qF "+$URL/odd%20ch%2541n/linux-64::hello-1.0-h_0" "$T/envs/url/conda-meta/history" ||
	bad "another channel"

begin "passwords and tokens are not in history"
run create -y -n secret -c "$(echo "$URL" | sed 's,//,//me:pass-word@,')/odd%20ch%2541n" hello
expect_status 0
mkdir -p "$T/t/to-ken" && cp -R "$T/odd ch%41n" "$T/t/to-ken/main"
run install -y -n secret --force-reinstall -c "$URL/t/to-ken/main" hello
grep -rq -e pass-word -e to-ken "$T/envs/secret" "$OUT" "$ERR" && bad "a secret is kept"
grep -qF "conda create -y -n secret -c $URL/odd" "$T/envs/secret/conda-meta/history" ||
	bad "no command line"
stop_server
mv "$T/saved" "$HOME/.condarc"

begin "an empty word is no package, least of all every one"
run remove -y -n file ""
expect_status 1
expect_err "package specification is empty"
run install -y -n file " "
expect_status 1
expect_file "$T/envs/file/bin/hello"

begin "a pin that cannot be read is told"
echo 'hello [[[' >"$T/envs/file/conda-meta/pinned"
run install -y -n file deep
expect_status 1
expect_err "'hello [[['"
expect_err "conda-meta/pinned"
run install -y -n file --no-pin deep
expect_status 0

begin "a file that is no program"
run run -n file "$HOME/.condarc"
expect_status 126
expect_err "Permission denied"
run run -n file no-such-program
expect_status 127

begin "a folder of a package that became a link brings nothing"
run create -y -n deep deep
expect_status 0
mv "$T/pkgs/deep-1.0-0/share/deep" "$T/outside"
ln -s "$T/outside" "$T/pkgs/deep-1.0-0/share/deep"
run create -y -n deep2 deep
expect_status 1
expect_err "behind a link"
expect_no_file "$T/envs/deep2/share"

begin "no terminal escape comes through"
mkdir -p "$T/envs/x${ESC}[31m/conda-meta"
printf '==> 2026-01-01 00:00:00 <==\n# cmd: x\n+foo-1-%s[31m0\n' "$ESC" \
	>"$T/envs/x${ESC}[31m/conda-meta/history"
run env list
expect_no_out "$ESC"
expect_out "x?[31m"
run list --revisions -p "$T/envs/x${ESC}[31m"
expect_status 0
expect_no_out "$ESC"
rm -r "$T/envs/x${ESC}[31m"

begin "a prompt of one's own reaches the shell as it is"
CONDA_ENV_PROMPT="${ESC}[32m({default_env})${ESC}[0m " run shell.posix activate "$T/envs/deep"
expect_status 0
expect_out "${ESC}[32m("

begin "a value that no file can hold"
cp "$HOME/.condarc" "$T/saved"
run config --add channels "$(printf 'a\377b')"
expect_status 1
expect_err "not UTF-8"
cmp -s "$HOME/.condarc" "$T/saved" || bad ".condarc changed"
run list -n deep
expect_status 0

begin "JSON, quiet and dry run of the environment variables"
CONDA_JSON=1 run list -n nowhere
expect_status 1
expect_json /exception_name EnvironmentLocationNotFound
CONDA_QUIET=1 run search hello
expect_status 0
expect_no_err metadata
CONDA_DRY_RUN=1 CONDA_JSON=1 run create -y -n dry hello
expect_status 0
expect_json /dry_run true
expect_no_file "$T/envs/dry"

begin "a record that cannot be read is named, with what to do"
echo '{' >"$T/envs/deep/conda-meta/broken-1-0.json"
run list -n deep
expect_status 1
expect_err "remove 'broken-1-0.json'"

finish
