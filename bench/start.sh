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
# Lists for conda and pip that were installed before: in an image made of a container.
python3 - "$T" <<'EOF2'
import bz2, io, json, pathlib, sys, tarfile, zipfile
folder = pathlib.Path(sys.argv[1])
info = "cda_bench-1.dist-info"
with zipfile.ZipFile(folder / "cda_bench-1-py3-none-any.whl", "w") as wheel:
    wheel.writestr("cda_bench.py", "")
    wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: cda-bench\nVersion: 1\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(f"{info}/RECORD", f"cda_bench.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
index = {"name": "cda-bench", "version": "1", "build": "0", "build_number": 0, "depends": [],
         "subdir": "noarch"}
packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w") as archive:
    for name, text in (("info/index.json", json.dumps(index)), ("info/files", "share/cda-bench\n"),
                       ("info/paths.json", json.dumps({"paths_version": 1, "paths": [
                           {"_path": "share/cda-bench", "path_type": "hardlink"}]})),
                       ("share/cda-bench", "")):
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(text), 0o644
        archive.addfile(member, io.BytesIO(text.encode()))
(folder / "cda-bench-1-0.tar.bz2").write_bytes(bz2.compress(packed.getvalue()))
EOF2
mkdir "$T/lists"
mv "$T"/cda* "$T/lists/"
echo /lists/cda-bench-1-0.tar.bz2 >"$T/conda"
printf -- '--no-index\n/lists/cda_bench-1-py3-none-any.whl\n' >"$T/pip"
chmod -R a+rX "$T"
prepared=cda-bench-start-$$
trap 'docker rm -f "$prepared" >/dev/null 2>&1 || true
	docker rmi -f "$prepared" >/dev/null 2>&1 || true
	rm -rf "$T"' EXIT
docker run --name "$prepared" --network none -v "$T/lists:/lists:ro" \
	-v "$T/conda:/tmp/conda_requirements.txt:ro" -v "$T/pip:/tmp/pip_requirements.txt:ro" \
	"$IMAGE" true >/dev/null 2>"$T/err" || { cat "$T/err" >&2; exit 1; }
docker commit "$prepared" "$prepared" >/dev/null
docker rm "$prepared" >/dev/null
python3 - "$runs" "$IMAGE" "$T" "$os" "$prepared" <<'EOF'
import statistics, subprocess, sys, time
runs, image, folder, os, prepared = int(sys.argv[1]), *sys.argv[2:]
names = {"list": os, "conda": "conda", "pip": "pip"}
lists = [word for file, name in names.items()
         for word in ("-v", f"{folder}/{file}:/tmp/{name}_requirements.txt:ro")]
ways = {
    "the engine's bare start": ["--entrypoint", "/bin/true", image],
    "nothing to do": [image, "true"],
    "another uid is mapped": ["-u", "54321:anaconda", image, "true"],
    "no account can be had": ["-u", "54321:anaconda", "--security-opt", "no-new-privileges", image, "true"],
    "bare, with three mounts": [*lists, "--entrypoint", "/bin/true", prepared],
    "unchanged lists": [*lists, prepared, "true"],
}
taken = {name: [] for name in ways}
for _ in range(runs):
    for name, words in ways.items():
        begin = time.monotonic()
        subprocess.run(["docker", "run", "--rm", "--network", "none", *words], check=True)
        taken[name].append((time.monotonic() - begin) * 1000)
median = {name: statistics.median(times) for name, times in taken.items()}
for name in ways:
    bare = median["bare, with three mounts" if name == "unchanged lists" else "the engine's bare start"]
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
