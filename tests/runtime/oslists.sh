#!/bin/sh
# Lists of OS packages in that small root: when they are installed, whose, and what the program gets.
# shellcheck disable=SC2317 # functions run through check
set -u
# shellcheck source=tests/runtime/root.sh
. "$SOURCE_ROOT/tests/runtime/root.sh"

command -v busybox >/dev/null 2>&1 || skip_all "no busybox"

# until_true CONDITION...: wait for it, a minute at most.
until_true()
{
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || return 1
		sleep 0.1
	done
}

manager "jq" ""
as 1234:3000 -only=identity
as 1234:3000 -only=packages
check "a start installs its list" asked jq
check "... nothing of the caller's environment is there" \
	[ "$(cut -d = -f 1 "$root/asked.env" | grep -vc '^\(PATH\|HOME\|LC_ALL\|DEBIAN_FRONTEND\|DEBCONF_NONINTERACTIVE_SEEN\|TMPDIR\|PWD\|SHLVL\|_\|OLDPWD\)$')" = 0 ]
: >"$root/asked"
as 1234:3000 -only=packages
check "an unchanged list is nothing to do" [ "$status:$(wc -c <"$root/asked")" = 0:0 ]
rm "$root/var/lib/condense/apt.list"
restart
as 1234:3000
check "62 nor is one whose packages are there, without a stamp" \
	[ "$status:$(wc -c <"$root/asked")" = 0:0 ]
: >"$root/var/lib/dpkg/status"
restart
as 1234:3000
check "62 a package that was removed comes back at a start" asked jq
restart
: >"$root/asked"
rm "$root/var/lib/dpkg/status"
as 1234:3000
check "62 without a database the stamp counts" [ "$status:$(wc -c <"$root/asked")" = 0:0 ]
: >"$root/var/lib/dpkg/status"
chmod 666 "$root/var/lib/dpkg/status"
restart
rm "$root/var/lib/condense/apt.list"
printf 'Package: jq\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n' \
	>"$root/var/lib/dpkg/status"
as 1234:3000
check "... and a database that others can write does not" asked jq
manager "jq=2-1" ""
as 1234:3000
check "82 a version by name" asked jq=2-1
restart
: >"$root/asked"
as 1234:3000
check "62 that is there is nothing to do" [ "$status:$(wc -c <"$root/asked")" = 0:0 ]
echo jq=3-1 >"$root/tmp/apt_requirements.txt"
restart
as 1234:3000
check "62 another version is installed" asked jq=3-1
check "recommends are off" grep -q 'APT::Install-Recommends=0' "$root/asked"
printf 'account anaconda\nrecommends yes\n' >"$root/etc/condense/policy"
restart
: >"$root/asked"
as 1234:3000
check "62 a policy that lets recommends in installs again" \
	grep -q 'APT::Install-Recommends=1.* -- jq=3-1' "$root/asked"
restart
: >"$root/asked"
as 1234:3000
check "62 ... once" [ "$status:$(wc -c <"$root/asked")" = 0:0 ]
manager "jq" ""
as 1234:3000 -only=identity
as 1234:3000 -only=packages
: >"$root/asked"
echo git >"$root/tmp/apt_requirements.txt"
as 1234:3000 -only=packages
check "89 refused: another list in the same life" not_asked
check "... with a line and a status" [ "$status:$(wc -l <"$T/err")" = 2:1 ]
restart
as 1234:3000 -only=identity
as 1234:3000 -only=packages
check "after a restart it is installed" asked git
manager "" ""
as 1234:3000 -only=identity
echo git >"$root/tmp/apt_requirements.txt"
as 1234:3000 -only=packages
check "89 refused: a list that was not there at the start" not_asked
manager "" ""
echo '*' >"$root/tmp/apt_requirements.txt"
as 1234:3000 -only=identity
as 1234:3000 -only=packages
echo git >"$root/tmp/apt_requirements.txt"
as 1234:3000 -only=packages
check "89 refused: a list that could not be read at the start" not_asked
manager "git" ""
as 1234:3000 -only=identity -new_user=root
as 1234:3000 -only=packages
check "89 refused: a list behind a start that was refused" not_asked
manager "jq" ""
as 1234:3000 -only=identity
as 4321:3000 -only=packages
check "89 refused: the list of another uid" not_asked
while IFS='|' read -r text list policy want; do
	manager "$list" "$policy"
	as 1234:3000
	if [ "$want" = yes ]; then
		check "policy allows: $text" asked "$list"
	else
		check "policy refuses: $text" not_asked
	fi
done <<-'EOF'
	any|jq|packages start|yes
	the old word|jq|packages allow|yes
	the first list|jq|packages first|yes
	never|jq|packages never|no
	the old word for never|jq|packages deny|no
	this user|jq|users 7 1000-2000|yes
	another user|jq|users 7 2000-3000|no
	this list|jq|lists /x /tmp/apt_requirements.txt|yes
	another list|jq|lists /tmp/other|no
	this name|jq git|names git tree j*|yes
	another name|jq git|names git tree|no
EOF
manager "jq" "packages first"
as 1234:3000
restart
echo git >"$root/tmp/apt_requirements.txt"
: >"$root/asked"
as 1234:3000
check "policy refuses: a second list after the first" not_asked

# ---- a run of dpkg that was killed
manager "jq" ""
mkdir "$root/var/lib/dpkg/updates"
printf '#!/bin/sh\necho "dpkg $(/bin/busybox id -u) $*" >>/asked\n/bin/busybox rm -f /var/lib/dpkg/updates/0*\n' \
	>"$root/usr/bin/dpkg"
chmod 755 "$root/usr/bin/dpkg"
: >"$root/var/lib/dpkg/updates/tmp.i"
as 1234:3000
check "70 nothing was interrupted: dpkg is left alone" [ "$(grep -c ^dpkg "$root/asked")" -eq 0 ]
check "... and the list is installed" asked jq
: >"$root/var/lib/dpkg/updates/0001"
echo git >"$root/tmp/apt_requirements.txt"
restart
as 1234:3000
check "70 what was interrupted is completed first, as root" \
	grep -qx 'dpkg 0 --force-confold --configure -a' "$root/asked"
check "... then the list is installed" asked git

# ---- one start at a time, and nobody else keeps it from that
export UNDER="${UNDER-}"
manager "jq" ""
if ! command -v flock >/dev/null 2>&1; then
	number=$((number + 1))
	echo "ok $number - 90 a lock of the caller's on the state folder # SKIP no flock"
else
	chroot --userspec=1234:3000 --groups= / flock -x "$root/var/lib/condense" \
		sh -c 'echo $$; exec sleep 600' >"$T/holder" &
	until_true [ -s "$T/holder" ]
	UNDER="timeout -s KILL 60 ${UNDER-}"
	as 1234:3000
	UNDER=${UNDER#timeout -s KILL 60 }
	check "90 a lock of the caller's on the state folder: the list is installed" asked jq
	check "... and the start ends" [ "$status" = 0 ]
	kill "$(cat "$T/holder")"
	wait
fi
check "90 the lock is root's alone" \
	[ "$(stat -c %u:%a:%F "$root/var/lib/condense/lock")" = "0:600:regular empty file" ]

# start NAME: one that runs beside the others; its process and its status are in $T/NAME.
start()
{
	mkdir "$T/$1"
	(
		UNDER="$T/note $T/$1/pid ${UNDER-}"
		T=$T/$1
		as 1234:3000
		echo "$status" >"$T/status"
	) &
	until_true [ -s "$T/$1/pid" ]
}
status_of()
{
	until_true [ -s "$T/$1/status" ] && [ "$(cat "$T/$1/status")" = "$2" ]
}
waits_line()
{
	until_true grep -q 'waiting for another start that installs OS packages' "$T/$1/err"
}
printf '#!/bin/sh\nat=$1\nshift\necho $$ >"$at"\nexec "$@"\n' >"$T/note"
chmod 755 "$T/note"
manager "jq" ""
echo ': >/begun; until [ -e /go ]; do /bin/busybox sleep 0.1; done' >"$root/hook"
start one
until_true [ -e "$root/begun" ]
start two
start three
check "63 a start that waits for another one says so" waits_line two
kill -TERM "$(cat "$T/two/pid")"
check "59 ... and ends on a signal" status_of two 143
waits_line three
: >"$root/go"
check "63 the one that installs ends well" status_of one 0
check "63 ... so does the one that waited" status_of three 0
wait
check "63 the list was installed once" [ "$(grep -c 'install -- jq$' "$root/asked")" -eq 1 ]
check "63 ... and nothing else was to say" [ "$(wc -l <"$T/three/err")" -eq 1 ]

# ---- settings that are none are the packages' alone
manager "jq" ""
export CONDENSE_OFFLINE=maybe
as 1234:3000 -only=identity
check "71 a setting that is none: the account is given" [ "$status" = 0 ]
check "... without a word" [ ! -s "$T/err" ]
check "... to that uid" has etc/passwd 'anaconda:x:1234:3000:Developer,,,:/home/anaconda:/bin/bash'
keep
as 1234:3000 -only=packages
check "71 but no list is installed" not_asked
check "... with a line and a status" refused
unset CONDENSE_OFFLINE
as 1234:3000 -only=packages
check "89 nor later in that life, without the setting" not_asked

# ---- lists that are no text
while IFS='|' read -r text bytes want; do
	manager "jq" ""
	printf '%b' "$bytes" >"$root/tmp/apt_requirements.txt"
	as 1234:3000
	check "63 a list that is $text: nothing is installed" not_asked
	check "... with one line and status 1" [ "$status:$(cat "$T/err")" = \
		"1:condense: '/tmp/apt_requirements.txt' $want; nothing is installed" ]
done <<-'EOF'
	UTF-16|\0377\0376j\0000q\0000\0012\0000|is UTF-16; save it as UTF-8
	big endian|\0376\0377\0000j\0000q|is UTF-16; save it as UTF-8
	binary|jq\0000\0012|is no text: it has bytes of value 0
EOF

# ---- what the caller's process hands on beside the environment: apt gets none of it
inherits()
{
	manager "jq" ""
	: >"$root/asked.hook"
	echo "$2" >"$root/hook"
	UNDER="$INHERIT $1 ${before-}"
	as 1234:3000
	UNDER=${before-}
}
before=${UNDER-}
export UNDER
probe='/bin/busybox uname -mr >>/asked.hook; /bin/busybox grep SigBlk /proc/self/status >>/asked.hook'
inherits chld "$probe"
check "90 SIGCHLD ignored: the list is installed all the same" asked jq
check "... and the end is noticed" [ "$status" = 0 ]
inherits mask "$probe"
check "90 blocked signals: the list is installed" asked jq
check "... with none blocked" [ "$(grep -c 'SigBlk:	0*$' "$root/asked.hook")" -gt 0 ]
check "... anywhere" [ "$(grep -c 'SigBlk:	0*[1-9a-f]' "$root/asked.hook")" -eq 0 ]
inherits machine "$probe"
check "90 another machine for uname: the list is installed" asked jq
check "... for the machine that it is" grep -qxF "$(uname -rm)" "$root/asked.hook"
check "... and no other" [ "$(grep -v SigBlk "$root/asked.hook" | sort -u | wc -l)" -eq 1 ]
inherits folder "$probe"
check "90 a shared working folder: no rights" [ "$status" = 3 ]
check "... and no list" not_asked
if [ -z "$before" ]; then
	inherits alarm=5 '[ -e /waited ] || /bin/busybox sleep 6; : >/waited'
	check "90 an alarm that was set before: the list is installed" asked jq
	check "... without its end" [ "$status" = 0 ]
fi
while IFS='|' read -r text resource limit; do
	# A sanitizer takes more address space than that before main.
	case ${CHECKED-}$text in 1little*) continue ;; esac
	inherits "$resource=$limit" "$probe"
	check "90 $text: refused before anything begins" not_asked
	check "... with a line that says why" grep -q "is not installed: .* is limited$" "$T/err"
	check "... and a status" [ "$status" = 1 ]
done <<'EOF'
files that grow a little|1|1000000
five seconds of processor time|0|5
little memory|9|200000000
little data|2|200000000
a small stack|3|262144
few open files|7|32
EOF

finish
