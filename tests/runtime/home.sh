#!/bin/sh
# The home under /startup: mounts of every kind stay as they are, a large home is not touched, all of
# it is given when a start asks for that; and each of this ended or failing at any system call.
# Needs root and a mount namespace; else all is skipped.
# shellcheck disable=SC2317,SC2016 # functions run through check; scripts for inner shells
set -u
killat=$1
no_openat2=$2
if [ -z "${HOME_SH_INNER-}" ] && unshare -m true 2>/dev/null; then
	exec env HOME_SH_INNER=1 unshare -m --propagation private "$0" "$@"
fi
# shellcheck source=tests/runtime/libraries.sh
. "$SOURCE_ROOT/tests/runtime/libraries.sh"
startup=${STARTUP:-$BUILD_ROOT/src/runtime/startup}
number=0
failed=0
T=$(mktemp -d "${TMPDIR:-/tmp}/cda-home.XXXXXX") || exit 1
root=$T/root
trap 'leave' EXIT
trap 'exit 1' HUP INT TERM

unmount()
{
	grep -o " $T/[^ ]* " /proc/self/mounts | sort -r | while read -r at; do
		umount -l "$at"
	done
	! grep -q " $T/" /proc/self/mounts
}

leave()
{
	unmount && rm -rf "$T"
}

skip_all()
{
	if [ "${MUST_RUN:-0}" = 1 ]; then
		echo "1..1"
		echo "not ok 1 - home # skipped though MUST_RUN=1: $1"
		exit 1
	fi
	echo "1..0 # SKIP $1"
	exit 0
}

skip()
{
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

check()
{
	text=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number - $text"
	else
		echo "not ok $number - $text"
		echo "# status ${status-}; $*"
		sed 's/^/# /' "$T/err"
		failed=1
	fi
}

# A fresh image: what its home holds goes to $layer. ready makes a root of it, an overlay as in a
# container if $layers is set.
layers=
fresh()
{
	unmount || exit 1
	rm -rf "$root" "$T/image" "$T/upper" "$T/work" "$T/volume" "$T/two" "$T/other"
	layer=$T/image/home/anaconda
	home=$root/home/anaconda
	mkdir -p "$root" "$T/image/etc/condense" "$layer" "$T/image/var/lib/condense" \
		"$T/image/tmp" "$T/image/dev" "$T/image/proc" "$T/image/main" "$T/upper" "$T/work" \
		"$T/volume"
	printf 'root:x:0:0:root:/root:/bin/sh\nanaconda:x:3000:3000:D:/home/anaconda:/bin/sh\n' \
		>"$T/image/etc/passwd"
	printf 'root:x:0:\nanaconda:x:3000:\n' >"$T/image/etc/group"
	: >"$T/image/dev/null"
	chmod 666 "$T/image/dev/null"
	cp "$startup" "$T/image/startup"
	bring_libraries "$startup" "$T/image"
	chmod 4755 "$T/image/startup"
	chmod 755 "$T"
}

ready()
{
	chown -h 3000:3000 "$layer"
	if [ -n "$layers" ]; then
		mount -t overlay overlay "$root" \
			-o "lowerdir=$T/image,upperdir=$T/upper,workdir=$T/work,xino=off" || exit 1
	else
		cp -a "$T/image/." "$root/"
	fi
	mount -t proc proc "$root/proc" || exit 1
}

# as UID:GID ARGUMENT...: sets status, leaves what it said in $T/err.
as()
{
	who=$1
	shift
	# shellcheck disable=SC2086 # words
	${UNDER-} chroot --userspec="$who" --groups= "$root" /startup "$@" >"$T/out" 2>"$T/err" \
		</dev/null
	status=$?
}

restart()
{
	rm -f "$root/var/lib/condense/life"
}

owner()
{
	[ "$(stat -c %u "$1")" = "$2" ]
}

# All there is to know of a tree: with %C it would be seen if a file were but touched.
listing()
{
	(cd "$1" && find . -printf '%p %U %G %m %y %n %s %T@ %C@ %l\n' | LC_ALL=C sort)
}

keep()
{
	listing "$1" >"$T/before"
}

kept()
{
	listing "$1" >"$T/after"
	cmp -s "$T/before" "$T/after" || {
		diff "$T/before" "$T/after" | head -n 10 | sed 's/^/# /'
		return 1
	}
}

said()
{
	grep -q -- "$1" "$T/err"
}

[ "$(id -u)" = 0 ] || skip_all "needs root"
[ -n "${HOME_SH_INNER-}" ] || skip_all "mount namespaces are not allowed here"
mount -t tmpfs none "$T" -o size=1k 2>/dev/null || skip_all "nothing can be mounted here"
umount "$T"
fresh
ready
as 3000:3000
[ "$status" = 0 ] || skip_all "setuid programs do not work in $T: $(head -n 1 "$T/err")"
fresh
layers=1
if ! (ready) 2>/dev/null; then
	overlay=
else
	overlay=1
fi
layers=

# ---- mounts of one file system: told apart in each way there is
for way in "" ENOSYS EPERM older; do
	UNDER=
	[ -z "$way" ] || UNDER="$no_openat2 $way"
	[ -z "$way" ] || way=" ($way)"
	fresh
	mkdir -p "$layer/.cache" "$layer/.local"
	echo x >"$layer/.condarc"
	chown -R 3000:3000 "$layer"
	ready
	mkdir "$T/volume/inner"
	echo v >"$T/volume/file"
	echo v >"$T/volume/inner/file"
	chown -R 3000:3000 "$T/volume"
	keep "$T/volume"
	mount --bind "$T/volume/inner" "$home/.cache"
	mount --bind "$T/volume/file" "$home/.condarc"
	as 7123:3000
	check "folder and file mounted in the home stay the account's$way" kept "$T/volume"
	check "... what is beside them is given$way" owner "$home/.local" 7123
	restart
	as 7123:3000 -reown=full
	check "... they stay when all is asked for$way" kept "$T/volume"
	check "... with a line$way" said "first of several mounts in the home"
	restart
	as 7123:3000 -new_home=/home/.anaconda
	check "... when the home is to move$way" kept "$T/volume"
	check "... which it does not$way" [ "$(readlink "$root/home/.anaconda")" = /home/anaconda ]

	# The home is a volume, and a folder of the same volume is mounted in it.
	fresh
	ready
	mkdir -p "$T/volume/home/.cache" "$T/volume/other"
	echo v >"$T/volume/other/file"
	echo h >"$T/volume/home/file"
	chown -R 3000:3000 "$T/volume"
	mount --bind "$T/volume/home" "$home"
	mount --bind "$T/volume/other" "$home/.cache"
	chmod 770 "$T/volume/home"
	keep "$T/volume"
	as 7123:3000 -reown=full
	check "a home that is a volume stays as it is$way" kept "$T/volume"
	check "... with a line that says what to do$way" \
		said "'/home/anaconda' is a mount: .* -u 0 -v VOLUME:/v IMAGE chown -R 7123 /v$"
	check "... and no other$way" [ "$status:$(wc -l <"$T/err")" = 0:1 ]
	restart
	as 7123:3000
	check "... which the group can use, so that nothing is said without asking$way" \
		[ "$status:$(wc -c <"$T/err")" = 0:0 ]
	check "... and nothing is given$way" kept "$T/volume"
	restart
	as 7123:7123
	check "... one line for who cannot$way" \
		[ "$status:$(grep -c 'IMAGE chown -R 7123 /v$' "$T/err"):$(wc -l <"$T/err")" = 3:1:1 ]
	check "... who gets nothing either$way" kept "$T/volume"
	# An empty one, as the engine makes it: root's, or filled from the image.
	for owner in 0 3000; do
		fresh
		ready
		chown "$owner" "$T/volume"
		mount --bind "$T/volume" "$home"
		as 7123:3000
		check "an empty volume of uid $owner becomes the home$way" owner "$T/volume" 7123
	done
done
UNDER=

fresh
ready
mkdir -p "$home/a/b" "$T/volume/deep"
echo v >"$T/volume/deep/file"
chown -R 3000:3000 "$home" "$T/volume"
mount --bind "$T/volume" "$home/a/b"
mkdir -p "$T/two"
echo t >"$T/two/file"
chown -R 3000:3000 "$T/two"
mount --bind "$T/two" "$home/a/b/deep"
mount -t tmpfs none "$home/a/b/deep" -o uid=3000
keep "$T/volume"
for way in -new_home=/home/.anaconda -new_user=dja -reown=full; do
	restart
	as 7123:3000 "$way"
	check "mounts in a mount stay: $way" kept "$T/volume"
	check "... and the innermost: $way" owner "$home/a/b/deep" 3000
done

# /home itself is a volume: nothing in it moves.
fresh
ready
mkdir -p "$T/volume/anaconda/data"
echo v >"$T/volume/anaconda/data/file"
chown -R 3000:3000 "$T/volume/anaconda"
chmod 770 "$T/volume/anaconda"
mount --bind "$T/volume" "$root/home"
as 7123:3000 -new_home=/home/q -new_user=dja
check "/home as a volume: the home stays" \
	[ "$status:$(cat "$T/volume/anaconda/data/file"):$(readlink "$root/home/q")" = 0:v:/home/anaconda ]
restart
as 7123:3000 -reown=full
check "... and all in it is whose it was" \
	[ "$(stat -c %u "$home" "$home/data" "$home/data/file" | tr '\n' :)" = 3000:3000:3000: ]

# A new home on the way to a mount, and the old one has a folder of the mount's name.
fresh
mkdir -p "$layer/work"
echo mine >"$layer/work/file"
echo top >"$layer/top"
chown -R 3000:3000 "$layer"
ready
mkdir -p "$root/home/dja/work"
chown 3000:3000 "$T/volume"
mount --bind "$T/volume" "$root/home/dja/work"
keep "$T/volume"
as 7123:3000 -new_user=dja
check "nothing of a home gets into a volume of the same name" kept "$T/volume"
check "... it stays beside" [ "$(cat "$root/home/anaconda.image/work/file")" = mine ]
check "... and the rest is brought" [ "$(cat "$root/home/dja/top")" = top ]

# A volume of root's that has more than what leads to a mount.
fresh
ready
mkdir -p "$T/volume/work/mounted" "$T/other" "$root/home/q"
echo roots >"$T/volume/work/secret"
mount --bind "$T/volume" "$root/home/q"
mount --bind "$T/other" "$root/home/q/work/mounted"
keep "$T/volume"
as 7123:3000 -new_home=/home/q
check "refused: a volume where root has a file beside a mount, deeper down" [ "$status" = 2 ]
check "... it stays root's" kept "$T/volume"

# ---- a start that asks for all of its home
# What is there, and whose it is afterwards.
plant()
{
	mkdir -p "$1/sub/deep" "$1/roots/inner" "$1/foreign"
	for file in sub/plain sub/deep/plain "sub/odd
name" roots/inner/anacondas sub/setuid sub/setgid sub/roots foreign/theirs foreign/mine .hidden; do
		echo text >"$1/$file"
	done
	ln -s /etc/passwd "$1/sub/link"
	ln -s nowhere "$1/sub/dangling"
	mkfifo "$1/sub/fifo"
	echo two >"$1/sub/hard"
	ln "$1/sub/hard" "$1/sub/hard2"
	chown -hR 3000:3000 "$1"
	chown 0:0 "$1/roots" "$1/roots/inner" "$1/sub/roots"
	chown 4444:4444 "$1/foreign" "$1/foreign/theirs"
	mknod "$1/sub/device" c 1 3 2>/dev/null && chown 3000 "$1/sub/device"
	chmod 4755 "$1/sub/setuid"
	chmod 2755 "$1/sub/setgid"
	chmod 600 "$1/sub/plain"
	chmod 2750 "$1/sub/deep"
}
whose()
{
	(cd "$1" && find . ! -name device -printf '%p %U %G %m\n' | grep -v '^name' | LC_ALL=C sort)
}
for layers in "" $overlay; do
	in="in a folder"
	[ -z "$layers" ] || in="over a layer"
	fresh
	plant "$layer"
	ready
	whose "$home" >"$T/was"
	as 7123:3000
	check "$in: without asking nothing below the top is given" owner "$home/sub/plain" 3000
	restart
	as 7123:3000 -reown=full
	check "$in: all is given" [ "$status" = 0 ]
	whose "$home" >"$T/is"
	sed -e 's/^\(.*\) 3000 3000 \(.*\)$/\1 7123 3000 \2/' \
		-e '/^\.\/sub\/hard/s/ 7123 / 3000 /' -e '/^\.\/sub\/set/s/ 7123 / 3000 /' \
		"$T/was" >"$T/want"
	check "... what was the account's, but for setuid, setgid and more than one name" \
		cmp "$T/want" "$T/is"
	check "... with its numbers" said "[0-9]* of [0-9]* files in '/home/anaconda' were given to uid 7123"
	check "... what links lead to stays" owner "$root/etc/passwd" 0
	[ ! -e "$home/sub/device" ] || check "... devices stay" owner "$home/sub/device" 3000
	keep "$home"
	restart
	as 7123:3000 -reown=full
	check "$in: a second time changes nothing, and says nothing" \
		[ "$status:$(wc -c <"$T/err")" = 0:0 ]
	check "... not a time either" kept "$home"
done
layers=

fresh
plant "$layer"
ready
as 3000:3000 -reown=full
check "nothing to do for the image's own uid" [ "$status:$(wc -c <"$T/err")" = 0:0 ]
keep "$home"
as 3000:3000 -reown=full
check "once the container has started it is left, with a line" \
	[ "$status:$(grep -c 'is for the start of a container' "$T/err")" = 0:1 ]
fresh
plant "$layer"
ready
as 7123:3000
keep "$home"
as 7123:3000 -reown=full
check "... and changes nothing" kept "$home"
# After a second mapping (an image made of a container) the first owner's files are known.
as 7123:3000
restart
as 7123:3000 -reown=full
echo first >"$home/first"
chown 7123 "$home/first"
restart
as 7567:3000
restart
as 7567:3000 -reown=full
check "what an earlier owner had is given to the next" owner "$home/first" 7567

while IFS='|' read -r text policy value want; do
	fresh
	plant "$layer"
	ready
	echo "reown $policy" >"$root/etc/condense/policy"
	as 7123:3000 "-reown=$value"
	check "policy: $text" [ "$status:$(stat -c %u "$home/sub/plain")" = "$want" ]
done <<'EOF'
yes|yes|full|0:7123
no|no|full|2:3000
an unknown word|volume|full|2:3000
an unknown value|yes|volume|2:3000
EOF
fresh
ready
as 7123:3000 -reown=everything
check "refused: an unknown value" [ "$status:$(wc -l <"$T/err")" = 2:1 ]

# Deeper than any path may be long.
fresh
ready
python3 - "$home" <<'EOF'
import os, sys
os.chdir(sys.argv[1])
for _ in range(3000):
    os.mkdir("d" * 20)
    os.chown("d" * 20, 3000, 3000)
    os.chdir("d" * 20)
EOF
as 7123:3000 -reown=full
check "3000 folders deep" said "3001 of 3001\|3000 of 3001"
rm -rf "$home"

# Whoever starts many files at once gets them all, by threads or without.
for limit in "" "$no_openat2 alone"; do
	fresh
	python3 - "$layer" <<'EOF'
import os, sys
for folder in range(300):
    path = f"{sys.argv[1]}/{folder % 7}/{folder}"
    os.makedirs(path)
    for name in range(10):
        open(f"{path}/{name}", "w").close()
EOF
	chown -R 3000:3000 "$layer"
	ready
	UNDER=$limit
	as 7123:3000 -reown=full
	UNDER=
	check "3000 files ${limit:+by one thread, }all given" \
		[ "$status:$(find "$home" ! -user 7123 | wc -l)" = 0:0 ]
done

# ---- while others change the tree: links, second names, folders exchanged
fresh
mkdir "$layer/play"
ready
echo roots >"$root/etc/target"
mkdir "$root/roots" "$root/other"
echo roots >"$root/roots/file"
chown -R 4444 "$root/other"
chown -R 3000:3000 "$home"
keep "$root/roots"
stat -c '%u %Z' "$root/etc/target" "$root/other" >"$T/targets"
cat >"$T/swap.py" <<'EOF'
import os, sys
play, root = sys.argv[1], sys.argv[2]
os.chdir(play)
print("ready", flush=True)
def quiet(call, *words):
    try:
        call(*words)
    except OSError:
        pass
while True:
    quiet(os.mkdir, "a"); quiet(os.chown, "a", 3000, 3000)
    quiet(os.rename, "a", "b"); quiet(os.symlink, root + "/roots", "a")
    quiet(os.unlink, "a"); quiet(os.link, root + "/etc/target", "a")
    quiet(os.unlink, "a"); quiet(os.symlink, root + "/etc/target", "a")
    quiet(os.unlink, "a"); quiet(os.rmdir, "b")
    quiet(os.mkdir, "../.cache"); quiet(os.chown, "../.cache", 3000, 3000)
    quiet(os.rmdir, "../.cache"); quiet(os.symlink, root + "/roots", "../.cache"); quiet(os.unlink, "../.cache")
EOF
# It is root that swaps, so that even links that the kernel would refuse to a user are tried.
python3 "$T/swap.py" "$home/play" "$root" >"$T/swapping" 2>&1 &
swapper=$!
tries=0
until grep -q ready "$T/swapping" || [ "$tries" -gt 600 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
i=0
while [ "$i" -lt 150 ]; do
	restart
	as 7123:3000 -reown=full
	restart
	i=$((i + 1))
done
kill -9 "$swapper"
wait "$swapper" 2>/dev/null
stat -c '%u %Z' "$root/etc/target" "$root/other" | cut -d ' ' -f 1 >"$T/targets.after"
check "files exchanged meanwhile: root's keep their owner" \
	[ "$(cut -d ' ' -f 1 "$T/targets" | cmp - "$T/targets.after" && echo same)" = same ]
check "... and its folders" kept "$root/roots"

# ---- a home that would have to be copied
if [ -n "$overlay" ]; then
	layers=1
	fresh
	mkdir -p "$layer/data"
	echo text >"$layer/data/file"
	ln -s file "$layer/data/link"
	touch -d 2001-02-03 "$layer/data/file"
	chown -hR 3000:3000 "$layer"
	ready
	as 7123:3000 -new_home=/home/.anaconda
	check "a small home over a layer moves" \
		[ "$status:$(cat "$root/home/.anaconda/data/link"):$(readlink "$home")" = 0:text:/home/.anaconda ]
	check "... with its times" [ "$(stat -c %y "$root/home/.anaconda/data/file" | cut -c 1-10)" = 2001-02-03 ]

	while IFS='|' read -r text setup; do
		fresh
		mkdir "$layer/many"
		sh -c "cd $layer/many && $setup"
		chown -hR 3000:3000 "$layer"
		[ ! -e "$layer/many/roots" ] || chown 0:0 "$layer/many/roots"
		[ ! -e "$layer/many/setuid" ] || chmod 4755 "$layer/many/setuid"
		ready
		keep "$home/many"
		as 7123:3000 -new_home=/home/.anaconda
		check "a home of $text stays" [ "$status:$(readlink "$root/home/.anaconda")" = 0:/home/anaconda ]
		check "... which one line says" [ "$(grep -c 'to copy in\|cannot be copied' "$T/err"):$(wc -l <"$T/err")" = 1:1 ]
		check "... untouched" kept "$home/many"
		check "... nothing of it is in the upper layer" \
			[ "$(cd "$T/upper/home" && find . | LC_ALL=C sort | tr '\n' ' ')" = \
				". ./.anaconda ./anaconda " ]
		restart
		as 7123:3000 -new_home=/home/.anaconda
		check "... a second start is quiet" [ "$status:$(wc -c <"$T/err")" = 0:0 ]
	done <<-'EOF'
		1200 files|seq 1200 | xargs touch
		one large file|truncate -s 40M file
		a file of root's beside others|touch a roots z
	a setuid file|touch a setuid
	a file of two names|touch a; ln a b
	a FIFO|mkfifo a
	40 folders in each other|path=d; for i in $(seq 40); do path=$path/d; done; mkdir -p $path
	EOF
	# Where the new home exists it is used, and the large one stays beside it.
	fresh
	(cd "$layer" && seq 1200 | xargs touch)
	chown -R 3000:3000 "$layer"
	ready
	mkdir -p "$root/home/dja/work"
	mount --bind "$T/volume" "$root/home/dja/work"
	as 7123:3000 -new_user=dja
	check "a large home stays beside a new one that leads to a mount" \
		[ "$status:$(stat -c %u "$root/home/dja"):$(find "$root/home/anaconda" -type f | wc -l)" = 0:7123:1200 ]
	# A disk that is full while a file is copied up.
	fresh
	chown 3000:3000 "$layer"
	yes | head -c 4194304 >"$layer/large"
	echo small >"$layer/small"
	chown -R 3000:3000 "$layer"
	mount -t tmpfs none "$T/upper" -o size=256k
	mkdir "$T/upper/up" "$T/upper/work"
	mount -t overlay overlay "$root" \
		-o "lowerdir=$T/image,upperdir=$T/upper/up,workdir=$T/upper/work"
	mount -t proc proc "$root/proc"
	as 7123:3000 -reown=full
	check "a full disk is said, with the file" said "first is '/home/anaconda/large': No space left"
	check "... and ends with status 1" [ "$status" = 1 ]
	mount -o remount,size=16m "$T/upper"
	restart
	as 7123:3000 -reown=full
	check "... with room again the rest is given" \
		[ "$status:$(stat -c %u "$home/large" "$home/small" | tr '\n' :)" = 0:7123:7123: ]
else
	skip "homes over a layer" "overlays cannot be mounted here"
fi
layers=

# ---- ended, or failing as on a full disk, at each system call
small()
{
	fresh
	mkdir -p "$layer/data/deep" "$layer/.cache"
	echo one >"$layer/data/file"
	echo two >"$layer/data/deep/file"
	: >"$layer/empty"
	ln -s data "$layer/link"
	chown -hR 3000:3000 "$layer"
	ready
}
# Every file is there, whole, at one of the two places at least.
nothing_lost()
{
	for file in data/file data/deep/file empty link; do
		found=
		for place in .anaconda anaconda anaconda.image; do
			there=$root/home/$place/$file
			[ -e "$there" ] || [ -L "$there" ] || continue
			if [ "$file" = link ]; then
				[ "$(readlink "$there")" = data ] || return 1
			else
				cmp -s "$there" "$layer/$file" || return 1
			fi
			found=1
		done
		[ -n "$found" ] || return 1
	done
}
is_moved()
{
	[ "$(readlink "$home")" = /home/.anaconda ] && [ ! -e "$root/home/anaconda.image" ] &&
		[ "$(cd "$root/home/.anaconda" && find . | LC_ALL=C sort | tr '\n' ' ')" = \
			". ./.cache ./data ./data/deep ./data/deep/file ./data/file ./empty ./link " ] &&
		owner "$root/home/.anaconda" 7123
}
is_given()
{
	[ "$(find "$home" ! -user 7123 | wc -l)" = 0 ]
}
small
UNDER="$killat kill 1"
as 7123:3000
UNDER=
if [ -n "${CHECKED-}" ]; then
	echo "# a sanitizer's system calls are too many to end it at each" # update.sh does
elif [ "$status" -ne 0 ]; then
	skip "ended at each system call" "nothing can be traced here"
else
	for layers in "" $overlay; do
		for what in new_home=/home/.anaconda ${layers:-reown=full}; do
			[ "$what" != 1 ] || continue
			for way in kill enospc; do
				count=0
				bad=0
				unfinished=0
				while [ "$count" -lt 900 ]; do
					count=$((count + 1))
					small
					UNDER="$killat $way $count $no_openat2 alone"
					as 7123:3000 "-$what"
					UNDER=
					at=$status
					[ "$at" -ne 125 ] || bad=1
					nothing_lost || { bad=1; echo "# lost at $count"; }
					[ "$at" -eq 0 ] || break
					restart
					as 7123:3000 "-$what"
					case $what in
					new_home*) is_moved ;;
					*) is_given ;;
					esac || {
						unfinished=1
						echo "# not completed after $count, status $status:"
						{ cat "$T/err"; find "$root/home"; } | sed 's/^/# /'
					}
				done
				in=
				[ -z "$layers" ] || in=" over a layer"
				echo "# $way: $((count - 1)) moments"
				check "$what$in, $way at each system call: nothing is lost" [ "$bad" = 0 ]
				check "... and the next run completes it" [ "$unfinished" = 0 ]
				check "... each moment was tried" [ "$at:$((count > 10))" = 3:1 ]
			done
		done
	done
fi
echo "1..$number"
exit "$failed"
