#!/bin/sh
# Section B of the acceptance list: promised before, never checked.
# shellcheck disable=SC2016,SC2086 # scripts for the container; words
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"
serve
use_mirror
list os.txt 'jq\n'
list pip.txt 'soupsieve\n'
list conda.txt 'beautifulsoup4\n'
list none.txt '# nothing\n'
list python.txt 'python<3\n'
operations="install -y -q beautifulsoup4
create -y -q -n other python=2.7
remove -y -q wheel
remove -y -q -n other python
clean -y -a -f"
# The other family's stand-in knows these alone.
[ "$RELEASE" != condense ] || operations="$operations
update -y -q --all
rename -n other another
env remove -y -n another"
shells="bash sh"
[ "$DISTRO" != alpine ] || shells="sh ash"
all_lists="-v $T/os.txt:$os_list:ro -v $T/conda.txt:/tmp/conda_requirements.txt:ro
	-v $T/pip.txt:/tmp/pip_requirements.txt:ro"
# What is not there by itself: conda's notes about its package cache say where that is.
caches='for folder in /home/*/.cache /root/.cache /tmp/pip* /opt/conda/pkgs /var/cache/apt \
		/var/lib/apt/lists /var/cache/apk; do
	[ ! -d "$folder" ] || find "$folder" -type f -size +0 ! -name "urls*" || echo "cannot look into $folder"
done'
inspect()
{
	docker image inspect --format "$1" "$IMAGE" >"$T/out" 2>"$T/err"
	status=$?
}

# The X server of 31: says what display number it was asked for.
beside x11 "$IMAGE" -c '
import os, socket
server = socket.socket(socket.AF_UNIX)
server.bind("/beside/X9.new")
server.listen(4)
os.chmod("/beside/X9.new", 0o777)
os.rename("/beside/X9.new", "/beside/X9")
while True:
    client = server.accept()[0]
    client.sendall(b"hello " + client.recv(100))
    client.close()
'
wait_for "$T/x11/X9"

for user in default host; do
	"as_$user"
	uid=3000
	[ "$user" = default ] || uid=54321

	run 'umask; touch f; mkdir d; stat -c %a f d'
	is "25 umask 007" "0007
660
770"
	prompt
	is_like "26 the prompt has user, host and folder in colour" \
		'*\^\[\[32;1m*anaconda*@*\^\[\[34;1m*:*\^\[\[33;1m*/main*'
	prompt -e NEW_USER=dja
	is_like "26 the prompt has the new name" '*\[32;1m*dja*@*'
	run 'pwd; stat -c "%u %G %A" /main'
	is_like "27 the command starts in /main" "/main
[0-9]* anaconda d???rw*"
	# What a member of the group could not change, or others could, after each kind of operation.
	run $from_loopback -e "OPERATIONS=$operations" 'echo "$OPERATIONS" | while read -r words; do
			conda $words >/dev/null </dev/null || echo "failed: $words"
			for folder in /opt/conda/conda-meta /opt/conda/envs/*/conda-meta; do
				[ ! -d "$folder" ] || find "$folder" ! -type l \( ! -perm -g=w -o -perm /o=rwx \
					-o ! -group anaconda \) | sed "s/^/after $words: /"
			done
		done'
	is "28 conda-meta is the group's after each conda operation" ""
	run 'echo "${PATH#"$(readlink -f ~)"}"'
	is_like "29 PATH begins with ~/.local/bin and /opt/conda/bin" "/.local/bin:/opt/conda/bin:*"
	run -e NEW_HOME=/home/.anaconda 'echo $PATH'
	is_like "29 by its real path" "/home/.anaconda/.local/bin:/opt/conda/bin:*"
	run 'echo $LANG; ls /usr/lib/locale'
	is "30 LANG is C.UTF-8, en_US.UTF-8 exists" "C.UTF-8
C.utf8
en_US.utf8"
	run 'for name in C.UTF-8 en_US.UTF-8; do LC_ALL=$name python -c "
import locale
locale.setlocale(locale.LC_ALL, \"\")
print(locale.localeconv()[\"thousands_sep\"] or \"none\", locale.getpreferredencoding())"; done'
	is "30 both can be set" "none UTF-8
, UTF-8"
	# Alpine has bash and perl only if a list says so.
	run -e LANG=en_US.UTF-8 -e LC_ALL=en_US.UTF-8 'for shell in bash sh; do
			! command -v $shell >/dev/null || $shell -c "echo $shell"
		done
		! command -v perl >/dev/null || perl -e "print qq(perl\n)"
		python -c "print(\"python\")"'
	case $DISTRO in
	debian) is "30 en_US.UTF-8 is fine" "bash
sh
perl
python" ;;
	*) is "30 en_US.UTF-8 is fine" "sh
python" ;;
	esac
	[ ! -s "$T/err" ]
	result $? "30 without a warning"
	run -e DISPLAY=:9 -v "$T/x11:/tmp/.X11-unix" 'echo $DISPLAY; python -c "
import socket
s = socket.socket(socket.AF_UNIX)
s.settimeout(60)
s.connect(\"/tmp/.X11-unix/X9\")
s.sendall(b\"client\")
print(s.recv(100).decode())"'
	is "31 a client reaches the display's socket" ":9
hello client"
	run $from_mirror $from_loopback $all_lists 'jq --version >/dev/null && conda list >/dev/null &&
		python -c "import bs4, soupsieve" && echo all'
	is "33 all lists at once" all
	order=$(grep -oE '^condense: installing .*' "$T/err" | sed -E 's/.*OS package.*/os/; s/.* with //' |
		tr '\n' ' ')
	[ "$order" = "os conda pip " ]
	result $? "33 order: OS packages, conda, pip"
	run $from_loopback -v "$T/python.txt:/tmp/conda_requirements.txt:ro" 'echo started'
	[ "$status" -ne 0 ] && ! grep -q started "$T/out"
	result $? "34 a list that wants another Python is refused"
	run $from_loopback -e CONDENSE_ON_ERROR=continue \
		-v "$T/python.txt:/tmp/conda_requirements.txt:ro" 'python -V'
	is_like "34 and Python is still the same" "Python $PY_VER.*"
	run $from_mirror $from_loopback -e "$os_variable=/lists/os.txt" \
		-e CONDA_REQUIREMENTS=/lists/conda.txt -e PIP_REQUIREMENTS=/lists/pip.txt \
		-v "$T/os.txt:/lists/os.txt:ro" -v "$T/conda.txt:/lists/conda.txt:ro" \
		-v "$T/pip.txt:/lists/pip.txt:ro" 'jq --version >/dev/null && python -c "import bs4" && echo all'
	is "35 other paths for the lists" all
	run -e NEW_USER=dja -e NEW_HOME=/home/.dja 'printenv HOME; readlink $HOME'
	is "37 HOME is /home/NAME, a link to NEW_HOME" "/home/dja
/home/.dja"
	run --workdir /home/anaconda -e NEW_USER=dja pwd
	is "42 a folder in the old home is rewritten" /home/dja
	run --workdir /tmp -e NEW_USER=dja pwd
	is "42 another folder is left alone" /tmp

	for code in 0 1 7 126 127 255; do
		docker_run "$IMAGE" sh -c "exit $code"
		ended "41 exit status $code" "$code"
	done
	docker_run "$IMAGE" no-such-command
	ended "41 an unknown command is 127" 127
	docker_run "$IMAGE" /etc/passwd
	ended "41 one that is not executable is 126" 126
	docker_run "$IMAGE" sh -c 'kill -9 $$'
	ended "41 killed by a signal is 128 and its number" 137

	if up details $from_mirror $from_loopback $all_lists -e NEW_USER=dja; then
		result 0 "58 a container that stays"
		shell_says="dja|/home/dja|base|/opt/conda/bin/python|0007"
		for shell in $shells; do
			in_container "$container" $shell -ic \
				'echo "$(id -un)|$(cd ~ && pwd)|$CONDA_DEFAULT_ENV|$(command -v python)|$(umask)"'
			is "39 docker exec $shell: user, home, environment" "$shell_says"
		done
		in_container "$container" $image_shell -lc 'command -v python'
		is "39 a login shell" /opt/conda/bin/python
		in_container -u 0 "$container" sh -c "$caches"
		is "44 no cache is left after a start" ""
		asked=$(wc -l <"$site/requests")
		docker restart -t 60 "$container" >/dev/null 2>"$T/err"
		wait_for_start 2
		result $? "40 restarted"
		in_container "$container" sh -c 'id -un && jq --version >/dev/null &&
			python -c "import bs4" && echo kept'
		is "40 name and packages survive a restart" "dja
kept"
		[ "$asked" = "$(wc -l <"$site/requests")" ]
		result $? "62 a second start asks for nothing"
		docker logs "$container" 2>&1 | grep -c 'condense: installing' >"$T/out"
		is "62 and installs nothing" 3
	else
		docker logs "$container" >"$T/out" 2>&1
		result 1 "58 a container that stays"
	fi
	down
done

who=
flags=
run $from_loopback -u 777:anaconda 'pip install -q typing-extensions && python -c "
import typing_extensions; print(typing_extensions.__file__)"'
is "43 pip writes to the environment for any uid" "$packages/typing_extensions.py"

image owners <<EOF
FROM $IMAGE
RUN mkdir -p ~/.local ~/.cache ~/.conda && touch ~/.condarc
EOF
docker_run -u 54321:anaconda "$tag" sh -c 'cd ~ && stat -c %u . .local .cache .conda .condarc | sort -u'
is "38 the home belongs to the caller" 54321

mkdir -p "$T/activate.d"
echo 'echo read by root' >"$T/activate.d/hook.sh"
run -u 0 -v "$T/activate.d:/opt/conda/etc/conda/activate.d:ro" $from_mirror \
	-v "$T/os.txt:$os_list:ro" \
	'id -u; echo $HOME; grep -c anaconda:x:3000: /etc/passwd; command -v jq; echo ${PATH%%:*}'
is "32 root: no mapping, no installs, no user's files" "0
/root
1
/usr/local/sbin"

if up root; then
	in_container "$container" sh -c 'echo "echo the user was here" >~/.bashrc'
	in_container -u 0 "$container" $image_shell -ic 'echo $HOME; echo ${PATH%%:*}; umask'
	is "32 docker exec as root: no user's files either" "/root
/usr/local/sbin
0022"
fi
down

# The engine itself takes no uid above this; tests/runtime goes to the end.
for uid in 2147483647 1000 999 $free_uids; do
	run -u $uid:anaconda 'id -un; id -u; touch ~/x'
	is "45 uid $uid" "anaconda
$uid"
done
for uid in $foreign_uids; do
	run -u $uid:anaconda 'id -u; touch ~/x'
	is "45 uid $uid, which another account has" "$uid"
	[ "$(grep -c . "$T/err")" -eq 1 ]
	result $? "45 uid $uid: one line"
done

docker_run -u 0 --entrypoint sh "$IMAGE" -c "$caches; find /home /root /tmp -type f ! -name '.*'"
is "44 no cache is in the image" ""
inspect '{{json .Config.Entrypoint}} {{json .Config.Cmd}} {{.Config.WorkingDir}} {{.Config.User}} {{json .Config.Volumes}}'
is "46 entry point, command, folder, user, volume" \
	'["/entrypoint.sh"] ["'$image_shell'"] /main anaconda:anaconda {"/tmp/.X11-unix":{}}'
inspect '{{json .Config.Cmd}}'
is "36 the command is $image_shell" "[\"$image_shell\"]"
inspect '{{range .Config.Env}}{{println .}}{{end}}'
grep -qxF 'PATH=/opt/conda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "$T/out"
result $? "46 PATH"
grep -qxF 'ENV=/etc/condense/shellrc' "$T/out"
result $? "37 ENV names the rc for ash"
labels=
for name in maintainerName maintainerEmail maintainerCompany org.opencontainers.image.title \
	org.opencontainers.image.description org.opencontainers.image.licenses \
	org.opencontainers.image.version; do
	labels="$labels{{index .Config.Labels \"$name\"}}|"
done
inspect "$labels"
is_like "46 labels" "?*|?*|?*|?*|?*|?*|$VERSION|"
filled()
{
	docker history --format '{{.Size}}' "$1" | grep -vc '^0B$'
}
if docker image inspect "$base" >/dev/null 2>&1; then
	[ "$(filled "$IMAGE")" -eq $(($(filled "$base") + 1)) ]
	result $? "46 one layer on its base"
else
	skip "46 one layer on its base" "$base is not here"
fi
finish
