"""Who may import whom, and how long a file may be: the house plan as assertions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = sorted(p for d in ("pipeline", "detectors") for p in (ROOT / d).rglob("*.py"))
ALL = sorted([*CODE, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")])

NOUNS = (
    "types",
    "clock",
    "series",
    "topology",
    "frame",
    "units",
    "plain",
    "kinds",
    "redact",
    "visible",
    "pseudonym",
    "signed",
    "markup",
    "knowledge",
    "match",
    "matchers",
    "regexes",
    "silence",
    "inhibit",
    "inhibition",
    "labelsets",
    "intervals",
    "windows",
    "policy",
    "quiet",
    "untold",
)
WORDS = {f"pipeline.{word}" for word in NOUNS}
STAGES = {
    *("detect", "logs", "complaints", "alerts", "spans", "evidence", "patterns"),
    *("firing", "correlate", "cause", "transients", "decide", "respond", "follow", "priority"),
}
EDGES = {"ingest", "notify", "actions", "store"}
AWAITING = {*EDGES, "perform", "run", "console", "demo", "commands"}


def name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def within(path: Path, parts: set[str]) -> bool:
    """Say whether the file is pipeline.PART, or in that folder, for one of the parts."""
    return bool(parts.intersection(name(path).split(".")[1:2]))


def imports(path: Path) -> Iterator[str]:
    """Yield every module that the file imports, wherever in the file; `from a import b` as both."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{a.name}" for a in node.names)


def ours(path: Path) -> set[str]:
    """Return the imports of our own code, cut to the module."""
    known = {name(p) for p in CODE}
    found = set()
    for what in imports(path):
        if what.split(".")[0] in {"pipeline", "detectors"}:
            found.add(what if what in known else what.rpartition(".")[0])
    return found - {name(path), "pipeline"}


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [p for p in CODE if name(p).startswith("detectors")], ids=ids)
def test_detectors_import_nothing_of_ours_but_detectors(path: Path) -> None:
    assert {m for m in ours(path) if not m.startswith("detectors")} == set()


@pytest.mark.parametrize("path", [p for p in CODE if name(p) in WORDS], ids=ids)
def test_the_nouns_import_only_each_other(path: Path) -> None:
    assert ours(path) <= WORDS


@pytest.mark.parametrize("path", [p for p in CODE if within(p, STAGES)], ids=ids)
def test_stages_import_nouns_detectors_and_stages_only(path: Path) -> None:
    allowed = WORDS | {f"pipeline.{s}" for s in STAGES}
    stray = {
        m
        for m in ours(path)
        if m not in allowed
        and not m.startswith(("detectors", "pipeline.oncall", *(f"pipeline.{s}." for s in STAGES)))
    }
    assert stray <= {"pipeline.actions", "pipeline.notify"}, "stages know a family's Args, never its deeds"


@pytest.mark.parametrize("path", [p for p in CODE if within(p, EDGES)], ids=ids)
def test_edges_import_nouns_and_their_own_family_only(path: Path) -> None:
    family = ".".join(name(path).split(".")[:2])
    assert {m for m in ours(path) if m not in WORDS and not m.startswith(family)} == set()


@pytest.mark.parametrize("path", [p for p in CODE if name(p).startswith("pipeline.console")], ids=ids)
def test_the_console_never_imports_flow_or_detectors(path: Path) -> None:
    touched = {m for m in ours(path) if m.startswith("detectors") or m == "pipeline.flow"}
    assert touched == set()


@pytest.mark.parametrize(
    ("package", "users"),
    [
        ("faust", {"pipeline/run/kafka.py"}),
        ("mode", set()),
        ("aiokafka", {"pipeline/run/topics.py"}),
    ],
)
def test_only_the_kafka_engine_imports_faust(package: str, users: set[str]) -> None:
    assert {ids(p) for p in CODE if any(m.split(".")[0] == package for m in imports(p))} == users


@pytest.mark.parametrize("path", [p for p in CODE if not within(p, {"clock", "demo"})], ids=ids)
def test_only_the_clock_reads_the_time(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    read = [w for w in ("time.time(", "time.monotonic(", "datetime.now(", "utcnow(") if w in text]

    assert read == []


@pytest.mark.parametrize("path", [p for p in CODE if not within(p, AWAITING)], ids=ids)
def test_only_edges_and_engines_await(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))

    assert not any(isinstance(n, ast.Await | ast.AsyncFor | ast.AsyncWith) for n in ast.walk(tree))


@pytest.mark.parametrize("path", CODE, ids=ids)
def test_a_file_begins_with_one_sentence_of_what_it_is(path: Path) -> None:
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))

    assert doc is not None
    assert doc.splitlines()[0].endswith((".", ":"))


@pytest.mark.parametrize("path", ALL, ids=ids)
def test_no_file_is_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_the_trip_fits_one_screen() -> None:
    assert len((ROOT / "pipeline" / "flow.py").read_text(encoding="utf-8").splitlines()) <= 85
