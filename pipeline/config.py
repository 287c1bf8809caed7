"""forewarn.yaml, rules/ and playbooks/ to one Config; every error names file, key and nearest right word."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from pipeline import knowledge, plain, topology
from pipeline.clock import Span
from pipeline.complaints.encoders import use
from pipeline.complaints.tuning import Complaints
from pipeline.decide import Policy
from pipeline.detect import Watch
from pipeline.detect.slo import Slo
from pipeline.follow import Promises, unknown
from pipeline.inhibit import Inhibition
from pipeline.knowledge import Article
from pipeline.logs import drain3
from pipeline.patterns import Pattern
from pipeline.plain import Invalid, parse
from pipeline.priority import Priority
from pipeline.respond import Playbook, Response, forbidden
from pipeline.rulefile import Rules
from pipeline.topology import Topology

T = TypeVar("T")

__all__ = ["Config", "Invalid", "Main", "Rules", "default", "load", "parse", "read"]


Count = Annotated[int, msgspec.Meta(ge=1)]


class Web(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    listen: str = "127.0.0.1:9093"
    external_url: str = ""  # how people reach the console; http://LISTEN where empty


class Storage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    path: str = "data"
    retention: Span = Span(30 * 86400)
    snapshot_interval: Span = Span(30)


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What Forewarn takes at most; past it it answers 413 or 429, or drops and counts."""

    series: Count = 1_000_000
    body: Count = 32 * 1024 * 1024  # bytes of one request, before and after decompression
    queue: Count = 1_000  # frames journaled and not stepped yet
    label: Count = 4_096  # bytes of one label value


class Kafka(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bootstrap: str = "127.0.0.1:9092"
    prefix: str = "forewarn"
    group: str = "forewarn"
    worker: str = ""  # a name that this worker alone has: after a crash it is taken up at once, not in 20 s


class Logs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    templates: Literal["shape", "drain3"] = "shape"  # which engine tells lines of one kind


class Main(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of forewarn.yaml. Every one has a default: an empty file works."""

    web: Web = Web()
    storage: Storage = Storage()
    limits: Limits = Limits()
    kafka: Kafka = Kafka()
    logs: Logs = Logs()
    complaints: Complaints = Complaints()
    policy: Policy = Policy()
    promises: Promises = Promises()
    response: Response = Response()
    catalog: str = ""  # path of catalog.yaml, relative to this file
    rules: tuple[str, ...] = ()  # more rule files or folders; those of the same name replace the shipped
    playbooks: tuple[str, ...] = ()
    inhibit_rules: tuple[Inhibition, ...] = ()  # as alertmanager.yml has them; rule files may hold some, too
    shipped: bool = True  # also use the rules and playbooks that Forewarn ships


class Config(msgspec.Struct, frozen=True):
    """All that was configured, checked."""

    web: Web = Web()
    storage: Storage = Storage()
    limits: Limits = Limits()
    kafka: Kafka = Kafka()
    policy: Policy = Policy()
    response: Response = Response()
    topology: Topology = msgspec.field(default_factory=Topology)
    watches: tuple[Watch, ...] = ()
    files: tuple[Path, ...] = ()  # every file that was read
    logs: Logs = Logs()
    complaints: Complaints = Complaints()
    articles: tuple[Article, ...] = ()
    promises: Promises = Promises()
    slos: tuple[Slo, ...] = ()  # their watches are among the others
    patterns: tuple[Pattern, ...] = ()
    inhibit_rules: tuple[Inhibition, ...] = ()
    priorities: tuple[Priority, ...] = ()


ROOT = Path(__file__).resolve().parents[1]


def default() -> Path | None:
    """Return forewarn.yaml of the folder one stands in, None where there is none."""
    here = Path("forewarn.yaml")
    return here if here.exists() else None


def load(path: Path | None = None, catalog: Path | None = None, more: Sequence[Path] = ()) -> Config:
    """Read forewarn.yaml, all it names and `more` rule files; raises Invalid with every error found."""
    errors: list[str] = []
    main = _read(path, Main, errors) if path else Main()
    home = path.parent if path else Path()
    rules = [f for spot in _spots(main, home, "rules", errors) for f in _yaml_files(spot)]
    rules += [f for spot in more for f in _yaml_files(spot)]
    books = [f for spot in _spots(main, home, "playbooks", errors) for f in _yaml_files(spot)]
    parsed = [_read(f, Rules, errors) for f in rules]
    watches = {w.name: w for found in parsed if found for w in found.looks}
    patterns = {p.name: p for found in parsed if found for p in found.patterns}
    ranks = {p.name: p for found in parsed if found for p in found.priorities}
    slos = {s.name: s for found in parsed if found for s in found.slos}
    mutes = [r for found in (*parsed, main) if found for r in found.inhibit_rules]
    playbooks = {b.name: b for b in (_read(f, Playbook, errors) for f in books) if b}
    where = catalog or (home / main.catalog if main and main.catalog else None)
    found = _catalog(where, errors)
    articles, told = _knowledge(home, main, errors)
    if errors or main is None:
        raise Invalid(errors)
    response = msgspec.structs.replace(main.response, playbooks=tuple(playbooks.values()))
    errors += [*forbidden(response), *unknown(main.promises, response)]
    if main.logs.templates == "drain3" and not drain3.installed():
        errors.append(f"{path}: logs.templates: {drain3.MISSING}")
    if main.complaints.encoder == "use" and not use.installed():
        errors.append(f"{path}: complaints.encoder: {use.MISSING}")
    if errors:
        raise Invalid(errors)
    files = tuple(f for f in (path, where, *rules, *books, *told) if f)
    return Config(
        main.web, main.storage, main.limits, main.kafka, main.policy, response, found,
        tuple(watches.values()), files, main.logs, main.complaints, articles, main.promises,
        tuple(slos.values()), tuple(patterns.values()), tuple({str(r): r for r in mutes}.values()),
        tuple(ranks.values()),
    )  # fmt: skip


def _knowledge(home: Path, main: Main | None, errors: list[str]) -> tuple[tuple[Article, ...], list[Path]]:
    """Return the articles and the files they are in."""
    if main is None or not main.complaints.knowledge:
        return (), []
    try:
        return knowledge.load(home / main.complaints.knowledge)
    except Invalid as error:
        errors += error.errors
    return (), []


def read(path: Path, into: type[T]) -> T:
    """Read one YAML file, ${ENV} put in; raises Invalid that says what is wrong with it."""
    return parse(_resolve(plain.read(path)), into)


def _read(path: Path, into: type[T], errors: list[str]) -> T | None:
    try:
        return read(path, into)
    except Invalid as error:
        errors += [f"{path}: {said}" for said in error.errors]
    return None


def _resolve(raw: Any) -> Any:
    """Put in ${ENV} variables; a variable that is not set is an error, ${ENV:-word} has a default."""
    if isinstance(raw, dict):
        return {k: _resolve(v) for k, v in raw.items()}
    if isinstance(raw, list):
        return [_resolve(v) for v in raw]
    if not isinstance(raw, str):
        return raw
    return re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", _variable, raw)


def _variable(found: re.Match[str]) -> str:
    value = os.environ.get(found[1], found[2])
    if value is None:
        raise Invalid([f"${{{found[1]}}}: this environment variable is not set"])
    return value


def _spots(main: Main | None, home: Path, what: str, errors: list[str]) -> Iterable[Path]:
    if main is None:
        return
    if main.shipped:
        yield ROOT / what
    for name in getattr(main, what):
        spot = home / name
        if not spot.exists():
            errors.append(f"{what}: {spot}: no such file or folder")
        else:
            yield spot


def _yaml_files(spot: Path) -> list[Path]:
    return [spot] if spot.is_file() else sorted(spot.glob("*.yaml"))


def _catalog(path: Path | None, errors: list[str]) -> Topology:
    if path is None:
        return Topology()
    try:
        return topology.load(path)
    except Invalid as error:
        errors += error.errors
    return Topology()
