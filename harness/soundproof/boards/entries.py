"""The rows of the boards: what `collect` makes of a results folder and every page is drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from soundproof.boards.examinations import Examination
    from soundproof.boards.listening import Recorded
    from soundproof.boards.names import Called, Name
    from soundproof.boards.sections import Section
    from soundproof.boards.shots import Shot
    from soundproof.boards.sweeps import Sweep
    from soundproof.measuring.metrics.intervals import Metric
    from soundproof.measuring.place import Coordinate
    from soundproof.types import Status


@dataclass(frozen=True)
class Coverage:
    """Coverage of an average: how many cells it is made of.

    Attributes:
        done: Cells with a score.
        planned: Cells that the suite asked for.
        folds: Distinct folds among those done.
        seeds: Distinct seeds among those done.
    """

    done: int
    planned: int
    folds: int
    seeds: int


@dataclass(frozen=True)
class Rank:
    """A place in a ranking.

    Attributes:
        place: Where it stands; equal ones share the first place of theirs.
        low: The best place that it may hold, as far as the clips settle it.
        high: The worst.
        ahead: By how much it leads the next in the ranking's number; 0 for the last.
        p: The p-value of that, corrected for all pairs of the ranking (docs/metrics.md §9).
        detectable: How far two of the ranking must be apart to be told apart four times in five, in [0, 1]; None
            where it stands alone.
    """

    place: int
    low: int
    high: int
    ahead: float = 0.0
    p: float = 1.0
    detectable: float | None = None

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"


@dataclass(frozen=True)
class Entry:
    """Base of all board rows.

    Attributes:
        name: Whose number it is; for transfers, the source.
        metrics: By name, averaged over folds and seeds; a metric that nothing measured is absent.
        flags: Warnings to show beside the numbers, sorted.
        coverage: The cells behind the averages.
    """

    name: Name
    metrics: Mapping[str, Metric]
    flags: tuple[str, ...]
    coverage: Coverage


@dataclass(frozen=True)
class Recognition(Entry):
    """A row of the accuracy board; `rank` is None for a row that a flag unranks."""

    rank: Rank | None = None


@dataclass(frozen=True)
class Bounded(Entry):
    """One attack within the budget; a control is none, and enters nothing that takes attacks together."""

    attack: Called
    dimension: int | None
    control: bool = False


@dataclass(frozen=True)
class Robustness(Entry):
    """A row of the robustness board: one classifier against all attacks, per clip the worst of them.

    `metrics` holds `accuracy` (clean), `robust_accuracy` and `fooling_rate` of the worst case, `mean_fooling_auc`
    and `reach_l2` over the attacks; of a defended classifier also `grey_robust_accuracy`, `grey_fooling_rate` and
    `mean_grey_fooling_auc`, those of the grey-box attacker. Controls enter none of them.
    """

    dimension: int | None
    attacks: tuple[Bounded, ...] = ()
    rank: Rank | None = None

    @property
    def faced(self) -> frozenset[Called]:
        """The attacks of its worst case."""
        return frozenset(each.attack for each in self.attacks if not each.control)


@dataclass(frozen=True)
class Cost(Entry):
    """One attack that spends until it succeeds; `metrics` averages the cells that reached.

    Attributes:
        attack: Its name; None for the mean over attacks.
        dimension: Input size D, where it is known.
        reached: Cells that reached the target.
        reasons: Why the others did not, where they say so.
        control: Whether it is no attack.
        over: Of a mean, how many attacks reached and how many there are.
    """

    attack: Called | None
    dimension: int | None
    reached: int
    reasons: tuple[str, ...] = ()
    control: bool = False
    over: tuple[int, int] = (0, 0)

    @property
    def share_reached(self) -> float:
        """Of its cells."""
        return self.reached / self.coverage.done


@dataclass(frozen=True)
class Transfer(Entry):
    """Examples that fool the source, shown to the target; `attack` is None for the mean over attacks."""

    target: Name
    attack: Called | None


@dataclass(frozen=True)
class Sounding(Entry):
    """An attack on one classifier as sound, played through a channel or not.

    Attributes:
        attack: None for clips that nobody attacks.
        channel: None for sounds that were not played.
    """

    attack: Called | None
    channel: Called | None


@dataclass(frozen=True)
class Unscored:
    """A cell without a score."""

    status: Status
    protocol: str
    name: Name
    attack: Called | None
    target: Name | None
    fold: int
    seed: int
    reason: str
    flags: tuple[str, ...]
    channel: Called | None = None


@dataclass(frozen=True)
class Curve:
    """One training.

    Attributes:
        fold: Of the split.
        seed: Of the training.
        loss: Mean training loss, one an epoch.
        score: On the validation part, one an epoch.
        failure: Why it did not finish; empty if it did.
    """

    fold: int
    seed: int
    loss: tuple[float, ...]
    score: tuple[float, ...]
    failure: str = ""


@dataclass(frozen=True)
class Training:
    """The trainings of a model over folds and seeds, or what a defense trained on top of it.

    Attributes:
        name: What came of it; the undefended one for the model itself.
        curves: By fold and seed.
    """

    name: Name
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class Boards:
    """Everything the pages show, apart from the run's provenance.

    Attributes:
        accuracy: By data set, best first.
        robustness: By data set, best first.
        cost: By data set: the means over attacks, then by attack, the classifier that costs most first.
        transfers: By coordinates, each pair's mean over attacks before its attacks where there are several.
        unscored: By coordinates.
        trainings: By coordinates, a model before its defenses.
        cells: How many cells ended in each status.
        averaged: The attacks that means are over.
        means: What it costs each classifier's attacks on average, also where the cost board does not show it.
        sections: What no table holds of each classifier.
        components: The coordinates behind the names, by kind.
        sweeps: Parameters that vary, with the rows along them.
        shots: Pictures of what attacks do.
        recorded: Clips to listen to.
        sounds: By coordinates: attacks as sound, then unattacked clips and attacks through each channel.
        examinations: What checks say of each classifier.
    """

    accuracy: tuple[Recognition, ...]
    robustness: tuple[Robustness, ...]
    cost: tuple[Cost, ...]
    transfers: tuple[Transfer, ...]
    unscored: tuple[Unscored, ...]
    trainings: tuple[Training, ...]
    cells: Mapping[Status, int]
    averaged: tuple[Called, ...] = ()
    means: tuple[Cost, ...] = ()
    sections: tuple[Section, ...] = ()
    components: Mapping[str, Mapping[Called, Coordinate]] = field(default_factory=dict)
    sweeps: tuple[Sweep, ...] = ()
    shots: tuple[Shot, ...] = ()
    sounds: tuple[Sounding, ...] = ()
    recorded: tuple[Recorded, ...] = ()
    examinations: Mapping[Name, Sequence[Examination]] = field(default_factory=dict)

    @property
    def sounded(self) -> bool:
        """Whether anything was turned into sound or played, or was to be."""
        return bool(self.sounds) or any(cell.protocol in ("realised", "channels") for cell in self.unscored)

    def entries(self) -> tuple[Entry, ...]:
        """The rows of all boards."""
        return tuple(entry for board in self._rows().values() for entry in board)

    def measured(self, board: str) -> frozenset[str]:
        """Names of the metrics that a row of a board has."""
        return frozenset(name for entry in self._rows()[board] for name in entry.metrics)

    @cached_property
    def flags(self) -> tuple[str, ...]:
        """All that a reader meets, sorted."""
        scored = {flag for entry in self.entries() for flag in entry.flags}
        return tuple(sorted(scored | {flag for cell in self.unscored for flag in cell.flags}))

    @property
    def grey_box(self) -> bool:
        """Whether anything was tried by the grey-box attacker."""
        return any(name.startswith("grey_") for name in self.measured("robustness"))

    def _rows(self) -> dict[str, Sequence[Entry]]:
        attacks = (attack for entry in self.robustness for attack in entry.attacks)
        return {
            "accuracy": self.accuracy,
            "robustness": (*self.robustness, *attacks),
            "cost": self.cost,
            "transferability": self.transfers,
            "sound": self.sounds,
        }
