#!/bin/sh
# startup as a setuid program in a small root of its own: what it gives, and what it refuses.
# shellcheck disable=SC2317 # functions run through check
set -u
# shellcheck source=tests/runtime/root.sh
. "$SOURCE_ROOT/tests/runtime/root.sh"

# ---- what it gives
keep
check "the image's own uid: nothing changes" [ "$status" = 0 ]
check "... and no file is touched" same

restart
as 1234:3000
check "another uid gets the account" [ "$status" = 0 ]
check "... in passwd" has etc/passwd 'anaconda:x:1234:3000:Developer,,,:/home/anaconda:/bin/bash'
check "... and the home" owner home/anaconda 1234
check "... nothing is left beside the files" [ -z "$(find "$root/etc" -name '.*.condense')" ]
check "... the mode stays" [ "$(stat -c %a:%u:%g "$root/etc/passwd")" = 644:0:0 ]
keep
as 4294967294:3000
check "refused: another uid in the same life" refused
as 1234:3000
check "the same uid again" [ "$status" = 0 ]
check "... changes nothing" same
restart
as 4294967294:3000
check "after a restart: again with another uid, up to the last" has etc/passwd \
	'anaconda:x:4294967294:3000:Developer,,,:/home/anaconda:/bin/bash'

restart
as 1:1
as 1234:3000
check "a first caller with an account of its own keeps nobody from this one" owner home/anaconda 1234
keep
as 1235:1235
check "89 refused: the second who takes it in one life, though neither was the first caller" refused
check "... the home stays as well" owner home/anaconda 1234
as 1234:3000
check "... its owner may ask again" [ "$status" = 0 ]
restart
as 1235:3000
check "... after a restart another may" owner home/anaconda 1235

fresh
as 1234:3000 -user=anaconda -new_uid=1234 -new_gid=3000 -new_user=dja -new_home=/home/anaconda
check "a new name" has etc/passwd 'dja:x:1234:3000:Developer,,,:/home/dja:/bin/bash'
check "... the image's name stays" has etc/passwd \
	'anaconda:x:1234:3000:Developer,,,:/home/anaconda:/bin/bash'
check "... in shadow" has etc/shadow 'dja:!:1:0:99999:7:::'
check "... the modes stay" [ "$(stat -c %a:%u:%g "$root/etc/shadow")" = 640:0:0 ]
check "... in the lists of members" has etc/group 'docker:x:99:dja,anaconda'
check "... its home is a link" [ "$(readlink "$root/home/dja")" = /home/anaconda ]
check "... noted for later" has var/lib/condense/account 'name dja'
if command -v pwck >/dev/null 2>&1; then
	mkdir -p "$root/bin" "$root/usr/sbin"
	: >"$root/bin/bash"
	: >"$root/usr/sbin/nologin"
	chmod 755 "$root/bin/bash" "$root/usr/sbin/nologin"
	check "... pwck finds nothing" pwck -q -r -R "$root"
	check "... grpck finds nothing" grpck -r -R "$root"
fi
as 1234:3000 -new_home=/etc
check "a home of somebody else's is refused, with the next step" \
	grep -q "'/etc' belongs to somebody else: name a folder of uid 1234's" "$T/err"
as 1234:3000 -new_home=home/dja
check "... one that is no path, too" grep -q "not a plain absolute path, as '/home/NAME' is" "$T/err"
as 1234:3000 -user=dja
check "the new name may be said as the account" [ "$status" = 0 ]
check "... and it stays" has var/lib/condense/account 'name dja'
as 1234:3000 -new_user=bob
check "another name takes its place" [ "$(grep -c '^dja' "$root/etc/passwd")" = 0 ]
as 1234:3000 -new_user=anaconda
check "and back" [ "$(grep -c :1234: "$root/etc/passwd")" = 1 ]

fresh
mkdir -p "$root/home/anaconda/.cache/pip" "$root/home/anaconda/data"
echo text >"$root/home/anaconda/data/file"
echo other >"$root/home/anaconda/.condarc"
chown -R 3000:3000 "$root/home/anaconda"
as 1234:3000 -new_home=/home/.anaconda
check "the home moves" [ "$(cat "$root/home/.anaconda/data/file" 2>/dev/null)" = text ]
check "... and leaves a link" [ "$(readlink "$root/home/anaconda")" = /home/.anaconda ]
check "... its top belongs to the caller" owner home/.anaconda/.cache 1234
check "... .condarc too" owner home/.anaconda/.condarc 1234
check "... the rest is left" owner home/.anaconda/.cache/pip 3000
as 1234:3000 -new_home=/home/anaconda
check "the link's name is no new home" [ "$(readlink "$root/home/anaconda")" = /home/.anaconda ]
as 1234:3000 -new_home=/home/.anaconda
check "a second time is quiet" [ "$status" = 0 ]

# ---- mounts below the home
fresh
mkdir -p "$root/home/anaconda/data" "$T/volume"
echo precious >"$T/volume/file"
chown -R 3000:3000 "$root/home/anaconda" "$T/volume"
(cd "$T" && find volume -printf '%p %U %m %s\n') >"$T/volume.before"
BIND=$T/volume AT=/home/anaconda/data
export BIND AT
as 1234:3000 -new_home=/home/.anaconda
unset BIND AT
check "a volume below the home stays untouched" \
	[ "$(cd "$T" && find volume -printf '%p %U %m %s\n')" = "$(cat "$T/volume.before")" ]
check "... and the new home leads to the old" [ "$(readlink "$root/home/.anaconda")" = /home/anaconda ]

# What an engine makes on the way to a mount: root's folders that hold nothing else.
fresh
echo text >"$root/home/anaconda/file"
chown 3000:3000 "$root/home/anaconda/file"
mkdir -p "$root/home/dja/work"
BIND=$T/volume AT=/home/dja/work
export BIND AT
as 1234:3000 -new_user=dja
unset BIND AT
check "a folder of the new name that leads to a mount becomes the home" \
	[ "$status:$(stat -c %u "$root/home/dja")" = 0:1234 ]
check "... with what the home held" [ "$(cat "$root/home/dja/file" 2>/dev/null)" = text ]
check "... passwd says so" has etc/passwd 'dja:x:1234:3000:Developer,,,:/home/dja:/bin/bash'
check "... the old path leads there" [ "$(readlink "$root/home/anaconda")" = /home/dja ]
check "... the volume stays untouched" \
	[ "$(cd "$T" && find volume -printf '%p %U %m %s\n')" = "$(cat "$T/volume.before")" ]
fresh
echo text >"$root/home/anaconda/file"
chown 3000:3000 "$root/home/anaconda/file"
mkdir -p "$root/home/q/work"
BIND=$T/volume AT=/home/q/work
export BIND AT
as 1234:3000 -new_home=/home/q
unset BIND AT
check "so does a wanted home" \
	[ "$status:$(stat -c %u "$root/home/q"):$(cat "$root/home/q/file" 2>/dev/null)" = 0:1234:text ]
fresh
keep
mkdir -p "$root/home/q/work" "$root/home/q/other"
BIND=$T/volume AT=/home/q/work
export BIND AT
as 1234:3000 -new_home=/home/q
unset BIND AT
check "refused: one where root has more than the mount" refused
check "... and it stays root's" owner home/q 0
NO_PROC=1
export NO_PROC
as 1234:3000 -new_home=/home/q
unset NO_PROC
# A sanitizer says something of its own without /proc.
[ -n "${CHECKED-}" ] || check "refused: one where mounts cannot be known" refused
fresh
mkdir -p "$T/fresh/lost+found"
BIND=$T/fresh AT=/home/anaconda
export BIND AT
as 1234:3000
unset BIND AT
check "a new file system of root's as home is given away" \
	[ "$status:$(stat -c %u "$T/fresh" "$T/fresh/lost+found" | tr '\n' :)" = 0:1234:0: ]

# ---- what it refuses, each with one line and nothing changed
while IFS='|' read -r text arguments; do
	fresh
	keep
	# shellcheck disable=SC2086 # words
	as 1234:3000 $arguments
	check "refused: $text" refused
done <<'EOF'
uid 0|-new_uid=0
another uid|-new_uid=1235
uid -1|-new_uid=-1
the last uid and more|-new_uid=4294967296
another gid|-new_gid=0
account root|-user=root
account daemon|-user=daemon
a pattern|-user=anacond.
the name of another account|-new_user=daemon
a name with a colon|-new_user=a:b
a path as a name|-new_user=../etc/x
a capital letter|-new_user=Bob
root's folder as home|-new_home=/root
/etc as home|-new_home=/etc
/ as home|-new_home=/
a relative home|-new_home=home
a home with ..|-new_home=/home/../etc
a home with a colon|-new_home=/home/a:b
a home in nowhere|-new_home=/nowhere/x
an unknown option|-shell=/bin/sh
no option|anaconda
EOF

fresh
echo 'admins:x:27:boss' >>"$root/etc/group"
keep
as 1234:3000 -new_user=boss
check "88 refused: a name that is a group's member" refused
fresh
echo 'deploy:100000:65536' >"$root/etc/subuid"
keep
as 1234:3000 -new_user=deploy
check "88 refused: a name that has uids set aside for it" refused
for file in passwd:boss:x:01000:1000::/home/boss:/bin/sh passwd:boss shadow:boss:x group:g:x:7:a,boss:; do
	fresh
	echo "${file#*:}" >>"$root/etc/${file%%:*}"
	keep
	as 1234:3000 -new_user=boss
	check "88 refused: a name that a broken line has: $file" refused
done

fresh
keep
as 1234:3000 "-new_user=a
b::0:0::/:/bin/sh"
check "refused: a newline in a name" refused
ln -s /etc "$root/home/link"
as 1234:3000 -new_home=/home/link
check "refused: a link as home" refused
printf 'account root\n' >"$root/etc/condense/policy"
as 1234:3000
check "refused: a policy that names root" refused
printf 'account anaconda\n' >"$root/etc/condense/policy"
chmod 666 "$root/etc/condense/policy"
as 1234:3000
check "refused: a policy that others can write" refused

fresh
keep
as 1:3000
check "a uid that another account has is not mapped" [ "$status" = 3 ]
check "... nothing changes" same
as 0:0
check "root needs nothing" [ "$status" = 0 ]
check "... nothing changes for root" same

fresh
echo '1234:*:1234:3000:container user:/:/bin/sh' >>"$root/etc/passwd"
as 1234:3000
check "an engine's line for the uid is no account of the image" [ "$status" = 0 ]
check "... the account comes first" [ "$(grep -m 1 :1234: "$root/etc/passwd" | cut -d : -f 1)" = anaconda ]

# ---- capabilities: looked at while it waits for the lock of the account files
fresh
cat >"$T/hold.py" <<'EOF'
import fcntl, os, subprocess, sys, time
root = sys.argv[1]
lock = open(root + "/etc/.pwd.lock", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
child = subprocess.Popen(["chroot", "--userspec=1234:3000", "--groups=", root, "/startup"],
                         stderr=subprocess.DEVNULL)
end = time.monotonic() + 60
while time.monotonic() < end:
    locks = [line.split() for line in open("/proc/locks") if " -> " in line]
    if any(int(words[5]) == child.pid for words in locks):
        break
    time.sleep(0.01)
fields = dict(line.split(":", 1) for line in open(f"/proc/{child.pid}/status"))
lock.close()
child.wait()
print(*(fields[name].strip() for name in ("CapPrm", "CapEff", "CapInh", "Uid")))
EOF
python3 "$T/hold.py" "$root" >"$T/caps" 2>"$T/err"
check "the helper kept CHOWN, DAC_OVERRIDE, FOWNER, SETGID and SETUID alone" \
	[ "$(cut -d ' ' -f 1,2,3 "$T/caps")" = "00000000000000cb 00000000000000cb 0000000000000000" ]

# ---- a lock that somebody keeps
fresh
keep
mkfifo "$T/until"
python3 -c '
import fcntl, sys
lock = open(sys.argv[1], "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()' "$root/etc/.pwd.lock" <"$T/until" >"$T/held" &
exec 9>"$T/until"
until [ -s "$T/held" ]; do sleep 0.1; done
as 1234:3000
check "account files that stay locked: the start says so, and goes on" [ "$status" = 3 ]
check "... in one line" grep -q "pwd.lock.*another program holds it" "$T/err"
check "... and nothing is changed" same
exec 9>&-

# ---- the policy
while IFS='|' read -r text line; do
	fresh
	keep
	printf 'account anaconda\n%s\n' "$line" >"$root/etc/condense/policy"
	as 1234:3000
	check "refused: a policy with $text" refused
done <<'EOF'
an unknown word|shell /bin/sh
an unknown time|packages sometimes
no users|users
a user by name|users anaconda
a range that ends before it begins|users 5-4
a uid that is none|users 4294967296
a relative list|lists apt.txt
a pattern with a star within|names a*b
an option as a name|names --force=x
EOF
for mode in 666 664 602; do
	fresh
	keep
	echo 'account anaconda' >"$root/etc/condense/policy"
	chmod $mode "$root/etc/condense/policy"
	as 1234:3000
	check "94 refused: a policy of mode $mode" refused
done
fresh
keep
echo 'account anaconda' >"$root/etc/condense/policy"
chown 1234 "$root/etc/condense/policy"
as 1234:3000
check "94 refused: a policy of the caller's" refused
rm "$root/etc/condense/policy"
ln -s /tmp/policy "$root/etc/condense/policy"
echo 'account anaconda' >"$root/tmp/policy"
as 1234:3000
check "94 refused: a link as policy" refused
rm "$root/etc/condense/policy"
mkfifo "$root/etc/condense/policy"
as 1234:3000
check "94 refused: a FIFO as policy" refused

# ---- traps laid by the caller
fresh
cp "$root/etc/shadow" "$T/shadow"
ln -s /etc/shadow "$root/home/anaconda/.condarc"
ln -s /etc "$root/home/anaconda/.cache"
ln "$root/etc/group" "$root/home/anaconda/.conda"
as 1234:3000
check "links in the home are not followed" [ "$(stat -c %u "$root/etc/shadow")" = 0 ]
check "... nor to folders" [ "$(stat -c %u "$root/etc")" = 0 ]
check "... nor second names of root's files" [ "$(stat -c %u "$root/etc/group")" = 0 ]

fresh
mkdir "$root/data"
ln -s /data "$root/home/shared"
as 1234:3000 -new_user=shared
check "a link of root's in /home is no name's to take" [ "$(readlink "$root/home/shared")" = /data ]
check "... with a line that says so" grep -q "cannot lead '/home/shared'" "$T/err"
mkdir "$root/one" "$root/two"
chown 1234 "$root/one" "$root/two"
as 1234:3000 -new_user=bob -new_home=/one
as 1234:3000 -new_user=bob -new_home=/two
check "... but the name's own link follows the home" [ "$(readlink "$root/home/bob")" = /two ]

fresh
: >"$root/etc/.passwd.condense"
as 1234:3000
check "what a killed run left is no hindrance" has etc/passwd \
	'anaconda:x:1234:3000:Developer,,,:/home/anaconda:/bin/bash'

fresh
keep
chmod 755 "$root/startup"
as 1234:3000
check "without setuid: one line, status 3" [ "$status:$(wc -l <"$T/err")" = 3:1 ]
check "... and nothing changes" same

# ---- many at once: every reader sees a whole file
fresh
(
	i=0
	while [ "$i" -lt 20 ]; do
		as 1234:3000 -new_user=dja
		as 1234:3000 -new_user=bob
		i=$((i + 1))
	done
) &
writer=$!
whole=yes
i=0
while [ "$i" -lt 400 ]; do
	case $(tail -n 2 <"$root/etc/passwd") in
	*:1234:3000:*/bin/bash | *:3000:3000:*/bin/bash) ;;
	*) whole=no ;;
	esac
	i=$((i + 1))
done
wait "$writer"
check "readers never see half a file" [ "$whole" = yes ]

# ---- openat2: used where it is there, and done without where it is not
if [ -n "${NO_OPENAT2-}" ] && [ -z "${UNDER-}" ]; then
	fresh
	UNDER="$NO_OPENAT2 kill"
	export UNDER
	as 1234:3000
	unset UNDER
	check "openat2 is used" [ "$status" = 159 ]
fi

# ---- killed at any moment: whole files, and the next run completes what was begun
fresh
whole=yes
i=0
while [ "$i" -lt 60 ]; do
	name=dja
	[ $((i % 2)) -eq 0 ] || name=bob
	chroot --userspec=1234:3000 --groups= "$root" /startup -new_user=$name >/dev/null 2>&1 &
	victim=$!
	j=0
	while [ "$j" -lt $((i * 40)) ]; do
		j=$((j + 1))
	done
	kill -9 "$victim" 2>/dev/null
	wait "$victim" 2>/dev/null
	for file in passwd shadow group gshadow; do
		[ "$(tail -c 1 "$root/etc/$file" | od -An -c | tr -d ' ')" = '\n' ] || whole=$file
	done
	[ "$(grep -c '^root:x:0:0:' "$root/etc/passwd")" = 1 ] || whole=root
	[ "$(grep -c '^anaconda:x:' "$root/etc/passwd")" = 1 ] || whole=anaconda
	i=$((i + 1))
done
check "killed at any moment: the files are whole ($whole)" [ "$whole" = yes ]
as 1234:3000 -new_user=last
check "... and the next run gives the account" has etc/passwd \
	'last:x:1234:3000:Developer,,,:/home/last:/bin/bash'
check "... with nothing left of the others" [ "$(grep -c 'dja\|bob' "$root/etc/passwd")" = 0 ]
check "... in no file" [ "$(cat "$root/etc/shadow" "$root/etc/group" | grep -c 'dja\|bob')" = 0 ]

finish
