"""Of an HTML mail what its reader sees is kept; any other text stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.complaints.door import said_now
from pipeline.markup import MAX_HTML, seen
from pipeline.redact import redact


@pytest.mark.parametrize(
    ("html", "text"),
    [
        pytest.param("<p>It fails.</p><p>Help</p>", "It fails.\nHelp", id="paragraphs"),
        pytest.param("Hello,<br><br/>it fails", "Hello,\nit fails", id="lines of a text with breaks"),
        pytest.param("<div>5 &lt; 6 &amp; 中文&#33;</div>", "5 < 6 & 中文!", id="signs by their names"),
        pytest.param(
            "<html><head><title>x</title><style>p{color:red}</style></head><body>It fails</body></html>",
            "It fails",
            id="style and title are not read",
        ),
        pytest.param("<p>a<script>if (1 < 2) b()</script>c</p>", "ac", id="a script is not read"),
        pytest.param("<p>a<!-- <b>no</b> -->b</p>", "ab", id="a comment is not read"),
        pytest.param("<p>a<!-- never ends", "a", id="a comment without an end"),
        pytest.param("<table><tr><td>a</td><td>b</td></tr></table>", "a b", id="cells of a table"),
        pytest.param("<div>x</div><blockquote>y<br>z</blockquote>w", "x\n> y\n> z\nw", id="a quoted mail"),
        pytest.param("<style>a</style><p></p>", "<style>a</style><p></p>", id="a page of nothing"),
        pytest.param("</blockquote><p>a</p><p>b</p>", "a\nb", id="an end without a beginning"),
        pytest.param("<p>one\r\n  line</p>", "one line", id="lines of the source are none of the text"),
    ],
)
def test_what_is_read_of_a_page(html: str, text: str) -> None:
    assert seen(html) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("plain\n\n  text > 5 < 6", id="plain"),
        pytest.param("the page shows <div> where my name was", id="a text that speaks of a tag"),
        pytest.param("<img src=x onerror=alert(1)> cannot pay", id="a tag that begins no page"),
        pytest.param("<ann@example.org> wrote", id="an address"),
    ],
)
def test_what_is_no_page_stays_as_it_is(text: str) -> None:
    assert seen(text) == text


def test_a_mail_of_a_web_client_says_what_its_writer_says_now() -> None:
    mail = (
        '<div dir="ltr">The export fails since this morning.</div><br><div class="gmail_quote">'
        '<div dir="ltr" class="gmail_attr">On Mon, Jan 5, 2026 at 10:00 AM Support &lt;<a '
        'href="mailto:s@example.org">s@example.org</a>&gt; wrote:<br></div>'
        '<blockquote class="gmail_quote">How can we help?</blockquote></div>'
    )

    assert said_now(seen(mail)) == "The export fails since this morning."


def test_a_number_that_tags_and_names_cut_is_masked() -> None:
    assert redact(seen("<p>card <b>4111</b>&nbsp;1111&#160;1111&nbsp;1111</p>")) == "card <card>"


@given(
    st.lists(st.sampled_from(["<p>", "</p>", "<br>", "<!--", "-->", "<style>", "</head>", "a", "&lt;", "<"]))
)
def test_any_page_is_read_and_never_grows_much(parts: list[str]) -> None:
    html = "<div>" + "".join(parts)

    assert len(seen(html)) <= 3 * len(html)


def test_of_a_huge_page_the_first_part_is_read() -> None:
    assert seen("<p>" + "a" * 2 * MAX_HTML) == "a" * (MAX_HTML - 3)
