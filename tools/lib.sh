# lib.sh - what every script under tools/ shares: settings, messages, locks, the Debian mirror.
# shellcheck shell=sh
# Sourced with $0 in tools/. Sets: root (the tree), build (its build folder), name (the caller).

name=$(basename "$0")
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=$root/build

say()
{
	printf '%s: %s\n' "$name" "$*" >&2
}

die()
{
	say "$@"
	exit 1
}

# die_hint MESSAGE HINT: an error and the next step for the user.
die_hint()
{
	say "$1"
	printf 'hint: %s\n' "$2" >&2
	exit 1
}

# unavailable MESSAGE HINT: what this machine cannot have, such as a mirror of others. The status
# is 77, which `make images` and the tests take for a skip.
unavailable()
{
	say "$1"
	printf 'hint: %s\n' "$2" >&2
	exit 77
}

# Read config/.env; a variable that the environment already has wins. Values may use the ones
# above them as ${NAME}. The image's name follows the other settings: where a shell has exported the
# file as it is, the name that it got from there is no choice of its own.
load_env()
{
	for env_key in IMAGE_NAME IMAGE; do
		eval "env_set=\${$env_key-}"
		# shellcheck source=/dev/null
		[ "$env_set" != "$(. "$root/config/.env" && eval "echo \"\$$env_key\"")" ] ||
			unset "$env_key"
	done
	while IFS= read -r env_line || [ -n "$env_line" ]; do
		case $env_line in
		[A-Z]*=*) ;;
		*) continue ;;
		esac
		env_key=${env_line%%=*}
		eval "env_set=\${$env_key+set}"
		[ -n "$env_set" ] || eval "$env_key=\"${env_line#*=}\""
		if [ "$env_key" = IMAGE_NAME ] && [ "$RELEASE" = miniconda ] &&
			[ "${IMAGE_NAME##*/}" = "conda:$VERSION" ]; then
			IMAGE_NAME=${IMAGE_NAME%/*}/miniconda3:$CONDA_VER
		fi
		export "${env_key?}"
	done <"$root/config/.env"
	unset env_line env_key env_set
	# compilers and others take an empty one for a wrong one
	[ -n "${SOURCE_DATE_EPOCH:-}" ] || unset SOURCE_DATE_EPOCH
}

# source_epoch [PATH...]: SOURCE_DATE_EPOCH; where it is empty, the time of the last commit (to the
# paths, if some are given), and without a repository the first day of VERSION's month.
source_epoch()
{
	epoch=${SOURCE_DATE_EPOCH:-}
	[ -n "$epoch" ] || epoch=$(git -C "$root" log -1 --format=%ct -- "$@" 2>/dev/null || :)
	if [ -z "$epoch" ]; then
		epoch=$(sed -n 's/^\([0-9]*\)\.\([0-9]*\)\..*/20\1-\2-01/p' "$root/VERSION")
		epoch=$(date -u -d "$epoch" +%s)
	fi
	echo "$epoch"
}

# take_lock NAME: one at a time on this tree, until the script ends. Children that outlive the
# script must close descriptor 9.
take_lock()
{
	mkdir -p "$build" 2>/dev/null && [ -w "$build" ] ||
		die_hint "the folder '$build' cannot be written" \
			"use a copy of the tree that is yours and that can be written"
	exec 9>"$build/.$1.lock"
	if ! flock -n 9; then
		say "waiting for another $1 to finish"
		flock 9
	fi
}

have()
{
	command -v "$1" >/dev/null 2>&1
}

# Every URI of the host's own apt sources, one per line, in both formats.
host_uris()
{
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
		sed -n 's/^deb\(-src\)\{0,1\} \(\[[^]]*\] *\)\{0,1\} *\([^ ]*\) .*/\3/p'
	cat /etc/apt/sources.list.d/*.sources 2>/dev/null |
		sed -n 's/^URIs: *//p' | tr ' ' '\n'
}

# The Debian mirror that everything is fetched from: MIRROR, else the host's own. Sets mirror
# and mirror_security (may be empty).
find_mirror()
{
	mirror=${MIRROR:-}
	mirror_security=${MIRROR:+${MIRROR%/}-security}
	if [ -z "$mirror" ]; then
		mirror=$(host_uris | sed -n '/\/debian\/*$/{p;q;}')
		mirror_security=$(host_uris | sed -n '/\/debian-security\/*$/{p;q;}')
	fi
	[ -n "$mirror" ] || die_hint "no Debian mirror is known" \
		"set MIRROR in config/.env to one, such as http://MIRROR-HOST/debian"
	mirror=${mirror%/}
	mirror_security=${mirror_security%/}
}

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# apt_root TYPE SUITE: an apt root of our own under build/apt, so that the host's sources, lists
# and status are neither used nor touched. The host's apt.conf (proxies) still applies.
# TYPE is deb or deb-src. Afterwards `apt_in COMMAND ...` and `apt_cache_in` work in it.
apt_root()
{
	find_mirror
	[ -e "$keyring" ] || die_hint "no Debian archive keyring" "run tools/setup"
	apt_dir=$build/apt/$2-$1
	mkdir -p "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial"
	: >"$apt_dir/status"
	{
		printf '%s [signed-by=%s] %s %s main\n' "$1" "$keyring" "$mirror" "$2"
		case $2 in
		sid | unstable) ;;
		*)
			printf '%s [signed-by=%s] %s %s-updates main\n' \
				"$1" "$keyring" "$mirror" "$2"
			[ -z "$mirror_security" ] ||
				printf '%s [signed-by=%s] %s %s-security main\n' \
					"$1" "$keyring" "$mirror_security" "$2"
			;;
		esac
	} >"$apt_dir/sources.list"
	apt_in get -qq update >"$apt_dir/update.log" 2>&1 || true
	apt_in cache dumpavail >/dev/null 2>&1 || true
	# What another mirror said before does not count; apt names the files after the address.
	apt_list=$(printf %s "${mirror#*://}" | sed 's,^[^/@]*@,,; s,_,%5f,g; s,/,_,g')
	ls "$apt_dir/lists/${apt_list}_dists_${2}_"*Release >/dev/null 2>&1 ||
		die_hint "the Debian mirror '$mirror' does not answer for suite '$2'" \
			"see $apt_dir/update.log; set MIRROR in config/.env to another"
}

# apt_in get|cache ARGUMENT...
apt_in()
{
	apt_tool=apt-$1
	shift
	"$apt_tool" -o "Dir::Etc::sourcelist=$apt_dir/sources.list" -o Dir::Etc::sourceparts=- \
		-o "Dir::State=$apt_dir" -o "Dir::State::status=$apt_dir/status" \
		-o "Dir::State::lists=$apt_dir/lists" -o "Dir::Cache=$apt_dir/cache" \
		-o APT::Sandbox::User= -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

# fetch_deb PACKAGE DIRECTORY: download one binary package within the apt root. A mirror may list
# a version that it does not hold: the next older one is taken then. Sets deb.
fetch_deb()
{
	for deb_version in $(apt_in cache show "$1" 2>/dev/null | sed -n 's/^Version: //p' |
		sort -V -r -u); do
		rm -f "$2/$1"_*.deb
		if (cd "$2" && apt_in get -qq download "$1=$deb_version" >"$1.log" 2>&1); then
			# shellcheck disable=SC2034 # the caller's
			deb=$(ls "$2/$1"_*.deb)
			return 0
		fi
	done
	die_hint "the mirror '$mirror' has no usable package '$1'" \
		"see $2/$1.log; set MIRROR in config/.env to another mirror"
}
