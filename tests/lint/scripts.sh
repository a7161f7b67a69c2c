#!/bin/sh
# Every shell script, by its first line, passes shellcheck.
set -u
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

for file in $(tree_files '*'); do
	case $file in
	*.c | *.h | *.json | *.md | *.txt | *.yml | *.yaml) continue ;;
	esac
	head -n 1 "$file" | tr -d '\0' |
		grep -qE '^#!.*[ /](ba|da)?sh([ ]|$)|^# .*\.sh - ' || continue
	if ! command -v shellcheck >/dev/null; then
		skip "$file" "no shellcheck"
	else
		result "$file" "$(shellcheck -x -e SC1090,SC1091 --severity=style --format=gcc "$file" 2>&1)"
	fi
done
finish
