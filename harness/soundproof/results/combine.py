"""Combination of rows: averages over folds and seeds, comparisons with partners, the worst case over attacks.

Definitions: docs/metrics.md. A number that belongs to one fold and one seed is the row's own; all others are
estimated again from the clips, because neither a mean of intervals nor a mean of minima is an interval or a
worst case.
"""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.digest import canonical
from soundproof.errors import ResultsError
from soundproof.measuring.metrics import bounds
from soundproof.measuring.metrics.fooling import fooled_within, ratio_of_sizes, robust_accuracy
from soundproof.measuring.metrics.intervals import Metric, Part, estimate, known
from soundproof.measuring.metrics.statistics import mean
from soundproof.measuring.place import classifier_of, judged_by
from soundproof.measuring.protocols import PROTOCOLS
from soundproof.measuring.protocols.bounded import grey_box, grey_parts
from soundproof.measuring.scene import Scene
from soundproof.results.attacks import controls
from soundproof.results.files import groups_name
from soundproof.results.means import nested_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy.typing as npt

    from soundproof.measuring.protocols.base import Samples
    from soundproof.results.files import Results, Row
    from soundproof.results.places import Outcomes

    Array = npt.NDArray[Any]

_GREY = "grey_"
_NONE = np.zeros(0, np.int64)


class Combination:
    """The rows of a results folder with their per-clip outcomes, and the numbers that several give together."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._rows = {row.lookup: row for row in results.rows if not row.status.broken}
        self._transferred = self._from_others(controls(results))
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
        return self._dimensions.get((row.words["dataset"], row.words["representation"]))

    def groups(self, row: Row) -> Array:
        """The recording of every clip of a row's data set."""
        return self._scene(row).groups

    def averages(self, rows: Sequence[Row]) -> dict[str, Metric]:
        """The metrics of one configuration, averaged over its rows, one a fold and seed.

        What only some of the rows have is left out: it would be an average over other folds.
        """
        if len(rows) <= 1:
            return {name: metric for row in rows for name, metric in row.metrics.items()}
        protocol, samples = PROTOCOLS[rows[0].protocol], [self.samples(row) for row in rows]
        found = protocol.metrics(samples, self._scene(rows[0])) | self.comparisons(rows)
        wanted = {name for row in rows for name in row.metrics}
        shared = wanted.intersection(*(row.metrics for row in rows)) - found.keys()
        noted = _noted([row.metrics for row in rows], shared)
        return {name: _rounded(found[name]) for name in found if name in wanted} | noted

    def reports(self, rows: Sequence[Row]) -> dict[str, Metric]:
        """Reports of defenses on themselves, averaged over rows."""
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
            `robust_accuracy` (a clip counts if no attack and no example made against another classifier fools it)
            and `fooling_rate` (if any does); the same of the grey-box attacker, as `grey_…`, if every row has it.
        """
        found: dict[str, list[Part]] = {}
        for attacks in _by_run(rows).values():
            _add_worst(found, "", [self.samples(row) for row in attacks], self._transferred_to(attacks[0]))
            grey = [self._grey(row) for row in attacks]
            if all(grey):
                _add_worst(found, _GREY, [each for each in grey if each])
        groups, whole = self.groups(rows[0]), len(found["fooling_rate"])
        complete = {name: each for name, each in found.items() if len(each) == whole}
        metrics = known({name: estimate(each, groups, bounds=bounds(name)) for name, each in complete.items()})
        return {name: _rounded(metric) for name, metric in metrics.items()}

    def mean_over_attacks(self, rows: Sequence[Row], names: Collection[str]) -> dict[str, Metric]:
        """Means over the attacks on one classifier, of each attack's mean over its presets, folds and seeds.

        Several presets of one attack weigh together as much as one of another: a grid over its parameters would
        otherwise decide the mean.

        Args:
            rows: Of one protocol, of all attacks, folds and seeds.
            names: The metrics; those that no row has are left out, and `grey_…` if one of them lacks it.
        """
        found: dict[str, dict[str, dict[str, list[Part]]]] = {}
        count = dict.fromkeys(names, 0)
        for row in rows:
            assert row.attack is not None
            for name, part in self.parts(row).items():
                if name in count and len(part.clips):
                    presets = found.setdefault(name, {}).setdefault(row.attack["id"], {})
                    presets.setdefault(row.words["attack"], []).append(part)
                    count[name] += 1
        metrics = {
            name: estimate(
                [nested_mean([list(presets.values()) for presets in attacks.values()])],
                self.groups(rows[0]),
                bounds=bounds(name),
            )
            for name, attacks in found.items()
            if not name.startswith(_GREY) or count[name] == len(rows)
        }
        return {name: _rounded(metric) for name, metric in known(metrics).items()}

    def recognised(self, rows: Sequence[Row]) -> Outcomes:
        """Test clips that one classifier gets right, from its `clean` rows."""
        found = {(row.fold, row.seed): self.samples(row) for row in rows}
        return {run: (each["clip"], each["label"] == each["prediction"]) for run, each in found.items()}

    def survived(self, rows: Sequence[Row]) -> Outcomes:
        """Test clips that survive all attacks and all examples of others, from a classifier's `bounded` rows."""
        found = {}
        for run, attacks in _by_run(rows).items():
            samples = [self.samples(row) for row in attacks]
            fooled = _fooled(samples, self._transferred_to(attacks[0]))
            tested = samples[0]["tested"]
            found[run] = (tested, np.isin(tested, samples[0]["clip"][~fooled]))
        return found

    def parts(self, row: Row) -> dict[str, Part]:
        """A row's shares of metrics, and of those that a partner gives where it is there."""
        samples = self.samples(row)
        found = PROTOCOLS[row.protocol].parts(samples, self._scene(row))
        grey, undefended = self._partner(row, "grey"), self._partner(row, "undefended")
        if grey is not None:
            found |= grey_parts(samples, grey)
        if undefended is not None and "l2" in samples and "l2" in undefended:
            found["epsilon_ratio"] = ratio_of_sizes(samples, undefended)
        return found

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

    def _from_others(self, controls: Collection[str]) -> dict[str, list[Array]]:
        """Clips that examples made against other classifiers fool, by the classifier that they are shown to."""
        found: dict[str, list[Array]] = {}
        for row in self._rows.values():
            fields = self._results.fields(row) if row.protocol == "transfer" else {}
            if row.attack is not None and row.attack["id"] not in controls and {"clip", "fooled"} <= fields.keys():
                found.setdefault(judged_by(row), []).append(fields["clip"][fooled_within(fields)])
        return found

    def _transferred_to(self, row: Row) -> Array:
        moved = self._transferred.get(classifier_of(row), [])
        return np.unique(np.concatenate(moved)) if moved else np.zeros(0, np.int64)

    def _has_samples(self, row: Row) -> bool:
        return f"{row.key}/clip" in self._results.samples

    def _scene(self, row: Row) -> Scene:
        groups = self._results.samples.get(groups_name(row.dataset))
        if groups is None:
            raise ResultsError(f"the samples lack {groups_name(row.dataset)}; run the suite again")
        return Scene(groups, self._count_classes(row), self.dimension(row) or 0)

    def _count_classes(self, row: Row) -> int:
        known_count = self._classes.get(row.words["dataset"])
        if known_count:
            return known_count
        fields = self._results.fields(row)
        return max((int(fields[name].max()) for name in ("label", "prediction") if name in fields), default=-1) + 1

    def _grey(self, row: Row) -> dict[str, Array] | None:
        """The samples of the grey-box attacker."""
        transferred = self._partner(row, "grey")
        return None if transferred is None else grey_box(self.samples(row), transferred)

    def _partner(self, row: Row, name: str) -> dict[str, Array] | None:
        place = PROTOCOLS[row.protocol].partners(row).get(name)
        partner = None if place is None else self._rows.get(place.lookup)
        return None if partner is None or not self._has_samples(partner) else self.samples(partner)


def _fooled(samples: Sequence[Samples], transferred: Array) -> npt.NDArray[np.bool_]:
    """Whether any attack on the same clips, or any transferred example, fools each of them."""
    own = np.any([sample["fooled"] > 0 for sample in samples], axis=0)
    fooled: npt.NDArray[np.bool_] = own | np.isin(samples[0]["clip"], transferred)
    return fooled


def _add_worst(
    parts: dict[str, list[Part]], prefix: str, samples: Sequence[Samples], transferred: Array = _NONE
) -> None:
    """One classifier's share of the worst case, from the samples of all attacks on the same clips."""
    fooled = _fooled(samples, transferred)
    worst = {**samples[0], "fooled": fooled}
    found = robust_accuracy(worst) | {"fooling_rate": Part(worst["clip"], mean(fooled))}
    for name, part in found.items():
        parts.setdefault(f"{prefix}{name}", []).append(part)


def _noted(columns: Sequence[Mapping[str, Metric]], names: Collection[str]) -> dict[str, Metric]:
    """Metrics that trainings noted of themselves, which samples do not hold.

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


def _by_run(rows: Sequence[Row]) -> dict[tuple[int, int], list[Row]]:
    """The rows of one configuration by fold and seed: each of them is a classifier of its own."""
    found: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        found.setdefault((row.fold, row.seed), []).append(row)
    return found
