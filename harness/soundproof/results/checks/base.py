"""The words of checks: what they look at, and what they may say."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binomtest

from soundproof.types import Access

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy.typing as npt

    from soundproof.results.files import Row

    Array = npt.NDArray[Any]

# Clips named as evidence.
NAMED = 30
# Fewer recordings that all speak for one side would do so by chance too often: 2 · 0.5⁵ > 0.05 (exact sign test).
DIFFERING = 6
# Of the exact McNemar test.
LEVEL = 0.05


class Verdict(StrEnum):
    """What came of a check."""

    PASSED = "passed"
    NOT_APPLICABLE = "not applicable"
    NOT_RUN = "not run"
    FLAGGED = "flagged"


@dataclass(frozen=True)
class Look:
    """What a check saw.

    Attributes:
        verdict: What came of it.
        said: What it looked at, or why it did not, in words.
        clips: Rows of the data set's index that are evidence.
        numbers: By what they are called.
        rows: Keys of the rows that a flag belongs to; empty: all of the classifier's.
        hint: Whether it is too little to be no accident.
    """

    verdict: Verdict
    said: str
    clips: tuple[int, ...] = ()
    numbers: Mapping[str, float | int | str] = field(default_factory=dict)
    rows: tuple[str, ...] = ()
    hint: bool = False


def passed(said: str, **numbers: float | str) -> Look:
    """Nothing found. That proves nothing; it says that this fault was looked for."""
    return Look(Verdict.PASSED, said, numbers=numbers)


def not_applicable(why: str) -> Look:
    """The question makes no sense here."""
    return Look(Verdict.NOT_APPLICABLE, why)


def not_run(why: str) -> Look:
    """The question makes sense and was not asked."""
    return Look(Verdict.NOT_RUN, why)


def flagged(said: str, clips: Iterable[int] = (), rows: Iterable[str] = (), **numbers: float | str) -> Look:
    """Something found."""
    named = tuple(sorted(int(clip) for clip in clips))
    return Look(Verdict.FLAGGED, said, named, numbers, tuple(rows))


def hinted(said: str, clips: Iterable[int] = (), rows: Iterable[str] = (), **numbers: float | str) -> Look:
    """Something found on so few clips that it may be an accident."""
    named = tuple(sorted(int(clip) for clip in clips))
    return Look(Verdict.FLAGGED, said, named, numbers, tuple(rows), hint=True)


@dataclass(frozen=True, eq=False)
class Tried:
    """One row of an attack on the classifier, with its samples.

    Attributes:
        row: The row.
        samples: Its per-clip outcomes.
        access: What the attack needs.
        minimises: Whether it has no radius.
        draws: Passes that each of its own takes, where the classifier is random and says so.
    """

    row: Row
    samples: Mapping[str, Array]
    access: Access
    minimises: bool
    draws: int = 1

    @property
    def name(self) -> str:
        """Of the attack's arrays among the probes'."""
        from soundproof.digest import canonical

        return canonical(self.row.attack)

    @property
    def id(self) -> str:
        """Of the attack."""
        assert self.row.attack is not None
        return str(self.row.attack["id"])

    @property
    def targeted(self) -> bool:
        """Whether it was after one class."""
        return "target_score" in self.samples

    @property
    def iterates(self) -> bool:
        """Whether it takes more than one gradient."""
        return bool(self.samples["gradients"].max(initial=0) > 1)

    @property
    def step_norm(self) -> str:
        """Norm of its steps, as its coordinate says."""
        return str((self.row.attack or {}).get("norm", "l2"))

    def fooled(self) -> Array:
        """Clips that it fooled."""
        return np.asarray(self.samples["clip"][self.samples["fooled"] > 0])

    def survived(self) -> Array:
        """Clips that it did not fool."""
        return np.asarray(self.samples["clip"][self.samples["fooled"] == 0])


@dataclass(frozen=True, eq=False)
class Case:
    """One classifier of one fold and seed, with everything that is known of it.

    Attributes:
        rows: All of its rows, as source or as target.
        clean: Its `clean` row's samples, if there.
        bounded: Attacks within the ball, controls included.
        reach: Attacks that climb.
        transfers: Samples of examples of others that were tried on it, by the row that holds them.
        grey: Pairs of an informed row and the samples of the same attack on the undefended classifier, shown to
        it. broken: Rows of attacks that are invalid or failed. peers: The attacks within the ball on other
        classifiers of the same inputs. probes: What probes found; None if none ran. unprobed: Why not. groups:
        Recording of every clip of the data set. defended: Whether it has a defense. adversary: How an informed
        attacker gets gradients through it. radius: Of the ball, where all clips have one (see `allowed`). norm: Of
        the ball. classes: Number of classes; 0 where unknown. dimension: Input size D.
    """

    rows: Sequence[Row]
    clean: Mapping[str, Array] | None
    bounded: Sequence[Tried]
    reach: Sequence[Tried]
    transfers: Sequence[tuple[Row, Mapping[str, Array]]]
    grey: Sequence[tuple[Tried, Mapping[str, Array]]]
    broken: Sequence[Row]
    peers: Sequence[Tried]
    probes: Mapping[str, Array] | None
    unprobed: str
    groups: Array
    defended: bool
    adversary: str
    radius: float
    norm: str
    classes: int
    dimension: int

    @property
    def informed(self) -> list[Tried]:
        """White-box attacks within the ball that want any wrong class or one."""
        return [each for each in self.bounded if each.access is Access.WHITE_BOX]

    def allowed(self, tried: Tried) -> Array:
        """Radius of the ball around each clip of an attack within it, `[n]`."""
        own = tried.samples.get("radius")
        return np.full(len(tried.samples["clip"]), self.radius) if own is None else own

    def fooled_by(self, tried: Iterable[Tried]) -> set[int]:
        """Clips that any of these attacks fooled."""
        return {int(clip) for each in tried for clip in each.fooled()}

    def attacked(self) -> Array:
        """The clips that the classifier gets right."""
        if self.probes is not None:
            return self.probes["clip"]
        return self.bounded[0].samples["clip"] if self.bounded else np.zeros(0, np.int64)

    def settled(self, clips: Iterable[int]) -> bool:
        """Whether so many recordings speak for one side that it is no accident."""
        listed = list(clips)
        return len(np.unique(self.groups[listed])) >= DIFFERING if listed else False

    def probed(self, probe: str) -> dict[str, Array] | Look:
        """The arrays of a probe by field, or why there are none."""
        if self.probes is None:
            return not_run(self.unprobed)
        why = self.probes.get(f"skipped/{probe}")
        if why is not None:
            return not_run(why.astype(np.uint8).tobytes().decode())
        return {name.partition("/")[2]: a for name, a in self.probes.items() if name.startswith(f"{probe}/")}

    def judged(self, said: str, clips: Sequence[int], rows: Iterable[str] = (), **numbers: float | str) -> Look:
        """Flagged where enough clips are evidence, hinted at where there are some, passed where there are none."""
        if not clips:
            return passed(said, **numbers)
        share = {"count": len(clips), "of": len(self.attacked()), **numbers}
        return (flagged if self.settled(clips) else hinted)(said, clips, rows, **share)


def mcnemar(only_first: int, only_second: int) -> float:
    """Probability that so many more pairs speak for the first by chance (exact, one-sided)."""
    both = only_first + only_second
    return float(binomtest(only_first, both, 0.5, "greater").pvalue) if both else 1.0


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        id: Its name; findings and explanations use it.
        number: In the list of docs/honest-evaluation.md.
        title: The question in a few words.
        source: Where the rule comes from.
        flag: What it raises (`soundproof.results.flags`).
        remedy: What to do about it.
        look: Looks.
        after: Checks that, if they are flagged, explain what this one sees: one cause, one flag.
    """

    id: str
    number: int
    title: str
    source: str
    flag: str
    remedy: str
    look: Callable[[Case], Look]
    after: tuple[str, ...] = ()
