"""Our numbers beside the printed ones: which rows of a results folder a printed number may be compared with."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from soundproof.digest import canonical
from soundproof.papers import published
from soundproof.results.combine import Combination
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from soundproof.measuring.metrics.intervals import Metric
    from soundproof.measuring.place import Coordinate
    from soundproof.papers.published import Printed, Table
    from soundproof.results.files import Results, Row

BASELINE: Coordinate = {"id": "none"}
# Parameters of a network that leave it the paper's.
_HARMLESS = {"id", "weights", "dropout", "head", "variant", "filters"}
# Parts that were trained or chosen on; ours are always of the test part.
_NOT_TESTED = ("train", "dev", "validation")
_OF_CLEAN = ("accuracy", "f1", "eer", "drop")


@dataclass(frozen=True)
class Beside:
    """Our number beside a printed one.

    Attributes:
        printed: Theirs.
        ours: Ours.
        rows: The rows that it rests on.
        attacks: Of a mean, the attacks that it is over, and of how many it should be.
        differs: Parameters that the paper does not fix, or fixes otherwise, by kind.
    """

    printed: Printed
    ours: Metric
    rows: tuple[Row, ...]
    attacks: tuple[int, int] | None
    differs: Mapping[str, Mapping[str, Any]]

    @property
    def difference(self) -> float:
        """Ours less theirs, in the measure's unit."""
        return self.ours.value - self.printed.value


class Comparison:
    """A results folder held against the papers."""

    def __init__(self, results: Results) -> None:
        self.combination = Combination(results)
        self._results = results
        self._rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in results.rows:
            if row.status is Status.OK:
                self._rows[row.protocol, row.representation["id"]].append(row)

    def beside(self, table: Table) -> Iterator[Beside]:
        """The printed numbers of a table that this folder has one of its own for."""
        for printed in table.cells:
            # A network's examples fool itself: the diagonal is 1 by definition.
            if printed.where.get("target") == printed.where.get("model") and "target" in printed.where:
                continue
            if not printed.where.get("part", "test").startswith(_NOT_TESTED):
                yield from self._beside(table, printed)

    def _beside(self, table: Table, printed: Printed) -> Iterator[Beside]:
        protocol = "clean" if printed.measure in _OF_CLEAN else table.protocol
        defended = table.defended or printed.measure == "drop"
        hears = published.meaning(table.paper, "representation", printed.where["representation"])
        alike = [] if hears is None else self._rows[protocol, hears["id"]]
        rows = [row for row in alike if self._fits(row, table, printed, defended=defended)]
        rows = _nearest(rows, table.paper, printed.where)
        attacks = [printed.where["attack"]] if "attack" in printed.where else table.over
        if protocol == "clean":
            found = {"": rows} if rows else {}
        else:
            found = {word: each for word in attacks if (each := _of_attack(rows, table.paper, word))}
        if protocol == "reach":
            found = {word: each for word, each in found.items() if all(row.reached for row in each)}
        used = [row for each in found.values() for row in each]
        if not used:
            return
        if len(attacks) > 1 and protocol != "clean":
            metrics, over = self.combination.mean_over_attacks(used, [printed.measure]), (len(found), len(attacks))
        else:
            metrics, over = self.combination.averages(used), None
        if printed.measure in metrics:
            differs = _differences(used[0], table.paper, printed.where)
            yield Beside(printed, metrics[printed.measure], tuple(used), over, differs)

    def _fits(self, row: Row, table: Table, printed: Printed, *, defended: bool) -> bool:
        """Whether a row is of what was printed, apart from its attack and settings that the paper leaves open."""
        where = printed.where
        if "dataset" in where:
            same_data = row.dataset == published.meaning(table.paper, "dataset", where["dataset"])
        else:
            same_data = self._classes.get(canonical(row.dataset)) == table.classes
        return (
            same_data
            and _is(row.representation, published.meaning(table.paper, "representation", where["representation"]))
            and all(_given(row.representation, name) == value for name, value in _swept(where))
            and _network(row.model, published.meaning(table.paper, "model", where["model"]))
            and (
                "target" not in where
                or _network(row.target, published.meaning(table.paper, "model", where["target"]))
            )
            and (fgsm_trained(row.defense) if defended else row.defense == BASELINE)
        )

    @cached_property
    def _classes(self) -> dict[str, int]:
        datasets = self._results.run.get("datasets") or ()
        return {canonical(entry["dataset"]): len(entry.get("classes") or ()) for entry in datasets}


def fgsm_trained(defense: Coordinate) -> bool:
    """Whether a defense is 001's: training on what FGSM makes."""
    return defense["id"] == "adversarial-training" and (defense.get("attack") or {}).get("id") == "fgsm"


def _is(coordinate: Coordinate | None, meant: Mapping[str, Any] | None) -> bool:
    return coordinate is not None and meant is not None and coordinate["id"] == meant["id"]


def _network(model: Coordinate | None, meant: Mapping[str, Any] | None) -> bool:
    """Whether a model is the paper's and no smaller sister; a target with a defense of its own is neither."""
    return _is(model, meant) and model is not None and model.keys() <= _HARMLESS


def _swept(where: Mapping[str, str]) -> list[tuple[str, int]]:
    """Parameters of the representation that a table varies."""
    return [(name, int(where[name])) for name in ("sr", "n_fft") if name in where]


def _given(coordinate: Coordinate, name: str) -> object:
    return coordinate.get(name, published.default(coordinate["id"], name))


def _nearest(rows: Sequence[Row], paper: str, where: Mapping[str, str]) -> list[Row]:
    """The rows of the one representation and defense whose settings are nearest to the paper's."""

    def distance(row: Row) -> tuple[int, str]:
        differing = sum(map(len, _differences(row, paper, where).values()))
        return differing, canonical([row.dataset, row.representation, row.model, row.defense, row.target])

    if not rows:
        return []
    best = min(map(distance, rows))[1]
    return [row for row in rows if distance(row)[1] == best]


def _of_attack(rows: Iterable[Row], paper: str, word: str) -> list[Row]:
    """The rows of the one attack that is nearest to what a paper calls so."""
    meant = published.meaning(paper, "attack", word) or {}
    found = [row for row in rows if _is(row.attack, meant)]
    chosen = min((_distance(row.attack, meant) for row in found), default=None)
    return [row for row in found if _distance(row.attack, meant) == chosen]


def _distance(coordinate: Coordinate | None, meant: Mapping[str, Any]) -> tuple[int, str]:
    return sum((coordinate or {}).get(name) != value for name, value in meant.items()), canonical(coordinate)


def _differences(row: Row, paper: str, where: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Parameters in which a row is not what the paper says, or in which the paper says nothing."""
    found = {}
    for kind in ("representation", "model", "attack"):
        word, coordinate = where.get(kind), getattr(row, kind)
        if word is None or coordinate is None:
            continue
        meant = {**(published.meaning(paper, kind, word) or {}), **dict(_swept(where))}
        names = (coordinate.keys() | meant.keys()) if kind == "attack" else coordinate.keys()
        found[kind] = {
            name: coordinate.get(name) for name in sorted(names) if coordinate.get(name) != meant.get(name)
        }
    return {kind: differing for kind, differing in found.items() if differing}
