"""The daily report to what people read: plain text for a terminal, HTML that stands alone in a mail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import mean, median

from pipeline import units
from pipeline.console.words import day_time, lead
from pipeline.report import TOP, Report
from pipeline.types import Case, Incident

Rows = Sequence[tuple[str, str]]
ANSWER = {"respond": "a first answer", "update": "news", "resolve": "a solution"}


def sections(report: Report) -> list[tuple[str, Rows]]:
    """Return each heading with its rows."""
    return [
        ("Complaints", list(_complaints(report))),
        ("Topics", _shares(report.topics, report.received)),
        ("Services", _shares(report.services, report.received)),
        ("Promises", list(_promises(report))),
        ("Broken promises", _broken(report.broken)),
        ("Satisfaction", list(_satisfaction(report))),
        ("Incidents", [("lead time", _leads(report)), *map(_incident, report.incidents[:TOP])]),
    ]


def text(report: Report) -> str:
    """Return the report for a terminal."""
    lines = [f"Forewarn, {report.day:%A %-d %B %Y}"]
    for head, rows in sections(report):
        lines += ["", head, *(f"  {left:<28} {right}" for left, right in rows or [("none", "")])]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _complaints(r: Report) -> Iterator[tuple[str, str]]:
    more = f", {r.received - r.before:+d} to the day before" if r.before or r.received else ""
    yield "received", f"{r.received} by {r.customers} customers{more}"
    yield "urgent", str(r.urgent)
    yield "closed", str(r.closed)
    yield "open at the end", str(r.open)
    yield "first answer, median", units.span(r.answered) if r.answered is not None else "none given"


def _promises(r: Report) -> Iterator[tuple[str, str]]:
    for word in r.promises:
        both = word.kept + word.broken
        rate = f", {100 * word.kept / both:.0f} % kept" if both else ""
        yield word.what, f"{word.kept} kept, {word.broken} broken{rate}"


def _broken(broken: Sequence[tuple[Case, str]]) -> Rows:
    rows = [(c.complaint, f"{c.customer or 'no name'}: {ANSWER[what]}") for c, what in broken[:TOP]]
    return [*rows, *([("and more", str(len(broken) - TOP))] if len(broken) > TOP else [])]


def _satisfaction(r: Report) -> Iterator[tuple[str, str]]:
    yield "helped", f"{r.helped} yes, {r.not_helped} no, {r.unsaid} closed without a word"
    if r.scores:
        yield "score", f"{mean(r.scores):.1f} of 5 in {len(r.scores)} answers"


def _leads(r: Report) -> str:
    if not r.leads:
        return f"not measured: {len(r.incidents)} incidents, none both paged and complained of"
    early = sum(at > 0 for at in r.leads)
    return f"median {lead(median(r.leads))}, {early} of {len(r.leads)} before the first complaint"


def _incident(i: Incident) -> tuple[str, str]:
    over = f"over after {units.span(i.resolved - i.opened)}" if i.resolved is not None else i.state.value
    return f"{i.priority} {day_time(i.opened)}", f"{i.title} ({over}, {len(i.complaints)} complaints)"


def _shares(counted: Sequence[tuple[str, int]], whole: int) -> Rows:
    rows = [(name[:60], f"{n}, {100 * n / max(1, whole):.0f} %") for name, n in counted[:TOP]]
    rest = sum(n for _, n in counted[TOP:])
    return [*rows, *([("others", str(rest))] if rest else [])]
