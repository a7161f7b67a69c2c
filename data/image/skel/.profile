# Yours, read by login shells. The image's own settings are in /etc/condense/shellrc.
if [ -n "${BASH_VERSION-}" ] && [ -r "$HOME/.bashrc" ]; then
	. "$HOME/.bashrc"
fi
