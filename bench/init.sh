#!/bin/sh
# init.sh - entry beside other first processes, on the same cases: a table as docs/init.md has it.
# Usage: bench/init.sh [SECONDS] >docs/init.md   (needs root: each runs as process 1)
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
seconds=${1:-60}
entry=$root/build/bin/entry
script=$root/data/image/entrypoint.sh
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
trap 'exit 1' HUP INT TERM

die()
{
	echo "bench/init.sh: $*" >&2
	exit 1
}

[ -x "$entry" ] || die "there is no build/bin/entry: run make"
unshare -pf --mount-proc true 2>/dev/null || die "process namespaces need root"

# The command line of each, in front of the command.
words()
{
	case $1 in
	entry) echo "$entry $script" ;;
	'tini -g') echo "tini -g --" ;;
	*) echo "$1 --" ;;
	esac
}

# as_first NAME COMMAND...
as_first()
{
	name=$1
	shift
	# shellcheck disable=SC2046 # words
	timeout 120 unshare -pf --mount-proc --kill-child $(words "$name") "$@"
}

# begin NAME COMMAND...: in the background, until the command has said `ready` into $T/out; the
# process itself is $first.
begin()
{
	name=$1
	shift
	: >"$T/out"
	# shellcheck disable=SC2046
	env --default-signal unshare -pf --mount-proc --kill-child $(words "$name") "$@" \
		>"$T/out" 2>/dev/null & # a shell ignores INT and QUIT for what runs behind
	around=$!
	tries=0
	until grep -q ready "$T/out"; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || die "$name does not start"
		sleep 0.1
	done
	first=$(cat "/proc/$around/task/$around/children")
	first=${first%% *}
}

# Wait until $T/out says $1, for at most 5 s.
says()
{
	tries=0
	until grep -q "$1" "$T/out"; do
		tries=$((tries + 1))
		[ "$tries" -lt 50 ] || return 1
		sleep 0.1
	done
}

over()
{
	kill -9 "$first" 2>/dev/null || :
	wait "$around" 2>/dev/null || :
}

yes_no()
{
	if "$@"; then echo yes; else echo no; fi
}

statuses()
{
	n=0
	while [ "$n" -lt 256 ]; do
		status=0
		as_first "$1" sh -c "exit $n" || status=$?
		[ "$status" -eq "$n" ] || return 1
		n=$((n + 1))
	done
}

# ends NAME STATUS COMMAND...
ends()
{
	name=$1
	want=$2
	shift 2
	status=0
	as_first "$name" "$@" 2>/dev/null || status=$?
	[ "$status" -eq "$want" ]
}

killed()
{
	# shellcheck disable=SC2016 # for the inner shell
	for n in 1 2 3 6 9 13 15; do
		ends "$1" $((128 + n)) sh -c 'kill -$1 $$' sh "$n" || return 1
	done
}

# Each signal reaches the command.
signals()
{
	for n in HUP INT QUIT USR1 USR2 TERM WINCH; do
		begin "$1" sh -c "trap 'echo got-$n; exit' $n; echo ready; while :; do sleep 0.1; done"
		kill -$n "$first"
		got=0
		says "got-$n" || got=1
		over
		[ "$got" -eq 0 ] || return 1
	done
}

# So do its children, without its doing anything.
children()
{
	# shellcheck disable=SC2016
	begin "$1" sh -c 'sh -c "trap \"echo child; exit\" TERM; echo ready; while :; do sleep 0.1; done" &
		trap : TERM; while :; do sleep 0.1; done'
	kill -TERM "$first"
	got=0
	says child || got=1
	over
	[ "$got" -eq 0 ]
}

orphans()
{
	# shellcheck disable=SC2016
	begin "$1" sh -c 'o=$(sh -c "sleep 0.1 >/dev/null & echo \$!"); echo ready
		while [ -e /proc/$o ]; do sleep 0.1; done; echo gone; sleep 60'
	got=0
	says gone || got=1
	over
	[ "$got" -eq 0 ]
}

# Not process 1, but a child of one that waits for nobody else.
below()
{
	# shellcheck disable=SC2016,SC2046
	timeout 10 unshare -pf --mount-proc --kill-child python3 -c '
import os, sys
child = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
os._exit(os.waitpid(child, 0)[1] >> 8)' $(words "$1") sh -c '
		o=$(sh -c "sleep 0.1 >/dev/null & echo \$!")
		while [ -e /proc/$o ]; do sleep 0.1; done' 2>/dev/null
}

# The stop key on a terminal without a shell around: does the command go on?
stop_key()
{
	python3 - "$@" <<'EOF'
import os, pty, select, sys, time
pid, master = pty.fork()
if pid == 0:
    os.execvp("unshare", ["unshare", "-pf", "--mount-proc", "--kill-child", "setsid", "-c", *sys.argv[1:], "sh", "-c",
        "echo ready; while read -r a; do echo got-$a; done"])
def wait_for(text):
    said, end = b"", time.monotonic() + 5
    while text not in said and time.monotonic() < end:
        if select.select([master], [], [], 0.2)[0]:
            try:
                said += os.read(master, 4096)
            except OSError:
                return False
    return text in said
good = wait_for(b"ready")
os.write(master, b"\x1a")
wait_for(b"^Z")
os.write(master, b"line\n")
good = good and wait_for(b"got-line")
os.kill(pid, 9)
os.waitpid(pid, 0)
sys.exit(0 if good else 1)
EOF
}

wakeups()
{
	begin "$1" sh -c 'echo ready; exec sleep 600'
	sleep 1
	before=$(awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$first/status")
	sleep "$seconds"
	after=$(awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$first/status")
	private=$(awk '/^Private/ { n += $2 } END { print n }' "/proc/$first/smaps_rollup")
	over
	wakes=$((after - before))
}


version()
{
	case $1 in
	entry) echo "entry" ;;
	*) printf '%s %s' "$1" "$(dpkg-query -W -f '${Version}' "${1%% *}" 2>/dev/null)" ;;
	esac
}

have=
for name in entry tini 'tini -g' dumb-init catatonit; do
	if [ "$name" != entry ] && ! command -v "${name%% *}" >/dev/null 2>&1; then
		echo "bench/init.sh: ${name%% *} is not installed: left out" >&2
		continue
	fi
	have="$have|$name"
	wakeups "$name"
	program=$(readlink -f "$(command -v "${name%% *}" || echo "$entry")")
	[ "$name" != entry ] || program=$entry
	kind=$(file -Lb "$program" 2>/dev/null | grep -q 'dynamically' && echo "with libc.so" || echo static)
	{
		version "$name"
		echo
		yes_no statuses "$name"
		yes_no killed "$name"
		yes_no ends "$name" 127 /nonexistent/command
		yes_no ends "$name" 126 /etc/passwd
		yes_no signals "$name"
		yes_no children "$name"
		yes_no orphans "$name"
		yes_no below "$name"
		# shellcheck disable=SC2046
		yes_no stop_key $(words "$name")
		echo "$wakes"
		echo "$private KB"
		echo "$(($(stat -L -c %s "$program") / 1024)) KB, $kind"
	} | grep . >"$T/column$(echo "$have" | tr -dc '|' | wc -c)"
done

cat <<EOF
# entry beside other first processes

Made by \`bench/init.sh\`: the same cases for each, run as process 1 of a namespace of its own
(the row "below another" excepted). entry runs the image's \`/entrypoint.sh\`, which the others
do not have, so its figures include what that needs.

EOF
paste -d '|' - "$T"/column* <<EOF | awk -F'|' 'NR == 1 { print "| " $0; gsub(/[^|]+/, "---"); print "|" $0; next } { print "| " $0 }' | sed 's/|/ | /g; s/^ //; s/$/ |/; s/  */ /g'
case
every exit status 0 to 255 passes
killed by signal n: 128+n
unknown command: 127
not executable: 126
HUP INT QUIT USR1 USR2 TERM WINCH reach the command
and the command's children
orphans are reaped
below another process 1: orphans are reaped
stop key without a shell: the command goes on
wake-ups in $seconds idle seconds
private memory while idle
size of the program
EOF
