"""Paired differences of two runs: the same cells on the same clips, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soundproof.errors import ResultsError
from soundproof.measuring.metrics.intervals import estimate
from soundproof.measuring.protocols import PROTOCOLS
from soundproof.measuring.scene import Scene
from soundproof.results.means import minus
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from soundproof.measuring.metrics.intervals import Metric
    from soundproof.results.files import Results, Row

# By protocol, what a difference is worth a line in.
MEASURED = {
    "clean": ("accuracy",),
    "bounded": ("robust_accuracy", "fooling_auc"),
    "reach": ("l2", "gradients"),
    "transfer": ("transfer_ratio",),
}


@dataclass(frozen=True)
class Difference:
    """A metric of one cell in two runs.

    Attributes:
        row: The cell, as the second run has it.
        name: The metric.
        before: Its value in the first run.
        after: Its value in the second.
        change: The second minus the first, with the interval of this difference: clips drawn for both alike.
    """

    row: Row
    name: str
    before: float
    after: float
    change: Metric

    @property
    def settled(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.change.low > 0 or self.change.high < 0


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side.

    Attributes:
        differences: Of the cells that both have a score for, in the order of the second.
        only_before: Cells with a score in the first run alone.
        only_after: In the second alone.
    """

    differences: tuple[Difference, ...]
    only_before: tuple[Row, ...]
    only_after: tuple[Row, ...]


def compare(before: Results, after: Results) -> Comparison:
    """Compare two runs, cell by cell.

    Raises:
        ResultsError: A data set has other clips in one of them: nothing can be paired.
    """
    _same_clips(before, after)
    first, second = (
        {row.lookup: row for row in results.rows if row.status is Status.OK} for results in (before, after)
    )
    found = [
        difference
        for lookup, row in second.items()
        if lookup in first
        for difference in _differences(before, first[lookup], after, row)
    ]
    return Comparison(
        tuple(found),
        tuple(row for lookup, row in first.items() if lookup not in second),
        tuple(row for lookup, row in second.items() if lookup not in first),
    )


def _differences(before: Results, old: Row, after: Results, new: Row) -> Iterator[Difference]:
    scene = Scene(after.groups(new.dataset), 0, 0)
    parts = [
        PROTOCOLS[row.protocol].parts(results.fields(row), scene) for results, row in ((before, old), (after, new))
    ]
    for name in MEASURED.get(new.protocol, ()):
        if name in old.metrics and name in new.metrics and all(name in each for each in parts):
            change = estimate([minus(parts[1][name], parts[0][name])], scene.groups)
            if change is not None:
                yield Difference(new, name, old.metrics[name].value, new.metrics[name].value, change)


def _same_clips(before: Results, after: Results) -> None:
    told = [
        {str(entry.get("dataset")): entry.get("checksum") for entry in results.run.get("datasets") or ()}
        for results in (before, after)
    ]
    other = [name for name in told[0].keys() & told[1].keys() if told[0][name] != told[1][name]]
    if other:
        raise ResultsError(
            f"the clips differ in {', '.join(sorted(other))}: nothing can be paired; run one of them again"
        )
