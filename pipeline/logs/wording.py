"""The lines of a template to the words shown for it: what all of them say alike is no variable."""

from __future__ import annotations

import re

from pipeline.logs.shape import DATE, KEPT, MAX_WORDS, VARIABLE

SURE = 3  # lines that must agree before a word that could vary is shown
MAX_SHOWN = 1024  # characters of a template that are kept

_BLANKS = re.compile(r"\s+")
_SPLIT = re.compile(r"(\s+|[=:,;()\[\]{}\"'<>|])")
_STAMP = re.compile(rf"(?=[A-Z])(?:\b{DATE} +){{1,3}}\x01(?:[ :]+(?:\x01|{DATE}\b))*")
_SIZE = re.compile(r"\x01 (?=[KMGT]?i?B\b)")  # a size is scaled as it grows: its unit may vary with it
_RUN = re.compile(r"<\*>(?: <\*>)+")
_NAME = re.compile(r"[A-Za-z_$][\w.$*@-]*")
_DIGIT = re.compile(r"[0-9]")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{8,}")


def worded(message: str) -> str:
    """Return the words of one line, NUL between them: \\x01 is a variable, a word after \\x02 may be one."""
    marked = _SIZE.sub("\x01\x03", _STAMP.sub("\x01", VARIABLE.sub(_marked, message)))
    return "\0".join(_SPLIT.split(_BLANKS.sub(" ", marked))[: 4 * MAX_WORDS])[:MAX_SHOWN]


def agreed(one: str, other: str) -> str | None:
    """Return the words of two lines with what differs as a variable; None where they differ in length."""
    if one == other:
        return one
    left, right = one.split("\0"), other.split("\0")
    if len(left) != len(right):
        return None
    return "\0".join(a if a == b else "\x01" for a, b in zip(left, right, strict=True))


def shown(words: str, lines: int) -> str:
    """Return the template to show, variables as <*>, after so many lines were looked at."""
    said = [_spelled(word, lines >= SURE) for word in words.split("\0")]
    return _RUN.sub("<*>", "".join(said)).strip()


def _spelled(word: str, sure: bool) -> str:
    if "\x01\x03" in word:
        return word.replace("\x01\x03", "<*> ")
    return "<*>" if "\x01" in word or ("\x02" in word and not sure) else word.replace("\x02", "")


def _marked(found: re.Match[str]) -> str:
    word = found[0]
    if word[0] == "=":
        return '="\x01"'
    if word.lower() in KEPT:
        return word
    return f"\x02{word}" if _is_name(word) else "\x01"


def _is_name(word: str) -> bool:
    """Say whether it could be a word of the template, as "ssh2": letters first, few digits, one dot."""
    if word.count(".") > 1 or _HEXADECIMAL.fullmatch(word):
        return False
    return _NAME.fullmatch(word) is not None and len(_DIGIT.findall(word)) <= 4
