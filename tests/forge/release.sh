#!/bin/sh
# condense repack, index and installer: a small release is made, installed, damaged, refused.
# shellcheck source=tests/functional/lib.sh
. "$SOURCE_ROOT/tests/functional/lib.sh"

made() # WORDS…: condense
{
	"$CONDENSE" "$@" >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
}

installer() # SHELL WORDS…: the release
{
	shell=$1
	shift
	# shellcheck disable=SC2086 # may be two words
	(cd "$T" && $shell "$release" "$@") >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
}

mkdir -p "$T/recipes" "$T/files"
printf 'copied\n' >"$T/files/data"
cat >"$T/recipes/a.recipe" <<'EOF'
package lib-a
  version = 1.2.3
  license MIT
  summary a library of text
  write share/a.txt
  |prefix is ${PREFIX}
  write bin/a 755
  |#!/bin/sh
  |echo a at ${PREFIX}
package app
  version = 2.0
  license MIT
  summary needs the other
  noarch generic
  depends lib-a @2
  copy ${files} share/app
  link app/data share/data
package unused
  version = 1
  license MIT
  summary is in the channel alone
  write share/unused
  |x
EOF
repack()
{
	made repack --recipes "$T/recipes" --set "files=$T/files" --debs "$T/files" \
		--work "$T" --epoch 1700000000 --level 1 "$@"
}

begin 'repack makes the packages of the recipes'
repack --out "$T/channel"
expect_status 0
expect_out "3 packages"
expect_file "$T/channel/noarch"
for name in condense-repack*; do expect_no_file "$T/$name"; done

begin 'the same input gives the same bytes'
repack --out "$T/again" --jobs 1
expect_same "$(cd "$T/channel" && sha256sum -- */*.conda)" "$(cd "$T/again" && sha256sum -- */*.conda)"

begin 'index knows size and hashes'
made index "$T/channel"
expect_status 0
for file in "$T"/channel/*/*.conda; do
	repodata=$(dirname "$file")/repodata.json
	for value in "$(sha256sum <"$file" | cut -d' ' -f1)" "$(md5sum <"$file" | cut -d' ' -f1)" \
		"\"size\": $(wc -c <"$file" | tr -d ' ')"; do
		grep -qF "$value" "$repodata" || bad "$repodata lacks $value"
	done
	expect_file "$repodata.zst"
done
grep -qF '"lib-a >=1.2.3,<1.3.0a0"' "$T/channel/noarch/repodata.json" || bad "no pinned dependency"

begin 'conda installs from the channel'
run create -y -q -p "$T/env" --override-channels -c "file://$T/channel" app
expect_status 0
expect_text "$T/env/share/a.txt" "prefix is $T/env"
expect_text "$T/env/share/data" copied
expect_same "$("$T/env/bin/a")" "a at $T/env"

begin 'a package under a wrong name is not indexed'
mkdir -p "$T/wrong/noarch"
cp "$T"/channel/noarch/app-*.conda "$T/wrong/noarch/other-1-0.conda"
made index "$T/wrong"
expect_status 1
expect_err "its index.json says 'app-2.0-"

begin 'a package in the wrong subdir is not indexed'
rm -rf "$T/wrong"
mkdir -p "$T/wrong/linux-64"
cp "$T"/channel/noarch/app-*.conda "$T/wrong/linux-64/"
made index "$T/wrong"
expect_status 1
expect_err "it belongs to the subdir 'noarch'"

begin 'a damaged package is not indexed'
rm -rf "$T/wrong"
mkdir -p "$T/wrong/noarch"
for file in "$T"/channel/noarch/app-*.conda; do
	head -c 300 "$file" >"$T/wrong/noarch/${file##*/}"
done
made index "$T/wrong"
expect_status 1

begin 'a step that finds nothing to do is an error with its line'
mkdir -p "$T/bad"
printf 'package x\nversion = 1\nlicense l\nsummary s\nwrite a\n|b\nsub a nothing c\n' \
	>"$T/bad/x.recipe"
made repack --recipes "$T/bad" --debs "$T/files" --out "$T/none" --work "$T"
expect_status 1
expect_err "x.recipe:7: 'a' has no 'nothing'"

begin 'two packages with one path are an error'
printf 'package x\nversion = 1\nlicense l\nsummary s\nwrite a\n|b\n' >"$T/bad/x.recipe"
printf 'package y\nversion = 1\nlicense l\nsummary s\nwrite a\n|b\n' >"$T/bad/y.recipe"
made repack --recipes "$T/bad" --debs "$T/files" --out "$T/none" --work "$T"
expect_status 1
expect_err "the packages 'x' and 'y' both have 'a'"

begin 'a link that leads outside is an error'
rm -f "$T/bad/y.recipe"
printf 'package x\nversion = 1\nlicense l\nsummary s\nlink ../../etc/passwd a/b\n' \
	>"$T/bad/x.recipe"
made repack --recipes "$T/bad" --debs "$T/files" --out "$T/none" --work "$T"
expect_status 1
expect_err "the link 'a/b' leads outside"

begin 'a Debian package that is not there is named'
printf 'package x\ndebs libx1\nversion libx1\nlicense l\nsummary s\n' >"$T/bad/x.recipe"
made repack --recipes "$T/bad" --debs "$T/files" --out "$T/none" --work "$T"
expect_status 1
expect_err "the Debian package 'libx1' is not in"
made repack --recipes "$T/bad" --list
expect_out libx1

begin 'the installer holds what its packages need, and no more'
made installer --channel "$T/channel" --conda "$CONDA" --head "$SOURCE_ROOT/data/embedded/installer.sh" \
	--version 1.0-0 --py 3.13 --out "$T" app
expect_status 0
expect_out "2 packages"
release=$T/Condense3-py313_1.0-0-Linux-x86_64.sh
expect_file "$release"

# Every shell that is there; busybox has programs of its own too.
for shell in sh dash bash 'busybox sh'; do
	command -v "${shell%% *}" >/dev/null 2>&1 || continue
	begin "it installs under $shell"
	place=$T/deep/er/under-${shell%% *}
	installer "$shell" -b -p "$place"
	expect_status 0
	expect_text "$place/share/a.txt" "prefix is $place"
	run list -p "$place"
	expect_out lib-a
	expect_no_out unused
	! grep -rF -e /.condense- -e "$T/channel" "$place/conda-meta" >"$OUT" || bad "records name scratch"
	expect_same "$(grep -c '"channel": "file:///srv/condense/' "$place"/conda-meta/app-*.json)" 1
	for left in "$T"/deep/er/.[!.]*; do expect_no_file "$left"; done
done

begin 'a relative place counts from the current folder'
installer sh -b -p here/
expect_status 0
expect_text "$T/here/share/a.txt" "prefix is $T/here"

begin 'a place that exists is refused, and left alone'
echo mine >"$T/here/mine"
installer sh -b -p "$T/here"
expect_status 1
expect_err "'$T/here' exists"
expect_text "$T/here/mine" mine

begin '-u updates it, -f installs over a folder'
rm "$T/here/share/a.txt"
installer sh -b -u -p "$T/here"
expect_status 0
expect_text "$T/here/mine" mine
mkdir "$T/folder"
echo mine >"$T/folder/mine"
installer sh -b -u -p "$T/folder"
expect_status 1
expect_err "no environment to update"
installer sh -b -f -p "$T/folder"
expect_status 0
expect_text "$T/folder/mine" mine
expect_text "$T/folder/share/a.txt" "prefix is $T/folder"

begin 'odd words are refused'
while IFS='|' read -r words status says; do
	# shellcheck disable=SC2086 # words
	installer sh $words
	expect_status "$status"
	expect_err "$says"
done <<EOF
-b -p /|2|no place
-b -x|2|usage
-b extra|2|unexpected argument 'extra'
-b -p $T/$(printf 'long%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50)|2|too long
-p|2|usage
EOF
installer sh -b -p "$T/a b"
expect_status 2
expect_err "blanks"
installer sh
expect_status 2
expect_err "nobody to ask"
installer sh -h
expect_status 0
expect_out "-p PREFIX"

begin 'a damaged file is refused before anything is written'
good=$release
for kind in cut flip longer; do
	release=$T/bad-$kind.sh
	case $kind in
	cut) head -c "$(($(wc -c <"$good") - 100))" "$good" >"$release" ;;
	longer) { cat "$good" && echo; } >"$release" ;;
	flip)
		cp "$good" "$release"
		printf 'XXXX' | dd of="$release" bs=1 seek="$(($(wc -c <"$good") - 5000))" conv=notrunc 2>/dev/null
		;;
	esac
	installer sh -b -p "$T/none/x"
	expect_status 1
	expect_err "damaged"
	expect_no_file "$T/none"
done
release=$good

begin 'a failed install leaves nothing'
made installer --channel "$T/channel" --conda /bin/false --head "$SOURCE_ROOT/data/embedded/installer.sh" \
	--version 2.0-0 --py 3.13 --out "$T" app
release=$T/Condense3-py313_2.0-0-Linux-x86_64.sh
installer sh -b -p "$T/none/deep"
expect_status 1
expect_err "cannot run programs"
expect_no_file "$T/none"

begin 'an install that is interrupted leaves nothing'
cat >"$T/slow" <<EOF
#!/bin/sh
[ "\${1:-}" != --version ] || exit 0
: >"$T/started"
exec sleep 600
EOF
chmod 755 "$T/slow"
made installer --channel "$T/channel" --conda "$T/slow" --head "$SOURCE_ROOT/data/embedded/installer.sh" \
	--version 3.0-0 --py 3.13 --out "$T" app
sh "$T/Condense3-py313_3.0-0-Linux-x86_64.sh" -b -p "$T/none/deep" >"$OUT" 2>"$ERR" &
pid=$!
tries=0
until [ -e "$T/started" ] || [ $tries -ge 600 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
kill -TERM $pid
wait $pid
STATUS=$?
expect_status 143
expect_no_file "$T/none"

begin 'wrong usage is told with status 2'
while IFS='|' read -r words says; do
	# shellcheck disable=SC2086 # words
	made $words
	expect_status 2
	expect_err "$says"
done <<'EOF'
bogus|'bogus' is no command
index|wrong number of arguments
index --bogus x|'--bogus' is no option of 'index'
repack|'repack' wants --recipes
repack --recipes|--recipes wants a value
repack --recipes=x --level=99|--level goes from 1 to 22
repack --recipes=x --set y|--set wants NAME=VALUE
EOF
for command in repack index installer; do
	made $command --help
	expect_status 0
	expect_out "usage: condense $command"
done
finish
