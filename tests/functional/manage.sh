#!/bin/sh
# rename, compare, doctor and clone: whole environments.
. "$(dirname "$0")/lib.sh"

channel main <<'TABLE'
package lib 1.0 0
  file lib/lib.txt
  | lib 1.0
package tool 1.0 0
  depends lib
  file bin/tool 0755
  | #!/bin/sh
  | cat @PREFIX@/lib/lib.txt
TABLE
cat >"$HOME/.condarc" <<E2
channels:
  - file://$T/main
default_channels: []
E2
run create -yq -n one tool
run env config vars set -n one COLOUR=red
echo "I am in $T/envs/one" >"$T/envs/one/own.txt"
printf 'bytes\0%s' "$T/envs/one" >"$T/envs/one/own.bin"

begin "a rename shows what it would do"
run rename -n one two --dry-run
expect_status 0
expect_out "$T/envs/two"
expect_file "$T/envs/one/bin/tool"
expect_no_file "$T/envs/two"

begin "a rename takes along what no package brought"
run rename -n one two
expect_status 0
expect_no_file "$T/envs/one"
expect_same "$("$T/envs/two/bin/tool")" "lib 1.0"
expect_text "$T/envs/two/own.txt" "I am in $T/envs/two"
expect_same "$(tr '\0' ' ' <"$T/envs/two/own.bin")" "bytes $T/envs/one"
run env config vars list -n two
expect_out "COLOUR = red"
run env list
expect_out "$T/envs/two"
expect_no_out "$T/envs/one"

begin "a rename does not overwrite"
run create -yq -n three lib
run rename -n two three
expect_status 1
expect_err "--force"
expect_file "$T/envs/two/bin/tool"
expect_no_file "$T/envs/three/bin/tool"

begin "unless it is told to, and to a path"
run rename -n two "$T/envs/three" --force --json
expect_status 0
expect_json /success true
expect_file "$T/envs/three/bin/tool"
expect_no_file "$T/envs/two"

begin "base and what is not there are not renamed"
run rename -n base other
expect_status 1
run rename -n nowhere other
expect_status 1
expect_err "$T/envs/nowhere"

begin "a copy by --clone"
run create -yq -n copy --clone three
expect_status 0
expect_text "$T/envs/copy/own.txt" "I am in $T/envs/copy"
expect_file "$T/envs/three/bin/tool"
run list -n copy
expect_out "tool"

begin "compare: all is there"
printf 'dependencies:\n  - tool=1.0\n  - lib\n' >"$T/want.yml"
run compare -n copy "$T/want.yml"
expect_status 0

begin "compare: what is another and what is missing"
printf 'dependencies:\n  - tool=2\n  - absent\n  - pip:\n    - -e .\n    - some_thing>1\n' >"$T/want.yml"
run compare -n copy "$T/want.yml"
expect_status 1
expect_out "tool=2: tool=1.0=0 is installed"
expect_out "absent: not installed"
expect_out "some-thing: not installed"
run compare -n copy "$T/nowhere.yml"
expect_status 1
expect_err "$T/nowhere.yml"

begin "doctor finds nothing"
run doctor -n copy
expect_status 0

begin "doctor finds what is missing and what was altered"
rm "$T/envs/copy/bin/tool"
echo other >"$T/envs/copy/lib/new" && mv "$T/envs/copy/lib/new" "$T/envs/copy/lib/lib.txt"
run doctor -n copy
expect_status 1
expect_out "missing  bin/tool"
expect_out "altered  lib/lib.txt"
run doctor -n copy --json
expect_status 1
expect_json /success false
expect_json /missing/tool/0 bin/tool

begin "errors that tools read"
run install -n copy -y --json absent
expect_status 1
expect_json /exception_name PackagesNotFoundError
expect_json /packages/0 absent
expect_json /packages_formatted "  - absent"
expect_json /channel_urls/1 "file://$T/main/noarch"

finish
