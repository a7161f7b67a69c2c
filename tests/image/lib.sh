# lib.sh - what the image tests share: the engine, one run, TAP, a loopback server, clean-up.
# shellcheck shell=sh disable=SC2034
# A case's name starts with its number in the acceptance list. Nothing waits for a fixed time.
# Sections A and B need a shell and docker on this machine and no more: what they install is made
# and served by a container of the image itself (tests/image/site).
set -u
tests=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=tools/lib.sh
. "$tests/../../tools/lib.sh"
root=$(CDPATH='' cd -- "$tests/../.." && pwd)
build=$root/build
load_env

# ---- what differs between the distributions and between the families

case $DISTRO in
debian)
	image_shell=bash
	os=apt
	os_variable=APT_REQUIREMENTS
	base=debian:$DEBIAN_SUITE-slim
	foreign_uids="1 33 65534"
	free_uids=
	;;
alpine)
	image_shell="sh"
	os=apk
	os_variable=APK_REQUIREMENTS
	base=alpine:$ALPINE_VERSION
	foreign_uids="1 8 65534"
	free_uids=33
	;;
*)
	echo "Bail out! DISTRO=$DISTRO: there are debian and alpine"
	exit 1
	;;
esac
case $RELEASE in
condense) conda_version=$VERSION ;;
*) conda_version=$CONDA_VER ;;
esac
os_list=/tmp/${os}_requirements.txt
packages=/opt/conda/lib/python$PY_VER/site-packages

number=0
failures=0
T=$(mktemp -d "${TMPDIR:-/tmp}/cda-image.XXXXXX") || exit 1
chmod 755 "$T"
label=cda-test=$(basename "$T")
trap 'clean_up' EXIT
trap 'exit 1' HUP INT TERM

clean_up()
{
	old=$(docker ps -aq --filter "label=$label")
	# shellcheck disable=SC2086 # ids
	[ -z "$old" ] || docker rm -f -v $old >/dev/null 2>&1
	# What a container's user wrote may be another's here.
	rm -rf "$T" 2>/dev/null || docker run --rm -u 0 -v "$T:/T" --entrypoint /bin/sh "$IMAGE" \
		-c 'rm -rf /T/*' >/dev/null 2>&1
	rm -rf "$T"
	old=$(docker images -q --filter "label=$label")
	# shellcheck disable=SC2086
	[ -z "$old" ] || docker rmi -f $old >/dev/null 2>&1
}

# The engine that answers, else our own; where the docker command lacks buildx, ours, or else the
# builder that it has.
if docker version >/dev/null 2>&1; then
	export DOCKER_BUILDKIT=1
	if ! docker buildx version >/dev/null 2>&1; then
		export DOCKER_BUILDKIT=0
		engine_env=$("$root/tools/engine" up 2>/dev/null) || engine_env=:
		eval "$engine_env"
	fi
else
	engine_env=$("$root/tools/engine" up) || exit 1
	eval "$engine_env"
fi
if ! docker image inspect "$IMAGE" >/dev/null 2>&1; then
	if [ "$DISTRO" = alpine ] && [ "${MUST_RUN:-0}" != 1 ] &&
		! "$root/tools/base" can alpine >/dev/null 2>&1; then
		echo "1..0 # SKIP Alpine: its base image cannot be had here"
		exit 0
	fi
	echo "Bail out! there is no image '$IMAGE': run make image"
	exit 1
fi

# ---- results

finish()
{
	echo "1..$number"
	[ "$failures" -eq 0 ]
	exit
}

# result STATUS TEXT: STATUS 0 is good. The last run is shown with a failure.
result()
{
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - $2$who"
		return
	fi
	failures=$((failures + 1))
	echo "not ok $number - $2$who"
	{
		echo "status ${status-}"
		tail -n 12 "$T/out"
		tail -n 12 "$T/err"
	} | sed 's/^/# /'
}

# skip TEXT REASON
skip()
{
	number=$((number + 1))
	if [ "${MUST_RUN:-0}" = 1 ]; then
		failures=$((failures + 1))
		echo "not ok $number - $1$who # skipped though MUST_RUN=1: $2"
	else
		echo "ok $number - $1$who # SKIP $2"
	fi
}

# The last run's output is, starts or ends with, holds.
is()
{
	[ "$status" -eq 0 ] && [ "$(cat "$T/out")" = "$2" ]
	result $? "$1"
}

is_like()
{
	matched=1
	# shellcheck disable=SC2254 # a pattern
	case $(cat "$T/out") in
	$2) matched=$status ;;
	esac
	result "$matched" "$1"
}

ended()
{
	[ "$status" -eq "$2" ]
	result $? "$1"
}

said()
{
	grep -q -- "$2" "$T/err"
	result $? "$1"
}

# ---- runs

who=
flags=

# as_default, as_host: the two users that every case has. The second is unknown to the image.
as_default()
{
	who=" (default user)"
	flags=
}

as_host()
{
	who=" (-u 54321:anaconda)"
	flags="-u 54321:anaconda"
}

# docker_run ARGUMENT...: sets status, leaves $T/out and $T/err.
docker_run()
{
	# shellcheck disable=SC2086 # flags are words
	timeout 900 docker run --rm -i --network host --label "$label" $flags "$@" \
		>"$T/out" 2>"$T/err" </dev/null
	status=$?
}

# run FLAG... SCRIPT: the image's own shell runs the script.
run()
{
	count=$#
	while [ "$count" -gt 1 ]; do
		set -- "$@" "$1"
		shift
		count=$((count - 1))
	done
	script=$1
	shift
	docker_run "$@" "$IMAGE" "$image_shell" -c "$script"
}

# up NAME FLAG...: a container that stays; waits until its command runs.
up()
{
	container=cda-$1-$$
	shift
	# shellcheck disable=SC2086
	docker run -d --name "$container" --network host --label "$label" $flags "$@" \
		"$IMAGE" sh -c 'echo started; exec tail -f /dev/null' >/dev/null 2>"$T/err" || return 1
	wait_for_start 1
}

# Until it has said `started` that often.
wait_for_start()
{
	tries=0
	until [ "$(docker logs "$container" 2>/dev/null | grep -c '^started$')" -ge "$1" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || return 1
		[ "$(docker inspect -f '{{.State.Running}}' "$container" 2>/dev/null)" = true ] ||
			return 1
		sleep 0.2
	done
}

# in_container FLAG... COMMAND: docker exec, with the same results as a run.
in_container()
{
	timeout 300 docker exec "$@" >"$T/out" 2>"$T/err" </dev/null
	status=$?
}

down()
{
	docker rm -f -v "$container" >/dev/null 2>&1
}

# image TAG [FLAG...]: build a derived image from the Dockerfile on stdin; its context is $T/context.
image()
{
	tag=cda-test-$1-$$
	shift
	mkdir -p "$T/context"
	cat >"$T/context/Dockerfile"
	docker build --network host --label "$label" -t "$tag" "$@" "$T/context" \
		>"$T/out" 2>"$T/err"
	status=$?
}

# ---- what is installed in the tests: from loopback, and from the distribution's mirror

# beside NAME ARGUMENT...: Python in a container of the image, on this machine's network, with
# $T/NAME as /beside; sets container.
beside()
{
	container=cda-$1-$$
	mkdir -p "$T/$1"
	chmod 777 "$T/$1"
	where=$T/$1
	shift
	docker run -d --name "$container" --network host --label "$label" -u "$(id -u):$(id -g)" \
		-v "$where:/beside" --entrypoint /opt/conda/bin/python "$@" >/dev/null 2>"$T/err"
}

# wait_for FILE: until the container beside has made it.
wait_for()
{
	tries=0
	until [ -e "$1" ]; do
		tries=$((tries + 1))
		if [ "$tries" -ge 600 ] ||
			[ "$(docker inspect -f '{{.State.Running}}' "$container" 2>/dev/null)" != true ]; then
			{ cat "$T/err"; docker logs "$container" 2>&1 | tail -n 5; } | sed 's/^/# /'
			echo "Bail out! no $(basename "$1") from a container: are this machine's files the engine's?"
			exit 1
		fi
		sleep 0.1
	done
}

# serve [release]: conda finds a channel of stand-ins, or the embedded release's, as conda-forge,
# and pip an index of wheels. Sets url, site and from_loopback. UPSTREAM=1: what the image has
# configured, which is conda-forge and PyPI themselves.
serve()
{
	site=$T/site
	channel=
	[ "${1:-}" != release ] || channel="-v $build/release/channel:/beside/channels/conda-forge:ro"
	# shellcheck disable=SC2086 # words
	beside site -v "$tests/site:/site:ro" $channel "$IMAGE" /site /beside
	wait_for "$site/port"
	url=http://127.0.0.1:$(cat "$site/port")
	from_loopback="-e CONDA_CHANNEL_ALIAS=$url/channels -e PIP_INDEX_URL=$url/simple"
	[ "${UPSTREAM:-0}" != 1 ] || from_loopback=
}

# Where the container finds its distribution's packages: $T/mirror is what its root gets for that.
# Sets from_mirror, the same as volumes. After serve.
use_mirror()
{
	from_mirror=
	mkdir -p "$T/mirror"
	case $os in
	apk) apk_mirror ;;
	deb) deb_mirror ;;
	*) apt_mirror ;;
	esac
	chmod -R a+rX "$T/mirror"
	for file in $(cd "$T/mirror" && find . -type f); do
		file=${file#.}
		from_mirror="$from_mirror -v $T/mirror$file:$file:ro"
	done
}

# apt in the container uses the mirror and the proxy that the host's uses; where the host has none,
# what the image has configured.
apt_mirror()
{
	(find_mirror) >/dev/null 2>&1 || return 0
	find_mirror
	mkdir -p "$T/mirror/etc/apt/apt.conf.d" "$T/mirror/etc/apt/sources.list.d"
	apt-config dump Acquire 2>/dev/null | grep -E '(::Proxy|::Check-|::Verify-)' \
		>"$T/mirror/etc/apt/apt.conf.d/99test"
	{
		printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$mirror" "$DEBIAN_SUITE"
		printf 'Signed-By: %s\n' "$keyring"
	} >"$T/mirror/etc/apt/sources.list.d/debian.sources"
}

# A signed repository of stand-ins, indexed by apk itself.
apk_mirror()
{
	docker run --rm --label "$label" -u "$(id -u):$(id -g)" -v "$site:/beside" \
		-v "$tests/apks:/apks:ro" --entrypoint /opt/conda/bin/python "$IMAGE" \
		/apks /beside/alpine >"$T/err" 2>&1 || {
		sed 's/^/# /' "$T/err"
		echo "Bail out! no packages for apk"
		exit 1
	}
	mkdir -p "$T/mirror/etc/apk/keys"
	cp "$site/alpine/test.rsa.pub" "$T/mirror/etc/apk/keys/"
	echo "$url/alpine" >"$T/mirror/etc/apk/repositories"
}

# A signed repository of stand-ins, in place of what apt has configured.
deb_mirror()
{
	docker run --rm --label "$label" -u "$(id -u):$(id -g)" -v "$site:/beside" \
		-v "$tests/debs:/debs:ro" --entrypoint /opt/conda/bin/python "$IMAGE" \
		/debs /beside/debian >"$T/err" 2>&1 || {
		sed 's/^/# /' "$T/err"
		echo "Bail out! no packages for apt"
		exit 1
	}
	mkdir -p "$T/mirror/etc/apt/sources.list.d" "$T/mirror/etc/apt/keyrings"
	cp "$site/debian/test.gpg" "$T/mirror/etc/apt/keyrings/"
	printf 'Types: deb\nURIs: %s/debian\nSuites: ./\nSigned-By: %s\n' "$url" \
		/etc/apt/keyrings/test.gpg >"$T/mirror/etc/apt/sources.list.d/debian.sources"
}

# use_standins: like use_mirror, with the same few packages for either distribution: from loopback,
# and counted in $site/requests.
use_standins()
{
	[ "$os" = apk ] || os=deb
	use_mirror
	[ "$os" = apk ] || os=apt
}

# prompt FLAG...: what an interactive shell of the image shows first, on a terminal.
prompt()
{
	docker_run -v "$tests/prompt:/prompt:ro" "$@" "$IMAGE" python /prompt "$image_shell"
}

# check_accounts CONTAINER: the four files of accounts, judged by this machine's pwck and grpck for
# an image that has neither.
check_accounts()
{
	if docker exec "$1" sh -c 'command -v pwck' >/dev/null 2>&1; then
		in_container -u 0 "$1" sh -c 'pwck -r && grpck -r'
		return
	fi
	mkdir "$T/exported"
	docker export "$1" | tar -x -C "$T/exported"
	rm -f "$T/exported/dev/null"
	mkdir -p "$T/exported/dev/null"
	{ pwck -r -R "$T/exported"; grpck -r -R "$T/exported"; } >"$T/out" 2>&1
	rm -rf "$T/exported"
	# Alpine's own user shutdown has a shell, and its group kvm a member, that packages bring.
	grep -v -e "'shutdown': program '/sbin/shutdown'" -e 'group kvm: no user kvm' \
		-e "delete member 'kvm'" -e 'no changes' "$T/out" >"$T/err"
	[ $? -eq 1 ]
	status=$?
}

# list NAME TEXT: a list for the container, as $T/NAME; the text may hold printf's escapes.
list()
{
	printf '%b' "$2" >"$T/$1"
	chmod 644 "$T/$1"
}
