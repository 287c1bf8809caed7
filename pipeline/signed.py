"""How a mail ends, in many languages; a text in, the names of those who sign it masked."""

from __future__ import annotations

import re

_FORMAL = (
    r"(?:best|kind|warm) regards|regards|sincerely|yours (?:truly|sincerely|faithfully)|cheers"
    r"|mit freundlichen gr(?:ü|ue)(?:ß|ss)en|viele gr(?:ü|ue)(?:ß|ss)e|cordialement|bien à vous"
    r"|saludos(?: cordiales)?|(?:cordiali|distinti) saluti|met vriendelijke groet(?:en)?|с уважением"
    r"|atentamente|atenciosamente|此致|顺祝商祺|مع (?:أطيب )?تحياتي"
)
_THANKS = r"(?:many )?thanks|thank you|(?:all the )?best|vielen dank|merci|gracias|obrigad[oa]"
# A line that greets and says nothing else.
GREETING = re.compile(
    rf"\n[ \t]*(?:(?:{_FORMAL})[ \t]*[,，.!]?|(?:{_THANKS})[ \t]*,)[ \t]*(?=\n|$)", re.IGNORECASE
)

_CAPITAL = "[A-ZÀ-ÖØ-Þ\u0400-\u042f]"
_SMALL = "(?:(?:van|von|der|den|de|del|della|di|da|dos|du|la|le|bin|al|el|y|e) ){0,2}"
_LATIN = rf"{_CAPITAL}[\w'’.-]{{0,24}}(?: {_SMALL}{_CAPITAL}[\w'’.-]{{0,24}}){{0,3}}"
# The commonest of China, plain and traditional.
_SURNAME = (
    "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
    "張劉陳楊黃趙吳孫馬羅鄭謝許韓馮鄧蕭葉蘇盧鐘]"
)
_HAN = rf"{_SURNAME}[\u4e00-\u9fff]{{1,2}}"
# Below the greeting, or behind it on its line, where nothing follows.
_GREETS = re.compile(
    rf"((?:^|\n|[.!?,;] )[ \t]*(?:(?i:{_FORMAL})[ \t]*[,，.!]?(?:[ \t]*\n\s*|[ \t]+)"
    rf"|(?i:{_THANKS})[ \t]*(?:,[ \t]*(?:\n\s*)?|[!.]?[ \t]*\n\s*))[-–—~]{{0,2}} ?){_LATIN}"
    r"(?=[ \t]*[,.]?[ \t]*(?:\n|$))"
)
_ENDS = (
    re.compile(
        rf"((?:敬[礼禮]|此致|顺祝商祺|祝好|[谢謝]{{2}})[!！。,，]?[ \t]*\n\s*){_HAN}(?=[ \t]*(?:\n|$))"
    ),
    re.compile(rf"(\n-- ?\n\s*)(?:{_LATIN}|{_HAN})(?=[ \t]*(?:,|\n|$))"),
)
# What mail programs write before an address.
_ADDRESSED = re.compile(rf"\"?{_LATIN}\"? ?(?=<<email>>)")
# Who is to be called; what only looks like a name there says that a number follows.
_CALLED = re.compile(
    rf"{_SURNAME}(?:[\u4e00-\u9fff]?[^\W\da-zA-Z_话話机機号號码碼为為是成到打收约約便]|[先女小][生士姐])"
    r"(?=收?[，, :：]{0,2}<phone>)"
)


def nameless(text: str) -> str:
    """Return a text whose mails and phones are masked, with those masked who sign, write or are called."""
    lines = "\n" in text
    if lines or text.rstrip(" \t,.").rpartition(" ")[2][:1].isupper():  # most texts are one line of none
        text = _GREETS.sub(r"\1<name>", text)
    if lines:
        for end in _ENDS:
            text = end.sub(r"\1<name>", text)
    if "<<email>>" in text:
        text = _ADDRESSED.sub("<name> ", text)
    if "<phone>" in text:
        text = _CALLED.sub("<name>", text)
    return text
