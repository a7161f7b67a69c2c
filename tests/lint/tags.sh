#!/bin/sh
# tools/tags: which names a build is published under, in a small tree of its own.
set -u
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
mkdir -p "$T/tools" "$T/config"
cp tools/tags tools/lib.sh "$T/tools/"
cp config/.env "$T/config/"
unset RELEASE VERSION CONDA_VER PY_VER DISTRO IMAGE IMAGE_NAME REGISTRY
eval "$(grep -E '^(VERSION|CONDA_VER|PY_VER)=' config/.env)"
ours=condense/conda:$VERSION-py$PY_VER
result "config/.env and the file VERSION agree" "$(echo "$VERSION" | diff VERSION -)"
theirs=condense/miniconda3:$CONDA_VER-py$PY_VER

# gives NAME EXPECTED [VARIABLE=VALUE]...
gives()
{
	name=$1
	printf '%s\n' "$2" | sed 's/^[[:space:]]*//' >"$T/expected"
	shift 2
	env "$@" "$T/tools/tags" >"$T/said" 2>&1
	result "$name" "$(diff "$T/expected" "$T/said")"
}

gives "without git: the name and latest" "$ours-debian
	condense/conda:latest" DISTRO=debian
git -C "$T" init -q
printf '/expected\n/said\n' >"$T/.gitignore"
git -C "$T" add tools config .gitignore
git -C "$T" -c user.name=t -c user.email=t@localhost -c commit.gpgsign=false commit -q -m tree
commit=$(git -C "$T" rev-parse HEAD | cut -c 1-7)
gives "with the commit" "$ours-debian
	$ours-debian-$commit
	condense/conda:latest" DISTRO=debian
gives "Alpine is not latest" "$ours-alpine
	$ours-alpine-$commit" DISTRO=alpine
gives "the Miniconda family" "$theirs-debian
	$theirs-debian-$commit
	condense/miniconda3:latest" DISTRO=debian RELEASE=miniconda
gives "another Python is not latest" "condense/conda:$VERSION-py3.1-debian
	condense/conda:$VERSION-py3.1-debian-$commit" DISTRO=debian PY_VER=3.1
gives "a registry goes before" "host.example:5000/team/$ours-alpine
	host.example:5000/team/$ours-alpine-$commit" DISTRO=alpine REGISTRY=host.example:5000/team/
gives "a repository of one's own" "mine/conda:1-py$PY_VER-debian
	mine/conda:1-py$PY_VER-debian-$commit
	mine/conda:latest" DISTRO=debian IMAGE_NAME=mine/conda:1
echo '# changed' >>"$T/tools/lib.sh"
gives "a changed tree is no commit" "$ours-debian
	condense/conda:latest" DISTRO=debian
"$T/tools/tags" --env >"$T/said"
result "settings for an environment" "$(grep -vxE "(VERSION|IMAGE_NAME|IMAGE)=[^ ]+" "$T/said")"
finish
