#!/bin/sh
# condense size: images of every form, two images, the page, engines asked for by name, and what it
# says to what is none of them.
# shellcheck source=tests/functional/lib.sh
. "$(dirname "$0")/lib.sh"

size()
{
	"$CONDENSE" size "$@" >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
}

pack()
{
	"$CONDENSE" pack --quiet --no-sbom --epoch 1 --arch amd64 "$@" >"$T/pack.out" 2>&1 || {
		bad "pack $*"
		cat "$T/pack.out"
	}
}

put()   # FILE TEXT
{
	mkdir -p "$(dirname "$1")"
	printf '%s' "$2" >"$1"
}

# skip NAME REASON; with MUST_RUN=1 that is a failure.
skip()
{
	begin "$1"
	if [ "${MUST_RUN:-0}" = 1 ]; then
		bad "skipped though MUST_RUN=1: $2"
		return
	fi
	case_name="$1 # SKIP $2"
}

root=$T/before
put "$root/etc/os-release" 'ID=debian
VERSION_ID="13"
'
put "$root/var/lib/dpkg/status" 'Package: tool
Status: install ok installed
Architecture: amd64
Version: 1.0-1
Description: a <b>tool</b>
'
put "$root/var/lib/dpkg/info/tool.list" '/usr/bin/tool
'
put "$root/opt/conda/conda-meta/thing-2.0-0.json" \
	'{"name":"thing","version":"2.0","build":"0","subdir":"noarch","files":["lib/thing.txt"]}'
awk 'BEGIN { for (i = 0; i < 20000; i++) print i * i }' </dev/null >"$T/numbers"
put "$root/usr/bin/tool" ''
cat "$T/numbers" "$T/numbers" >"$root/usr/bin/tool"
put "$root/opt/conda/lib/thing.txt" ''
cp "$T/numbers" "$root/opt/conda/lib/thing.txt"
put "$root/srv/copy" ''
cp "$T/numbers" "$root/srv/copy"
put "$root/srv/<script>alert(1)<%2fscript>" 'x'
ln -s tool "$root/usr/bin/link"
bytes=$(wc -c <"$T/numbers")

begin "a root folder, its sums and its owners"
size --json "$root"
expect_status 0
expect_json /image false
expect_json /measured false
expect_json /wasted "$bytes"
expect_json /kinds/0/kind dpkg
expect_json /kinds/1/kind conda
expect_json /kinds/2/kind none
expect_json /packages '#2'
expect_json /packages/0/purl 'pkg:deb/debian/tool@1.0-1?arch=amd64&distro=debian-13'
expect_json /packages/1/name thing
expect_json /files/0/path usr/bin/tool
expect_json /files/0/size $((2 * bytes))
expect_json /duplicates/0/paths '["opt/conda/lib/thing.txt","srv/copy"]'
sed -n 's/^  "size": \([0-9]*\),$/\1/p' "$OUT" >"$T/all"
[ -s "$T/all" ] || bad "no size"

for form in oci oci-dir docker; do
	for compress in gzip zstd none; do
		begin "an image: $form, $compress"
		pack --format $form --compress $compress --tag app:1 "$root" "$T/$form-$compress"
		size --json "$T/$form-$compress"
		expect_status 0
		expect_json /image true
		expect_json /architecture amd64
		expect_json /size "$(cat "$T/all")"
		expect_json /packages '#2'
		[ $compress = none ] || expect_json /measured true
		[ $compress = none ] && expect_json /measured false
		expect_json /layers '#1'
		expect_json /layers/0/packing $compress
	done
done

begin "layers by package group have the same files"
pack --format oci --layers groups "$root" "$T/groups.tar"
size --json "$T/groups.tar"
expect_json /size "$(cat "$T/all")"
expect_json /hidden 0

begin "tables for people: every list, no control bytes, cut to the width"
size --width 60 "$T/oci-gzip"
expect_status 0
expect_out "app:1 (linux/amd64)"
expect_out "(as stored)"
expect_out "tool 1.0-1"
expect_out "thing 2.0"
expect_out "files of no package"
expect_out "srv/copy"
[ "$(LC_ALL=C tr -d '\n -~' <"$OUT" | wc -c)" = 0 ] || bad "bytes that are no text"
[ "$(awk 'length > 60' "$OUT" | sed 1,5d | wc -l)" = 0 ] || bad "a line is too long"
size --top 1 "$T/oci-gzip"
expect_no_out "thing 2.0"

begin "an image that was saved as a folder and packed as a whole"
mkdir "$T/saved"
tar -xf "$T/docker-gzip" -C "$T/saved"
size --json "$T/saved"
expect_json /size "$(cat "$T/all")"
gzip -c "$T/docker-none" >"$T/docker.tgz"
size --json "$T/docker.tgz"
expect_json /size "$(cat "$T/all")"

if command -v skopeo >/dev/null 2>&1; then
	begin "what skopeo writes"
	if skopeo --tmpdir "$T" copy -q --insecure-policy "docker-archive:$T/docker-none" "oci:$T/sk:one" \
		>"$OUT" 2>"$ERR"; then
		size --json "$T/sk"
		expect_json /name one
		expect_json /measured true
		expect_json /size "$(cat "$T/all")"
	else
		bad "skopeo"
	fi
else
	skip "what skopeo writes" "no skopeo"
fi

cp -a "$root" "$T/after"
rm "$T/after/srv/copy"
cp "$T/numbers" "$T/after/usr/bin/tool"
put "$T/after/srv/new" 'new'

begin "two images: what changed"
size "$root" "$T/after"
expect_status 0
expect_out "Packages that changed most"
expect_out "tool 1.0-1"
expect_out "usr/bin"
size --json "$root" "$T/after"
expect_json /changed_packages '#1'
expect_json /changed_packages/0/name tool
expect_json /changed_packages/0/version_after 1.0-1
expect_json /after/wasted "$bytes"
expect_json /before/path "$root"

begin "the page holds all it needs and no name as markup"
size --html "$T/page.html" "$T/oci-gzip"
expect_status 0
expect_text "$OUT" ""
grep -qF '</html>' "$T/page.html" || bad "the page is not whole"
expect_same "$(grep -c '<script' "$T/page.html")" 2
! grep -qF '<script>alert' "$T/page.html" || bad "a name became a script"
! grep -qE ' (src|href)="?[a-z]*:' "$T/page.html" || bad "the page asks for something"
size --html "$T/page2.html" "$T/oci-gzip"
cmp -s "$T/page.html" "$T/page2.html" || bad "two pages of one image differ"
size --html "$T/two.html" "$root" "$T/after"
expect_status 0
size --html "$T/nowhere/page.html" "$T/oci-gzip"
expect_status 1
expect_err "nowhere"

# Words of the page after its script ran: what it set, or what it threw.
look()   # FILE#STATE
{
	timeout 300 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--user-data-dir="$T/browser" --virtual-time-budget=5000 --enable-logging=stderr \
		--dump-dom "file://$1" >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
}
browser=
for name in chromium chromium-browser google-chrome; do
	[ -n "$browser" ] || browser=$(command -v $name) || :
done
# One that is there may be unable to run here, or to read this folder.
if [ -n "$browser" ]; then
	put "$T/probe.html" '<p id="p">no</p><script>document.getElementById("p").textContent = "runs";</script>'
	look "$T/probe.html"
	grep -qF '>runs<' "$OUT" || browser=
fi
if [ -n "$browser" ]; then
	begin "the page's script runs in a browser, in every state"
	for state in "page.html" "page.html#view=folders&by=packed" "page.html#find=tool" \
		"page.html#view=folders&at=0.0" "page.html#at=99.7&find=%zz" \
		"two.html#side=after" "two.html#view=folders&side=before&at=1"; do
		look "$T/$state"
		expect_status 0
		expect_out 'data-ready="yes"'
		expect_out 'class="tile'
		! grep -E 'CONSOLE.*(Error|Refused|violates)' "$ERR" >"$T/said" || bad "$state: $(cat "$T/said")"
	done
	look "$T/page.html#find=script"
	expect_out '&lt;script&gt;alert(1)&lt;%2fscript&gt;'
	expect_no_out '<script>alert'
else
	skip "the page's script runs in a browser" "no chromium that works here"
fi

begin "an image by name comes from an engine"
mkdir "$T/bin"
cat >"$T/bin/docker" <<END
#!/bin/sh
[ "\$1 \$2 \$4 \$5" = "save -o -- app:1" ] || { echo "Error: no such image: \$5" >&2; exit 1; }
cp "$T/docker-none" "\$3"
END
chmod +x "$T/bin/docker"
cp "$T/bin/docker" "$T/bin/podman"
sed -i 's/^\[.*/echo "podman: gone" >\&2; exit 1/' "$T/bin/podman"
(cd "$T/bin" && PATH=$T/bin:$PATH "$CONDENSE" size --json app:1) >"$OUT" 2>"$ERR"
STATUS=$?
expect_status 0
expect_json /path app:1
expect_json /size "$(cat "$T/all")"
(cd "$T/bin" && PATH=$T/bin:$PATH "$CONDENSE" size app:2) >"$OUT" 2>"$ERR"
STATUS=$?
expect_status 1
expect_err "docker says: Error: no such image: app:2; podman says: podman: gone"
expect_err "hint: "
(cd "$T/bin" && PATH=$T/none "$CONDENSE" size app:2) >"$OUT" 2>"$ERR"
STATUS=$?
expect_status 1
expect_err "there is no docker and no podman"

begin "what is damaged or none of it is refused, with nothing on stdout"
cp "$T/docker-none" "$T/bad"
printf 'X' | dd of="$T/bad" bs=1 seek=3000 conv=notrunc 2>/dev/null
head -c 20000 "$T/oci-gzip" >"$T/cut"
put "$T/text" 'no archive'
for name in bad cut text; do
	size "$T/$name"
	expect_status 1
	expect_err "$T/$name"
	expect_text "$OUT" ""
done
size "$T/oci-gzip" --ref other
expect_status 1
expect_err "no image in it has that name: it holds app:1"
size "$T/oci-gzip" --platform linux/s390x
expect_status 1
expect_err "linux/s390x"

begin "names in errors cannot cheat the terminal"
name=$(printf '\033[31mred\nok')
size "$T/$name"
expect_status 1
expect_err '\x1b[31mred\x0aok'

begin "a device or a pipe as the page's place is written to and stays"
ln -s /dev/null "$T/null"
size --html "$T/null" "$root"
expect_status 0
expect_same "$(readlink "$T/null")" /dev/null

begin "wrong words"
size
expect_status 2
size "$root" "$root" "$root"
expect_status 2
size --width 3 "$root"
expect_status 2
expect_err "--width goes from"
size --help
expect_status 0
expect_out "usage: condense size"
finish
