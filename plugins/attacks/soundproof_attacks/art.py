"""Any evasion attack of the Adversarial Robustness Toolbox (ART) as a component."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import BoundedAttack, MinimumNormAttack
from soundproof_attacks._aim import Aimed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from soundproof import Ball, Victim

Option = bool | int | float | str | list[bool | int | float | str]


@dataclass(frozen=True)
class _Art(Aimed):
    """Base of both adapters: a class name, its options, and what it may cost."""

    attack: Annotated[str, Field(description="name of the class in art.attacks.evasion")]
    options: Annotated[dict[str, Option], Field(description="its parameters, by ART's names")] = field(
        default_factory=dict, hash=False
    )
    gradients: Annotated[int, Field(ge=0, description="backward rows a clip at most; more is an error")] = 1000
    queries: Annotated[int, Field(ge=1, description="forward rows a clip at most; more is an error")] = 2000

    def __post_init__(self) -> None:
        from soundproof_attacks._toolbox import problems

        bounded = isinstance(self, BoundedAttack)
        found = problems(self.attack, self.options, targeted=self.targeted, bounded=bounded)
        if found:
            raise ValueError("; ".join(found))

    @property
    def planned_gradients(self) -> int:
        """As declared: ART does not say."""
        return self.gradients

    @property
    def planned_queries(self) -> int:
        """As declared: ART does not say."""
        return self.queries

    def _generate(self, victim: Victim, extra: Mapping[str, object], generator: torch.Generator) -> torch.Tensor:
        """Examples that ART returns, `[n, ...]`; options win over the extra parameters."""
        from soundproof import Budget
        from soundproof_attacks._toolbox import generate

        options = {"targeted": self.targeted, **extra, **self.options}
        limits = Budget(max_gradients=self.gradients, max_queries=self.queries)
        return generate(self.attack, options, victim, limits, generator)


@dataclass(frozen=True)
class Art(_Art, BoundedAttack):
    """Any ART evasion attack that takes a radius `eps`.

    `eps` is the ball's radius, `norm` the ball's norm unless the options name another; an attack without a
    `norm` works in l∞, inside of the ball. `eps_step` is a quarter of the radius unless given. The result is
    projected onto the ball, whatever ART returns. ART gets labels, or targets if `targeted`, as it expects
    them (Nicolae et al. 2018).
    """

    id: ClassVar[str] = "art"
    trial: ClassVar = {"options": {"max_iter": 4, "num_random_init": 1}}
    attack: Annotated[str, Field(description="name of the class in art.attacks.evasion")] = (
        "ProjectedGradientDescent"
    )

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:
        """Let ART attack within the ball."""
        from soundproof_attacks._toolbox import ball_parameters

        parameters = ball_parameters(self.attack, self.options.get("norm"), ball, victim.dimension)
        if parameters["eps"] == 0:
            return victim.clean.clone()  # which ART refuses to do
        return ball.project(self._generate(victim, parameters, generator), victim.clean)


@dataclass(frozen=True)
class ArtMinimumNorm(_Art, MinimumNormAttack):
    """Any ART evasion attack that has no radius and looks for a small perturbation.

    The result is clipped to the box. SaliencyMapMethod, whose `y` is the target, is given the target, or the
    most likely wrong class where any will do (Nicolae et al. 2018).
    """

    id: ClassVar[str] = "art-minimum-norm"
    trial: ClassVar = {"options": {"max_iter": 4}}
    attack: Annotated[str, Field(description="name of the class in art.attacks.evasion")] = "DeepFool"

    def minimise(self, victim: Victim, generator: torch.Generator) -> torch.Tensor:
        """Let ART attack."""
        return self._generate(victim, {}, generator).clamp(0.0, 1.0)
