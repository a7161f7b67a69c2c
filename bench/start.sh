#!/bin/sh
# start.sh - what a start of the image costs over the engine's bare start: medians of one run, whose
# ways take turns. Usage: bench/start.sh [RUNS] [IMAGE]
set -eu
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/../tools/lib.sh"
load_env
runs=${1:-21}
IMAGE=${2:-$IMAGE}
engine_env=$("$root/tools/engine" up)
eval "$engine_env"
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
trap 'exit 1' HUP INT TERM
docker image inspect "$IMAGE" >/dev/null 2>&1 || {
	say "starts are left out: there is no image '$IMAGE' (make image)"
	exit 0
}

# A list whose packages are all there.
os=apt
[ "$DISTRO" = debian ] || os=apk
case $os in
apt) echo bash coreutils ;;
apk) echo busybox musl ;;
esac >"$T/list"
chmod 755 "$T"
chmod 644 "$T/list"
python3 - "$runs" "$IMAGE" "$T" "$os" <<'EOF'
import statistics, subprocess, sys, time
runs, image, folder, os = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
lists = ["-v", f"{folder}/list:/tmp/{os}_requirements.txt:ro"]
ways = {
    "the engine's bare start": ["--entrypoint", "/bin/true", image],
    "nothing to do": [image, "true"],
    "another uid is mapped": ["-u", "54321:anaconda", image, "true"],
    "no account can be had": ["-u", "54321:anaconda", "--security-opt", "no-new-privileges", image, "true"],
    "bare, with a mount": [*lists, "--entrypoint", "/bin/true", image],
    "unchanged lists": [*lists, image, "true"],
}
taken = {name: [] for name in ways}
for _ in range(runs):
    for name, words in ways.items():
        begin = time.monotonic()
        subprocess.run(["docker", "run", "--rm", "--network", "none", *words], check=True)
        taken[name].append((time.monotonic() - begin) * 1000)
median = {name: statistics.median(times) for name, times in taken.items()}
for name in ways:
    bare = median["bare, with a mount" if name == "unchanged lists" else "the engine's bare start"]
    print(f"{name:28} {median[name]:8.1f} ms {median[name] - bare:+8.1f} ms")
EOF

# Private memory of process 1, where the engine's processes are this machine's.
id=$(docker run -d --network none "$IMAGE" sleep 600)
tries=0
until [ "$(docker top "$id" 2>/dev/null | grep -c 'sleep 600')" -ge 2 ] || [ "$tries" -gt 100 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
pid=$(docker inspect -f '{{.State.Pid}}' "$id")
if [ -r "/proc/$pid/smaps_rollup" ]; then
	awk '/^Private/ { n += $2 } END { printf "%-28s %8d KB private\n", "entry beside its command", n }' \
		"/proc/$pid/smaps_rollup"
fi
docker rm -f -v "$id" >/dev/null
