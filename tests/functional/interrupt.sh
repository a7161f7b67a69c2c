#!/bin/sh
# Signals, two at once, a sudden death: nothing is left by half. Each step waits for the one before
# to be seen, in a file, never for a time.
. "$(dirname "$0")/lib.sh"

# Text that does not pack well, so that a download can stop in its middle.
noise=$(dd if=/dev/urandom bs=1000 count=30 2>/dev/null | od -An -v -tx1 | tr -d ' \n')
channel main <<TABLE
package big 1.0 0
  file share/big.txt
  | $noise
package lib 1.0 0
  file lib/lib.txt
  | lib
package tool 1.0 0
  file bin/tool
  | tool
package waits 1.0 0
  depends lib
  file share/waits.txt
  | waits
  script post-link
  | : >"\$PREFIX/reached"
  | n=0
  | while [ ! -e "\$PREFIX/go" ] && [ \$n -lt 1200 ]; do
  |   n=\$((n + 1))
  |   sleep 0.1
  | done
TABLE
cat >"$HOME/.condarc" <<E2
channels:
  - file://$T/main
default_channels: []
E2

# start WORDS…: in the background, with the signals that a terminal's program has (a shell gives
# its background jobs an ignored SIGINT).
start()
{
	env --default-signal=INT,TERM,HUP "$CONDA" "$@" >"$OUT" 2>"$ERR" </dev/null &
	pid=$!
}

stop()   # SIGNAL
{
	kill "-$1" "$pid"
	wait "$pid" 2>/dev/null
	STATUS=$?
}

until_true()   # COMMAND…
{
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || { bad "not within a minute: $*"; return; }
		sleep 0.1
	done
}

for signal in INT TERM HUP; do
	begin "SIG$signal while a download stands still"
	rm -rf "$T/pkgs"
	serve "$T/main" --rule '*big-1.0* stall 5000'
	start create -yq -n stalled -c "$URL" --override-channels big
	until_true [ -s "$T/pkgs/big-1.0-0.conda.part" ]
	stop $signal
	expect_status 130
	expect_no_file "$T/envs/stalled/share/big.txt"
	expect_no_file "$T/envs/stalled/conda-meta/big-1.0-0.json"
	expect_no_file "$T/pkgs/big-1.0-0.conda"
	expect_no_file "$T/pkgs/big-1.0-0/info"
	stop_server
done

begin "the next run goes on with it"
serve "$T/main"
run create -yq -n stalled -c "$URL" --override-channels big
expect_status 0
expect_same "$(wc -c <"$T/envs/stalled/share/big.txt")" 60001
expect_no_file "$T/pkgs/big-1.0-0.conda.part"
stop_server

begin "SIGTERM while the packages are linked"
run create -yq -n linked tool
start install -yq -n linked waits
until_true [ -e "$T/envs/linked/reached" ]
kill -TERM "$pid"
: >"$T/envs/linked/go"
wait "$pid"
STATUS=$?
expect_status 130
expect_no_file "$T/envs/linked/conda-meta/waits-1.0-0.json"
expect_no_file "$T/envs/linked/share/waits.txt"
expect_no_file "$T/envs/linked/lib/lib.txt"
run doctor -n linked
expect_status 0

begin "killed while the packages are linked: the next command cleans up"
run create -yq -n killed tool
start install -yq -n killed waits
until_true [ -e "$T/envs/killed/reached" ]
stop KILL
expect_status 137
: >"$T/envs/killed/go"
run install -yq -n killed lib
expect_status 0
expect_file "$T/envs/killed/lib/lib.txt"
expect_no_file "$T/envs/killed/share/waits.txt"
expect_no_file "$T/envs/killed/conda-meta/waits-1.0-0.json"
run doctor -n killed
expect_status 0
run install -yq -n killed waits
expect_status 0
expect_file "$T/envs/killed/share/waits.txt"

begin "one waits for the other, or says why not"
run create -yq -n both tool
start install -yq -n both waits
first=$pid
until_true [ -e "$T/envs/both/reached" ]
"$CONDA" install -yq -n both big >"$T/out2" 2>"$T/err2" </dev/null &
second=$!
: >"$T/envs/both/go"
wait "$first"
STATUS=$?
expect_status 0
wait "$second"
STATUS=$?
if [ $STATUS = 0 ]; then
	expect_file "$T/envs/both/share/big.txt"
else
	expect_no_file "$T/envs/both/share/big.txt"
	grep -q 'another conda' "$T/err2" || bad "it says: $(cat "$T/err2")"
fi
expect_file "$T/envs/both/share/waits.txt"
run doctor -n both
expect_status 0

finish
