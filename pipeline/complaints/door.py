"""A text as a customer sent it in, what they say now out: no quoted mail, no signature, one script."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec

from pipeline.signed import GREETING

# OpenCC's own tables, the extra `languages`; without it traditional characters are compared as they are.
_CONVERT = import_module("opencc").OpenCC("t2s").convert if find_spec("opencc") else None
_HAN = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")

_QUOTED = re.compile(r"^[^\S\n]*[>|＞].*$", re.MULTILINE)
# The line before a quote that names its day or hour, in whatever language.
_ABOVE = re.compile(
    r"^(?![ \t]*[>|＞])(?=[^\n]{0,300}(?:\d{4}|\d[:.]\d\d))[^\n]{3,300}[:：][ \t]*\n+(?=[ \t]*[>＞])",
    re.MULTILINE,
)
# What mail programs write above the mail that is answered: all below it was said before. They break long
# lines, so that "wrote:" may stand on the next.
_BELOW = re.compile(
    r"^[ \t]*(?:"
    r"-{2,} ?(?:original message|forwarded message|ursprungliche nachricht|ursprüngliche nachricht"
    r"|message d'origine|message original|mensaje original|mensagem original"
    r"|原始邮件|转发邮件|回复的原邮件) ?-{2,}.*"
    r"|_{20,}"
    r"|(?:on [^\n]{5,200}(?:\n[^\n]{0,100})?\bwrote:|am [^\n]{5,200}(?:\n[^\n]{0,100})?\bschrieb[^\n]{0,80}:"
    r"|le [^\n]{5,200}(?:\n[^\n]{0,100})?\ba écrit ?:|el [^\n]{5,200}(?:\n[^\n]{0,100})?\bescribió:"
    r"|em [^\n]{5,200}(?:\n[^\n]{0,100})?\bescreveu:|il [^\n]{5,200}(?:\n[^\n]{0,100})?\bha scritto:"
    r"|op [^\n]{5,200}(?:\n[^\n]{0,100})?\bschreef[^\n]{0,80}:|[^\n]{5,200}\bнаписал(?:а|\(а\))? ?:"
    r"|(?:在|于|[^\n]{0,200}\d{4} ?年) ?[^\n]{5,200}(?:写道|寫道) ?[:：])[ \t]*$"
    r"|(?:from|von|de|发件人|寄件者|寄件人) ?[:：] ?[^\n]{1,200}\n(?:[^\n]{0,200}\n){0,4}?"
    r"[ \t]*(?:subject|betreff|objet|asunto|assunto|主题|主旨) ?[:：]"
    r")",
    re.MULTILINE | re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"\n-- ?\n|\n[ \t]*(?:sent from my \w+|get outlook for \w+|von meinem \w+ gesendet|envoyé de mon \w+"
    r"|enviado desde mi \w+|enviado do meu \w+|inviato da \w+|verstuurd vanaf mijn \w+|отправлено с \w+"
    r"|发自我的\s?\w+|來自我的\s?\w+|从我的\s?\w+\s?发送|iPhoneから送信)[^\n]*",
    re.IGNORECASE,
)
# What a company hangs under each of its mails, the same for all who work there.
_DISCLAIMER = re.compile(
    r"^[ \t*_]*(?:(?:confidentiality notice|disclaimer)[ \t]*[:：\n]"
    r"|th(?:is|e information in this) (?:e-?mail|message)\b[^\n]{0,200}\b(?:confidential|intended|privileged)"
    r"|diese (?:e-?mail|nachricht)\b[^\n]{0,200}\bvertraulich"
    r"|ce (?:message|courriel)\b[^\n]{0,200}\bconfidentiel"
    r"|est[ea] (?:mensaje|correo|mensagem)\b[^\n]{0,200}\bconfidencia|[本此]邮件[^\n]{0,100}(?:保密|机密))",
    re.MULTILINE | re.IGNORECASE,
)
_POSTSCRIPT = re.compile(
    r"^[ \t]*(?:p\.? ?s\.?|附|又及)[ \t]*[:：.]?[ \t](?=\S)", re.MULTILINE | re.IGNORECASE
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
    if "\n" not in text and "\r" not in text:
        return text.strip()
    said = text.replace("\r\n", "\n").replace("\r", "\n")
    for cut in (_BELOW, _SIGNATURE, _DISCLAIMER):
        found = cut.search(said)
        if found is not None and said[: found.start()].strip():
            said = said[: found.start()]
    said = _QUOTED.sub("", _ABOVE.sub("", said))
    found = GREETING.search(said)
    if found is not None and said[: found.start()].strip() and _signs(said[found.end() :]):
        after = _POSTSCRIPT.search(said, found.end())
        said = said[: found.start()] + (f"\n{said[after.end() :]}" if after else "")
    return said.strip() or text.strip()


def _signs(below: str) -> bool:
    """Say whether what stands below a greeting is who greets, and no sentence that goes on."""
    first = below.strip().partition("\n")[0]
    return len(below) <= MAX_SIGNATURE and not (first[:1].islower() and len(first.split()) > 3)
