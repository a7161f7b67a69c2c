"""compiled - the compiled files of Python that an image keeps, as patterns for `condense slim`.

What starts, imports and commands of every day load stays compiled; of the rest Python makes the
compiled file again when it first imports it. A module that is not there is passed over.
"""

import contextlib
import importlib
import importlib.util
import io
import os
import struct
import sys
import sysconfig
import tempfile
import zipfile

# Of the standard library: what programs import. Left out is what few do: turtle, pydoc's topics,
# the Python twins of C modules, old protocols, most of the encodings.
MODULES = """
__future__ _collections_abc _colorize _compression _py_abc
_pyrepl.readline _pyrepl.simple_interact _strptime _sysconfigdata_ _threading_local _weakrefset abc
argparse ast asyncio asyncio.unix_events base64 bdb bisect bz2 calendar cmd code codecs codeop
collections.abc colorsys compileall concurrent.futures.process concurrent.futures.thread configparser
contextlib contextvars copy copyreg csv ctypes ctypes.util curses dataclasses
datetime dbm decimal difflib dis doctest email.mime.base email.mime.multipart email.mime.text
email.policy email.headerregistry encodings.aliases encodings.ascii encodings.cp1252
encodings.cp437 encodings.idna encodings.latin_1 encodings.punycode encodings.raw_unicode_escape
encodings.unicode_escape encodings.utf_16 encodings.utf_32 encodings.utf_8 encodings.utf_8_sig
ensurepip enum filecmp fileinput fnmatch fractions functools genericpath getopt getpass gettext
glob graphlib gzip hashlib heapq hmac html.parser http.client http.cookiejar http.cookies
http.server importlib.metadata importlib.resources importlib.util inspect io ipaddress json
json.tool keyword linecache locale logging.config logging.handlers lzma mimetypes modulefinder
multiprocessing.forkserver multiprocessing.managers multiprocessing.pool multiprocessing.popen_fork multiprocessing.popen_spawn_posix
multiprocessing.shared_memory multiprocessing.synchronize netrc nturl2path numbers opcode
operator optparse os pathlib pdb pickle pkgutil platform plistlib posixpath pprint profile pstats
cProfile pty py_compile queue quopri random re reprlib rlcompleter runpy sched secrets selectors
shelve shlex shutil signal site smtplib socket socketserver sqlite3 sqlite3.dbapi2 ssl stat
statistics string stringprep struct subprocess symtable sysconfig tabnanny tarfile tempfile
textwrap threading timeit token tokenize tomllib trace traceback tracemalloc types typing
unittest unittest.mock urllib.request urllib.robotparser uuid venv warnings wave weakref webbrowser
wsgiref.simple_server xml.dom.minidom xml.etree.ElementTree xml.sax xml.sax.expatreader
xml.sax.handler xmlrpc.client xmlrpc.server zipapp zipfile zipimport zoneinfo
packaging.markers packaging.requirements packaging.specifiers packaging.tags packaging.utils
packaging.version pkg_resources setuptools setuptools.build_meta wheel
""".split()

# Those that do something when they are imported.
PROGRAMS = ["_pyrepl.__main__", "_pyrepl.main", "ensurepip.__main__", "json.tool", "pip.__main__",
            "unittest.__main__", "venv.__main__", "zipfile.__main__", "site", "this"]


def pip(arguments, folder):
    """Runs pip here, for what it loads. Its result is no matter."""
    main = importlib.import_module("pip._internal.cli.main").main
    os.environ.update(PIP_CONFIG_FILE=os.devnull, PIP_DISABLE_PIP_VERSION_CHECK="1",
                      PIP_NO_CACHE_DIR="1", HOME=folder)
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        with contextlib.suppress(BaseException):
            main(arguments)


def wheel(folder):
    path = os.path.join(folder, "slim_probe-1-py3-none-any.whl")
    info = "slim_probe-1.dist-info/"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("slim_probe.py", "")
        archive.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: slim_probe\nVersion: 1\n")
        archive.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
                                         "Tag: py3-none-any\n")
        archive.writestr(info + "RECORD", "")


def is_read(path):
    """Whether Python takes the compiled file for its source's: not after an installer wrote that."""
    try:
        with open(path, "rb") as file:
            flags, when, size = struct.unpack("<III", file.read(16)[4:])
        source = os.stat(importlib.util.source_from_cache(path))
    except (OSError, struct.error, ValueError):
        return False
    return bool(flags) or (when, size) == (int(source.st_mtime) & 0xFFFFFFFF, source.st_size)


def main():
    sys.dont_write_bytecode = True
    with tempfile.TemporaryDirectory() as folder:
        wheel(folder)
        pip(["list"], folder)
        pip(["install", "--no-index", "--find-links", folder, "--target",
             os.path.join(folder, "target"), "slim_probe"], folder)
        pip(["install", "--retries", "0", "--timeout", "1", "--index-url",
             "http://127.0.0.1:9/simple", "--target", os.path.join(folder, "none"),
             "slim_probe"], folder)
        pip(["uninstall", "--yes", "slim_probe"], folder)
        pip(["freeze"], folder)
        pip(["show", "pip"], folder)
        pip(["check"], folder)
    found = set()
    for name in MODULES:
        if name == "_sysconfigdata_":
            name = sysconfig._get_sysconfigdata_name()
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    for name in PROGRAMS:
        with contextlib.suppress(Exception):
            found.add(importlib.util.find_spec(name).cached)
    for module in list(sys.modules.values()):
        found.add(getattr(module, "__cached__", None))
        found.add(getattr(getattr(module, "__spec__", None), "cached", None))
    # modules within the program itself are never read from a file
    below = sys.prefix + os.sep
    found = {os.path.relpath(path, below) for path in found
             if path and path.startswith(below) and is_read(path)}
    print("\n".join(sorted(found)))


main()
