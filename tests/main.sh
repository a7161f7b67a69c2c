#!/bin/sh
# main.sh - test an image: sections A and B of what it promises. Usage, from anywhere:
#
#   set -a; . config/.env; tests/main.sh          the image that config/.env names
#   IMAGE=registry/name:tag tests/main.sh         another one; also DISTRO, RELEASE, PY_VER, …
#
# Needs a Docker engine that has the image, and a shell; no build folder. Prints a line per check
# (`ok` or `not ok`, the number in the list, the name) and at last `N passed, N failed, N skipped`;
# the status is 0 when nothing failed. BUILD=1: build it again in both documented ways as well.
# UPSTREAM=1: install from conda-forge and PyPI instead of stand-ins on loopback.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD

case ${1:-} in
-h | --help)
	sed -n 's/^# \{0,1\}//p' tests/main.sh | sed '/^shellcheck/d'
	exit 0
	;;
?*)
	echo "main.sh: '$1': there are no arguments; see --help" >&2
	exit 2
	;;
esac
command -v docker >/dev/null 2>&1 || {
	echo "main.sh: there is no docker command" >&2
	echo "hint: install Docker, or on Debian, as root: eval \"\$(tools/engine up)\"" >&2
	exit 1
}
said=$(docker version --format '{{.Server.Version}}' 2>&1) || {
	echo "main.sh: no Docker engine answers: $said" >&2
	echo "hint: start Docker or set DOCKER_HOST; as root on Debian: eval \"\$(tools/engine up)\"" >&2
	exit 1
}

# shellcheck source=tools/lib.sh
. tools/lib.sh
load_env
case $DISTRO in
debian | alpine) ;;
*) die_hint "DISTRO=$DISTRO is none that is tested" "use DISTRO=debian or DISTRO=alpine" ;;
esac
docker image inspect "$IMAGE" >/dev/null 2>&1 ||
	die_hint "there is no image '$IMAGE' on this engine" \
		"make image builds it; or docker pull it; or name another one: IMAGE=… tests/main.sh"
echo "# $IMAGE: RELEASE=$RELEASE DISTRO=$DISTRO PY_VER=$PY_VER"

results=$(mktemp -d "${TMPDIR:-/tmp}/cda-main.XXXXXX") || exit 1
trap 'rm -rf "$results"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
for section in a_promises b_details b_build; do
	{
		tests/image/$section.sh
		echo "# exit $?"
	} | while IFS= read -r line; do
		printf '%s\n' "$line" >>"$results/$section.tap"
		case $line in
		1..* | '# exit '*) ;;
		*) printf '%s\n' "$line" ;;
		esac
	done
done
echo
tools/tally "$results"/*.tap
