#!/bin/sh
# tests/main.sh and tools/: what they say when something is missing or misspelt. The docker command
# is a stand-in here, so no engine is needed.
set -u
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
unset RELEASE VERSION CONDA_VER PY_VER DISTRO IMAGE IMAGE_NAME MIRROR ALPINE_ROOTFS ALPINE_MIRROR
mkdir "$T/none" "$T/silent" "$T/empty"
for tool in sh sed awk grep cat dirname basename mktemp rm tee head env id date; do
	ln -s "$(command -v $tool)" "$T/none/$tool"
done
cp -a "$T/none/." "$T/silent/"
cp -a "$T/none/." "$T/empty/"
printf '#!/bin/sh\necho cannot connect >&2\nexit 1\n' >"$T/silent/docker"
printf '#!/bin/sh\n[ "$1" = version ]\n' >"$T/empty/docker"
chmod +x "$T/silent/docker" "$T/empty/docker"

# says NAME STATUS TEXT COMMAND...: the status, and the text somewhere on stderr
says()
{
	name=$1
	expected=$2
	text=$3
	shift 3
	status=0
	env "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
	found=
	[ "$status" -eq "$expected" ] && grep -qF -e "$text" "$T/err" ||
		found="status $status, said: $(cat "$T/err" "$T/out")"
	result "$name" "$found"
}

says "no docker command" 1 "there is no docker command" PATH="$T/none" tests/main.sh
says "no engine" 1 "no Docker engine answers: cannot connect" PATH="$T/silent" tests/main.sh
says "no image" 1 "there is no image 'condense/conda:" PATH="$T/empty" tests/main.sh
says "the family's name" 1 "there is no image 'condense/miniconda3:" PATH="$T/empty" \
	RELEASE=miniconda tests/main.sh
says "an image of one's own" 1 "there is no image 'mine:1'" PATH="$T/empty" IMAGE=mine:1 tests/main.sh
says "an unknown distribution" 1 "DISTRO=foo is none" PATH="$T/empty" DISTRO=foo tests/main.sh
says "an argument" 2 "'foo': there are no arguments" PATH="$T/empty" tests/main.sh foo
says "an unknown distribution, make" 1 "DISTRO=foo is not one that this tree builds" DISTRO=foo \
	tools/image check
says "an unknown family, make" 1 "RELEASE=foo is not one that this tree builds" RELEASE=foo \
	tools/image check
(
	set -a
	# shellcheck source=config/.env
	. config/.env
	says "config/.env exported" 1 "there is no image '$IMAGE'" PATH="$T/empty" tests/main.sh
	says "config/.env exported, the other distribution" 1 "there is no image '${IMAGE%-*}-alpine'" \
		PATH="$T/empty" DISTRO=alpine tests/main.sh
	RELEASE=miniconda
	says "config/.env exported, the other family" 1 "there is no image 'condense/miniconda3:" \
		PATH="$T/empty" tests/main.sh
	says "config/.env exported, a row of it" 1 \
		"there is no image 'condense/miniconda3:25.9.1-py3.9-$DISTRO'" \
		PATH="$T/empty" PY_VER=3.9 PY_LABEL=py39 CONDA_VER=25.9.1 tests/main.sh
	exit "$failed"
) >"$T/exported" || failed=1
cat "$T/exported"
number=$((number + 4))
finish
