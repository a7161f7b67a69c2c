"""Channels and packages: fetch, unpack. An archive inside a package is compressed with zstd, which
the prefix has as a library."""

import ctypes
import hashlib
import io
import json
import pathlib
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile

from . import ROOT, SUBDIRS, CondaError, CondaHTTPError, config


def base_urls(name):
    values = config.settings()
    if name == "defaults":
        return [url.rstrip("/") for url in values["default_channels"]]
    if "://" in name:
        return [name.rstrip("/")]
    return [values["channel_alias"].rstrip("/") + "/" + name]


def read_url(url):
    if config.settings()["offline"] and not url.startswith("file:"):
        raise CondaHTTPError(f"HTTP 000 CONNECTION FAILED for url <{url}>: offline")
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise FileNotFoundError(url) from error
        raise CondaHTTPError(f"HTTP {error.code} {error.reason} for url <{url}>") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, FileNotFoundError):
            raise FileNotFoundError(url) from error
        raise CondaHTTPError(f"HTTP 000 CONNECTION FAILED for url <{url}>: {error.reason}") from error


def index(channels):
    """All records of the channels: {name: [record, …]}, the first channel that has a name wins."""
    found = {}
    for rank, name in enumerate(channels):
        urls, seen = base_urls(name), 0
        for base in urls:
            for subdir in SUBDIRS:
                try:
                    data = json.loads(read_url(f"{base}/{subdir}/repodata.json"))
                except FileNotFoundError:
                    continue
                seen += 1
                for key in ("packages", "packages.conda"):
                    for file, record in data.get(key, {}).items():
                        record = {**record, "fn": file, "subdir": subdir, "rank": rank}
                        record["channel"] = f"{base}/{subdir}"
                        record["url"] = f"{base}/{subdir}/{file}"
                        found.setdefault(record["name"], []).append(record)
        if not seen:
            raise CondaHTTPError(f"HTTP 404 NOT FOUND for channel {name} <{urls[0]}>")
    return {
        name: [one for one in records if one["rank"] == min(every["rank"] for every in records)]
        for name, records in found.items()
    }


class Buffer(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t), ("at", ctypes.c_size_t)]


def unzstd(data):
    library = ctypes.CDLL(str(ROOT / "lib/libzstd.so.1"))
    library.ZSTD_createDStream.restype = ctypes.c_void_p
    library.ZSTD_decompressStream.restype = ctypes.c_size_t
    library.ZSTD_decompressStream.argtypes = [ctypes.c_void_p] + 2 * [ctypes.POINTER(Buffer)]
    library.ZSTD_freeDStream.argtypes = [ctypes.c_void_p]
    stream = library.ZSTD_createDStream()
    given = ctypes.create_string_buffer(data, len(data))
    room = ctypes.create_string_buffer(1 << 20)
    source = Buffer(ctypes.addressof(given), len(data), 0)
    result = bytearray()
    left = 1
    while left and source.at <= source.size:
        target = Buffer(ctypes.addressof(room), len(room), 0)
        left = library.ZSTD_decompressStream(stream, target, source)
        if library.ZSTD_isError(ctypes.c_size_t(left)):
            raise CondaError("InvalidArchiveError: damaged package")
        result += room.raw[: target.at]
        if source.at == source.size and target.at == 0:
            break
    library.ZSTD_freeDStream(stream)
    return bytes(result)


def unpack(archive, folder):
    def into(data):
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            tar.extractall(folder, filter="tar")

    if archive.suffix == ".conda":
        with zipfile.ZipFile(archive) as outer:
            for member in outer.namelist():
                if member.endswith(".tar.zst"):
                    into(unzstd(outer.read(member)))
    else:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="tar")


def stem(file):
    return file.removesuffix(".conda").removesuffix(".tar.bz2")


def fetch(record):
    """The package's folder in a cache; fetched and unpacked unless it is there."""
    for cache in config.pkgs_dirs():
        folder = cache / stem(record["fn"])
        if (folder / "info/index.json").is_file():
            return folder
    cache = config.writable(config.pkgs_dirs())
    data = read_url(record["url"])
    if record.get("sha256") and hashlib.sha256(data).hexdigest() != record["sha256"]:
        raise CondaError(f"ChecksumMismatchError: {record['url']}")
    archive = cache / record["fn"]
    archive.write_bytes(data)
    with (cache / "urls.txt").open("a") as urls:
        urls.write(record["url"] + "\n")
    folder = cache / stem(record["fn"])
    scratch = pathlib.Path(tempfile.mkdtemp(dir=cache))
    try:
        unpack(archive, scratch)
        (scratch / "info/repodata_record.json").write_text(json.dumps(record))
        shutil.rmtree(folder, ignore_errors=True)
        scratch.chmod(0o2775)
        scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder
