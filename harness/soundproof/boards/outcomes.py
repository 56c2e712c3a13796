"""From per-clip outcomes back to numbers: averages over folds and seeds, and the worst case over attacks.

Definitions: docs/metrics.md. A number that belongs to one fold and one seed is the row's own; all others are
estimated again from the clips, because neither a mean of intervals nor a mean of minima is an interval or a
worst case.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.errors import ResultsError
from soundproof.identity import canonical
from soundproof.metrics.intervals import Metric, Part, estimate
from soundproof.metrics.statistics import auc, average, equal_error_rate, macro, mean, ratio_of_means
from soundproof.results import groups_name
from soundproof.types import Protocol, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from soundproof.metrics.statistics import Statistic
    from soundproof.results import Coordinate, Results, Row

    Array = npt.NDArray[Any]

_UNIT = (0.0, 1.0)
_BOUNDS: Mapping[str, tuple[float, float]] = dict.fromkeys(
    (
        *("accuracy", "precision", "recall", "f1", "eer"),
        *("fooling_auc", "mean_fooling_auc", "fooling_rate", "robust_accuracy", "transfer_ratio"),
    ),
    _UNIT,
)
# Rows keep 6 significant digits and samples may be float32; anything beyond is another number.
_AGREE = 1e-4


class Outcomes:
    """The per-clip outcomes of a results folder, and the numbers they give."""

    def __init__(self, results: Results) -> None:
        self._samples = results.samples
        self._scored = {_place(row): row for row in results.rows if row.status is Status.OK}
        self._dimensions = _dimensions(results.run)

    def dimension(self, row: Row) -> int | None:
        """The input size D of a row's classifier; None where the run did not note it."""
        return self._dimensions.get((canonical(row.dataset), canonical(row.representation)))

    def average(self, rows: Sequence[Row], name: str) -> Metric | None:
        """A metric averaged over the rows that have it, one row a fold and seed.

        Raises:
            ResultsError: The samples of a row are missing, or give another number than the row.
        """
        rows = [row for row in rows if name in row.metrics]
        if len(rows) == 1:
            return rows[0].metrics[name]
        if not rows or (name == "rms" and self.dimension(rows[0]) is None):
            return None
        return self._estimate(name, rows[0].dataset, [self._part(row, name) for row in rows])

    def worst_case(self, rows: Sequence[Row]) -> dict[str, Metric]:
        """The attacks of one classifier together; `rows` are its `bounded` rows of all folds and seeds.

        Returns:
            `robust_accuracy` (a clip counts if no attack fools it), `fooling_rate` (if any does) and
            `mean_fooling_auc` (over the attacks); without a clean row the first is absent.
        """
        parts: dict[str, list[Part]] = {"robust_accuracy": [], "fooling_rate": [], "mean_fooling_auc": []}
        for attacks in _by_classifier(rows):
            clips = self._field(attacks[0], "clip")
            fooled = np.zeros(len(clips), dtype=bool)
            for row in attacks:
                if not np.array_equal(self._field(row, "clip"), clips):
                    raise ResultsError(
                        f"{row.title()}: attacked other clips than its neighbours; run the suite again"
                    )
                fooled |= self._field(row, "fooled").astype(bool)
            areas = [auc(self._field(row, "clean_score"), self._field(row, "score")) for row in attacks]
            parts["fooling_rate"].append(Part(clips, mean(fooled)))
            parts["mean_fooling_auc"].append(Part(clips, average(areas)))
            clean = self._scored.get(_place(attacks[0], protocol=Protocol.CLEAN))
            if clean is not None:
                parts["robust_accuracy"].append(self._robust(clean, clips[~fooled]))
        found = {name: self._estimate(name, rows[0].dataset, each) for name, each in parts.items() if each}
        return {name: metric for name, metric in found.items() if metric is not None}

    def mean_over_attacks(self, rows: Sequence[Row]) -> Metric | None:
        """`transfer_ratio` of one pair; first the mean over attacks, then over folds and seeds."""
        parts = []
        for attacks in _by_classifier([row for row in rows if "transfer_ratio" in row.metrics]):
            clips = np.unique(np.concatenate([self._field(row, "clip") for row in attacks]))
            shares = []
            for row in attacks:
                fooled = np.full(len(clips), np.nan)
                fooled[np.searchsorted(clips, self._field(row, "clip"))] = self._field(row, "fooled")
                shares.append(mean(fooled))
            parts.append(Part(clips, average(shares)))
        return self._estimate("transfer_ratio", rows[0].dataset, parts) if parts else None

    def _part(self, row: Row, name: str) -> Part:
        """One row's share of an average; it has to give the row's own number."""
        if name == "robust_accuracy":
            part = self._robust(self._partner(row, Protocol.CLEAN), self._survivors(row))
        elif name == "epsilon_ratio":
            part = self._ratio(row, self._partner(row, row.protocol, {"id": "none"}))
        elif name == "rms":
            scale = math.sqrt(self.dimension(row) or math.nan)
            part = Part(self._field(row, "clip"), mean(self._field(row, "l2") / scale))
        else:
            part = Part(self._field(row, "clip"), _STATISTICS[name](lambda field: self._field(row, field)))
        found, noted = float(part.statistic(np.ones((1, len(part.clips))))[0]), row.metrics[name].value
        if not math.isclose(found, noted, rel_tol=_AGREE, abs_tol=_AGREE * _AGREE):
            raise ResultsError(
                f"{row.title()}: the row says {name} = {noted:g} and its samples {found:g}; run the suite again"
            )
        return part

    def _survivors(self, row: Row) -> Array:
        clips: Array = self._field(row, "clip")[~self._field(row, "fooled").astype(bool)]
        return clips

    def _robust(self, clean: Row, survivors: Array) -> Part:
        clips = self._field(clean, "clip")
        return Part(clips, mean(np.isin(clips, survivors)))

    def _ratio(self, row: Row, undefended: Row) -> Part:
        sides = [(self._field(each, "clip"), self._field(each, "l2")) for each in (row, undefended)]
        clips = np.union1d(sides[0][0], sides[1][0])
        columns = np.full((2, len(clips)), np.nan)
        for column, (where, values) in zip(columns, sides, strict=True):
            column[np.searchsorted(clips, where)] = values
        return Part(clips, ratio_of_means(*columns))

    def _partner(self, row: Row, protocol: Protocol, defense: Coordinate | None = None) -> Row:
        partner = self._scored.get(_place(row, protocol=protocol, defense=defense))
        if partner is None:
            raise ResultsError(
                f"{row.title()}: the {protocol} row that it is compared with is missing; run it too"
            )
        return partner

    def _field(self, row: Row, name: str) -> Array:
        array = self._samples.get(f"{row.key}/{name}")
        if array is None:
            raise ResultsError(f"{row.title()}: its samples lack {name!r}; run the suite again")
        return array

    def _estimate(self, name: str, dataset: Coordinate, parts: Sequence[Part]) -> Metric | None:
        groups = self._samples.get(groups_name(dataset))
        if groups is None:
            raise ResultsError(f"the samples lack {groups_name(dataset)!r}; run the suite again")
        metric = estimate(parts, groups, bounds=_BOUNDS.get(name))
        return None if metric is None else Metric(**metric.to_json())  # type: ignore[arg-type]


def _macro(name: str) -> Callable[[Callable[[str], Array]], Statistic]:
    def statistic(field: Callable[[str], Array]) -> Statistic:
        labels, predictions = field("label"), field("prediction")
        return macro(labels, predictions, int(max(labels.max(), predictions.max())) + 1)[name]

    return statistic


def _equal_error_rate(field: Callable[[str], Array]) -> Statistic:
    positive = field("label") == 1
    # The margin is that of the wrong class over the right one: of class 1 over class 0 only for class 0.
    return equal_error_rate(np.where(positive, -field("score"), field("score")), positive)


_STATISTICS: Mapping[str, Callable[[Callable[[str], Array]], Statistic]] = {
    "accuracy": lambda field: mean(field("label") == field("prediction")),
    "precision": _macro("precision"),
    "recall": _macro("recall"),
    "f1": _macro("f1"),
    "eer": _equal_error_rate,
    "fooling_auc": lambda field: auc(field("clean_score"), field("score")),
    "fooling_rate": lambda field: mean(field("fooled")),
    "l2": lambda field: mean(field("l2")),
    "gradients": lambda field: mean(field("gradients")),
    "queries": lambda field: mean(field("queries")),
    "transfer_ratio": lambda field: mean(field("fooled")),
}


def _place(row: Row, *, protocol: Protocol | None = None, defense: Coordinate | None = None) -> tuple[str, ...]:
    """What finds a row, or its partner of another protocol or defense."""
    protocol = protocol or row.protocol
    attack = None if protocol is Protocol.CLEAN else row.attack
    coordinates = (row.dataset, row.representation, row.model, defense or row.defense, attack, row.target)
    return (protocol, *map(canonical, coordinates), str(row.fold), str(row.seed))


def _by_classifier(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of one configuration, apart for each fold and seed: each of them is a classifier of its own."""
    found: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        found.setdefault((row.fold, row.seed), []).append(row)
    return list(found.values())


def _dimensions(run: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    return {
        (canonical(entry.get("dataset")), canonical(entry.get("representation"))): entry["dimension"]
        for entry in run.get("inputs") or ()
        if entry.get("dimension")
    }
