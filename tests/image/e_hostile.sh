#!/bin/sh
# Section E of the acceptance list: what a process of the container's user tries against root's part
# of the image. Every attack fails, and the account files stay as they were, byte for byte.
# shellcheck disable=SC2016,SC2086 # scripts for the container; words
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"

# The attacker's tools: root runs none of them, or the mark would be root's.
mkdir -p "$T/evil"
cat >"$T/evil/program" <<'EOF'
#!/bin/sh
echo "$0 $*" >>/tmp/ran
/usr/bin/id -u >>/tmp/ran.uid
EOF
for name in mv apt apt-get apt-cache apk paste sh dpkg id cp chown; do
	cp "$T/evil/program" "$T/evil/$name"
done
chmod -R a+rX "$T/evil"
chmod a+x "$T/evil"/*

# One container a group of attacks, started for another uid; $files in it are watched by root.
files="/etc/passwd /etc/shadow /etc/group"
[ "$DISTRO" != debian ] || files="$files /etc/gshadow"

begin()
{
	flags="-u 54321:anaconda"
	up "$@" -v "$T/evil:/evil:ro" || {
		docker logs "$container" >"$T/out" 2>&1
		result 1 "the container of the attacks"
		finish
	}
	watch_files
}

watch_files()
{
	docker exec -u 0 "$container" sh -c "cat $files; stat -c '%n %u %g %a' $files /etc /root / \
		/home /var/lib/condense /etc/condense /etc/condense/*" >"$T/before" 2>/dev/null
}

unchanged()
{
	docker exec -u 0 "$container" sh -c "cat $files; stat -c '%n %u %g %a' $files /etc /root / \
		/home /var/lib/condense /etc/condense /etc/condense/*" >"$T/after" 2>/dev/null
	cmp -s "$T/before" "$T/after"
}

# attack TEXT SCRIPT: as the container's user; nothing of root's may change, nothing may run as root.
# Sets status, $T/out and $T/err, for what the case looks at besides.
attack()
{
	in_container -u 54321:anaconda "$container" sh -c "rm -rf /tmp/ran*; $2"
	bad=
	unchanged || bad="an account file changed"
	docker exec -u 0 "$container" sh -c 'cat /tmp/ran.uid 2>/dev/null' >"$T/ran"
	! grep -qx 0 "$T/ran" || bad="$bad a program of the caller ran as root"
	[ -z "$bad" ] || echo "$bad" >>"$T/err"
	[ -z "$bad" ]
	result $? "$1"
}

# refuses TEXT ARGUMENT...: an attack that /startup must refuse with status 2 and one line.
refuses()
{
	text=$1
	shift
	in_container -u 54321:anaconda "$container" /startup "$@"
	[ "$status" -eq 2 ] && [ "$(grep -c '^condense: ' "$T/err")" -eq 1 ] && unchanged
	result $? "$text"
}

begin hostile
in_container -u 54321:anaconda "$container" id -un
is "76-94 the attacker is the container's user" anaconda

# A control: a setuid program without our care is what the canaries are for.
docker exec -u 0 "$container" cp -p /etc/shadow /tmp/shadow.kept
for harm in '/usr/bin/env PATH=/evil:/bin sh -c "mv x y"' 'echo x >>/etc/shadow'; do
	docker exec -u 0 "$container" sh -c "rm -f /tmp/ran*; $harm" >/dev/null 2>&1
	docker exec -u 0 "$container" sh -c 'cat /tmp/ran.uid 2>/dev/null' >"$T/ran"
	grep -qx 0 "$T/ran" || ! unchanged
	result $? "76-94 control: seen would be: $harm"
done
docker exec -u 0 "$container" sh -c 'cat /tmp/shadow.kept >/etc/shadow; rm -f /tmp/ran* /tmp/shadow.kept'
unchanged
result $? "76-94 and that is made good"

# ---- 76-78: the environment
attack "76 a PATH with programs of the caller's" \
	'PATH=/evil:$PATH; export PATH; /startup; echo jq >/tmp/l
	APT_REQUIREMENTS=/tmp/l APK_REQUIREMENTS=/tmp/l /startup -new_home=/home/x -new_user=x </dev/null
	/startup -new_user=anaconda -new_home=/home/anaconda; /entrypoint.sh true'
while IFS='|' read -r what variables; do
	attack "$what" "echo jq >/tmp/l; APT_REQUIREMENTS=/tmp/l APK_REQUIREMENTS=/tmp/l; export APT_REQUIREMENTS APK_REQUIREMENTS
		export $variables; /usr/bin/env >/tmp/own 2>/dev/null; /startup; /startup -only=packages"
done <<'EOF'
77 LD_PRELOAD|LD_PRELOAD=/evil/e.so
77 LD_LIBRARY_PATH|LD_LIBRARY_PATH=/evil LD_AUDIT=/evil/e.so
77 GCONV_PATH, MALLOC_*, LOCPATH, NLSPATH|GCONV_PATH=/evil MALLOC_CHECK_=3 MALLOC_TRACE=/etc/passwd LOCPATH=/evil NLSPATH=/evil/%N
78 APT_CONFIG|APT_CONFIG=/evil/program
78 DPKG_* and DEBCONF_*|DPKG_ROOT=/evil DPKG_ADMINDIR=/evil DEBCONF_DB_OVERRIDE=File{/etc/passwd} DEBIAN_FRONTEND=/evil
78 proxies|http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 ALL_PROXY=http://127.0.0.1:9
78 PERL5LIB, PYTHONPATH, TMPDIR, SSL_CERT_FILE|PERL5LIB=/evil PERL5OPT=-Mevil PYTHONPATH=/evil TMPDIR=/evil SSL_CERT_FILE=/evil/program
EOF

# ---- 79-82: lists. Each in a start of its own, since a running container installs none, and as the
# user that the image knows: so nothing at all changes.
down
flags=
docker run --rm --label "$label" -u 0 --entrypoint cat "$IMAGE" $files >"$T/image.before" 2>/dev/null
# start_with TEXT WANTED-MESSAGE SETUP: a start whose list SETUP made at /tmp/list; it must stop. Then
# the account files are the image's, byte for byte, as root sees them from outside.
start_with()
{
	container=cda-list-$$
	timeout 300 docker run --name "$container" --label "$label" --network host --entrypoint sh \
		-e APT_REQUIREMENTS=/tmp/list -e APK_REQUIREMENTS=/tmp/list -v "$T/evil:/evil:ro" "$IMAGE" \
		-c "$3
		timeout 60 /entrypoint.sh echo started; status=\$?
		[ ! -e /tmp/ran ] || echo 'a program of the caller ran' >&2
		exit \$status" >"$T/out" 2>"$T/err" </dev/null
	status=$?
	for file in $files; do
		docker cp "$container:$file" - 2>/dev/null | tar -xO
	done >"$T/image.after"
	down
	cmp -s "$T/image.before" "$T/image.after" || echo 'an account file changed' >>"$T/err"
	[ "$status" -ne 0 ] && ! grep -q '^started$' "$T/out" && grep -q -- "$2" "$T/err" &&
		! grep -q 'file changed\|caller ran' "$T/err"
	result $? "$1"
}
[ -s "$T/image.before" ]
result $? "79-82 root sees the account files of the image"
while IFS='|' read -r text wanted setup; do
	start_with "$text" "$wanted" "$setup"
done <<'EOF'
79 a list that only root can read|cannot read '/tmp/list'|ln -s /etc/shadow /tmp/list
79 a link to a list|not a regular file|echo jq >/tmp/other; ln -s /tmp/other /tmp/list
79 a FIFO|not a regular file|mkfifo /tmp/list
79 a device|not a regular file|ln -s /dev/zero /tmp/list
79 a huge list|cannot read '/tmp/list': File too large|dd if=/dev/zero of=/tmp/list bs=100000 count=90 2>/dev/null
80 an option of apt|line 1: not the name of a package|echo -oDPkg::Pre-Install-Pkgs::=/evil/program >/tmp/list
80 an option of apk|line 2: not the name of a package|printf 'jq\n--allow-untrusted\n' >/tmp/list
80 a short option|line 1: not the name of a package|echo '-X http://127.0.0.1/' >/tmp/list
81 a package in a folder|line 1: not the name of a package|echo ./x.deb >/tmp/list
81 a package by its path|line 1: not the name of a package|echo /tmp/x.apk >/tmp/list
81 a URL|line 1: not the name of a package|echo http://127.0.0.1/x.deb >/tmp/list
81 a glob|line 1: not the name of a package|echo 'jq*' >/tmp/list
81 a task|line 1: not the name of a package|echo 'web^' >/tmp/list
81 a virtual or release|line 1: not the name of a package|echo 'jq/stable' >/tmp/list
82 a removal, apt|line 1: not the name of a package|echo coreutils- >/tmp/list
82 a removal, apk|line 1: not the name of a package|echo '!busybox' >/tmp/list
82 a removal behind a version|line 1: not the name of a package|echo 'jq=1-' >/tmp/list
EOF
# ---- 83-88: arguments
begin arguments
while IFS='|' read -r text argument; do
	refuses "$text" "$argument"
done <<'EOF'
83 /etc as home|-new_home=/etc
83 /root as home|-new_home=/root
83 / as home|-new_home=/
83 a folder of root's|-new_home=/var/lib/dpkg
83 a relative home|-new_home=home/x
83 a home with ..|-new_home=/home/../etc
83 a home deeper in /home|-new_home=/home/x/y
84 root as the account|-user=root
84 a pattern as the account|-user=(?m)^bin
84 another account|-user=daemon
84 an empty pattern|-user=.*
86 a colon in a name|-new_user=a:b
86 a slash in a name|-new_user=../etc/x
86 a blank in a name|-new_user=a b
86 non-ASCII in a name|-new_user=ä
86 a colon in a home|-new_home=/home/a:b
86 non-ASCII in a home|-new_home=/home/ä
87 uid 0|-new_uid=0
87 uid -1|-new_uid=-1
87 the uid that is none|-new_uid=4294967295
87 a uid that wraps|-new_uid=4294967296
87 a uid that wraps to ours|-new_uid=4295021617
87 another's uid|-new_uid=1
87 gid 0|-new_gid=0
88 a name that root has|-new_user=root
88 a name that another has|-new_user=nobody
EOF
newline='a
toor::0:0::/:/bin/sh'
refuses "86 a newline in a name" "-new_user=$newline"
refuses "86 a newline in a home" "-new_home=/home/$newline"
refuses "86 an escape in a name" "-new_user=$(printf 'a\033[2J')"
refuses "86 an overlong name" "-new_user=$(printf '%0300d' 0 | tr 0 a)"
refuses "86 an overlong home" "-new_home=/home/$(printf '%05000d' 0 | tr 0 a)"
refuses "86 an unknown word for all of the home" -reown=/etc
docker exec -u 0 "$container" sh -c 'mkdir -p /home/anaconda/of; cd /home/anaconda/of && echo 1 >image && cp image roots &&
	chown 3000 image && cp -p image setuid && chmod 4755 setuid'
attack "85 all of the home, asked for in a container that runs" '
	ln -s /etc ~/of/link; ln -s /etc/shadow ~/of/shadow; mv /main ~/of/ 2>/dev/null
	/startup -reown=full; /startup -reown=full -only=identity
	CONDENSE_REOWN=1 /entrypoint.sh true
	cd ~/of && stat -c %u image roots setuid'
is "85 gives nothing" "3000
0
3000"
attack "83 a link as home" 'ln -s /etc ~/link; /startup -new_home=$HOME/link; /startup -new_home=/home/anaconda/link/x'
attack "85 links in the home to files of root's" '
	rm -rf ~/.condarc ~/.local ~/.cache ~/.conda
	ln -s /etc/shadow ~/.condarc; ln -s /etc ~/.local; ln -s /root ~/.cache; ln -s / ~/.conda
	/startup; /startup -new_user=other; /startup -new_user=anaconda'
attack "85 second names of files of root's" '
	rm -rf ~/.condarc ~/.local; ln /etc/passwd ~/.condarc 2>/dev/null; ln /etc/shadow ~/.local 2>/dev/null; /startup'
# Where the kernel protects hard links the caller can make none: root makes them in the caller's
# place, in a container whose first process is the caller's own, so that the account is given later.
# /main is the image's account's, as is the home: a second name of a file of its must stay, too.
kept=$container
container=cda-links-$$
docker run -d --name "$container" --label "$label" -u 54321:anaconda --entrypoint tail "$IMAGE" \
	-f /dev/null >/dev/null 2>"$T/err"
in_container -u 0 "$container" sh -c '
	echo data >/main/file && chown anaconda:anaconda /main/file && cd /home/anaconda && rm -rf .condarc .conda .cache .local &&
	ln /etc/passwd .condarc && ln /etc/shadow .local && ln /main/file .conda && ln -s /etc .cache && chown -h anaconda .cache'
ended "85 second names of files of root's, made in the caller's place" 0
owners="stat -c %n:%u:%g:%a /etc/passwd /etc/shadow /etc /main/file /home/anaconda/.condarc /home/anaconda/.local"
docker exec -u 0 "$container" sh -c "cat /etc/shadow /etc/group; $owners" >"$T/links.before"
in_container -u 54321:anaconda "$container" /startup
ended "85 with these the account is given" 0
in_container -u 54321:anaconda "$container" sh -c 'id -un; stat -c %u ~'
is "85 and the home" "anaconda
54321"
docker exec -u 0 "$container" sh -c "cat /etc/shadow /etc/group; $owners" >"$T/links.after"
cmp -s "$T/links.before" "$T/links.after"
result $? "85 but no file that another name leads to"
docker exec -u 0 "$container" sh -c "chown 54321 /home/anaconda/.local; cat /etc/shadow /etc/group; $owners" >"$T/links.after"
! cmp -s "$T/links.before" "$T/links.after"
result $? "85 control: a chown through one of these would be seen"
down
container=$kept

attack "85 links that change while it looks" '
	(i=0; while [ $i -lt 300 ]; do rm -rf ~/.cache; ln -s /etc ~/.cache; rm -f ~/.cache; mkdir ~/.cache; i=$((i + 1)); done) &
	i=0; while [ $i -lt 40 ]; do /startup >/dev/null 2>&1; i=$((i + 1)); done; wait'

# ---- 89: again, outside a start, many at once
in_container -u 12345:anaconda "$container" /startup
[ "$status" -eq 2 ] && unchanged
result $? "89 another uid after the first mapping"
in_container -u 12345:anaconda "$container" /startup -reown=full
[ "$status" -eq 2 ] && unchanged
result $? "89 nor all of the home for another uid"
in_container -u 12345:anaconda "$container" /entrypoint.sh true
[ "$status" -eq 2 ] && unchanged
result $? "89 nor by a start of its own"
attack "89 a list after the start" '
	echo jq >/tmp/l; APT_REQUIREMENTS=/tmp/l APK_REQUIREMENTS=/tmp/l; export APT_REQUIREMENTS APK_REQUIREMENTS
	/startup -only=packages && exit 1; /startup && exit 1; command -v jq && exit 1; exit 0'
ended "89 is refused" 0
attack "89 many at once" '
	i=0; while [ $i -lt 40 ]; do /startup >/dev/null 2>&1 & i=$((i + 1)); done; wait'

# ---- 90: what a process inherits
attack "90 closed descriptors" '/startup <&- >&- 2>&-; /startup -new_user=daemon 2>&-; /startup <&- -new_home=/etc'
attack "90 no file may grow" 'ulimit -f 0; /startup; /startup -new_user=other; /startup -new_user=anaconda'
attack "90 three descriptors" 'ulimit -n 3; /startup; /startup -new_home=/etc'
attack "90 no memory, no time" 'ulimit -v 100; ulimit -t 1; /startup'
attack "90 odd umask" 'umask 777; /startup; umask 0; /startup'
attack "90 ignored signals" 'trap "" HUP INT TERM PIPE XFSZ CHLD ALRM; /startup'
attack "90 blocked signals, from python" '/opt/conda/bin/python - <<EOF
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
os.execv("/startup", ["/startup"])
EOF'
attack "90 a folder that is gone" 'mkdir /tmp/gone && cd /tmp/gone && rmdir /tmp/gone && /startup; APT_REQUIREMENTS=l APK_REQUIREMENTS=l /startup'
attack "90 ptrace" '/opt/conda/bin/python - <<EOF
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
child = os.fork()
if child == 0:
    libc.ptrace(0, 0, 0, 0)
    os.execv("/startup", ["/startup", "-new_user=traced"])
os.waitpid(child, 0)
# Under a tracer the kernel gives no rights; and to look into one that has them is refused.
libc.ptrace(7, child, 0, 0)
print(os.waitpid(child, 0)[1] >> 8)
EOF'
is "90 a traced helper has no rights" 3
attack "90 limits that are tiny" '
	for limit in "-s 64" "-d 64" "-u 1" "-n 4" "-c unlimited" "-l 0"; do (ulimit $limit 2>/dev/null; /startup; /startup -new_user=other); done
	/startup -new_user=anaconda'
cat >"$T/evil/odd.py" <<'EOF'
import ctypes, fcntl, os, signal, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def start(*words, **more):
    return subprocess.Popen(["/startup", *words], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
def refused(path, flags):
    try:
        file = os.open(path, flags)
    except OSError:
        return True
    try: # one that has ended may be opened, but nothing is there
        return flags == os.O_RDONLY and os.read(file, 1) == b""
    except OSError:
        return True
    finally:
        os.close(file)
way = sys.argv[1]
if way == "look":
    # While it runs it cannot be looked into, nor written to, nor told to dump.
    bad = 0
    for n in range(30):
        child = start("-new_user=look%s" % "ab"[n % 2])
        os.kill(child.pid, signal.SIGSTOP)
        try:
            euid = [line.split()[2] for line in open("/proc/%d/status" % child.pid) if line.startswith("Uid:")][0]
        except (OSError, IndexError):
            euid = "0"
        if euid == "0":
            for name in "mem", "environ", "maps", "auxv", "stack", "fd/2", "cwd/x", "root/etc/shadow":
                bad += not refused("/proc/%d/%s" % (child.pid, name), os.O_RDONLY)
            bad += not refused("/proc/%d/mem" % child.pid, os.O_WRONLY)
            bad += libc.ptrace(16, child.pid, 0, 0) == 0
        os.kill(child.pid, signal.SIGABRT)
        os.kill(child.pid, signal.SIGCONT)
        child.wait()
    assert not [name for name in os.listdir("/") + os.listdir("/tmp") if name.startswith("core")]
    print("looked", bad + start("-new_user=anaconda").wait(60))
elif way == "stopped":
    # One that stands still in the middle keeps nobody from being given what is theirs afterwards.
    children = []
    for n in range(20):
        child = start("-new_user=stop%s" % "ab"[n % 2])
        time.sleep(n / 2000)
        os.kill(child.pid, signal.SIGSTOP)
        children.append(child)
    for child in children:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    print("stopped", start("-new_user=anaconda").wait(60))
elif way == "locks":
    # The locks are root's files; the state folder itself may be locked by anybody.
    held = os.open("/var/lib/condense", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    print("locks", refused("/etc/.pwd.lock", os.O_RDWR) and refused("/var/lib/condense/lock", os.O_RDWR), start().wait(60))
elif way == "signals":
    for n in range(1, 65):
        try:
            child = start("-new_user=sig%s" % "ab"[n % 2])
            os.kill(child.pid, n)
            os.kill(child.pid, signal.SIGCONT)
            child.wait(60)
        except ProcessLookupError:
            child.wait()
    print("signals", start("-new_user=anaconda").wait(60))
elif way == "folder":
    # A working folder shared with another process, which could change it under a program of root's.
    stack = ctypes.create_string_buffer(65536)
    run = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(lambda unused: time.sleep(5) or 0)
    libc.clone(run, ctypes.byref(stack, 65536), 0x200, None)
    os.execv("/startup", ["/startup", "-new_user=shared"])
elif way == "namespace":
    # root of a namespace of its own is not root here.
    if libc.unshare(0x10000000 | 0x20000) != 0:
        print("namespace refused")
    else:
        open("/proc/self/setgroups", "w").write("deny")
        open("/proc/self/uid_map", "w").write("0 %d 1" % int(sys.argv[2]))
        os.makedirs("/tmp/etc", exist_ok=True)
        open("/tmp/etc/passwd", "w").write("root:x:0:0::/:/bin/sh\\nanaconda:x:0:0::/:/bin/sh\\n")
        print("namespace", libc.mount(b"/tmp/etc", b"/etc", None, 4096, None), start("-new_user=own").wait(60))
EOF
chmod a+rX "$T/evil/odd.py"
while IFS='|' read -r text way wanted; do
	attack "90 $text" "/opt/conda/bin/python /evil/odd.py $way 54321"
	is_like "90 $text: what came of it" "$wanted"
done <<'EOF'
mem, environ, ptrace, core files|look|looked 0
stopped in the middle, then killed|stopped|stopped 0
locks held by the caller|locks|locks True 0
each signal, in the middle|signals|signals 0
EOF
attack "90 a working folder that another process shares" '/opt/conda/bin/python /evil/odd.py folder'
ended "90 it gets no rights then" 3
# A namespace of the caller's own, where the engine lets one be made.
kept=$container
container=cda-space-$$
docker run -d --name "$container" --label "$label" -u 54321:anaconda --security-opt seccomp=unconfined \
	--security-opt apparmor=unconfined -v "$T/evil:/evil:ro" "$IMAGE" sh -c 'echo started; exec tail -f /dev/null' >/dev/null 2>"$T/err"
wait_for_start 1
watch_files
attack "90 a user namespace with an /etc of the caller's" '/opt/conda/bin/python /evil/odd.py namespace 54321'
is_like "90 a user namespace: it changes nothing" "namespace*"
down
container=$kept
watch_files
for limit in fsize=0 nofile=3:3 core=0; do
	docker_run --ulimit $limit "$IMAGE" true
	[ "$status" -le 126 ]
	result $? "90 a start with --ulimit $limit ends by itself"
done
docker_run --ulimit fsize=0 "$IMAGE" true
ended "90 with fsize=0 the command runs" 0

# ---- 93: arguments and environment of odd form
attack "93 an environment of a megabyte" '/opt/conda/bin/python - <<EOF
import os
many = {f"V{n}": "x" * 100000 for n in range(12)}
os.spawnve(os.P_WAIT, "/startup", ["/startup"], many)
os.spawnve(os.P_WAIT, "/startup", ["/startup", "-new_home=/etc"], dict(many, APT_REQUIREMENTS="/" + "x" * 120000))
EOF'
attack "93 no arguments at all, or odd ones" '/opt/conda/bin/python - <<EOF
import ctypes, os
libc = ctypes.CDLL(None)
def run(*words):
    child = os.fork()
    if child == 0:
        argv = (ctypes.c_char_p * (len(words) + 1))(*words, None)
        libc.execve(b"/startup", argv, (ctypes.c_char_p * 1)(None))
        os._exit(9)
    return os.waitpid(child, 0)[1]
for words in [(), (b"",), (b"-new_uid=0",), (b"\xff" * 5000,), (b"/etc/passwd", b""), (b"x", b"-"), (b"x", b"--"), (b"x", b"=", b"-=")]:
    status = run(*words)
    assert not os.WIFSIGNALED(status), words
EOF'
ended "93 no signal ends it" 0

# ---- 94: the policy
while IFS='|' read -r text change; do
	docker exec -u 0 "$container" sh -c "cp -p /etc/condense/policy /tmp/policy.kept; $change"
	watch_files
	refuses "94 $text"
	docker exec -u 0 "$container" sh -c 'rm -f /etc/condense/policy; cp -p /tmp/policy.kept /etc/condense/policy; rm /tmp/policy.kept'
done <<'EOF'
a policy that others can write|chmod 666 /etc/condense/policy
a policy that the group can write|chmod 664 /etc/condense/policy
a policy of another owner|chown 54321 /etc/condense/policy
a policy that names root|echo account root >/etc/condense/policy
a policy that does not parse|echo packages everything >/etc/condense/policy
EOF
watch_files
attack "94 the user cannot write where it lies" '
	echo account root >/etc/condense/policy; rm -f /etc/condense/policy; mv /etc/condense /tmp/
	echo name root >/var/lib/condense/account; echo x >/var/lib/condense/life; rm -rf /var/lib/condense; true'
in_container -u 54321:anaconda "$container" /startup
ended "94 the image's own policy is accepted" 0
down

# ---- 91: a disk that is full at one write after the other. The folder of the account files, and that
# of the state, are a file system of 64 pages with room for 0, 1, 2 ... more.
full='rm -f "$1/fill"; free=$(df -k "$1" | awk "END { print \$4 }"); free=$((free / 4 - $2))
[ "$free" -le 0 ] || dd if=/dev/zero of="$1/fill" bs=4096 count="$free" 2>/dev/null; true'
whole='for file in '$files'; do
	[ "$(tail -c 1 $file | od -An -tx1 | tr -d " ")" = 0a ] || exit 1
	[ "$(grep -c "^root:" $file)" -eq 1 ] && [ "$(grep -c "^anaconda:" $file)" -eq 1 ] || exit 1
done
for file in passwd group; do
	[ "$(grep -vc ":54321:\|:3000:" /etc/$file)" = "$(grep -vc ":54321:\|:3000:" /kept/$file)" ] || exit 1
done'
for folder in /etc /var/lib/condense; do
	container=cda-full-$$
	volume=cda-full-$$
	docker volume create --label "$label" "$volume" >/dev/null
	docker run --rm --label "$label" -u 0 -v "$volume:$folder" --entrypoint true "$IMAGE"
	docker run -d --name "$container" --label "$label" -u 0 --tmpfs "$folder:size=4m,mode=755" \
		-v "$volume:/given:ro" --entrypoint sh "$IMAGE" -c "cp -a /given/. $folder/ 2>/dev/null; mkdir /kept;
			cp /etc/passwd /etc/group /kept/; echo started; exec tail -f /dev/null" >/dev/null 2>"$T/err"
	wait_for_start 1
	bad=0
	for room in 0 1 2 3 4 5 6 7 8; do
		docker exec -u 0 "$container" sh -c "$full" sh "$folder" "$room"
		in_container -u 54321:anaconda "$container" /startup -new_user=full$room
		docker exec -u 0 "$container" sh -c "$whole" >"$T/out" 2>&1 || bad=1
	done
	result "$bad" "91 a full disk at $folder: the files are whole each time"
	docker exec -u 0 "$container" rm -f "$folder/fill"
	in_container -u 54321:anaconda "$container" /startup -new_user=after
	in_container -u 54321:anaconda "$container" id -un
	is "91 $folder: with room again it works" after
	down
	docker volume rm "$volume" >/dev/null
done

# ---- 92: root, with what the user prepared
container=cda-root-$$
flags="-u 54321:anaconda"
up root
in_container -u 54321:anaconda "$container" sh -c '
	for rc in ~/.bashrc ~/.profile ~/.bash_profile ~/.ashrc ~/.shrc ~/.condarc ~/.inputrc; do
		echo "id -u >>/tmp/ran.uid" >$rc; done
	mkdir -p ~/.local/bin /opt/conda/etc/conda/activate.d
	for place in ~/.local/bin /opt/conda/bin; do for name in id ls cat grep mount whoami; do
		printf "#!/bin/sh\n/usr/bin/id -u >>/tmp/ran.uid\n/bin/true\n" >$place/$name; chmod 755 $place/$name; done; done
	echo "/usr/bin/id -u >>/tmp/ran.uid" >/opt/conda/etc/conda/activate.d/evil.sh
	touch /tmp/ran.uid; chmod 666 /tmp/ran.uid'
for words in "/entrypoint.sh id -u" "/entrypoint.sh sh -c 'id -u; ls /; cat /etc/issue'" "sh -ic 'id -u'" \
	"sh -lc 'id -u'" "bash -ic 'id -u'" "bash -lc 'id -u'"; do
	case $words in bash*) [ "$image_shell" = bash ] || continue ;; esac
	docker exec -u 0 "$container" sh -c ': >/tmp/ran.uid'
	eval "in_container -u 0 \"\$container\" $words"
	docker exec -u 0 "$container" cat /tmp/ran.uid >"$T/ran" 2>/dev/null
	! grep -qx 0 "$T/ran"
	result $? "92 as root: $words runs nothing of the user's"
done
down
finish
