"""A classifier under measurement, the clips of it that are attacked, and the batches they are attacked in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from soundproof.digest import seed_from
from soundproof.measuring.judge import Verdict, check_examples, judge
from soundproof.measuring.outcome import InvalidExamplesError
from soundproof.measuring.scene import Scene
from soundproof.types import Domain
from soundproof.victim.ball import l2_sizes
from soundproof.victim.bound import bound_of
from soundproof.victim.goal import Goal
from soundproof.victim.metered import Victim
from soundproof.victim.prediction import logits_of
from soundproof.victim.trace import TraceTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    from torch import nn

    from soundproof.types import Budget, Examples
    from soundproof.victim.ball import Ball
    from soundproof.victim.bound import Bound

# Clips attacked at once. Random streams depend on it, so that no machine attacks in other batches.
BATCH = 64


@dataclass(frozen=True, eq=False)
class Subject:
    """A classifier with the test clips it is measured on.

    Attributes:
        module: The frozen classifier.
        examples: The test clips' inputs and labels.
        clips: int64 `[N]`, their rows in the data set's index.
        groups: The recording of every clip of the data set.
        classes: Number of classes.
        seed: What the attack's randomness derives from, besides the batch.
        batch: Clips attacked at once.
        represent: What lies between the attacked sound and the classifier's inputs; None where attacks change
            the inputs themselves.
        rate: Sampling rate of the attacked sound, Hz; None likewise.
    """

    module: nn.Module
    examples: Examples
    clips: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    classes: int
    seed: object = None
    batch: int = BATCH
    represent: nn.Module | None = None
    rate: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of what attacks change, without the batch dimension."""
        return tuple(self.examples.inputs.shape[1:])

    def radii(self, budget: Budget) -> npt.NDArray[np.float64]:
        """Radius that a budget allows each of the clips, `[N]`."""
        radius = bound_of(budget, self.shape).limit(self.examples.inputs).radius
        found = torch.as_tensor(radius, dtype=torch.float64).expand(len(self.clips))
        return _array(found)

    @property
    def scene(self) -> Scene:
        """Data set and input, as far as metrics depend on them."""
        return Scene(self.groups, self.classes, self.examples.inputs[0].numel())


@dataclass(frozen=True, eq=False)
class Run:
    """One batch of an attack: its metered victim, its own randomness, and what its results are checked against.

    Attributes:
        victim: What the attack sees. Its clean clips and labels are copies: an attack may spoil them.
        generator: The attack's randomness.
        clean: The harness' own clean clips, `[n, ...]`.
        ball: What the attack is told; None: it has no radius.
        limit: Where examples must lie, which is a little more (`Bound.grid`).
    """

    victim: Victim
    generator: torch.Generator
    clean: torch.Tensor
    ball: Ball | None
    limit: Ball | None

    def checked(self, examples: object, ball: Ball | None) -> torch.Tensor:
        """A private copy of examples that the attack returned or the victim kept, if they are valid.

        Raises:
            InvalidExamplesError: They are not, or the attack changed the clean clips that it was given.
        """
        if not self.victim.untouched:
            raise InvalidExamplesError("the attack changed victim.clean in place: work on victim.clean.clone()")
        return check_examples(examples, self.clean, ball)


@dataclass(frozen=True, eq=False)
class Attacked:
    """The clips that an attack works on: those that the classifier gets right when clean.

    Attributes:
        subject: The classifier.
        inputs: Their clean inputs.
        goal: Labels, and random wrong classes for a targeted attack.
        clips: Their rows in the data set's index.
        clean: What the classifier makes of the clean inputs.
    """

    subject: Subject
    inputs: torch.Tensor
    goal: Goal
    clips: npt.NDArray[np.int64]
    clean: Verdict

    @property
    def clean_score(self) -> npt.NDArray[np.float32]:
        """s(x; y) of the clean inputs, all negative."""
        return _array(self.clean.score)

    @property
    def dimension(self) -> int:
        """Values of one input."""
        return self.inputs[0].numel()

    def judge(self, examples: torch.Tensor, rows: torch.Tensor | None = None) -> Verdict:
        """The harness' own look at examples of all the clips, or of some rows (int64).

        Raises:
            FloatingPointError: The classifier gives NaN or infinite logits.
        """
        clean, goal = (self.inputs, self.goal) if rows is None else (self.inputs[rows], self.goal.select(rows))
        return judge(self.subject.module, examples, clean, goal, self.subject.represent)

    def runs(self, budget: Budget, bound: Bound | None) -> list[Run]:
        """Fresh victims, a batch each.

        Args:
            budget: What they may cost.
            bound: How large examples may be to count when the budget runs out; None: the smallest count.
        """
        return [self.run(rows, budget, bound) for rows in self._batches()]

    def run(self, rows: torch.Tensor, budget: Budget | None, bound: Bound | None, *what: object) -> Run:
        """One batch of some of the clips.

        Args:
            rows: int64, which of the clips.
            budget: What the attack may cost; None is no limit.
            bound: As for `runs`.
            what: Names the attack's randomness besides the batch.
        """
        clean = self.inputs[rows]
        ball, limit = (None, None) if bound is None else (bound.ball(clean), bound.limit(clean))
        goal, rate = self.goal.select(rows), self.subject.rate
        victim = Victim(self.subject.module, clean.clone(), goal, budget, ball=limit, rate=rate)
        seed = seed_from([self.subject.seed, int(rows[0]), *what])
        return Run(victim, torch.Generator(self.inputs.device).manual_seed(seed), clean, ball, limit)

    def _batches(self) -> Iterator[torch.Tensor]:
        return iter(torch.split(torch.arange(len(self.clips), device=self.inputs.device), self.subject.batch))

    def samples(self, verdict: Verdict, runs: Sequence[Run]) -> dict[str, npt.NDArray[Any]]:
        """Per-clip outcomes as results keep them."""
        samples: dict[str, npt.NDArray[Any]] = {
            "clip": self.clips.astype(np.int32),
            "clean_score": self.clean_score,
            "score": _array(verdict.score),
            "fooled": _array(verdict.fooled).astype(np.uint8),
            "prediction": _array(verdict.prediction).astype(np.int32),
            **{name: _array(getattr(verdict, name)) for name in sizes_of(verdict)},
            "size": self.size,
            **spent(runs),
        }
        return samples | self.heard(samples["l2"]) | self.targeted(verdict)

    @property
    def size(self) -> npt.NDArray[np.float32]:
        """‖x‖₂ of the clean inputs, from the value that nothing has."""
        return _array(l2_sizes(self.inputs - Domain.of(self.subject.shape).zero))

    def heard(self, l2: npt.NDArray[np.floating[Any]]) -> dict[str, npt.NDArray[np.float32]]:
        """`snr` of perturbations of these sizes, dB, if sound is attacked; NaN for none, or of silence."""
        if self.subject.represent is None:
            return {}
        share = np.divide(self.size, l2, out=np.full(len(l2), np.nan), where=(l2 > 0) & (self.size > 0))
        return {"snr": (20 * np.log10(share)).astype(np.float32)}

    def targeted(self, verdict: Verdict) -> dict[str, npt.NDArray[Any]]:
        """Samples that only a targeted attack has."""
        if self.clean.target_score is None or verdict.target_score is None:
            return {}
        assert self.goal.targets is not None
        return {
            "target": _array(self.goal.targets).astype(np.int32),
            "clean_target_score": _array(self.clean.target_score),
            "target_score": _array(verdict.target_score),
            "met": _array(verdict.met).astype(np.uint8),
        }


def attackable(subject: Subject, *, targeted: bool) -> Attacked | None:
    """The clips to attack, or None if the classifier gets none right; `targeted` draws wrong classes to aim at."""
    examples = subject.examples
    right = logits_of(subject.module, examples.inputs).argmax(dim=1) == examples.labels
    if not right.any():
        return None
    inputs, labels = examples.inputs[right], examples.labels[right]
    targets = None
    if targeted:
        generator = torch.Generator().manual_seed(seed_from([subject.seed, "targets"]))
        shift = torch.randint(1, subject.classes, (len(labels),), generator=generator).to(labels.device)
        targets = (labels + shift) % subject.classes
    goal = Goal(labels, targets)
    # In the batches in which examples will be re-predicted: an unchanged clip then has an unchanged score.
    clean = judge(subject.module, inputs, inputs, goal, subject.represent)
    return Attacked(subject, inputs, goal, subject.clips[_array(right)], clean)


def sizes_of(verdict: Verdict) -> tuple[str, ...]:
    """Names of the sizes that a verdict has."""
    return ("l2", "linf", "l0") if verdict.input_l2 is None else ("l2", "linf", "l0", "input_l2")


def spent(runs: Sequence[Run]) -> dict[str, npt.NDArray[np.float32]]:
    """Gradients and queries of every clip."""
    return {
        name: np.concatenate([getattr(run.victim.ledger, name) for run in runs]).astype(np.float32)
        for name in ("gradients", "queries")
    }


def joined_trace(runs: Sequence[Run]) -> TraceTable:
    """The traces of all batches as one."""
    tables, start = [], 0
    for run in runs:
        table = run.victim.trace.table()
        tables.append(replace(table, clip=table.clip + start))
        start += len(run.victim)
    return concatenated(tables)


def concatenated(tables: Sequence[TraceTable]) -> TraceTable:
    """Several tables as one, in their order."""
    names = TraceTable.__dataclass_fields__
    return TraceTable(*(np.concatenate([getattr(table, name) for table in tables]) for name in names))


def _array(tensor: torch.Tensor) -> npt.NDArray[Any]:
    return tensor.cpu().numpy()
