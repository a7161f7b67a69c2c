#!/bin/sh
# 59, 62, 68: the first process on the engine, a start that has nothing to install, many at once.
# shellcheck disable=SC2016,SC2086 # scripts for the container; words
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"
serve
use_mirror

# until_logged TEXT: the container has said that line.
until_logged()
{
	tries=0
	until docker logs "$container" 2>&1 | grep -qx -e "$1"; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || return 1
		[ "$(docker inspect -f '{{.State.Running}}' "$container" 2>/dev/null)" = true ] || return 1
		sleep 0.1
	done
}

# exit_of TEXT STATUS: what the container ended with.
exit_of()
{
	docker inspect -f '{{.State.ExitCode}}' "$container" >"$T/out" 2>"$T/err"
	status=$?
	is "$1" "$2"
}

# talk TEXT STATUS COMMAND... <STEPS: a dialogue on a terminal.
talk()
{
	text=$1
	wanted=$2
	shift 2
	: >"$T/out"
	timeout 900 "$tests/dialogue" "$@" >"$T/out" 2>"$T/err"
	status=$?
	ended "$text" "$wanted"
}

milliseconds()
{
	echo $(($(date +%s%N) / 1000000))
}

# ---- 59: signals, orphans, statuses; alone, below the engine's own init, and for another uid
trapping='for name in HUP INT QUIT USR1 USR2 WINCH; do trap "echo got $name" $name; done
	trap "exit 42" TERM; echo started; while :; do sleep 0.1; done'
orphan='pid=$(sh -c "sleep 2 >/dev/null & echo \$!"); [ -e /proc/$pid ] && echo there
	tries=0; while [ -e /proc/$pid ] && [ $tries -lt 600 ]; do sleep 0.1; tries=$((tries + 1)); done
	[ -e /proc/$pid ] || echo gone; exit 5'
while IFS='|' read -r who options; do
	case $options in
	*--init*)
		if ! docker run --rm --init --label "$label" "$IMAGE" true >"$T/out" 2>"$T/err"; then
			skip "59 docker run --init" "the engine has no init: $(tail -n 1 "$T/err")"
			continue
		fi
		;;
	esac
	container=cda-process-$$
	docker run -d --name "$container" --label "$label" $options "$IMAGE" sh -c "$trapping" \
		>"$T/out" 2>"$T/err"
	status=$?
	wait_for_start 1
	for name in HUP INT QUIT USR1 USR2 WINCH; do
		docker kill -s "$name" "$container" >"$T/out" 2>"$T/err" && until_logged "got $name"
		result $? "59 $name reaches the command"
	done
	# Left by docker exec, which is no child of the first process's.
	in_container "$container" sh -c 'for i in 1 2 3; do sleep 1000 & echo $!; done'
	orphans=$(tr '\n' ' ' <"$T/out")
	in_container "$container" sh -c 'for pid in '"$orphans"'; do [ -e /proc/$pid ] && kill $pid && echo there; done
		tries=0; for pid in '"$orphans"'; do while [ -e /proc/$pid ] && [ $tries -lt 600 ]; do
			sleep 0.1; tries=$((tries + 1)); done; [ -e /proc/$pid ] || echo gone; done'
	is "59 orphans of docker exec are reaped" "there
there
there
gone
gone
gone"
	docker kill -s TERM "$container" >/dev/null 2>"$T/err"
	docker wait "$container" >/dev/null 2>&1
	exit_of "59 TERM reaches the command, which has its own status" 42
	down
	docker_run $options "$IMAGE" sh -c "$orphan"
	[ "$status" -eq 5 ] && [ "$(cat "$T/out")" = "there
gone" ]
	result $? "59 orphans of the command are reaped"
	docker_run $options "$IMAGE" sh -c 'kill -9 $$'
	ended "59 killed: 128 and the signal" 137

	# Not the kill that the engine sends when its time is over.
	docker run -d --name "$container" --label "$label" $options "$IMAGE" \
		sh -c 'echo started; exec tail -f /dev/null' >/dev/null 2>"$T/err"
	wait_for_start 1
	begun=$(milliseconds)
	docker stop -t 120 "$container" >/dev/null 2>"$T/err"
	took=$(($(milliseconds) - begun))
	exit_of "59 docker stop ends the command by its signal" 143
	down
	docker run -d --name "$container" --label "$label" --stop-signal KILL --entrypoint sleep "$IMAGE" \
		1000 >/dev/null 2>"$T/err"
	begun=$(milliseconds)
	docker stop -t 120 "$container" >/dev/null 2>"$T/err"
	echo "# note: docker stop$who: $took ms, of a process that is killed at once $(($(milliseconds) - begun)) ms"
	down
done <<'ROWS'
|
 (-u 54321:anaconda)|-u 54321:anaconda
 (--init)|--init -u 54321:anaconda
ROWS

# A terminal: job control, the size of the window, the key that interrupts. The job is one process: a
# shell that has just begun to start another may not notice that it is to stop.
for user in default host; do
	"as_$user"
	talk "59 job control, window size and exit status with -it" 3 \
		docker run --rm -it --label "$label" $flags "$IMAGE" <<'STEPS'
< /main
> python -c 'import os, signal as s, time; s.signal(s.SIGCONT, lambda *_: os.write(1, b"again%d" % 1)); os.write(1, b"begin%d" % 1); time.sleep(1000)'
< begin1
^ Z
< Stopped
> jobs | grep -c Stopped | sed 's/^/jobs: /'
< jobs: 1
> fg
< again1
? ^Cecho ended$((1)) | ended1
= 33 99
? stty size | 33 99
> exit 3
STEPS
done
who=
flags=

# ---- 62: what is installed asks for nothing, and a shell in the container installs nothing
list os.txt 'jq\n'
list conda.txt 'beautifulsoup4\n'
list pip.txt 'soupsieve\n'
all_lists="-v $T/os.txt:$os_list:ro -v $T/conda.txt:/tmp/conda_requirements.txt:ro
	-v $T/pip.txt:/tmp/pip_requirements.txt:ro"
flags="-u 54321:anaconda"
who=" (-u 54321:anaconda)"
up lists $from_mirror $from_loopback $all_lists
status=$?
docker logs "$container" >"$T/out" 2>"$T/err"
ended "62 a first start with each kind of list" 0
grep -c 'condense: installing' "$T/err" >"$T/out"
is "62 installs them" 3
tag=cda-again-$$
docker commit "$container" "$tag" >"$T/out" 2>"$T/err"
status=$?
ended "62 the container as an image" 0
docker run --rm --label "$label" --network none $flags $all_lists "$tag" sh -c \
	'jq --version >/dev/null && python -c "import bs4, soupsieve" && id -un' >"$T/out" 2>"$T/err"
status=$?
is "62 a second start with the same lists needs no network" anaconda
[ ! -s "$T/err" ]
result $? "62 and has nothing to say"
asked=$(wc -l <"$site/requests")
in_container "$container" sh -c "umask 022; mkdir /tmp/more && echo pv >/tmp/more/os &&
	echo no-such-package-at-all >/tmp/more/pip"
talk "62 docker exec -it: a shell with other lists" 0 \
	docker exec -it -e $os_variable=/tmp/more/os -e PIP_REQUIREMENTS=/tmp/more/pip "$container" $image_shell <<'STEPS'
< /main
> echo env:$CONDA_DEFAULT_ENV:$((40 + 2))
< env:base:42
> exit 0
STEPS
in_container "$container" sh -c 'command -v pv || echo none'
is "62 installs nothing" none
[ "$asked" = "$(wc -l <"$site/requests")" ]
result $? "62 and asks for nothing"
down

# ---- 68: readers of the account files, while starts rename the account and others come by
cat >"$T/reader.py" <<'PYTHON'
import os
import sys

FIELDS = {"/etc/passwd": 7, "/etc/group": 4}
lines = {path: len(open(path).readlines()) for path in FIELDS}
contents, reads, bad = set(), 0, []
print("started", flush=True)
while not os.path.exists("/tmp/stop"):
    for path, fields in FIELDS.items():
        data = open(path).read()
        reads += 1
        contents.add(data)
        rows = [line.split(":") for line in data.split("\n")[:-1]]
        # A second name for the account is one line more.
        if (
            not data.endswith("\n")
            or len(rows) not in (lines[path], lines[path] + 1)
            or any(len(row) != fields for row in rows)
            or rows[0][0] != "root"
            or path == "/etc/passwd"
            and not any(row[2] == "54321" for row in rows)
        ):
            bad.append(data)
print(f"contents {'many' if len(contents) > 3 else contents}, bad {len(bad)}")
sys.exit(1 if bad or reads < 10 else 0)
PYTHON
up readers
: >"$T/reader.out"
docker exec -i "$container" python - <"$T/reader.py" >"$T/reader.out" 2>"$T/reader.err" &
reader=$!
tries=0
until grep -q started "$T/reader.out" || [ $tries -ge 600 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
: >"$T/names"
bad=0
for round in 1 2 3 4 5; do
	jobs=
	for name in a b; do
		timeout 300 docker exec -e NEW_USER=$name$round "$container" /entrypoint.sh true \
			>"$T/start.$name" 2>&1 &
		jobs="$jobs $!"
	done
	for _ in 1 2 3; do
		timeout 300 docker exec "$container" id -un >>"$T/names" 2>&1 &
		jobs="$jobs $!"
	done
	for job in $jobs; do
		wait "$job" || bad=1
	done
done
cat "$T/start.a" "$T/start.b" "$T/names" >"$T/out"
result "$bad" "68 starts by docker exec at once, and others meanwhile: each ends well"
[ "$(grep -cx '[ab][1-5]\|anaconda' "$T/names")" -eq 15 ]
result $? "68 each has a name"
in_container "$container" touch /tmp/stop
wait "$reader"
status=$?
tail -n 1 "$T/reader.out" >"$T/out"
cp "$T/reader.err" "$T/err"
is "68 no reader ever saw a short or mixed file" "contents many, bad 0"
check_accounts "$container"
ended "68 pwck and grpck are content" 0
down
flags=
who=

# ---- 59 under podman, with the same files
if ! command -v podman >/dev/null 2>&1; then
	skip "59 podman" "no podman"
	finish
fi
mkdir "$T/podman"
container=cda-export-$$
docker create --name "$container" --label "$label" "$IMAGE" >/dev/null 2>"$T/err"
docker export "$container" | tar -x -C "$T/podman"
down
# podman_run FLAG... COMMAND: on the root file system, which keeps what a run writes.
podman_run()
{
	env -u DOCKER_CONFIG -u DOCKER_HOST timeout 300 podman --cgroup-manager cgroupfs \
		--storage-driver vfs $runtime --root "$T/store" --runroot "$T/store.run" run \
		--rm --network none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --workdir /main \
		-e HOME=/home/anaconda "$@" \
		>"$T/out" 2>"$T/err" </dev/null
	status=$?
}
# Its own choice of a runtime, else the engine's.
runtime=
podman_run --rootfs "$T/podman" /bin/true
if [ "$status" -ne 0 ] && command -v runc >/dev/null 2>&1; then
	runtime="--runtime runc"
	podman_run --rootfs "$T/podman" /bin/true
fi
if [ "$status" -ne 0 ]; then
	skip "59 podman" "podman runs nothing here: $(tail -n 1 "$T/err")"
else
	podman_run --user 4321:3000 --rootfs "$T/podman" /entrypoint.sh \
		sh -c 'id -un; pwd; python -c "import sys; print(sys.prefix)"; exit 7'
	[ "$status" -eq 7 ] && [ "$(cat "$T/out")" = "anaconda
/main
/opt/conda" ]
	result $? "59 podman: user, folder, environment, status"
	podman_run --user 4321:3000 --rootfs "$T/podman" /entrypoint.sh sh -c "$orphan"
	[ "$status" -eq 5 ] && [ "$(tail -n 1 "$T/out")" = gone ]
	result $? "59 podman: orphans are reaped"
	podman_run --user 4321:3000 --rootfs "$T/podman" /entrypoint.sh sh -c 'kill -s TERM 1; sleep 1000'
	ended "59 podman: a signal reaches the command" 143
	podman_run --init --rootfs "$T/podman" /bin/true
	if [ "$status" -ne 0 ]; then
		skip "59 podman --init" "podman finds no init: $(tail -n 1 "$T/err")"
	else
		podman_run --init --user 4321:3000 --rootfs "$T/podman" /entrypoint.sh sh -c "$orphan"
		[ "$status" -eq 5 ] && [ "$(tail -n 1 "$T/out")" = gone ]
		result $? "59 podman --init: orphans and status"
	fi
fi
finish
