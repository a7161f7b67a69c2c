# lib.sh - what the lint tests share: TAP, and the tree's own files.
# shellcheck shell=sh

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root" || exit 1
number=0
failed=0

# result NAME [FINDINGS]: ok when there are no findings, which are printed otherwise.
result()
{
	number=$((number + 1))
	if [ -z "${2:-}" ]; then
		echo "ok $number - $1"
	else
		printf '%s\n' "$2" | head -n 40 | sed 's/^/# /'
		echo "not ok $number - $1"
		failed=1
	fi
}

# skip NAME REASON; with MUST_RUN=1 that is a failure.
skip()
{
	if [ "${MUST_RUN:-0}" = 1 ]; then
		result "$1" "skipped though MUST_RUN=1: $2"
	else
		number=$((number + 1))
		echo "ok $number - $1 # SKIP $2"
	fi
}

# Files of the tree that match the patterns: the tracked and the new ones, without what is built.
tree_files()
{
	if git -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
		git -c safe.directory='*' ls-files --cached --others --exclude-standard -- "$@"
	else
		for pattern; do
			find . -path ./build -prune -o -type f -path "./$pattern" -print
		done | sed 's,^\./,,'
	fi | sort -u | while IFS= read -r file; do
		if [ -f "$file" ] && [ ! -L "$file" ]; then
			printf '%s\n' "$file"
		fi
	done
}

finish()
{
	echo "1..$number"
	exit "$failed"
}
