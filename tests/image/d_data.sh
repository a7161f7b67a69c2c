#!/bin/sh
# Data safety, on the engine: volumes, tmpfs and bind mounts at and below the home stay as they are, a
# large home costs nothing, and all of a home is given where a start asks for it.
# shellcheck disable=SC2016,SC2086,SC2317 # scripts for the container; words; clean_data is trapped
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"

caller=54321
flags="-u $caller:anaconda"
volumes=
trap 'clean_data' EXIT

clean_data()
{
	clean_up
	[ -z "$volumes" ] || docker volume rm -f $volumes >/dev/null 2>&1
}

# Root of the container's on $T, which is at /T.
as_root()
{
	docker run --rm --label "$label" -u 0 -v "$T:/T" --entrypoint sh "$IMAGE" -c "$1" >/dev/null 2>>"$T/err"
}

# All there is to know of a tree of this machine: with %C even a touch would show.
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
	diff "$T/before" "$T/after" >>"$T/err"
	result $? "$2"
}

# $T/tree with files of the account's, of the caller's, of root's and of a stranger's.
files()
{
	as_root '
		rm -rf /T/tree && mkdir -p /T/tree/sub/deep /T/tree/data && cd /T/tree && for owner in 0 3000 4444 '$caller'; do
			echo text >sub/of-$owner; chown $owner:3000 sub/of-$owner
			mkdir -p sub/deep/$owner; echo text >sub/deep/$owner/file; chown -R $owner sub/deep/$owner
		done
		echo two >sub/hard; ln sub/hard sub/second; chown 3000 sub/hard; ln -s /etc/passwd sub/link
		chown -h 3000:3000 . sub sub/link sub/deep data'
}

new_volume()
{
	volume=cda-data-$$-$1
	volumes="$volumes $volume"
	docker volume create --label "$label" "$volume" >/dev/null
}

# ---- 66: what is mounted at or below the home
for owner in 3000 0 4444; do
	files
	[ "$owner" = 3000 ] || as_root "chown -R $owner /T/tree"
	keep "$T/tree"
	while IFS='|' read -r text mount; do
		run $mount -e NEW_HOME=/home/.anaconda -e NEW_USER=dja -e CONDENSE_REOWN=1 \
			'id -un; touch ~/mine && echo written'
		is "66 a mount of uid $owner's $text" "dja
written"
		kept "$T/tree" "66 is as it was"
	done <<-EOF
		in the home|-v $T/tree:/home/anaconda/data
		deeper down|-v $T/tree:/home/anaconda/a/b/c
		as ~/.cache|-v $T/tree:/home/anaconda/.cache
		as ~/.local|-v $T/tree:/home/anaconda/.local
		in a mount of another kind|--tmpfs /home/anaconda/data -v $T/tree:/home/anaconda/data/inner
		with a part of it again as ~/.conda|-v $T/tree:/home/anaconda/data -v $T/tree/sub:/home/anaconda/.conda
		in the new home|-v $T/tree:/home/.anaconda/data
		in the new name's folder|-v $T/tree:/home/dja/data
		read-only|-v $T/tree:/home/anaconda/data:ro
	EOF
done
for at in .condarc .bashrc some/folder/file; do
	as_root 'echo file >/T/file; chown 3000 /T/file'
	stat -c '%u %g %a %s %Y %Z' "$T/file" >"$T/before"
	run -v "$T/file:/home/anaconda/$at" -e NEW_HOME=/home/.anaconda -e CONDENSE_REOWN=1 "cat ~/$at"
	is "66 a file mounted as ~/$at" file
	stat -c '%u %g %a %s %Y %Z' "$T/file" | cmp -s - "$T/before"
	result $? "66 is as it was"
done
run --tmpfs /home/anaconda/.cache:uid=3000,mode=750 -e CONDENSE_REOWN=1 'stat -c %u ~/.cache ~/.'
is "66 a tmpfs as ~/.cache" "3000
$caller"

# Two levels down, each by another mount.
files
as_root 'mkdir -p /T/other/inner; chown -R 3000:3000 /T/other'
keep "$T/tree"
run -v "$T/other:/home/anaconda/one" -v "$T/tree:/home/anaconda/one/inner" -e NEW_HOME=/home/.anaconda \
	-e CONDENSE_REOWN=1 'cat ~/one/inner/sub/of-3000'
is "66 a mount in a mount with NEW_HOME" text
kept "$T/tree" "66 is as it was"

# ---- the home is a volume itself
files
as_root 'chmod 770 /T/tree; cd /T/tree; mkdir .cache .local; echo x >.condarc; touch .bashrc .profile
	chown -R 3000:3000 .cache .local .condarc .bashrc .profile'
keep "$T/tree"
run -v "$T/tree:/home/anaconda" 'stat -c %u ~/. ~/.cache ~/sub/of-3000'
is "66 the home is a mount: nothing of it is given" "3000
3000
3000"
[ ! -s "$T/err" ]
result $? "66 and nothing is said, as the group can use it"
kept "$T/tree" "66 it is as it was"
to_root="docker run --rm -u 0 -v VOLUME:/v IMAGE chown -R $caller /v"
while IFS='|' read -r want options; do
	run -v "$T/tree:/home/anaconda" $options 'readlink /home/.anaconda || echo no link'
	is "66 asked for it: $options" "$want"
	kept "$T/tree" "66 it is as it was"
	said "66 with a line that says what to do" "'/home/anaconda' is a mount: .*: $to_root\$"
done <<'EOF'
no link|-e CONDENSE_REOWN=1
/home/anaconda|-e CONDENSE_REOWN=1 -e NEW_HOME=/home/.anaconda
EOF
run -v "$T/tree:/home/anaconda" -e CONDENSE_REOWN=volume 'echo started'
ended "66 there is no word for more" 2
kept "$T/tree" "66 it is as it was"
as_root 'chmod 700 /T/tree'
listing "$T/tree" >"$T/before" 2>/dev/null
run -v "$T/tree:/home/anaconda" 'touch ~/x && echo $HOME'
is "66 a mount that the caller cannot use: a home of its own" "/tmp/home-$caller"
kept "$T/tree" "66 it is as it was"
said "66 with a line of both" "is a mount: .*: $to_root; HOME is '/tmp/home-$caller'\$"
[ "$(wc -l <"$T/err")" -eq 1 ]
result $? "66 which is one"
# The line's command, as it is written there.
docker run --label "$label" --rm -u 0 -v "$T/tree:/v" "$IMAGE" chown -R $caller /v >"$T/out" 2>"$T/err" &&
	[ ! -s "$T/out" ] && [ ! -s "$T/err" ]
result $? "66 what the line says works as it is written"
run -v "$T/tree:/home/anaconda" 'stat -c %u ~/. ~/.cache ~/sub/of-3000; cat ~/sub/deep/4444/file'
is "66 and the home is the caller's" "$caller
$caller
$caller
text"
new_volume seeded
run -v "$volume:/home/anaconda" 'touch ~/mine ~/.cache && stat -c %u ~/. ~/mine'
is "65 a new named volume as home" "$caller
$caller"
run -v "$volume:/home/anaconda" -e NEW_USER=dja 'ls ~/mine'
is "65 a second container finds what the first left" /home/dja/mine

# ---- an image with files of the account's in the home, started for another: what a start may be asked
mkdir -p "$T/context"
image owned <<EOF
FROM $IMAGE
USER root
RUN mkdir -p /home/anaconda/project/deep && cd /home/anaconda/project && \\
    for n in 1 2 3 4 5 6 7 8 9; do mkdir deep/\$n; echo text >deep/\$n/file; chmod 600 deep/\$n/file; done && \\
    echo root >deep/roots && echo set >deep/set && ln -s /etc/shadow deep/link && \\
    echo two >hard && ln hard second && chown -hR anaconda:anaconda . && chown root deep/roots && chmod 4755 deep/set
USER anaconda
EOF
result "$status" "an image with a project in its home"
base_image=$IMAGE
IMAGE=$tag
run 'cat ~/project/deep/1/file'
[ "$status" -ne 0 ]
result $? "its private files are not readable for another uid"
run -e CONDENSE_REOWN=1 'cat ~/project/deep/9/file && echo more >>~/project/deep/9/file && stat -c "%n %U" \
	~/project/deep/1/file ~/project/deep/roots ~/project/deep/set ~/project/hard'
is "CONDENSE_REOWN=1 gives them" "text
/home/anaconda/project/deep/1/file anaconda
/home/anaconda/project/deep/roots root
/home/anaconda/project/deep/set UNKNOWN
/home/anaconda/project/hard UNKNOWN"
said "with a line of its numbers" "^condense: [0-9]* of [0-9]* files in '/home/anaconda' were given to uid $caller$"
run -e CONDENSE_REOWN=1 -e NEW_HOME=/home/.anaconda -e NEW_USER=dja \
	'cd ~ && pwd -P; cat project/deep/9/file; stat -c %U project/deep/9'
is "together with NEW_HOME and NEW_USER" "/home/anaconda
text
dja"
said "what cannot be copied as it is keeps the home at its place" \
	"^condense: what cannot be copied lies in '/home/anaconda', so it stays; '/home/.anaconda' leads to it"
flags=
run -e CONDENSE_REOWN=1 'cat ~/project/deep/9/file'
is "the image's own user has nothing to be given" text
[ ! -s "$T/err" ]
result $? "and hears nothing of it"
flags="-u $caller:anaconda"
up reown -e CONDENSE_REOWN=1
docker diff "$container" | grep -c '/home/anaconda/project' >"$T/changed.1"
docker restart -t 2 "$container" >/dev/null
wait_for_start 2
docker logs "$container" 2>&1 | grep -c 'were given' >"$T/out"
status=0
is "after docker restart there is nothing left to give" 1
in_container -u $caller:anaconda -e CONDENSE_REOWN=1 "$container" /entrypoint.sh echo fine
is "in a container that has started it is left" fine
said "with a line" "is for the start of a container"
down
for value in 0 no false ""; do
	run -e CONDENSE_REOWN=$value 'stat -c %u ~/project/deep/1/file'
	is "CONDENSE_REOWN='$value' asks for nothing" 3000
done
run -e CONDENSE_REOWN=all 'echo started'
ended "an unknown value is refused" 2
said "with a line of what there is" "CONDENSE_REOWN is 1 or 0"
as_root 'printf "account anaconda\nreown no\n" >/T/policy; chmod 644 /T/policy'
run -v "$T/policy:/etc/condense/policy:ro" -e CONDENSE_REOWN=1 'echo started'
ended "the policy can forbid it" 2
run --security-opt no-new-privileges -e CONDENSE_REOWN=1 'echo started'
is "without privileges the command runs all the same" started
# An end in the middle, at whatever moment: the next start makes it whole.
container=cda-killed-$$
docker create --name "$container" --label "$label" $flags -e CONDENSE_REOWN=1 "$IMAGE" \
	sh -c 'echo started; exec tail -f /dev/null' >/dev/null
docker start "$container" >/dev/null
docker kill "$container" >/dev/null 2>&1
docker start "$container" >/dev/null
wait_for_start 1
in_container "$container" sh -c 'find ~/project -user 3000 | sort'
is "killed while it starts: the next start gives what is left" "/home/anaconda/project/deep/set
/home/anaconda/project/hard
/home/anaconda/project/second"
down
IMAGE=$base_image

# ---- a home of 20,000 files: what a start touches, not how long it takes
image large <<EOF
FROM $IMAGE
RUN python -c "import os; [(os.makedirs(f'/home/anaconda/many/{d}'), [open(f'/home/anaconda/many/{d}/{n}', 'w').close() for n in range(100)]) for d in range(200)]"
EOF
result "$status" "an image with 20,000 files in its home"
IMAGE=$tag
# How many of them a start changed: in the container's layer, and in what it has in common.
while IFS='|' read -r text options; do
	up large $options
	docker diff "$container" | grep -c '/many/' >"$T/out"
	status=0
	is "20,000 files, $text: none of them is touched" 0
	in_container -u $caller:anaconda "$container" sh -c 'cd ~ && find many/ -type f ! -user 3000 | wc -l; ls many | wc -l'
	is "they are there" "0
200"
	in_container -u $caller:anaconda "$container" sh -c 'touch ~/mine && readlink -f ~'
	is "the home is where it was" /home/anaconda
	down
done <<'EOF'
a mapping|
NEW_USER|-e NEW_USER=dja
NEW_HOME|-e NEW_HOME=/home/.anaconda
both|-e NEW_USER=dja -e NEW_HOME=/home/.anaconda
EOF
run -e NEW_HOME=/home/.anaconda 'cd /home/.anaconda && ls many | wc -l'
is "a home too large to be copied is reached by its new name" 200
said "with a line that says so" "there is too much to copy in '/home/anaconda', so it stays; '/home/.anaconda' leads to it"
new_volume large
docker run --rm --label "$label" -v "$volume:/home/anaconda" --entrypoint true "$IMAGE"
of_all()
{
	docker run --rm --label "$label" -v "$volume:/v" --entrypoint sh "$base_image" -c \
		'cd /v/many && find . -type f -exec stat -c "%n %u %Z" {} + | sort | sha256sum'
}
of_all >"$T/before"
run -v "$volume:/home/anaconda" -e NEW_USER=dja -e NEW_HOME=/home/.anaconda 'ls ~/many | wc -l'
is "20,000 files in a volume" 200
of_all | cmp -s - "$T/before"
result $? "none of them is touched"
# Ended and killed in the middle of giving them all, at whatever moment: the next start does the rest.
container=cda-ended-$$
docker create --name "$container" --label "$label" $flags -e CONDENSE_REOWN=1 "$IMAGE" \
	sh -c 'echo started; exec tail -f /dev/null' >/dev/null
for end in "kill" "stop -t 60" "kill"; do
	docker start "$container" >/dev/null
	docker $end "$container" >/dev/null 2>&1
done
docker start "$container" >/dev/null
wait_for_start 1
in_container "$container" sh -c 'find ~ ! -user '$caller' | wc -l; find ~ -type f | wc -l'
is_like "ended and killed while 20,000 files are given: the next start gives the rest" "0
200*"
down
IMAGE=$base_image
finish
