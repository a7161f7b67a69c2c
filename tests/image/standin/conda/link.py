"""Into and out of a prefix: files, records, history."""

import compileall
import json
import os
import re
import shutil
import sys
import time

from . import channel, version

ENTRY = """#!{python}
import re
import sys

from {module} import {head}

if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw?|\\.exe)?$', '', sys.argv[0])
    sys.exit({function}())
"""


def installed(prefix):
    records = {}
    for path in sorted((prefix / "conda-meta").glob("*.json")):
        record = json.loads(path.read_text())
        records[record["name"]] = record
    return records


def python_of(records):
    return "python" + ".".join(records["python"]["version"].split(".")[:2])


def relocate(path, data, placeholder, mode, prefix):
    old, new = placeholder.encode(), str(prefix).encode()
    if mode == "text":
        return data.replace(old, new)
    pattern = re.compile(re.escape(old) + rb"([^\0]*)\0")
    return pattern.sub(
        lambda match: (new + match.group(1)).ljust(len(match.group(0)), b"\0"), data
    )


def link(prefix, record, records, asked):
    folder = channel.fetch(record)
    info = folder / "info"
    paths = json.loads((info / "paths.json").read_text())["paths"]
    noarch, points = None, []
    if (info / "link.json").is_file():
        noarch = json.loads((info / "link.json").read_text()).get("noarch", {})
        points = noarch.get("entry_points", [])
        noarch = noarch.get("type")
    files = []
    for entry in paths:
        name = entry["_path"]
        if noarch == "python":
            if name.startswith("site-packages/"):
                name = f"lib/{python_of(records)}/{name}"
            elif name.startswith("python-scripts/"):
                name = "bin/" + name.removeprefix("python-scripts/")
        source, target = folder / entry["_path"], prefix / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_symlink() or target.exists():
            target.unlink()
        placeholder = entry.get("prefix_placeholder")
        if source.is_symlink():
            target.symlink_to(os.readlink(source))
        elif placeholder:
            mode = entry.get("file_mode", "text")
            target.write_bytes(relocate(name, source.read_bytes(), placeholder, mode, prefix))
            target.chmod(source.stat().st_mode & 0o777)
        else:
            try:
                os.link(source, target)
            except OSError:
                shutil.copy2(source, target)
        files.append(name)
    for point in points:
        name, _, call = point.partition("=")
        module, _, function = call.strip().partition(":")
        path = prefix / "bin" / name.strip()
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            ENTRY.format(
                python=prefix / "bin/python",
                module=module,
                head=function.split(".")[0],
                function=function,
            )
        )
        path.chmod(0o775)
        files.append(f"bin/{name.strip()}")
    if noarch == "python" and prefix.joinpath("bin/python").resolve() == os.path.realpath(sys.executable):
        for name in [name for name in files if name.endswith(".py")]:
            compileall.compile_file(prefix / name, quiet=2)
    meta = {key: value for key, value in record.items() if key != "rank"}
    meta.update(
        files=files,
        url=channel.without_auth(record["url"]),
        extracted_package_dir=str(folder),
        package_tarball_full_path=str(folder.parent / record["fn"]),
        link={"source": str(folder), "type": 1},
        paths_data={"paths": paths, "paths_version": 1},
        requested_spec=asked.get(record["name"], "None"),
    )
    (prefix / "conda-meta" / (channel.stem(record["fn"]) + ".json")).write_text(
        json.dumps(meta, indent=2, sort_keys=True)
    )


def unlink(prefix, record):
    for name in record["files"]:
        path = prefix / name
        cached = path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
        for one in (path, cached) if name.endswith(".py") else (path,):
            if one.is_symlink() or one.exists():
                one.unlink()
        folder = path.parent
        while folder != prefix:
            for empty in (folder / "__pycache__", folder):
                try:
                    empty.rmdir()
                except OSError:
                    pass
            folder = folder.parent
    (prefix / "conda-meta" / (channel.stem(record["fn"]) + ".json")).unlink()


def apply(prefix, after, specs):
    """Make the prefix hold exactly these records. Returns (removed, added)."""
    (prefix / "conda-meta").mkdir(parents=True, exist_ok=True)
    before = installed(prefix)

    def differs(one, other):
        return one is None or (one["version"], one["build"]) != (other["version"], other["build"])

    removed = [one for name, one in before.items() if differs(after.get(name), one)]
    added = [one for name, one in after.items() if differs(before.get(name), one)]
    for record in added:
        channel.fetch(record)
    for record in removed:
        unlink(prefix, record)
    asked = {spec.split("=")[0].split("<")[0].split(">")[0].strip(): spec for spec in specs}
    for record in sorted(added, key=lambda record: record["name"] != "python"):
        link(prefix, record, after, asked)
    if removed or added:
        with (prefix / "conda-meta/history").open("a") as history:
            history.write(time.strftime("==> %Y-%m-%d %H:%M:%S <==\n"))
            history.write(f"# cmd: {' '.join(sys.argv)}\n# conda version: {version()}\n")
            for sign, records in (("-", removed), ("+", added)):
                for record in records:
                    history.write(f"{sign}{record['channel']}::{channel.stem(record['fn'])}\n")
            if specs:
                history.write(f"# update specs: {specs}\n")
    return removed, added
