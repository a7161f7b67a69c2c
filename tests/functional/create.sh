#!/bin/sh
# create: new environments, and everything that can be wrong with the request.
. "$(dirname "$0")/lib.sh"

channel main <<'TABLE'
package libz 1.2 0
  file lib/libz.txt
  | zlib 1.2
package libz 1.3 0
  file lib/libz.txt
  | zlib 1.3
package hello 1.0 h_0
  depends libz >=1.2
  license MIT
  file bin/hello 0755
  | #!/bin/sh
  | echo hello from @PREFIX@
package hello 2.0 h_0
  depends libz >=1.3
  file bin/hello 0755
  | #!/bin/sh
  | echo hello 2 from @PREFIX@
package one 1.0 0
  depends mutex 1.0 one
package two 1.0 0
  depends mutex 1.0 two
package mutex 1.0 one
package mutex 1.0 two
package generic 1.0 0 noarch generic bz2
  file share/generic.txt
  | data of @PREFIX@
TABLE
cat >"$HOME/.condarc" <<E2
channels:
  - file://$T/main
default_channels: []
aggressive_update_packages: []
E2

begin "a package comes with what it depends on"
run create -y -n work hello
expect_status 0
expect_text "$T/envs/work/lib/libz.txt" "zlib 1.3"
expect_same "$("$T/envs/work/bin/hello")" "hello 2 from $T/envs/work"
expect_file "$T/envs/work/conda-meta/hello-2.0-h_0.json"
expect_out "conda activate work"

begin "its history says what was asked for"
grep -q "^# update specs: \['hello'\]" "$T/envs/work/conda-meta/history" || bad "no update specs"
grep -q "^+file://$T/main/linux-64::hello-2.0-h_0" "$T/envs/work/conda-meta/history" ||
	bad "no +hello"

begin "with SOURCE_DATE_EPOCH, its history has that date"
SOURCE_DATE_EPOCH=90061 "$CONDA" create -yq -n dated hello >"$OUT" 2>"$ERR" </dev/null
STATUS=$?
expect_status 0
expect_same "$(sed -n 1p "$T/envs/dated/conda-meta/history")" "==> 1970-01-02 01:01:01 <=="
run remove -yq -n dated --all
expect_status 0

begin "the environment is known by name and by path"
expect_text "$HOME/.conda/environments.txt" "$T/envs/work"
run env list
expect_out "work"

begin "an exact version, by path, quietly"
run create -yq -p "$T/by path/env" hello=1.0
expect_status 0
expect_same "$("$T/by path/env/bin/hello")" "hello from $T/by path/env"

begin "a .tar.bz2 that is noarch"
run create -yq -n generic generic
expect_status 0
expect_text "$T/envs/generic/share/generic.txt" "data of $T/envs/generic"

begin "an empty environment"
run create -y -n empty
expect_status 0
expect_file "$T/envs/empty/conda-meta/history"

begin "--json tells the actions and nothing else"
run create -n json --dry-run --json hello
expect_status 0
expect_json /success true
expect_json /dry_run true
expect_json /actions/LINK '#2'
expect_json /actions/LINK/1/dist_name hello-2.0-h_0
expect_no_file "$T/envs/json"

begin "--dry-run changes nothing"
run create -n dry --dry-run hello
expect_status 0
expect_out "hello"
expect_no_file "$T/envs/dry"

begin "a no to the question changes nothing"
run_in 'n
' create -n declined hello
expect_status 0
expect_err "Exiting"
expect_no_file "$T/envs/declined/conda-meta/hello-2.0-h_0.json"

begin "--no-deps"
run create -yq -n nodeps --no-deps hello
expect_status 0
expect_no_file "$T/envs/nodeps/lib/libz.txt"

begin "--only-deps"
run create -yq -n onlydeps --only-deps hello
expect_status 0
expect_file "$T/envs/onlydeps/lib/libz.txt"
expect_no_file "$T/envs/onlydeps/bin/hello"

begin "specs from a file, with comments, CRLF and no last newline"
printf '# specs\r\nhello=1.0   # the old one\r\n\r\ngeneric' >"$T/specs.txt"
run create -yq -n fromfile --file "$T/specs.txt"
expect_status 0
expect_file "$T/envs/fromfile/conda-meta/hello-1.0-h_0.json"
expect_file "$T/envs/fromfile/conda-meta/generic-1.0-0.json"

begin "an explicit list makes the same environment again"
run list -n work --explicit --md5
expect_status 0
cp "$OUT" "$T/explicit.txt"
run create -yq -n again --file "$T/explicit.txt"
expect_status 0
expect_same "$("$T/envs/again/bin/hello")" "hello 2 from $T/envs/again"

begin "a clone"
run create -yq -n copy --clone work
expect_status 0
expect_same "$("$T/envs/copy/bin/hello")" "hello 2 from $T/envs/copy"

begin "a package file by path"
run create -yq -n bypath "$T/main/linux-64/hello-1.0-h_0.conda"
expect_status 0
expect_file "$T/envs/bypath/bin/hello"
expect_no_file "$T/envs/bypath/lib/libz.txt"

begin "offline, from what is cached"
run create -yq -n offline --offline hello
expect_status 0

# wrong requests: WORDS | status | what stderr says
while IFS='|' read -r words status text; do
	begin "refused: conda $words"
	# shellcheck disable=SC2086
	run $words
	expect_status "$status"
	expect_err "$text"
	[ "$(wc -c <"$ERR")" -lt 1500 ] || bad "the error is not one look"
done <<'ROWS'
create -y -n x nosuchpackage|1|nosuchpackage
create -y -n x hello=9|1|hello=9
create -y -n x hello>=1..0|1|hello
create -y -n x one two|1|mutex
create -y hello|2|-n NAME or -p
create -y -n a/b hello|1|a/b
create -y -n x -p /tmp/y hello|2|not allowed with
create -y -n x --frobnicate|2|frobnicate
create -y -n x --chanel c hello|2|--channel
create -y -n x --file /no/such/file|1|/no/such/file
create -y -n x --override-channels hello|2|override
create -y -n x -c file:///no/such/channel hello|1|/no/such/channel
create -y -n base hello|1|base
create -y -n x --clone nowhere|1|nowhere
create -y -p /proc/nothing/here hello|1|/proc/nothing/here
ROWS

begin "what was refused left nothing behind"
expect_no_file "$T/envs/x"

begin "errors are JSON with --json"
run create -y -n x --json nosuchpackage
expect_status 1
expect_json /exception_name PackagesNotFoundError
expect_json /packages/0 nosuchpackage

finish
