#!/bin/sh
# C files are as clang-format 14 writes them; no file of src is longer than 600 lines.
set -u
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

tool=
for candidate in clang-format-14 clang-format; do
	case $($candidate --version 2>/dev/null) in
	*'version 14.'*)
		tool=$candidate
		break
		;;
	esac
done

for folder in $(tree_files '*.c' '*.h' | sed 's,/[^/]*$,,' | sort -u); do
	files=$(tree_files "$folder/*.c" "$folder/*.h" | awk -v f="$folder/" \
		'index(substr($0, length(f) + 1), "/") == 0')
	if [ -z "$tool" ]; then
		skip "$folder" "no clang-format 14"
		continue
	fi
	# shellcheck disable=SC2086 # a list of our own file names
	result "$folder" "$($tool --dry-run --Werror --style=file $files 2>&1 |
		sed -n 's/^\([^ ]*:[0-9]*\):[0-9]*: error.*/\1 is not as clang-format writes it/p' |
		awk -F: '!seen[$1]++')"
done

long=$(tree_files 'src/*.c' 'src/*.h' 'src/*/*.c' 'src/*/*.h' | sort -u |
	while IFS= read -r file; do
		lines=$(wc -l <"$file")
		[ "$lines" -le 600 ] || echo "$file has $lines lines"
	done)
result "no source file is longer than 600 lines" "$long"
finish
