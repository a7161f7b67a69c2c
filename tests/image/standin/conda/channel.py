"""Channels and packages: fetch, unpack. An archive inside a package is compressed with zstd, which
the prefix has as a library."""

import ctypes
import functools
import hashlib
import io
import json
import pathlib
import re
import shutil
import tarfile
import tempfile
import urllib.parse
import urllib.request
import zipfile

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, _basic_auth_str
from requests.utils import get_auth_from_url, get_netrc_auth
from urllib3.util.retry import Retry

from . import ROOT, SUBDIRS, CondaError, CondaHTTPError, CondaSSLError
from . import OfflineError, UnavailableInvalidChannel, config


def base_urls(name):
    values = config.settings()
    if name == "defaults":
        return [url.rstrip("/") for url in values["default_channels"]]
    if "://" in name:
        return [name.rstrip("/")]
    return [values["channel_alias"].rstrip("/") + "/" + name]


class Auth(AuthBase):
    """Of the URL, else of the file that NETRC names or of ~/.netrc."""

    def __call__(self, request):
        user = get_auth_from_url(request.url)
        if not any(user):
            user = get_netrc_auth(request.url)
        if user:
            request.headers["Authorization"] = _basic_auth_str(*user)
        return request


@functools.cache
def session():
    """Proxies and REQUESTS_CA_BUNDLE, which is stronger than ssl_verify, are read by requests."""
    values = config.settings()
    made = requests.Session()
    made.auth = Auth()
    made.verify = values["ssl_verify"]
    retries = Retry(
        total=int(values["remote_max_retries"]),
        backoff_factor=int(values["remote_backoff_factor"]),
        status_forcelist=[413, 429, 500, 503],
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    for scheme in ("http://", "https://"):
        made.mount(scheme, HTTPAdapter(max_retries=retries))
    return made


def is_away(url):
    """Is it of the network, without which the command is to do?"""
    return config.settings()["offline"] and not url.startswith("file:")


def read_url(url):
    if is_away(url):
        raise OfflineError(
            f"EnforceUnusedAdapter called with url {url}.\n"
            "This command is using a remote connection in offline mode.\n"
        )
    if url.startswith("file:"):
        path = urllib.request.url2pathname(urllib.parse.urlsplit(url).path)
        return pathlib.Path(path).read_bytes()
    try:
        answer = session().get(url, timeout=(9.15, 60))
    except requests.exceptions.SSLError as error:
        raise CondaSSLError(
            "Encountered an SSL error. Most likely a certificate verification issue.\n\n"
            f"Exception: {error}"
        ) from error
    except requests.exceptions.RequestException as error:
        raise CondaHTTPError(f"HTTP 000 CONNECTION FAILED for url <{url}>\n{error}") from error
    if answer.status_code == 404:
        raise FileNotFoundError(url)
    if answer.status_code != 200:
        failed = CondaHTTPError(f"HTTP {answer.status_code} {answer.reason} for url <{url}>")
        failed.status, failed.reason = answer.status_code, answer.reason
        raise failed
    return answer.content


def without_auth(url):
    """What is written to disk has no user, no password and no token."""
    return re.sub(r"/t/[A-Za-z0-9-]+", "", re.sub(r"(://)[^/@]*@", r"\1", url), count=1)


def not_there(reason, name, base):
    """Its first line tells what is the case, and the last ones something general."""
    return UnavailableInvalidChannel(
        f"{reason} for channel {without_auth(name)} <{without_auth(base)}>\n\n"
        "The channel is not accessible or is invalid.\n\n"
        "You will need to adjust your settings of channels to proceed.\n"
        "What is set at present is shown by `conda config --show channels`.\n"
    )


def index(channels):
    """All records of the channels: {name: [record, …]}, the first channel that has a name wins."""
    found = {}
    for rank, name in enumerate(channels):
        urls, seen = base_urls(name), 0
        for base in urls:
            for subdir in SUBDIRS:
                # Without the network and a cache, conda takes a channel to be empty.
                if is_away(base):
                    seen += 1
                    continue
                try:
                    data = json.loads(read_url(f"{base}/{subdir}/repodata.json"))
                except FileNotFoundError:
                    continue
                except CondaHTTPError as error:
                    if error.status not in (401, 403):
                        raise
                    reason = f"HTTP {error.status} {error.reason}"
                    raise not_there(reason, name, base) from error
                seen += 1
                for key in ("packages", "packages.conda"):
                    for file, record in data.get(key, {}).items():
                        record = {**record, "fn": file, "subdir": subdir, "rank": rank}
                        record["channel"] = without_auth(f"{base}/{subdir}")
                        record["url"] = f"{base}/{subdir}/{file}"
                        found.setdefault(record["name"], []).append(record)
        if not seen:
            raise not_there("HTTP 404 NOT FOUND", name, urls[0])
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
        urls.write(without_auth(record["url"]) + "\n")
    folder = cache / stem(record["fn"])
    scratch = pathlib.Path(tempfile.mkdtemp(dir=cache))
    try:
        unpack(archive, scratch)
        (scratch / "info/repodata_record.json").write_text(
            json.dumps({**record, "url": without_auth(record["url"])})
        )
        shutil.rmtree(folder, ignore_errors=True)
        scratch.chmod(0o2775)
        scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder
