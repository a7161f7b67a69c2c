#!/bin/sh
# python_behaviour - python_behaviour.txt against an installed release; prints TAP.
# usage: python_behaviour.sh PREFIX X.Y [LIST]
set -u
prefix=$1
py=$2
list=${3:-$(dirname "$0")/python_behaviour.txt}
scratch=$(mktemp -d) || exit 99
scratch=$(cd "$scratch" && pwd -P)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
PATH=$prefix/bin:/usr/bin:/bin
HOME=$scratch/home
TMPDIR=$scratch
PYTHONDONTWRITEBYTECODE=1
export PATH HOME TMPDIR PYTHONDONTWRITEBYTECODE
for name in $(env | sed -n 's/^\(PYTHON[A-Z]*\|SSL_CERT[A-Z_]*\|PIP_[A-Z_]*\|CONDA[A-Z_0-9]*\)=.*/\1/p'); do
	[ "$name" = PYTHONDONTWRITEBYTECODE ] || unset "$name"
done
mkdir -p "$HOME" "$scratch/run"
cd "$scratch/run" || exit 99

count=0
failures=0
while IFS= read -r line || [ -n "$line" ]; do
	case $line in
	'' | '#'*) continue ;;
	esac
	# NAME|CODE|ANSWER; '\|' is a pipe within CODE
	line=$(printf '%s\n' "$line" | sed -e 's/\\|/\x01/g' -e "s#@PREFIX@#$prefix#g" -e "s#@PY@#$py#g")
	name=${line%%|*}
	code=${line#*|}
	want=${code##*|}
	code=$(printf '%s\n' "${code%|*}" | tr '\001' '|')
	case $code in
	'!'*) got=$(sh -c "${code#!}" </dev/null 2>&1) ;;
	*) got=$("$prefix/bin/python" -c "$code" </dev/null 2>&1) ;;
	esac
	count=$((count + 1))
	# shellcheck disable=SC2254 # the answer is a pattern; brackets stand for themselves
	case $(printf '%s' "$got" | tr '[]' '()') in
	$(printf '%s' "$want" | tr '[]' '()')) echo "ok $count - $name" ;;
	*)
		echo "not ok $count - $name"
		failures=$((failures + 1))
		printf '%s\n' "$got" | sed 's/^/#   got: /'
		printf '#   want: %s\n' "$want"
		;;
	esac
done <"$list"
echo "1..$count"
[ "$failures" -eq 0 ]
