#!/bin/sh
# Section C of the acceptance list: images built on ours. tests/derived has an idiom a folder, with
# what must come of it; its README says how that is written.
# shellcheck disable=SC2016,SC2086,SC2120 # scripts for the container; words
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"
serve
use_mirror
list pv.txt 'pv\n'
list soupsieve.txt 'soupsieve\n'
list bs4.txt 'beautifulsoup4\n'
tested=$root/tests/derived

# ---- the image that all are built on: ours, where it finds what the tests have to install
mkdir -p "$T/context"
cp -R "$T/mirror" "$T/context/"
{
	printf 'FROM %s\nUSER root\nCOPY mirror/ /\nUSER anaconda:anaconda\n' "$IMAGE"
	set -- $from_loopback
	while [ $# -gt 1 ]; do
		echo "ENV $2"
		shift 2
	done
} >"$T/ours"
image ours <"$T/ours"
result "$status" "50 an image on ours is built"
ours=$tag

# derive FOLDER BASE TAG: build it; the folder and a wheel are the context.
derive()
{
	rm -rf "$T/context"
	cp -R "$tested/$1" "$T/context"
	cp "$site"/wheels/typing_extensions-*.whl "$T/context/"
	docker build --network host --label "$label" -t "$3" --build-arg "BASE=$2" \
		--build-arg "OS=$os" --build-arg "OTHER=$base" "$T/context" >"$T/out" 2>"$T/err"
	status=$?
}

# tag_of FOLDER: the name of its image.
tag_of()
{
	echo "cda-derived-$$-$1" | tr '[:upper:]' '[:lower:]'
}

# One case of an `expect`: title, words, wanted status, patterns, wanted output.
begin_case()
{
	title=$1
	words=
	want=0
	: >"$T/wanted"
	: >"$T/patterns"
}

end_case()
{
	[ -n "$words" ] || return 0
	network="--network host"
	case $words in
	*--network*) network= ;;
	esac
	eval "set -- $words"
	timeout 900 docker run --rm -i $network --label "$label" "$@" >"$T/out" 2>"$T/err" </dev/null
	status=$?
	bad=0
	[ "$status" -eq "$want" ] || bad=1
	cmp -s "$T/out" "$T/wanted" || bad=1
	while read -r sign pattern; do
		case $sign in
		+) grep -q -e "$pattern" "$T/err" || bad=1 ;;
		-) ! grep -q -e "$pattern" "$T/err" || bad=1 ;;
		esac
	done <"$T/patterns"
	result "$bad" "$title"
	words=
}

# expect FOLDER: read the file; build, then run.
expect()
{
	folder=$1
	from=$ours
	builders=1
	words=
	# shellcheck disable=SC2034 # IMAGE is a word of the file
	while IFS= read -r line <&3; do
		case $line in
		'#'*) ;;
		'from '*) from=$(tag_of "${line#from }") ;;
		builders) builders=0 ;;
		'build '*) title=${line#build } ;;
		'= '*)
			build_once
			end_case
			begin_case "${line#= }"
			;;
		'$ '*) words=$(printf '%s\n' "${line#??}" | sed "s/ IMAGE\( \|\$\)/ $tag\1/; s/^IMAGE\( \|\$\)/$tag\1/") ;;
		'? '*) want=${line#??} ;;
		'+ '* | '- '*) printf '%s\n' "$line" >>"$T/patterns" ;;
		*) printf '%s\n' "$line" | sed "s|^PACKAGES/|$packages/|" >>"$T/wanted" ;;
		esac
	done 3<"$tested/$folder/expect"
	build_once
	end_case
}

# Build the image of the folder unless that was done; by the older builder first, if it is asked for.
build_once()
{
	[ -n "$folder" ] || return 0
	tag=$(tag_of "$folder")
	if [ "$builders" -eq 0 ] && [ "${DOCKER_BUILDKIT:-1}" = 1 ]; then
		DOCKER_BUILDKIT=0 derive "$folder" "$from" "$tag-older"
		result "$status" "$title (older builder)"
	fi
	derive "$folder" "$from" "$tag"
	result "$status" "$title"
	folder=
}

for file in "$tested"/*/expect; do
	folder=$(basename "$(dirname "$file")")
	if grep -q '^ARG OTHER' "$tested/$folder/Dockerfile" &&
		! docker image inspect "$base" >/dev/null 2>&1; then
		skip "$(sed -n 's/^build //p' "$file")" "$base is not here"
		continue
	fi
	expect "$folder"
done

# stays NAME FLAG... : a container of the image that stays; waits until its command runs.
stays()
{
	container=cda-$1-$$
	shift
	docker run -d --name "$container" --label "$label" "$@" >/dev/null 2>"$T/err" &&
		wait_for_start 1
}

# stopped TEXT: the engine's stop ends it by the signal, not by the kill that would come later.
stopped()
{
	docker stop -t 120 "$container" >/dev/null 2>"$T/err"
	docker inspect -f '{{.State.ExitCode}}' "$container" >"$T/out"
	status=0
	is "$1" 143
}

# ---- what takes more than one run
stays beside_it -u 54321:anaconda "$(tag_of 51_lines_twice)" sh -c 'echo started; exec tail -f /dev/null'
result $? "51 with a process of the lines' beside the command"
stopped "51 a stop ends both"
down

stays healthy -u 54321:anaconda "$(tag_of 60_healthcheck)"
tries=0
until docker inspect -f '{{.State.Health.Status}}' "$container" >"$T/out" 2>"$T/err" &&
	! grep -q starting "$T/out"; do
	tries=$((tries + 1))
	[ "$tries" -lt 600 ] || break
	sleep 0.2
done
status=0
is "60 the health check finds the environment without a shell" healthy
down

stays groups -u 54321:anaconda -e NEW_USER=dja "$(tag_of 55_groups)" \
	sh -c 'echo started; exec tail -f /dev/null'
in_container -u 0 "$container" getent passwd anaconda
ended "55 after a new name the old one is known too" 0
check_accounts "$container"
ended "55 and pwck and grpck are content" 0
down

docker run --rm --entrypoint tail "$IMAGE" -n 2 /entrypoint.sh >"$T/out" 2>"$T/err"
status=$?
is "51 the last two lines" '# Run command
"$@"'

# One list of OS packages a start: another in another RUN (49_list_then_another), or after a restart.
docker_run --entrypoint sh "$ours" -c "echo jq >$os_list; /startup >/dev/null 2>&1 || exit 90
	echo pv >$os_list; /startup"
[ "$status" -eq 2 ] && [ "$(wc -l <"$T/err")" -eq 1 ] && grep -q 'restart the container' "$T/err"
result $? "49 another list in the same start is refused, with a line that says what to do"
stays again --network host "$ours" sh -c 'echo started; exec tail -f /dev/null'
in_container "$container" sh -c "echo pv >$os_list; /entrypoint.sh true"
ended "49 a list by docker exec is refused" 2
docker restart -t 120 "$container" >/dev/null 2>"$T/err"
wait_for_start 2
result $? "49 restarted with that list"
in_container "$container" pv --version
ended "49 a restart installs it" 0
down

# ---- a developer's container by compose
if docker compose version >/dev/null 2>&1; then
	cp -R "$tested/58_compose" "$T/compose"
	mkdir "$T/compose/main"
	chmod 777 "$T/compose/main"
	by_compose()
	{
		IMAGE=$ours HOST_UID=54321 LABEL=$label timeout 900 docker compose -p "cda$$" \
			-f "$T/compose/compose.yaml" "$@" >"$T/out" 2>"$T/err" </dev/null
		status=$?
	}
	by_compose up -d
	ended "58 command: tail -f /dev/null, by compose" 0
	# Until the command runs: before that the account may still be another's.
	tries=0
	until by_compose exec -T app sh -c 'grep -q "^tail" /proc/*/comm' && [ "$status" -eq 0 ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || break
		sleep 0.2
	done
	by_compose exec -T app $image_shell -ic 'echo "$(id -un)|$(cd && pwd)|$CONDA_DEFAULT_ENV|$(umask)"; touch made'
	is "58 exec of a shell: user, home, environment" "dja|/home/dja|base|0007"
	[ "$(stat -c %u:%a "$T/compose/main/made")" = 54321:660 ]
	result $? "58 what it writes is the developer's"
	by_compose exec -T app python -c 'import os, sys; print(sys.prefix, os.environ["CONDA_DEFAULT_ENV"])'
	is "58 exec of a program" "/opt/conda base"
	by_compose stop -t 120
	container=$(docker ps -aq --filter "label=$label" --filter "label=com.docker.compose.project=cda$$")
	docker inspect -f '{{.State.ExitCode}}' "$container" >"$T/out" 2>"$T/err"
	status=$?
	is "58 and it stops by its signal" 143
	by_compose down -t 120 -v
	ended "58 compose takes it down" 0
else
	skip "58 docker compose" "the docker command has no compose plugin"
fi
finish
