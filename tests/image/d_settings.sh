#!/bin/sh
# Section D, 71: one setting each for mirror, proxy, certificate and offline, which apt or apk, conda
# and pip all obey; secrets that reach them and nobody else; and what a hostile value does not do.
# The network is a container's of its own on 127.0.0.1 (tests/image/net).
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"
: >"$T/out"
: >"$T/err"
status=0

beside net -v "$tests:/tests:ro" "$IMAGE" /tests/net /beside
net_container=$container
net=$T/net
wait_for "$net/ports"
read -r http https proxy <"$net/ports"
case $os in
apt)
	# As the image has it, but for keys and names of the tests.
	cat >"$T/sources" <<-'END'
		Types: deb
		URIs: http://archive.invalid/debian
		Suites: test
		Components: main
		Signed-By: /etc/test.asc
	END
	sources=/etc/apt/sources.list.d/debian.sources
	key="-v $net/test.asc:/etc/test.asc:ro"
	archive=debian
	;;
apk)
	echo "http://archive.invalid/alpine/v3.20/main" >"$T/sources"
	sources=/etc/apk/repositories
	key="-v $net/test.rsa.pub:/etc/apk/keys/test.rsa.pub:ro"
	archive=alpine
	;;
esac
archives="-v $T/sources:$sources:ro $key"
list os 'tree\n'
list conda 'typing_extensions\n'
list pip 'soupsieve\n'
lists="$archives -v $T/os:$os_list:ro -v $T/conda:/tmp/conda_requirements.txt:ro
	-v $T/pip:/tmp/pip_requirements.txt:ro"
have='tree | grep "^tree 2.1.1" && python -c "import soupsieve, typing_extensions" && echo all'
chmod -R a+rX "$T"

# forget: what was asked for from here on is in $net/requests and $net/proxied.
forget()
{
	: >"$net/requests"
	: >"$net/proxied"
}

# asked NAME FILE SCHEME: each of the three was asked for in FILE, and nothing in another way.
asked()
{
	missing=
	for path in "/$archive/" /conda/ /pypi/; do
		grep -q "$3 \{0,1\}$path" "$2" || missing="$missing $path"
	done
	[ -z "$missing" ] || sed 's/^/# /' "$2"
	[ -z "$missing" ]
	result $? "$1"
}

# all TEXT FLAG...: a start with the three lists installs them.
all()
{
	text=$1
	shift
	forget
	# shellcheck disable=SC2086 # words
	run $lists "$@" "$have"
	is_like "$text" "*all"
}

# refuses TEXT STATUS MESSAGE FLAG...: a start that ends before its command, with a line.
refuses()
{
	text=$1 wanted=$2 message=$3
	shift 3
	forget
	# shellcheck disable=SC2086
	run $lists "$@" 'echo started'
	[ "$status" -eq "$wanted" ] && grep -q -- "$message" "$T/err" && [ ! -s "$T/out" ]
	result $? "$text"
}

# ---- mirror

as_default
all "71 a mirror for all of them" -e "CONDENSE_MIRROR=http://127.0.0.1:$http"
asked "71 … each of which asks the mirror" "$net/requests" http
as_host
all "71 a mirror for all of them" -e "CONDENSE_MIRROR=http://127.0.0.1:$http"
as_default
kinds="$archive=http://127.0.0.1:$http/$archive conda=http://127.0.0.1:$http/conda"
all "71 a mirror by kinds" -e "CONDENSE_MIRROR=$kinds pypi=http://127.0.0.1:$http/pypi/simple"
all "71 a mirror, but for what the user set himself" -e "CONDENSE_MIRROR=http://127.0.0.1:$http/no" \
	-e "CONDENSE_MIRROR=$kinds" -e "PIP_INDEX_URL=http://127.0.0.1:$http/pypi/simple"

# ---- proxy: the name mirror.test is the proxy's alone

through="-e CONDENSE_PROXY=http://walker:by%40the-door@127.0.0.1:$proxy"
# shellcheck disable=SC2086
all "71 a proxy for all of them" $through -e CONDENSE_MIRROR=http://mirror.test
asked "71 … each of which goes through it" "$net/proxied" http://mirror.test
[ "$(wc -l <"$net/proxied")" -eq "$(wc -l <"$net/requests")" ]
result $? "71 … and none around it"
! grep -qv ' walker:by@the-door$' "$net/proxied"
result $? "71 … with the user's name and password"

# ---- certificate

ca="-v $net/ca.pem:/ca.pem:ro -e CONDENSE_CA=/ca.pem"
# shellcheck disable=SC2086
all "71 a certificate for all of them" $ca -e "CONDENSE_MIRROR=https://localhost:$https"
asked "71 … each of which asks by TLS" "$net/requests" https
# shellcheck disable=SC2086
all "71 a certificate and a proxy" $ca $through -e CONDENSE_MIRROR=https://mirror.test
[ "$(sort -u "$net/proxied")" = "CONNECT mirror.test:443 walker:by@the-door" ]
result $? "71 … which leads to TLS"
refuses "71 without the certificate nothing is installed" 1 "is not installed" \
	-e "CONDENSE_MIRROR=https://localhost:$https"
! grep -q / "$net/requests"
result $? "71 … and nothing is asked for"
for each in conda pip; do
	run -v "$T/$each:/tmp/${each}_requirements.txt:ro" \
		-e "CONDENSE_MIRROR=https://localhost:$https" 'echo started'
	[ "$status" -ne 0 ] && [ ! -s "$T/out" ]
	result $? "71 … by $each neither"
done
said "71 … which the line says, with the setting" "pip does not install .*CERTIFICATE_VERIFY_FAILED.*CONDENSE_CA"

# shellcheck disable=SC2086
run $ca 'cat "$SSL_CERT_FILE" >/dev/null && cmp "$SSL_CERT_FILE" "$PIP_CERT" &&
	grep -c BEGIN.CERT "$SSL_CERT_FILE"'
[ "$status" -eq 0 ] && [ "$(cat "$T/out")" -gt 20 ]
result $? "71 the command has the image's authorities and the given one"

# ---- offline

here="-v $net/tree:/mirror:ro -e CONDENSE_MIRROR=file:///mirror -e CONDENSE_OFFLINE=1"
# shellcheck disable=SC2086
all "71 offline, from a folder" $here
! grep -q / "$net/requests"
result $? "71 … without the network"
refuses "71 offline, what needs the network is not tried: $os" 1 "the start is offline" \
	-e CONDENSE_OFFLINE=1 -e "CONDENSE_MIRROR=http://127.0.0.1:$http"
for each in conda pip; do
	run -v "$T/$each:/tmp/${each}_requirements.txt:ro" -e CONDENSE_OFFLINE=yes \
		-e "CONDENSE_MIRROR=http://127.0.0.1:$http" 'echo started'
	[ "$status" -ne 0 ] && [ ! -s "$T/out" ] && grep -q "the start is offline" "$T/err"
	result $? "71 offline, what needs the network is not tried: $each"
done
list url "# a comment\nhttp://127.0.0.1:$http/pypi/wheels/soupsieve-2.8-py3-none-any.whl\n"
run -v "$T/url:/tmp/pip_requirements.txt:ro" -e CONDENSE_OFFLINE=1 'echo started'
[ "$status" -ne 0 ] && grep -q "line 2: it needs the network" "$T/err"
result $? "71 offline, what needs the network is not tried: a URL"
! grep -q / "$net/requests"
result $? "71 … none of them"
run -e CONDENSE_OFFLINE=1 'conda config --show offline'
is "71 offline, with nothing to install" "offline: True"
refuses "71 a folder that the user can write is no mirror for OS packages" 1 "read-only" \
	-v "$net/tree:/mirror" -e CONDENSE_MIRROR=file:///mirror

# ---- the command

run -e "CONDENSE_MIRROR=https://m.test" -e CONDENSE_PROXY=http://p.test:3128 -e no_proxy=mine.test \
	-e PIP_CERT=/mine -e CONDENSE_OFFLINE=no 'conda config --show channel_alias
	for name in http_proxy https_proxy HTTP_PROXY HTTPS_PROXY no_proxy PIP_INDEX_URL PIP_CERT; do
		eval "echo $name=\$$name"
	done'
is "71 the command has what conda and pip read" "channel_alias: https://m.test/conda
http_proxy=http://p.test:3128
https_proxy=http://p.test:3128
HTTP_PROXY=http://p.test:3128
HTTPS_PROXY=http://p.test:3128
no_proxy=mine.test,localhost,127.0.0.1,::1
PIP_INDEX_URL=https://m.test/pypi/simple
PIP_CERT=/mine"

# ---- wrong and hostile values: a line, status 2, nothing done

cat "$net/server.pem" >"$T/private.pem"
echo nonsense >"$T/nonsense.pem"
chmod 644 "$T/private.pem" "$T/nonsense.pem"
mkfifo "$T/fifo.pem"
while IFS='|' read -r name value; do
	run -v "$T:/given:ro" -e "$name=$(printf '%b' "$value")" 'echo started'
	[ "$status" -eq 2 ] && [ ! -s "$T/out" ] && grep -q "'$name' is refused" "$T/err"
	result $? "71 refused: $name=$(printf %s "$value" | tr -d '\\\\')"
done <<-'END'
	CONDENSE_MIRROR|mirror.test
	CONDENSE_MIRROR|ftp://mirror.test
	CONDENSE_MIRROR|http://m rpm=http://n
	CONDENSE_MIRROR|http://m/$(id)
	CONDENSE_MIRROR|file:///x/../etc
	CONDENSE_PROXY|https://p:3128
	CONDENSE_PROXY|http://p:99999
	CONDENSE_PROXY|http://p\nAcquire::x "y";
	CONDENSE_PROXY|http://p/";DPkg::Pre-Invoke{"id";};"
	CONDENSE_CA|ca.pem
	CONDENSE_CA|/given/none.pem
	CONDENSE_CA|/given
	CONDENSE_CA|/given/fifo.pem
	CONDENSE_CA|/given/private.pem
	CONDENSE_CA|/given/nonsense.pem
	CONDENSE_CA|/etc/passwd
	CONDENSE_CA|/dev/zero
	CONDENSE_OFFLINE|maybe
END
run -v "$T:/given:ro" -e CONDENSE_CA=/given/private.pem 'echo started'
said "71 … with what it is: a private key" "'/given/private.pem': it holds a private key"
run -e CONDENSE_PROXY=http://u:hidden@p:x 'echo started'
[ "$status" -eq 2 ] && ! grep -q hidden "$T/err"
result $? "71 a refused value is not repeated"
run -e CONDENSE_PROXY="http://$(printf '%3000s' '' | tr ' ' x)" 'echo started'
ended "71 refused: a value without end" 2
run -e CONDENSE_CA=/etc/shadow 'echo started'
[ "$status" -eq 2 ] && grep -q "Permission denied" "$T/err"
result $? "79 a certificate is read with the user's rights"

# ---- what a hostile transport can do

refuses "71 what no known key signs is not installed" 1 "is not installed" \
	-e "CONDENSE_MIRROR=http://127.0.0.1:$http/unsigned"
grep -q "/unsigned/$archive/" "$net/requests"
result $? "71 … though it is there"
if [ "$os" = apt ]; then
	sed 's/^Types/Trusted: yes\n&/' "$T/sources" >"$T/trusting"
	forget
	# shellcheck disable=SC2086
	run $key -v "$T/trusting:$sources:ro" -v "$T/os:$os_list:ro" \
		-e "CONDENSE_MIRROR=http://127.0.0.1:$http/unsigned" 'echo started'
	[ "$status" -eq 2 ] && ! grep -q / "$net/requests"
	result $? "71 an archive that root trusts unsigned is not for a mirror of the user's"
fi
up outside $archives -v "$T/os:/tmp/other.txt:ro"
in_container -e "${os_variable}=/tmp/other.txt" -e "CONDENSE_MIRROR=http://127.0.0.1:$http" \
	"$container" /startup
ended "89 no mirror outside of a start" 2
in_container "$container" sh -c 'apk info -e tree || dpkg-query -W tree'
[ "$status" -ne 0 ]
result $? "89 … and nothing is installed"
down

# ---- the policy

policy()
{
	mkdir -p "$T/context"
	{
		echo account anaconda
		printf '%b' "$2"
	} >"$T/context/policy"
	tested=${tested:-$IMAGE}
	image "$1" --build-arg "FROM=$tested" <<-'END'
		ARG FROM
		FROM $FROM
		COPY --chmod=644 policy /etc/condense/policy
	END
	[ "$status" -eq 0 ] || result 1 "71 an image with a policy"
	IMAGE=$tag
}

policy settings-start "mirror http://127.0.0.1:$http\n"
all "71 a mirror that the policy names"
refuses "71 the user's own instead" 1 "is not installed" \
	-e "CONDENSE_MIRROR=http://127.0.0.1:$http/unsigned"
policy settings-fixed "mirror http://127.0.0.1:$http\nsettings policy\n"
all "71 but not where it says 'settings policy'" \
	-e "CONDENSE_MIRROR=http://127.0.0.1:$http/unsigned"
said "71 … with a line" "'CONDENSE_MIRROR' has no effect"
policy settings-folder "mirror file:///mirror\noffline yes\n"
all "71 a folder that root trusts, and offline" -v "$net/tree:/mirror"
policy settings-wrong "proxy nonsense\n"
run 'echo started'
[ "$status" -eq 2 ] && grep -q "line 2: 'proxy' is refused" "$T/err"
result $? "94 a policy with a wrong value"
IMAGE=$tested

# ---- secrets: for the stages, and for nobody else

password=s3cret-of-the-archive
mkdir "$T/secrets"
printf '# of the tests\nmachine 127.0.0.1 login reader\n\tpassword %s\n' "$password" \
	>"$T/secrets/netrc"
chmod -R a+rX "$T/secrets"
private="-e CONDENSE_MIRROR=http://127.0.0.1:$http/private"

# clean TEXT FILE...: none of the files has the password.
clean()
{
	text=$1
	shift
	! grep -aqF "$password" "$@"
	result $? "$text"
}

refuses "71 without its password, nothing of a private mirror" 1 "is not installed" \
	-e "CONDENSE_MIRROR=http://127.0.0.1:$http/private"
# shellcheck disable=SC2086
all "71 netrc as a secret" $private -v "$T/secrets:/run/secrets:ro"
asked "71 … is for each of them" "$net/requests" "http /private"
clean "71 … and shows in no message" "$T/out" "$T/err"
# shellcheck disable=SC2086
all "71 a mirror's URL with a password" \
	-e "CONDENSE_MIRROR=http://reader:$password@127.0.0.1:$http/private"
asked "71 … is for each of them" "$net/requests" "http /private"
clean "71 … and shows in no message" "$T/out" "$T/err"
printf 'machine 127.0.0.1 login reader password wrong-%s\n' "$password" >"$T/wrong"
chmod 644 "$T/wrong"
# shellcheck disable=SC2086
refuses "71 a wrong password" 1 "is not installed" $private -v "$T/wrong:/run/secrets/netrc:ro"
clean "71 … shows in no message" "$T/out" "$T/err"

# files TEXT FILE CONTENT: conda's and pip's own files as secrets.
printf '[global]\nindex-url = http://reader:%s@127.0.0.1:%s/private/pypi/simple\n' \
	"$password" "$http" >"$T/pip.conf"
printf 'channel_alias: http://reader:%s@127.0.0.1:%s/private/conda\n' "$password" "$http" \
	>"$T/condarc"
chmod 644 "$T/pip.conf" "$T/condarc"
forget
run -v "$T/conda:/tmp/conda_requirements.txt:ro" -v "$T/pip:/tmp/pip_requirements.txt:ro" \
	-v "$T/pip.conf:/run/secrets/pip.conf:ro" -v "$T/condarc:/run/secrets/condarc:ro" \
	'python -c "import soupsieve, typing_extensions" && env && cat /opt/conda/conda-meta/*.json'
ended "71 pip.conf and condarc as secrets" 0
for path in conda pypi; do
	grep -q "http /private/$path/.*$password" "$net/requests"
	result $? "71 … with the password for $path"
done
clean "71 … which shows in no message, variable or record" "$T/out" "$T/err"
! grep -q '^\(NETRC\|PIP_CONFIG_FILE\|CONDARC\)=' "$T/out"
result $? "71 … and the command has none of them"

# While one of them waits for its answer: what others see of the processes and files.
# seen: the arguments of all processes as root sees them, the variables of all that are the user's.
# shellcheck disable=SC2016 # for the container
seen='for p in /proc/[0-9]*; do
	cat $p/cmdline
	[ "$(stat -c %u $p)" = 0 ] || cat $p/environ
done 2>/dev/null | tr "\0" "\n"
find /var/lib/condense /tmp /opt/conda/.condense -type f -perm -004 -exec cat {} + 2>/dev/null'
for each in os conda pip; do
	rm -f "$net/held"
	: >"$net/hold"
	container=cda-held-$each-$$
	path=/tmp/${each}_requirements.txt
	[ "$each" != os ] || path=$os_list
	# shellcheck disable=SC2086
	docker run -d --name "$container" --network host --label "$label" $archives $private \
		-v "$T/secrets:/run/secrets:ro" -v "$T/$each:$path:ro" "$IMAGE" \
		sh -c 'env; echo started; exec tail -f /dev/null' >/dev/null 2>"$T/err"
	wait_for "$net/held"
	in_container -u 0 "$container" sh -c "$seen"
	status=0
	clean "71 no password in processes and files: $each" "$T/out"
	in_container "$container" sh -c 'cat /var/lib/condense/transport/*'
	status=0
	clean "71 … nor for the user in root's files" "$T/out"
	rm -f "$net/hold"
	wait_for_start 1
	result $? "71 … and then it is installed"
	docker logs "$container" >"$T/out" 2>"$T/err"
	clean "71 … nor in the log or the command's environment" "$T/out" "$T/err"
	docker diff "$container" | grep /condense/transport >"$T/out"
	[ ! -s "$T/out" ]
	result $? "71 … no file stays"
	docker export "$container" | grep -aqF "$password"
	[ $? -eq 1 ]
	result $? "71 … nor the password in any"
	down
done

# A start that is killed leaves files; the next one removes them.
rm -f "$net/held"
: >"$net/hold"
container=cda-killed-$$
# shellcheck disable=SC2086
docker run -d --name "$container" --network host --label "$label" $archives $private \
	-v "$T/secrets:/run/secrets:ro" "$IMAGE" \
	sh -c 'echo started; exec tail -f /dev/null' >/dev/null 2>"$T/err"
wait_for_start 1
docker stop -t 5 "$container" >/dev/null
docker cp "$T/os" "$container:$os_list" >/dev/null
docker start "$container" >/dev/null
wait_for "$net/held"
docker kill -s KILL "$container" >/dev/null
docker wait "$container" >/dev/null
docker export "$container" | grep -aqF "$password"
result $? "71 a start that is killed leaves its files"
rm -f "$net/hold"
docker cp "$T/pip" "$container:$os_list" >/dev/null
echo '# nothing' >"$T/nothing"
docker cp "$T/nothing" "$container:$os_list" >/dev/null
docker start "$container" >/dev/null
wait_for_start 2
docker export "$container" | grep -aqF "$password"
[ $? -eq 1 ]
result $? "71 … which the next one removes"
down

# ---- secrets that are none

printf 'machine 127.0.0.1\nlogin reader\nmacdef x\n' >"$T/bad"
printf 'machine 127.0.0.1 login reader password %s\n' "$password" >"$T/roots"
chmod 644 "$T/bad"
chmod 600 "$T/roots"
forget
# shellcheck disable=SC2086
run $archives $private -v "$T/os:$os_list:ro" -v "$T/bad:/run/secrets/netrc:ro" 'echo started'
[ "$status" -eq 1 ] && grep -q "'/run/secrets/netrc' line 3" "$T/err"
result $? "71 a netrc that is none"
# shellcheck disable=SC2086
run $archives $private -v "$T/os:$os_list:ro" -v "$T/roots:/run/secrets/netrc:ro" 'echo started'
[ "$status" -eq 1 ] && ! grep -q reader "$net/requests"
result $? "79 a netrc that the user cannot read is not sent for the user"
mkdir -p "$T/links"
ln -s /etc/shadow "$T/links/netrc"
# shellcheck disable=SC2086
run $archives $private -v "$T/os:$os_list:ro" -v "$T/links:/run/secrets:ro" 'echo started'
[ "$status" -eq 1 ] && ! grep -q 'root:' "$T/err"
result $? "79 a netrc that is a link"

# ---- in a build

if docker buildx version >/dev/null 2>&1; then
	mkdir -p "$T/context"
	cp "$T/sources" "$T/context/sources"
	cp "$net/test.asc" "$T/context/test.asc"
	cp "$net/test.rsa.pub" "$T/context/test.rsa.pub" 2>/dev/null || : >"$T/context/test.rsa.pub"
	image settings-build --secret "id=netrc,src=$T/secrets/netrc" --no-cache <<-END
		FROM $IMAGE
		USER root
		COPY sources $sources
		COPY test.asc /etc/test.asc
		COPY test.rsa.pub /etc/apk/keys/test.rsa.pub
		USER anaconda:anaconda
		RUN --mount=type=secret,id=netrc,uid=3000 \\
			echo tree >\$$os_variable && echo soupsieve >\$PIP_REQUIREMENTS && \\
			echo typing_extensions >\$CONDA_REQUIREMENTS && \\
			CONDENSE_MIRROR=http://127.0.0.1:$http/private /entrypoint.sh echo done
	END
	ended "71 a secret of a build" 0
	clean "71 … shows in no message" "$T/out" "$T/err"
	docker history --no-trunc "$tag" >"$T/out"
	clean "71 … nor in the history" "$T/out"
	mkdir "$T/saved"
	docker save "$tag" | tar -x -C "$T/saved"
	find "$T/saved" -type f -exec gzip -cdf {} + 2>/dev/null | grep -aqF "$password"
	[ $? -eq 1 ]
	result $? "71 … nor in a layer"
	IMAGE=$tag
	run "$have"
	is_like "71 … and all is installed" "*all"
	IMAGE=$tested
else
	skip "71 a secret of a build" "there is no buildx"
fi
container=$net_container
finish
