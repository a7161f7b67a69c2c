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
		# Not: what cannot be followed, and what a sourced file sets for its reader.
		shell=
		head -n 1 "$file" | grep -q '^#!' || shell=--shell=sh
		result "$file" "$(shellcheck -x -e SC1090,SC1091,SC2034 --severity=warning \
			--format=gcc ${shell:+"$shell"} "$file" 2>&1)"
	fi
done
finish
