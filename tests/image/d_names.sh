#!/bin/sh
# 67: a name, a home and one line where no account can be had, in all combinations of what an engine
# can take away; what gives the name gives nothing else (section E).
# shellcheck disable=SC2016,SC2086 # scripts for the container; words
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"

case $DISTRO in
debian) module=/usr/lib/x86_64-linux-gnu/libnss_condense.so.2 ;;
*) module=/lib/x86_64-linux-gnu/libnss_condense.so.2 ;;
esac

# What programs of both libraries say of the caller: id, whoami, Python without the variables, what
# the shell and Python take for the home, and whether that can be written.
cat >"$T/probe" <<'PROBE'
echo "id=$(id -un 2>&1) whoami=$(whoami 2>&1) user=$USER logname=$LOGNAME"
env -u USER -u LOGNAME -u LNAME -u USERNAME /opt/conda/bin/python -c '
import getpass, os, pwd
me = pwd.getpwuid(os.getuid())
print("getuser=" + getpass.getuser(), "pwd=" + me.pw_name, "uid=%d" % (me.pw_uid - os.getuid()))
print("known=" + pwd.getpwnam(me.pw_name).pw_name)
if os.path.expanduser("~") != os.environ["HOME"]:
    print("expanduser differs")
if os.environ["HOME"] != me.pw_dir:
    print("pw_dir=" + me.pw_dir, "HOME=" + os.environ["HOME"])'
cd ~ && [ "$(pwd)" = "$HOME" ] && touch x && rm x && echo "home=$(echo "$HOME" | sed "s/$(id -u)/UID/")"
PROBE
chmod 644 "$T/probe"

# expect TEXT NAME HOME LINES [MORE]: what the probe must say; LINES of ours on stderr.
expect()
{
	[ "$status" -eq 0 ] && [ "$(cat "$T/out")" = "id=$2 whoami=$2 user=$2 logname=$2
getuser=$2 pwd=$2 uid=0
known=$2${5:+
$5}
home=$3" ]
	result $? "$1: the name is $2, the home $3"
	[ "$(grep -c '^condense: ' "$T/err")" -eq "$4" ] && [ "$(wc -l <"$T/err")" -eq "$4" ]
	result $? "$1: $4 lines say what could not be done"
}

probe()
{
	docker_run -v "$T/probe:/probe:ro" "$@"
}

# ---- 67: flags | name | home | lines | what else the probe says
while IFS='|' read -r options name home lines more; do
	probe $options "$IMAGE" sh /probe
	expect "67 $options" "$name" "$home" "$lines" "$more"
done <<'EOF'
|anaconda|/home/anaconda|0
-u 54321:anaconda|anaconda|/home/anaconda|0
-u 54321:anaconda -e NEW_USER=dja|dja|/home/dja|0
--security-opt no-new-privileges|anaconda|/home/anaconda|0
--cap-drop ALL|anaconda|/home/anaconda|0
--cap-drop ALL --security-opt no-new-privileges -e NEW_USER=anaconda -e NEW_HOME=/home/anaconda|anaconda|/home/anaconda|0
--security-opt no-new-privileges -e NEW_USER=dja|anaconda|/home/anaconda|1
--security-opt no-new-privileges -e NEW_HOME=/home/dja|anaconda|/home/anaconda|1
--security-opt no-new-privileges -e CONDENSE_REOWN=1|anaconda|/home/anaconda|1
--read-only --tmpfs /tmp|anaconda|/tmp/home-UID|1|pw_dir=/home/anaconda HOME=/tmp/home-3000
--read-only|anaconda|/dev/shm/home-UID|1|pw_dir=/home/anaconda HOME=/dev/shm/home-3000
-u 54321:anaconda --security-opt no-new-privileges|anaconda|/home/anaconda|1
-u 54321:anaconda --security-opt no-new-privileges --cap-drop ALL|anaconda|/home/anaconda|1
-u 54321:anaconda --cap-drop ALL|anaconda|/home/anaconda|1
-u 54321:anaconda --read-only --tmpfs /tmp|anaconda|/tmp/home-UID|1
-u 54321:anaconda --read-only --tmpfs /tmp --cap-drop ALL|anaconda|/tmp/home-UID|1
-u 54321:anaconda --read-only|anaconda|/dev/shm/home-UID|1
-u 54321:anaconda --read-only --cap-drop ALL --security-opt no-new-privileges|anaconda|/dev/shm/home-UID|1
-u 54321:anaconda --read-only --tmpfs /tmp --tmpfs /home/anaconda:uid=54321|anaconda|/home/anaconda|1
-u 12345:0|anaconda|/home/anaconda|1
-u 12345:0 --cap-drop ALL|anaconda|/tmp/home-UID|1|pw_dir=/home/anaconda HOME=/tmp/home-12345
-u 12345:0 --security-opt no-new-privileges|anaconda|/tmp/home-UID|1
-u 12345:0 --read-only --tmpfs /tmp|anaconda|/tmp/home-UID|1
-u 12345:0 --cap-drop ALL --read-only --tmpfs /tmp --security-opt no-new-privileges|anaconda|/tmp/home-UID|1
-u 12345:0 --cap-drop ALL --read-only --security-opt no-new-privileges|anaconda|/dev/shm/home-UID|1
-u 12345:0 --security-opt no-new-privileges --group-add anaconda|anaconda|/home/anaconda|1
-u 1000:2000|anaconda|/home/anaconda|1
-u 1000:2000 --security-opt no-new-privileges|anaconda|/tmp/home-UID|1
-u 1000:2000 --cap-drop ALL --read-only --tmpfs /tmp|anaconda|/tmp/home-UID|1
-u 2147483647:2000 --cap-drop ALL --read-only --tmpfs /tmp --security-opt no-new-privileges|anaconda|/tmp/home-UID|1
-u 54321:anaconda -e NEW_USER=dja --security-opt no-new-privileges|dja|/home/anaconda|1
-u 54321:anaconda -e NEW_USER=dja --read-only --tmpfs /tmp|dja|/tmp/home-UID|1
-u 12345:0 -e NEW_USER=dja --read-only --tmpfs /tmp --tmpfs /home/dja:uid=12345|dja|/home/dja|1
EOF
# A uid of an account of the image's own keeps it (45): one line as well.
if [ "$DISTRO" = debian ]; then
	probe -u 33:33 "$IMAGE" sh /probe
	expect "45, 67 -u 33:33" www-data /tmp/home-UID 1 "pw_dir=/var/www HOME=/tmp/home-33"
	said "45 which says whose it is" "uid 33 is the account 'www-data'.*HOME is '/tmp/home-33'.*gid 33 is not"
fi
while IFS='|' read -r new_user said; do
	probe -u 54321:anaconda --security-opt no-new-privileges -e "NEW_USER=$new_user" "$IMAGE" sh /probe
	expect "86-88 NEW_USER=$new_user without privilege" anaconda /home/anaconda 1
	said "86-88 and the line says that" "$said"
done <<'EOF'
root|NEW_USER is not a name that is free
Not-a-name|NEW_USER is not a name that is free
a:x:0:0|NEW_USER is not a name that is free
EOF

# An arbitrary uid of group 0, as OpenShift starts it: read-only, unless it is in the group as well.
run -u 12345:0 --security-opt no-new-privileges \
	'touch /main/x 2>/dev/null || echo main; touch /opt/conda/x 2>/dev/null || echo conda'
is "67 uid 12345 with gid 0 writes neither /main nor /opt/conda" "main
conda"
run -u 12345:0 --group-add 3000 --security-opt no-new-privileges \
	'touch /main/x /opt/conda/x ~/x && rm /main/x /opt/conda/x ~/x && echo all'
is "67 with the group anaconda it writes both" all
image gid0 <<EOF
FROM $IMAGE
USER root
RUN chgrp -R 0 /main /opt/conda /home/anaconda && chmod -R g=u /main /opt/conda /home/anaconda
USER 12345:0
EOF
docker_run --security-opt no-new-privileges "$tag" \
	sh -c 'touch /main/x /opt/conda/x ~/x && id -un && cd && pwd'
is "67 an image that gives the folders to gid 0" "anaconda
/home/anaconda"
grep -q 'is not .anaconda' "$T/err"
[ $? -eq 1 ]
result $? "67 and no line says that they are read-only"
docker_run -u 0 --entrypoint find "$IMAGE" / -xdev -group 0 -perm -020 ! -type l ! -type c
# The last is of the base itself.
grep -v -x -e /tmp -e /tmp/.X11-unix -e /var/tmp -e /run/lock \
	-e /etc/network/if-up.d/dad "$T/out" >"$T/writable"
[ "$status" -eq 0 ] && [ ! -s "$T/writable" ]
result $? "67 and gid 0 alone may write nothing of the image"

# ---- the prompt, and shells of docker exec
prompt -u 12345:0 --security-opt no-new-privileges
grep -q 'anaconda' "$T/out" && ! grep -q 'I have no name' "$T/out"
result $? "67 the prompt has the name"
for options in '-u 12345:0 --security-opt no-new-privileges' \
	'-u 12345:0 --cap-drop ALL --read-only --tmpfs /tmp --security-opt no-new-privileges'; do
	flags=$options
	up names -v "$tests/prompt:/prompt:ro" || {
		docker logs "$container" >"$T/out" 2>&1
		result 1 "67 a container with $options"
		continue
	}
	flags=
	in_container "$container" sh -lc 'id -un; cd && pwd'
	is "67 docker exec of a login shell: $options" "anaconda
/tmp/home-12345"
	in_container "$container" python /prompt "$image_shell"
	grep -q 'anaconda' "$T/out" && ! grep -q 'no name\|unknown' "$T/out"
	result $? "67 docker exec of a shell on a terminal: its prompt has the name: $options"
	in_container "$container" /entrypoint.sh sh -c 'id -un; cd && pwd'
	is "67 docker exec through the entry script: $options" "anaconda
/tmp/home-12345"
	in_container "$container" python -c 'import getpass, os, pwd
print(getpass.getuser(), pwd.getpwuid(os.getuid()).pw_dir)'
	is "67 docker exec of a program of glibc: $options" "anaconda /tmp/home-12345"
	if [ "$DISTRO" = debian ]; then
		in_container "$container" id -un
		is "67 docker exec id: $options" anaconda
	fi
	in_container -u 777:0 "$container" python -c 'import os, pwd
print(pwd.getpwuid(777).pw_name)
try: print(pwd.getpwuid(12345))
except KeyError: print("nobody else")'
	is "67 docker exec as a third uid, which knows itself alone: $options" "anaconda
nobody else"
	in_container -u 0 "$container" python -c 'import pwd
try: print(pwd.getpwuid(12345))
except KeyError: print("unknown to root")'
	is "E root is told nothing: $options" "unknown to root"
	down
done
flags=

# ---- ssh, which wants a name
install='apk add --no-cache openssh-client'
[ "$os" != apt ] || install='apt-get -qq update && apt-get -qq -y --no-install-recommends install openssh-client'
serve
use_mirror
mkdir -p "$T/context"
cp -R "$T/mirror" "$T/context/"
image ssh <<EOF
FROM $IMAGE
USER root
COPY mirror/ /
RUN $install
USER anaconda:anaconda
EOF
if [ "$status" -eq 0 ]; then
	docker_run -u 54321:anaconda --security-opt no-new-privileges "$tag" ssh -G host
	[ "$status" -eq 0 ] && grep -qx 'user anaconda' "$T/out"
	result $? "67 ssh knows its user"
	docker_run -u 12345:0 --read-only --tmpfs /tmp --cap-drop ALL "$tag" \
		sh -c 'ssh-keygen -q -t ed25519 -N "" -f ~/key && cut -d " " -f 3 ~/key.pub'
	is_like "67 ssh-keygen too" 'anaconda@*'
elif [ "$os" = apt ]; then
	skip "67 ssh knows its user" "no mirror gives openssh-client"
else
	echo "# 67 ssh: Alpine's packages are stand-ins here, and openssh-client is none of them"
fi

# ---- 55: account files and those who manage them see no difference
docker_run -u 0 --entrypoint cat "$IMAGE" /etc/passwd
cp "$T/out" "$T/passwd"
if [ "$DISTRO" = debian ]; then
	docker_run -u 54321:anaconda --security-opt no-new-privileges "$IMAGE" getent passwd
	[ "$status" -eq 0 ] && cmp -s "$T/out" "$T/passwd"
	result $? "55 getent passwd lists what the file has"
	docker_run -u 54321:anaconda --security-opt no-new-privileges "$IMAGE" getent passwd 54321
	is "67 getent passwd UID" "anaconda:x:54321:3000:Developer,,,:/home/anaconda:/bin/bash"
	docker_run -u 54321:anaconda --security-opt no-new-privileges "$IMAGE" getent passwd anaconda
	is "55 the account itself is the file's" "$(grep '^anaconda:' "$T/passwd")"
	run -u 1000:2000 --group-add 4242 --security-opt no-new-privileges \
		'id -gn; id -Gn; getent group gid2000 gid4242 gid4243 | cut -d : -f 1,3'
	[ "$(cat "$T/out")" = "gid2000
gid2000 gid4242
gid2000:2000
gid4242:4242" ]
	result $? "67 gids without a name have one for their owner"
fi
docker_run -u 0 --entrypoint sh "$IMAGE" -c 'grep -E "^(passwd|group):" /etc/nsswitch.conf | tr -s " "'
is "67 names are asked after the files" "passwd: files condense
group: files condense"

# ---- E: what it is made of is root's, and gives nothing to programs that have rights
docker_run -u 0 --entrypoint sh "$IMAGE" -c "stat -c '%u %g %a' /etc/condense/names /etc/nsswitch.conf \
	$module $([ "$DISTRO" = debian ] || echo /usr/lib/condense/names.so)"
[ "$status" -eq 0 ] && [ "$(sort -u "$T/out")" = "0 0 644" ]
result $? "E template, module and library are root's, and writable by root alone"
# A template that is not root's alone, or not right: no name, and nothing else happens.
while IFS= read -r spoil; do
	image spoilt <<EOF
FROM $IMAGE
USER root
RUN cd /etc/condense && $spoil
USER anaconda:anaconda
EOF
	docker_run -u 54321:anaconda --security-opt no-new-privileges "$tag" python -c 'import pwd
try: print(pwd.getpwuid(54321))
except KeyError: print("no name")'
	is "94 no name by a template that root did not mean: $spoil" "no name"
	said "94 and the line says so: $spoil" "it has no name"
done <<'EOF'
chown 3000 names
chmod g+w names
chmod o+w names
mv names old && ln -s old names
rm names
echo account root >names
echo account x:x:0:0 >names
printf 'account a\nuid 0\n' >names
head -c 5000 /dev/zero >names
rm names && mkfifo names
rm names && mkdir names
EOF

# A program that has more rights than its caller gets no answer: compiled here, setuid to another.
cat >"$T/who.c" <<'EOF'
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>
int main(void)
{
	struct passwd *pw = getpwuid(getuid());
	printf("%s\n", pw ? pw->pw_name : "nobody");
	return 0;
}
EOF
compilers=cc
[ "$DISTRO" = debian ] || compilers="cc musl-gcc"
for cc in $compilers; do
	if ! $cc -o "$T/context/who" "$T/who.c" 2>"$T/err"; then
		skip "E a setuid program is told nothing, $cc" "no $cc"
		continue
	fi
	image setuid --build-arg "IMAGE=$IMAGE" <<'EOF'
ARG IMAGE
FROM $IMAGE
USER root
COPY who /who
RUN cp /who /who.setuid && cp /who /who.setgid && chown 33:33 /who.setuid /who.setgid && \
	chmod 4755 /who.setuid && chmod 2755 /who.setgid
USER anaconda:anaconda
EOF
	# A read-only root, where setuid programs have their effect.
	docker_run -u 54321:anaconda --read-only --tmpfs /tmp "$tag" \
		sh -c '/who; /who.setuid; /who.setgid; LD_PRELOAD=/usr/lib/condense/names.so /who.setuid'
	is "E a setuid or setgid program is told nothing, $cc" "anaconda
nobody
nobody
nobody"
done
run -u 54321:anaconda --read-only --tmpfs /tmp 'su -c "echo is root" </dev/null
	su anaconda -c "echo is other" </dev/null; passwd -S root; passwd -d root; true'
! grep -q 'is root\|is other' "$T/out"
result $? "E su and passwd give nothing"
# What the caller says of itself goes no further than what a field of passwd can hold.
docker_run -u 54321:2000 --security-opt no-new-privileges --entrypoint /opt/conda/bin/python "$IMAGE" -c '
import subprocess, sys
ask = "import os, pwd; me = pwd.getpwuid(os.getuid()); print(me.pw_uid, me.pw_name, me.pw_dir)"
for home in ["/etc", "/", "/root", "relative", "/tmp", "/tmp/a:b", "/tmp/a\nb", "/" * 5000, ""]:
    for name in ["root", "daemon", "x:0", "x\ny", "", "y" * 5000, "-x"]:
        env = {"HOME": home, "NEW_USER": name}
        said = subprocess.run([sys.executable, "-c", ask], env=env, capture_output=True, text=True)
        if said.stdout != "54321 anaconda /home/anaconda\n":
            print(home[:20], name[:20], said)'
is "83, 86 hostile HOME and NEW_USER are passed over" ""
finish
