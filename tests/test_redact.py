"""Personal data is masked at intake, and nothing else is."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.redact import _TELLING, _numbers, redact
from pipeline.run.embedded import Engine
from pipeline.run.serve import Launch, _pages
from tests.test_embedded import client, running


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param(
            "write to Ann.Lee+shop@mail.example.co.uk!", "write to <email>!", id="an e-mail address"
        ),
        pytest.param(
            "请发到zhang_san@例子.com", "请发到zhang_san@例子.com", id="no ASCII domain is left alone"
        ),
        pytest.param(
            "请回复li.wei＠example.cn谢谢", "请回复<email>谢谢", id="e-mail glued to Chinese, wide @"
        ),
        pytest.param("call +44 20 7946 0958 please", "call <phone> please", id="phone with a country code"),
        pytest.param("+1 (415) 555-2671.", "<phone>.", id="phone with brackets"),
        pytest.param("0049 30 901820 now", "<phone> now", id="phone with a 00 prefix"),
        pytest.param("call 415-555-2671", "call <phone>", id="North American phone"),
        pytest.param("(415) 555-2671 any time", "<phone> any time", id="North American phone in brackets"),
        pytest.param("手机13812345678打不通", "手机<phone>打不通", id="Chinese mobile glued to text"),
        pytest.param("138 1234 5678", "<phone>", id="Chinese mobile in groups"),
        pytest.param("+86-138-1234-5678", "<phone>", id="Chinese mobile with its country code"),
        pytest.param("１３８１２３４５６７８", "<phone>", id="Chinese mobile in wide digits"),
        pytest.param("座机010-62345678", "座机<phone>", id="Chinese landline"),
        pytest.param("座机010-12345678,谢谢", "座机<phone>,谢谢", id="Chinese landline that begins with 1"),
        pytest.param("(020)62345678上午", "<phone>上午", id="Chinese landline with its area in brackets"),
        pytest.param("打0912-345-678", "打<phone>", id="mobile of Taiwan"),
        pytest.param("the office is (02) 5550 4321", "the office is <phone>", id="area code in brackets"),
        pytest.param("0171 3920035 is my number", "<phone> is my number", id="national number with its area"),
        pytest.param("1-800-555-0155 answers", "<phone> answers", id="toll-free number"),
        pytest.param("call me back at 555-0123", "call me back at <phone>", id="local number that is said"),
        pytest.param(
            "改成广东省东莞市东城区碧桂园二期1号楼504,谢谢", "<address>,谢谢", id="a block of flats"
        ),
        pytest.param("云南省  丽江市  湖畔春晓9栋二单元703  罗", "<address>  罗", id="a block after blanks"),
        pytest.param("ship to P.O. Box 9918, please", "ship to <address>, please", id="a post box"),
        pytest.param("台北市大安區虛構路三段15號4樓,重", "<address>,重", id="an address of Taiwan"),
        pytest.param(
            "my phone is 06 12 34 56 78", "my phone is <phone>", id="national number after its word"
        ),
        pytest.param("电话：62345678", "电话：<phone>", id="national number after its Chinese word"),
        pytest.param("card 4111 1111 1111 1111 12/27", "card <card> 12/27", id="card, expiry kept"),
        pytest.param("5500-0055-5555-5559", "<card>", id="card with dashes"),
        pytest.param("3782 822463 10005", "<card>", id="card of 15 digits"),
        pytest.param(
            "卡号6222021234567890128扣款两次", "卡号<card>扣款两次", id="UnionPay card of 19 digits"
        ),
        pytest.param("order 12 4111111111111111", "order 12 <card>", id="card after another number"),
        pytest.param("身份证11010519491231002X", "身份证<id>", id="Chinese identity number"),
        pytest.param("my id 440308199901101512", "my id <id>", id="Chinese identity number of digits only"),
        pytest.param("DE89 3704 0044 0532 0130 00 THANKS", "<iban> THANKS", id="IBAN before capitals"),
        pytest.param("refund to gb29nwbk60161331926819", "refund to <iban>", id="IBAN in small letters"),
        pytest.param("ssn 078-05-1120 ok", "ssn <id> ok", id="US social security number"),
        pytest.param(
            "send it to 12 Old Mill Road, Springfield, IL 62704 please",
            "send it to <address> please",
            id="an address",
        ),
        pytest.param(
            "寄到浙江省杭州市西湖区文三路123号5栋302室谢谢", "<address>谢谢", id="a Chinese address"
        ),
        pytest.param(
            "Hi, my name is Ann Lee and I cannot pay", "Hi, my name is <name> and I cannot pay", id="a name"
        ),
        pytest.param("我叫王小明,付不了款", "我叫<name>,付不了款", id="a Chinese name"),
        pytest.param("4111\u200b1111\u200b1111\u200b1111", "<card>", id="card with what nobody sees in it"),
        pytest.param("4111\u00a01111\u00a01111\u00a01111", "<card>", id="card with blanks of a web page"),
        pytest.param("4111\u20111111\u20131111\u22121111", "<card>", id="card with dashes of a text program"),
        pytest.param("card #4111.1111.1111.1111", "card #<card>", id="card with points, behind a hash"),
        pytest.param("4111  1111 - 1111  1111", "4111  1111 - 1111  1111", id="groups too far apart"),
        pytest.param("४१११ ११११ ११११ ११११", "<card>", id="card in digits of India"),
        pytest.param("DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000", "<iban>", id="IBAN from a page"),
        pytest.param("138\u200b1234\u200b5678", "<phone>", id="mobile with what nobody sees in it"),
        pytest.param("a\u200bnn@example.com", "<email>", id="e-mail with what nobody sees in it"),
        pytest.param("身份证110105 19491231 002X", "身份证<id>", id="Chinese identity number in groups"),
        pytest.param("my passport C01X00T47 is lost", "my passport <id> is lost", id="a passport"),
        pytest.param("Passport number: 123456789", "Passport number: <id>", id="a passport of digits"),
        pytest.param("护照号E12345678过期", "护照号<id>过期", id="a Chinese passport"),
        pytest.param("香港身份证 A123456(3)", "香港身份证 <id>", id="identity card of Hong Kong"),
        pytest.param("台灣身分證A123456789", "台灣身分證<id>", id="identity card of Taiwan"),
        pytest.param("SSN 078051120, NI number QQ123456C", "SSN <id>, NI number <id>", id="numbers named"),
        pytest.param("+49 30/1234567", "<phone>", id="phone with a stroke"),
        pytest.param("06 12 34 56 78", "<phone>", id="French phone in pairs"),
        pytest.param("07911123456", "<phone>", id="British mobile"),
        pytest.param("my number is 4155550132", "my number is <phone>", id="a number that is called mine"),
        pytest.param("Name: John Smith\nhi", "Name: <name>\nhi", id="a name in a form"),
        pytest.param("12 Baker Street, London NW1 6XE.", "<address>.", id="an address with its post code"),
        pytest.param("浙江省杭州市西湖区文三路 90 号", "<address>", id="a Chinese address with blanks"),
        pytest.param("ring 415 555 0132 today", "ring <phone> today", id="North American phone with blanks"),
        pytest.param("1 415 555 0132", "<phone>", id="the same with the 1 before it"),
        pytest.param("0171/1234567", "<phone>", id="a number with a stroke behind its area"),
        pytest.param("01711234567 oder später", "<phone> oder später", id="a number in one piece"),
        pytest.param("ann (at) example (dot) org", "<email>", id="e-mail in words in brackets"),
        pytest.param(
            "an ann [AT] example.org, bitte", "an <email>, bitte", id="e-mail, only the at in words"
        ),
        pytest.param("ann[at]example[dot]co[dot]uk", "<email>", id="e-mail in words, without blanks"),
        pytest.param("ann.lee at example dot org", "<email>", id="e-mail in words without brackets"),
        pytest.param("li（at）example.cn谢谢", "<email>谢谢", id="e-mail in words in wide brackets"),
        pytest.param("ann @ example.org", "<email>", id="e-mail with blanks"),
        pytest.param(
            "It broke.\n\nBest regards,\nJohn Smith\nHead of Sales",
            "It broke.\n\nBest regards,\n<name>\nHead of Sales",
            id="who signs below the greeting",
        ),
        pytest.param("It broke. Regards, Ann", "It broke. Regards, <name>", id="who signs on its line"),
        pytest.param("Merci,\n\n- Éloïse D.", "Merci,\n\n- <name>", id="who signs behind a dash"),
        pytest.param(
            "MfG\nMit freundlichen Grüßen\nJürgen von der Heide",
            "MfG\nMit freundlichen Grüßen\n<name>",
            id="a name with small words",
        ),
        pytest.param("Saludos,\nMaría José García", "Saludos,\n<name>", id="who signs in Spanish"),
        pytest.param("С уважением,\nАнна Ли", "С уважением,\n<name>", id="who signs in Russian"),
        pytest.param("打不开\n谢谢!\n王小明", "打不开\n谢谢!\n<name>", id="who signs in Chinese"),
        pytest.param("hi\n-- \nAnn Lee\nAcme", "hi\n-- \n<name>\nAcme", id="who stands below two dashes"),
        pytest.param(
            "On Monday, Ann Lee <ann@example.org> wrote:",
            "On Monday, <name> <<email>> wrote:",
            id="whom a mail program names",
        ),
        pytest.param("换成张东光，13481316373", "换成<name>，<phone>", id="who is to be called"),
        pytest.param("宋小姐收,15915077520", "<name>收,<phone>", id="a lady who is to be called"),
    ],
)
def test_personal_data_is_masked(text: str, masked: str) -> None:
    assert redact(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("order 20241122000713 is late", id="order number of 14 digits"),
        pytest.param("order 4111111111111112", id="card shape with a wrong check digit"),
        pytest.param("订单号110105194912310021还没到", id="identity shape with a wrong check digit"),
        pytest.param("订单 2024112213812345 没发货", id="16 digits that no network issues"),
        pytest.param("order SO-13812345678", id="order number behind its prefix"),
        pytest.param("ticket #13812345678", id="ticket behind a hash"),
        pytest.param("GB28 NWBK 6016 1331 9268 19", id="IBAN shape with a wrong check"),
        pytest.param("since 2024-11-22 10:00:00 until 22.11.2024", id="dates and times"),
        pytest.param("2024-11-22T10:00:00+08:00", id="a time with its zone"),
        pytest.param("at 1732269600 and 1732269600000", id="epoch seconds and milliseconds"),
        pytest.param("on 05-01-2026 10:00 and 05 01 2026", id="dates that begin with 0"),
        pytest.param("发票号00871234, port 8443, 0.5 km", id="a number that begins with 0"),
        pytest.param("it cost 1,234,567.89 EUR, 12345678 points", id="amounts"),
        pytest.param("192.168.100.200 and 10.0.0.1:8080", id="addresses of machines"),
        pytest.param("trace 4f1e9a0b13812345678c", id="hexadecimal ids"),
        pytest.param("@support you are slow", id="a handle"),
        pytest.param("version 1.2.3+20240101", id="a version"),
        pytest.param("包裹SF1381234567890到哪了", id="tracking number"),
        pytest.param("order 000-12-3456 and 912-34-5678", id="shapes that no social security number has"),
        pytest.param("the 3 Best Ways to pay, 24 Hours a day", id="numbers before capitals"),
        pytest.param("买了2座, 3号楼的网不通", id="blocks of no town"),
        pytest.param("网路不通,第3号门", id="a road that is none"),
        pytest.param("my name is wrong on the invoice", id="a name that is not said"),
        pytest.param("I lost my 12345678 points", id="points of mine"),
        pytest.param("my order number is 4155550132", id="an order number of mine"),
        pytest.param("my passport expired on 2024-11-22", id="a date after a passport"),
        pytest.param("passport 2024-11-22", id="a date after the word"),
        pytest.param("身份证上传3次失败, 2026年11月", id="an identity card without its number"),
        pytest.param("👨\u200d👩\u200d👧 می\u200cخواهم", id="emoji and Persian need what nobody sees"),
        pytest.param("EUR – that is 5\u00a0€", id="dashes and blanks elsewhere"),
        pytest.param("Product name: Super Phone", id="the name of a thing"),
        pytest.param("1.2.3.4.5.6.7.8.9.10.11.12", id="a list of numbers"),
        pytest.param("order no. 415 555 0132", id="an order number in groups"),
        pytest.param("Bestellung 0171/1234567, Rechnung Nr. 01711234567", id="German order numbers"),
        pytest.param("订单号0612345678", id="a Chinese order number"),
        pytest.param("amount 415 555 0132.50 or 1 415 555 01329", id="amounts in groups"),
        pytest.param("on 01/2026, 05/12345 and 120 500 3000", id="months, files, amounts"),
        pytest.param("build 0123456789ab of v1.2.3", id="a hash that begins with 0"),
        pytest.param("come (at 10.30 am), 5 @ 3.99 each", id="an hour, a price"),
        pytest.param("look at this dot", id="a dot"),
        pytest.param("Thanks for nothing", id="thanks for a thing"),
        pytest.param("Thanks.\nPlease hurry", id="a sentence below thanks"),
        pytest.param("thanks\nOrder 5 is late", id="an order below thanks"),
        pytest.param("Regards, the app fails", id="a sentence behind a greeting"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_not_personal_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=300) | st.text("0123456789 -+()@.XxA", max_size=300))
def test_any_text_is_taken_and_a_second_pass_changes_nothing(text: str) -> None:
    once = redact(text)

    assert redact(once) == once


PARTS = st.sampled_from(
    [
        "\nRegards, ",
        "Thanks,\n",
        "Ann ",
        "(at)",
        " at ",
        " dot ",
        "com",
        "\n-- \n",
        "王小明",
        "passport ",
        "My name is ",
        "call me ",
        "P.O. Box ",
        "上海市浦东新区",
        "花园小区",
        "世纪大道",
        "号楼",
        "电话",
        "St, Apt ",
        "-",
        " ",
        "#",
        "(",
    ]
)


@given(st.lists(st.one_of(PARTS, st.text(max_size=3))).map("".join))
def test_a_text_without_digit_and_at_sign_has_nothing_to_mask_but_a_name(text: str) -> None:
    """Such texts, most of all, are spared sixteen searches."""
    if not _TELLING.search(text):
        assert _numbers(text) == text


@pytest.mark.parametrize("phone", ["0171/1234567", "0171 1234567", "01711234567"])
def test_phones_one_after_another_are_all_masked(phone: str) -> None:
    assert redact(f"{phone} {phone}") == "<phone> <phone>"


@given(st.lists(PARTS | st.sampled_from(["a@b.cc", "0171/1234567", "13812345678"])).map("".join))
def test_of_whatever_parts_a_second_pass_changes_nothing(text: str) -> None:
    once = redact(text)

    assert redact(once) == once


@given(st.text("0123456789 -()中路号市区AaSt我叫", max_size=400))
def test_a_mask_never_makes_a_text_much_longer(text: str) -> None:
    assert len(redact(text)) <= 4 * len(text) + 9


PHRASES = Path(__file__).parent / "phrases" / "personal.jsonl"


def test_of_texts_that_others_wrote_most_is_masked_and_nothing_else() -> None:
    rows = [json.loads(line) for line in PHRASES.read_text(encoding="utf-8").splitlines()]
    done = [(row, redact(row["text"])) for row in rows]

    hidden = [part not in said for row, said in done for part in row["hide"]]
    kept = [part in said for row, said in done for part in row["keep"]]

    assert sum(hidden) >= 0.97 * len(hidden)
    assert all(kept)


SECRETS = (
    *("ann.lee@example.org", "4111 1111 1111 1111", "13812345678", "11010519491231002X", "078-05-1120"),
    *("GB29 NWBK 6016 1331 9268 19", "12 Old Mill Road", "文三路123号", "王小明"),
)


async def test_what_is_masked_reaches_no_file_and_no_page(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"checkout fails. my name is Ann. 我叫王小明,寄到杭州市文三路123号. {', '.join(SECRETS[:7])}"
    async with running(tmp_path) as engine, client(engine) as posts:
        taken = await posts.post("/api/v1/complaints", json={"customer": "acme", "text": text})
        bad = await posts.post("/api/v1/complaints", json={"customer": "a" * 9_000, "text": text})
        broken = await posts.post("/api/v1/complaints", content=text.encode())
        await asyncio.wait_for(engine.settled(), 10)
        pages = await _pages_of(engine)

    files = _files(tmp_path)
    told = "".join([taken.text, bad.text, broken.text, caplog.text, *capsys.readouterr()])
    assert taken.status_code == 200
    assert any(b"checkout fails" in raw for raw in files.values())
    for secret in SECRETS:
        assert [name for name, raw in files.items() if secret.encode() in raw] == []
        assert secret not in told
        assert [page for page, said in pages.items() if secret in said] == []


def _files(folder: Path) -> dict[str, bytes]:
    return {str(f): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


async def _pages_of(engine: Engine) -> dict[str, str]:
    app = _pages(engine, Launch(), bool)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as asks:
        return {page: (await asks.get(page)).text for page in ("/", "/desk", "/board", "/metrics")}


@given(st.text("打不开 ,.!", max_size=40), st.text("打不开 ,.!", max_size=40))
def test_a_card_is_masked_wherever_it_stands(before: str, after: str) -> None:
    assert "4111" not in redact(before + "4111 1111 1111 1111" + after)
