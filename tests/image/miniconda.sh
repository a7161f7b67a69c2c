#!/bin/sh
# The Miniconda family, with a stand-in release: what the mirrors answer, the recipe of each
# distribution (DISTROS chooses), those of the sections A to D on its image in which the family can
# differ (SECTIONS chooses), and the size beside the predecessor's recipe.
#
# Accounts, names, data, and what attackers do are the same programs in both families. Their sections
# pass with this one, too, and are run with it by hand alone:
# SECTIONS="d_data d_names e_hostile e_start" tests/image/miniconda.sh
# shellcheck disable=SC2016,SC2086 # scripts for the container; words
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"
: >"$T/out"
: >"$T/err"
status=0
name=condense-standin/miniconda3-$$
distros=${DISTROS:-debian alpine}
sections="a_promises b_details c_derived c_start d_doctor d_lists d_process d_python d_settings"
version=26.5.3
suffix=-9 # a release that there is none of, so none that has a pinned hash

make_standin()
{
	"$tests/standin/make" --conda "$build/bin/conda" --channel "$build/release/channel" \
		--out "$T/good" --name "$@" >"$T/made" 2>"$T/err"
}
if [ ! -x "$build/bin/conda" ] || [ ! -d "$build/release/channel" ]; then
	skip "48 RELEASE=miniconda" "build/release is not here: run make release"
	finish
fi
release=Miniconda3-py${PY_VER%%.*}${PY_VER#*.}_$version$suffix-Linux-x86_64.sh
mkdir -p "$T/good" "$T/none"
make_standin "$release"
status=$?
ended "48 a stand-in of the shape and name of a release" 0
[ "$status" -eq 0 ] || finish
read -r _ sha256 <"$T/made"

# Three mirrors: nobody listens, nothing is there, all is there. One process, ended by clean_up.
python3 -u - "$T" <<'EOF' &
import functools, http.server, os, socket, sys, threading

class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        with open(f"{sys.argv[1]}/requests", "a") as log:
            log.write(f"{self.server.server_port} {words[0] % words[1:]}\n")

closed = socket.socket()
closed.bind(("127.0.0.1", 0))
ports = [closed.getsockname()[1]]
for folder in "none", "good":
    handler = functools.partial(Handler, directory=f"{sys.argv[1]}/{folder}")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever).start()
    ports.append(server.server_port)
with open(f"{sys.argv[1]}/ports.new", "w") as file:
    print(*ports, file=file)
os.rename(f"{sys.argv[1]}/ports.new", f"{sys.argv[1]}/ports")
EOF
mirrors=$!
trap 'kill $mirrors 2>/dev/null; drop_images; clean_up' EXIT
drop_images()
{
	old=$(docker images -q "$name" | sort -u)
	[ -z "$old" ] || docker rmi -f $old >/dev/null 2>&1
}
tries=0
until [ -e "$T/ports" ]; do
	tries=$((tries + 1))
	[ "$tries" -lt 600 ] && kill -0 "$mirrors" || exit 1
	sleep 0.1
done
read -r closed none good <"$T/ports"
closed=http://127.0.0.1:$closed/mini
none=http://127.0.0.1:$none
good=http://127.0.0.1:$good

# build VARIABLE=VALUE...: the recipe, as make image calls it. Sets tag.
build_it()
{
	tag=$name:$version-py$PY_VER-$DISTRO
	env RELEASE=miniconda DISTRO="$DISTRO" IMAGE="$tag" CONDA_VER="$version" \
		CONDA_SUFFIX="$suffix" CONDA_SHA256="$sha256" \
		PY_LABEL="py${PY_VER%%.*}${PY_VER#*.}" "$@" "$root/tools/image" build \
		>"$T/out" 2>"$T/err"
	status=$?
}

# relay SECTION: its checks, counted here.
relay()
{
	env RELEASE=miniconda DISTRO="$DISTRO" IMAGE="$tag" CONDA_VER="$version" \
		"$tests/$1.sh" >"$T/tap" 2>"$T/tap.err"
	planned=$(sed -n 's/^1\.\.//p' "$T/tap")
	counted=$number
	while IFS= read -r line; do
		case $line in
		'ok '*)
			number=$((number + 1))
			echo "ok $number - $DISTRO: ${line#* - }"
			;;
		'not ok '*)
			number=$((number + 1))
			failures=$((failures + 1))
			echo "not ok $number - $DISTRO: ${line#* - }"
			;;
		'# '*) echo "$line" ;;
		esac
	done <"$T/tap"
	[ "$((number - counted))" = "$planned" ] || {
		sed 's/^/# /' "$T/tap.err" | tail -n 12
		false
	}
	result $? "$DISTRO: $1 ran to its end"
}

mb()
{
	echo "$(($1 / 1000000)).$(($1 / 100000 % 10))"
}

# The predecessor's recipe on the same release.
predecessor()
{
	rm -rf "$T/before"
	mkdir -p "$T/before/release" "$T/before/build/image"
	cp "$root/dist/glibc" "$build/bin/startup" "$T/before/"
	cp "$build"/image/locales_*.deb "$T/before/build/image/"
	cp "$T/good/$release" "$T/before/release/"
	docker build --network host --build-arg "BASE=$1" --build-arg DEBIAN_SUITE \
		--build-arg "DISTRO=$DISTRO" -t "$name:predecessor-$DISTRO" \
		-f "$tests/predecessor.Dockerfile" "$T/before" >"$T/out" 2>"$T/err"
	status=$?
	ended "$DISTRO: the predecessor's recipe makes an image of it" 0
	before=$("$root/tools/image" size "$name:predecessor-$DISTRO")
	after=$("$root/tools/image" size "$tag")
	percent=$((after * 100 / before))
	echo "# note: $DISTRO, stand-in: $(mb "$after") MB, the predecessor's recipe $(mb "$before") MB:" \
		"$percent %"
	[ "$after" -le $((before * MINICONDA_SIZE_PERCENT / 100)) ]
	result $? "1 $DISTRO: at most $MINICONDA_SIZE_PERCENT % of the predecessor's compressed size"
}

for DISTRO in $distros; do
	export DISTRO
	case $DISTRO in
	debian) base=debian:$DEBIAN_SUITE-slim ;;
	alpine) base=alpine:$ALPINE_VERSION ;;
	esac
	build_it CONDA_MIRRORS="$closed,$none,$good"
	if [ "$status" -eq 77 ] && ! docker image inspect "$base" >/dev/null 2>&1; then
		skip "48 $DISTRO: RELEASE=miniconda" "$(sed -n '1s/^[a-z]*: //p' "$T/err")"
		continue
	fi
	ended "48 $DISTRO: built from the third of three mirrors" 0
	[ "$status" -eq 0 ] || continue
	# Once for both distributions, where the engine keeps the stage that they share.
	awk '$(NF - 1) == 200 { print $3 }' "$T/requests" | sort -u >"$T/out"
	[ "$(cat "$T/out")" = "/$release" ]
	result $? "48 $DISTRO: which gave the release and nothing else"
	docker_run "$tag" head -c 2 /opt/conda/bin/conda
	is "48 $DISTRO: its conda is a script" '#!'
	docker_run "$tag" sh -c 'grep -rlI standin_placeholder /opt/conda; ls /opt/conda/_conda 2>/dev/null; env | grep -i tos'
	[ ! -s "$T/out" ]
	result $? "48 $DISTRO: nothing of the build's is left, and no terms are accepted"
	docker_run "$tag" cat /opt/conda/conda-meta/pinned
	is "34 $DISTRO: Python is pinned" "python $PY_VER.*"
	list conda.txt 'no-such-package-at-all\n'
	mkdir -p "$T/empty/conda-forge/noarch"
	echo '{"packages": {}}' >"$T/empty/conda-forge/noarch/repodata.json"
	docker_run -e CONDA_CHANNEL_ALIAS=file:///empty -v "$T/empty:/empty:ro" \
		-v "$T/conda.txt:/tmp/conda_requirements.txt:ro" "$tag" true
	said "63 $DISTRO: the error is found among all that this conda says" \
		"'/tmp/conda_requirements.txt' line 1: .*: PackagesNotFoundError: "
	docker_run -e CONDA_CHANNEL_ALIAS=file:///none -v "$T/conda.txt:/tmp/conda_requirements.txt:ro" \
		"$tag" true
	said "63 $DISTRO: one that is not called an error, too" \
		"'/tmp/conda_requirements.txt': .*: UnavailableInvalidChannel: "
	for section in ${SECTIONS-$sections}; do
		relay "$section"
	done
	: >"$T/out"
	: >"$T/err"
	predecessor "$base"
done

# An older release: no build suffix in its name, another way of looking for glibc.
DISTRO=alpine
if [ "${distros#*alpine}" = "$distros" ]; then
	:
elif docker image inspect "alpine:$ALPINE_VERSION" >/dev/null 2>&1; then
	old=Miniconda3-py${PY_VER%%.*}${PY_VER#*.}_4.12.0-Linux-x86_64.sh
	make_standin "$old" --glibc old
	read -r _ other <"$T/made"
	build_it CONDA_VER=4.12.0 CONDA_SUFFIX= CONDA_SHA256="$other" CONDA_MIRRORS="$good" \
		IMAGE="$name:old"
	ended "48 an older release finds a glibc on Alpine" 0
	docker_run "$name:old" conda -V
	is "48 and is that release" "conda 4.12.0"
else
	skip "48 an older release on Alpine" "alpine:$ALPINE_VERSION is not here"
fi

# ---- what is chosen, and what is refused
[ "${distros#*debian}" != "$distros" ] || finish
DISTRO=debian
build_it CONDA_MIRRORS="$good" CHANNELS=conda-forge,defaults IMAGE="$name:defaults"
ended "10 CHANNELS with defaults" 0
docker_run "$name:defaults" conda config --show channels
is "10 is what the image has then" "channels:
  - conda-forge
  - defaults"

build_it CONDA_MIRRORS="$closed,$none" IMAGE="$name:away"
[ "$status" -ne 0 ]
result $? "48 no mirror has it: no image"
for text in "'$closed/$release': .*connect" "'$none/$release': .*404" 'make up RELEASE=condense'; do
	said "48 and it says $(echo "$text" | sed "s/[^ ]*: \.\*//; s/'//g")" "$text"
done
build_it CONDA_MIRRORS="$good" CONDA_SHA256="$(echo | sha256sum | cut -d ' ' -f 1)" IMAGE="$name:away"
[ "$status" -ne 0 ]
result $? "48 another hash than CONDA_SHA256: no image"
said "48 and it says so" 'sha256'
! docker image inspect "$name:away" >/dev/null 2>&1
result $? "48 nothing has the image's name"
finish
