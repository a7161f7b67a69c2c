#!/bin/sh
# The end of section B: both documented ways of building, word by word, and the release archive.
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root" || exit 1
: >"$T/out"
: >"$T/err"
if [ ! -e "$build/release" ] && [ "${BUILD:-0}" != 1 ]; then
	skip "47 docker-compose and bake" "build/release is not here, so this takes long: BUILD=1 does it"
	skip "48 release archive" "build/bin/condense is not here"
	finish
fi
# buildx and compose, where the docker command lacks them
engine_env=$("$root/tools/engine" up) || exit 1
eval "$engine_env"

file=dist/$DISTRO/docker-compose.yaml
project=cda$$
documented=$IMAGE_NAME-py$PY_VER-$DISTRO

# compose_way COMMAND...: builds, starts, and stops the service.
compose_way()
{
	COMPOSE_PROJECT_NAME=$project timeout 3600 "$@" -f "$file" --env-file config/.env \
		up --build -d >"$T/out" 2>"$T/err"
	status=$?
	ended "47 $* up --build" 0
	! grep -i 'variable is not set' "$T/err" >"$T/out"
	result $? "47 $*: every variable is set"
	container=$("$@" -p $project -f "$file" --env-file config/.env ps -q 2>/dev/null)
	tries=0
	until in_container "$container" id -un && [ "$(cat "$T/out")" = anaconda ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || break
		sleep 0.2
	done
	in_container "$container" id -u
	is "47 $*: the service runs as HOST_UID" "$HOST_UID"
	docker inspect --format '{{.Config.Image}}' "$container" >"$T/out" 2>"$T/err"
	is "47 $*: it is the image of that name" "$documented"
	"$@" -p $project -f "$file" --env-file config/.env down -t 60 -v >/dev/null 2>&1
}

if docker compose version >/dev/null 2>&1; then
	compose_way docker compose
else
	skip "47 docker compose up --build" "the docker command has no compose plugin"
fi
# Where nothing has that name: the plugin, which runs by itself too.
plugin=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins/docker-compose
if ! command -v docker-compose >/dev/null 2>&1 && [ -x "$plugin" ]; then
	mkdir "$T/bin"
	ln -s "$plugin" "$T/bin/docker-compose"
	PATH=$T/bin:$PATH
fi
if command -v docker-compose >/dev/null 2>&1; then
	compose_way docker-compose
else
	skip "47 docker-compose up --build" "there is no docker-compose"
fi

# shellcheck disable=SC2035 # as documented
timeout 3600 docker buildx bake -f "$file" --set *.platform=linux/amd64 --set *.context=. --load \
	>"$T/out" 2>"$T/err"
status=$?
ended "47 docker buildx bake" 0
grep -q "naming to .*$documented" "$T/err"
result $? "47 docker buildx bake: it is the image of that name"

if [ -x "$build/bin/condense" ] && "$build/bin/condense" releases --help >/dev/null 2>&1; then
	"$build/bin/condense" releases mirrors >"$T/out" 2>"$T/err"
	status=$?
	[ "$status" -eq 0 ] && [ "$(grep -c https:// "$T/out")" -ge 2 ]
	result $? "48 at least two mirrors, in order"
else
	skip "48 release archive" "build/bin/condense is not here"
fi
finish
