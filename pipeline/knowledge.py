"""A knowledge base's files, Markdown or YAML, to articles: what customers ask, and what they may be told.

An article in YAML, or several under the key `articles`:

    id: refund-time
    title: {en: When a refund arrives, zh: 退款多久到账}
    questions: {en: [where is my refund, how long does a refund take], zh: [退款什么时候到]}
    answer: {en: Within five working days, to the card that was charged., zh: 五个工作日内退回原卡。}
    services: [payment]
    valid_until: 2027-01-01

In Markdown the same keys stand between two lines of `---`, and what follows is the answer. The file's name is
the id, and its language too: refund-time.zh.md adds the Chinese of refund-time.en.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import yaml

from pipeline import plain
from pipeline.plain import Invalid
from pipeline.types import Seconds

MAX_ARTICLES = 2_000
MAX_QUESTIONS = 40  # of one article: more of them say the same
MAX_ANSWER = 20_000  # characters
SUFFIXES = (".md", ".yaml", ".yml")


class Article(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer, and how customers ask for it; each text by language, "" where a file names none.

    `valid_from` and `valid_until` are dates in UTC: from its first second, until the day's first second.
    """

    id: str
    title: str | dict[str, str]
    answer: str | dict[str, str]
    questions: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    services: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None

    def valid(self, now: Seconds) -> bool:
        begun = self.valid_from is None or _midnight(self.valid_from) <= now
        return begun and (self.valid_until is None or now < _midnight(self.valid_until))

    def asked(self) -> tuple[str, ...]:
        """Return all that it may be asked by: its titles, then its questions, in the order of languages."""
        said = [text for lang in sorted(self.questions) for text in self.questions[lang]]
        return tuple(text for text in (*_texts(self.title), *said) if text.strip())


def told(text: str | dict[str, str], lang: str) -> str:
    """Return the text in the language, such as "zh" for zh-CN; else in English, else in the first it has."""
    if isinstance(text, str):
        return text
    for wanted in (lang, lang.partition("-")[0], "en"):
        if wanted in text:
            return text[wanted]
    return next(iter(text.values()), "")


def load(spot: Path) -> tuple[tuple[Article, ...], list[Path]]:
    """Return the articles of a file or of a folder, by id, and the files; raises Invalid with every error."""
    if not spot.exists():
        raise Invalid([f"complaints.knowledge: {spot}: no such file or folder"])
    files = [spot] if spot.is_file() else sorted(f for f in spot.rglob("*") if f.suffix in SUFFIXES)
    errors: list[str] = []
    found: dict[str, Article] = {}
    for file in files:
        try:
            for article in _articles(file):
                before = found.get(article.id)
                found[article.id] = article if before is None else _joined(before, article)
                errors += [f"{file}: {article.id}: {said}" for said in _wrong(found[article.id])]
        except Invalid as error:
            errors += [f"{file}: {said}" for said in error.errors]
    if len(found) > MAX_ARTICLES:
        errors.append(f"{spot}: {len(found)} articles, at most {MAX_ARTICLES} are kept")
    if errors:
        raise Invalid(errors)
    return tuple(found[id] for id in sorted(found)), files


def _articles(file: Path) -> Iterable[Article]:
    if file.suffix == ".md":
        return [_page(file)]
    raw = plain.read(file)
    if isinstance(raw, dict) and set(raw) == {"articles"} and isinstance(raw["articles"], list):
        return [plain.parse(each, Article) for each in raw["articles"]]
    return [plain.parse(raw, Article)]


def _page(file: Path) -> Article:
    """Read one Markdown file; its language is the last part of a name such as refund-time.zh.md."""
    name, _, lang = file.stem.partition(".")
    try:
        head, body = _front(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Invalid([" ".join(str(error).split())]) from error
    if isinstance(questions := head.get("questions"), list):
        head["questions"] = {lang: questions}
    for key, said in (("title", head.get("title")), ("answer", body.strip())):
        if isinstance(said, str) and said:
            head[key] = {lang: said}
    return plain.parse({"id": name} | head, Article)


def _front(text: str) -> tuple[dict[str, Any], str]:
    """Return the keys of a page and what follows them; a heading is the title where no key is."""
    head: dict[str, Any] = {}
    _, _, rest = text.partition("---\n")
    if text.startswith("---\n") and "---\n" in rest:
        keys, _, text = rest.partition("---\n")
        head = yaml.safe_load(keys) or {}
        if not isinstance(head, dict):
            raise Invalid(["expected keys and values between the two lines of ---"])
    text = text.strip()
    if "title" not in head and text.startswith("# "):
        title, _, text = text.partition("\n")
        head["title"] = title[2:].strip()
    return head, text


def _joined(one: Article, other: Article) -> Article:
    """Return the article of two files that speak of the same one in two languages."""
    if set(_languages(one)) & set(_languages(other)):
        raise Invalid([f'id: "{one.id}" is there twice'])
    return msgspec.structs.replace(
        one,
        title=_by_language(one.title) | _by_language(other.title),
        answer=_by_language(one.answer) | _by_language(other.answer),
        questions=one.questions | other.questions,
        services=tuple(dict.fromkeys((*one.services, *other.services))),
        valid_from=other.valid_from or one.valid_from,
        valid_until=other.valid_until or one.valid_until,
    )


def _wrong(article: Article) -> Iterator[str]:
    asked = sum(map(len, article.questions.values()))
    if asked > MAX_QUESTIONS:
        yield f"questions: {asked}, at most {MAX_QUESTIONS}"
    if not all(text.strip() for text in _texts(article.answer)) or not _texts(article.answer):
        yield "answer: expected text, got nothing"
    if any(len(text) > MAX_ANSWER for text in chain(_texts(article.answer), article.asked())):
        yield f"a text is over {MAX_ANSWER} characters"
    if not article.asked():
        yield "title: expected text, got nothing"


def _languages(article: Article) -> Iterable[str]:
    return _by_language(article.answer)


def _by_language(text: str | dict[str, str]) -> dict[str, str]:
    return {"": text} if isinstance(text, str) else text


def _texts(text: str | dict[str, str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text.values())


def _midnight(day: date) -> Seconds:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
