#!/bin/sh
# Section D of the acceptance list: what a start does.
# shellcheck disable=SC2016,SC2086 # scripts for the container; words
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"
serve release
use_mirror

for user in default host; do
	"as_$user"
	up exec
	in_container "$container" python -c \
		'import os, sys; print(sys.prefix, os.environ["CONDA_DEFAULT_ENV"], os.environ["CONDA_PREFIX"])'
	is "60 docker exec python: active without a shell" "/opt/conda base /opt/conda"
	down

	list forms.txt '\0357\0273\0277# tools\r\n\r\njq   # why\r\n  pv less\r\n\n# end'
	run $from_mirror -v "$T/forms.txt:$os_list:ro" \
		'jq --version >/dev/null && pv --version >/dev/null && less --version >/dev/null && echo all'
	is "61 BOM, CR, comments, several names a line" all

	list bad.txt 'jq\n\nno-such-package-at-all\n'
	run $from_mirror -v "$T/bad.txt:$os_list:ro" 'echo started'
	[ "$status" -ne 0 ] && [ ! -s "$T/out" ]
	result $? "63 a list with an unknown package stops the start"
	said "63 and names file, line and cause" \
		"'$os_list' line 3: there is no package 'no-such-package-at-all'"
	run $from_mirror -e CONDENSE_ON_ERROR=continue -v "$T/bad.txt:$os_list:ro" 'echo started
		for folder in /var/cache/apt /var/lib/apt/lists /var/cache/apk; do
			[ ! -d $folder ] || find $folder -type f -size +0; done'
	is "63 CONDENSE_ON_ERROR=continue goes on; 44 no cache is left then either" started
	said "63 loudly" "going on all the same"
	list option.txt 'jq\n-oDPkg::Pre-Install-Pkgs::=/bin/true\n'
	run -v "$T/option.txt:$os_list:ro" 'echo started'
	said "63 an option is no package" "'$os_list' line 2: not the name of a package"
	list pip-bad.txt 'soupsieve\nno-such-package-at-all\n'
	run $from_loopback -v "$T/pip-bad.txt:/tmp/pip_requirements.txt:ro" 'echo started'
	[ "$status" -ne 0 ] && [ ! -s "$T/out" ]
	result $? "63 so does a list for pip"
	said "63 with its line" "'/tmp/pip_requirements.txt' line 2: pip does not install 'no-such-package-at-all'"
	run $from_loopback -v "$T/pip-bad.txt:/tmp/conda_requirements.txt:ro" 'echo started'
	[ "$status" -ne 0 ] && [ ! -s "$T/out" ]
	result $? "63 so does a list for conda"
	said "63 with its line, conda" "'/tmp/conda_requirements.txt' line 2: conda does not install"

	mkdir -p "$T/empty-$user"
	chmod 777 "$T/empty-$user"
	[ -z "$flags" ] || chown 54321 "$T/empty-$user"
	[ -n "$flags" ] || chown 3000 "$T/empty-$user"
	run -v "$T/empty-$user:/home/anaconda" \
		'id -un; cd ~ && pwd; echo $CONDA_DEFAULT_ENV; ls -A | sort | head -n 1; touch mine && echo written'
	is "65 an empty volume as home" "anaconda
/home/anaconda
base
.bashrc
written"
	echo own >"$T/empty-$user/.bashrc"
	run -v "$T/empty-$user:/home/anaconda" 'cat ~/.bashrc; ls ~/mine'
	is "65 nothing in it is replaced" "own
/home/anaconda/mine"
	volume=cda-volume-$$-$user
	docker volume create --label "$label" "$volume" >/dev/null
	run -v "$volume:/home/anaconda" 'touch ~/mine && cat /etc/condense/policy >~/mine && echo written'
	is "65 a named volume as home" written
	docker volume rm "$volume" >/dev/null

	for inner in "" /lost+found; do
		rm -rf "$T/roots"
		mkdir -p "$T/roots$inner"
		chmod 755 "$T/roots"
		run -v "$T/roots:/home/dja" -e NEW_USER=dja \
			'cd ~ && pwd -P && ls .bashrc && touch mine && echo $CONDA_DEFAULT_ENV'
		is "65 a new volume of root's$inner on a new home" "/home/dja
.bashrc
base"
	done
	run -v "$T/roots:/home/dja/deep/data" -e NEW_USER=dja \
		'cd ~ && pwd -P && ls .bashrc && touch mine && ls deep/data/.bashrc'
	is "65 a volume below a new home" "/home/dja
.bashrc
deep/data/.bashrc"

	mkdir -p "$T/below-$user/sub"
	echo precious >"$T/below-$user/sub/file"
	chown -R 3000 "$T/below-$user"
	(cd "$T/below-$user" && find . -printf '%p %U %m %s %T@\n' | sort) >"$T/before"
	run -v "$T/below-$user:/home/anaconda/deep/data" -e NEW_HOME=/home/.anaconda -e NEW_USER=dja \
		'cd ~ && cat deep/data/sub/file'
	is "66 a volume below the home with NEW_HOME" precious
	(cd "$T/below-$user" && find . -printf '%p %U %m %s %T@\n' | sort) | cmp -s - "$T/before"
	result $? "66 is as it was"

	docker run --rm --network none $flags "$IMAGE" id -un >"$T/out" 2>"$T/err"
	status=$?
	is "69 no network and nothing to install" anaconda
	run --group-add 4242 'id -G | tr " " "\n" | grep -x 4242'
	is "75 --group-add stays" 4242
done

who=
flags=
while IFS='|' read -r text options; do
	run $options 'id -u >/dev/null; touch ~/x && echo fine'
	is "67 $text: the command runs, HOME is usable" fine
	grep -q '^condense: ' "$T/err"
	result $? "67 $text: a line says what could not be done"
done <<'EOF'
no-new-privileges|-u 54321:anaconda --security-opt no-new-privileges
read-only root|-u 54321:anaconda --read-only --tmpfs /tmp
read-only and no-new-privileges|-u 54321:anaconda --read-only --tmpfs /tmp --security-opt no-new-privileges
no capabilities|-u 54321:anaconda --cap-drop ALL
everything at once|-u 12345:0 --cap-drop ALL --read-only --tmpfs /tmp --security-opt no-new-privileges
uid 12345 with gid 0|-u 12345:0
uid 1000 with gid 2000|-u 1000:2000
EOF
run -u 54321:anaconda --read-only --tmpfs /tmp --tmpfs /home/anaconda:uid=54321 'cd && pwd; touch x'
is "67 read-only root with a home of its own" /home/anaconda
for options in '-u 12345:0' '-u 1000:2000' '-u 54321:anaconda --cap-drop ALL'; do
	run $options 'id -un'
	is "67 $options: a name" anaconda
done

# ---- how long a start takes: told, not judged
python3 - "$IMAGE" <<'EOF'
import statistics, subprocess, sys, time
ways = {
    "/bin/true alone": ["--entrypoint", "/bin/true", sys.argv[1]],
    "ours": [sys.argv[1], "true"],
    "ours with another uid": ["-u", "54321:anaconda", sys.argv[1], "true"],
}
taken = {name: [] for name in ways}
for _ in range(15):
    for name, words in ways.items():
        begin = time.monotonic()
        subprocess.run(["docker", "run", "--rm", "--network", "none", *words], check=True)
        taken[name].append(time.monotonic() - begin)
told = [f"{name} {statistics.median(times) * 1000:.0f} ms" for name, times in taken.items()]
print("# note: median start:", ", ".join(told))
EOF
finish
