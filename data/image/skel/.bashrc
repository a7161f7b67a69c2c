# Yours. The image's own settings are in /etc/condense/shellrc and were read before this.
