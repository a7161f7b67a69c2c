#!/bin/sh
# Each layer includes only what arrows.txt allows: other layers, and third-party headers.
set -u
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

table=tests/lint/arrows.txt
third='^(openssl/|zstd|zdict|yyjson|yaml|curl/|archive|solv/|zlib|bzlib|lzma|nghttp2/|ares|expat|libxml)'

# check LAYER TABLE: one line per include in LAYER's files that the table does not allow. Reads
# `file:line:#include ...` lines.
check()
{
	awk -v layer="$1" -v third="$third" '
		FNR == NR {
			if ($0 ~ /^(#|$)/)
				next
			split($0, halves, "|")
			split(halves[1], name, ":")
			known[name[1]] = 1
			if (name[1] == layer) {
				count = split(name[2], list, " ")
				for (i = 1; i <= count; i++)
					allowed[list[i]] = 1
				headers = split(halves[2], prefix, " ")
			}
			next
		}
		!(layer in known) { print "no row for " layer " in the table"; exit }
		match($0, /[<"][^>"]+[>"]/) {
			target = substr($0, RSTART + 1, RLENGTH - 2)
			quoted = substr($0, RSTART, 1) == "\""
			split(target, part, "/")
			if (quoted && (target !~ /\// || part[1] == layer || part[1] in allowed))
				next
			if (!quoted) {
				if (target !~ third)
					next
				for (i = 1; i <= headers; i++)
					if (index(target, prefix[i]) == 1)
						next
			}
			print
		}' "$2" -
}

# The check itself must be able to fail.
probe='f.c:1:#include "net/http.h"
f.c:2:#include <curl/curl.h>
f.c:3:#include "util/err.h"
f.c:4:#include <stdio.h>'
found=$(printf '%s\n' "$probe" | check core "$table" | cut -d: -f2 | tr '\n' ' ')
[ "$found" = "1 2 " ] && found=
result "a forbidden arrow is found" "$found"

for layer in src/*/; do
	layer=$(basename "$layer")
	files=$(tree_files "src/$layer/*.[ch]" "src/$layer/*.def")
	[ -n "$files" ] || continue
	# shellcheck disable=SC2086 # a list of our own file names
	result "$layer" "$(grep -nE '^[ 	]*#[ 	]*include' /dev/null $files |
		check "$layer" "$table")"
done
finish
