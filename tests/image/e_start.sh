#!/bin/sh
# Section E at the one moment when root's apt or apk really runs: the start. What the caller gives in
# the environment, by a first process of its own, or while it goes on: the list is installed all the
# same or refused with a line, nothing of the caller's runs as root, the account files stay.
# Each attack has a control, in which the same things meet a program of root's that obeys them.
# shellcheck disable=SC2016,SC2086 # scripts for the container; words
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"
command -v "${CC:-cc}" >/dev/null 2>&1 || {
	skip "76-94 attacks at the start" "no C compiler for the library of the attacker's"
	finish
}

# ---- the attacker's things: all under a name that is nowhere else
evil=$T/evilmark
mkdir -p "$evil"
cat >"$evil/program" <<'EOF'
#!/bin/sh
/usr/bin/id -u >>/tmp/ran.uid
EOF
for name in mv apt apt-get apt-cache apk paste dpkg id cp chown rm tar grep ldconfig; do
	cp "$evil/program" "$evil/$name"
done
"${CC:-cc}" -shared -nostdlib -fPIC -O1 -fno-stack-protector -o "$evil/e.so" "$tests/evil.c" ||
	exit 1
cat >"$evil/evilmark.pm" <<'EOF'
package evilmark;
if (open(my $f, '>>', '/tmp/ran.uid')) { print $f "$>\n"; close $f }
1;
EOF
cat >"$evil/apt.conf" <<'EOF'
APT::Update::Pre-Invoke { "/evilmark/program"; };
DPkg::Pre-Invoke { "/evilmark/program"; };
EOF
# What root looks with, in the middle of its package manager's work: the environment of each of
# root's processes; and programs that obey the environment as maintainer scripts do.
cat >"$T/watch" <<'EOF'
#!/bin/sh
for process in /proc/[0-9]*; do
	case $(sed -n 's/^Uid:\t//p' $process/status 2>/dev/null) in
	"0	0	0	0") tr '\0' '\n' <$process/environ ;;
	esac
done >>/watched 2>/dev/null
mv --help
perl -e 1
bash -c :
exit 0
EOF
cat >"$T/hook.conf" <<'EOF'
DPkg::Pre-Invoke { "/watch >/dev/null 2>&1"; };
EOF
chmod -R a+rX "$T"
chmod a+x "$evil"/* "$T/watch"
case $os in
apt) hook="-v $T/hook.conf:/etc/apt/apt.conf.d/98watch:ro" ;;
*) hook="-v $T/watch:/etc/apk/commit_hooks.d/watch:ro" ;;
esac
list os.txt 'jq\n'
serve ""
use_mirror
given="-v $evil:/evilmark:ro -v $T/watch:/watch:ro $hook $from_mirror"
files="/etc/passwd /etc/shadow /etc/group"
[ "$DISTRO" != debian ] || files="$files /etc/gshadow"
docker run --rm --label "$label" -u 0 --entrypoint cat "$IMAGE" $files >"$T/before" 2>"$T/err"

# What the container has now, without a program in it, which would get the same environment.
peek()
{
	docker cp "$container:$1" - 2>/dev/null | tar -xO 2>/dev/null
}

same_accounts()
{
	for file in $files; do
		peek "$file"
	done >"$T/after"
	cmp -s "$T/before" "$T/after"
}

# Nothing of the caller's ran as root, and root's programs had none of the words of $1.
harmless()
{
	peek /tmp/ran.uid >"$T/ran"
	peek /watched >"$T/watched"
	bad=
	! grep -qx 0 "$T/ran" || bad="a program of the caller ran as root;"
	for word in $1; do
		! grep -qxF -- "$word" "$T/watched" || bad="$bad root had $word;"
	done
	same_accounts || bad="$bad an account file changed"
	[ -z "$bad" ] || echo "# $bad"
	[ -z "$bad" ]
}

installed()
{
	in_container "$container" jq --version
	[ "$status" -eq 0 ]
}

# The control: root's own shell with that environment. Either root's programs have each word, or
# something of the caller's runs as root.
obeyed()
{
	docker run --rm --network none --label "$label" -u 0 $2 $given --entrypoint /bin/sh "$IMAGE" -c '
		/watch >/dev/null 2>&1
		[ ! -x /usr/bin/apt-get ] || /usr/bin/apt-get -o Acquire::Retries=0 update >/dev/null 2>&1
		/bin/cat /watched /tmp/ran.uid' >"$T/out" 2>"$T/err"
	seen=yes
	for word in $1; do
		grep -qxF -- "$word" "$T/out" || seen=no
	done
	[ $seen = yes ] || grep -qx 0 "$T/out"
}

# ---- 76-78: the environment of the start. First each row's control, then two starts with all.
everything=
while IFS='|' read -r text runs words; do
	flags_of=
	for word in $words; do
		flags_of="$flags_of -e $word"
	done
	case $text in *PATH\ alone) ;; *) everything="$everything $words" ;; esac
	obeyed "$words" "$flags_of" && { [ "$runs" != "$os" ] || grep -qx 0 "$T/out"; }
	result $? "$text: root that obeyed it would be caught"
done <<'EOF'
76 PATH alone|apt|PATH=/evilmark:/usr/local/bin:/usr/bin:/bin
77 LD_PRELOAD, LD_AUDIT|apt|LD_PRELOAD=/evilmark/e.so LD_AUDIT=/evilmark/e.so
77 LD_LIBRARY_PATH, GCONV_PATH, LOCPATH, NLSPATH|no|LD_LIBRARY_PATH=/evilmark GCONV_PATH=/evilmark LOCPATH=/evilmark NLSPATH=/evilmark/%N
77 MALLOC_*, GLIBC_TUNABLES|no|MALLOC_CHECK_=3 MALLOC_TRACE=/evilmark/x MALLOC_PERTURB_=7 GLIBC_TUNABLES=glibc.malloc.check=3
78 APT_CONFIG|apt|APT_CONFIG=/evilmark/apt.conf
78 DPKG_*, DEBCONF_*|no|DPKG_ROOT=/evilmark DPKG_ADMINDIR=/evilmark DPKG_MAINTSCRIPT_PACKAGE=evilmark DEBCONF_DB_OVERRIDE=File{/etc/passwd} DEBIAN_FRONTEND=/evilmark/program DEBIAN_PRIORITY=evilmark
78 proxies|no|http_proxy=http://127.0.0.1:9/evilmark https_proxy=http://127.0.0.1:9/evilmark ftp_proxy=http://127.0.0.1:9/ ALL_PROXY=http://127.0.0.1:9/evilmark no_proxy=evilmark
78 PERL5LIB, PERL5OPT|apt|PERL5LIB=/evilmark PERL5OPT=-Mevilmark
78 BASH_ENV, ENV, SHELLOPTS, CDPATH|apt|BASH_ENV=/evilmark/program ENV=/evilmark/program PS4=evilmark CDPATH=/evilmark
78 PYTHONPATH, TMPDIR, HOME, SSL_CERT_FILE|no|PYTHONPATH=/evilmark PYTHONSTARTUP=/evilmark/program TMPDIR=/evilmark HOME=/evilmark SSL_CERT_FILE=/evilmark/program SSL_CERT_DIR=/evilmark CURL_CA_BUNDLE=/evilmark OPENSSL_CONF=/evilmark/openssl.cnf
EOF

starts()
{
	flags_of=
	for word in $2; do
		flags_of="$flags_of -e $word"
	done
	up start $given -v "$T/os.txt:$os_list:ro" $flags_of
	result $? "$1: the start goes on"
	installed
	result $? "$1: the list is installed"
	harmless "$2"
	result $? "$1: nothing of it reaches root"
	[ -s "$T/watched" ]
	result $? "$1: root did look"
	down
}
starts "76 a PATH of the caller's at the start" "PATH=/evilmark:/usr/local/bin:/usr/bin:/bin"
starts "77, 78 all of the above at the start" "$everything"

# ---- the same, and what else a process hands on, from a first process of the caller's own
cat >"$evil/first" <<'EOF'
#!/bin/sh
case $1 in
entry) set -- /usr/lib/condense/entry /entrypoint.sh true ;;
alone) set -- /startup ;;
parts) /startup -only=identity; set -- /startup -only=packages ;;
closed) /startup <&- >&- 2>&-; set -- /bin/true ;;
odd) set -- /opt/conda/bin/python /evilmark/odd.py ;;
esac
"$@"
echo "its status: $?"
rm -f /tmp/list
echo started
exec tail -f /dev/null
EOF
cat >"$evil/odd.py" <<'EOF'
import ctypes, os, resource, signal
libc = ctypes.CDLL(None, use_errno=True)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
libc.personality(0x20008)
os.umask(0)
os.nice(19)
for fd in range(3, 20):
    os.dup2(0, fd, inheritable=True)
resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
libc.prctl(36, 1, 0, 0, 0)
child = os.fork()
if child == 0:
    libc.prctl(1, signal.SIGKILL, 0, 0, 0)
    os.execv("/startup", ["/startup"])
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
print("odd", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
EOF
chmod -R a+rX "$T"
chmod a+x "$evil/first"
flags_of=
for word in $everything; do
	flags_of="$flags_of -e $word"
done
first()
{
	text=$1
	way=$2
	shift 2
	container=cda-first-$$
	docker run -d --name "$container" --network host --label "$label" $given \
		-v "$T/os.txt:$os_list:ro" "$@" --entrypoint /evilmark/first "$IMAGE" "$way" \
		>/dev/null 2>"$T/err"
	wait_for_start 1
	result $? "$text: goes on to its end"
	docker logs "$container" >"$T/out" 2>"$T/err"
}
while IFS='|' read -r text way wanted; do
	first "$text" "$way" $flags_of
	grep -qxF "$wanted" "$T/out"
	result $? "$text: $wanted"
	installed
	result $? "$text: the list is installed"
	harmless "$everything"
	result $? "$text: nothing of it reaches root"
	[ -s "$T/watched" ]
	result $? "$text: root did look"
	[ "$way" != odd ] || {
		in_container -u 0 "$container" sh -c '[ -z "$(find /usr /etc /var -xdev -type f -perm -2 2>/dev/null)" ]'
		ended "$text: and no file of root's is writable for all" 0
	}
	down
done <<'EOF'
76-78 entry by another first process|entry|its status: 0
76-78 /startup by another first process|alone|its status: 0
76-78 /startup in its two parts|parts|its status: 0
90 closed descriptors at the start|closed|its status: 0
90 ignored and blocked signals, another machine, umask 0|odd|odd 0
EOF

# ---- 81: where the lists of packages were fetched, a name that is none is known for what it is
for word in 'a.+' 'j.q' 'libc6.'; do
	list pattern.txt "$word\n"
	docker_run $given -v "$T/pattern.txt:$os_list:ro" "$IMAGE" echo started
	[ "$status" -eq 1 ] && ! grep -q started "$T/out" && case $os,$word in
	apt,libc6. | apk,a.+x)
		grep -qxF "condense: '$os_list' line 1: not the name of a package; nothing is installed" "$T/err" ;;
	*) grep -qxF "condense: '$os_list' line 1: there is no package '$word'" "$T/err" ;;
	esac
	result $? "81 a regular expression, $word: there is no such package"
done
finish
