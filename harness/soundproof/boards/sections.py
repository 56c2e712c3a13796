"""Sections of single classifiers: where they fail, class by class and clip by clip."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.boards.curves import fallen, over_gradients, over_size, worst
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from soundproof.boards.curves import Curve, Fallen
    from soundproof.boards.names import Called, Name, Names
    from soundproof.results.combine import Combination
    from soundproof.results.files import Results, Row

    Array = npt.NDArray[Any]

CLIPS = 5  # named as the hardest, and as the easiest


@dataclass(frozen=True)
class Confusion:
    """Classes given to the test clips of each class, summed over folds and seeds.

    Attributes:
        cells: True class, given class and number of clips, of all pairs that occur.
        attack: Under which attack; None for clean clips.
    """

    cells: tuple[tuple[int, int, int], ...]
    attack: Called | None = None


@dataclass(frozen=True)
class Section:
    """Everything of one classifier that no table holds.

    Attributes:
        name: Which.
        sizes: Security curves over ‖ε‖₂, the worst case first.
        costs: Budget curves over gradients.
        classes: Of each class its test clips, those right when clean and, where there were attacks, those that
            survive all of them and all examples made against other classifiers.
        confusions: Clean, and under the attack that fools most.
        hardest: Clips by name that need the most, with their size; None where the searches found none.
        easiest: Those that need the least.
    """

    name: Name
    sizes: tuple[Curve, ...] = ()
    costs: tuple[Curve, ...] = ()
    classes: tuple[tuple[int, ...], ...] = ()
    confusions: tuple[Confusion, ...] = ()
    hardest: tuple[tuple[str, float | None], ...] = ()
    easiest: tuple[tuple[str, float | None], ...] = ()


def sections(
    results: Results, rows: Sequence[Row], names: Names, controls: frozenset[str], combination: Combination
) -> tuple[Section, ...]:
    """One for each classifier that has a score, in the order of the rows.

    Args:
        results: The folder.
        rows: Its rows, sound and sorted.
        names: Of its components.
        controls: Ids of attacks that are none.
        combination: Of the folder's rows.
    """
    found: dict[Name, list[Row]] = {}
    for row in rows:
        if row.status is Status.OK and row.protocol in ("clean", "bounded", "reach"):
            found.setdefault(names.classifier(row), []).append(row)
    return tuple(
        _Classifier(results, name, each, names, controls, combination).section() for name, each in found.items()
    )


class _Classifier:
    """The rows of one classifier, by protocol and attack."""

    def __init__(
        self,
        results: Results,
        name: Name,
        rows: Sequence[Row],
        names: Names,
        controls: frozenset[str],
        combination: Combination,
    ) -> None:
        self._results, self._name = results, name
        self._controls = {names.attack(row) for row in rows if row.attack and row.attack["id"] in controls}
        self._clean = {(row.fold, row.seed): results.fields(row) for row in rows if row.protocol == "clean"}
        self._bounded = self._by_attack(rows, "bounded", names)
        self._reach = self._by_attack(rows, "reach", names)
        attacks = [row for row in rows if row.protocol == "bounded" and names.attack(row) not in self._controls]
        self._survived = combination.survived(attacks)
        self._dataset = rows[0].dataset

    def _by_attack(
        self, rows: Sequence[Row], protocol: str, names: Names
    ) -> dict[Called, dict[tuple[int, int], Mapping[str, Array]]]:
        found: dict[Called, dict[tuple[int, int], Mapping[str, Array]]] = {}
        for row in rows:
            if row.protocol == protocol:
                found.setdefault(names.attack(row), {})[row.fold, row.seed] = self._results.fields(row)
        return found

    def section(self) -> Section:
        hardest, easiest = self._clips()
        return Section(
            name=self._name,
            sizes=tuple(self._sizes()),
            costs=tuple(self._costs()),
            classes=self._classes(),
            confusions=tuple(self._confusions()),
            hardest=hardest,
            easiest=easiest,
        )

    def _falls(self) -> dict[Called, dict[tuple[int, int], Fallen]]:
        """Sizes by attack, fold and seed, without attacks that lack some of them."""
        found = {}
        for attack, runs in self._reach.items():
            known = {run: fallen(samples) for run, samples in runs.items()}
            whole = {run: each for run, each in known.items() if each is not None}
            if len(whole) == len(runs):
                found[attack] = whole
        return found

    def _worst(self) -> dict[tuple[int, int], Fallen]:
        """The smallest size over attacks by fold and seed, where all attacks ran."""
        real = [runs for attack, runs in self._falls().items() if attack not in self._controls]
        every = set().union(*real)
        whole = sorted(run for run in every if all(run in each for each in real))
        return {run: worst([runs[run] for runs in real]) for run in whole}

    def _sizes(self) -> list[Curve]:
        falls = self._falls()
        together = [over_size(self._name, None, list(self._worst().values()))] if len(falls) > 1 else []
        single = [over_size(self._name, attack, list(runs.values())) for attack, runs in falls.items()]
        return [curve for curve in (*together, *single) if curve is not None]

    def _costs(self) -> list[Curve]:
        found = [over_gradients(self._name, attack, list(runs.values())) for attack, runs in self._bounded.items()]
        return [curve for curve in found if curve is not None and max(curve.along) > 0]

    def _classes(self) -> tuple[tuple[int, ...], ...]:
        counts = np.zeros((self._count(), 3), np.int64)
        for run, clean in self._clean.items():
            right = clean["label"] == clean["prediction"]
            np.add.at(counts[:, 0], clean["label"], 1)
            np.add.at(counts[:, 1], clean["label"][right], 1)
            if run in self._survived:
                clips, survived = self._survived[run]
                np.add.at(counts[:, 2], clean["label"][np.isin(clean["clip"], clips[survived])], 1)
        return tuple(map(tuple, (counts if self._survived else counts[:, :2]).tolist()))

    def _confusions(self) -> list[Confusion]:
        if not self._clean:
            return []
        found = [Confusion(self._counts({run: each["prediction"] for run, each in self._clean.items()}))]
        told = {
            attack: runs
            for attack, runs in self._bounded.items()
            if attack not in self._controls and all("prediction" in each for each in runs.values())
        }
        if told:
            strongest = max(
                told, key=lambda attack: np.mean([each["fooled"].mean() for each in told[attack].values()])
            )
            given = {run: self._attacked(run, each) for run, each in told[strongest].items() if run in self._clean}
            found.append(Confusion(self._counts(given), strongest))
        return found

    def _attacked(self, run: tuple[int, int], samples: Mapping[str, Array]) -> Array:
        """Predictions of all test clips: those of the examples where there are some."""
        clean = self._clean[run]
        given: Array = clean["prediction"].copy()
        given[np.searchsorted(clean["clip"], samples["clip"])] = samples["prediction"]
        return given

    def _counts(self, predictions: Mapping[tuple[int, int], Array]) -> tuple[tuple[int, int, int], ...]:
        found: Counter[tuple[int, int]] = Counter()
        for run, given in predictions.items():
            found.update(zip(self._clean[run]["label"].tolist(), given.tolist(), strict=True))
        return tuple((true, given, count) for (true, given), count in sorted(found.items()))

    def _count(self) -> int:
        """Classes, as many as any clip has or is given."""
        highest = [
            int(np.max(each[name], initial=-1))
            for each in (*self._clean.values(), *(run for runs in self._bounded.values() for run in runs.values()))
            for name in ("label", "prediction")
            if name in each
        ]
        return max(highest, default=-1) + 1

    def _clips(self) -> tuple[tuple[tuple[str, float | None], ...], tuple[tuple[str, float | None], ...]]:
        """The hardest and the easiest clips, by the mean over folds and seeds of what the worst attack needs."""
        needed: dict[int, list[float]] = {}
        for run, each in self._worst().items():
            first = next(iter(self._reach.values()))
            for clip, size in zip(first[run]["clip"].tolist(), each.size.tolist(), strict=True):
                needed.setdefault(clip, []).append(size)
        ranked = sorted((float(np.mean(sizes)), clip) for clip, sizes in needed.items())
        if len(ranked) < 2 * CLIPS:
            return (), ()
        names = self._results.names(self._dataset)

        def named(size: float, clip: int) -> tuple[str, float | None]:
            called = names[clip] if clip < len(names) else f"clip {clip}"
            return called, size if np.isfinite(size) else None

        hardest = tuple(named(*each) for each in ranked[: -CLIPS - 1 : -1])
        return hardest, tuple(named(*each) for each in ranked[:CLIPS])
