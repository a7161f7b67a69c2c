#!/bin/sh
# What README.md and docs/ name exists: make targets, files, settings, condense's commands and
# options, links.
set -u
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

# code FILE: what is written between backticks or fences, one piece a line.
code()
{
	awk '/^```/ { inside = !inside; next }
		inside { print; next }
		{ n = split($0, part, "`"); for (i = 2; i <= n; i += 2) print part[i] }' "$1"
}

# each PATTERN: the distinct matches in the code of the file.
each()
{
	code "$file" | grep -oE -e "$1" | sort -u
}

targets()
{
	each '(^|[ (])make( +[A-Z_]+=[^ ]*)* +[a-z]+' | sed 's/.* //' | while read -r target; do
		grep -qE "^$target:" Makefile || echo "make $target"
	done
}

paths()
{
	each '(^|[ "'\''(=./])(tools|tests|dist|docs|config|data|src|bench)/[A-Za-z0-9_./-]*' |
		sed 's/^[^a-z]*//; s/[.]$//; s,/DISTRO/,/debian/,' | while read -r path; do
		# what a user may bring
		[ -e "$path" ] || grep -qxF "/$path" .gitignore || echo "$path"
	done
}

settings()
{
	each '[A-Z][A-Z0-9]*_[A-Z0-9_]+|[A-Z]{3,}=' | sed 's/=$//' | while read -r key; do
		grep -rqwE "$key" config/.env src data dist tools tests/image tests/main.sh Makefile .github ||
			echo "$key"
	done
}

commands()
{
	each '(^|[ /(])condense( [a-z]+)+' | sed 's/^.*condense  *//' | while read -r first second _; do
		# A command with commands is followed by one, others by what they work on.
		words=$first
		[ -z "$second" ] || ! grep -rqE "\"$first [a-z]+\"" src/condense || words="$first $second"
		grep -rqE "\"$words\"" src/condense || echo "condense $words"
	done
}

options()
{
	{
		code "$file" | grep -E '(^|[ /(])condense +[a-z]' | grep -oE -e '--[a-z][a-z0-9-]+'
		code "$file" | grep -oE -e '^--[a-z][a-z0-9-]+'
	} | sort -u | while read -r option; do
		grep -rqE "\"${option#--}\"" src/condense || [ "$option" = --help ] ||
			grep -rqF -e "$option" tools tests/main.sh tests/image || echo "$option"
	done
}

links()
{
	sed -n 's/.*](\([^)#]*\)[^)]*).*/\1/p' "$file" | while read -r link; do
		case $link in
		*://* | '') continue ;;
		esac
		[ -e "$(dirname "$file")/$link" ] || echo "$link"
	done
}

# The checks themselves can fail.
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
file=$T/wrong.md
cat >"$file" <<'EOT'
Run `make nothing-there DISTRO=x`, `tools/none`, `condense unheard`, `condense releases unheard`,
`condense releases list --unheard` with `NO_SUCH_SETTING`, [as here](none.md), and make no words of it.
EOT
for check in targets paths settings commands options links; do
	[ -n "$($check)" ] && found='' || found=missed
	result "what does not exist is found: $check" "$found"
done

for file in $(tree_files 'README.md' 'SECURITY.md' 'docs/*.md'); do
	for check in targets paths settings commands options links; do
		result "$file: $check" "$($check)"
	done
done
finish
