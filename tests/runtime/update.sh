#!/bin/sh
# The update of the account files, ended or failing at each of its system calls: each file is the old
# one or the new one, byte for byte, and the next run completes it. Needs root, as startup.sh does.
set -u
# shellcheck source=tests/runtime/libraries.sh
. "$SOURCE_ROOT/tests/runtime/libraries.sh"
startup=${STARTUP:-$BUILD_ROOT/src/runtime/startup}
killat=$1
number=0
failed=0
T=$(mktemp -d "${TMPDIR:-/tmp}/cda-update.XXXXXX") || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 1' HUP INT TERM
root=$T/root
files='passwd shadow group gshadow'

skip_all()
{
	if [ "${MUST_RUN:-0}" = 1 ]; then
		echo "1..1"
		echo "not ok 1 - update # skipped though MUST_RUN=1: $1"
		exit 1
	fi
	echo "1..0 # SKIP $1"
	exit 0
}

result()
{
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		failed=1
	fi
}

fresh()
{
	rm -rf "${root:?}/home" "${root:?}/var" "${root:?}/etc"
	mkdir -p "$root/etc/condense" "$root/home/anaconda" "$root/var/lib/condense" "$root/tmp" \
		"$root/dev" "$root/proc" "$root/main"
	printf 'root:x:0:0:root:/root:/bin/sh\nanaconda:x:3000:3000:D:/home/anaconda:/bin/sh\n' \
		>"$root/etc/passwd"
	printf 'root:*:1:0:99999:7:::\nanaconda:!:1:0:99999:7:::\n' >"$root/etc/shadow"
	printf 'root:x:0:\nanaconda:x:3000:\ndocker:x:99:anaconda\n' >"$root/etc/group"
	printf 'root:*::\nanaconda:!::\ndocker:!::anaconda\n' >"$root/etc/gshadow"
	chmod 640 "$root/etc/shadow" "$root/etc/gshadow"
	chown 3000:3000 "$root/home/anaconda"
}

run()
{
	"$@" chroot --userspec=1234:3000 --groups= "$root" /startup -new_user=dja >"$T/out" 2>&1
	status=$?
}

# Is each file one of the two? Without room for the link, passwd names the home itself.
whole()
{
	for file in $files; do
		cmp -s "$root/etc/$file" "$T/old/$file" || cmp -s "$root/etc/$file" "$T/new/$file" ||
			{ [ "$file" = passwd ] && cmp -s "$root/etc/passwd" "$T/unlinked"; } || {
			echo "# $file after $1 $2:"
			sed 's/^/# /' "$root/etc/$file"
			return 1
		}
	done
}

is_new()
{
	for file in $files; do
		cmp -s "$root/etc/$file" "$T/new/$file" || {
			echo "# $file after $1 $2 and another run:"
			sed 's/^/# /' "$root/etc/$file" "$T/out"
			return 1
		}
	done
}

[ "$(id -u)" = 0 ] || skip_all "needs root"
mkdir -p "$root" "$T/old" "$T/new"
chmod 755 "$T"
cp "$startup" "$root/startup"
bring_libraries "$startup" "$root"
chmod 4755 "$root/startup"
fresh
for file in $files; do cp "$root/etc/$file" "$T/old/$file"; done
run
[ "$status" -eq 0 ] || skip_all "setuid programs do not work in $T: $(head -n 1 "$T/out")"
for file in $files; do cp "$root/etc/$file" "$T/new/$file"; done
sed 's,/home/dja,/home/anaconda,' "$T/new/passwd" >"$T/unlinked"
fresh
run "$killat" kill 1
[ "$status" -ne 77 ] || skip_all "killat knows the registers of x86-64 alone"
[ "$status" -eq 0 ] || skip_all "nothing can be traced here"

for way in kill enospc; do
	count=0
	bad=0
	unfinished=0
	while [ "$count" -lt 600 ]; do
		count=$((count + 1))
		fresh
		run "$killat" "$way" "$count"
		at=$status
		[ "$at" -ne 125 ] || bad=1
		whole "$way" "$count" || bad=1
		[ "$at" -eq 0 ] || break
		run
		is_new "$way" "$count" || unfinished=1
		[ -z "$(find "$root/etc" "$root/var/lib/condense" -name '.*.condense')" ] || unfinished=1
	done
	echo "# $way: $((count - 1)) moments"
	result "$bad" "$way at each system call: every file is the old or the new one"
	result "$unfinished" "... and the next run completes it, with nothing left beside the files"
	[ "$at" -eq 3 ] && [ "$count" -gt 10 ]
	result $? "... each moment was tried"
done
echo "1..$number"
exit "$failed"
