#!/bin/sh
# No word of words.txt is in the tree, and what is written twice agrees.
set -u
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

words=tests/lint/words.txt
[ "$(printf 'an unfinished %s\n' "TO""DO" | grep -cEf "$words")" = 1 ] && found='' || found=missed
result "a word that stands for unfinished work is found" "$found"

for folder in $(tree_files '*' | sed 's,/.*,,' | sort -u); do
	found=$(tree_files "$folder" "$folder/*" |
		grep -vE '^(tests/lint/words\.|tests/conformance/.*\.json$|LICENSE$)' |
		tr '\n' '\0' | xargs -0 -r grep -nIHEf "$words")
	result "$folder" "$found"
done

version=$(sed -n 's/^VERSION=//p' config/.env)
found=
[ "$(cat VERSION)" = "$version" ] || found="VERSION has $(cat VERSION), config/.env has $version"
result "VERSION and config/.env agree" "$found"
result "every setting has a comment" "$(awk '
	/^#/ { comment = 1; next }
	/^[A-Z]/ { if (!comment) print $0; next }
	{ comment = 0 }' config/.env)"
finish
