"""The Jacobian-based saliency map attack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from soundproof import MinimumNormAttack
from soundproof_attacks._aim import AimedByDefault, Confident

if TYPE_CHECKING:
    import torch

    from soundproof import Victim

# How often one value may change: the limit of Foolbox, which both papers used.
CHANGES = 7
# Both papers print the map of a class's output against the sum of the others, take its highest entry, and stop
# after 1000 iterations at the latest (arXiv 2008.11618, §VI; the formula of arXiv 2007.13703, §IV-C, gives 2 on a
# picture of 128×128). Their scaling factors are read as changes of so many grey levels of 255.
_PAPERS = {"steps": 1000, "values": 1, "saliency": "logits", "targeted": True}


@dataclass(frozen=True)
class Jsma(AimedByDefault, Confident, MinimumNormAttack):
    """Saliency-map attack: changes the values that help the target most, again and again.

    With a = ∂F_l'/∂x and b = ∂Σ_{j≠l'} F_j/∂x, the increase map is S⁺ = a·|b| where a ≥ 0 and b ≤ 0, else 0,
    the decrease map S⁻ = |a|·b where a ≤ 0 and b ≥ 0 (Papernot et al. 2016, Eqs. 8 and 9; arXiv 2007.13703,
    §II-D, Eq. 8). Each step adds ±θ to the values of the highest map entries. A value at the edge of the box, or
    changed 7 times, is left alone; a clip stops at success or when its map is empty. Untargeted, it heads for
    the most likely wrong class and is content with any. F are the probabilities, which add up to one, so that
    b = −a and one gradient gives the map; the pair that Papernot et al. look for is then its two highest
    entries. On logits b takes a second gradient. Memory: ten batches of images, however many classes.
    """

    id: ClassVar[str] = "jsma"
    trial: ClassVar = {"steps": 12}
    presets: ClassVar = {
        "001": {**_PAPERS, "theta": [levels / 255 for levels in (50, 100, 150, 200, 250)]},
        "002": {**_PAPERS, "theta": [levels / 255 for levels in (40, 80, 120, 160, 200)]},
    }
    steps: Annotated[int, Field(ge=1, description="steps at most")] = 1000
    theta: Annotated[float, Field(gt=0, le=1, description="size of one change θ, in units of the input")] = 0.1
    values: Annotated[int, Field(ge=1, description="values changed a step")] = 2
    direction: Annotated[Literal["increase", "decrease"], Field(description="which map, and the sign of θ")] = (
        "increase"
    )
    saliency: Annotated[
        Literal["probabilities", "logits", "fast"],
        Field(description="what F is: probabilities; logits, two gradients a step; logits, and b taken as −1"),
    ] = "probabilities"
    gamma: Annotated[float, Field(gt=0, le=1, description="share of the values that may be touched")] = 1.0

    @property
    def planned_gradients(self) -> int:
        """One a step, two of logits."""
        return self.steps * (2 if self.saliency == "logits" else 1)

    @property
    def planned_queries(self) -> int:
        """One a step, one for the last iterate, and one that finds the most likely wrong class."""
        return self.steps + 2

    def minimise(self, victim: Victim, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """Change the values of every clip that still resists."""
        import torch

        from soundproof_attacks._search import aim, query

        targets = aim(victim)
        images = victim.clean.clone(memory_format=torch.contiguous_format)
        flat = images.flatten(1)  # a view: what is written here is written to the images
        changes = torch.zeros_like(flat, dtype=torch.uint8)
        active, view = torch.arange(len(victim), device=images.device), victim
        theta = self.theta if self.direction == "increase" else -self.theta
        for _ in range(self.steps):
            logits, saliency = self._map(view, images[active], targets[active])
            saliency *= self._domain(flat[active], changes[active])
            highest, places = saliency.topk(min(self.values, saliency.shape[1]), dim=1)
            going = ~self.succeeded(view.goal, logits) & (highest[:, 0] > 0)
            if not going.all():
                active, view = active[going], view.select(going)
                highest, places = highest[going], places[going]
                if not len(active):
                    break
            rows, helps = active[:, None], highest > 0
            flat[rows, places] = (flat[rows, places] + theta * helps).clamp(0.0, 1.0)
            changes[rows, places] += helps.to(changes.dtype)
        else:
            query(view, images[active])
        return images

    def _map(
        self, victim: Victim, images: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits `[n, K]` and the map `[n, D]`, from the rows of the Jacobian that matter: the others add up."""
        import torch

        images = images.detach().requires_grad_()
        with torch.enable_grad():
            logits = victim(images)
            # A probability's slope is that of its logarithm times a positive number: the order is the same.
            outputs = logits.log_softmax(dim=1) if self.saliency == "probabilities" else logits
            own = outputs.gather(1, targets[:, None]).sum()
            others = logits.sum() - own
        sign = 1 if self.direction == "increase" else -1
        (helped,) = torch.autograd.grad(own, images, retain_graph=self.saliency == "logits")
        saliency = (sign * helped).clamp_min(0.0)
        if self.saliency == "logits":
            (hurt,) = torch.autograd.grad(others, images)
            saliency *= (-sign * hurt).clamp_min(0.0)
        return logits.detach(), saliency.flatten(1)

    def _domain(self, values: torch.Tensor, changes: torch.Tensor) -> torch.Tensor:
        """Mask of the values that may still change, bool `[n, D]`."""
        inside = values < 1 if self.direction == "increase" else values > 0
        allowed = inside & (changes < CHANGES)
        touched = changes > 0
        spent = touched.sum(dim=1) >= self.gamma * values.shape[1]
        return allowed & (touched | ~spent[:, None])
