"""The printed numbers of the papers, read from `tables/`, each with what contradicts it."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True)
class Table:
    """One table of a paper.

    Attributes:
        paper: Its number: 000 to 003.
        source: Authors, title and where to find it.
        name: As the paper calls it.
        title: What it shows.
        protocol: Of our rows that stand beside it; `accuracy`, `drop` and the like are always of `clean`.
        defended: Whether these are of FGSM-trained classifiers; a `drop` always is.
        classes: Number of classes that a data set must have to be compared, where the paper's own is private.
        over: Attacks that its means are over; empty where each number is of one attack, or of none.
        cells: All of its numbers, in the order of the paper.
    """

    paper: str
    source: str
    name: str
    title: str
    protocol: str
    defended: bool
    classes: int | None
    over: tuple[str, ...]
    cells: tuple[Printed, ...]


@dataclass(frozen=True)
class Printed:
    """One printed number.

    Attributes:
        where: What it is a number of, in the paper's words: `dataset`, `representation`, `model`, `attack`,
            `target`, `part`, and parameters of the representation.
        measure: What was measured, as our metrics are called.
        value: The number in our units; shares lie in [0, 1].
        text: As printed.
        doubts: What contradicts it.
    """

    where: Mapping[str, str]
    measure: str
    value: float
    text: str
    doubts: tuple[str, ...]


@cache
def tables() -> tuple[Table, ...]:
    """All tables, in the order of the papers."""
    contents = _contents()
    return tuple(_table(entry, contents["sources"]) for entry in contents["tables"])


def meaning(paper: str, kind: str, word: str) -> Mapping[str, Any] | None:
    """Our component for a paper's word: its id, and parameters that the paper fixes; None where there is none."""
    names = _contents()["names"].get(kind, {})
    found: Mapping[str, Any] | None = (names.get(paper, {}) if kind == "attack" else names).get(word)
    return found


def default(component: str, parameter: str) -> object:
    """Value of a parameter that rows do not name."""
    return _contents()["defaults"].get(component, {}).get(parameter)


@cache
def _contents() -> dict[str, Any]:
    return tomllib.loads(_text("tables.toml"))


def _text(name: str) -> str:
    return (resources.files("soundproof.papers") / "tables" / name).read_text("utf-8")


def _table(entry: Mapping[str, Any], sources: Mapping[str, str]) -> Table:
    paper = entry["file"].partition("-")[0]
    return Table(
        paper=paper,
        source=sources[paper],
        name=entry["name"],
        title=entry["title"],
        protocol=entry["protocol"],
        defended=entry.get("defended", False),
        classes=entry.get("classes"),
        over=tuple(entry.get("over", ())),
        cells=tuple(_cells(entry)),
    )


def _cells(entry: Mapping[str, Any]) -> Iterator[Printed]:
    for row in csv.DictReader(_text(entry["file"]).splitlines()):
        placed = {**entry.get("fixed", {}), **{key: row[key] for key in entry["keys"]}}
        for heading, text in row.items():
            if heading in entry["keys"] or heading in entry.get("text", ()):
                continue
            where = {**placed, **_words(heading, entry)}
            measure = where.pop("measure")
            scale = 100 if measure in entry.get("percent", ()) else 1
            doubts = tuple(_doubts(entry.get("doubts", ()), {**where, "measure": measure}))
            yield Printed(where, measure, float(Decimal(text) / scale), text, doubts)


def _words(heading: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """What the words of a heading name; of fewer words than the table's, the last is the measure."""
    words = heading.split(" ")
    names: Sequence[str] = entry["heading"]
    found = dict(zip(names[len(names) - len(words) :], words, strict=True))
    return {"measure": entry.get("measure", ""), **found}


def _doubts(doubts: Sequence[Mapping[str, Any]], cell: Mapping[str, str]) -> Iterator[str]:
    for doubt in doubts:
        if all(cell.get(name) == word for name, word in doubt["where"].items()):
            yield doubt["says"]
