#!/bin/sh
# condense pack: the same bytes each time, in formats that skopeo and podman take.
# shellcheck source=tests/functional/lib.sh
. "$SOURCE_ROOT/tests/functional/lib.sh"
unset SOURCE_DATE_EPOCH

pack() # WORDS…
{
	"$CONDENSE" pack "$@" >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
}

field() # EXPRESSION: of the JSON that pack printed
{
	jq -r "$1" "$OUT"
}

skip() # NAME REASON
{
	end_case
	case_name=
	count=$((count + 1))
	if [ "${MUST_RUN:-0}" = 1 ]; then
		failures=$((failures + 1))
		echo "not ok $count - $1 # skipped though MUST_RUN=1: $2"
	else
		echo "ok $count - $1 # SKIP $2"
	fi
}

# A root file system. FILES is the order in which its files are made.
make_root() # FOLDER FILES…
{
	root=$1
	shift
	mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/var/lib/dpkg/info" "$root/opt/conda/conda-meta"
	for file; do
		echo "text of $file" >"$root/usr/lib/$file"
	done
	echo '#!/bin/sh' >"$root/usr/bin/tool"
	chmod 4755 "$root/usr/bin/tool"
	ln "$root/usr/bin/tool" "$root/usr/bin/another"
	ln -s ../usr/bin "$root/opt/bin"
	printf 'Package: tool\nStatus: install ok installed\nArchitecture: all\nVersion: 1-2\n' \
		>"$root/var/lib/dpkg/status"
	printf '/.\n/usr\n/usr/bin\n/usr/bin/another\n/usr/bin/tool\n' \
		>"$root/var/lib/dpkg/info/tool.list"
	for file in zlib openssl; do
		echo "$file" >"$root/opt/conda/$file.so"
		printf '{"name": "%s", "version": "1", "build": "0", "files": ["%s.so"], "license": "MIT"}\n' \
			$file $file >"$root/opt/conda/conda-meta/$file-1-0.json"
	done
	long=$(printf '%0120d' 7)
	echo long >"$root/usr/lib/$long"
	chmod -R go-w "$root"
	find "$root" -exec touch -h -d @1000 {} +
}

make_root "$T/a" one two three
make_root "$T/b" three one two

begin "two trees with the same files give the same bytes"
pack --epoch 2000 --json "$T/a" "$T/a.tar"
expect_status 0
digest=$(field .digest)
pack --epoch 2000 --json "$T/b" "$T/b.tar"
expect_status 0
expect_same "$(field .digest)" "$digest"
cmp "$T/a.tar" "$T/b.tar" >"$OUT" 2>&1 || bad "the files differ"

begin "a folder, a tar archive and stdin are the same root"
tar -C "$T/a" --numeric-owner --sort=name -cf "$T/root.tar" .
pack --epoch 2000 --json "$T/root.tar" "$T/c.tar"
expect_status 0
expect_same "$(field .digest)" "$digest"
gzip -c "$T/root.tar" | "$CONDENSE" pack --epoch 2000 - "$T/d.tar" >"$OUT" 2>"$ERR"
STATUS=$?
expect_status 0
expect_out "sha256:${digest#sha256:}"
cmp "$T/a.tar" "$T/d.tar" >"$OUT" 2>&1 || bad "the files differ"

begin "SOURCE_DATE_EPOCH is the default of --epoch"
SOURCE_DATE_EPOCH=2000 "$CONDENSE" pack --json "$T/a" "$T/e.tar" >"$OUT" 2>"$ERR"
STATUS=$?
expect_status 0
expect_same "$(field .digest)" "$digest"
SOURCE_DATE_EPOCH=yesterday "$CONDENSE" pack "$T/a" "$T/e.tar" >"$OUT" 2>"$ERR"
STATUS=$?
expect_status 2
expect_err "SOURCE_DATE_EPOCH wants seconds since 1970, not 'yesterday'"

begin "every digest is what sha256sum says, whatever packs"
for kind in gzip zstd none; do
	unpack="$kind -dc"
	[ $kind != none ] || unpack='cat'
	rm -rf "$T/l"
	pack --epoch 2000 --compress $kind --level 3 --format oci-dir --json "$T/a" "$T/l"
	expect_status 0
	for blob in "$T"/l/blobs/sha256/*; do
		expect_same "$(sha256sum <"$blob")" "$(basename "$blob")  -"
	done
	layer=$(field '.layers[0].digest')
	diff=$(field '.layers[0].diff_id')
	expect_file "$T/l/blobs/sha256/${layer#sha256:}"
	raw=$($unpack <"$T/l/blobs/sha256/${layer#sha256:}" | sha256sum)
	expect_same "sha256:${raw%% *}" "$diff"
	expect_same "$diff" "${first_diff:=$diff}"
	config=$(jq -r .config.digest "$T/l/blobs/sha256/$(jq -r '.manifests[0].digest' \
		"$T/l/index.json" | cut -d : -f 2)" | cut -d : -f 2)
	expect_same "$(jq -r '.rootfs.diff_ids[0]' "$T/l/blobs/sha256/$config")" "$diff"
	[ $kind != none ] || cp "$T/l/blobs/sha256/${layer#sha256:}" "$T/layer.tar"
done

begin "the layer has hard links, modes, long names, and nothing newer than the epoch"
tar --numeric-owner --full-time --utc -tvf "$T/layer.tar" >"$OUT" 2>"$ERR"
expect_out "usr/bin/tool link to usr/bin/another"
expect_out "opt/bin -> ../usr/bin"
expect_out "usr/lib/$long"
expect_same "$(grep -c '^-rwsr-xr-x' "$OUT")" 1
expect_same "$(grep -vc ' 1970-01-01 00:' "$OUT")" 0
expect_same "$(sed 's/.*:[0-9][0-9] //; s/ .*//; s,/$,,' "$OUT" | LC_ALL=C sort -c 2>&1)" ""

begin "the list of packages is in the image and beside it"
pack --epoch 2000 --sbom "$T/sbom.json" --tag an/image:1 --json "$T/a" "$T/f.tar"
expect_status 0
expect_same "$(jq -r '[.packages[].name] | join(" ")' "$T/sbom.json")" "an/image:1 tool openssl zlib"
expect_same "$(jq -r .creationInfo.created "$T/sbom.json")" "1970-01-01T00:33:20Z"
expect_same "$(jq '[.relationships[] | select(.relationshipType == "CONTAINS")] | length' \
	"$T/sbom.json")" 3
rm -rf "$T/x" && mkdir "$T/x"
tar -C "$T/x" -xf "$T/f.tar"
layer=$(field '.layers[0].digest' | cut -d : -f 2)
gzip -dc <"$T/x/blobs/sha256/$layer" | tar -xOf - usr/share/condense/sbom.spdx.json >"$T/inside"
cmp "$T/inside" "$T/sbom.json" >"$OUT" 2>&1 || bad "the two lists differ"
pack --sbom "$T/left.json" "$T/a" "$T/none/f.tar"
expect_status 1
expect_no_file "$T/left.json"
pack --epoch 2000 --no-sbom --json "$T/a" "$T/f.tar"
expect_same "$(field .entries)" "$(find "$T/a" -mindepth 1 | wc -l)"

begin "an updated package changes its own layer only"
pack --epoch 2000 --layers groups --max-layers 64 --no-sbom --json "$T/a" "$T/g.tar"
expect_status 0
field '.layers[] | .name + " " + .digest' >"$T/before"
expect_same "$(cut -d ' ' -f 1 "$T/before" | tr '\n' ' ')" "os lib-11 lib-45 rest "
echo newer >"$T/b/opt/conda/zlib.so"
touch -d @1500 "$T/b/opt/conda/zlib.so"
# Another epoch, as the next day's build has: the other layers do not care.
pack --epoch 1900 --layers groups --max-layers 64 --no-sbom --json "$T/b" "$T/h.tar"
expect_status 0
field '.layers[] | .name + " " + .digest' >"$T/after"
expect_same "$(diff "$T/before" "$T/after" | sed -n 's/^> \([^ ]*\).*/\1/p')" lib-11

begin "the configuration: a file, then the options"
cat >"$T/config.json" <<'END'
[{"Architecture": "arm64", "Config": {"Hostname": "b", "User": "x", "Env": ["A=1", "B=2"],
 "Entrypoint": ["/e"], "Labels": {"org.opencontainers.image.title": "t", "l": "1"}}}]
END
pack --epoch 2000 --format oci-dir --config "$T/config.json" --env B=3 --cmd '["a", "b"]' \
	--user u:g --workdir /w --volume /v --label l=2 --revision abc --base-name debian:x \
	--base-digest sha256:00 --tag n:1 --tag n:2 --json "$T/a" "$T/i"
expect_status 0
id=$(field .id | cut -d : -f 2)
cp "$T/i/blobs/sha256/$id" "$OUT"
expect_json /architecture 'arm64'
expect_json /config/User 'u:g'
expect_json /config/Env '["A=1","B=3"]'
expect_json /config/Entrypoint '["/e"]'
expect_json /config/Cmd '["a","b"]'
expect_json /config/WorkingDir '/w'
expect_json /created '1970-01-01T00:33:20Z'
expect_same "$(jq -c .config.Labels "$OUT")" '{"l":"2","org.opencontainers.image.base.digest":"sha256:00","org.opencontainers.image.base.name":"debian:x","org.opencontainers.image.created":"1970-01-01T00:33:20Z","org.opencontainers.image.revision":"abc","org.opencontainers.image.title":"t"}'
expect_same "$(jq -r '.config.Hostname' "$OUT")" null
expect_same "$(jq -r '.manifests[].annotations["org.opencontainers.image.ref.name"]' \
	"$T/i/index.json" | tr '\n' ' ')" "n:1 n:2 "

begin "an output is replaced whole, and only by its kind"
pack --epoch 2000 --format oci-dir "$T/a" "$T/i/"
expect_status 0
expect_same "$(find "$T/i/blobs/sha256" -type f | wc -l)" 3
pack --format oci-dir "$T/a" "$T/b"
expect_status 1
expect_err "'$T/b' is there, and is no OCI layout"
pack "$T/a" "$T/b"
expect_status 1
expect_err "'$T/b' is there, and is no file"
expect_file "$T/b/usr/bin/tool"

# skopeo and podman look for a policy and storage of their own.
export XDG_RUNTIME_DIR="$T/run"
mkdir -p "$T/run"
if command -v skopeo >/dev/null 2>&1; then
	begin "skopeo reads each format, and finds the digests right"
	pack --epoch 2000 --tag a/b:c --json "$T/a" "$T/s.tar"
	digest=$(field .digest)
	pack --epoch 2000 --tag a/b:c --format docker --compress zstd --level 3 "$T/a" "$T/sd.tar"
	expect_status 0
	pack --epoch 2000 --tag a/b:c --format oci-dir --layers groups "$T/a" "$T/sl"
	expect_status 0
	skopeo inspect "oci-archive:$T/s.tar" >"$OUT" 2>"$ERR" || bad "skopeo inspect"
	expect_same "$(jq -r .Digest "$OUT")" "$digest"
	n=0
	for source in "oci-archive:$T/s.tar" "docker-archive:$T/sd.tar" "docker-archive:$T/s.tar" \
		"oci:$T/sl:a/b:c"; do
		n=$((n + 1))
		skopeo --insecure-policy copy "$source" "dir:$T/copy$n" >"$OUT" 2>"$ERR" ||
			bad "skopeo copy $source"
	done
else
	skip "skopeo reads each format" "skopeo is not installed"
fi
# The vfs driver needs no kernel's help; what podman may not do here at all is not ours to test.
if ! command -v podman >/dev/null 2>&1; then
	skip "podman loads each format" "podman is not installed"
elif ! podman --root "$T/pr" --runroot "$T/prr" --storage-driver vfs images >"$OUT" 2>"$ERR"; then
	skip "podman loads each format" "podman cannot work here: $(tail -n 1 "$ERR")"
else
	begin "podman loads each format"
	for format in oci docker; do
		pack --epoch 2000 --tag "localhost/a/$format:c" --format $format "$T/a" "$T/p.tar"
		expect_status 0
		podman --root "$T/pr" --runroot "$T/prr" --storage-driver vfs load -i "$T/p.tar" \
			>"$OUT" 2>"$ERR" || bad "podman load"
		expect_out "localhost/a/$format:c"
	done
fi

begin "interrupted: nothing is left"
head -c 40000000 /dev/urandom >"$T/a/usr/noise"
mkdir "$T/made"
"$CONDENSE" pack --compress zstd --level 22 "$T/a" "$T/made/image.tar" >"$OUT" 2>"$ERR" &
pid=$!
tries=0
while [ -z "$(ls -A "$T/made")" ] && [ $tries -lt 600 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
kill -TERM $pid
wait $pid
STATUS=$?
expect_status 130
expect_err "interrupted"
expect_same "$(ls -A "$T/made")" ""
rm "$T/a/usr/noise"

begin "hostile archives leave nothing"
(cd "$T/a" && tar -P --transform 's,^,../,' -cf "$T/bad.tar" usr/bin/tool)
pack "$T/bad.tar" "$T/made/image.tar"
expect_status 1
expect_err "'../usr/bin/tool' leads out of the archive"
head -c 3000 "$T/root.tar" >"$T/cut.tar"
pack "$T/cut.tar" "$T/made/image.tar"
expect_status 1
expect_err "no sound tar archive"
: >"$T/empty"
pack "$T/empty" "$T/made/image.tar"
expect_status 1
mkdir "$T/w" && : >"$T/w/.wh.gone"
pack "$T/w" "$T/made/image.tar"
expect_status 1
expect_err "in an image such a name removes a file"
expect_same "$(ls -A "$T/made")" ""

begin "wrong words are told"
while read -r status words; do
	# shellcheck disable=SC2086 # words
	pack $words "$T/a" "$T/made/image.tar"
	expect_status "$status"
	[ -s "$ERR" ] || bad "nothing said: $words"
done <<'END'
2 --format tar
2 --compress xz
2 --level 10
2 --level -1
2 --layers two
2 --layers groups --max-layers 5
2 --owner root
2 --owner 1:4294967295
2 --epoch -1
2 --epoch now
2 --tag Upper
2 --workdir w
2 --volume v
2 --label x
2 --env x
2 --cmd [1]
1 --config /nonexistent
END
pack "$T/none" "$T/made/image.tar"
expect_status 1
expect_err "cannot open '$T/none'"
pack "$T/a"
expect_status 2
expect_same "$(ls -A "$T/made")" ""
pack --help
expect_status 0
expect_out "usage: condense pack"
finish
