"""Part of the stand-in release: the files in relocate.list get the new prefix in place of the old."""

import re
import sys

prefix, placeholder = (word.encode() for word in sys.argv[1:3])
if len(prefix) > len(placeholder):
    sys.exit("the prefix is too long")
with open(f"{sys.argv[1]}/relocate.list", encoding="utf-8") as names:
    for line in names:
        mode, name = line.rstrip("\n").split(" ", 1)
        with open(f"{sys.argv[1]}/{name}", "r+b") as file:
            data = file.read()
            if mode == "text":
                data = data.replace(placeholder, prefix)
            else:
                data = re.sub(
                    re.escape(placeholder) + rb"([^\0]*)\0",
                    lambda found: (prefix + found[1]).ljust(len(found[0]), b"\0"),
                    data,
                )
            file.seek(0)
            file.truncate()
            file.write(data)
