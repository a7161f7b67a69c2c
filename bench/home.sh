#!/bin/sh
# home.sh - what a start costs with many files in the home over the same start with an empty one:
# medians of one run, whose ways take turns; then what it costs to give all of them to the caller.
# Usage: bench/home.sh [RUNS] [FILES] [IMAGE]
set -eu
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/../tools/lib.sh"
load_env
runs=${1:-11}
files=${2:-200000}
IMAGE=${3:-$IMAGE}
engine_env=$("$root/tools/engine" up)
eval "$engine_env"
T=$(mktemp -d)
name=cda-bench-home-$$
trap 'clean_up' EXIT
trap 'exit 1' HUP INT TERM

clean_up()
{
	docker volume rm -f "$name-empty" "$name-full" >/dev/null 2>&1 || :
	docker rmi -f "$name:empty" "$name:full" >/dev/null 2>&1 || :
	rm -rf "$T"
}

docker image inspect "$IMAGE" >/dev/null 2>&1 || {
	say "homes are left out: there is no image '$IMAGE' (make image)"
	exit 0
}
echo "an image with $files files in its home"
for kind in empty full; do
	count=$files
	[ "$kind" = full ] || count=0
	docker build -q -t "$name:$kind" - >"$T/out" 2>&1 <<-EOF || { cat "$T/out" >&2; exit 1; }
		FROM $IMAGE
		RUN python -c "import os; [(os.makedirs(f'/home/anaconda/many/{d}'), \\
		    [open(f'/home/anaconda/many/{d}/{n}', 'w').close() for n in range(100)]) for d in range($count // 100)]"
	EOF
	docker volume create "$name-$kind" >/dev/null
	# The engine fills a new volume from the image; that is no part of a start.
	docker run --rm --network none -v "$name-$kind:/home/anaconda" --entrypoint true "$name:$kind"
done
python3 - "$runs" "$name" <<'EOF'
import statistics, subprocess, sys, time
runs, name = int(sys.argv[1]), sys.argv[2]
ways = {
    "another uid": lambda kind: [f"{name}:{kind}"],
    "NEW_USER": lambda kind: ["-e", "NEW_USER=dja", f"{name}:{kind}"],
    "NEW_HOME": lambda kind: ["-e", "NEW_HOME=/home/.anaconda", f"{name}:{kind}"],
    "both": lambda kind: ["-e", "NEW_USER=dja", "-e", "NEW_HOME=/home/.anaconda", f"{name}:{kind}"],
    "in a volume": lambda kind: ["-v", f"{name}-{kind}:/home/anaconda", f"{name}:empty"],
    "in a volume, both": lambda kind: ["-v", f"{name}-{kind}:/home/anaconda", "-e", "NEW_USER=dja",
                                       "-e", "NEW_HOME=/home/.anaconda", f"{name}:empty"],
}
def start(words, command="true"):
    begin = time.monotonic()
    subprocess.run(["docker", "run", "--rm", "--network", "none", "-u", "54321:anaconda", *words,
                    *command.split()], check=True, stderr=subprocess.DEVNULL)
    return (time.monotonic() - begin) * 1000
taken = {}
for _ in range(runs):
    for way, words in ways.items():
        for kind in ("empty", "full"):
            taken.setdefault((way, kind), []).append(start(words(kind)))
print(f"{'':28} {'empty':>9} {'full':>10} {'ratio':>6}")
for way in ways:
    empty, full = (statistics.median(taken[way, kind]) for kind in ("empty", "full"))
    print(f"{way:28} {empty:8.1f} {full:8.1f} ms {full / empty:6.2f}")
EOF

# All of them given: by as many threads as there are processors, by one, and by chown -R. Each in a
# container of its own, and without the container's own start, which is the same.
python3 - "$runs" "$name" <<'EOF'
import statistics, subprocess, sys, time
runs, name = min(3, int(sys.argv[1])), sys.argv[2]
base = ["docker", "run", "--rm", "--network", "none"]
one = base + ["--cpuset-cpus", "0"]
command = ["-e", "CONDENSE_REOWN=1", "-u", "54321:anaconda", f"{name}:full", "true"]
ways = {
    "CONDENSE_REOWN=1": base + command,
    "on one processor": one + command,
    "chown -R": base + ["-u", "0", "--entrypoint", "chown", f"{name}:full", "-R", "54321", "/home/anaconda"],
}
taken = {}
for _ in range(runs):
    for way, words in ways.items():
        begin = time.monotonic()
        subprocess.run(words, check=True, stderr=subprocess.DEVNULL)
        taken.setdefault(way, []).append(time.monotonic() - begin)
first = statistics.median(taken["CONDENSE_REOWN=1"])
for way, times in taken.items():
    median = statistics.median(times)
    print(f"{way:28} {median:8.1f} s {median / first:6.2f}")
EOF
