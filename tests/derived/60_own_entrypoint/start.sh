#!/bin/sh
# An entry script of the image's own: something first, then ours.
echo "own: $1"
exec /entrypoint.sh "$@"
