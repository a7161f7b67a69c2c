#!/bin/sh
# The release archive against real TLS servers: nginx with two good mirrors and certificates of all
# kinds, and the test server for faults that nginx has not.
CONDA=$CONDENSE
. "$(dirname "$0")/lib.sh"

PATH=$PATH:/usr/sbin:/sbin
for tool in nginx openssl; do
	command -v $tool >/dev/null 2>&1 && continue
	if [ "${MUST_RUN:-0}" = 1 ]; then
		echo "1..1"
		echo "not ok 1 - $tool is missing though MUST_RUN=1"
		exit 1
	fi
	echo "1..0 # SKIP $tool is missing"
	exit 0
done

pins=$(grep -vc '^#' "$SOURCE_ROOT/data/releases/miniconda.tsv")

# ---- certificates --------------------------------------------------------------------------------
tls=$T/tls
mkdir -p "$tls/new"
: >"$tls/index"
cat >"$tls/ca.conf" <<EOF
[ca]
default_ca = own
[own]
dir = $tls
database = $tls/index
new_certs_dir = $tls/new
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
EOF

key_and_request()   # NAME SAN
{
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tls/$1.key" \
		-out "$tls/$1.csr" -subj "/CN=$1" -addext "subjectAltName=$2"
}

authority()   # NAME
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
		-keyout "$tls/$1.key" -out "$tls/$1.pem" -subj "/CN=$1"
}

sign()   # NAME CA FROM TO
{
	openssl ca -batch -notext -config "$tls/ca.conf" -cert "$tls/$2.pem" -keyfile "$tls/$2.key" \
		-in "$tls/$1.csr" -out "$tls/$1.pem" -startdate "$3" -enddate "$4"
}

{
	authority ours && authority strange &&
		key_and_request good IP:127.0.0.1 && sign good ours 20200101000000Z 20990101000000Z &&
		key_and_request name DNS:elsewhere.example &&
		sign name ours 20200101000000Z 20990101000000Z &&
		key_and_request foreign IP:127.0.0.1 &&
		sign foreign strange 20200101000000Z 20990101000000Z &&
		key_and_request early IP:127.0.0.1 && sign early ours 20980101000000Z 20990101000000Z &&
		key_and_request late IP:127.0.0.1 && sign late ours 20190101000000Z 20200101000000Z
} >"$tls/log" 2>&1 || {
	sed 's/^/# /' "$tls/log"
	echo "Bail out! no certificates"
	exit 1
}

# ---- releases ------------------------------------------------------------------------------------
www=$T/www
A=Condense3-py313_99.1.0-0-Linux-x86_64.sh B=Condense3-py313_99.2.0-0-Linux-x86_64.sh
PINNED=Miniconda3-py313_26.5.3-1-Linux-x86_64.sh
mkdir -p "$www/good" "$www/wrong" "$www/bare" "$www/table" "$www/hostile" "$www/many" "$www/none"
head -c 3000000 /dev/urandom >"$www/good/$A"
head -c 200000 /dev/urandom >"$www/good/$B"
sum() { sha256sum "$1" | cut -d ' ' -f 1; }
HA=$(sum "$www/good/$A") HB=$(sum "$www/good/$B")
cat >"$www/good/.files.json" <<EOF
{"$A": {"size": 3000000, "mtime": 1700000000.5, "sha256": "$HA"},
 "$B": {"size": 200000, "mtime": 1700000001, "sha256": "$HB"},
 "Condense3-py313_9.10.0-0-Linux-x86_64.sh": {"size": 7, "sha256": "$HB"},
 "Condense3-py313_9.9.0-0-Linux-x86_64.sh": {"size": 7, "sha256": "$HB"},
 "Condense3-py312_99.1.0-0-Linux-x86_64.sh": {"size": 7, "sha256": "$HB"},
 "Condense3-py313_99.1.0-0-Linux-aarch64.sh": {"size": 7, "sha256": "$HB"},
 "Condense3-latest-Linux-x86_64.sh": {"size": 7, "sha256": "$HB"}, "index.json": {"size": 1}}
EOF
# the body of one release under the name of another, and of a pinned one
cp "$www/good/$B" "$www/wrong/$A"
cp "$www/good/$B" "$www/wrong/$PINNED"
# a list that tells no hash, and a table without one
cp "$www/good/$A" "$www/good/$B" "$www/bare"
printf '{"%s": {"size": 3000000}, "%s": {}}\n' "$A" "$B" >"$www/bare/.files.json"
cat >"$www/table/index.html" <<EOF
<html><body><table><tr><th>Filename</th><th>Size</th><th>Last Modified</th><th>SHA256</th></tr>
<tr><td><a href="$A">$A</a></td><td>2.9M</td><td>2023-11-14 22:13:20</td><td>$HA</td></tr>
<tr><td><a href="Condense3-latest-Linux-x86_64.sh">x</a></td><td>1</td><td></td><td>$HB</td></tr>
</table></body></html>
EOF
cat >"$www/hostile/index.html" <<EOF
<table><tr><td><a href="../$A">$A</a></td></tr><tr><td><a href="x y/$A">$A</a></td></tr>
<tr><td><a href="&#46;&#46;&#47;etc/passwd">$B</a></td></tr><tr><td><a href="$A&lt;script&gt;">x</a></td></tr>
<tr><td><a href="Condense3-py313_99.1.0-0-Linux-x86_64.sh%00">x</a></td></tr>
<tr><td><a href="Condense3&#45;py313_99.2.0-0-Linux-x86_64.sh">&lt;b&gt;</a></td><td>$HB</td></tr></table>
EOF
awk 'BEGIN {
	printf "{\"x\": 1"
	for (i = 1; i <= 50000; i++) {
		printf ",\n\"../../%d <&>.sh\": {\"size\": %d}", i, i
		printf ",\n\"Condense3-py313_1.%d.0-0-Linux-x86_64.sh\": {\"size\": %d}", i, i
	}
	print "}"
}' >"$www/many/.files.json"

# ---- nginx ---------------------------------------------------------------------------------------
"$LISTEN" 7 "$(dirname "$0")/nginx_mirrors" "$T" >"$T/nginx.out" 2>&1 &
NGINX_PID=$!
servers="$servers $NGINX_PID"
tries=0
until [ -s "$T/nginx.pid" ]; do
	tries=$((tries + 1))
	if [ $tries -ge 600 ] || ! kill -0 "$NGINX_PID" 2>/dev/null; then
		sed 's/^/# /' "$T/nginx.out" "$T/nginx.err"
		echo "Bail out! nginx does not start"
		exit 1
	fi
	sleep 0.1
done
. "$T/ports"
ONE=https://127.0.0.1:$PORT1 TWO=https://127.0.0.1:$PORT2
# Nobody listens there: the port is a privileged one that no kernel gives away.
NOBODY=https://127.0.0.1:1

export SSL_CERT_FILE="$tls/ours.pem" CONDENSE_CACHE="$T/cache" XDG_CACHE_HOME="$T/xdg"
cd "$T" || exit 1
C3="--product Condense3 --arch x86_64"

fresh() { rm -rf "$T/cache" "$T/got"; mkdir "$T/got"; }
# fetch WORDS…: release A by its name and hash into $T/got
fetch() { run releases fetch "$A" --sha256 "$HA" --output "$T/got" "$@"; }
expect_whole() { expect_same "$(sum "$T/got/$A" 2>/dev/null)" "$HA"; }
expect_nothing() { expect_same "$(find "$T/got" "$T/cache/files" -type f -size +0 2>/dev/null)" ''; }
requests() { grep -c -F -e "$1" "$T/nginx.log"; }

# ---- the good way --------------------------------------------------------------------------------
begin "a release comes from the first mirror"
fresh
fetch --mirror "$ONE/good" --mirror "$TWO/good"
expect_status 0
expect_whole
expect_text "$OUT" "$T/got/$A"
expect_err "from $ONE/good/$A"

begin "the right file at its place is not fetched again"
fetch --mirror "$NOBODY/x"
expect_status 0
expect_err "were there"

begin "the cache needs no mirror, also offline"
rm -rf "$T/got"
fetch --mirror "$NOBODY/x" --offline --output "$T/got/"
expect_status 0
expect_whole
expect_err "from the cache"

begin "a damaged file in the cache is noticed and fetched again"
printf x >>"$(find "$T/cache/files" -name "*-$A")"
rm -rf "$T/got"
mkdir "$T/got"
fetch --mirror "$ONE/good"
expect_status 0
expect_whole
expect_err "damaged"

begin "an empty --cache keeps nothing"
fresh
fetch --mirror "$ONE/good" --cache ''
expect_status 0
expect_whole
expect_no_file "$T/cache"

# ---- mirrors that fail: the next one is taken, and why is told ------------------------------------
failing()   # NAME MIRROR TEXT
{
	begin "$1: the next mirror, with the reason"
	fresh
	fetch --mirror "$2" --mirror "$TWO/good"
	expect_status 0
	expect_whole
	expect_err "$3"
	begin "$1 and no other mirror: an error, and nothing stays"
	fresh
	fetch --mirror "$2"
	expect_status 1
	expect_err "$3"
	expect_err "no mirror gives '$A'"
	expect_err "make up RELEASE=condense"
	expect_nothing
}

failing "refused connection" "$NOBODY/x" "127.0.0.1"
failing "a certificate for another name" "https://127.0.0.1:$PORT3/good" "certificate"
failing "a certificate of a strange CA" "https://127.0.0.1:$PORT4/good" "certificate"
failing "a certificate of the future" "https://127.0.0.1:$PORT5/good" "not yet valid"
failing "a certificate of the past" "https://127.0.0.1:$PORT6/good" "has expired"
failing "403" "$ONE/s403" "HTTP 403 (forbidden)"
failing "404" "$ONE/s404" "HTTP 404 (not found)"
failing "500" "$ONE/s500" "HTTP 500 (internal server error)"
failing "503" "$ONE/s503" "HTTP 503 (service unavailable)"
failing "a redirect from https to http" "$ONE/down" "redirects to a URL that is not https"
failing "a redirect to itself" "$ONE/loop" "too many redirects"
failing "the body of another release" "$ONE/wrong" "expected $HA"
failing "a folder that is not there" "file://$T/nowhere" "there is no such file"
mkdir -p "$T/odd/$A"
failing "a folder in place of the file" "file://$T/odd" "Is a directory"

begin "a clock that is behind: the error names it"
fresh
fetch --mirror "https://127.0.0.1:$PORT5/good"
expect_status 1
expect_err "the clock of this machine says"

begin "a strange CA: the hint says how to name one's own"
fetch --mirror "https://127.0.0.1:$PORT4/good"
expect_status 1
expect_err "SSL_CERT_FILE"
expect_no_err condarc

begin "a redirect from https to https is followed"
fresh
fetch --mirror "$ONE/hop"
expect_status 0
expect_whole
expect_err "from $TWO/good/$A"

begin "mirrors of all kinds in one list, from the environment"
fresh
CONDA_MIRRORS="$NOBODY/x,$ONE/s404 http://127.0.0.1:$PORT7/good"
export CONDA_MIRRORS
fetch
unset CONDA_MIRRORS
expect_status 0
expect_whole
expect_err "from http://127.0.0.1:$PORT7/good/$A"

begin "every mirror's answer is in the error"
fresh
fetch --mirror "$NOBODY/x" --mirror "$ONE/s403" --mirror "$TWO/wrong"
expect_status 1
expect_err "$NOBODY/x/$A"
expect_err "HTTP 403"
expect_err "expected $HA"
expect_nothing

begin "a pinned release has the pinned bytes or none"
fresh
run releases fetch "$PINNED" --mirror "$ONE/wrong" --output "$T/got"
expect_status 1
expect_err "expected 7358a5961dc6a4941d087281cd70313728fcc68695735e18a337321bc31c7f51"
expect_nothing
run releases fetch --python 3.13 --conda 26.5.3 --arch x86_64 --mirror "$ONE/wrong" --output "$T/got" \
	--trust-listing
expect_status 1
expect_err "expected 7358a5961dc6a4941d087281cd70313728fcc68695735e18a337321bc31c7f51"
expect_nothing
run releases fetch "$PINNED" --mirror "$ONE/wrong" --output "$T/got" --sha256 "$HB"
expect_status 1
expect_err "is not the pinned one"
expect_nothing

begin "an old file at the place stays until the new one is right"
fresh
echo old >"$T/got/$A"
fetch --mirror "$ONE/wrong"
expect_status 1
expect_text "$T/got/$A" old
fetch --mirror "$ONE/good"
expect_status 0
expect_whole

begin "a link at the place is replaced, not followed"
fresh
echo theirs >"$T/theirs"
ln -s "$T/theirs" "$T/got/$A"
fetch --mirror "$ONE/good"
expect_status 0
expect_whole
expect_text "$T/theirs" theirs

begin "what is there and no file stays: a device, a pipe"
fresh
ln -s /dev/null "$T/got/null"
mkfifo "$T/got/pipe"
for name in null pipe; do
	fetch --mirror "$ONE/good" --output "$T/got/$name"
	expect_status 1
	expect_err "it is no file"
done
expect_same "$(readlink "$T/got/null")" /dev/null
[ -p "$T/got/pipe" ] || bad "the pipe is gone"

begin "a place that cannot be is told before anything is fetched"
fresh
fetch --mirror "$ONE/good" --output "$T/got/nowhere/x.sh"
expect_status 1
expect_err "cannot write to the folder '$T/got/nowhere'"
expect_no_err mirror
expect_no_file "$T/cache/files"

begin "a pipe in the cache where a list should be does not hold"
fresh
mkdir -p "$T/cache/listings"
mkfifo "$T/cache/listings/$(printf %s "$ONE/none" | sha256sum | cut -c 1-16).json"
timeout 60 "$CONDENSE" releases resolve "$A" --offline --mirror "$ONE/none" >"$OUT" 2>"$ERR" </dev/null
STATUS=$?
expect_status 1
expect_err "no list of it is in the cache"

begin "closed 0, 1 and 2: no file of ours takes what was to be said there"
fresh
: >"$OUT"
: >"$ERR"
"$CONDENSE" releases fetch "$A" --sha256 "$HA" --mirror "$NOBODY/x" --mirror "$ONE/good" \
	--output "$T/got" <&- >&- 2>&-
STATUS=$?
expect_status 1 # where it lies could not be told
expect_whole
[ ! -s "$(find "$T/cache/files" -name '*.lock')" ] || bad "something was said to the lock file"

begin "a home that cannot be written: nothing is kept, and the file comes all the same"
fresh
: >"$T/file"
(
	unset CONDENSE_CACHE XDG_CACHE_HOME
	HOME=$T/file fetch --mirror "$ONE/good"
	echo "$STATUS" >"$T/status"
)
STATUS=$(cat "$T/status")
expect_status 0
expect_whole
expect_err "nothing is kept"

begin "a cache that cannot be used: an error with the way out"
fresh
: >"$T/file"
fetch --mirror "$ONE/good" --cache "$T/file/x"
expect_status 1
expect_err "--cache"
expect_nothing

# ---- faults by the test server -------------------------------------------------------------------
faulty()   # WORDS…: a TLS server of the good folder; both CAs are ours
{
	serve "$www/good" --tls "$@"
	cat "$tls/ours.pem" "$CA" >"$T/both.pem"
	SSL_CERT_FILE=$T/both.pem
}

begin "503 at first, then good"
fresh
faulty --rule '* status 503 x1'
fetch --mirror "$URL"
stop_server
expect_status 0
expect_whole
expect_err "HTTP 503"

begin "a truncated body: the rest comes from the next mirror"
fresh
faulty --rule '* truncate 1000000'
fetch --mirror "$URL" --mirror "$ONE/good"
expect_status 0
expect_whole
begin "a truncated body and no other mirror: an error, nothing under the final name"
fresh
fetch --mirror "$URL"
stop_server
expect_status 1
expect_no_file "$T/got/$A"
expect_same "$(find "$T/cache/files" -name "*$A")" ''

begin "a body that is cut off each time still comes together"
fresh
faulty --rule '* truncate 1600000 x1' --rule '* drop x1'
fetch --mirror "$URL" --retries 5
stop_server
expect_status 0
expect_whole

begin "a stall: the next mirror"
fresh
faulty --rule '* stall 100000'
fetch --mirror "$URL" --mirror "$ONE/good" --timeout 2 --retries 100
stop_server
expect_status 0
expect_whole
expect_err "no bytes came in time"

begin "wrong bytes once: asked again past caches"
fresh
faulty --rule '* corrupt x1'
fetch --mirror "$URL"
stop_server
expect_status 0
expect_whole

begin "through a proxy"
fresh
serve "$www"
http_proxy=$URL run releases fetch "$A" --sha256 "$HA" --output "$T/got" \
	--mirror http://archive.example/good
stop_server
expect_status 0
expect_whole
SSL_CERT_FILE=$tls/ours.pem

begin "passwords are in no message"
fresh
secret=$(echo "$ONE" | sed 's|https://|https://me:topsecret@|')
fetch --mirror "$secret/s403"
expect_status 1
expect_no_err topsecret
run releases list --mirror "$secret/s403"
expect_no_err topsecret
run releases mirrors --check --mirror "$secret/s403"
expect_no_out topsecret

# ---- lists ---------------------------------------------------------------------------------------
begin "a list in numeric order, of what follows the rule"
fresh
run releases list --mirror "$ONE/good" --python 3.13 --arch x86_64
expect_status 0
expect_same "$(cut -f 1 "$OUT" | cut -d _ -f 2 | cut -d - -f 1 | tr '\n' ' ')" '9.9.0 9.10.0 99.1.0 99.2.0 '
expect_no_out latest
expect_out "$A	$HA	3000000	2023-11-14	listed"

begin "filters"
run releases list --mirror "$ONE/good" --newest
expect_same "$(cut -f 1 "$OUT" | sort | tr '\n' ' ')" "Condense3-py312_99.1.0-0-Linux-x86_64.sh Condense3-py313_99.1.0-0-Linux-aarch64.sh $B "
run releases list --mirror "$ONE/good" --conda 99.1 --arch linux/arm64
expect_same "$(cut -f 1 "$OUT")" Condense3-py313_99.1.0-0-Linux-aarch64.sh
run releases list --mirror "$ONE/good" --product miniforge3
expect_status 1
expect_err "no release for 'Miniforge3'"

begin "as JSON"
run releases list --mirror "$ONE/good" --release 99.1.0-0 --python 3.13 --arch x86_64 --json
expect_status 0
expect_json "" "#1"
expect_json /0/name "$A"
expect_json /0/sha256 "$HA"
expect_json /0/python 3.13
expect_json /0/conda 99.1.0
expect_json /0/size 3000000
expect_json /0/pinned false

begin "offline: the last list and the pinned table"
run releases list --mirror "$ONE/good" --offline
expect_status 0
expect_out "$A	$HA"
expect_out "$PINNED	7358a5961dc6a4941d087281cd70313728fcc68695735e18a337321bc31c7f51	-	-	pinned"
expect_same "$(wc -l <"$OUT" | tr -d ' ')" $((pins + 6))
rm -rf "$T/cache"
run releases list --mirror "$ONE/good" --offline --product Miniconda3 --json
expect_json "" "#$pins"

begin "the page where there is no .files.json"
run releases list --mirror "$ONE/table" --arch x86_64
expect_status 0
expect_same "$(cat "$OUT")" "$A	$HA	3040870	2023-11-14	listed"

begin "a page that the web server makes"
run releases list --mirror "$ONE/auto"
expect_status 0
expect_same "$(cut -f 1,2,5 "$OUT" | tr '\n' ' ')" "$A	-	unknown $B	-	unknown "

begin "hostile names in a page are left out"
run releases list --mirror "$ONE/hostile"
expect_status 0
expect_same "$(cut -f 1,2 "$OUT")" "$B	$HB"

begin "a list of 100,000 rows, half of them hostile"
run releases list --mirror "$ONE/many"
expect_status 0
expect_same "$(wc -l <"$OUT" | tr -d ' ')" 50000
expect_same "$(grep -c -e / -e '<' "$OUT")" 0
run releases resolve --mirror "$ONE/many" $C3
expect_status 0
expect_out Condense3-py313_1.50000.0-0-Linux-x86_64.sh

begin "mirrors: none, empty, broken and good ones; the first with a match is taken"
run releases list --mirror "$NOBODY/x" --mirror "$ONE/none" --mirror "$ONE/good" --arch x86_64 --python 3.12
expect_status 0
expect_err "$NOBODY/x/.files.json"
expect_err "$ONE/none/"
expect_out Condense3-py312_99.1.0-0
run releases list --mirror "$NOBODY/x" --mirror "$ONE/s500"
expect_status 1
expect_err "no mirror can be asked"
expect_err "--offline"

begin "mirrors --check tells what each answers"
run releases mirrors --check --mirror "$NOBODY/x" --mirror "$ONE/good" --mirror "$ONE/s403"
expect_status 0
expect_out "$ONE/good	6 releases (.files.json), the newest is $B"
expect_out "HTTP 403"
run releases mirrors --check --mirror "$NOBODY/x" --mirror "$ONE/good" --json
expect_json /0/answers false
expect_json /1/releases 6
expect_json /1/newest "$B"
run releases mirrors --check --mirror "$NOBODY/x"
expect_status 1
run releases mirrors
expect_status 0
expect_text "$OUT" "https://repo.anaconda.com/miniconda	default
https://repo.continuum.io/miniconda	default"

# ---- what is meant, and what may be believed ------------------------------------------------------
begin "a pinned release needs no mirror to be resolved"
run releases resolve --python 3.13 --conda 26.5.3 --arch x86_64 --mirror "$NOBODY/x"
expect_status 0
expect_out "$PINNED	7358a5961dc6a4941d087281cd70313728fcc68695735e18a337321bc31c7f51"
expect_same "$(cat "$ERR")" ''

begin "a release that is not pinned is found, and fetched only with a word for it"
fresh
run releases resolve --conda 99.1 --python 3.13 $C3 --mirror "$ONE/good"
expect_status 0
expect_out "$A"
expect_err "not pinned"
run releases fetch --conda 99.1 --python 3.13 $C3 --mirror "$ONE/good" --output "$T/got"
expect_status 1
expect_err "is not pinned"
expect_err "--trust-listing"
expect_nothing
run releases fetch --conda 99.1 --python 3.13 $C3 --mirror "$ONE/good" --output "$T/got" --trust-listing
expect_status 0
expect_whole
expect_err "as the mirror lists it"

begin "a listed hash is that of the bytes, whoever serves them"
fresh
cp "$www/good/.files.json" "$www/wrong/.files.json"
run releases fetch "$A" --mirror "$ONE/wrong" --mirror "$TWO/good" --output "$T/got" --trust-listing
expect_status 0
expect_whole
expect_err "expected $HA"

begin "a list without hashes is not enough; one that has them may follow"
fresh
run releases fetch "$A" --mirror "$ONE/bare" --output "$T/got" --trust-listing
expect_status 1
expect_err "no mirror lists a sha256"
expect_nothing
run releases fetch "$A" --mirror "$ONE/bare" --mirror "$TWO/good" --output "$T/got" --trust-listing
expect_status 0
expect_whole

begin "newest counts what the mirrors list"
run releases resolve --newest --arch x86_64 --mirror "$ONE/good"
expect_status 0
expect_out "$B"
run releases resolve --newest --arch x86_64 --python 3.9 --mirror "$ONE/many"
expect_out Miniconda3-py39_25.9.1-3-Linux-x86_64.sh

begin "latest, odd names and odd hashes are refused"
run releases fetch Miniconda3-latest-Linux-x86_64.sh --mirror "$ONE/good"
expect_status 1
expect_err "its file changes"
expect_err "--newest"
run releases fetch ../x.sh --mirror "$ONE/good"
expect_status 1
expect_err "no name of a release"
run releases fetch "$A" --sha256 abc
expect_status 2
run releases list --mirror ''
expect_status 1
expect_err "'' is no mirror: it is empty"
run releases fetch "$A" --sha256 "$HA" --mirror "$ONE/good" --python 3.9 --output "$T/got"
expect_status 2
expect_err "--python and the whole name"
run releases fetch "$A" --mirror ftp://x/y
expect_status 1
expect_err "no mirror"
run releases fetch --conda latest
expect_status 2
run releases fetch --no-such-option
expect_status 2
run releases nonsense
expect_status 2
run releases
expect_status 2
run releases fetch --help
expect_status 0
expect_out --trust-listing

begin "a folder of our own is a mirror"
fresh
run releases list --mirror "$www/good" --arch x86_64 --python 3.13
expect_status 0
expect_same "$(cut -f 1,2 "$OUT" | tr '\n' ' ')" "$A	$HA $B	$HB "
run releases fetch $C3 --conda 99.1 --mirror "$www/good" --trust-listing --output "$T/got" --json
expect_status 0
expect_whole
expect_json /file "$T/got/$A"
expect_json /sha256 "$HA"
run releases fetch "$B" --mirror "file://$www/bare" --trust-listing --output "$T/got"
expect_status 1
run releases fetch "$B" --mirror "file://$www/bare" --sha256 "$HB" --output "$T/got/x/"
expect_status 0
expect_file "$T/got/x/$B"

# ---- verify --------------------------------------------------------------------------------------
begin "verify"
run releases verify "$www/good/$A" --sha256 "$HA"
expect_status 0
expect_out "ok, sha256 as given"
run releases verify "$www/good/$A" --sha256 "$HB"
expect_status 1
expect_err "expected $HB"
run releases verify "$www/wrong/$PINNED"
expect_status 1
expect_err "expected 7358a5961dc6a494"
run releases verify "$www/good/$A" "$T/nowhere" --json
expect_status 1
expect_json /0/ok false
expect_json /0/sha256 "$HA"
expect_json /1/ok false
run releases verify
expect_status 2

# ---- many processes, and an end in the middle ----------------------------------------------------
begin "many at once: one download, all have the file"
fresh
for i in 1 2 3 4 5; do
	"$CONDENSE" releases fetch "$A" --sha256 "$HA" --mirror "$ONE/once" --output "$T/got/$i.sh" \
		>"$T/many.$i" 2>&1 </dev/null &
	eval "pid$i=$!"
done
for i in 1 2 3 4 5; do
	eval "wait \$pid$i" || bad "process $i: $(cat "$T/many.$i")"
	expect_same "$(sum "$T/got/$i.sh")" "$HA"
done
expect_same "$(cat "$T"/many.? | grep -c 'from https')" 1

# slow: starts a download that takes a minute, and waits until a part of it is there
slow()
{
	"$CONDENSE" releases fetch "$A" --sha256 "$HA" --mirror "$ONE/slow" --output "$T/got" \
		>"$T/killed.out" 2>&1 </dev/null &
	pid=$!
	tries=0
	until [ -n "$(find "$T/cache/files" -name '*.part' -size +100k 2>/dev/null)" ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || { bad "no part file: $(cat "$T/killed.out")"; break; }
		sleep 0.1
	done
}

begin "kill -9 of the one that downloads: the one that waits goes on"
fresh
slow
"$CONDENSE" releases fetch "$A" --sha256 "$HA" --mirror "$ONE/good" --output "$T/got/x/" \
	>"$T/waits.out" 2>&1 </dev/null &
waits=$!
tries=0
until grep -q "waiting for another process" "$T/waits.out"; do
	tries=$((tries + 1))
	[ $tries -lt 600 ] || { bad "it does not wait: $(cat "$T/waits.out")"; break; }
	sleep 0.1
done
kill -9 $pid
wait $pid 2>/dev/null
wait $waits || bad "$(cat "$T/waits.out")"
expect_same "$(sum "$T/got/x/$A")" "$HA"
expect_no_file "$T/got/$A"

begin "SIGTERM without a cache: it cleans up"
fresh
"$CONDENSE" releases fetch "$A" --sha256 "$HA" --mirror "$ONE/slow" --output "$T/got" --cache '' \
	>"$T/killed.out" 2>&1 </dev/null &
pid=$!
tries=0
until [ -n "$(find "$T/got" -name '*.part' -size +100k 2>/dev/null)" ]; do
	tries=$((tries + 1))
	[ $tries -lt 600 ] || { bad "no part file: $(cat "$T/killed.out")"; break; }
	sleep 0.1
done
kill -TERM $pid
wait $pid
STATUS=$?
expect_status 130
expect_same "$(find "$T/got" -type f)" ''

begin "kill -9 in the middle: nothing under a final name, the next run goes on from there"
fresh
slow
kill -9 $pid
wait $pid 2>/dev/null
expect_no_file "$T/got/$A"
expect_same "$(find "$T/cache/files" -name "*$A")" ''
fetch --mirror "$TWO/good"
expect_status 0
expect_whole
expect_err "are there from a run before"
expect_same "$(find "$T/got" "$T/cache/files" -name '*.part')" ''

begin "what a killed run left may be wrong: noticed, and fetched whole"
fresh
mkdir -p "$T/cache/files"
head -c 50000 /dev/urandom >"$T/cache/files/$(echo "$HA" | cut -c 1-16)-$A.part"
fetch --mirror "$ONE/good"
expect_status 0
expect_whole

# The server writes its log at the end of each request: all is there once it is gone.
begin "the servers saw one download for many, and a range for the rest"
kill -QUIT "$NGINX_PID" 2>/dev/null
wait "$NGINX_PID" 2>/dev/null
servers=$(echo "$servers" | sed "s/ $NGINX_PID\$//")
expect_same "$(requests "/once/$A 200 -")" 1
expect_same "$(requests "$PORT2 /good/$A 206 bytes=")" 1

finish
