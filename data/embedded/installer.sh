#!/bin/sh
# @NAME@ @VERSION@ (Python @PY@), a self-extracting release for Linux on x86_64.
# Shell first, packages behind it; works with any POSIX shell.
set -eu

name='@NAME@'
version='@VERSION@'
specs='@SPECS@'
payload_start=@START@
payload_size=@SIZE@
payload_sha256=@SHA256@

program=$(basename "$0")
prefix=
batch=
force=
update=
keep=

usage()
{
	cat <<EOF
usage: $program [-b] [-p PREFIX] [-f] [-u] [-k] [-s] [-h]

Installs $name $version.

-b         ask nothing; the shell's files are left alone in any case
-p PREFIX  where to install [$HOME/$(printf '%s' "$name" | tr '[:upper:]' '[:lower:]')]
-f         install over a folder that exists
-u         update an installation that exists
-k         keep the packages in PREFIX/pkgs
-m -s -t   accepted for the sake of other installers
-h         this text
EOF
}

fail()
{
	printf '%s: %s\n' "$program" "$1" >&2
	[ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2
	exit "${3:-1}"
}

HOME=${HOME:-/}
while getopts bfhkmp:stu option; do
	case $option in
	b) batch=1 ;;
	f) force=1 ;;
	h)
		usage
		exit 0
		;;
	k) keep=1 ;;
	p) prefix=$OPTARG ;;
	u) update=1 ;;
	m | s | t) ;;
	*)
		usage >&2
		exit 2
		;;
	esac
done
shift $((OPTIND - 1))
[ $# -eq 0 ] || fail "unexpected argument '$1'" "see $program -h" 2

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "this release is for Linux on x86_64"

# ---- where
default=$HOME/$(printf '%s' "$name" | tr '[:upper:]' '[:lower:]')
if [ -z "$prefix" ]; then
	prefix=$default
	if [ -z "$batch" ]; then
		[ -t 0 ] || fail "nobody to ask where to install" "give -b, and -p PREFIX" 2
		printf '%s %s will be installed in %s\nEnter accepts, or name another folder: ' \
			"$name" "$version" "$prefix"
		read -r answer
		[ -z "$answer" ] || prefix=$answer
	fi
fi
case $prefix in
/*) ;;
*) prefix=$PWD/$prefix ;;
esac
while :; do
	case $prefix in
	?*/) prefix=${prefix%/} ;;
	*) break ;;
	esac
done
case $prefix in
/) fail "'/' is no place for it" "give another folder with -p" 2 ;;
*[[:space:]]*) fail "the folder '$prefix' has blanks in its name" "give another with -p" 2 ;;
*[\"\'\\\$\`]*) fail "the folder '$prefix' has quotes in its name" "give another with -p" 2 ;;
esac
[ ${#prefix} -le 200 ] || fail "the name of the folder '$prefix' is too long" \
	"programs find their interpreter by a line of at most 255 bytes; give a shorter one" 2
exists=
if [ -e "$prefix" ] || [ -L "$prefix" ]; then
	exists=1
	[ -d "$prefix" ] || fail "'$prefix' is no folder"
	[ -n "$force$update" ] || fail "'$prefix' exists" \
		"give -u to update it, -f to install over it, or another folder with -p"
fi
if [ -n "$update" ] && [ ! -e "$prefix/conda-meta/history" ] && [ -z "$force" ] &&
	[ -n "$exists" ]; then
	fail "'$prefix' holds no environment to update" "give -f to install over it"
fi

# ---- is the file whole
for tool in tail head tar gzip sha256sum mktemp sed; do
	command -v "$tool" >/dev/null 2>&1 || fail "the program '$tool' is missing"
done
payload()
{
	tail -c "+$payload_start" "$0"
}
size=$(payload | wc -c | tr -d ' ')
[ "$size" -eq "$payload_size" ] || fail "the file is damaged: $size bytes instead of $payload_size" \
	"fetch it again"
sum=$(payload | sha256sum)
[ "${sum%% *}" = "$payload_sha256" ] || fail "the file is damaged: its sha256 is another" \
	"fetch it again"

# ---- a scratch folder on the same file system, so that files are linked, not copied
made=
if [ -n "$exists" ]; then
	beside=$prefix
else
	beside=$(dirname "$prefix")
	top=$beside
	while [ ! -d "$top" ] && [ "$(dirname "$top")" != "$top" ]; do
		made=$top
		top=$(dirname "$top")
	done
	mkdir -p "$beside" || fail "cannot make the folder '$beside'"
fi
work=
child=
finished=
# shellcheck disable=SC2317 # called by the trap
clean_up()
{
	status=$?
	trap '' HUP INT TERM
	if [ -n "$child" ]; then
		kill "$child" 2>/dev/null || :
		wait "$child" 2>/dev/null || :
	fi
	[ -z "$work" ] || rm -rf "$work"
	if [ -z "$finished" ]; then
		[ -n "$exists" ] || rm -rf "$prefix"
		[ -z "$made" ] || rm -rf "$made"
	fi
	exit "$status"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d "$beside/.condense-XXXXXX") || fail "cannot write to '$beside'"
payload | tar -xf - -C "$work" || fail "cannot unpack to '$work'"
gzip -dc "$work/conda.gz" >"$work/conda"
chmod 755 "$work/conda"
"$work/conda" --version >/dev/null 2>&1 || fail "cannot run programs in '$beside'" \
	"the file system may be mounted noexec; give another folder with -p"

# ---- install, with nothing of the caller's configuration
pkgs=$work/pkgs
[ -z "$keep" ] || pkgs=$prefix/pkgs
mkdir -p "$work/home"
verb=create
if [ -n "$exists" ]; then
	verb=install
	mkdir -p "$prefix/conda-meta"
	[ -e "$prefix/conda-meta/history" ] || : >"$prefix/conda-meta/history"
fi
set -- -y -q -p "$prefix" --offline --override-channels -c "file://$work/channel"
printf '%s\n' "installing $name $version in $prefix"
# shellcheck disable=SC2086 # specs are words
env -i PATH="$PATH" HOME="$work/home" LANG=C.UTF-8 TMPDIR="$work" \
	CONDA_PKGS_DIRS="$pkgs" CONDA_ROOT_PREFIX="$prefix" CONDA_SAFETY_CHECKS=disabled \
	CONDA_REGISTER_ENVS=false CONDA_CHANNEL_PRIORITY=flexible \
	"$work/conda" "$verb" "$@" $specs >"$work/log" 2>&1 </dev/null &
child=$!
status=0
wait "$child" || status=$?
child=
if [ "$status" -ne 0 ]; then
	cat "$work/log" >&2
	fail "conda could not install the packages (status $status)"
fi

# ---- the records name the channel, not the scratch folder
for file in "$prefix"/conda-meta/*.json "$prefix/conda-meta/history"; do
	sed -e 's#file://[^" ]*/\.condense-[0-9A-Za-z]*/channel#file:///srv/condense#g' \
		-e 's#"[^" ]*/\.condense-[0-9A-Za-z]*/pkgs/#"'"$prefix/pkgs/"'#g' \
		-e 's#^\# cmd: [^ ]*/conda #\# cmd: conda #' "$file" >"$work/record"
	cat "$work/record" >"$file"
done
mkdir -p "$prefix/pkgs" "$prefix/envs"
[ -e "$prefix/pkgs/urls.txt" ] || : >"$prefix/pkgs/urls.txt"
finished=1
printf '%s\n' "installed; to use it: . $prefix/etc/profile.d/conda.sh && conda activate"
exit 0
