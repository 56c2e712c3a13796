"""DeepFool: steps to the nearest linearised decision boundary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import MinimumNormAttack, Norm
from soundproof_attacks._aim import Aimed

if TYPE_CHECKING:
    import torch

    from soundproof import Victim

# The shortest step, as root mean square over the values of a clip. Ever shorter steps towards a boundary cost
# gradients and gain nothing; this one is a fraction of the overshoot.
SHORTEST = 1e-5


@dataclass(frozen=True)
class DeepFool(Aimed, MinimumNormAttack):
    """DeepFool: steps to the nearest linearised decision boundary until the class changes.

    With w_k = ∇(Z_k − Z_l) and f_k = Z_k − Z_l for each candidate class k: k* minimises |f_k|/‖w_k‖₂, and
    x ← clip(x + (1 + η)·|f_k*|/‖w_k*‖₂²·w_k*); in l∞ the dual norm ‖w‖₁ and sign(w) take their place
    (Moosavi-Dezfooli et al. 2016, Algorithm 2, §3.3). Targeted: k* is the target, and its rival is the class
    that leads. The candidates are the classes of the highest clean logits. A clip costs one gradient a
    candidate and step, and nothing once it is fooled. Memory: nine batches of images, however many classes.
    """

    id: ClassVar[str] = "deepfool"
    # arXiv 2008.11618, §VI, whose Eq. 4 is in l2; arXiv 2007.13703, §IV-C.
    presets: ClassVar = {
        "001": {"norm": "l2", "targeted": False, "steps": [100, 200, 300, 400, 500, 600]},
        "002": {"norm": ["l2", "linf"], "targeted": True, "steps": [100 * tenth for tenth in range(1, 11)]},
    }
    norm: Annotated[Norm, Field(description="norm that a step minimises")] = Norm.L2
    steps: Annotated[int, Field(ge=1, description="iterations at most")] = 100
    overshoot: Annotated[float, Field(ge=0, description="how far a step goes past the boundary, η")] = 0.02
    candidates: Annotated[int, Field(ge=2, description="classes of the highest logits, the label among them")] = 10

    @property
    def planned_gradients(self) -> int:
        """One a step and wrong candidate."""
        return self.steps * (1 if self.targeted else self.candidates - 1)

    @property
    def planned_queries(self) -> int:
        """A look at each iterate, and the pass that its gradients need."""
        return 2 * self.steps + 1

    def minimise(self, victim: Victim, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """Step the clips that still resist; a look first, so that fooled clips cost no gradient."""
        import torch

        from soundproof_attacks._search import likely_wrong, query

        images = victim.clean.clone()
        active = torch.arange(len(victim), device=images.device)
        logits = query(victim, images)
        rivals = likely_wrong(logits, victim.labels, self.candidates - 1)
        for _ in range(self.steps):
            resisting = ~victim.goal.select(active).met(logits)
            active, logits = active[resisting], logits[resisting]
            if not len(active):
                break
            view = victim.select(active)
            if view.goal.targets is None:
                step = self._step(view, images[active], rivals[active], view.labels)
            else:
                leading = likely_wrong(logits, view.goal.targets, 1)[:, 0]
                step = self._step(view, images[active], view.goal.targets[:, None], leading)
            images[active] = (images[active] + step).clamp(0.0, 1.0)
            logits = query(view, images[active])
        return images

    def _step(
        self, victim: Victim, images: torch.Tensor, candidates: torch.Tensor, reference: torch.Tensor
    ) -> torch.Tensor:
        """The shortest step over a linearised boundary between the reference class and a candidate."""
        import torch

        from soundproof import Ball, column

        images = images.detach().requires_grad_()
        with torch.enable_grad():
            logits = victim(images)
            gaps = logits.gather(1, candidates) - logits.gather(1, reference[:, None])
        nearest = torch.full((len(images),), torch.inf, device=images.device)
        slope = torch.zeros_like(images)
        dual = 2 if self.norm is Norm.L2 else 1
        for gap in gaps.unbind(dim=1):
            (gradient,) = torch.autograd.grad(gap.sum(), images, retain_graph=True)
            # A class whose gradient is zero is infinitely far.
            distance = gap.detach().abs() / gradient.flatten(1).norm(p=dual, dim=1)
            nearer = distance < nearest
            nearest = torch.where(nearer, distance, nearest)
            slope = torch.where(column(nearer, images), gradient, slope)
        shortest = SHORTEST * (victim.dimension**0.5 if self.norm is Norm.L2 else 1)
        length = torch.where(nearest.isinf(), 0.0, nearest.clamp_min(shortest) * (1 + self.overshoot))
        return Ball(self.norm, length).ascent(slope)
