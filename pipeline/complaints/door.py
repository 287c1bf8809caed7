"""A text as a customer sent it in, what they say now out: no quoted mail, no signature, one script."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec

# OpenCC's own tables, the extra `languages`; without it traditional characters are compared as they are.
_CONVERT = import_module("opencc").OpenCC("t2s").convert if find_spec("opencc") else None
_HAN = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")

_QUOTED = re.compile(r"^\s*[>|＞].*$", re.MULTILINE)
# What mail programs write above the mail that is answered: all below it was said before.
_BELOW = re.compile(
    r"^[ \t]*(?:"
    r"-{2,} ?(?:original message|forwarded message|ursprungliche nachricht|ursprüngliche nachricht"
    r"|message d'origine|message original|mensaje original|mensagem original"
    r"|原始邮件|转发邮件|回复的原邮件) ?-{2,}.*"
    r"|_{20,}"
    r"|on [^\n]{5,200} wrote:|am [^\n]{5,200} schrieb[^\n]{0,80}:|le [^\n]{5,200} a écrit ?:"
    r"|el [^\n]{5,200} escribió:|em [^\n]{5,200} escreveu:|(?:在|于) ?[^\n]{5,200}(?:写道|寫道) ?[:：]"
    r"|(?:from|von|de|发件人|寄件者|寄件人) ?[:：] ?[^\n]{1,200}\n(?:[^\n]{0,200}\n){0,4}?"
    r"[ \t]*(?:subject|betreff|objet|asunto|assunto|主题|主旨) ?[:：]"
    r")",
    re.MULTILINE | re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"\n-- ?\n|\n[ \t]*(?:sent from my \w+|get outlook for \w+|von meinem \w+ gesendet|envoyé de mon \w+"
    r"|enviado desde mi \w+|enviado do meu \w+|发自我的\s?\w+|來自我的\s?\w+|从我的\s?\w+\s?发送)[^\n]*",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"\n[ \t]*(?:(?:best|kind|warm) regards|regards|sincerely|yours (?:truly|sincerely|faithfully)|cheers"
    r"|mit freundlichen gr(?:ü|ue)(?:ß|ss)en|viele gr(?:ü|ue)(?:ß|ss)e|cordialement|bien à vous"
    r"|saludos(?: cordiales)?"
    r"|atentamente|atenciosamente|此致|顺祝商祺)[ \t]*[,，.!]?[ \t]*(?=\n|$)",
    re.IGNORECASE,
)
MAX_SIGNATURE = 600  # characters below a greeting that may be one; more is the text going on


def simplified(text: str) -> str:
    """Return the text with traditional Chinese characters as simplified ones, for comparing only.

    Japanese is left as it is. 1 us a sentence.
    """
    if _CONVERT is None or not _HAN.search(text) or _KANA.search(text):
        return text
    return str(_CONVERT(text))


def said_now(text: str) -> str:
    """Return what the customer wrote this time, without quotes and signature; never nothing of a text.

    >>> said_now("It fails again.\\n\\nOn Mon, 5 Jan 2026, Support wrote:\\n> Try now.\\n")
    'It fails again.'
    """
    said = text.replace("\r\n", "\n").replace("\r", "\n")
    for cut in (_BELOW, _SIGNATURE):
        found = cut.search(said)
        if found is not None and said[: found.start()].strip():
            said = said[: found.start()]
    said = _QUOTED.sub("", said)
    found = _GREETING.search(said)
    if found is not None and said[: found.start()].strip() and len(said) - found.end() <= MAX_SIGNATURE:
        said = said[: found.start()]
    return said.strip() or text.strip()
