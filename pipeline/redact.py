"""Text as a person wrote it in, the same text out with its personal data masked."""

from __future__ import annotations

import re

from pipeline.signed import nameless

# Letters of Chinese follow a number without a blank, so \b is of no use: only Latin letters and digits glue.
_START = r"(?<![\dA-Za-z_#])(?<![A-Za-z\d]-)"
_END = r"(?![\dA-Za-z])"

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9À-ɏ._%+-])[A-Za-z0-9À-ɏ._%+-]{1,64}[@＠][A-Za-z0-9À-ɏ-]{1,63}(?:\.[A-Za-z0-9À-ɏ-]{1,63}){1,8}"
)
# Written so that programs do not find it: "ann (at) example (dot) org".
_OPEN, _CLOSE = r" ?[\[({（【] ?", r" ?[\])}）】] ?"
_SPELT = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}"
    rf"(?:(?:{_OPEN}(?:at|ät|arroba|@){_CLOSE}| ?@ ?)[A-Za-z0-9-]{{1,63}}"
    rf"(?:(?:\.|{_OPEN}(?:dot|punkt|punto|point|\.){_CLOSE}| dot )[A-Za-z0-9-]{{1,63}}){{0,7}}"
    rf"(?:\.|{_OPEN}(?:dot|punkt|punto|point|\.){_CLOSE}| dot )[A-Za-z]{{2,12}}"
    r"| at [A-Za-z0-9-]{1,63}(?: dot [A-Za-z0-9-]{1,63}){0,3} dot [A-Za-z]{2,6})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_SPELLING = re.compile(r"[\[({（【@]")
_IBAN = re.compile(rf"{_START}[A-Za-z]{{2}}\d{{2}}(?:[ -]?[A-Za-z0-9]){{11,40}}")
_CHINESE_ID = re.compile(
    rf"{_START}\d{{6}}[ -]?(?:19|20)\d{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ -]?\d{{3}}[\dXx]{_END}"
)
# A card may stand behind "#", where any other number is that of a ticket.
_DIGIT_RUN = re.compile(rf"(?<![\dA-Za-z_])(?<![A-Za-z\d]-)\d(?:[ .-]{{0,2}}\d){{12,}}{_END}")
_APART = re.compile(r"([ .-]{1,2})")
_PHONES = (
    # With its country code, as E.164 has it: at most 15 digits.
    re.compile(rf"(?<![\dA-Za-z])(?:\+|00)[1-9](?:[ ()./-]{{0,2}}\d){{7,14}}{_END}"),
    # A mobile number of mainland China.
    re.compile(rf"{_START}(?:86[ -]?)?1[3-9]\d(?:[ -]?\d{{4}}){{2}}{_END}"),
    # A national number: 0 and its area, then the rest apart from it, in one group or two. Dates are shorter.
    re.compile(
        rf"(?:{_START}0\d{{1,4}}[ -]|(?<![\dA-Za-z])\(0\d{{1,4}}\) ?)(?:\d{{6,8}}|\d{{3,4}}[ -]\d{{3,4}})"
        rf"(?![ -]?\d){_END}"
    ),
    # A number of France in pairs, a mobile number of Britain.
    re.compile(rf"{_START}0[1-9]([ .])\d\d(?:\1\d\d){{3}}{_END}"),
    re.compile(rf"{_START}07[1-9]\d{{8}}{_END}"),
    # A number of North America with its separators.
    re.compile(
        rf"(?:{_START}(?:1[-. ])?[2-9]\d\d[-.]|(?<![\dA-Za-z])\([2-9]\d\d\) ?)[2-9]\d\d[-. ]\d{{4}}{_END}"
    ),
)
PASSES = 6  # what stands beside another is seen to end there once that is masked
# Numbers without a country: whatever else has their shape says before it what it is.
_LOCAL = (
    re.compile(rf"(?<!\d[ .,]){_START}(?:1 )?[2-9]\d\d \d{{3}} \d{{4}}(?![ .,]?\d){_END}"),
    re.compile(rf"{_START}0[1-9]\d{{1,3}} ?/ ?\d{{5,8}}(?![./-]?\d| [1-9]){_END}"),
    re.compile(rf"{_START}0[1-9]\d{{8,9}}{_END}"),
)
_NO_PHONE = re.compile(
    r"(?:(?<![a-z])(?:order|invoice|ticket|tracking|parcel|shipment|ref|reference|case|contract|article|item"
    r"|account|serial|customer|booking|bestell\w*|rechnung\w*|auftrag\w*|kunden\w*|commande|facture|pedido"
    r"|factura|sku|id)s?\b|[订訂运運][单單]|[单單][号號]|编号|編號|发票|發票)(?:[^\n.!?。]|(?<=n[or])\.){0,16}$",
    re.IGNORECASE,
)
# Without one of these a text has nothing but a name to mask.
_TELLING = re.compile(r"[\d@＠]")
# Digits of other scripts: wide, Arabic, Persian, of India, Bengali, Thai, of mathematics.
_ZEROS = (0xFF10, 0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50, *range(0x1D7CE, 0x1D800, 10))
_WIDE = {start + k: str(k) for start in _ZEROS for k in range(10)}
# What nobody sees between two signs hides a number from its shape; in emoji and Persian it has a meaning.
_UNSEEN = re.compile("(?<=[!-~])[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+(?=[ -~])")
_BLANK = re.compile("(?<=[!-~])[\u00a0\u2000-\u200a\u202f\u3000](?=[!-~])")
_DASH = re.compile(r"(?<=\d)[\u2010-\u2014\u2212\uff0d](?=\d)")
# A national number has no shape of its own; the word before it tells.
_SAID_PHONE = re.compile(
    r"((?<![A-Za-z])(?:tel(?:ephone)?|phone|mobile|cell|whatsapp|(?:call|ring|reach|text) me(?: back)?"
    r"|(?:my|contact|callback) (?=n))(?: ?number| ?no)?"
    r"(?: (?:is|at|on))?|(?:电话|手机)(?:号码|号)?(?:是|为)?)([ .:：#-]{0,3})\(?\d(?:[ ().-]{0,2}\d){6,14}"
    + _END,
    re.IGNORECASE,
)

# US social security numbers as the SSA issues them, with their dashes: without, any nine digits would do.
_SSN = re.compile(rf"{_START}(?!000|666|9)\d{{3}}([- ])(?!00)\d\d\1(?!0000)\d{{4}}{_END}")
# Passports and the identity cards of other countries have no check that all share; the word before tells.
_SAID_ID = re.compile(
    r"((?:(?<![A-Za-z])(?:passport|(?:id|identity)(?: card)?(?= n)|national id|ni(?= n)|national insurance"
    r"|ssn|social security|dni|cpf|aadhaar|driv(?:ing|er'?s) licen[cs]e)|护照|護照|身份证|身份證|身分證"
    r"|通行证|通行證|驾照|駕照|驾驶证)(?: (?:number|no\.?|card)|号码|號碼|号|號){0,2}(?: is|是|为|為)?)"
    r"([ .:：#-]{0,3})(?!(?:19|20)\d\d[-./年]\d)(?=(?:[^\d\n]{0,3}\d){5})"
    r"[A-Za-z]{0,3}\d(?:[ .-]{0,2}\d|[A-Za-z]){4,16}(?:\(\d\))?" + _END,
    re.IGNORECASE,
)
_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace"
    r"|Way|Close|Crescent|Highway|Hwy|Parkway|Pkwy)"
)
_ADDRESSES = (
    # House number, one to four capitalised words, the kind of street; then flat, town, state and post code.
    re.compile(
        rf"{_START}\d{{1,5}}[A-Za-z]? (?:[NSEW]\.? )?"
        rf"(?:(?:[A-Z][a-z'’]{{1,20}}|\d{{1,3}}(?:st|nd|rd|th)) ){{1,4}}"
        rf"{_STREET}\b\.?(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|#)\.? ?#?[A-Za-z\d-]{{1,6}})?"
        r"(?:, [A-Z][a-z]{1,20}(?: [A-Z][a-z]{1,20}){0,2})?(?:,? (?:[A-Z]{2} \d{5}(?:-\d{4})?"
        r"|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})\b)?"
    ),
    # 省市区 at will, then a road with its number, or a housing estate with its block; then block and room.
    re.compile(
        r"(?:[\u4e00-\u9fff]{2,7}(?:省|自治[区區]))?(?:[\u4e00-\u9fff]{2,6}市)?(?:[\u4e00-\u9fff]{2,6}[区區县縣])?"
        r"(?:[\u4e00-\u9fff]{2,6}(?:街道|[镇鎮乡鄉]))?"
        r"(?:[\u4e00-\u9fff]{1,8}(?:路|街|大道|巷|弄|胡同|道)(?:[东東南西北中一二三四五六七八九十]?段)?"
        r" ?\d{1,5} ?[号號弄]"
        r"|(?<=[市区區县縣镇鎮道])[\u4e00-\u9fff]{2,8}(?:小区|小區|花园|花園|家园|家園|公寓|苑|村)(?=\d))"
        r"(?:[\u4e00-\u9fff]{2,8}(?:小区|小區|花园|花園|家园|家園|公寓|大厦|大廈|广场|廣場|苑|中心|大楼|大樓))?"
        r"(?:[\dA-Za-z]{1,4}(?:号楼|號樓|栋|棟|幢|座|楼|樓|单元|單元|层|層|室|号|號)|[\d-]{3,8}){0,4}"
    ),
    re.compile(r"(?<![A-Za-z])P\.? ?O\.? ?Box \d{1,6}(?![\dA-Za-z])", re.IGNORECASE),
)
# A block of flats has no road; the town before it, in the same run of words, tells that it is an address.
_BLOCK = re.compile(
    r"\d{1,4}(?:号楼|號樓|栋|棟|幢|座|单元|單元)[\dA-Za-z一二三四五六七八九十单單元栋棟座楼樓层層室号號-]{0,12}"
)
_TOWN = re.compile(r"[\u4e00-\u9fff]{2,9}(?:省|自治[区區]|[市州区區县縣镇鎮])")
_PLACE = re.compile(r"[\u4e00-\u9fffA-Za-z\d ]*$")
PLACE = 40  # characters of an address before its block
# A name is known only where it is said to be one, and in Latin letters by its capitals.
_NAMES = (
    re.compile(
        r"((?<![A-Za-z])(?:[Mm]y (?:full )?name(?: is|'s|’s|:)|[Ff]ull name:|[Tt]he name is|^Name:) )"
        r"[A-Z][\w'’-]{0,24}(?: [A-Z][\w'’.-]{0,24}){0,3}",
        re.MULTILINE,
    ),
    re.compile(
        r"((?:我叫|我的名字(?:叫|是)|我的姓名是|本人姓名是?|姓名[:：]"
        r"|收(?:件|货)人(?:是|[:：])) ?)[\u4e00-\u9fff·]{2,4}"
    ),
)

# The length of each country's IBAN: SWIFT, "IBAN registry", release 99.
_IBAN_LENGTHS = {
    15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO EG GT HN HU LB NI PL SV",
    29: "BR PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip
_IBAN_LENGTH = {country: length for length, said in _IBAN_LENGTHS.items() for country in said.split()}
# First digits and lengths of the payment networks: ISO/IEC 7812 as the networks publish it. Without
# them one order number in ten would pass for a card by its check digit alone.
_CARD = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|6(?:011|4[4-9]\d|5\d\d)\d{12,15}|62\d{14,17}"
)


def redact(text: str) -> str:
    """Return the text with e-mail, IBAN, identity, card and phone numbers, addresses and names masked.

    Numbers with a check digit are masked only where it is right, so order numbers and dates stay. A name is
    known by what stands around it, and by its capitals or a common Chinese surname: one that signs in small
    letters, or is only told of, stays. Digits of other scripts and dashes between digits come back plain.
    Linear in the length of the text; a second pass changes nothing.

    >>> redact("Ann (ann@example.com) paid with 4111 1111 1111 1111 for order 20241122-0007, 电话13812345678")
    'Ann (<email>) paid with <card> for order 20241122-0007, 电话<phone>'
    """
    if not text.isascii():
        text = _DASH.sub("-", _BLANK.sub(" ", _UNSEEN.sub("", text.translate(_WIDE))))
    for _ in range(PASSES):
        masked = _masked(text)
        if masked == text:
            break
        text = masked
    return text


def _masked(text: str) -> str:
    if _TELLING.search(text):
        text = _numbers(text)
    if _SPELLING.search(text) or " dot " in text:
        text = _SPELT.sub("<email>", text)
    text = nameless(text)
    for name in _NAMES:
        text = name.sub(r"\1<name>", text)
    return text


def _numbers(text: str) -> str:
    """Mask all that has a digit or an "@" in it."""
    text = _EMAIL.sub("<email>", text)
    text = _IBAN.sub(_iban, text)
    text = _CHINESE_ID.sub(_chinese_id, text)
    text = _DIGIT_RUN.sub(_cards, text)
    text = _SSN.sub("<id>", text)
    text = _SAID_ID.sub(r"\1\2<id>", text)
    for phone in _PHONES:
        text = phone.sub("<phone>", text)
    text = _SAID_PHONE.sub(r"\1\2<phone>", text)
    for local in _LOCAL:
        text = local.sub(_local, text)
    for address in _ADDRESSES:
        text = address.sub("<address>", text)
    return _blocks(text)


def _blocks(text: str) -> str:
    """Mask Chinese addresses that end with a block of flats, from their town on."""
    out, done = [], 0
    for block in _BLOCK.finditer(text):
        place = _PLACE.search(text, max(done, block.start() - PLACE), block.start())
        town = _TOWN.search(text, place.start(), block.start()) if place is not None else None
        if town is not None:
            out += [text[done : town.start()], "<address>"]
            done = block.end()
    return "".join((*out, text[done:]))


def _local(found: re.Match[str]) -> str:
    before = found.string[max(0, found.start() - 40) : found.start()]
    return found[0] if _NO_PHONE.search(before) else "<phone>"


def _iban(found: re.Match[str]) -> str:
    length = _IBAN_LENGTH.get(found[0][:2].upper(), 0)
    signs = [k for k, sign in enumerate(found[0]) if sign not in " -"][:length]
    if not length or len(signs) < length:
        return found[0]
    number = "".join(found[0][k] for k in signs).upper()
    rest = found[0][signs[-1] + 1 :]
    if int("".join(str(int(sign, 36)) for sign in number[4:] + number[:4])) % 97 != 1:
        return found[0]
    return "<iban>" + rest if not rest or rest[0] in " -" else found[0]


def _chinese_id(found: re.Match[str]) -> str:
    """GB 11643-1999: the last sign is 1 - sum(weight x digit) modulo 11, X for ten."""
    number = found[0].replace(" ", "").replace("-", "")
    total = sum(int(digit) * 2 ** (17 - k) for k, digit in enumerate(number[:17]))
    return "<id>" if "10X98765432"[total % 11] == number[17].upper() else found[0]


def _cards(found: re.Match[str]) -> str:
    """Mask each card number that stands on whole groups of a run of digits."""
    groups = _APART.split(found[0])
    out: list[str] = []
    k = 0
    while k < len(groups):
        width = _card_at(groups, k)
        out.append("<card>" if width else groups[k])
        k += width or 1
    return "".join(out)


def _card_at(groups: list[str], k: int) -> int:
    """Return how many parts from k on make up a card number, 0 if none do."""
    number = ""
    if not groups[k].isdecimal():
        return 0
    for n, part in enumerate(groups[k : k + 19]):
        number += part if part.isdecimal() else ""
        if len(number) > 19:
            return 0
        if _CARD.fullmatch(number) and _luhn(number):
            return n + 1
    return 0


def _luhn(number: str) -> bool:
    total = sum(int(d) if k % 2 == 0 else sum(divmod(2 * int(d), 10)) for k, d in enumerate(reversed(number)))
    return total % 10 == 0
