"""The command line."""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

import yaml

from . import NOTE, ROOT, CondaEnvException, CondaError, EnvironmentLocationNotFound
from . import SpecsConfigurationConflictError, channel, config, link, shell, solve, version


def find_prefix(args, verb=""):
    if getattr(args, "prefix", None):
        return pathlib.Path(args.prefix).expanduser().absolute()
    name = getattr(args, "name", None)
    if not name:
        active = os.environ.get("CONDA_PREFIX")
        return pathlib.Path(active) if active else ROOT
    if name == "base":
        return ROOT
    for folder in config.envs_dirs():
        if (folder / name / "conda-meta").is_dir():
            return folder / name
    if verb == "create":
        return config.writable(config.envs_dirs()) / name
    raise EnvironmentLocationNotFound(f"Not a conda environment: {name}")


def specs_of(args):
    specs = list(args.specs)
    for path in args.file:
        try:
            lines = pathlib.Path(path).read_text(encoding="utf-8-sig").splitlines()
        except OSError as error:
            raise CondaError(f"cannot read '{path}': {error}") from error
        specs += [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]
    return specs


def pins_of(prefix):
    path = prefix / "conda-meta/pinned"
    lines = path.read_text().splitlines() if path.is_file() else []
    lines += config.settings()["pinned_packages"]
    return [solve.Spec(line) for line in lines if line.strip() and not line.startswith("#")]


def register(prefix):
    path = config.home() / ".conda/environments.txt"
    try:
        path.parent.mkdir(exist_ok=True)
        known = path.read_text().splitlines() if path.is_file() else []
        if str(prefix) not in known:
            path.write_text("".join(f"{line}\n" for line in [*known, prefix]))
    except OSError:
        pass


def do_explicit(prefix, have, lines):
    """Package files by their URLs; nothing is solved, and nothing but them changes."""
    after, specs = dict(have), []
    for line in lines:
        if line == "@EXPLICIT":
            continue
        url = line.split("#")[0]
        base, _, file = url.rpartition("/")
        if "://" not in url or not file.endswith((".conda", ".tar.bz2")):
            raise CondaError(f"ParseError: Could not parse explicit URL: {line}")
        name, version_, build = channel.stem(file).rsplit("-", 2)
        record = {"fn": file, "url": url, "subdir": base.rpartition("/")[2]}
        record["channel"] = channel.without_auth(base)
        index = json.loads((channel.fetch(record) / "info/index.json").read_text())
        after[name] = {**index, **record}
        specs.append(f"{name}=={version_}={build}")
    link.apply(prefix, after, specs)
    return 0


def do_env(args):
    """What a file names, added to the environment; its pip list by the environment's own pip. Or a
    list of environments."""
    if args.action == "list":
        return do_info(argparse.Namespace(base=False, json=args.json, envs=True))
    path = pathlib.Path(args.file)
    if path.suffix not in (".yml", ".yaml"):
        raise CondaError(f"EnvironmentFileExtensionNotValid: '{path}' must end in .yml or .yaml")
    try:
        wanted = yaml.safe_load(path.read_text(encoding="utf-8-sig")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise CondaError(f"EnvironmentFileNotFound: '{path}': {error}") from error
    specs = [one for one in wanted.get("dependencies", []) if isinstance(one, str)]
    pip = [word for one in wanted.get("dependencies", []) if not isinstance(one, str)
           for word in one.get("pip", [])]
    args.file, args.specs, args.override_channels = [], specs, False
    args.channel = wanted.get("channels", [])
    if not args.prefix and not args.name and wanted.get("name"):
        args.name = wanted["name"]
    status = do_install(args, "install") if specs else 0
    if pip and not status:
        prefix = find_prefix(args)
        listed = prefix / ".pip-list"
        listed.write_text("".join(f"{line}\n" for line in pip))
        words = [str(prefix / "bin/python"), "-m", "pip", "install", "-U", "-r", str(listed)]
        words += ["--exists-action=b"]
        ran = subprocess.run(words, cwd=path.parent, check=False, capture_output=True, text=True)
        listed.unlink()
        if not args.quiet:
            print(f"Ran pip subprocess with arguments:\n{words}\nPip subprocess output:\n{ran.stdout}")
        if ran.returncode:
            print(f"Pip subprocess error:\n{ran.stderr}", file=sys.stderr)
            raise CondaEnvException("Pip failed")
    return status


def do_install(args, verb):
    prefix = find_prefix(args, verb)
    if verb == "create" and (prefix / "conda-meta").is_dir():
        shutil.rmtree(prefix)
    if verb == "install" and not (prefix / "conda-meta").is_dir():
        raise EnvironmentLocationNotFound(f"Not a conda environment: {prefix}")
    if not os.access(prefix if prefix.is_dir() else prefix.parent, os.W_OK):
        raise CondaError(f"EnvironmentNotWritableError: no write permissions to {prefix}")
    if (prefix / "conda-meta/frozen").exists():
        raise CondaError(f"EnvironmentIsFrozenError: Cannot change '{prefix}': it is frozen")
    channels = list(dict.fromkeys(args.channel + config.settings()["channels"]))
    if args.override_channels:
        channels = args.channel
    have = {} if verb == "create" else link.installed(prefix)
    specs = specs_of(args)
    if "@EXPLICIT" in specs:
        return do_explicit(prefix, have, specs)
    for pin in pins_of(prefix):
        for text in specs:
            spec = solve.Spec(text)
            if spec.name == pin.name and not any(
                spec.matches(one) for one in have.values() if one["name"] == pin.name
            ):
                raise SpecsConfigurationConflictError(
                    f"Requested specs conflict with configured specs.\n  requested specs: \n"
                    f"    - {text}\n  pinned specs: \n    - {pin.text}"
                )
    pins = pins_of(prefix) + [
        solve.Spec(f"python={'.'.join(one['version'].split('.')[:2])}")
        for name, one in have.items()
        if name == "python"
    ]
    after = solve.solve(channel.index(channels), have, specs, pins)
    added = link.apply(prefix, after, specs)[1]
    register(prefix)
    if not args.quiet:
        print(f"\n## Package Plan ##\n\n  environment location: {prefix}\n")
    print("\n".join(f"  {one['name']}-{one['version']}-{one['build']}" for one in added) or "done")
    return 0


def do_remove(args):
    prefix = find_prefix(args)
    if args.all:
        shutil.rmtree(prefix)
        return 0
    have = link.installed(prefix)
    gone = {solve.Spec(text).name for text in args.specs}
    for name in gone:
        if name not in have:
            raise CondaError(f"PackagesNotFoundError: missing from the environment: {name}")
    more = True
    while more:
        more = {
            name
            for name, one in have.items()
            if name not in gone and any(solve.Spec(text).name in gone for text in one["depends"])
        }
        gone |= more
    if prefix == ROOT and gone & {"python", "conda"}:
        raise CondaError("RemoveError: 'python' is a dependency of conda and cannot be removed")
    link.apply(prefix, {name: one for name, one in have.items() if name not in gone}, [])
    return 0


def do_list(args):
    prefix = find_prefix(args)
    rows = sorted(link.installed(prefix).values(), key=lambda one: one["name"])
    if args.regex:
        rows = [one for one in rows if args.regex in one["name"]]
    if args.json:
        keys = ("name", "version", "channel")
        print(json.dumps([{**{k: one[k] for k in keys}, "build_string": one["build"]} for one in rows]))
        return 0
    print(f"# packages in environment at {prefix}:\n#")
    print(f"# {'Name':<23} {'Version':<15} {'Build':>15}  Channel")
    for one in rows:
        where = one["channel"].rstrip("/").split("/")[-2]
        print(f"{one['name']:<25} {one['version']:<15} {one['build']:>15}  {where}")
    return 0


def do_clean(args):
    for cache in config.pkgs_dirs():
        if not cache.is_dir() or not os.access(cache, os.W_OK):
            continue
        if args.force_pkgs_dirs:
            shutil.rmtree(cache, ignore_errors=True)
            continue
        used = {one.get("extracted_package_dir") for one in link.installed(ROOT).values()}
        for path in cache.iterdir():
            if path.name.endswith((".conda", ".tar.bz2")) or path.name == "cache":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            elif path.is_dir() and str(path) not in used:
                shutil.rmtree(path)
    return 0


def do_config(args):
    if args.show is not None:
        config.show(args.show)
        return 0
    target = config.home() / ".condarc"
    if args.system:
        target = ROOT / ".condarc"
    elif args.env:
        target = find_prefix(args) / ".condarc"
    if args.into:
        target = pathlib.Path(args.into)
    if args.get is not None:
        for key, value in config.read(target).items():
            if not args.get or key in args.get:
                print(f"--set {key} {value}" if not isinstance(value, list) else f"{key} {value}")
        return 0
    config.change(target, args.changes)
    return 0


def do_info(args):
    envs = [ROOT] + [one for folder in config.envs_dirs() for one in sorted(folder.glob("*/"))]
    if args.base:
        print(ROOT)
    elif args.json:
        print(json.dumps({"conda_version": version(), "root_prefix": str(ROOT)}))
    elif args.envs:
        for prefix in envs:
            print(f"{shell.name_of(prefix):<22} {prefix}")
    else:
        print(f"conda version : {version()}\nbase environment : {ROOT}\nnote : {NOTE}")
    return 0


def do_run(args):
    prefix = find_prefix(args)
    if not args.command:
        raise CondaError("nothing to run")
    if not (prefix / "conda-meta").is_dir():
        raise EnvironmentLocationNotFound(f"Not a conda environment: {prefix}")
    os.environ["PATH"] = f"{prefix}/bin:{os.environ.get('PATH', '')}"
    os.environ["CONDA_PREFIX"] = str(prefix)
    os.environ["CONDA_DEFAULT_ENV"] = shell.name_of(prefix)
    try:
        os.execvp(args.command[0], args.command)
    except OSError as error:
        raise CondaError(f"{args.command[0]}: {error.strerror}") from error


def do_shell(words):
    verb, rest = words[0], words[1:]
    if verb == "hook":
        print(shell.hook())
        return 0
    if verb == "activate":
        where = rest[0] if rest else "base"
        args = argparse.Namespace(name=where)
        if "/" in where:
            args = argparse.Namespace(prefix=where)
        lines = shell.activate(find_prefix(args))
    elif verb == "deactivate":
        lines = shell.deactivate(pathlib.Path)
    else:
        active = os.environ.get("CONDA_PREFIX")
        lines = shell.reactivate(pathlib.Path(active)) if active else []
    print("\n".join(lines))
    return 0


class Change(argparse.Action):
    """--set KEY VALUE and its like, kept in the order given."""

    def __call__(self, parser, args, values, option=None):
        verb = {"--add": "prepend"}.get(option, option.lstrip("-"))
        args.changes = [*(args.changes or []), (verb, values[0], (values + [""])[1])]


def parser():
    top = argparse.ArgumentParser(prog="conda", description=NOTE)
    top.add_argument("-V", "--version", action="store_true")
    verbs = top.add_subparsers(dest="verb")

    def command(name):
        verb = verbs.add_parser(name, description=NOTE)
        verb.add_argument("-n", "--name")
        verb.add_argument("-p", "--prefix")
        verb.add_argument("--json", action="store_true")
        return verb

    for name in ("install", "create", "remove"):
        verb = command(name)
        verb.add_argument("-y", "--yes", action="store_true")
        verb.add_argument("-q", "--quiet", action="store_true")
        verb.add_argument("-c", "--channel", action="append", default=[])
        verb.add_argument("--override-channels", action="store_true")
        verb.add_argument("--all", action="store_true")
        verb.add_argument("--file", action="append", default=[])
        verb.add_argument("specs", nargs="*")
    command("list").add_argument("regex", nargs="?")
    verb = command("env")
    verb.add_argument("action", choices=["update", "list"])
    verb.add_argument("-q", "--quiet", action="store_true")
    verb.add_argument("-f", "--file", default="environment.yml")
    verb = command("clean")
    verb.add_argument("-y", "--yes", action="store_true")
    for short, name in (("-a", "--all"), ("-t", "--tarballs"), ("-p2", "--packages")):
        verb.add_argument(short, name, action="store_true")
    verb.add_argument("-f", "--force-pkgs-dirs", action="store_true")
    verb = command("config")
    verb.add_argument("--show", nargs="*")
    verb.add_argument("--get", nargs="*")
    verb.add_argument("--system", action="store_true")
    verb.add_argument("--env", action="store_true")
    verb.add_argument("--file", dest="into")
    verb.set_defaults(changes=[])
    for option in ("--set", "--add", "--prepend", "--append", "--remove"):
        verb.add_argument(option, nargs=2, action=Change)
    verb.add_argument("--remove-key", nargs=1, action=Change)
    verb = command("info")
    verb.add_argument("--base", action="store_true")
    verb.add_argument("-e", "--envs", action="store_true")
    verb = command("run")
    verb.add_argument("--no-capture-output", action="store_true")
    verb.add_argument("command", nargs=argparse.REMAINDER)
    return top


def main(words=None):
    words = sys.argv[1:] if words is None else words
    try:
        if words and words[0].startswith("shell.") and len(words) > 1:
            return do_shell(words[1:])
        args = parser().parse_args(words)
        if args.version:
            print(f"conda {version()}")
            return 0
        if args.verb in ("install", "create"):
            return do_install(args, args.verb)
        doers = {"remove": do_remove, "list": do_list, "clean": do_clean, "config": do_config}
        doers.update(info=do_info, run=do_run, env=do_env)
        if args.verb not in doers:
            parser().print_help()
            return 0
        return doers[args.verb](args)
    except CondaError as error:
        text = str(error)
        kind = type(error).__name__
        print(f"\n{text if kind == 'CondaError' else f'{kind}: {text}'}\n", file=sys.stderr)
        return 1
