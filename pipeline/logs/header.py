"""The masked line to where its message begins: what a logger puts before it is told by shape alone."""

from __future__ import annotations

import re

LONGEST = 14  # words of a line that may be header

_WORD = re.compile(r"(\[[^\]]*\][^\s\[]*|[^\s|]+\|?|\|)")
_CLOCK = re.compile(r"[\[(<]*(?:(?:0|[A-Z][a-z]{2}\b)[^=\[]*?)?0:0:0")
_NUMBER = re.compile(r"[\[(<]*[-+]?0[0:/.,+TZ@>-]*[\])>]*[,:|]?")
_NAME = re.compile(r"[\w.$/@*-]+(?:\([\w.$/ -]*\))?(?:\[[\w.,/ -]*\])?:")
_DOTTED = re.compile(r"[\w$]+(?:\.[\w$]+)+")
_LEVELS = frozenset(
    ("TRACE", "DEBUG", "INFO", "INFORMATION", "NOTICE", "WARN", "WARNING", "ERROR", "ERR", "SEVERE", "FATAL",
     "CRIT", "CRITICAL", "ALERT", "EMERG", "PANIC")
)  # fmt: skip
_LETTERS = frozenset("VDIWEFT")
_DATES = frozenset(
    ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
     "Sep", "Oct", "Nov", "Dec", "UTC", "GMT", "AM", "PM", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST",
     "PDT", "BST", "CET", "CEST")
)  # fmt: skip

# One letter a word: c a clock, n a number, m one with a colon, d a month, a day or a zone, p a dash,
# b a bracket, l a level, k one in lower case, s a name with its colon, t a dotted name, x a column that
# ends with a bar, w any other word. A header has a clock, or numbers and a level, near its beginning; a
# number after a level belongs to the message, and so does a second name with a colon.
_HEADER = re.compile(
    r"""
    (?: [pndmb]* (?:w(?=[np]))? [pndmb]* c [cnmpd]* k?               # when, perhaps after the host
      | (?:w(?=nn)|[pdb]*) n [pnd]* (?:w?[nd]+)? (?=[wtb]{0,3}l) )   # numbers, and a level to come
    (?: x+
      | [wt]{2,3} l                                                  # facility, component, level
      | [wntbp]{0,5} l (?: np[bn][stw]p? | [bp]{0,2}[stm]b?p? | bp | p | b(?!b) )?   # level, thread, logger
      | b?[wnt]?w?s | [wt]n?p | w[wt][np][np]p | b )?                # host, program and its number
    """,
    re.VERBOSE,
)
_NONE = re.compile(r"[pdmb]*(?:w[pdmb]*)?[^pdmbwcn]|[pdmb]*w[pdmb]*w")  # no header begins so
_PROSE = re.compile(r"wwww|[ws].*s")  # past this no header goes on


def header_end(text: str) -> int:
    """Return how many characters of a masked line (numbers as 0) are its header; 0 where it has none.

    >>> line = "0 0:0:0 INFO [main] shop.Cart: item 0 added"
    >>> line[header_end(line):]
    'item 0 added'
    >>> header_end("item 0 added at 0:0:0")
    0
    """
    kinds, ends = "", []
    for word in _WORD.finditer(text):
        kinds += _kind(word[1])
        if _NONE.match(kinds):
            return 0
        ends.append(word.end())
        if len(kinds) == LONGEST or _PROSE.search(kinds):
            break
    found = _HEADER.match(kinds)
    words = found.end() if found is not None else 0
    if not words or ends[words - 1] == len(text):
        return 0
    end = ends[words - 1]
    return end + 1 if text[end : end + 1] == " " else end


def _kind(word: str) -> str:
    if "0" in word:
        if _CLOCK.match(word):
            return "c"
        if word[-1] == "|":
            return "x"
        if _NUMBER.fullmatch(word):
            return "m" if word[-1] == ":" else "n"
    bare = word.strip("[](){}<>*/,:|-")
    if not bare:
        return "p"
    if word[-1] == "|":
        return "x"
    if bare in _DATES:
        return "d"
    if bare in _LEVELS or word in _LETTERS:
        return "l"
    if word[0] == "[":
        return "l" if bare.upper() in _LEVELS else "b"
    if word[-1] == ":" and _NAME.fullmatch(word):
        return "s"
    if bare.upper() in _LEVELS:
        return "k"
    return "t" if "." in word and _DOTTED.fullmatch(word) else "w"
