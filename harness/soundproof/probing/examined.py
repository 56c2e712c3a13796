"""What probes look at: a classifier, the clips that it gets right, and the attacks that were tried on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.digest import seed_from
from soundproof.victim.goal import Goal, margin
from soundproof.victim.metered import Victim

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    import numpy.typing as npt
    from torch import nn

    from soundproof.contract.components import Attack
    from soundproof.measuring.subject import Attacked
    from soundproof.probing.allowance import Allowance
    from soundproof.types import Adversary, Budget, Examples
    from soundproof.victim.ball import Ball
    from soundproof.victim.bound import Bound

    Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Tried:
    """An attack that was tried on the classifier.

    Attributes:
        name: Of its arrays: canonical JSON of its coordinate.
        attack: The attack.
        samples: What came of it; None where it broke.
        examples: `[n, ...]`, of the clips of the samples; None likewise.
    """

    name: str
    attack: Attack
    samples: Mapping[str, npt.NDArray[Any]] | None
    examples: torch.Tensor | None


@dataclass(eq=False)
class Spent:
    """What the probes cost, over all clips."""

    gradients: float = 0.0
    queries: float = 0.0


@dataclass(frozen=True, eq=False)
class Examined:
    """A classifier under examination.

    Attributes:
        attacked: The clips that it gets right.
        module: The classifier, frozen.
        adversary: How an informed attacker gets gradients through its defense, as the defense says.
        differentiable: Whether what attacks change has gradients.
        random: Whether its defense says that it is random.
        bound: Of the suite's budget.
        budget: The suite's.
        tried: The attacks of the protocol `bounded`.
        fresh: Makes the classifier anew.
        training: The inputs that it was trained on.
        allowance: What probes may spend.
        spent: What they have.
    """

    attacked: Attacked
    module: nn.Module
    adversary: Adversary
    differentiable: bool
    random: bool
    bound: Bound
    budget: Budget
    tried: Sequence[Tried]
    fresh: Callable[[], nn.Module]
    training: Callable[[], Examples]
    allowance: Allowance
    spent: Spent = field(default_factory=Spent)

    def __len__(self) -> int:
        return len(self.attacked.clips)

    @property
    def clean(self) -> torch.Tensor:
        """The clips' inputs, `[n, ...]`."""
        return self.attacked.inputs

    @property
    def labels(self) -> torch.Tensor:
        """Their classes."""
        return self.attacked.goal.labels

    def ball(self, rows: torch.Tensor) -> Ball:
        """The ball around some clips, int64 `[m]`."""
        return self.bound.ball(self.clean[rows])

    def generator(self, what: str) -> torch.Generator:
        """Randomness of a probe."""
        seed = seed_from([self.attacked.subject.seed, "probe", what])
        return torch.Generator(self.clean.device).manual_seed(seed)

    def survivors(self) -> torch.Tensor:
        """Rows of the clips that no attack of the suite fooled, controls included; int64."""
        fooled = np.zeros(len(self), np.bool_)
        for each in self.tried:
            if each.samples is not None:
                fooled |= np.isin(self.attacked.clips, each.samples["clip"][each.samples["fooled"] > 0])
        return torch.from_numpy(np.flatnonzero(~fooled)).to(self.clean.device)

    def survivors_of(self, tried: Tried, most: int | None = None) -> npt.NDArray[np.int64]:
        """Rows of the clips that one attack did not fool, `most` of them at most; none where it broke."""
        if tried.samples is None:
            return np.zeros(0, np.int64)
        resisting = tried.samples["clip"][tried.samples["fooled"] == 0]
        return np.flatnonzero(np.isin(self.attacked.clips, resisting))[:most]

    def victim(self, rows: torch.Tensor, inputs: torch.Tensor | None = None) -> Victim:
        """A metered victim of some clips, whose cost is noted by `paid`."""
        clean = self.clean[rows] if inputs is None else inputs
        return Victim(
            self.module, clean.clone(), Goal(self.labels[rows]), traced=False, rate=self.attacked.subject.rate
        )

    def paid(self, victim: Victim) -> None:
        """Note what a victim cost."""
        self.spent.gradients += float(victim.ledger.gradients.sum())
        self.spent.queries += float(victim.ledger.queries.sum())

    def margins(self, victim: Victim, images: torch.Tensor) -> torch.Tensor:
        """s(x; y) of images of a victim's clips, `[n]`."""
        with torch.no_grad():
            return margin(victim(images), victim.labels)

    def only(self, rows: torch.Tensor) -> Examined:
        """The same with some of the clips, and nothing tried."""
        inputs, goal = self.clean[rows], self.attacked.goal.select(rows)
        clips = self.attacked.clips[rows.cpu().numpy()]
        return replace(self, attacked=replace(self.attacked, inputs=inputs, goal=goal, clips=clips), tried=())
