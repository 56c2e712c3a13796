"""The Jacobian-based saliency map attack, one value at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from soundproof import MinimumNormAttack

if TYPE_CHECKING:
    import torch

    from soundproof import Victim

# How often one value may change: the limit of Foolbox, which both papers used.
CHANGES = 7


@dataclass(frozen=True)
class Jsma(MinimumNormAttack):
    """Saliency-map attack: changes the value that helps the target most, again and again.

    With a = ∂Z_l'/∂x and b = ∂Σ_{j≠l'} Z_j/∂x, the increase map is S⁺ = a·|b| where a ≥ 0 and b ≤ 0, else 0,
    the decrease map S⁻ = |a|·b where a ≤ 0 and b ≥ 0 (Papernot et al. 2016, Eqs. 8 and 9; arXiv 2007.13703,
    §II-D, Eq. 8). Each step adds ±θ to the value of the highest map entry. A value at the edge of the box, or
    changed 7 times, is left alone; a clip stops at success or when its map is empty. Untargeted, it heads for
    the most likely wrong class and is content with any. Memory: ten batches of images, however many classes.
    """

    id: ClassVar[str] = "jsma"
    steps: Annotated[int, Field(ge=1, description="values changed at most, repetitions included")] = 1000
    theta: Annotated[float, Field(gt=0, le=1, description="size of one change θ, in units of the input")] = 0.1
    direction: Annotated[Literal["increase", "decrease"], Field(description="which map, and the sign of θ")] = (
        "increase"
    )
    fast: Annotated[bool, Field(description="take b as −1 everywhere: one gradient a step, not two")] = False
    gamma: Annotated[float, Field(gt=0, le=1, description="share of the values that may be touched")] = 1.0
    targeted: Annotated[bool, Field(description="aim at a random wrong class")] = True

    @property
    def is_targeted(self) -> bool:
        """As the parameter says."""
        return self.targeted

    @property
    def planned_gradients(self) -> int:
        """Two a step (`fast`: one)."""
        return self.steps * (1 if self.fast else 2)

    @property
    def planned_queries(self) -> int:
        """One a step, one for the last iterate, and one that finds the most likely wrong class."""
        return self.steps + 2

    def minimise(self, victim: Victim, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """Change one value of every clip that still resists."""
        import torch

        from soundproof_attacks._search import aim, query

        targets = aim(victim)
        images = victim.clean.clone(memory_format=torch.contiguous_format)
        flat = images.flatten(1)  # a view: what is written here is written to the images
        changes = torch.zeros_like(flat, dtype=torch.uint8)
        active = torch.arange(len(victim), device=images.device)
        theta = self.theta if self.direction == "increase" else -self.theta
        for _ in range(self.steps):
            view = victim.select(active)
            logits, saliency = self._saliency(view, images[active], targets[active])
            saliency *= self._domain(flat[active], changes[active])
            highest, place = saliency.max(dim=1)
            going = ~view.goal.met(logits) & (highest > 0)
            active, place = active[going], place[going]
            if not len(active):
                break
            flat[active, place] = (flat[active, place] + theta).clamp(0.0, 1.0)
            changes[active, place] += 1
        else:
            query(victim.select(active), images[active])
        return images

    def _saliency(
        self, victim: Victim, images: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits `[n, K]` and the map `[n, D]`, from two rows of the Jacobian: all its other rows only add up."""
        import torch

        images = images.detach().requires_grad_()
        with torch.enable_grad():
            logits = victim(images)
            own = logits.gather(1, targets[:, None]).sum()
            others = logits.sum() - own
        sign = 1 if self.direction == "increase" else -1
        (helped,) = torch.autograd.grad(own, images, retain_graph=not self.fast)
        saliency = (sign * helped).clamp_min(0.0)
        if not self.fast:
            (hurt,) = torch.autograd.grad(others, images)
            saliency *= (-sign * hurt).clamp_min(0.0)
        return logits.detach(), saliency.flatten(1)

    def _domain(self, values: torch.Tensor, changes: torch.Tensor) -> torch.Tensor:
        """Which values may still change, bool `[n, D]`."""
        inside = values < 1 if self.direction == "increase" else values > 0
        allowed = inside & (changes < CHANGES)
        touched = changes > 0
        spent = touched.sum(dim=1) >= self.gamma * values.shape[1]
        return allowed & (touched | ~spent[:, None])
