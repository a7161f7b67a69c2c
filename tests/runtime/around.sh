#!/bin/sh
# entry under other first processes and another engine: what is missing here is skipped by name.
# shellcheck disable=SC2317 # functions run through check
set -u
# shellcheck source=tests/runtime/libraries.sh
. "$SOURCE_ROOT/tests/runtime/libraries.sh"
entry=${ENTRY:-$BUILD_ROOT/src/runtime/entry}
startup=${STARTUP:-$BUILD_ROOT/src/runtime/startup}
script=$SOURCE_ROOT/data/image/entrypoint.sh
number=0
failed=0
T=$(mktemp -d "${TMPDIR:-/tmp}/cda-around.XXXXXX") || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 1' HUP INT TERM

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
		sed 's/^/# /' "$T/out"
		failed=1
	fi
}

# without TEXT REASON
without()
{
	number=$((number + 1))
	if [ "${MUST_RUN:-0}" = 1 ]; then
		echo "not ok $number - $1 # skipped though MUST_RUN=1: $2"
		failed=1
	else
		echo "ok $number - $1 # SKIP $2"
	fi
}

# The same for what nothing here installs.
skip()
{
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

run()
{
	timeout 120 "$@" >"$T/out" 2>&1 </dev/null
	status=$?
}

ended()
{
	[ "$status" -eq "$1" ] && [ "$(tail -n 1 "$T/out")" = "$2" ]
}

# A command that answers a signal, and leaves an orphan that entry must reap: its own parent is
# gone, and it is a zombie as long as nobody waits for it.
cat >"$T/command" <<'EOS'
trap 'echo got; exit 21' TERM
sh -c 'sleep 0.1 & echo $!' >"$1/orphan"
while [ -e "/proc/$(cat "$1/orphan")" ]; do sleep 0.1; done
echo reaped
while :; do sleep 0.1; done
EOS

# answers NAME COMMAND...: start it, end it by SIGTERM, and look at both.
answers()
{
	name=$1
	shift
	: >"$T/out"
	"$@" sh "$T/command" "$T" >"$T/out" 2>&1 </dev/null &
	victim=$!
	tries=0
	until grep -q reaped "$T/out" || [ "$tries" -gt 600 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	check "$name: an orphan is reaped" grep -q reaped "$T/out"
	kill "$victim"
	wait "$victim"
	status=$?
	check "$name: SIGTERM reaches the command, its status comes back" ended 21 got
}

answers "entry alone" "$entry" "$script"
while IFS='|' read -r name words; do
	# shellcheck disable=SC2086 # words
	set -- $words
	if ! command -v "$1" >/dev/null 2>&1; then
		without "under $name" "no $1"
		continue
	fi
	run "$@" "$entry" "$script" sh -c 'echo fine; exit 7'
	check "under $name: the status" ended 7 fine
	answers "under $name" "$@" "$entry" "$script"
done <<'EOF'
tini|tini --
tini -s|tini -s --
dumb-init|dumb-init --
dumb-init with one child|dumb-init --single-child --
catatonit|catatonit --
EOF

# First in a process namespace of its own, as in RUN.
if unshare -pf --mount-proc true 2>/dev/null; then
	run unshare -pf --mount-proc "$entry" "$script" sh -c 'exit 9'
	check "as process 1: the status" test "$status" -eq 9
	# shellcheck disable=SC2016 # for the inner shells
	run unshare -pf --mount-proc sh -c '"$@"; echo "$?"' sh "$entry" "$script" sh -c 'kill -9 $$'
	check "below another process 1: killed" ended 0 137
else
	skip "as process 1" "no process namespaces here"
fi

# podman, on a root of busybox and what we bring.
podman_run()
{
	# shellcheck disable=SC2086 # words
	run podman --cgroup-manager cgroupfs $runtime --root "$T/store" --runroot "$T/run" run --rm \
		--network none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@"
}
busybox=$(command -v busybox || :)
root=$T/root
if [ -z "$busybox" ] || ! command -v podman >/dev/null 2>&1; then
	skip "under podman" "no podman or no busybox"
else
	mkdir -p "$root/bin" "$root/usr/lib/condense" "$root/etc" "$root/tmp" "$root/home/anaconda" \
		"$root/proc" "$root/dev" "$root/sys" "$root/main" "$root/var/lib/condense"
	chmod 755 "$T"
	chmod 1777 "$root/tmp"
	chown 3000:3000 "$root/home/anaconda"
	cp "$busybox" "$root/bin/busybox"
	for name in sh id echo kill cat sleep true; do
		ln -s busybox "$root/bin/$name"
	done
	cp "$entry" "$root/usr/lib/condense/entry"
	cp "$startup" "$root/startup"
	bring_libraries "$startup" "$root"
	bring_libraries "$entry" "$root"
	chmod 4755 "$root/startup"
	cp "$script" "$root/entrypoint.sh"
	printf 'root:x:0:0:root:/root:/bin/sh\nanaconda:x:3000:3000::/home/anaconda:/bin/sh\n' \
		>"$root/etc/passwd"
	printf 'root:x:0:\nanaconda:x:3000:\n' >"$root/etc/group"
	# Its own choice of a runtime, else Docker's.
	runtime=
	podman_run --rootfs "$root" /bin/true
	if [ "$status" -ne 0 ] && command -v runc >/dev/null 2>&1; then
		runtime="--runtime runc"
		podman_run --rootfs "$root" /bin/true
	fi
	if [ "$status" -ne 0 ]; then
		skip "under podman" "podman runs nothing here: $(tail -n 1 "$T/out")"
	else
		podman_run --rootfs "$root" /entrypoint.sh sh -c 'echo fine; exit 7'
		check "under podman: the status" ended 7 fine
		podman_run --user 4321:3000 --rootfs "$root" /entrypoint.sh id -un
		check "under podman: another uid has the account" ended 0 anaconda
		# shellcheck disable=SC2016
		podman_run --user 4321:3000 --rootfs "$root" /entrypoint.sh sh -c 'kill -15 $$'
		check "under podman: killed" test "$status" -eq 143
		podman_run --init --rootfs "$root" /entrypoint.sh sh -c 'echo fine; exit 8'
		if [ "$status" -gt 124 ]; then
			skip "under podman --init" "podman finds no init: $(tail -n 1 "$T/out")"
		else
			check "under podman --init: the status" ended 8 fine
		fi
	fi
fi

echo "1..$number"
exit "$failed"
