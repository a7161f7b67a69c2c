#!/bin/sh
# Channels over HTTP and HTTPS: caching, faults, credentials.
. "$(dirname "$0")/lib.sh"

channel main <<'TABLE'
package hello 1.0 0
  file share/hello.txt
  | hello
package bad 1.0 0
  extra "sha256": "0000000000000000000000000000000000000000000000000000000000000000"
TABLE
cat >"$HOME/.condarc" <<'E2'
default_channels: []
aggressive_update_packages: []
E2

serve "$T/main"
begin "packages come over HTTP"
run create -yq -n h -c "$URL" --override-channels hello
expect_status 0
expect_text "$T/envs/h/share/hello.txt" hello

begin "a wrong sha256 is refused and nothing stays"
run create -yq -n bad -c "$URL" --override-channels bad
expect_status 1
expect_err sha256
expect_no_file "$T/envs/bad/conda-meta/bad-1.0-0.json"
expect_no_file "$T/pkgs/bad-1.0-0.conda"

begin "a second run asks whether the index changed, and takes no package twice"
stop_server
serve "$T/main"
run create -yq -n h2 -c "$URL" --override-channels hello
expect_status 0

begin "offline: what is cached is enough"
run create -yq -n h3 --offline -c "$URL" --override-channels hello
expect_status 0
stop_server

begin "a server that is gone"
rm -rf "$T/pkgs/cache"
run create -yq -n gone -c "$URL" --override-channels hello=2
expect_status 1
expect_err "$URL"

begin "no such channel"
serve "$T/main"
run search -c "$URL/absent" --override-channels hello
expect_status 1
expect_err "$URL/absent"
stop_server

begin "a server that answers at the second try"
rm -rf "$T/pkgs"
serve "$T/main" --rule '*hello-1.0* status 503 x1'
run create -yq -n retried -c "$URL" --override-channels hello
expect_status 0
stop_server

begin "passwords are in no message"
serve "$T/main" --rule '* status 403'
secret=$(echo "$URL" | sed 's|http://|http://me:topsecret@|')
run search -c "$secret" --override-channels hello
expect_status 1
expect_no_err topsecret
expect_no_out topsecret
stop_server

begin "TLS with a CA of one's own"
serve "$T/main" --tls
run search -c "$URL" --override-channels hello
expect_status 1
printf 'ssl_verify: %s\n' "$CA" >>"$HOME/.condarc"
run search -c "$URL" --override-channels hello
expect_status 0
expect_out "1.0"
stop_server

finish
