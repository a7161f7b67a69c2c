# root.sh - a small root of its own in which startup is setuid: what the tests of it share.
# shellcheck shell=sh disable=SC2034,SC2317 # read by those; functions run through check
# Needs root, and a folder where setuid programs and mount namespaces work; else all is skipped.
# shellcheck source=tests/runtime/libraries.sh
. "$SOURCE_ROOT/tests/runtime/libraries.sh"
startup=${STARTUP:-$BUILD_ROOT/src/runtime/startup}
number=0
failed=0
T=$(mktemp -d "${TMPDIR:-/tmp}/cda-startup.XXXXXX") || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 1' HUP INT TERM
root=$T/root

skip_all()
{
	if [ "${MUST_RUN:-0}" = 1 ]; then
		echo "1..1"
		echo "not ok 1 - startup # skipped though MUST_RUN=1: $1"
		exit 1
	fi
	echo "1..0 # SKIP $1"
	exit 0
}

# A fresh image: accounts, home, state.
fresh()
{
	rm -rf "$root"
	mkdir -p "$root/etc/condense" "$root/home/anaconda" "$root/var/lib/condense" "$root/tmp" \
		"$root/dev" "$root/proc" "$root/root" "$root/main"
	cat >"$root/etc/passwd" <<-'EOF'
		root:x:0:0:root:/root:/bin/bash
		daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
		anaconda:x:3000:3000:Developer,,,:/home/anaconda:/bin/bash
	EOF
	printf '%s:*:1:0:99999:7:::\n' root daemon >"$root/etc/shadow"
	echo 'anaconda:!:1:0:99999:7:::' >>"$root/etc/shadow"
	printf 'root:x:0:\ndaemon:x:1:\nanaconda:x:3000:\ndocker:x:99:anaconda\n' >"$root/etc/group"
	printf 'root:*::\ndaemon:*::\nanaconda:!::\ndocker:!::anaconda\n' >"$root/etc/gshadow"
	chmod 640 "$root/etc/shadow" "$root/etc/gshadow"
	chmod 1777 "$root/tmp"
	chmod 755 "$T"
	chown 3000:3000 "$root/home/anaconda"
	: >"$root/dev/null"
	chmod 666 "$root/dev/null"
	cp "$startup" "$root/startup"
	bring_libraries "$startup" "$root"
	chmod 4755 "$root/startup"
}

# as UID:GID ARGUMENT...: run it there. Sets status and leaves what it said in $T/err.
as()
{
	who=$1
	shift
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m sh -c '[ -n "${NO_PROC-}" ] || mount -t proc proc "$1/proc" || exit 90
		[ -z "${BIND-}" ] || mount --bind "$BIND" "$1$AT" || exit 91
		who=$2; root=$1; shift 2
		exec ${UNDER-} chroot --userspec="$who" --groups= "$root" /startup "$@"' \
		sh "$root" "$who" "$@" >"$T/out" 2>"$T/err" </dev/null
	status=$?
}

# check TEXT CONDITION...: one result.
check()
{
	text=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number - $text"
	else
		echo "not ok $number - $text"
		echo "# status ${status-}; $*"
		sed 's/^/# /' "$T/err"
		failed=1
	fi
}

# Process 1 is another one: the container was restarted.
restart()
{
	rm -f "$root/var/lib/condense/life"
}

has()
{
	grep -qxF -- "$2" "$root/$1"
}

owner()
{
	[ "$(stat -c %u "$root/$1")" = "$2" ]
}

refused()
{
	[ "$status" = 2 ] && [ -s "$T/err" ] && [ "$(wc -l <"$T/err")" -eq 1 ] && same
}

keep()
{
	(cd "$root/etc" && cat passwd shadow group gshadow) >"$T/before"
}

same()
{
	(cd "$root/etc" && cat passwd shadow group gshadow) | cmp -s - "$T/before"
}

[ "$(id -u)" = 0 ] || skip_all "needs root"
fresh
unshare -m true 2>/dev/null || skip_all "mount namespaces are not allowed here"
as 3000:3000
[ "$status" != 90 ] || skip_all "proc cannot be mounted here"
if [ "$status" = 3 ] && grep -q 'not setuid root\|no new privileges' "$T/err"; then
	skip_all "setuid programs do not work in $T"
fi

finish()
{
	echo "1..$number"
	exit "$failed"
}

# ---- a package manager that only tells what it was asked

manager()
{
	fresh
	mkdir -p "$root/bin" "$root/usr/bin" "$root/usr/sbin" "$root/sbin" "$root/var/cache/apt/archives" \
		"$root/var/lib/dpkg"
	cp "$(command -v busybox)" "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	ln -s busybox "$root/bin/echo"
	cat >"$root/usr/bin/apt-get" <<-'EOF'
		#!/bin/sh
		echo "$(/bin/busybox id -u):$(/bin/busybox id -ru) $*" >>/asked
		/bin/busybox env >>/asked.env
		[ ! -e /hook ] || . /hook
		while [ $# -gt 0 ] && [ "$1" != -- ]; do shift; done
		for word; do
			[ "$word" != -- ] || continue
			case $word in *=*) version=${word#*=} ;; *) version=1 ;; esac
			printf 'Package: %s\nStatus: install ok installed\nArchitecture: all\nVersion: %s\n\n' \
				"${word%%=*}" "$version" >>/var/lib/dpkg/status
		done
	EOF
	printf '#!/bin/sh\nprintf "jq\\ngit\\ntree\\n"\n' >"$root/usr/bin/apt-cache"
	chmod 755 "$root/usr/bin/apt-get" "$root/usr/bin/apt-cache"
	printf '%s\n' "$1" >"$root/tmp/apt_requirements.txt"
	chmod 644 "$root/tmp/apt_requirements.txt"
	printf 'account anaconda\n%s\n' "$2" >"$root/etc/condense/policy"
	: >"$root/var/lib/dpkg/status"
	: >"$root/asked"
}
asked()
{
	grep -qE "^0:0 .*install -- $1\$" "$root/asked"
}
not_asked()
{
	[ "$(grep -c install "$root/asked")" -eq 0 ]
}
