"""What a POSIX shell has to do to activate and deactivate; printed for it."""

import os
import shlex

from . import ROOT, CondaError, config


def name_of(prefix):
    if prefix == ROOT:
        return "base"
    return prefix.name if prefix.parent in config.envs_dirs() else str(prefix)


def export(name, value):
    return f"export {name}={shlex.quote(str(value))}" if value is not None else f"unset {name}"


def hooks(prefix, folder):
    scripts = sorted((prefix / "etc/conda" / folder).glob("*.sh"))
    return [f". {shlex.quote(str(path))}" for path in scripts]


def path_with(old, new):
    """PATH with the folder of one environment in the place of the other's."""
    words = os.environ.get("PATH", "").split(":")
    gone = f"{old}/bin" if old else None
    here = words.index(gone) if gone in words else 0
    words = [word for word in words if word != gone]
    if new:
        words.insert(min(here, len(words)), f"{new}/bin")
    return ":".join(words)


def variables(prefix, level, old):
    modifier = f"({name_of(prefix)}) " if prefix else None
    prompt = os.environ.get("PS1", "").removeprefix(os.environ.get("CONDA_PROMPT_MODIFIER") or "\0")
    return [
        f"PS1={shlex.quote((modifier or '') + prompt)}",
        export("PATH", path_with(old, prefix)),
        export("CONDA_PREFIX", prefix),
        export("CONDA_SHLVL", level),
        export("CONDA_DEFAULT_ENV", name_of(prefix) if prefix else None),
        export("CONDA_PROMPT_MODIFIER", modifier),
    ]


def activate(prefix):
    if not (prefix / "conda-meta").is_dir():
        raise CondaError(f"EnvironmentNameNotFound: Could not find conda environment: {prefix}")
    level = int(os.environ.get("CONDA_SHLVL") or 0)
    old = os.environ.get("CONDA_PREFIX")
    if old == str(prefix) and level:
        return reactivate(prefix)
    lines = [] if not old else hooks(type(prefix)(old), "deactivate.d")
    lines += variables(prefix, level + 1, old)
    if old:
        lines.append(export(f"CONDA_PREFIX_{level}", old))
    lines += [export("CONDA_EXE", ROOT / "bin/conda"), export("CONDA_PYTHON_EXE", ROOT / "bin/python")]
    return lines + hooks(prefix, "activate.d")


def deactivate(kind):
    level = int(os.environ.get("CONDA_SHLVL") or 0)
    old = os.environ.get("CONDA_PREFIX")
    if level < 1 or not old:
        return []
    lines = hooks(kind(old), "deactivate.d")
    if level == 1:
        return lines + variables(None, 0, old)
    before = kind(os.environ[f"CONDA_PREFIX_{level - 1}"])
    lines += variables(before, level - 1, old)
    lines.append(export(f"CONDA_PREFIX_{level - 1}", None))
    return lines + hooks(before, "activate.d")


def reactivate(prefix):
    return hooks(prefix, "deactivate.d") + hooks(prefix, "activate.d")


def hook():
    return (ROOT / "etc/profile.d/conda.sh").read_text()
