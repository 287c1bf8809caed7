"""The second template engine, chosen by `logs.templates: drain3`: a line to the group it is most like."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from typing import Any

from pipeline.logs.shape import MAX_BYTES

MISSING = 'drain3 is not installed: pip install "forewarn[drain3]"'
MAX_GROUPS = 20_000  # about 2 kB each; past it the tree is begun anew, and ids go on

# What a user of drain3 is told to mask: addresses, hexadecimal, numbers.
MASKS = (
    (r"(?<=[^A-Za-z0-9])(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?=[^A-Za-z0-9]|$)", "IP"),
    (r"\b0x[0-9a-fA-F]+\b", "HEX"),
    (r"\b[0-9a-fA-F]{8,}\b", "HEX"),
    (r"(?<=[^A-Za-z0-9])([\-\+]?\d+)(?=[^A-Za-z0-9]|$)", "NUM"),
)
_NAMED = re.compile(r"<[A-Z]+>")

Tree = tuple[dict[str, "Tree"], list[int]]


def installed() -> bool:
    return importlib.util.find_spec("drain3") is not None


class Drained:
    """A tree of groups by number and likeness of words, 0.4 of which must agree: He et al. 2017, "Drain".

    Not the default: it merges plain words that differ, its ids hang on the order of lines, and it is 20 to 60
    times slower (benchmarks/logs.py). A snapshot holds plain tuples, so that none can name drain3's code.
    """

    def __init__(self, masks: Sequence[tuple[str, str]] = MASKS) -> None:
        from drain3.drain import Drain
        from drain3.masking import LogMasker, MaskingInstruction

        self.masks = tuple(masks)
        self._drain: Any = Drain()
        self._masker: Any = LogMasker([MaskingInstruction(*mask) for mask in self.masks], "<", ">")

    def ids(self, lines: Sequence[str]) -> list[int]:
        """Return the number of each line's group. Cost: 25 to 900 us a line, with the number of groups."""
        return [self._id(line) for line in lines]

    def text(self, id: int) -> str:
        """Return the words of the group, variables as <*>; "" where it was forgotten."""
        group = self._drain.id_to_cluster.get(id)
        return _NAMED.sub("<*>", group.get_template()) if group is not None else ""

    def _id(self, line: str) -> int:
        if len(self._drain.id_to_cluster) >= MAX_GROUPS:
            self.__setstate__((self.masks, self._drain.clusters_counter, [], ({}, [])))
        group, _ = self._drain.add_log_message(self._masker.mask(line[:MAX_BYTES]))
        return int(group.cluster_id)

    def __getstate__(self) -> tuple[Any, ...]:
        groups = [(g.cluster_id, g.log_template_tokens, g.size) for g in self._drain.id_to_cluster.values()]
        return self.masks, self._drain.clusters_counter, groups, _plain(self._drain.root_node)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        from drain3.drain import LogCluster

        masks, count, groups, tree = state
        self.__init__(masks)  # type: ignore[misc]  # what pickle made is bare
        self._drain.clusters_counter = count
        for id, words, size in groups:
            group = LogCluster(words, id)
            group.size = size
            self._drain.id_to_cluster[id] = group
        self._drain.root_node = _grown(tree)


def _plain(node: Any) -> Tree:
    return {word: _plain(child) for word, child in node.key_to_child_node.items()}, list(node.cluster_ids)


def _grown(tree: Tree) -> Any:
    from drain3.drain import Node

    node = Node()
    node.key_to_child_node = {word: _grown(child) for word, child in tree[0].items()}
    node.cluster_ids = list(tree[1])
    return node
