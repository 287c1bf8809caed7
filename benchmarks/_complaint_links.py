"""Complaints to services and to open incidents: banking77, CLINC150 and CIC, every other intent is tuned on.

Only the other half is told of. Services are groups of intents, called as complaint_catalogs.yaml says.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import msgspec
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks._encoded import remembered
from pipeline import plain as files
from pipeline.complaints import kin as kins
from pipeline.complaints.door import simplified
from pipeline.complaints.encoders import Dense, installed
from pipeline.complaints.head import Head
from pipeline.complaints.labels import Labels
from pipeline.complaints.link import evidence, link
from pipeline.complaints.sense import Sense
from pipeline.complaints.words import Rarity, Vector, columns, grams, plain
from pipeline.topology import Service, Topology
from pipeline.types import Floats

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "complaints_dev"
CATALOGS = Path(__file__).with_name("complaint_catalogs.yaml")
FILES = {"banking77": "en_banking77", "clinc150": "en_clinc150", "cic": "zh_cic"}
MOST = 2_000  # texts of a data set
TRIALS, SEEDS, OWN, OTHERS, BEFORE = 10, 3, 30, 60, 300  # of attaching: runs, and complaints of each
WEAK, WRONG, PEOPLE = 30, 0.3, 10  # labels a service by incidents, the share that is wrong; by people
Table = dict[str, float]


class Text(msgspec.Struct):
    text: str
    intent: str
    split0: str


@dataclass(frozen=True)
class Set:
    """The texts of one data set in a drawn order, and each as the pipeline has it."""

    texts: list[str]
    intents: list[str]
    vectors: list[Vector]
    rows: list[Dense]  # of no columns without the encoder


def run() -> Table:
    """Print and return top-1 and top-3 of the links, and F1 of what is attached."""
    found: Table = {}
    for model in ("none", "use"):
        if not installed(model):
            continue
        for name in FILES:
            found |= _links(name, model)
        for name in ("banking77", "cic"):
            found |= {f"attach {name} {model} {n} open F1": _attach(_read(name, model), n) for n in (1, 3)}
    found |= {f"link {name} TF-IDF top-1": _nearest(name) for name in FILES} | _traditional()
    for what, value in found.items():
        print(f"{what:44} {value:.3f}")
    return found


@cache
def _read(name: str, model: str, clean: bool = False) -> Set:
    with gzip.open(DATA / f"{FILES[name]}.jsonl.gz") as lines:
        all_of = msgspec.json.decode(b"[" + b",".join(lines.read().splitlines()) + b"]", type=list[Text])
    half = set(sorted({one.intent for one in all_of})[1::2])
    kept = [t for t in all_of if t.intent in half and (not clean or name != "cic" or t.split0 == "test")]
    drawn = [kept[k] for k in np.random.default_rng(1).permutation(len(kept))[:MOST].tolist()]
    rarity, sense, texts = Rarity(), Sense(model), [one.text for one in drawn]
    raw = remembered(model).encode(texts)
    return Set(
        texts,
        [one.intent.split("/")[1] for one in drawn],
        [rarity.weigh(*cut) for cut in columns([plain(text) for text in texts])],
        [sense.centre(row) for row in raw],
    )


@cache
def _catalog(name: str) -> tuple[Topology, dict[str, re.Pattern[str]]]:
    made = files.read(CATALOGS)[name]
    services = {s: Service(aliases={"": tuple(m["aliases"])}) for s, m in made.items()}
    return Topology(services), {s: re.compile(m["intents"].replace(" ", "")) for s, m in made.items()}


def _meant(name: str, heard: Set) -> list[str]:
    """Return the service of each text, "" where the intent is of none."""
    patterns = _catalog(name)[1]
    match = "search" if name == "cic" else "fullmatch"
    return [next((s for s, p in patterns.items() if getattr(p, match)(i)), "") for i in heard.intents]


def _links(name: str, model: str) -> Table:
    heard, topology = _read(name, model, clean=True), _catalog(name)[0]
    meant = _meant(name, heard)
    about = [k for k, service in enumerate(meant) if service]
    services = evidence("", topology)[0]
    odds = np.array([evidence(heard.texts[k], topology, model, heard.rows[k])[1] for k in about])
    right = np.array([services.index(meant[k]) for k in about])
    rank = np.argsort(-odds, axis=1, kind="stable")
    told = {f"link {name} {model} top-1": float((rank[:, 0] == right).mean())}
    told[f"link {name} {model} top-3"] = float((rank[:, :3] == right[:, None]).any(axis=1).mean())
    elsewhere = [k for k, service in enumerate(meant) if not service]
    if elsewhere:
        said = [link(heard.texts[k], topology, model, heard.rows[k]) for k in elsewhere]
        told[f"link {name} {model} of no service, below .5"] = float(
            np.mean([not s or s[0][1] < 0.5 for s in said])
        )
    test = np.arange(len(about)) < len(about) // 3
    for labels in (3, 10, 30, 100):
        head, given = Head(), dict.fromkeys(services, 0)
        for k in np.array(about)[~test].tolist():
            if given[meant[k]] < labels:
                given[meant[k]] += 1
                head.teach(str(k), meant[k], heard.vectors[k], _row(heard, k))
        learned = [
            head.evidence(services, heard.vectors[k], _row(heard, k)) for k in np.array(about)[test].tolist()
        ]
        best = (odds[test] + np.array(learned)).argmax(axis=1)
        told[f"link {name} {model} {labels} labels top-1"] = float((best == right[test]).mean())
    return told | _weakly(name, model)


def _weakly(name: str, model: str) -> Table:
    """Return top-1 with what incidents teach: WEAK complaints a service, three in ten about another one.

    Of two services first, where all others have none, then of all; each beside PEOPLE labels by people.
    """
    heard, topology = _read(name, model, clean=True), _catalog(name)[0]
    meant, services = _meant(name, heard), evidence("", topology)[0]
    about = [k for k, service in enumerate(meant) if service]
    asked, history = about[: len(about) // 3], about[len(about) // 3 :]
    chance, told = np.random.default_rng(3), dict[str, float]()
    for people in (0, PEOPLE):
        for some in (services[:2], services):
            labels, head, given = Labels(), Head(), Counter[str]()
            for k in history:
                service, row = meant[k], _row(heard, k)
                given[service] += 1
                if given[service] <= people:
                    head.teach(str(k), service, heard.vectors[k], row)
                elif service in some and given[service] <= people + WEAK:
                    others = [s for s in some if s != service]
                    wrong = chance.random() < WRONG
                    about_it = str(chance.choice(others)) if wrong else service
                    labels.guessed.teach(str(k), about_it, heard.vectors[k], row)
            for way, taught in (("", Labels()), (f" and {len(some)} services weakly", labels)):
                right = [_best(heard, topology, taught, head, k, model) == meant[k] for k in asked]
                told[f"link {name} {model} {people} by people{way} top-1"] = float(np.mean(right))
    return told


def _best(heard: Set, topology: Topology, labels: Labels, head: Head, k: int, model: str) -> str:
    names, odds = evidence(heard.texts[k], topology, model, heard.rows[k])
    return names[int((odds + labels.evidence(head, names, heard.vectors[k], _row(heard, k))).argmax())]


def _traditional() -> Table:
    """Return how often CIC's texts, in the characters of Taiwan, find their service, brought back and not."""
    if find_spec("opencc") is None:
        return {}
    heard, topology = _read("cic", "none", clean=True), _catalog("cic")[0]
    convert, services = import_module("opencc").OpenCC("s2t").convert, evidence("", topology)[0]
    right: dict[str, list[bool]] = {"as written": [], "simplified": []}
    for text, service in zip(heard.texts, _meant("cic", heard), strict=True):
        written = str(convert(text))
        for way, said in (("as written", written), ("simplified", simplified(written))):
            if service:
                odds = evidence(said, topology)[1]
                right[way].append(services[int(odds.argmax())] == service)
    return {f"link cic none top-1, traditional {way}": float(np.mean(found)) for way, found in right.items()}


def _row(heard: Set, k: int) -> Dense | None:
    return heard.rows[k] if len(heard.rows[k]) else None


def _nearest(name: str) -> float:
    """Return how often the alias nearest by TF-IDF of words and characters is the service's: the peer."""
    heard, topology = _read(name, "none", clean=True), _catalog(name)[0]
    called = [(s, plain(a)) for s, service in topology.services.items() for a in service.aliases[""]]
    model = TfidfVectorizer(analyzer=grams).fit([text for _, text in called])
    near = (
        model.transform([plain(t) for t in heard.texts]) @ model.transform([t for _, t in called]).T
    ).argmax(axis=1)
    found = [called[int(k)][0] for k in np.asarray(near).ravel()]
    pairs = [(a, b) for a, b in zip(found, _meant(name, heard), strict=True) if b]
    return float(np.mean([a == b for a, b in pairs]))


def _attach(heard: Set, n: int) -> float:
    """Return F1 of attaching to n open incidents of SEEDS complaints, amid twice as many that are of none."""
    right = wrong = missed = 0
    intents = np.array(heard.intents)
    big = [i for i in sorted(set(heard.intents)) if (intents == i).sum() > SEEDS + 12]
    for trial in range(TRIALS):
        chance = np.random.default_rng(trial)
        on: list[str] = chance.choice(big, n, replace=False).tolist()
        own = {i: chance.permutation(np.flatnonzero(intents == i))[: SEEDS + OWN].tolist() for i in on}
        rest = chance.permutation(np.flatnonzero(~np.isin(intents, on))).tolist()
        kin, members = kins.Kin(), {i: [str(k) for k in own[i][:SEEDS]] for i in on}
        _add(kin, heard, [*rest[OTHERS : OTHERS + BEFORE], *(k for i in on for k in own[i][:SEEDS])])
        coming = [*rest[:OTHERS], *(k for i in on for k in own[i][SEEDS:])]
        for k in chance.permutation(coming).tolist():
            _add(kin, heard, [k])
            close: Floats = kin.closeness(kin.near(str(k)), list(members.values()), [str(k)])
            told = on[int(close.argmax())] if close.max() > 0 else ""
            if told:
                members[told].append(str(k))
            right += bool(told) and told == heard.intents[k]
            wrong += bool(told) and told != heard.intents[k]
            missed += heard.intents[k] in on and told != heard.intents[k]
    return 2 * right / max(1, 2 * right + wrong + missed)


def _add(kin: kins.Kin, heard: Set, which: Sequence[int]) -> None:
    for k in which:
        kin.add(str(k), heard.texts[k], _row(heard, k))


if __name__ == "__main__":
    run()
