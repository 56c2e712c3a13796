"""Two classifiers on samples that are called WaveNet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from soundproof import Domain, Model, Recipe

if TYPE_CHECKING:
    from torch import nn

# Samples that the first pooling of variant B makes one of.
_FIRST_POOL = 80
_FILTERS = {"A": 32, "B": 20}


@dataclass(frozen=True)
class WaveNet(Model):
    """Gated causal convolutions with growing dilation, pooled over time.

    Oord et al. 2016 (arXiv 1609.03499), turned into classifiers. Inputs in [0, 1] become samples in [-1, 1] again,
    linear ones (`waveform`) or mu-law codes (`mu-law`).

    * `B`: each clip is divided by its peak; ten gated layers that see 1024 samples; their skips summed; then two
      convolutions of 80 samples and of 100 of their means, and means of ever longer stretches. 92,648 parameters
      for clips of 48,000 samples and one output. Pooling adapts to shorter clips. The last convolution but one
      has no ReLU, which would let logits die.
    * `A`: three times five gated layers that see 95 samples, the mean over time of their summed skips, one linear
      layer.

    Published: Adam, 16 clips a step, 100 epochs for B; 2 clips a step, 2 epochs for A, which never finished. B was
    measured with a softmax over a single unit, so that its 50 % says nothing.
    """

    id: ClassVar[str] = "wavenet"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "003": {"variant": "B", "filters": 20},
        "003-a": {"variant": "A", "filters": 32},
    }
    accepts: ClassVar[frozenset[Domain]] = frozenset({Domain.WAVEFORM})
    recipe: ClassVar[Recipe] = Recipe(epochs=30, batch=16, learning_rate=1e-3)
    variant: Annotated[
        Literal["A", "B"], Field(description="mean of 15 layers' skips, or convolutions on those of 9")
    ] = "B"
    filters: Annotated[
        int | None, Field(ge=1, description="channels of every layer; none is 20 for B, 32 for A")
    ] = None

    def reason_to_skip(self, shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """Clips shorter than the first pooling."""
        if self.variant == "B" and shape[1] < _FIRST_POOL:
            return f"wavenet needs clips of at least {_FIRST_POOL} samples, not {shape[1]}; or use variant = 'A'"
        return None

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """A network with random weights for samples `(1, T)`."""
        from soundproof_models._wavenet import PooledWaveNet, SkippedWaveNet

        filters = self.filters or _FILTERS[self.variant]
        if self.variant == "A":
            return SkippedWaveNet(filters, classes)
        return PooledWaveNet(shape[1], filters, classes)
