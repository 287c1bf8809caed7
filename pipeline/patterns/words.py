"""A match of a correlation rule to the sentence that a person on call reads."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.matchers import Op
from pipeline.patterns.found import Match
from pipeline.patterns.rule import Pattern, Term
from pipeline.patterns.state import Hit
from pipeline.types import Seconds
from pipeline.units import span

SHOWN = 4  # happenings that a sentence names
START = "start"  # id of the hit that stands for where everything began


def sentence(rule: Pattern, found: Match, key: Sequence[str], now: Seconds) -> str:
    """Return what happened with its numbers, and which rule says so."""
    said = [_what(rule, found, key, now), f'rule "{rule.name}"', rule.says]
    return "; ".join(part for part in said if part)


def _what(rule: Pattern, found: Match, key: Sequence[str], now: Seconds) -> str:
    of = f" of {', '.join(key)}" if any(key) else ""
    took = span(found.last - found.since)
    if rule.count:
        enough = f"{rule.count.at_least} are enough"
        return (
            f"{found.many} {_noun(rule.count.of)}s{of} within {took}, {enough}: {_such(_whats(found.hits))}"
        )
    if rule.distinct:
        label, least = rule.distinct.label, rule.distinct.at_least
        what = f"{_noun(rule.distinct.of)}s{of} with {found.many} values of {label} within {took}"
        return f"{what}, {least} are enough: {_such([h.value for h in found.hits])}"
    if rule.sequence:
        return f"{' was followed by '.join(_whats(found.hits))}, within {took}"
    if rule.absence and rule.absence.after:
        what = f"no {_noun(rule.absence.of)} followed {_such(_whats(found.hits))}"
        return f"{what} within {span(rule.within)}"
    quiet = f"no {_noun(rule.absence.of) if rule.absence else 'sign'}{of} for {span(now - found.since)}"
    last = "" if found.hits[0].id == START else f", the last was {found.hits[0].what}"
    return f"{quiet}, at most {span(rule.within)} may pass{last}"


def _noun(term: Term) -> str:
    """Return what a term looks for in a word or two, of which one can speak in the plural."""
    kind = next((m.value for m in term.asked if m.name == "kind" and m.op is Op.EQUAL), "")
    if term.what == "signal":
        return "alert" if kind == "alert" else f"{kind} signal".strip()
    if term.what == "recovery":
        return "resolved alert" if kind == "alert" else f"ended {kind} signal".replace("  ", " ")
    return kind if term.what == "change" and kind else term.what


def _whats(hits: Sequence[Hit]) -> list[str]:
    return [h.what for h in hits]


def _such(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    return ", ".join(names[:SHOWN]) + (" and others" if len(names) > SHOWN else "")
