"""An explanation to one screen of a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline import units
from pipeline.console.words import clock_time, iso, lead, span
from pipeline.explain import Told

Rows = Sequence[tuple[str, str]]
MAX_ROWS = 12  # of one section; --json has all
MAX_AFTER = 110  # characters of what changed a ranking: the whole line stands above


def show(told: Told) -> None:
    """Print it as wide as the terminal is."""
    console = Console(highlight=False)
    for head, rows in sections(told):
        console.print(Text(head, style="bold"))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, max_width=22)
        table.add_column(overflow="fold")
        shown = [
            *rows[:MAX_ROWS],
            *([("...", f"{len(rows) - MAX_ROWS} more: --json")] if len(rows) > MAX_ROWS else []),
        ]
        for left, right in shown or [("none", "")]:
            table.add_row(Text(f"  {left}"), Text(right))
        console.print(table)
        console.print()


def sections(told: Told) -> Iterator[tuple[str, Rows]]:
    """Yield each heading with its rows; times are UTC."""
    incident = told["incident"]
    if told["is"] == "incident":
        yield from _whole(told)
        return
    yield f"{told['is'].capitalize()} {told['id']}", [row for each in told["this"] for row in _own(each)]
    if incident is None:
        yield "Where it went", [("no incident", "it was not tied to one, or that one is forgotten")]
        return
    yield "Where it went", [("incident", incident["id"]), *_facts(incident)]
    yield "What the incident says of it", [(clock_time(e["at"]), e["what"]) for e in told["said"]]
    yield from _decided(told)
    yield "Everything else", [("forewarn explain", incident["id"])]


def _whole(told: Told) -> Iterator[tuple[str, Rows]]:
    incident = told["incident"]
    yield f"Incident {incident['id']}", list(_facts(incident))
    yield "Detection", [(clock_time(each["since"]), _brief(each)) for each in told["detection"]]
    yield "What joined it, and why", [(clock_time(e["at"]), e["what"]) for e in told["joined"]]
    yield "Rankings", [row for each in told["rankings"] for row in _ranking(each)]
    yield "Suspects now", [(f"{s['score']:.1f} {s['service']}", s["reason"]) for s in incident["suspects"]]
    yield from _decided(told)
    yield "Complaints", list(_complaints(told["complaints"]))


def _decided(told: Told) -> Iterator[tuple[str, Rows]]:
    if told["silences"]:
        yield "Silences", [row for each in told["silences"] for row in _silence(each)]
    done = [(clock_time(e["at"]), e["what"]) for e in told["done"]]
    if told["verdicts"] is not None:
        yield "Verdicts", [(clock_time(v["at"]), _verdict(v)) for v in told["verdicts"]]
    if done:
        yield "Done" if told["verdicts"] is not None else "Decided and done", done
    if told["actions"]:
        yield "Actions", [row for each in told["actions"] for row in _action(each)]
    if told["runs"]:
        yield "Playbooks", [row for r in told["runs"] for row in _run(r)]


def _facts(i: Told) -> Iterator[tuple[str, str]]:
    yield "what", i["title"]
    by = f" by {i['by']}" if i["by"] else ""
    over = f", {iso(i['resolved_at'])}" if i["resolved_at"] is not None else ""
    yield "stands", f"{i['priority']}, {i['state']}{by}{over}"
    yield "services", ", ".join(i["services"])
    yield "first signal", _when(i["first_signal_at"])
    yield "opened", _when(i["opened_at"])
    yield "paged", _when(i["paged_at"])
    yield "first complaint", _when(i["first_complaint_at"])
    yield "lead time", lead(i["lead_s"]) or "not known: it takes a page and a complaint"
    yield (
        "customers affected",
        f"{len(i['customers'])}: {_some(i['customers'])}" if i["customers"] else "none known",
    )
    if i["cause"]:
        yield "a symptom of", i["cause"]
    for change in i["changes"]:
        yield "change", f"{change['id']} {_when(change['at'])} {change['summary']}"


def _own(each: Told) -> Iterator[tuple[str, str]]:
    """Yield the thing that was asked for: a signal, a complaint, a change or an action."""
    if "suspected" in each:
        yield "what", f"{each.get('kind') or 'change'} of {each['service']}: {each['summary']}"
        yield "when", _when(each["at"])
        yield "suspected", each["suspected"] or "no: others explain it better"
        return
    if "detector" in each:
        yield "what", f"{each['kind']} of {each['service'] or 'no known service'}: {each['series']}"
        yield "why", each["reason"]
        yield "found by", each["detector"]
        yield "first seen", _when(each["since"])
        yield "ended", _when(each["ended"]) if each["ended"] is not None else "still on"
        yield from _numbers(each)
        yield "strong enough", "to page by itself" if each["page"] else "as evidence beside others only"
        yield from (("a line", line) for line in each["samples"])
        return
    if "key" in each:
        yield "when", _when(each["at"])
        yield from _action(each)
        return
    if "text" not in each:
        yield "what", "its words are not kept by a replay"
        return
    yield "when", _when(each["at"])
    yield "customer", each["customer"] or "no name"
    yield "said", each["text"]
    yield "topic", each["topic"]
    yield "urgent", each["urgent"] or "no"
    if each["aside"]:
        yield "counts to no surge", each["aside"]
    yield "may mean", _links(each) or "no service could be told"


def _numbers(each: Told) -> Iterator[tuple[str, str]]:
    if each["observed"] is not None:
        metric = each["labels"].get("__name__") or each["series"].partition("{")[0]
        expected = each["expected"]
        usual = f", expected {units.quantity(expected, metric)}" if expected is not None else ""
        yield "observed", units.quantity(each["observed"], metric) + usual
    yield "surprise", _surprise(each)


def _surprise(each: Told) -> str:
    return "not known" if each["surprise"] is None else f"{each['surprise']:.1f}: {each['means']}"


def _brief(each: Told) -> str:
    """Return a signal in one row: what was measured, or what was said where no number fits."""
    seen = next((right for left, right in _numbers(each) if left == "observed"), "")
    what = f"{each['series']}: {seen}" if each["kind"] == "metric" and seen else each["reason"]
    lasted = f"for {span(each['ended'] - each['since'])}" if each["ended"] is not None else "still on"
    bar = "may page" if each["page"] else "evidence"
    return f"{what}; {lasted}; surprise {_surprise(each)}; {each['detector']}, {bar} [{each['id']}]"


def _ranking(each: Told) -> Iterator[tuple[str, str]]:
    order = ", ".join(f"{k} {s}" for k, s in enumerate(each["suspects"], 1))
    yield clock_time(each["at"]), f"{order}: {each['what']}"
    yield from (("   after", textwrap.shorten(what, MAX_AFTER, placeholder=" ...")) for what in each["after"])


def _silence(s: Told) -> Iterator[tuple[str, str]]:
    many = len(s["signals"])
    yield s["by"] or "someone", f"{', '.join(s['matchers'])}{': ' * bool(s['why'])}{s['why']} [{s['id']}]"
    yield "", f"{iso(s['starts'])} to {iso(s['until'])}, {many} signal{'s' * (many > 1)} of this"


def _verdict(v: Told) -> str:
    by = f" (by {v['by']})" if v["by"] else ""
    because = f": {v['because']}" if v["because"] else ""
    return f"{v['reason']}, {v['means']}{by}{because}"


def _action(a: Told) -> Iterator[tuple[str, str]]:
    yield a["state"], f"{a['what']} [{a['key']}]"
    if a["outcome"]:
        how = "ok" if a["outcome"]["ok"] else "failed"
        yield "", f"{how} after {units.span(a['outcome']['took'])}: {a['outcome']['detail']}"


def _complaints(complaints: Sequence[Told]) -> Iterator[tuple[str, str]]:
    for c in complaints:
        if "text" in c:
            yield c["id"], f"{c['customer'] or 'no name'}: {c['text']} ({_links(c) or 'names no service'})"
    if silent := [c["id"] for c in complaints if "text" not in c]:
        yield f"{len(silent)}", f"words not kept: {', '.join(silent)}"


def _run(run: Told) -> Iterator[tuple[str, str]]:
    yield run["state"], run["playbook"]
    yield from ((f"  {clock_time(e['at'])}", e["what"]) for e in run["said"])


def _links(c: Told) -> str:
    return ", ".join(f"{each['service']} {each['score']:.2f}" for each in c["links"])


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _when(at: float | None) -> str:
    return iso(at) or "no"
