#!/bin/sh
# A stand-in for a Miniconda release, made for tests: not Miniconda, and nothing of it is inside.
#
# NAME: @NAME@
# MD5: @MD5@
# It has the shape that the real ones have: this text, then an archive; the options of theirs; a
# licence to be accepted where somebody can; a look at the C library; packages in a folder that is
# moved to PREFIX by rewriting the old name in its files.

payload_line=@LINES@
placeholder='@PLACEHOLDER@'
glibc_wanted=2.28

case $0 in
*.sh) ;;
*)
	echo 'Run it as a file: sh NAME.sh, not with "." or "source".' >&2
	exit 1
	;;
esac
THIS_FILE=$0
PREFIX=${HOME:-/opt}/miniconda3
BATCH=0
FORCE=0
UPDATE=0

while getopts bifhkp:sumt option; do
	case $option in
	h)
		cat <<EOF
usage: $0 [options]

Installs a stand-in for miniconda3, made for tests.

-b           run without questions: accepts the licence, changes no shell's files
-f           install although PREFIX exists
-h           this text
-p PREFIX    where to install [$PREFIX]
-s           no package scripts
-u           update what is in PREFIX
EOF
		exit 0
		;;
	b) BATCH=1 ;;
	i) BATCH=0 ;;
	f) FORCE=1 ;;
	u) UPDATE=1 ;;
	p) PREFIX=$OPTARG ;;
	k | s | m | t) ;;
	*) exit 1 ;;
	esac
done

# ---- the C library: @SEARCH@
version_at_least()
{
	[ "$(printf '%s\n%s\n' "$2" "$1" | sort -t . -k 1,1n -k 2,2n | head -n 1)" = "$2" ]
}
case $(ldd --version 2>&1) in
*musl*)
@GLIBC@
	;;
*)
	glibc=$(ldd --version | sed -n '1s/.* //p')
	;;
esac
if ! version_at_least "${glibc:-0}" "$glibc_wanted"; then
	echo "This needs a C library of at least GLIBC >=$glibc_wanted, and there is '${glibc:-none}'." >&2
	exit 1
fi

# ---- the licence and the folder
if [ "$BATCH" = 0 ]; then
	cat <<'EOF'
LICENCE OF A STAND-IN

There is nothing to agree to: the files are those of free software that the test built. The real
release shows terms here, and they bind whoever accepts them.
EOF
	printf '\nDo you accept the licence terms? [yes|no]\n>>> '
	read -r answer || exit 2
	case $answer in
	[Yy][Ee][Ss]) ;;
	*) exit 2 ;;
	esac
fi
case $PREFIX in
*[[:space:]]*)
	echo 'ERROR: a folder with blanks in its name' >&2
	exit 1
	;;
esac
if [ "$FORCE$UPDATE" = 00 ] && [ -e "$PREFIX" ]; then
	printf 'ERROR: File or directory already exists: %s\n' "'$PREFIX'" >&2
	echo 'To update it, use -u; to install over it, -f.' >&2
	exit 1
fi
mkdir -p "$PREFIX" || exit 1
PREFIX=$(cd "$PREFIX" && pwd)
echo "PREFIX=$PREFIX"

# ---- the payload
sum=$(tail -n "+$payload_line" "$THIS_FILE" | md5sum | cut -d ' ' -f 1)
[ "$sum" = '@MD5@' ] || echo "WARNING: md5sum mismatch of tar archive" >&2
echo "Unpacking payload ..."
tail -n "+$payload_line" "$THIS_FILE" | tar -xzf - -C "$PREFIX" || exit 1

# The release's own Python moves the rest: it runs from anywhere.
"$PREFIX/bin/python" -I -S "$PREFIX/relocate.py" "$PREFIX" "$placeholder" || exit 1
rm -f "$PREFIX/relocate.py" "$PREFIX/relocate.list"
mkdir -p "$PREFIX/envs"
echo "installation finished."
exit 0
@@@PAYLOAD@@@
