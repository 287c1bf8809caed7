"""Two replays of one recording, as incidents.jsonl has them, to what the other rules would have paged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any, NamedTuple, TypeAlias

from pipeline.types import Seconds
from pipeline.units import span

Told: TypeAlias = Mapping[str, Any]  # an incident as describe() tells it

# Pages of one service so near to each other are about the same, though one was over before the other came.
NEAR: Seconds = 300.0
SAME: Seconds = 1.0
TITLE = 60  # characters of a title that the table shows


class Pair(NamedTuple):
    """One page here, there, or both of what is the same incident."""

    here: Told | None
    there: Told | None

    @property
    def at(self) -> Seconds:
        return min(float(side["paged_at"]) for side in self if side is not None)

    @property
    def later(self) -> Seconds:
        """Return how much later the other pages; below 0 = earlier, 0 where one of them does not."""
        if self.here is None or self.there is None:
            return 0.0
        return float(self.there["paged_at"]) - float(self.here["paged_at"])

    @property
    def verdict(self) -> str:
        if self.here is None or self.there is None:
            return "only there" if self.here is None else "only here"
        if abs(self.later) < SAME:
            return "same"
        return "earlier" if self.later < 0 else "later"


def compare(here: Sequence[Told], there: Sequence[Told]) -> list[Pair]:
    """Return each page of either, in order of time; nearest in time are paired first, ties by id."""
    ours, theirs = _pages(here), _pages(there)
    near = sorted(
        (_unlike(a, b), abs(a["paged_at"] - b["paged_at"]), a["id"], b["id"], i, k)
        for i, a in enumerate(ours)
        for k, b in enumerate(theirs)
        if _about_the_same(a, b)
    )
    found: dict[int, int] = {}
    taken: set[int] = set()
    for *_, i, k in near:
        if i not in found and k not in taken:
            found[i] = k
            taken.add(k)
    pairs = [Pair(a, theirs[found[i]] if i in found else None) for i, a in enumerate(ours)]
    pairs += [Pair(None, b) for k, b in enumerate(theirs) if k not in taken]
    return sorted(pairs, key=lambda p: (p.at, (p.here or p.there or {})["id"]))


def totals(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Return how many pages there are of each sort, and by how much they move in the middle."""
    counted = Counter(pair.verdict for pair in pairs)
    moved = [pair.later for pair in pairs if pair.here and pair.there]
    return {
        "pages_here": sum(pair.here is not None for pair in pairs),
        "pages_there": sum(pair.there is not None for pair in pairs),
        **{v.replace(" ", "_"): counted[v] for v in ("same", "earlier", "later", "only here", "only there")},
        "later_median_s": median(moved) if moved else None,
    }


def rows(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """Return the pages as plain JSON."""
    return [
        {
            "verdict": pair.verdict, "later_s": pair.later if pair.here and pair.there else None,
            "here": _short(pair.here), "there": _short(pair.there), "differs": list(differences(pair)),
        }
        for pair in pairs
    ]  # fmt: skip


def table(pairs: Sequence[Pair]) -> Iterator[str]:
    """Yield the lines of a table that people read, and a line of totals under it."""
    cells = [("here", "there", "the other", "service", "what")]
    for pair in pairs:
        told = pair.here or pair.there or {}
        what = "; ".join([_title(told), *differences(pair)])
        cells.append((_time(pair.here), _time(pair.there), _word(pair), _service(told), what))
    wide = [max(len(row[k]) for row in cells) for k in range(4)]
    for row in cells:
        yield "  ".join(
            [*(cell.ljust(width) for cell, width in zip(row[:4], wide, strict=True)), row[4]]
        ).rstrip()
    known = totals(pairs)
    moved = known["later_median_s"]
    middle = "" if moved is None else f"; the middle one of both moves by {moved:+.0f} s"
    yield (
        f"{known['pages_here']} pages here, {known['pages_there']} there: {known['same']} the same, "
        f"{known['earlier']} earlier, {known['later']} later, {known['only_here']} only here, "
        f"{known['only_there']} only there{middle}"
    )


def differences(pair: Pair) -> Iterator[str]:
    """Yield what the other says otherwise of a page that both have."""
    if pair.here is None or pair.there is None:
        return
    for what, mine, other in (
        ("first suspect", _service(pair.here), _service(pair.there)),
        ("priority", pair.here["priority"], pair.there["priority"]),
        ("lead", _lead(pair.here), _lead(pair.there)),
    ):
        if mine != other:
            yield f"{what} {other}, not {mine}"


def _pages(told: Sequence[Told]) -> list[Told]:
    return [incident for incident in told if incident["paged_at"] is not None]


def _about_the_same(a: Told, b: Told) -> bool:
    """Say whether two incidents touch a service in common while both last."""
    if not set(a["services"]) & set(b["services"]) and (a["services"] or b["services"]):
        return False
    return all(
        one["paged_at"] <= (other["resolved_at"] or float("inf")) + NEAR for one, other in ((a, b), (b, a))
    )


def _unlike(a: Told, b: Told) -> bool:
    return _service(a) != _service(b)


def _service(told: Told) -> str:
    return str(told["services"][0]) if told["services"] else "-"


def _lead(told: Told) -> str:
    return "-" if told["lead_s"] is None else f"{told['lead_s']:+.0f} s"


def _word(pair: Pair) -> str:
    if pair.verdict in ("earlier", "later"):
        return f"{span(abs(pair.later))} {pair.verdict}"
    return {"only here": "does not page", "only there": "pages, too"}.get(pair.verdict, pair.verdict)


def _time(told: Told | None) -> str:
    return (
        "-" if told is None else datetime.fromtimestamp(told["paged_at"], UTC).strftime("%Y-%m-%d %H:%M:%S")
    )


def _title(told: Told) -> str:
    title = str(told["title"]).removeprefix(f"{_service(told)}: ")
    return title if len(title) <= TITLE else f"{title[: TITLE - 1]}…"


def _short(told: Told | None) -> dict[str, Any] | None:
    names = ("id", "paged_at", "resolved_at", "priority", "title", "services", "lead_s")
    return None if told is None else {name: told[name] for name in names}
