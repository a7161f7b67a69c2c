"""Settings: the files in the order conda reads them, then CONDA_ variables."""

import os
import pathlib

import yaml

from . import ROOT, CondaError

DEFAULTS = {
    "aggressive_update_packages": ["ca-certificates", "certifi", "openssl"],
    "always_yes": False,
    "auto_update_conda": True,
    "channel_alias": "https://conda.anaconda.org",
    "channel_priority": "flexible",
    "channels": ["defaults"],
    "default_channels": ["https://repo.anaconda.com/pkgs/main"],
    "envs_dirs": [],
    "offline": False,
    "pinned_packages": [],
    "pkgs_dirs": [],
    "remote_backoff_factor": 1,
    "remote_max_retries": 3,
    "ssl_verify": True,
}
WORDS = ("1", "true", "yes", "on", "0", "false", "no", "off")
FOLDERS = ("/etc/conda", "/var/lib/conda", ROOT)


def home():
    return pathlib.Path(os.path.expanduser("~"))


def files():
    """The files that exist, the weakest first."""
    config_home = pathlib.Path(os.environ.get("XDG_CONFIG_HOME") or home() / ".config")
    names = [pathlib.Path(one, name) for one in FOLDERS for name in (".condarc", "condarc")]
    names += [config_home / "conda" / name for name in (".condarc", "condarc")]
    names += [home() / ".conda/.condarc", home() / ".conda/condarc", home() / ".condarc"]
    if os.environ.get("CONDA_PREFIX"):
        names.append(pathlib.Path(os.environ["CONDA_PREFIX"], ".condarc"))
    if os.environ.get("CONDARC"):
        names.append(pathlib.Path(os.environ["CONDARC"]))
    return [name for name in dict.fromkeys(names) if name.is_file()]


def read(path):
    try:
        data = yaml.safe_load(path.read_text()) if path.is_file() else {}
    except (OSError, yaml.YAMLError) as error:
        raise CondaError(f"cannot read '{path}': {error}") from error
    return data or {}


def typed(key, text):
    kind = DEFAULTS.get(key)
    if key == "ssl_verify" and text.lower() not in WORDS:
        return text  # a file or a folder with certificates
    if isinstance(kind, bool):
        return text.lower() in WORDS[:4]
    if isinstance(kind, list):
        return [word for word in text.split("&" if key == "pinned_packages" else ",") if word]
    return text


def settings():
    """Lists of several files are joined, the strongest first; anything else is replaced."""
    found = {}
    sources = [read(path) for path in files()]
    sources.append(
        {
            name[6:].lower(): typed(name[6:].lower(), value)
            for name, value in os.environ.items()
            if name.startswith("CONDA_") and name[6:].lower() in DEFAULTS
        }
    )
    for source in sources:
        for key, value in source.items():
            if isinstance(DEFAULTS.get(key), list):
                value = list(value or [])
                value += [item for item in found.get(key, []) if item not in value]
            elif isinstance(DEFAULTS.get(key), bool):
                value = typed(key, str(value))
            found[key] = value
    return {**DEFAULTS, **found}


def show(keys):
    values = settings()
    for key in keys or sorted(DEFAULTS):
        if key not in values:
            raise CondaError(f"ArgumentError: '{key}' is no setting")
        value = values[key]
        if isinstance(value, list):
            print(f"{key}:" if value else f"{key}: []")
            for item in value:
                print(f"  - {item}")
        else:
            print(f"{key}: {value}")


def change(path, changes):
    """changes: (verb, key, value) in the order given."""
    data = read(path)
    for verb, key, value in changes:
        if verb == "set":
            data[key] = typed(key, value)
        elif verb == "remove-key":
            if key not in data:
                raise CondaError(f"CondaKeyError: '{key}': key '{key}' is not in the config file")
            del data[key]
        elif verb == "remove":
            if value not in data.get(key, []):
                raise CondaError(f"CondaKeyError: '{key}': value '{value}' not present in config")
            data[key].remove(value)
        else:
            # As conda does: what was there without a file stays, behind the new channel.
            items = data.setdefault(key, ["defaults"] if key == "channels" else [])
            if value in items:
                items.remove(value)
            items.insert(len(items) if verb == "append" else 0, value)
    try:
        path.write_text(yaml.safe_dump(data))
    except OSError as error:
        raise CondaError(f"CondaError: Cannot write to condarc file at {path}: {error}") from error


def pkgs_dirs():
    named = [pathlib.Path(name).expanduser() for name in settings()["pkgs_dirs"]]
    return named or [ROOT / "pkgs", home() / ".conda/pkgs"]


def envs_dirs():
    named = [pathlib.Path(name).expanduser() for name in settings()["envs_dirs"]]
    return named + [ROOT / "envs", home() / ".conda/envs"]


def writable(folders):
    """The first of the folders that can be written, made if need be."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise CondaError(f"NoWritablePkgsDirError: none of {[str(name) for name in folders]}")
