"""A match of a correlation rule to the sentence that a person on call reads."""

from __future__ import annotations

from collections.abc import Sequence

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
        kind = _kind(rule.count.of)
        return (
            f"{found.many} {kind}s{of} within {took}, {rule.count.at_least} are enough: {_named(found.hits)}"
        )
    if rule.distinct:
        label, least = rule.distinct.label, rule.distinct.at_least
        values = list(dict.fromkeys(h.value for h in found.hits))
        such = ", ".join(values[:SHOWN]) + (" and others" if len(values) > SHOWN else "")
        what = f"{_kind(rule.distinct.of)}s{of} with {found.many} values of {label} within {took}"
        return f"{what}, {least} are enough: {such}"
    if rule.sequence:
        return f"{' was followed by '.join(h.what for h in found.hits)}, within {took}"
    if rule.absence and rule.absence.after:
        many = f" and {found.many - 1} others" if found.many > 1 else ""
        what = f"{found.hits[0].what}{many} was not followed by a {_kind(rule.absence.of)}"
        return f"{what} within {span(rule.within)}"
    quiet = f"no {_kind(rule.absence.of) if rule.absence else 'sign'}{of} for {span(now - found.since)}"
    last = "" if found.hits[0].id == START else f", the last was {found.hits[0].what}"
    return f"{quiet}, at most {span(rule.within)} may pass{last}"


def _kind(term: Term) -> str:
    """Return what a term looks for in a word or two: the one kind that it asks for, else what it is."""
    kinds = [m.value for m in term.asked if m.name in ("kind", "alertname") and m.op == "="]
    return f"{kinds[0]} {term.what}" if kinds and kinds[0] != term.what else term.what


def _named(hits: Sequence[Hit]) -> str:
    names = list(dict.fromkeys(h.what for h in hits))
    return ", ".join(names[:SHOWN]) + (" and others" if len(names) > SHOWN else "")
