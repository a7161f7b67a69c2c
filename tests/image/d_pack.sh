#!/bin/sh
# Section D, 73 and 74: the same inputs give the same image, and hard links stay hard links.
# Builds the image twice without the engine's cache, under a name of its own.
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"
: >"$T/out"
: >"$T/err"
status=0
if [ ! -x "$build/bin/condense" ] || [ ! -x "$build/bin/entry" ]; then
	skip "73 same inputs, same digest" "build/bin is not here: run make"
	skip "74 hard links survive" "build/bin is not here: run make"
	finish
fi
tested=$IMAGE
export IMAGE="cda-pack-$$/conda:$DISTRO"
file=$build/images/$(printf '%s' "$IMAGE" | tr '/:' '__')
trap 'docker rmi -f "$IMAGE" "$IMAGE-copy" >/dev/null 2>&1; rm -f "$file".*; clean_up' EXIT

# pack N: builds without cache; $T/N.json is what condense pack prints.
pack()
{
	NO_CACHE=1 PACK_OPTIONS="--level 1" "$root/tools/pack" --json >"$T/$1.json" 2>"$T/err"
	status=$?
	cp "$T/$1.json" "$T/out"
	ended "73 build $1 without cache is packed" 0
	[ "$status" -eq 0 ] || finish
	cp "$file.oci.tar" "$T/$1.tar"
	cp "$file.spdx.json" "$T/$1.spdx.json"
}

# files N: what the layer of pack N holds, a line each with its sum.
files()
{
	mkdir "$T/$1"
	layer=$(jq -r '.layers[0].digest' "$T/$1.json" | cut -d : -f 2)
	tar -C "$T/$1" -xf "$T/$1.tar" "blobs/sha256/$layer"
	gzip -dc "$T/$1/blobs/sha256/$layer" >"$T/$1.layer"
	tar --numeric-owner --full-time --utc -tvf "$T/$1.layer" >"$T/$1.list"
	mkdir "$T/$1/root"
	tar -C "$T/$1/root" --no-same-permissions --no-same-owner --exclude 'dev/*' -xf "$T/$1.layer"
	(cd "$T/$1/root" && find . -type f -exec sha256sum {} + | LC_ALL=C sort -k 2) >>"$T/$1.list"
}

SOURCE_DATE_EPOCH=$(source_epoch .)
export SOURCE_DATE_EPOCH
pack 1
pack 2
cmp "$T/1.tar" "$T/2.tar" >"$T/out" 2>"$T/err"
result $? "73 same inputs, same SOURCE_DATE_EPOCH: the same file twice in a row"
first=$(jq -r .digest "$T/1.json")
status=0
jq -r .digest "$T/2.json" >"$T/out"
is "73 same inputs, same SOURCE_DATE_EPOCH: the same image digest" "$first"
if ! cmp -s "$T/1.tar" "$T/2.tar"; then
	files 1
	files 2
	diff "$T/1.list" "$T/2.list" | head -n 20 | sed 's/^/# /'
	rm -rf "$T/1" "$T/2"
fi
cmp "$T/1.spdx.json" "$T/2.spdx.json" >"$T/out" 2>"$T/err"
result $? "73 the list of packages is the same"
jq -r '[.packages[] | select(.name == "python" and .versionInfo)] | length' "$T/1.spdx.json" >"$T/out"
is "73 the list of packages has Python" 1

# ---- the engine takes the file, and runs it
links='find /opt/conda -type f -links +1 | wc -l'
docker run --rm --label "$label" -u 0 --entrypoint sh "$IMAGE" -c "$links" >"$T/links" 2>/dev/null
docker image inspect "$IMAGE" >"$T/built.json"
docker rmi -f "$IMAGE" >/dev/null 2>&1
docker load -i "$T/2.tar" >"$T/out" 2>"$T/err"
status=$?
is "73 docker load takes the file" "Loaded image: $IMAGE"
docker image inspect --format '{{.Id}}' "$IMAGE" >"$T/out" 2>"$T/err"
status=$?
is "73 its image is the one that was packed" "$(jq -r .id "$T/2.json")"
for name in Entrypoint Cmd Env User WorkingDir Volumes; do
	docker image inspect "$IMAGE" | jq -c ".[0].Config.$name" >"$T/out" 2>"$T/err"
	status=$?
	is "73 it has the $name of the built image" "$(jq -c ".[0].Config.$name" "$T/built.json")"
done
run 'id -un && conda --version && python -c "import ssl, sqlite3; print(1)"'
is "73 it starts as the image does" "$(printf 'anaconda\nconda %s\n1' "$conda_version")"
run 'cat /usr/share/condense/sbom.spdx.json'
is "73 its list of packages is inside" "$(cat "$T/2.spdx.json")"
if command -v skopeo >/dev/null 2>&1; then
	skopeo inspect --format '{{.Digest}}' "oci-archive:$T/2.tar" >"$T/out" 2>"$T/err"
	status=$?
	is "73 skopeo sees that digest" "$first"
else
	skip "73 skopeo sees that digest" "skopeo is not installed"
fi

# ---- hard links: as many names as in the image that the engine built, whatever packed them
docker run --rm --label "$label" -u 0 --entrypoint sh "$IMAGE" -c "$links" >"$T/out" 2>"$T/err"
status=$?
is "74 the packed image has the built one's hard links in /opt/conda" "$(cat "$T/links")"
# One of a build stage's own, by the same COPY as in the Dockerfile, by its pack, by the engine.
mkdir "$T/copy"
cat >"$T/copy/Dockerfile" <<EOF2
FROM $tested AS stage
USER root
RUN mkdir -p /out/opt/conda/share/links && cd /out/opt/conda/share/links && \\
	echo one >first && ln first second && ln first third
FROM $tested
COPY --from=stage /out/ /
EOF2
docker build -q --label "$label" -t "$IMAGE-copy" "$T/copy" >"$T/out" 2>"$T/err"
status=$?
ended "74 an image with hard links is built" 0
count='find /opt/conda/share/links -type f -links 3 | wc -l'
docker run --rm --label "$label" -u 0 --entrypoint sh "$IMAGE-copy" -c "$count" >"$T/out" 2>"$T/err"
status=$?
is "74 hard links of a build stage survive its COPY" 3
id=$(docker create --label "$label" "$IMAGE-copy")
docker export "$id" | "$build/bin/condense" pack --level 1 --no-sbom --tag "$IMAGE-copy" \
	- "$T/copy.tar" >"$T/out" 2>"$T/err" &&
	docker load -i "$T/copy.tar" >"$T/out" 2>"$T/err"
status=$?
ended "74 it is packed and loaded" 0
docker run --rm --label "$label" -u 0 --entrypoint sh "$IMAGE-copy" -c "$count" >"$T/out" 2>"$T/err"
status=$?
is "74 hard links survive the packing" 3
finish
