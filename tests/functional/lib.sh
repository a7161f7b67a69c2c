# lib.sh - for the functional tests: the built conda on channels made here, with a HOME of its own
# and no network but loopback. Sourced; prints TAP. A case is: run WORDS…, then expectations; the
# first line of each case is `begin NAME`.
#
#	$T          scratch folder, removed at the end      $R   base prefix of the tests
#	$OUT $ERR   what the last `run` printed             $STATUS  its exit status
set -u
T=$(mktemp -d) && T=$(cd "$T" && pwd -P)
HOME=$T/home R=$T/root
OUT=$T/out ERR=$T/err STATUS=0
count=0 failures=0 case_name='' case_ok=1 servers=''
mkdir -p "$HOME" "$R/conda-meta" "$R/bin"
: >"$R/conda-meta/history"
for name in $(env | sed -n 's/^\(_*CONDA[A-Z0-9_]*\)=.*/\1/p'); do
	[ "$name" = CONDA ] || unset "$name"
done
unset http_proxy https_proxy no_proxy all_proxy HTTP_PROXY HTTPS_PROXY XDG_CONFIG_HOME REQUESTS_CA_BUNDLE \
	CURL_CA_BUNDLE SSL_CERT_FILE || :
export HOME CONDA_ROOT_PREFIX="$R" CONDA_PKGS_DIRS="$T/pkgs" CONDA_ENVS_PATH="$T/envs"
export CONDA_REMOTE_BACKOFF_FACTOR=0 CONDA_REMOTE_MAX_RETRIES=1
umask 022

cleanup()
{
	for pid in $servers; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	chmod -R u+rwX "$T" 2>/dev/null
	rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

end_case()
{
	[ -n "$case_name" ] || return 0
	count=$((count + 1))
	if [ $case_ok = 1 ]; then
		echo "ok $count - $case_name"
	else
		echo "not ok $count - $case_name"
		failures=$((failures + 1))
	fi
}

begin()
{
	end_case
	case_name=$1 case_ok=1
}

# What went wrong, with what was printed.
bad()
{
	case_ok=0
	echo "# $case_name: $*"
	echo "# status $STATUS; stdout:"
	sed 's/^/#   /' "$OUT" | head -n 40
	echo "# stderr:"
	sed 's/^/#   /' "$ERR" | head -n 40
}

run()
{
	"$CONDA" "$@" >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
}

run_in()   # TEXT WORDS…: with the text on stdin
{
	text=$1
	shift
	printf '%s' "$text" | "$CONDA" "$@" >"$OUT" 2>"$ERR"
	STATUS=$?
}

expect_status() { [ "$STATUS" = "$1" ] || bad "status $STATUS, not $1"; }
expect_out() { grep -qF -e "$1" "$OUT" || bad "stdout lacks: $1"; }
expect_err() { grep -qF -e "$1" "$ERR" || bad "stderr lacks: $1"; }
expect_no_out() { ! grep -qF -e "$1" "$OUT" || bad "stdout has: $1"; }
expect_no_err() { ! grep -qF -e "$1" "$ERR" || bad "stderr has: $1"; }
expect_file() { [ -e "$1" ] || [ -L "$1" ] || bad "no file $1"; }
expect_no_file() { { [ ! -e "$1" ] && [ ! -L "$1" ]; } || bad "there is a file $1"; }
expect_text() { [ "$(cat "$1" 2>/dev/null)" = "$2" ] || bad "$1 holds '$(cat "$1" 2>&1)', not '$2'"; }
expect_same() { [ "$1" = "$2" ] || bad "'$1' is not '$2'"; }
# A jq expression over stdout must be true.
expect_json()
{
	"$JSONCHECK" "$OUT" "$1" "$2" 2>"$T/json.err" || bad "JSON: $1 is not $2: $(cat "$T/json.err")"
}

channel()   # NAME: makes $T/NAME out of the table on stdin
{
	"$MKCHANNEL" "$T/$1" >"$OUT" 2>"$ERR" || { bad "mkchannel $1"; cat "$ERR"; }
}

# serve FOLDER WORDS…: sets URL (and CA); what is started ends with the test.
serve()
{
	folder=$1
	shift
	: >"$T/serve.out"
	"$SERVE" --log "$T/serve.log" "$@" "$folder" >"$T/serve.out" 2>"$T/serve.err" &
	SERVER=$!
	servers="$servers $SERVER"
	tries=0
	until [ -s "$T/serve.out" ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || { echo "Bail out! no server"; exit 1; }
		sleep 0.1
	done
	URL=$(sed -n 1p "$T/serve.out")
	# Used by scripts that ask for TLS.
	# shellcheck disable=SC2034
	CA=$(sed -n 2p "$T/serve.out")
}

stop_server()
{
	kill "$SERVER" 2>/dev/null
	wait "$SERVER" 2>/dev/null
	servers=$(echo "$servers" | sed "s/ $SERVER\$//")
}

finish()
{
	end_case
	echo "1..$count"
	[ $failures = 0 ]
	exit
}
