#!/bin/sh
# condense slim: an environment made by conda, before and after; what conda says of it; what is
# refused; what an interruption leaves.
# shellcheck source=tests/functional/lib.sh
. "$(dirname "$0")/lib.sh"

slim()
{
	"$CONDENSE" slim "$@" >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
}

# Every file with its size, names and content's sum, without the times.
tree()
{
	(cd "$1" && find . -type f -exec cksum {} + | sort -k3 && find . -type l | sort)
}

mkdir -p "$T/recipes" "$T/files"
line='the same text in two files, long enough to be worth a link of its own.'
i=0
while [ $i -lt 40 ]; do
	echo "$line"
	i=$((i + 1))
done >"$T/files/long"
printf '!<arch>\n' >"$T/files/libx.a"
cat >"$T/recipes/a.recipe" <<'EOF'
package fat
  version = 1.0
  license MIT
  summary much of nothing
  noarch generic
  copy ${files}/libx.a lib/libx.a
  copy ${files}/long share/fat/one
  copy ${files}/long share/fat/two
  copy ${files}/long etc/fat/one
  copy ${files}/long etc/fat/two
  write share/man/man1/fat.1
  |.TH fat
  write share/doc/fat/README
  |read me
  write share/doc/fat/LICENSE
  |MIT
  write lib/python3.13/site-packages/fat/__init__.py
  |import os
  write lib/python3.13/site-packages/fat/tests/test_fat.py
  |import fat
  write lib/python3.13/site-packages/fat-1.0.dist-info/RECORD
  |fat/__init__.py,sha256=x,10
  |fat/tests/test_fat.py,sha256=y,11
  write bin/fat 755
  |#!/bin/sh
  |echo ${PREFIX}
EOF
"$CONDENSE" repack --recipes "$T/recipes" --set "files=$T/files" --debs "$T/files" --work "$T" \
	--epoch 1700000000 --level 1 --out "$T/channel" >"$OUT" 2>"$ERR" &&
	"$CONDENSE" index "$T/channel" >"$OUT" 2>"$ERR" || {
	cat "$ERR"
	echo "Bail out! no channel"
	exit 1
}

environment() # PATH
{
	rm -rf "$1"
	run create -y -q -p "$1" --override-channels -c "file://$T/channel" fat
	expect_status 0
	# the cache is under the same root: nothing here shares its files
	rm -rf "$T/pkgs"
}

begin 'an environment loses what it does not need, and conda has nothing to say'
environment "$T/env"
tree "$T/env" >"$T/before"
slim --dry-run --json "$T/env"
expect_status 0
expect_json /dry_run true
tree "$T/env" >"$T/after"
expect_same "$(cat "$T/after")" "$(cat "$T/before")"
cp "$OUT" "$T/dry"
slim --json "$T/env"
expect_status 0
expect_same "$(sed '/dry_run/d' "$OUT")" "$(sed '/dry_run/d' "$T/dry")"
for name in lib/libx.a share/man share/doc/fat/README lib/python3.13/site-packages/fat/tests; do
	expect_no_file "$T/env/$name"
done
expect_file "$T/env/share/doc/fat/LICENSE"
expect_same "$(stat -c %h "$T/env/share/fat/one" "$T/env/etc/fat/one" | tr '\n' ' ')" "2 1 "
expect_same "$(cat "$T/env/lib/python3.13/site-packages/fat-1.0.dist-info/RECORD")" \
	"fat/__init__.py,sha256=x,10"
run doctor -p "$T/env"
expect_status 0
expect_out "All files are there"
expect_same "$("$T/env/bin/fat")" "$T/env"
run list -p "$T/env"
expect_out fat

begin 'a second run saves nothing'
tree "$T/env" >"$T/before"
slim "$T/env"
expect_status 0
expect_out "saved               0              0"
tree "$T/env" >"$T/after"
expect_same "$(cat "$T/after")" "$(cat "$T/before")"

begin 'the same environment gives the same files and times'
for copy in one two; do
	environment "$T/same"
	slim --quiet "$T/same"
	expect_status 0
	tree "$T/same" | grep -v conda-meta >"$T/$copy.tree"
	rm -rf "$T/same"
done
expect_same "$(cat "$T/one.tree")" "$(cat "$T/two.tree")"

begin 'conda removes the package and leaves nothing of it'
run remove -y -q -p "$T/env" fat
expect_status 0
expect_same "$(cd "$T/env" && find . -type f ! -path './conda-meta/*')" ""

begin 'rules, patterns and a subtree are obeyed'
while IFS='|' read -r words gone stays; do
	environment "$T/env"
	# shellcheck disable=SC2086 # words
	slim $words --quiet "$T/env"
	expect_status 0
	for name in $gone; do expect_no_file "$T/env/$name"; done
	for name in $stays; do expect_file "$T/env/$name"; done
	run doctor -p "$T/env"
	expect_status 0
done <<'EOF'
--rules static|lib/libx.a|share/man/man1/fat.1
--rules docs,static|lib/libx.a share/man|
--skip docs|lib/libx.a|share/man/man1/fat.1
--keep libx.a|share/man|lib/libx.a
--keep share/man/man1/*.1|lib/libx.a|share/man/man1/fat.1
--subtree share|share/man|lib/libx.a
--skip static,docs --skip tests||lib/libx.a share/man/man1/fat.1
EOF
environment "$T/env"
printf '# a comment\n\n  share/man \n' >"$T/keep"
slim --keep-from "$T/keep" --list "$T/env"
expect_status 0
expect_file "$T/env/share/man/man1/fat.1"
expect_out "lib/libx.a"

begin 'what is no root, or the one that runs, is refused'
mkdir -p "$T/empty"
echo '{' >"$T/bad.json"
for root in / /proc/self/root "$T/empty" "$T/none" "$T/bad.json"; do
	slim "$root"
	[ "$STATUS" -ne 0 ] || bad "'$root' is taken"
	expect_err "$root"
done
while IFS='|' read -r words says; do
	# shellcheck disable=SC2086 # words
	slim $words
	expect_status 2
	expect_err "$says"
done <<EOF
--rules bogus $T/env|'bogus' is no rule
--skip bogus $T/env|'bogus' is no rule
--subtree ../env $T/env|--subtree wants
--subtree none $T/env|no folder 'none'
--bogus $T/env|'--bogus' is no option
$T/env $T/env|wrong number of arguments
EOF
slim --keep-from "$T/none" "$T/env"
expect_status 1

begin 'a damaged record stops before anything changes'
environment "$T/env"
echo '{' >"$T/env/conda-meta/bad-1-0.json"
tree "$T/env" >"$T/before"
slim "$T/env"
expect_status 1
expect_err "conda-meta/bad-1-0.json"
tree "$T/env" >"$T/after"
expect_same "$(cat "$T/after")" "$(cat "$T/before")"

begin 'links out of the root are not followed'
environment "$T/env"
mkdir -p "$T/outside/man1"
echo x >"$T/outside/man1/x.1"
ln -s "$T/outside" "$T/env/share/info"
ln -s "$T/outside" "$T/env/pkgs"
slim "$T/env"
expect_status 0
expect_file "$T/outside/man1/x.1"

begin 'killed at any moment, a second run makes it whole'
environment "$T/whole"
cp -a "$T/whole" "$T/ready"
slim --quiet "$T/ready"
tree "$T/ready" >"$T/want"
for delay in 0 0.002 0.005 0.01 0.02 0.05; do
	rm -rf "$T/cut"
	cp -a "$T/whole" "$T/cut"
	"$CONDENSE" slim "$T/cut" >"$OUT" 2>"$ERR" </dev/null &
	pid=$!
	sleep $delay
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
	slim --quiet "$T/cut"
	expect_status 0
	tree "$T/cut" >"$T/after"
	expect_same "$(cat "$T/after")" "$(cat "$T/want")"
done

begin 'help names every rule'
"$CONDENSE" slim --help >"$OUT" 2>"$ERR"
for rule in static maps tests docs caches strip duplicates bytecode; do
	expect_out "$rule"
done
finish
