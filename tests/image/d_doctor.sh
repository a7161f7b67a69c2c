#!/bin/sh
# 72: condense-doctor tells what is the case in a container, and what to do: each thing that can be
# wrong for real, in text and in JSON, which must agree.
# shellcheck disable=SC2016,SC2086,SC2119 # scripts for the container; words
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"

# Prints each finding of the JSON as one line, and fails unless the text says the same.
cat >"$T/agree" <<'PYTHON'
import json, re, sys
text, status, report = sys.argv[1], int(sys.argv[2]), json.load(sys.stdin)
shown = lambda s: re.sub("[\0-\x1f\x7f-\x9f\ufffd]", "?", s)
flat = lambda s: re.sub(r"\s", "", s)
want = ""
part = None
for f in report["findings"]:
    what, todo = shown(f["text"]), shown(f.get("todo", ""))
    print(f["part"], f["id"], f["verdict"] + ":", what, "->", todo)
    if f["part"] != part:
        want += f["part"]
    part = f["part"]
    want += f["verdict"] + flat(what) + ("do:" + flat(todo) if "todo" in f else "")
count = lambda v: sum(f["verdict"] == v for f in report["findings"])
assert report["format"] == 1 and isinstance(report["facts"], dict)
assert (report["problems"], report["notes"]) == (count("problem"), count("note"))
assert status == (1 if count("problem") else 0), "status"
assert flat(text).startswith(want), "text and JSON differ:\n" + want
assert all(len(line) <= 100 for line in text.splitlines()), "a long line"
PYTHON

# The text, the lines of agree, and "agreed STATUS". OPTIONS are doctor's; FIRST is run before.
cat >"$T/both" <<'SCRIPT'
#!/bin/sh
[ -z "${FIRST-}" ] || eval "$FIRST"
text=$(/usr/bin/condense-doctor $OPTIONS)
status=$?
printf '%s\n' "$text"
/usr/bin/condense-doctor $OPTIONS --json |
	/opt/conda/bin/python -I -X utf8 /agree "$text" $status && echo "agreed $status"
SCRIPT
chmod 755 "$T/agree" "$T/both"
files="-v $T/agree:/agree:ro -v $T/both:/both:ro"

# doctor FLAG...
doctor()
{
	docker_run $files -e OPTIONS="${options---no-network}" "$@" "$IMAGE" /both
}

# finds TEXT STATUS LINE...: the report has that status and a line like each, which is a pattern.
finds()
{
	text=$1
	good=0
	grep -qx "agreed $2" "$T/out" || good=1
	shift 2
	for line; do
		grep -Eq -e "$line" "$T/out" || good=1
	done
	result "$good" "$text"
}

lacks()
{
	! grep -Eq -e "$2" "$T/out" "$T/err"
	result $? "$1"
}

# ---- 72: all is well
doctor
finds '72 nothing to do in a container as it is' 0 '^nothing to do$' \
	"^identity user ok: uid 3000 is 'anaconda' ->" "^setuid startup ok: '/startup' can act as root" \
	'^lists none ok' "^image versions ok: condense .* Python $PY_VER" '^image process-1 ok'
lacks '72 and nothing is noted' ' (note|problem): '
doctor -u 54321:anaconda
finds '72 nothing to do for another uid' 0 "^identity user ok: .* had uid 3000 ->"
doctor -u 54321:anaconda -e NEW_USER=dja -e NEW_HOME=/home/there
finds '72 NEW_USER and NEW_HOME as asked' 0 "^identity new-user ok: .*'dja'" '^identity new-home ok'

# ---- 72: flags | status | line | another
mkdir "$T/other"
chmod 755 "$T/other"
here=$(id -u)
while IFS='|' read -r flags_of want line another; do
	doctor $flags_of
	finds "72 $flags_of" "$want" "$line" "$another"
done <<ROWS
--security-opt no-new-privileges -u 54321:anaconda|0|^setuid no-new-privileges note|^identity user note: .* see the name 'anaconda'
--security-opt no-new-privileges -u 54321:anaconda -e NEW_HOME=/home/x|1|^setuid no-new-privileges problem: .*-> start without|^identity new-home problem
--cap-drop ALL|0|^setuid capabilities note: .*CHOWN.*-> start with --cap-add CHOWN|^identity user ok
--read-only|1|^mounts folder problem: '/tmp' is not writable.*-> start with --tmpfs /tmp|^setuid read-only note
--read-only --tmpfs /tmp|0|^identity home note: HOME is '/tmp/home-3000'|^image writable note: '/opt/conda' is not writable
-u 1000:2000|1|^identity group problem: gid 2000 .*-> start with -u 1000:anaconda|^image prefix note
-u 1|1|^identity user note: uid 1 is the account|^identity group problem
-u 0|0|^identity user note: uid 0: you are root|^identity home ok: HOME is '/root'
-u 54321:anaconda -v $T/other:/main|1|^mounts mount problem: '/main' belongs to uid $here,.*-> .*on the host: chown|^1 problem
-u 54321:anaconda -v $T/other:/main:ro|0|^mounts mount ok: '/main': uid $here,.*; read-only|^nothing to do
-e CONDENSE_CA=/nowhere --entrypoint /both|1|^settings ca problem: .*'/nowhere'|^image process-1 note: process 1 is '/bin/sh', not our entry
-e PYTHONHOME=/x --entrypoint /both|0|^image variable note: PYTHONHOME is '/x'|^image process-1 note
-e CONDENSE_OFFLINE=maybe --entrypoint /both|1|^settings refused problem: 'CONDENSE_OFFLINE'|^image path ok
ROWS

# What is odd is made inside, where no engine corrects it.
doctor --tmpfs /tmp:size=1m,mode=1777 \
	-e FIRST='dd if=/dev/zero of=/tmp/fill bs=1k count=2000 2>/dev/null'
finds '72 a full tmpfs' 1 "^mounts room problem: the file system of '/tmp' is full: 0 bytes" 'size='
doctor -e FIRST='HOME=$(printf "/\033[31m\377\302\233"); PATH=.:/tmp::/usr/bin:/bin; export HOME PATH'
finds '72 a hostile HOME and PATH' 1 '^identity home problem: HOME is ./\?\[31m\?\?' \
	"^image path problem: PATH has a folder that everybody can write: '/tmp'" \
	"^image path problem: PATH has a part that depends on the present folder: '.'"
lacks '72 and no terminal obeys what they say' "$(printf '\033')"
doctor -e FIRST='umask 777; unset HOME PATH'
finds '72 no HOME, no PATH, a umask of 777' 1 '^identity home problem' '^image umask problem'
run '(ulimit -n 4; exec condense-doctor --no-network) >/dev/null; echo $?'
is '72 four descriptors are enough' 0

# ---- 72: lists, in a container that is up
up doctor $files -e OPTIONS=--no-network || result 1 '72 a container starts'
# list PATH TEXT: with that list
exec_both()
{
	in_container "$container" /both
}
list()
{
	docker exec "$container" sh -c "printf '$2' >$1"
	exec_both
}
exec_both
finds '72 docker exec: nothing to do' 0 '^nothing to do$' '^image process-1 ok'
before=$(docker diff "$container" | sort)
in_container "$container" condense-doctor --no-network
in_container -u 0 "$container" condense-doctor --no-network
in_container -u 1:1 "$container" condense-doctor --json --no-network
[ -s "$T/out" ] && [ "$(docker diff "$container" | sort)" = "$before" ]
result $? '72 it writes nothing, for any user'
list /tmp/pip_requirements.txt '# none\n\n'
finds '72 an empty list' 0 "^lists list ok: .*'/tmp/pip_requirements.txt' is empty"
list /tmp/pip_requirements.txt 'cda-not-there\n'
finds '72 a list for pip that is pending' 1 \
	"^lists list problem: Python packages: .* is not installed.*-> .*/entrypoint.sh true"
list /tmp/pip_requirements.txt 'fine\n\nnot fine\n'
finds '72 a broken line for pip' 1 "^lists list problem: .*'/tmp/pip_requirements.txt' line 3"
list /tmp/pip_requirements.txt ''
list /tmp/conda_requirements.txt 'fine\n- numpy\n'
finds '72 a broken line for conda' 1 "^lists list problem: .*'/tmp/conda_requirements.txt' line 2"
list /tmp/conda_requirements.txt ''
list /tmp/environment.yml 'name: x\n'
finds '72 no environment' 1 "^lists list problem: .*'/tmp/environment.yml' is no environment"
list /tmp/environment.yml ''
list "$os_list" 'cda-not-there\n'
finds '72 a list of OS packages that is pending' 1 \
	"^lists list problem: OS packages: .*'cda-not-there' is missing.*-> docker restart"
list "$os_list" 'fine\n--allow-unauthenticated\n'
finds '72 a broken line for OS packages' 1 "^lists list problem: .*'$os_list' line 2"
case $os in
apt) list "$os_list" 'bash\ncoreutils # here\n' ;;
*) list "$os_list" 'busybox\nmusl # here\n' ;;
esac
finds '72 a list of OS packages that are there' 0 "^lists list ok: .*'$os_list' is installed"
docker exec "$container" chmod 0 "$os_list"
exec_both
finds '72 a list that cannot be read' 1 "^lists list problem: .*'$os_list' cannot be read: .*-> chmod"
docker exec "$container" sh -c "rm -f $os_list && mkdir $os_list"
exec_both
finds '72 a folder where a list should be' 1 "^lists list problem: .* is not a regular file"
docker exec -u 0 "$container" chown 1:1 /etc/condense/policy
exec_both
finds '72 a policy that is not of root' 1 "^setuid policy problem: .*must belong to root"
docker exec -u 0 "$container" sh -c 'chown 0:0 /etc/condense/policy
	chmod 755 /startup; chmod g-w /opt/conda/conda-meta/python-*'
exec_both
finds '72 what root did to the image' 1 "^setuid startup note: '/startup' is not setuid" \
	'^image records problem: 1 record '
down

flags='--read-only --tmpfs /tmp'
up doctor $files -e OPTIONS=--no-network || result 1 '72 a container starts'
flags=
exec_both
finds '72 docker exec and a private home' 0 \
	"^identity home note: HOME is '/home/anaconda', .*-> .*-e HOME=/tmp/home-3000"
down

# ---- 72: hosts, on loopback
options=
serve
printf 'cda-not-there\n' >"$T/pending"
offers="-e CONDA_CHANNEL_ALIAS=$url/channels -e PIP_INDEX_URL=$url/simple"
doctor $offers
finds '72 hosts that can be reached' 0 \
	"^network host ok: '127.0.0.1:${url##*:}' can be reached \(conda, pip\)"
down
nowhere='-e PIP_INDEX_URL=http://nowhere.invalid/simple'
doctor $nowhere
finds '72 a host that nobody needs now' 0 "^network host note: 'nowhere.invalid:80' cannot be reached"
doctor $nowhere --entrypoint /both -v "$T/pending:/tmp/pip_requirements.txt:ro"
finds '72 a host that a list needs' 1 "^network host problem: 'nowhere.invalid:80' .*\(pip\)"
doctor -e CONDENSE_MIRROR=http://127.0.0.1:1
finds '72 a port without a listener' 1 \
	"^network host problem: '127.0.0.1:1' cannot be reached \(OS packages, conda, pip\): Connection ref"
doctor -e CONDENSE_PROXY=http://me:geheim@127.0.0.1:1
finds '72 a proxy that does not answer' 1 "the proxy '127.0.0.1:1': Connection refused" \
	'^settings proxy ok: proxy: http://127.0.0.1:1 \(CONDENSE_PROXY\)'
lacks '72 no password is shown' geheim
doctor -e CONDENSE_OFFLINE=yes
finds '72 offline' 0 '^network offline ok: not tried'
# Without a network nothing can be reached: it ends all the same.
timeout 300 docker run --rm --label "$label" --network none -e OPTIONS= $files "$IMAGE" /both \
	>"$T/out" 2>"$T/err" </dev/null
status=$?
finds '72 without a network' 0 '^network host note: .*this container has no network'

# ---- 72: the program
run 'condense-doctor --nonsense'
ended '72 an unknown option' 2
said '72 is named' "'--nonsense' is no option"
run 'condense-doctor --help | grep -c "^usage: condense-doctor"; condense-doctor --version'
is '72 help and version' "1
condense-doctor $VERSION"
run 'condense-doctor --no-network >&- 2>&-; echo $?
	condense-doctor --no-network <&- >/dev/null; echo $?
	condense-doctor --no-network 2>/dev/null >/dev/full; echo $?
	(condense-doctor --no-network <&- >&- 2>&-; echo $? >/tmp/status); cat /tmp/status'
is '72 closed descriptors and a full disk' '2
0
2
2'
run -u 0 'mkdir /r && cp /usr/bin/condense-doctor /r
	chroot /r /condense-doctor --no-network >/dev/null; echo $?'
is '72 without the image, and without /proc' 1
for colour in '' '-e NO_COLOR=1'; do
	docker run --rm -t --label "$label" -e TERM=xterm $colour "$IMAGE" condense-doctor --no-network \
		>"$T/out" 2>"$T/err" </dev/null
	status=$?
	grep -q "$(printf '\033\\[1midentity')" "$T/out"
	[ $? -eq "$([ -z "$colour" ]; echo $?)" ]
	result $? "72 colour on a terminal $colour"
done
finish
