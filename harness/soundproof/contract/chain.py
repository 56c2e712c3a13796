"""Chains: several defenses of one classifier, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from soundproof.contract.components import Component, Defense
from soundproof.types import Adversary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from torch import nn

    from soundproof.contract.components import Model
    from soundproof.training.trainer import Trainer
    from soundproof.types import Budget, TrainingData

CHAIN = "chain"


def links_of(component: Component) -> tuple[Component, ...]:
    """The defenses of a chain; any other component alone."""
    return component.links if isinstance(component, Chain) else (component,)


@dataclass(frozen=True)
class Chain(Defense):
    """Several defenses, each fitted to what the one before it made.

    A list of defenses in a suite; no plugin brings one. What a link puts in front of the classifier stands in
    front of what earlier links put there, so that an input meets the last link first.

    Attributes:
        links: At least two, in the order in which they are fitted.
    """

    id: ClassVar[str] = CHAIN
    version: ClassVar[str] = "1"
    links: tuple[Defense, ...]

    @property
    def last(self) -> Defense:
        """The link that is fitted last."""
        return self.links[-1]

    @property
    def before(self) -> Defense:
        """What the last link is fitted to."""
        return self.links[0] if len(self.links) == 2 else replace(self, links=self.links[:-1])

    @property
    def adversary(self) -> Adversary:  # type: ignore[override]
        """What an attacker needs against any of them, needed against all."""
        found = {link.adversary for link in self.links}
        approximates = bool(found & {Adversary.BPDA, Adversary.BPDA_EOT})
        averages = bool(found & {Adversary.EOT, Adversary.BPDA_EOT})
        if approximates and averages:
            return Adversary.BPDA_EOT
        return Adversary.BPDA if approximates else Adversary.EOT if averages else Adversary.EXACT

    @property
    def draws(self) -> int:
        """Those of the random links together.

        Every pass draws all of their randomness. With V₁ + V₂ for its variance, the mean of n₁ + n₂ passes is no
        noisier than the noisier of the links alone: (V₁ + V₂) / (n₁ + n₂) ≤ max(V₁/n₁, V₂/n₂).
        """
        return sum(link.draws for link in self.links if link.draws > 1) or 1

    @property
    def smoothing(self) -> float | None:
        """That of the link whose noise meets the input itself, if nothing else in the chain is random.

        Behind a link that changes the input, a vote certifies a ball around the changed input: that proves none.
        """
        for link in reversed(self.links):
            if link.smoothing is not None and sum(each.draws > 1 for each in self.links) == 1:
                return link.smoothing
            if type(link).wrap is not Defense.wrap:
                return None
        return None

    @property
    def training_cost(self) -> float:  # type: ignore[override]
        """Of the last link: the others are trained for their own sake, and counted there."""
        return self.last.training_cost

    def under(self, budget: Budget) -> Self:
        """Every link under the budget."""
        return replace(self, links=tuple(link.under(budget) for link in self.links))

    def reason_to_skip(self, model: Model, data_shape: tuple[int, ...], classes: int) -> str | None:
        """The reasons of all links; each is asked of the model as it stands behind the links before it."""
        reasons: list[str] = []
        behind: list[Defense] = []
        for link in self.links:
            reason = link.reason_to_skip(_behind(model, behind), data_shape, classes)
            if reason is None and behind and link.from_scratch:
                names = " and ".join(each.id for each in behind)
                reason = (
                    f"{link.id} starts from new weights and would undo {names}: put it first, or let it train on"
                )
            if reason is None:
                behind.append(link)
            else:
                reasons.append(reason)
        return "; ".join(reasons) or None

    def wrap(self, classifier: nn.Module, data_shape: tuple[int, ...], classes: int) -> nn.Module:
        """What the links make of it, one after the other."""
        return _wrapped(self.links, classifier, data_shape, classes)

    def fit(self, defended: nn.Module, data: TrainingData, trainer: Trainer) -> None:
        """Train the last link; `defended` holds the weights that the others have left."""
        self.last.fit(defended, data, trainer)


def _wrapped(
    links: Sequence[Defense], classifier: nn.Module, data_shape: tuple[int, ...], classes: int
) -> nn.Module:
    for link in links:
        classifier = link.wrap(classifier, data_shape, classes)
    return classifier


def _behind(model: Model, links: Sequence[Defense]) -> Model:
    """A model whose networks stand behind some defenses, and which is the same in all else."""
    if not links:
        return model
    before = tuple(links)

    class Behind(type(model)):  # type: ignore[misc]
        def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
            return _wrapped(before, super().build(shape, classes), shape, classes)

    parameters: dict[str, Any] = model.parameters()
    behind: Model = Behind(**parameters)
    return behind
