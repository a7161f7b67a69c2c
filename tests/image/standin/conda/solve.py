"""Which packages: the newest that fit, depth first. Enough for small channels."""

import itertools
import re

from . import PackagesNotFoundError, UnsatisfiableError


def key(version):
    """Numbers above letters, missing parts as zero: good for the versions of a test's channel."""
    parts = re.findall(r"\d+|[a-z]+", str(version).lower())
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]


def compare(left, right):
    for one, other in itertools.zip_longest(key(left), key(right), fillvalue=(1, 0, "")):
        if one != other:
            return -1 if one < other else 1
    return 0


def fits_one(version, term):
    match = re.fullmatch(r"(==|!=|>=|<=|~=|>|<|=)?(.+)", term)
    operator, wanted = match.groups()
    if wanted == "*":
        return True
    starts = str(version) == wanted.rstrip("*").rstrip(".") or str(version).startswith(
        wanted.rstrip("*").rstrip(".") + "."
    )
    if operator == "=" or wanted.endswith("*"):
        return starts != (operator == "!=")
    order = compare(version, wanted)
    return {
        None: order == 0,
        "==": order == 0,
        "!=": order != 0,
        ">=": order >= 0,
        "<=": order <= 0,
        ">": order > 0,
        "<": order < 0,
        "~=": order >= 0 and str(version).startswith(wanted.rpartition(".")[0]),
    }[operator]


class Spec:
    def __init__(self, text):
        text = text.split("::")[-1].split("[")[0].strip()
        match = re.fullmatch(r"([A-Za-z0-9_.-]+?)\s*((?:[=<>!~ ].*)?)", text)
        if not match:
            raise UnsatisfiableError(f"InvalidMatchSpec: Invalid spec '{text}'")
        self.text, self.name = text, match.group(1).lower()
        rest = match.group(2).strip()
        words = re.sub(r"(?<=[=<>!~,|])\s+", "", rest).split()
        self.version = words[0] if words else "*"
        self.build = words[1] if len(words) > 1 else "*"
        if not words or rest[0] not in "=":
            return
        pieces = rest.split("=")
        if rest.startswith("=") and not rest.startswith("==") and len(pieces) == 3:
            self.version, self.build = pieces[1], pieces[2]

    def matches(self, record):
        if record["name"] != self.name:
            return False
        pattern = ".*".join(re.escape(piece) for piece in self.build.split("*"))
        if not re.fullmatch(pattern, record["build"]):
            return False
        return any(
            all(fits_one(record["version"], term) for term in group.split(","))
            for group in self.version.split("|")
        )


def solve(index, installed, specs, pins):
    """The records to have afterwards, by name. installed: {name: record}."""
    wanted = [Spec(text) for text in specs]
    for spec in wanted:
        if spec.name not in index and spec.name not in installed:
            raise PackagesNotFoundError(
                "The following packages are not available from current channels:\n\n"
                f"  - {spec.text}\n\nTo search for other channels, use the web pages of your channels."
            )
    rules = {}
    for spec in wanted + pins:
        rules.setdefault(spec.name, []).append(spec)
    chosen = {}

    def candidates(name):
        records = [installed[name]] if name in installed else []
        records += sorted(
            index.get(name, []),
            key=lambda record: (key(record["version"]), record.get("build_number", 0)),
            reverse=True,
        )
        return [one for one in records if all(rule.matches(one) for rule in rules.get(name, []))]

    def place(todo):
        while todo and todo[0].name in chosen:
            if not todo[0].matches(chosen[todo[0].name]):
                return False
            todo = todo[1:]
        if not todo:
            return True
        spec, rest = todo[0], todo[1:]
        for record in candidates(spec.name):
            if not spec.matches(record):
                continue
            before = dict(chosen)
            chosen[spec.name] = record
            needs = [Spec(text) for text in record["depends"] if not text.startswith("__")]
            if place(needs + rest):
                return True
            chosen.clear()
            chosen.update(before)
        return False

    for spec in wanted + [Spec(name) for name in installed]:
        if not place([spec]):
            raise UnsatisfiableError(
                f"Encountered problems while solving:\n  - nothing provides {spec.text} that fits"
            )
    return chosen
