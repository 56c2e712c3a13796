"""The rows of one data set as claims read them: paired by all but one coordinate, with per-clip shares."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from soundproof.digest import canonical
from soundproof.measuring.metrics.fooling import ratio_of_sizes
from soundproof.measuring.metrics.intervals import Part, estimate
from soundproof.measuring.metrics.statistics import mean
from soundproof.papers.evidence import DIFFERING, Evidence, Verdict, above, difference, recordings, within
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np
    import numpy.typing as npt

    from soundproof.measuring.metrics.intervals import Metric
    from soundproof.measuring.place import Coordinate
    from soundproof.results.combine import Combination
    from soundproof.results.files import Row

# Means over clips, of which every recording has its own.
_MEANS = ("accuracy", "gradients")
_ALL = ("dataset", "representation", "model", "defense", "attack", "target")


class Shares:
    """Scored rows of one data set.

    Attributes:
        dataset: Its coordinate.
    """

    def __init__(self, dataset: Coordinate, rows: Iterable[Row], combination: Combination) -> None:
        self.dataset = dataset
        self._combination = combination
        self._rows: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            if row.status is Status.OK and row.dataset == dataset:
                self._rows[row.protocol].append(row)

    def rows(self, protocol: str) -> list[Row]:
        """The scored rows of a protocol."""
        return self._rows[protocol]

    def groups(self, rows: Sequence[Row]) -> npt.NDArray[np.int64]:
        """The recording of every clip."""
        return self._combination.groups(rows[0])

    def paired(self, first: Sequence[Row], second: Sequence[Row], apart: str) -> list[tuple[Row, Row]]:
        """Rows that differ in one coordinate only."""
        others = {_without(row, apart): row for row in second}
        return [(row, others[key]) for row in first if (key := _without(row, apart)) in others]

    def compare(
        self, statement: str, pairs: Sequence[tuple[Row, Row]], metric: str, unit: Callable[[Metric], str]
    ) -> Evidence:
        """Evidence that the first of each pair has more of something than the second."""
        shares = [(self.share(one, metric), self.share(other, metric)) for one, other in pairs]
        known = [(one, other) for one, other in shares if one is not None and other is not None]
        rows = tuple(row for pair in pairs for row in pair)
        if not known:
            return nothing(statement, rows)
        groups = self.groups(rows)
        found, differing = difference(known, groups)
        if metric not in _MEANS:  # pooled over pairs of clips: alone, a recording says nothing
            differing = recordings([part.clips for pair in known for part in pair], groups)
        return Evidence(statement, above(found, differing), _said(found, differing, unit, len(known)), rows)

    def bounded_by(
        self,
        statement: str,
        shares: Sequence[tuple[Part, tuple[Row, ...]]],
        limits: tuple[float, float],
        unit: Callable[[Metric], str],
    ) -> Evidence:
        """Evidence that the mean of some shares lies between two limits."""
        rows = tuple(row for _, each in shares for row in each)
        if not shares:
            return nothing(statement, rows)
        groups = self.groups(rows)
        found = estimate([part for part, _ in shares], groups)
        heard = recordings([part.clips for part, _ in shares], groups)
        return Evidence(statement, within(found, heard, *limits), _said(found, heard, unit, len(shares)), rows)

    def share(self, row: Row, metric: str) -> Part | None:
        """A row's share of a metric; None where it has none."""
        return self._combination.parts(row).get(metric)

    def drop(self, undefended: Row, defended: Row) -> Part:
        """Accuracy that a defense costs."""
        samples = [self._combination.samples(row) for row in (undefended, defended)]
        right = [each["label"] == each["prediction"] for each in samples]
        return Part(samples[0]["clip"], mean(right[0].astype(float) - right[1]))

    def ratio(self, undefended: Row, defended: Row) -> Part:
        """ε_r of one attack."""
        return ratio_of_sizes(self._combination.samples(defended), self._combination.samples(undefended))


def nothing(statement: str, rows: tuple[Row, ...] = ()) -> Evidence:
    """A statement that a run has nothing to say of."""
    return Evidence(statement, Verdict.UNDECIDED, "not measured here", rows)


def _said(found: Metric | None, differing: int, unit: Callable[[Metric], str], count: int) -> str:
    if found is None:
        return "no clip to compare"
    few = "" if differing >= DIFFERING else f"; only {differing} recordings tell them apart"
    return f"{unit(found)}, over {count} {'comparison' if count == 1 else 'comparisons'}, {found.n} clips{few}"


def _without(row: Row, apart: str) -> str:
    kept = {name: getattr(row, name) for name in _ALL if name != apart}
    return canonical([kept, row.protocol, row.fold, row.seed])
