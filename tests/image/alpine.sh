#!/bin/sh
# What is Alpine's alone: Debian's glibc beside musl, and apk with its own rules.
# shellcheck disable=SC2016,SC2086 # scripts for the container; words
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"
if [ "$DISTRO" != alpine ]; then
	echo "1..0 # SKIP the image is not Alpine's"
	exit 0
fi
serve
use_mirror

# ---- glibc is where programs and installers look for it
run '/lib64/ld-linux-x86-64.so.2 --version | head -n 1'
is_like "2 the loader of glibc" "ld.so (Debian GLIBC 2.*) stable release version 2.*."
glibc=$(sed 's/.* \([0-9.]*\)\.$/\1/' "$T/out")
# The two searches of Miniconda's installers on a system whose ldd is musl's.
run 'ldd --version 2>&1 | grep -q musl && echo musl
	$(find /lib/ /lib64/ -name "ld-linux-*.so*" 2>/dev/null | head -n 1) --version |
		awk "NR == 1 { sub(/[.]\$/, \"\", \$NF); print \$NF }"'
is "2 an older installer finds a glibc" "musl
$glibc"
run 'libc=$(find /lib /usr/local/lib /usr/lib -name "libc.so.*" -print -quit 2>/dev/null)
	$libc --version | awk "NR == 1 { sub(/[.]\$/, \"\", \$NF); print \$NF }"
	find /lib /usr/local/lib /usr/lib -name "libc.so.*" | wc -l
	find /lib/ /lib64/ -name "ld-linux-*.so*" | wc -l'
is "2 a newer one too, and there is but one" "$glibc
1
1"
run 'conda info | grep -o "__glibc=[0-9.]*"; python -c "import os; print(os.confstr(\"CS_GNU_LIBC_VERSION\"))"'
is "2 conda and Python know it" "__glibc=$glibc
glibc $glibc"
run 'python -c "
import ctypes
for name in \"libc.so.6 libm.so.6 libmvec.so.1 libdl.so.2 libpthread.so.0 librt.so.1 libutil.so.1 \" \\
        \"libresolv.so.2 libgcc_s.so.1 libstdc++.so.6\".split():
    ctypes.CDLL(name)
print(\"all\")"'
is "3 the libraries that wheels count on" all
run 'python -c "
import ctypes
libc = ctypes.CDLL(None)
thread = ctypes.c_ulong()
libc.pthread_create(ctypes.byref(thread), None, libc.pthread_exit, None)
libc.pthread_join(thread, None)
print(\"ended\")"'
is "3 a thread can be ended, which needs libgcc" ended

# ---- names, terminals, character sets
run 'python -c "
import grp, os, pwd, socket
print(pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name)
print(socket.gethostbyname(\"localhost\"), socket.getservbyname(\"https\"))
print(sorted(p.pw_name for p in pwd.getpwall() if p.pw_uid in (0, os.getuid())))"'
is "7 glibc reads accounts, hosts and services" "anaconda anaconda
127.0.0.1 443
['anaconda', 'root']"
run --add-host example.test:192.0.2.7 'python -c "import socket; print(socket.gethostbyname(\"example.test\"))"'
is "7 and /etc/hosts of the container" 192.0.2.7
run 'for term in xterm xterm-256color screen tmux-256color linux vt100 dumb; do
		TERM=$term python -c "import curses; curses.setupterm(fd=1)" || echo "no $term"
	done'
is "3 terminals are known" ""
run 'python -c "
import ctypes
libc = ctypes.CDLL(None)
libc.iconv_open.restype = ctypes.c_void_p
for name in b\"UTF-8\", b\"ISO-8859-1\", b\"ISO-8859-15\", b\"CP1252\", b\"UTF-16\", b\"UTF-32\":
    if libc.iconv_open(name, b\"UTF-8\") == ctypes.c_void_p(-1).value:
        print(name)"'
is "3 the common character sets are known" ""

# ---- what came from Debian is on record; the module for names there is the image's own
run 'cd / && cat var/lib/dpkg/status.d/*.md5sums | md5sum -c | grep -v ": OK$"
	sed -n "s/^Package: //p" var/lib/dpkg/status.d/*[!s]
	find lib64 lib/x86_64-linux-gnu usr/lib/x86_64-linux-gnu -type f ! -name "libnss_condense*" | while read -r file; do
		grep -q "  $file$" var/lib/dpkg/status.d/*.md5sums || echo "nobody has $file"
	done'
is "3 Debian's files are those of its records" "libc-bin
libc6
libgcc-s1
libstdc++6
ncurses-base"

# ---- musl is as it was
run 'echo "LD_LIBRARY_PATH=${LD_LIBRARY_PATH-unset}"; apk --version | cut -d " " -f 1; busybox true && echo busybox
	getent passwd anaconda | cut -d : -f 1; ssl_client 2>&1 | head -n 1 | cut -c 1-5'
is_like "2 programs of musl run" "LD_LIBRARY_PATH=unset
apk-tools
busybox
anaconda
*"
docker run --rm --label "$label" --entrypoint sh "$base" -c \
	'cd / && find lib usr/lib sbin bin usr/bin usr/sbin etc/apk -type f -exec sha256sum {} + | sort' \
	>"$T/before" 2>/dev/null
docker run --rm --label "$label" -u 0 -v "$T/before:/before:ro" --entrypoint sh "$IMAGE" -c \
	'cd / && sha256sum -c /before | grep -v ": OK\$"; grep -c . /before | grep -qx "[1-9].*" && echo same' \
	>"$T/out" 2>"$T/err"
status=$?
is "2 each program and library of the base is as it was" same
run 'apk audit --system 2>/dev/null | grep -E "^[UX] " | grep -vE " etc/(passwd|group|shadow|hosts|hostname)$"'
[ ! -s "$T/out" ]
result $? "2 apk misses nothing and finds nothing changed but the accounts"
docker run --rm --label "$label" -u 0 --network none --entrypoint sh "$IMAGE" -c \
	'ldconfig; ldconfig /usr/lib /lib && busybox true && apk --version >/dev/null && python -V' >"$T/out" 2>"$T/err"
status=$?
is_like "2 ldconfig of the distribution harms nobody" "Python $PY_VER.*"
run 'ldd /bin/busybox | grep -c musl; python -c "
import subprocess
print(subprocess.run([\"busybox\", \"echo\", \"from glibc\"], capture_output=True, text=True).stdout)"'
is "2 programs of both call each other" "2
from glibc"

# ---- apk lists: file, exit status of the start (0 or not), what it says, what is then in the image
while IFS='|' read -r text want list said says script; do
	list case.txt "$list"
	run $from_mirror -v "$T/case.txt:$os_list:ro" "$script"
	if [ "$want" = 0 ]; then
		is "61 $text" "$(printf '%b' "$says")"
	else
		[ "$status" -ne 0 ] && [ ! -s "$T/out" ]
		result $? "63 $text"
	fi
	[ -z "$said" ] || said "63 $text: it says so" "$said"
done <<'EOF'
a dependency comes along|0|jq||jq 1.7.1-r0\noniguruma 6.9.9-r0|jq; oniguruma
a version|0|jq=1.6-r0||jq 1.6-r0|jq
a version below|0|jq<1.7||jq 1.6-r0|jq
a version at least|0|jq>=1.7||jq 1.7.1-r0|jq
a version like|0|jq~1.6||jq 1.6-r0|jq
BOM, CR, comments, several a line, no newline|0|\0357\0273\0277# a\r\n\r\ntree  less # b\r\n\tjq||tree 2.1.1-r0\nless 643-r2\njq 1.7.1-r0|tree; less; jq
comments alone|0|# jq\n\n#tree\n||none|command -v jq || echo none
one that is there already|0|busybox||fine|echo fine
a version that does not exist|1|tree\njq=9|line 2: 'jq=9' is not installed: unable to select packages: jq-1.7.1-r0: breaks: world.jq=9.||echo started
a name that does not exist|1|jq\n\nno-such-package-at-all|line 3: there is no package 'no-such-package-at-all'||echo started
a name in capitals|1|JQ|line 1: there is no package 'JQ'||echo started
a name that another package provides|1|json-tool|line 1: there is no package 'json-tool'||echo started
two that conflict|1|tree\nrival|is not installed: unable to select packages||echo started
an option|1|--allow-untrusted\njq|line 1: not the name of a package||echo started
a removal|1|!busybox|line 1: not the name of a package||echo started
a path|1|./jq.apk|line 1: not the name of a package||echo started
a file|1|jq.apk|line 1: not the name of a package||echo started
a repository's tag|1|jq@edge|line 1: not the name of a package||echo started
a pattern|1|j*|line 1: not the name of a package||echo started
EOF

# What is there is neither removed nor replaced by an older one.
mkdir -p "$T/context"
cp -R "$T/mirror" "$T/context/"
image with_jq <<EOF
FROM $IMAGE
USER root
COPY mirror/ /
RUN apk add jq && rm -f /var/cache/apk/*
USER anaconda:anaconda
EOF
result "$status" "82 an image with a package of its own"
while read -r name does; do
	list older.txt "$name\n"
	docker_run -v "$T/older.txt:$os_list:ro" "$tag" sh -c 'echo started'
	[ "$status" -ne 0 ] && [ ! -s "$T/out" ]
	result $? "82 '$name' wants an older one: refused"
	said "82 '$name': it says so" \
		"would $does what is there: Downgrading jq (1.7.1-r0 -> 1.6-r0)"
	docker_run -e CONDENSE_ON_ERROR=continue -v "$T/older.txt:$os_list:ro" "$tag" jq
	is "82 '$name': nothing is changed" "jq 1.7.1-r0"
done <<'EOF'
jq=1.6-r0 replace
needs-old remove
EOF

# Scripts of packages run as root, with nothing of the caller's.
list witness.txt 'witness\n'
run $from_mirror -e MARK=caller -e LD_LIBRARY_PATH=/tmp -e APK_CONFIG=/tmp/x \
	-v "$T/witness.txt:$os_list:ro" 'head -n 3 /etc/witness; grep -c -e MARK -e LD_ -e APK_ /etc/witness'
[ "$(cat "$T/out")" = "0
0
0022
0" ]
result $? "77 a package's script sees nothing of the caller's environment"

# ---- what a mirror can do
list jq.txt 'jq\n'
mkdir -p "$T/wrong"
echo http://127.0.0.1:1/alpine >"$T/wrong/refused"
echo "$url/nothing" >"$T/wrong/missing"
echo "$url/alpine" >"$T/wrong/untrusted"
while IFS='|' read -r file text says; do
	run -v "$T/wrong/$file:/etc/apk/repositories:ro" -v "$T/jq.txt:$os_list:ro" 'echo started'
	[ "$status" -ne 0 ] && [ ! -s "$T/out" ]
	result $? "63 $text"
	said "63 $text: it says so" "^condense: .*$says"
done <<'EOF'
refused|a mirror that does not answer|could not connect to server
missing|a mirror without packages|No such file or directory
untrusted|a mirror with an unknown key|UNTRUSTED signature
EOF
run -v "$T/wrong/refused:/etc/apk/repositories:ro" -v "$T/jq.txt:$os_list:ro" \
	-e CONDENSE_ON_ERROR=continue 'echo started; ls /var/cache/apk'
is "44 a failed start leaves no cache" started
said "64 what may pass is tried again" "trying again in"

# Debian's list is not for apk.
run $from_mirror -v "$T/jq.txt:/tmp/apt_requirements.txt:ro" 'command -v jq || echo none'
is "35 a list for apt is none for apk" none
finish
