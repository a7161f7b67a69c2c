#!/bin/sh
# Lists at a start, in depth: what is installed again and what is not, environment files and locks,
# versions, recommended packages, networks that fail for a moment, what is shown meanwhile.
# shellcheck disable=SC2016,SC2086 # scripts for the container; words
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"
serve
use_standins

# list's files stay the same ones, so that a mount sees what is written later.
relist()
{
	printf '%b' "$2" >"$T/$1"
}

requests()
{
	wc -l <"$site/requests"
}

# The two streams of a container come here in no order: its command marks a start in both.
up_marked()
{
	container=cda-$1-$$
	shift
	docker run -d --name "$container" --network host --label "$label" $flags "$@" "$IMAGE" \
		sh -c 'echo started; echo started >&2; exec tail -f /dev/null' >/dev/null 2>"$T/err" &&
		wait_for_marks 1
}

# Until its command was started that often; all that was said before is then here, too.
wait_for_marks()
{
	wait_for_start "$1" || return 1
	tries=0
	until [ "$(docker logs "$container" 2>&1 >/dev/null | grep -c '^started$')" -ge "$1" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || return 1
		sleep 0.1
	done
}

# again N: restart the container, until its command was started N times.
again()
{
	before=$(requests)
	docker restart -t 120 "$container" >/dev/null 2>"$T/err"
	wait_for_marks "$1"
}

# What the last start said.
last_start()
{
	docker logs "$container" 2>"$T/logs" >/dev/null
	awk '/^started$/ { said = now; now = ""; next } { now = now $0 "\n" } END { printf "%s", said }' \
		"$T/logs" >"$T/err"
	: >"$T/out"
}

nothing_done()
{
	last_start
	status=0
	[ "$(requests)" -eq "$before" ] && ! grep -q '^condense: inst' "$T/err"
	result $? "$1"
}

# ---- four lists and an environment file in one container, start after start
list os.txt 'jq\n'
list conda.txt 'soupsieve\n'
list environment.yml 'name: other\nchannels:\n  - conda-forge\ndependencies:\n  - typing_extensions\n'
list pip.txt '-r /lists/more.txt\n'
list more.txt 'beautifulsoup4\n'
mkdir "$T/lists"
cp "$T/more.txt" "$T/lists/"
four="-v $T/os.txt:$os_list -v $T/conda.txt:/tmp/conda_requirements.txt
	-v $T/environment.yml:/tmp/environment.yml -v $T/pip.txt:/tmp/pip_requirements.txt
	-v $T/lists:/lists"
as_host
if up_marked lists $from_mirror $from_loopback $four; then
	last_start
	grep -o "^condense: installing.*" "$T/err" | sed "s:.* '::; s:'.*::" >"$T/out"
	status=0
	is "33 OS packages, conda's list, the environment file, pip's list" "$os_list
/tmp/conda_requirements.txt
/tmp/environment.yml
/tmp/pip_requirements.txt"
	grep -qx "condense: installed '/tmp/pip_requirements.txt' in [0-9]* s" "$T/err"
	result $? "63 a quiet line says when it is done"
	in_container "$container" sh -c 'jq && python -c "import soupsieve, typing_extensions, bs4" && echo all'
	is "70 all of it is there" "jq 1.7.1-r0
all"
	again 2
	nothing_done "62 unchanged lists: nothing runs, no network"
	in_container -u 0 "$container" rm -f "/var/lib/condense/$os.list"
	again 3
	nothing_done "62 nor without the stamp of the OS list, as all of it is there"

	relist os.txt 'jq\ntree\n'
	again 4
	in_container "$container" tree
	is "62 a changed list of OS packages is installed" "tree 2.1.1-r0"
	relist os.txt 'tree\n'
	again 5
	nothing_done "62 a list that lost a line is nothing to do"
	case $os in
	apt) in_container -u 0 "$container" dpkg --remove tree ;;
	apk) in_container -u 0 "$container" apk del tree ;;
	esac
	again 6
	in_container "$container" tree
	is "62 an OS package that was removed by hand comes back" "tree 2.1.1-r0"

	in_container "$container" conda remove -y -q soupsieve
	again 7
	in_container "$container" python -c 'import soupsieve; print("back")'
	is "62 so does one of conda's" back
	in_container "$container" python -m pip uninstall -q -y beautifulsoup4
	again 8
	in_container "$container" python -c 'import bs4; print("back")'
	is "62 so does one of pip's" back
	last_start
	[ "$(grep -c '^condense: installing' "$T/err")" -eq 1 ]
	result $? "62 and that list alone is installed"
	again 9
	nothing_done "62 then there is nothing to do again"
	echo typing-extensions >>"$T/lists/more.txt"
	again 10
	last_start
	status=0
	said "62 a change in an included file counts" "installing '/tmp/pip_requirements.txt'"
	again 11
	nothing_done "62 once"
else
	docker logs "$container" >"$T/out" 2>&1
	result 1 "62 a container that stays"
fi
down

# ---- 70: environment files, locks
for user in default host; do
	"as_$user"
	list env.yml 'name: nowhere\ndependencies:\n  - soupsieve\n  - pip\n  - pip:\n      - typing-extensions\n'
	run $from_loopback -v "$T/env.yml:/tmp/environment.yml:ro" \
		'python -c "import soupsieve, typing_extensions, sys; print(sys.prefix)" && conda env list | grep -c nowhere'
	[ "$status" -eq 1 ] && [ "$(cat "$T/out")" = "/opt/conda
0" ]
	result $? "70 an environment file with a pip list, whatever its name says"
	run $from_loopback -v "$T/env.yml:/main/own.yml:ro" -e CONDA_ENVIRONMENT=own.yml \
		'python -c "import soupsieve, typing_extensions; print(\"there\")"'
	is "70 CONDA_ENVIRONMENT names another" there
	list env-python.yml 'dependencies:\n  - soupsieve\n  - python=2.7\n'
	run $from_loopback -v "$T/env-python.yml:/tmp/environment.yml:ro" 'echo started'
	[ "$status" -ne 0 ] && [ ! -s "$T/out" ]
	result $? "70 an environment file that asks for another Python stops the start"
	said "70 with its name and a cause" "condense: '/tmp/environment.yml'.*: conda"
	run $from_loopback -e CONDENSE_ON_ERROR=continue -v "$T/env-python.yml:/tmp/environment.yml:ro" \
		'python -c "import sys; print(sys.version_info.major)"'
	is "34 and Python stays" 3
	list env-absent.yml 'dependencies:\n  - soupsieve\n\n  - no-such-package-at-all\n'
	run $from_loopback -v "$T/env-absent.yml:/tmp/environment.yml:ro" 'echo started'
	[ "$status" -ne 0 ] && [ ! -s "$T/out" ]
	result $? "70 so does an unknown package"
	said "70 with file and line" "'/tmp/environment.yml' line 4: conda does not install 'no-such-package-at-all'"
	list env-pip.yml 'dependencies:\n  - pip\n  - pip:\n    - no-such-package-at-all\n'
	run $from_loopback -v "$T/env-pip.yml:/tmp/environment.yml:ro" 'echo started'
	said "70 in its pip list, too" "'/tmp/environment.yml' line 4: conda does not install 'no-such-package-at-all'"
	list env-broken.yml 'dependencies:\n  - [a\n'
	run $from_loopback -v "$T/env-broken.yml:/tmp/environment.yml:ro" 'echo started'
	[ "$status" -ne 0 ] && [ ! -s "$T/out" ]
	result $? "70 so does a file that is no YAML"
	run $from_loopback -v "$T/env.yml:/tmp/environment.yml:ro" \
		'find ~/.cache /opt/conda/pkgs -type f -size +0c ! -name "urls*" 2>/dev/null; true'
	is "44 no cache is left by an environment file" ""

	file=$(cd "$site/channels/conda-forge/noarch" && echo soupsieve-*)
	list lock.txt "# platform: linux-64\n@EXPLICIT\n$url/channels/conda-forge/noarch/$file\n"
	run $from_loopback -v "$T/lock.txt:/tmp/conda_requirements.txt:ro" \
		'python -c "import soupsieve; print(\"there\")"'
	is "70 a lock" there
	list lock-python.txt "@EXPLICIT\n$url/channels/conda-forge/noarch/$file\n$url/channels/conda-forge/linux-64/python-2.7.18-0.tar.bz2#abc\n"
	run $from_loopback -v "$T/lock-python.txt:/tmp/conda_requirements.txt:ro" 'echo started'
	[ "$status" -ne 0 ] && [ ! -s "$T/out" ]
	result $? "70 a lock that would move Python is refused"
	said "70 with its line" "'/tmp/conda_requirements.txt' line 3: it would replace Python ${PY_VER}[.0-9]* by 2.7.18"
done

# ---- 63: lists that cannot be lists
mkdir "$T/folder" "$T/closed"
list closed/list.txt 'jq\n'
ln -s loop "$T/loop"
[ "$(id -u)" = 0 ] || docker run --rm -u 0 -v "$T:/T" --entrypoint chown "$IMAGE" 0:0 /T/closed
chmod 700 "$T/closed" 2>/dev/null || docker run --rm -u 0 -v "$T:/T" --entrypoint chmod "$IMAGE" 700 /T/closed
printf 'jq\0tree\n' >"$T/binary.txt"
printf '\377\376j\0q\0\n\0' >"$T/utf16.txt"
# bad TEXT MESSAGE FLAG...: the start stops with status 1 and these two lines.
bad()
{
	text=$1
	message=$2
	shift 2
	run "$@" 'echo started'
	[ "$status" -eq 1 ] && [ ! -s "$T/out" ] && [ "$(wc -l <"$T/err")" -eq 2 ] &&
		[ "$(head -n 1 "$T/err")" = "condense: $message" ]
	result $? "$text"
}
for user in default host; do
	"as_$user"
	for place in "$os_list" /tmp/conda_requirements.txt /tmp/environment.yml /tmp/pip_requirements.txt; do
		bad "63 a folder at $place" \
			"'$place' is a folder and no list: an engine makes one where the file of a mount is missing (-v ./typo.txt:$place)" \
			-v "$T/folder:$place"
		bad "63 UTF-16 at $place" "'$place' is UTF-16; save it as UTF-8; nothing is installed" \
			-v "$T/utf16.txt:$place:ro"
		bad "63 bytes at $place" "'$place' is no text: it has bytes of value 0; nothing is installed" \
			-v "$T/binary.txt:$place:ro"
	done
	for variable in "$os_variable" CONDA_REQUIREMENTS CONDA_ENVIRONMENT PIP_REQUIREMENTS; do
		while IFS='|' read -r text path message; do
			bad "63 $variable: $text" "cannot read '$path': $message" -v "$T:/T:ro" -e "$variable=$path"
		done <<-'EOF3'
			in a folder that is closed|/T/closed/list.txt|Permission denied
			links in a ring|/T/loop|Symbolic link loop
			below a file|/T/utf16.txt/x|Not a directory
		EOF3
		run -e "$variable=/nowhere/list" 'echo started'
		is "63 $variable: a file that is not there" started
		[ "$(cat "$T/err")" = "condense: '$variable' is passed over: there is no '/nowhere/list'" ]
		result $? "63 $variable: costs one line"
	done
	run -v "$T/folder:/tmp/pip_requirements.txt" -e CONDENSE_ON_ERROR=continue 'echo started'
	is "34 a folder, and CONDENSE_ON_ERROR=continue" started
	run -e CONDENSE_ON_ERROR=Continue 'echo started'
	[ "$status" -eq 2 ] && [ ! -s "$T/out" ] &&
		[ "$(cat "$T/err")" = "condense: CONDENSE_ON_ERROR is stop or continue" ]
	result $? "63 CONDENSE_ON_ERROR=Continue is refused"
	list usage.txt '--no-such-option\n'
	run -e CONDENSE_ON_ERROR=stop -v "$T/usage.txt:/tmp/pip_requirements.txt:ro" 'echo started'
	ended "63 pip ends with 2: the start ends with 1" 1
	run -e CONDENSE_OFFLINE=maybe -e CONDENSE_ON_ERROR=continue 'id -un'
	is "71 a setting that is none, and CONDENSE_ON_ERROR=continue: the account is there" anaconda
	[ "$(grep -c CONDENSE_OFFLINE "$T/err")" -eq 1 ]
	result $? "71 and one line tells of it"
done

# ---- 82: versions
as_host
list pinned.txt 'tree\njq=1.6-r0\n'
run $from_mirror -v "$T/pinned.txt:$os_list:ro" 'jq'
is "82 a version by name is installed" "jq 1.6-r0"
if up_marked pinned $from_mirror -v "$T/pinned.txt:$os_list"; then
	again 2
	nothing_done "62 and is nothing to do at the next start"
	relist pinned.txt 'tree\njq=1.7.1-r0\n'
	again 3
	in_container "$container" jq
	is "82 a newer one replaces it" "jq 1.7.1-r0"
	relist pinned.txt 'tree\njq=1.6-r0\n'
	docker restart -t 120 "$container" >/dev/null 2>&1
	docker wait "$container" >"$T/out" 2>&1
	docker logs "$container" >/dev/null 2>"$T/err"
	[ "$(cat "$T/out")" != 0 ]
	result $? "82 an older one stops the start"
	said "82 with its line and the reason" "'$os_list' line 2: 'jq=1.6-r0' is not installed.*[Dd]owngrad"
else
	docker logs "$container" >"$T/out" 2>&1
	result 1 "82 a container that stays"
fi
down
list absent.txt 'tree\njq=9.9-r9\n'
run $from_mirror -v "$T/absent.txt:$os_list:ro" 'echo started'
[ "$status" -ne 0 ] && [ ! -s "$T/out" ]
result $? "82 a version that there is none of stops the start"
said "82 with its line" "'$os_list' line 2: 'jq=9.9-r9' is not installed: .*jq"
list conflict.txt 'tree\nrival\n'
run $from_mirror -v "$T/conflict.txt:$os_list:ro" 'echo started'
[ "$status" -ne 0 ] && [ ! -s "$T/out" ]
result $? "82 packages that exclude each other stop the start"

# ---- what packages recommend
if [ "$os" = apt ]; then
	sed 's/^#recommends no/recommends yes/' "$root/data/image/policy" >"$T/policy"
	chmod 644 "$T/policy"
	[ "$(id -u)" = 0 ] || docker run --rm -u 0 -v "$T:/T" --entrypoint chown "$IMAGE" 0:0 /T/policy
	list recommends.txt 'recommender\n'
	run $from_mirror -v "$T/recommends.txt:$os_list:ro" 'recommender; less 2>/dev/null || echo without'
	is "22 what a package recommends is left out" "recommender 1-r0
without"
	run $from_mirror -v "$T/policy:/etc/condense/policy:ro" -v "$T/recommends.txt:$os_list:ro" \
		'recommender; less'
	is "22 unless the policy says 'recommends yes'" "recommender 1-r0
less 643-r2"
fi

# ---- 64: a network that fails for a moment
list os-one.txt 'tree\n'
list conda-one.txt 'soupsieve\n'
list pip-one.txt 'typing-extensions\n'
while read -r what count flags_of command; do
	echo "$count" >"$site/fail"
	run $from_mirror $from_loopback $flags_of "$command"
	[ "$status" -eq 0 ] && [ "$(cat "$site/fail")" = 0 ]
	result $? "64 $what: $count requests fail, then the list is installed"
done <<EOF2
OS_packages 1 -v=$T/os-one.txt:$os_list:ro tree
conda 1 -v=$T/conda-one.txt:/tmp/conda_requirements.txt:ro true
pip 1 -v=$T/pip-one.txt:/tmp/pip_requirements.txt:ro true
EOF2
run $from_mirror $from_loopback -v "$T/conda-one.txt:/tmp/conda_requirements.txt:ro" true
[ "$(grep -c '^condense: inst' "$T/err")" -eq 2 ] && ! grep -q soupsieve "$T/err"
result $? "63 without a terminal conda's list is two lines, without its plan"
# So many that the program's own attempts are used up, once.
case $os in
apt) echo 3 ;;
apk) echo 1 ;;
esac >"$site/fail"
run $from_mirror -v "$T/os-one.txt:$os_list:ro" tree
is "64 OS packages: another attempt of ours after a pause" "tree 2.1.1-r0"
said "64 which a line tells" "condense: trying again in 2 s"
echo 1000000 >"$site/fail"
run $from_mirror -v "$T/os-one.txt:$os_list:ro" tree
[ "$status" -ne 0 ] && [ "$(grep -c 'trying again' "$T/err")" -eq 2 ]
result $? "64 after three attempts it has failed"
echo 0 >"$site/fail"

# ---- what is said
list secret.txt '--index-url http://user:hunter2@127.0.0.1:9/simple\nno-such-package-at-all\n'
run -v "$T/secret.txt:/tmp/pip_requirements.txt:ro" -e PIP_RETRIES=0 'echo started'
[ "$status" -ne 0 ] && [ -s "$T/err" ] && ! grep -q hunter2 "$T/err"
result $? "63 no message shows a password of a URL"
list secret.txt "http://user:hunter2@127.0.0.1:9/t/tk-hunter3/noarch/x-1-0.conda\n"
run -v "$T/secret.txt:/tmp/conda_requirements.txt:ro" -e CONDA_REMOTE_MAX_RETRIES=0 'echo started'
[ "$status" -ne 0 ] && [ -s "$T/err" ] && ! grep -q hunter "$T/err"
result $? "63 nor a token, by conda"
list secret-pip.txt "# hunter2\n--extra-index-url $url/simple\ntyping-extensions\n"
run $from_loopback -v "$T/secret-pip.txt:/tmp/pip_requirements.txt:ro" \
	'cat /opt/conda/.condense/pip.list; ls -A ~ /tmp'
[ "$status" -eq 0 ] && grep -q '^pip typing_extensions$' "$T/out" && ! grep -q hunter "$T/out"
result $? "63 a stamp has names, and no text of a list"

# On a terminal: one line, gone in the end.
docker run --rm -t --network host --label "$label" $flags $from_mirror $from_loopback $four \
	"$IMAGE" sh -c 'echo started' >"$T/out" 2>"$T/err" </dev/null
status=$?
grep -q "$(printf '\rcondense: %s ' "$os")" "$T/out" &&
	grep -q "$(printf '\rcondense: conda ')" "$T/out" &&
	grep -q "$(printf '\rcondense: pip ')" "$T/out"
result $? "63 on a terminal a status line shows each program"
! grep -q '^condense: inst' "$T/out" && [ "$(tail -n 1 "$T/out" | tr -d '\r')" != '' ] &&
	tail -n 1 "$T/out" | grep -q "$(printf '  \rstarted')"
result $? "63 which is cleared before the command"

finish
