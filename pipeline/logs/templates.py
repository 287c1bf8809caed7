"""Log lines to templates, by shape: the same words give the same id, whoever says them and whenever."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import compress, islice
from typing import cast

import numpy as np

from pipeline.logs.drain3 import Drained
from pipeline.logs.header import header_end
from pipeline.logs.scan import Scan, compiled
from pipeline.logs.shape import MAX_BYTES, block_of, mask, readable, shape_of, shapes_of, wider
from pipeline.logs.wording import agreed, shown, worded
from pipeline.types import Rows

MAX_TEMPLATES = 100_000  # 0.4 kB each, 2.5 at most; past it the quarter silent longest is forgotten
MAX_HELD = 8_000_000  # bytes of shapes in each of two generations: a shape not met in the newer is forgotten
WARM = 1_000_000  # lines before numba is asked for: its start would take longer than it saves
SMALL = 4096  # bytes of a block for which it is not worth while
LOOKS = 4  # lines of a template whose words are compared; a new shape of it is
MAX_LOOKS = 100  # until so many were: ids that begin with a letter make new shapes for ever

_OUTSIDE = re.compile(r"[^0-9A-Za-z_.-]")  # what a shape keeps of a line, one for one


@dataclass(slots=True)
class Template:
    """What is shown of one template, and how often it was met."""

    said: bytes | str  # its first line, until there is a second; then words as `wording.worded` gives them
    held: bytes = b""  # the latest line that is to be compared with them: at the next, so that none costs two
    looks: int = 1  # lines compared
    votes: int = 1  # lines of as many words as are shown, less the others: the commoner number wins
    lines: int = 0
    seen: int = 0  # number of the latest line, of all that the state has met


@dataclass(slots=True)
class Templates:
    """The shapes met and their templates. Owned by LogState; bounded as said above.

    An id is 53 bits of a hash of the template's key and nothing else, so it is the same in every process,
    in any order of lines and after it was forgotten; it is exact in JSON.
    """

    known: dict[bytes, int] = field(default_factory=dict)  # shape -> template id
    older: dict[bytes, int] = field(default_factory=dict)  # the generation before
    held: int = 0  # bytes in `known`
    table: dict[int, Template] = field(default_factory=dict)
    young: set[int] = field(default_factory=set)  # templates with looks left
    lines: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    scan: Scan = field(default_factory=Scan, compare=False)
    drained: Drained | None = None  # the second engine, where it is chosen: all above stays empty


def template_of(state: Templates, line: str) -> int:
    """Return the id of the line's template, for good. Cost: 2 us, and 40 us for a new shape."""
    id = state.known.get(shape_of(line))
    if id is None or id in state.young:
        return templates_of(state, (line,))[0]
    state.lines += 1
    known = state.table[id]
    known.lines += 1
    known.seen = state.lines
    return id


def templates_of(state: Templates, lines: Sequence[str]) -> list[int]:
    """Return the id of each line's template; a line break inside a line is a blank."""
    if state.drained is not None:
        return state.drained.ids(lines)
    return take_block(state, block_of(lines))[0] if lines else []


def take_block(state: Templates, block: bytes) -> tuple[list[int], Counter[int]]:
    """Return the template id of each line of the block, in order, and how many lines each had.

    Lines end with a newline, the last one's may be missing. Cost: 0.6 us a line of a known shape, by 256 KiB.
    """
    code = compiled() if state.lines >= WARM and len(block) >= SMALL else None
    find = code.result() if code is not None and code.done() else None
    numbers = state.scan.numbers(block, find) if find is not None else None
    ids, counts, fresh = _ids_of(state, block) if numbers is None else _ids_at(state, numbers)
    young = state.young.intersection(counts)
    if fresh or young:
        _look(state, block, ids, fresh, young)
    state.lines += len(ids)
    table, now = state.table, state.lines
    for id, count in counts.items():
        template = table[id]
        template.lines += count
        template.seen = now
    if len(table) > MAX_TEMPLATES:
        _forget(state)
    return ids, counts


def _ids_of(state: Templates, block: bytes) -> tuple[list[int], Counter[int], set[int]]:
    """Return what `take_block` does, and the lines whose shape was never met."""
    shapes = shapes_of(block)
    if not shapes[-1]:
        shapes.pop()
    return _ids(state, shapes)


def _ids_at(state: Templates, numbers: Rows) -> tuple[list[int], Counter[int], set[int]]:
    """Return the same, from numbers that stand for shapes: no look at bytes where each has its id."""
    shapes, given = state.scan.shapes, state.scan.given(state.known)
    lines = np.bincount(numbers, minlength=1)
    met = np.flatnonzero(lines)
    for number in met.tolist():
        if given[number] is None:
            given[number] = state.known.get(shapes[number])
    each = given[met].tolist()
    if None in each:
        return _ids(state, [shapes[number] for number in numbers.tolist()])
    counts: Counter[int] = Counter()
    for id, count in zip(each, lines[met].tolist(), strict=True):
        counts[id] += count
    return given[numbers].tolist(), counts, set()


def _ids(state: Templates, shapes: list[bytes]) -> tuple[list[int], Counter[int], set[int]]:
    found = list(map(state.known.get, shapes))
    fresh: set[int] = set()
    if None in found:
        for at, id in enumerate(found):
            if id is None:
                found[at], new = _place(state, shapes[at])
                if new:
                    fresh.add(at)
    ids = cast(list[int], found)
    return ids, Counter(ids), fresh


def text_of(state: Templates, id: int) -> str:
    """Return the template as it now reads, variables as <*>; "" where it was forgotten."""
    if state.drained is not None:
        return state.drained.text(id)
    template = state.table.get(id)
    return shown(_compared(template)[0], template.looks) if template is not None else ""


def _place(state: Templates, shape: bytes) -> tuple[int, bool]:
    """Return the template id of a shape that was not in `known`, and whether it was never met."""
    shape = shape[:MAX_BYTES]
    found = state.known.get(shape)
    if found is not None:
        return found, False
    found = state.older.get(shape)
    new = found is None
    if found is None:
        wide = wider(shape)
        found = state.known.get(wide, state.older.get(wide))
        if found is None:
            found = _id_of(wide)
            _remember(state, wide, found)
    _remember(state, shape, found)
    return found, new


def _id_of(wide: bytes) -> int:
    text = wide.decode("utf-8", "replace")
    key = mask(text[header_end(text) :])
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big") >> 11


def _remember(state: Templates, shape: bytes, id: int) -> None:
    if state.held > MAX_HELD:
        state.older, state.known, state.held = state.known, {}, 0
        state.dropped["old shape"] += len(state.older)
    if shape not in state.known:
        state.known[shape] = id
        state.held += len(shape) + 100  # what a dictionary and an object take besides


def _look(state: Templates, block: bytes, ids: list[int], fresh: set[int], heard: set[int]) -> None:
    """Compare the words of lines with those of their template: of fresh shapes, and while it is young."""
    table, young = state.table, state.young
    wanted = heard.union(ids[at] for at in fresh if ids[at] not in table)
    lines = block.split(b"\n")
    for at in sorted(fresh.union(compress(range(len(ids)), map(wanted.__contains__, ids)))):
        id, line = ids[at], readable(lines[at])[:MAX_BYTES]
        known = table.get(id)
        if known is None:
            table[id] = Template(line)
            young.add(id)
        elif id in young or (at in fresh and known.looks < MAX_LOOKS):
            _compare(known, line)
            if known.looks >= LOOKS:
                young.discard(id)


def _compare(known: Template, line: bytes) -> None:
    known.said, known.votes = _compared(known)
    known.held = line
    known.looks += 1


def _compared(known: Template) -> tuple[str, int]:
    """Return the words of the template and the votes for them, its held line compared."""
    said, votes = known.said, known.votes
    before = said if isinstance(said, str) else worded(_message(said))
    if not known.held:
        return before, votes
    words = worded(_message(known.held))
    both = agreed(before, words)
    if both is not None:
        return both, votes + 1
    return (before, votes - 1) if votes else (words, 1)


def _message(line: bytes) -> str:
    """Return the line without its header, which is found in its shape."""
    text = line.decode("utf-8", "replace")
    wide = wider(shapes_of(line)[0]).decode("utf-8", "replace")
    end = header_end(wide)
    if not end:
        return text
    marks = len(_OUTSIDE.findall(wide, 0, end))
    last = next(islice(_OUTSIDE.finditer(text), marks - 1, None), None)
    return text[last.end() :] if last is not None else text


def _forget(state: Templates) -> None:
    """Drop the quarter of the templates that was silent longest, and the shapes that lead to them."""
    idle = sorted((template.seen, id) for id, template in state.table.items())[: MAX_TEMPLATES // 4]
    for _, id in idle:
        del state.table[id]
    state.young.intersection_update(state.table)
    state.known = {shape: id for shape, id in state.known.items() if id in state.table}
    state.older = {shape: id for shape, id in state.older.items() if id in state.table}
    state.dropped["idle template"] += len(idle)
