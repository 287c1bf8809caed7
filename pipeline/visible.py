"""A text that somebody sent in, the same text without what nobody sees out."""

from __future__ import annotations

import re

# Unicode 16, general categories Cc and Cf: what turns the reading order of all that follows, also of our own
# words beside it, what joins or parts nothing that is seen, and what a terminal obeys. A tab and a line's end
# stay, as do the joiners of emoji, Persian and the scripts of India, which change what is seen.
_LETTERS = "\u0590-\u1cff\u2190-\u2bff\ufe0f\U0001f000-\U0001faff"
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
    f"|(?<![{_LETTERS}])[\u200c\u200d]"
)
_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def visible(text: str) -> str:
    """Return the text without characters that are not seen, its lines ended by "\\n".

    0.1 us where there are none.

    >>> visible("pay\\u202eme\\u200b now")
    'payme now'
    """
    if text.isprintable():
        return text
    return _UNSEEN.sub("", _ENDS.sub("\n", text))
