"""Combination of rows: averages over folds and seeds, comparisons with partners, the worst case over attacks.

Definitions: docs/metrics.md. A number that belongs to one fold and one seed is the row's own; all others are
estimated again from the clips, because neither a mean of intervals nor a mean of minima is an interval or a
worst case.
"""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.digest import canonical
from soundproof.errors import ResultsError
from soundproof.measuring.metrics.intervals import RATE, Metric, Part, estimate, known
from soundproof.measuring.metrics.statistics import auc, average, mean
from soundproof.measuring.protocols import PROTOCOLS
from soundproof.measuring.protocols.bounded import grey_box
from soundproof.measuring.scene import Scene
from soundproof.results.files import groups_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy.typing as npt

    from soundproof.measuring.protocols.base import Samples
    from soundproof.results.files import Results, Row

    Array = npt.NDArray[Any]

# Rows keep 6 significant digits and samples may be float32; anything beyond is another number.
_AGREE = 1e-4


class Combination:
    """The rows of a results folder with their per-clip outcomes, and the numbers that several give together."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._rows = {row.lookup: row for row in results.rows if not row.status.broken}
        self._dimensions = {
            (canonical(entry.get("dataset")), canonical(entry.get("representation"))): entry.get("dimension")
            for entry in results.run.get("inputs") or ()
        }
        self._classes = {
            canonical(entry.get("dataset")): len(entry.get("classes") or ())
            for entry in results.run.get("datasets") or ()
        }

    def dimension(self, row: Row) -> int | None:
        """The input size D of a row's classifier; None where the run did not note it."""
        return self._dimensions.get((canonical(row.dataset), canonical(row.representation)))

    def averages(self, rows: Sequence[Row]) -> dict[str, Metric]:
        """The metrics of one configuration, averaged over its rows, one a fold and seed.

        Raises:
            ResultsError: The samples of a row are missing, or give another number than the rows.
        """
        if len(rows) <= 1:
            return {name: metric for row in rows for name, metric in row.metrics.items()}
        protocol, samples = PROTOCOLS[rows[0].protocol], [self.samples(row) for row in rows]
        found = protocol.metrics(samples, self._scene(rows[0])) | self.comparisons(rows)
        wanted = {name for row in rows for name in row.metrics}
        noted = _noted([row.metrics for row in rows], wanted - found.keys())
        return {name: self._checked(rows, name, found[name]) for name in found if name in wanted} | noted

    def reports(self, rows: Sequence[Row]) -> dict[str, Metric]:
        """What defenses measured of themselves, averaged over rows."""
        if len(rows) == 1:
            return dict(rows[0].reports)
        return _noted([row.reports for row in rows], {name for row in rows for name in row.reports})

    def comparisons(self, rows: Sequence[Row]) -> dict[str, Metric]:
        """The metrics of one configuration that compare it with its partners, where all of them are there.

        Raises:
            ResultsError: The samples of a row are missing.
        """
        protocol = PROTOCOLS[rows[0].protocol]
        partners: dict[str, list[Samples]] = {}
        for row in rows:
            for name, place in protocol.partners(row).items():
                partner = self._rows.get(place.lookup)
                if partner is not None and self._has_samples(partner):
                    partners.setdefault(name, []).append(self.samples(partner))
        whole = {name: samples for name, samples in partners.items() if len(samples) == len(rows)}
        if not whole:
            return {}
        return protocol.comparisons([self.samples(row) for row in rows], whole, self._scene(rows[0]))

    def worst_case(self, rows: Sequence[Row]) -> dict[str, Metric]:
        """The attacks of one classifier together; `rows` are its `bounded` rows of all folds and seeds.

        Returns:
            `robust_accuracy` (a clip counts if no attack fools it) and `fooling_rate` (if any does); the same of
            the grey-box attacker, as `grey_…`, if every row has it.
        """
        parts: dict[str, list[Part]] = {}
        for attacks in _by_classifier(rows):
            informed = [self._of_the_same_clips(attacks[0], row) for row in attacks]
            _add_worst(parts, "", informed)
            grey = [self._grey(row) for row in attacks]
            if all(grey):
                _add_worst(parts, "grey_", [each for each in grey if each])
        complete = {name: each for name, each in parts.items() if len(each) == len(parts["fooling_rate"])}
        return self._rates(rows, complete)

    def mean_fooling_auc(self, rows: Sequence[Row]) -> dict[str, Metric]:
        """`mean_fooling_auc` over the attacks of one classifier's `bounded` rows, then over folds and seeds."""
        parts = []
        for attacks in _by_classifier(rows):
            samples = [self._of_the_same_clips(attacks[0], row) for row in attacks]
            areas = [auc(sample["clean_score"], sample["score"]) for sample in samples]
            parts.append(Part(samples[0]["clip"], average(areas)))
        return self._rates(rows, {"mean_fooling_auc": parts}) if parts else {}

    def mean_transfer(self, rows: Sequence[Row]) -> dict[str, Metric]:
        """`transfer_ratio` of one pair: first the mean over attacks, then over folds and seeds."""
        parts = []
        for attacks in _by_classifier([row for row in rows if "transfer_ratio" in row.metrics]):
            samples = [self.samples(row) for row in attacks]
            moved = [sample["clip"][sample["source_fooled"] > 0] for sample in samples]
            clips = np.unique(np.concatenate(moved))
            shares = []
            for sample, of in zip(samples, moved, strict=True):
                fooled = np.full(len(clips), np.nan)
                fooled[np.searchsorted(clips, of)] = sample["fooled"][sample["source_fooled"] > 0] > 0
                shares.append(mean(fooled))
            parts.append(Part(clips, average(shares)))
        return self._rates(rows, {"transfer_ratio": parts}) if parts else {}

    def samples(self, row: Row) -> dict[str, Array]:
        """The per-clip outcomes of a row, by field.

        Raises:
            ResultsError: Fields that its protocol needs are missing.
        """
        found = self._results.fields(row)
        missing = [name for name in PROTOCOLS[row.protocol].fields if name not in found]
        if missing:
            raise ResultsError(f"{row.title()}: its samples lack {', '.join(missing)}; run the suite again")
        return found

    def _has_samples(self, row: Row) -> bool:
        return f"{row.key}/clip" in self._results.samples

    def _grey(self, row: Row) -> dict[str, Array] | None:
        place = PROTOCOLS[row.protocol].partners(row).get("grey")
        partner = None if place is None else self._rows.get(place.lookup)
        if partner is None or not self._has_samples(partner):
            return None
        return grey_box(self.samples(row), self.samples(partner))

    def _scene(self, row: Row) -> Scene:
        groups = self._results.samples.get(groups_name(row.dataset))
        if groups is None:
            raise ResultsError(f"the samples lack {groups_name(row.dataset)}; run the suite again")
        return Scene(groups, self._count_classes(row), self.dimension(row) or 0)

    def _count_classes(self, row: Row) -> int:
        known_count = self._classes.get(canonical(row.dataset))
        if known_count:
            return known_count
        fields = self._results.fields(row)
        return max((int(fields[name].max()) for name in ("label", "prediction") if name in fields), default=-1) + 1

    def _checked(self, rows: Sequence[Row], name: str, metric: Metric) -> Metric:
        noted = fmean(row.metrics[name].value for row in rows if name in row.metrics)
        if not math.isclose(metric.value, noted, rel_tol=_AGREE, abs_tol=_AGREE * _AGREE):
            raise ResultsError(
                f"{rows[0].title()} and its other folds and seeds: the rows say {name} = {noted:g} on average, "
                f"and their samples {metric.value:g}; run the suite again"
            )
        return _rounded(metric)

    def _rates(self, rows: Sequence[Row], parts: Mapping[str, Sequence[Part]]) -> dict[str, Metric]:
        groups = self._scene(rows[0]).groups
        found = known({name: estimate(each, groups, bounds=RATE) for name, each in parts.items()})
        return {name: _rounded(metric) for name, metric in found.items()}

    def _of_the_same_clips(self, first: Row, row: Row) -> dict[str, Array]:
        """The samples of one of several attacks on one classifier."""
        found = self.samples(row)
        if not np.array_equal(found["clip"], self.samples(first)["clip"]):
            raise ResultsError(f"{row.title()}: its clips are not those of the other attacks; run it again")
        return found


def _add_worst(parts: dict[str, list[Part]], prefix: str, samples: Sequence[Samples]) -> None:
    """One classifier's share of the worst case, from the samples of all attacks on the same clips."""
    clips, tested = samples[0]["clip"], samples[0]["tested"]
    fooled = np.any([sample["fooled"] > 0 for sample in samples], axis=0)
    found = {
        "robust_accuracy": Part(tested, mean(np.isin(tested, clips[~fooled]))),
        "fooling_rate": Part(clips, mean(fooled)),
    }
    for name, part in found.items():
        parts.setdefault(f"{prefix}{name}", []).append(part)


def _noted(columns: Sequence[Mapping[str, Metric]], names: Collection[str]) -> dict[str, Metric]:
    """What trainings noted of themselves, which samples do not hold.

    The mean of the ends of intervals is at least as wide as the interval of the mean, whatever the folds and seeds
    have in common; as many clips as in the largest of them are distinct.
    """
    found = {}
    for name in sorted(names):
        each = [column[name] for column in columns if name in column]
        value, low, high = (fmean(getattr(metric, end) for metric in each) for end in ("value", "low", "high"))
        found[name] = _rounded(Metric(value, low, high, max(metric.n for metric in each)))
    return found


def _rounded(metric: Metric) -> Metric:
    """As a row of results keeps it."""
    return Metric(**metric.to_json())  # type: ignore[arg-type]


def _by_classifier(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of one configuration, apart for each fold and seed: each of them is a classifier of its own."""
    found: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        found.setdefault((row.fold, row.seed), []).append(row)
    return list(found.values())
