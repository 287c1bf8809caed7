"""A mail in HTML in, the text that its reader sees out; quoted mails get their ">" as in plain ones."""

from __future__ import annotations

import re
from html import unescape

MAX_HTML = 200_000  # characters that are looked at: half of such a mail is style
# A text is a page if it begins as one does or has some of its lines; one that only speaks of a tag is not.
_BEGINS = re.compile(
    r"\s*<(?:!doctype|html|head|body|meta|style|div|p|span|table|font|br)\b[^<>]*>", re.IGNORECASE
)
_LINES = re.compile(r"<br ?/?>|</(?:p|div)>", re.IGNORECASE)
_TAG = re.compile(r"<!--|<!?(/?)([A-Za-z][A-Za-z0-9]*)\b[^<>]*>")
_HIDDEN = ("style", "script", "head", "title")
_BLOCKS = frozenset(
    {"p", "div", "br", "hr", "li", "ul", "ol", "tr", "table", "pre", "h1", "h2", "h3", "h4", "h5", "h6"}
)
_SPACE = re.compile(r"[ \t\r\n]+")


def seen(text: str) -> str:
    """Return what is read of a text that may be HTML; any other is returned as it is. Linear in its length.

    >>> seen("<p>It fails&nbsp;again,<br>at 5 &lt; 6.</p><blockquote>Try now.</blockquote>")
    'It fails\\xa0again,\\nat 5 < 6.\\n> Try now.'
    """
    if "<" not in text or not (_BEGINS.match(text) or len(_LINES.findall(text, 0, MAX_HTML)) > 1):
        return text
    page = _Page()
    text, at = text[:MAX_HTML], 0
    while (tag := _TAG.search(text, at)) is not None:
        page.say(text[at : tag.start()])
        at = tag.end()
        if tag.group(2):
            page.turn(tag.group(2).lower(), closes=bool(tag.group(1)))
        else:
            end = text.find("-->", at)
            at = len(text) if end < 0 else end + 3
    page.say(text[at:])
    return page.text() or text


class _Page:
    """Lines as they are read, each behind as many ">" as mails are quoted in one another."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.hidden = ""  # element that is not shown, until it ends
        self.quoted = 0

    def say(self, raw: str) -> None:
        if not self.hidden:
            self.line.append(unescape(_SPACE.sub(" ", raw)))

    def turn(self, name: str, *, closes: bool) -> None:
        """Take a tag."""
        if self.hidden or name in _HIDDEN:
            self.hidden = "" if closes and name in (self.hidden, "head") else self.hidden or name
        elif name == "blockquote":
            self.end()
            self.quoted = max(self.quoted + (-1 if closes else 1), 0)
        elif name in _BLOCKS:
            self.end()
        elif closes and name in ("td", "th"):
            self.line.append(" ")

    def end(self) -> None:
        """Begin a new line."""
        said = "".join(self.line).strip(" ")
        if said:
            self.lines.append("> " * min(self.quoted, 1) + said)
        self.line = []

    def text(self) -> str:
        self.end()
        return "\n".join(self.lines)
