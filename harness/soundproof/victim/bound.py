"""Bounds: how large perturbations may be, of all clips alike or of each by its own size."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from soundproof.types import Domain, Norm
from soundproof.victim.ball import Ball

if TYPE_CHECKING:
    import torch

    from soundproof.types import Budget


# Half the distance of neighbouring numbers in [0.5, 1), in single precision.
_HALF_A_STEP = 2**-25


@dataclass(frozen=True, eq=False)
class Bound(ABC):
    """The size that a perturbation may have.

    Attributes:
        norm: l2 or l-infinity.
        size: In the bound's own unit, see the kinds below; one number, or one a clip, `[N]`.
        grid: What rounding to single precision may add to the size of a perturbation. It matters for sound, where
            80,000 samples near 0.5 are changed by little more than the distance of neighbouring numbers.
        by_clip: Whether clips of different size get different radii.
    """

    norm: Norm
    size: float | torch.Tensor
    grid: float = 0.0
    by_clip: ClassVar[bool]

    def at(self, size: float | torch.Tensor) -> Self:
        """The bound of the same kind and another size."""
        return replace(self, size=size)

    def ball(self, clean: torch.Tensor) -> Ball:
        """The ball around clean inputs `[N, ...]` that attacks are told: rounded, it is in the limit."""
        limit = self.limit(clean)
        if not self.grid:
            return limit
        radius = limit.radius - self.grid
        return replace(limit, radius=max(0.0, radius) if isinstance(radius, float) else radius.clamp_min(0.0))

    @abstractmethod
    def limit(self, clean: torch.Tensor) -> Ball:
        """The ball around each of the clean inputs `[N, ...]` that examples must not leave."""

    @abstractmethod
    def whole(self, dimension: int) -> float:
        """The size of a perturbation that leaves nothing of an input of so many values as it was.

        Absolute: each value changed by the width of the box. Relative: as large as the input itself.
        """

    @abstractmethod
    def words(self, size: float) -> str:
        """A size in words, for messages."""


@dataclass(frozen=True, eq=False)
class Absolute(Bound):
    """‖ε‖ ≤ size, in units of the input, whatever the clip."""

    by_clip: ClassVar[bool] = False

    def limit(self, clean: torch.Tensor) -> Ball:  # noqa: ARG002
        """One radius, or those that are given."""
        return Ball(self.norm, self.size)

    def whole(self, dimension: int) -> float:
        """√D in l2, 1 in l-infinity."""
        return 1.0 if self.norm is Norm.LINF else math.sqrt(dimension)

    def words(self, size: float) -> str:
        """The radius."""
        return f"radius {size:.4g}"


@dataclass(frozen=True, eq=False)
class Relative(Bound):
    """‖ε‖ ≤ size · ‖x − zero‖ of each clip x; a silent clip stays as it is.

    Attributes:
        zero: The value that nothing has (`Domain.zero`).
    """

    zero: float = 0.0
    by_clip: ClassVar[bool] = True

    def limit(self, clean: torch.Tensor) -> Ball:
        """A radius a clip, in double precision."""
        return Ball(self.norm, self.size * Ball(self.norm, 0.0).sizes(clean.double() - self.zero))

    def whole(self, dimension: int) -> float:  # noqa: ARG002
        """1: the perturbation is as large as the clip."""
        return 1.0

    def words(self, size: float) -> str:
        """The share, and what it is in dB."""
        norm = "‖ε‖₂" if self.norm is Norm.L2 else "‖ε‖∞"
        return f"{norm} = {size:.4g} of the clip's ({decibels(size):.3g} dB)"


def bound_of(budget: Budget, shape: tuple[int, ...]) -> Bound:
    """Bound of a budget on inputs of a shape, without the batch dimension."""
    values, domain = math.prod(shape), Domain.of(shape)
    half = _HALF_A_STEP if domain is Domain.WAVEFORM else 0.0
    grid = half * (math.sqrt(values) if budget.norm is Norm.L2 else 1.0)
    if budget.unit == "epsilon":
        return Absolute(budget.norm, budget.size, grid)
    if budget.unit == "rms":
        return Absolute(budget.norm, budget.size * math.sqrt(values), grid)
    share = budget.size if budget.unit == "relative" else 10 ** (-budget.size / 20)
    return Relative(budget.norm, share, grid, domain.zero)


def decibels(share: float) -> float:
    """SNR of a perturbation that is a share of the clip, dB; infinite for none."""
    return -20 * math.log10(share) if share > 0 else math.inf
