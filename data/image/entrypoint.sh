#!/bin/sh
# Starts in two passes. The first hands over to entry, which stays process 1: it gives the caller
# the image's account, installs what the lists name, and runs this script again with --entered.
# An image built on this one puts its own lines above the last two; they run in the second pass.
if [ "${1-}" != --entered ]; then
	# Install Conda dependencies
	exec /usr/lib/condense/entry "$0" "$@"
fi
shift
# The command gets each signal itself; afterwards its own exit status is passed on.
trap exit HUP INT QUIT USR1 USR2 ALRM TERM
# Source shell intercept
if [ ! -O / ]; then # root reads nothing that a user could write
	for hook in "${CONDA_PREFIX:-/opt/conda}"/etc/conda/activate.d/*.sh; do
		[ ! -r "$hook" ] || . "$hook"
	done
	unset hook
fi
# Run command
"$@"
