"""The harness' own look at what an attack returned. Nothing an attack says of itself is believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from soundproof.measuring.outcome import InvalidExamplesError
from soundproof.victim.ball import Ball, l2_sizes
from soundproof.victim.goal import Goal, margin, target_margin
from soundproof.victim.prediction import logits_of, outputs_of

if TYPE_CHECKING:
    from torch import nn

TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Verdict:
    """Verdict of a classifier on examples; all fields are `[N]`.

    Attributes:
        score: s(x'; y), positive when fooled.
        prediction: int64, the class they are given.
        fooled: Whether they are misclassified, into whatever class.
        met: Whether the attack's goal is met; the same for an untargeted attack.
        target_score: t(x'; l') of a targeted attack.
        l2: ‖x' − x‖₂.
        linf: ‖x' − x‖∞.
        l0: Share of values that changed, in [0, 1].
        input_l2: ‖r(x') − r(x)‖₂ of what the classifier sees, where attacks change the sound before it.
    """

    score: torch.Tensor
    prediction: torch.Tensor
    fooled: torch.Tensor
    met: torch.Tensor
    target_score: torch.Tensor | None
    l2: torch.Tensor
    linf: torch.Tensor
    l0: torch.Tensor
    input_l2: torch.Tensor | None = None


def check_examples(examples: object, clean: torch.Tensor, ball: Ball | None) -> torch.Tensor:
    """A private, plain copy of examples, if they are valid.

    Norms are recomputed in double precision. The tolerance is 1e-6, relative for radii above 1.

    Args:
        examples: What the attack returned.
        clean: The clean images, `[N, ...]`.
        ball: Where they must lie, besides the box [0, 1]; None for attacks without a radius.

    Raises:
        InvalidExamplesError: Wrong type, shape or number type, NaN, out of the box or out of the ball.
    """
    if not isinstance(examples, torch.Tensor):
        raise InvalidExamplesError(f"the attack returned {type(examples).__name__}, not a tensor")
    if examples.shape != clean.shape:
        raise InvalidExamplesError(
            f"the attack returned the shape {tuple(examples.shape)} for inputs {tuple(clean.shape)}"
        )
    if examples.dtype != clean.dtype:
        raise InvalidExamplesError(f"the attack returned {examples.dtype} for inputs of {clean.dtype}")
    # A subclass may lie about its values, and a tensor that the attack keeps may change after the look.
    examples = examples.detach().as_subclass(torch.Tensor).to(clean.device, copy=True)
    if not torch.isfinite(examples).all():
        raise InvalidExamplesError("the attack returned NaN or infinite values")
    low, high = examples.min().item(), examples.max().item()
    if low < -TOLERANCE or high > 1 + TOLERANCE:
        raise InvalidExamplesError(f"the attack left the box [0, 1]: its values span [{low:.6g}, {high:.6g}]")
    if ball is not None:
        sizes = ball.sizes(examples.double() - clean.double())
        radii = torch.as_tensor(ball.radius, dtype=sizes.dtype, device=sizes.device).expand_as(sizes)
        excess = sizes - radii - TOLERANCE * radii.clamp_min(1.0)
        worst = int(excess.argmax())
        if excess[worst] > 0:
            size, allowed = sizes[worst].item(), radii[worst].item()
            raise InvalidExamplesError(
                f"the attack left the ball: {ball.norm} norm {size:.7g} where {allowed:.7g} is allowed"
            )
    return examples


def finite_logits(module: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """Logits `[N, K]` of inputs.

    Raises:
        FloatingPointError: The classifier gives NaN or infinite logits.
    """
    logits = logits_of(module, inputs)
    if not torch.isfinite(logits).all():
        raise FloatingPointError("the classifier gives NaN or infinite logits")
    return logits


def judge(
    module: nn.Module,
    examples: torch.Tensor,
    clean: torch.Tensor,
    goal: Goal,
    represent: nn.Module | None = None,
) -> Verdict:
    """Re-predict examples on the bare classifier, outside of any meter.

    Args:
        module: The classifier.
        examples: `[N, ...]`.
        clean: What they were made from, `[N, ...]`.
        goal: Labels, and targets of a targeted attack.
        represent: Maps examples to what the classifier sees; None if that is what they are.

    Raises:
        FloatingPointError: The classifier gives NaN or infinite logits.
    """
    logits = finite_logits(module, examples)
    delta, prediction = (examples - clean).flatten(1), logits.argmax(dim=1)
    moved = None
    if represent is not None:
        moved = l2_sizes(outputs_of(represent, examples).double() - outputs_of(represent, clean).double()).float()
    return Verdict(
        score=margin(logits, goal.labels),
        prediction=prediction,
        fooled=prediction != goal.labels,
        met=goal.met(logits),
        target_score=None if goal.targets is None else target_margin(logits, goal.targets),
        l2=l2_sizes(examples.double() - clean.double()).float(),
        linf=delta.abs().amax(dim=1),
        l0=(delta != 0).float().mean(dim=1),
        input_l2=moved,
    )
