"""The sound itself, linear and companded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from soundproof import Domain, Inverse, Representation

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class _Sound(Representation, ABC):
    domain = Domain.WAVEFORM

    sr: Annotated[int, Field(ge=1000, le=192000, description="sampling rate, Hz")] = 16000
    length: Annotated[
        int | None,
        Field(ge=1, description="samples kept, longer clips cut, shorter padded with zeros; none keeps all"),
    ] = None

    @property
    def rate(self) -> int:
        """Sampling rate, Hz."""
        return self.sr

    def shape(self, samples: int) -> tuple[int, ...]:
        """One channel of samples."""
        return (1, self.length or samples)

    @abstractmethod
    def fit(self, waveforms: torch.Tensor) -> nn.Module:
        """Nothing is fitted."""


@dataclass(frozen=True, kw_only=True)
class Waveform(_Sound):
    """Samples, from [-1, 1] to [0, 1]."""

    id = "waveform"
    inverse = Inverse(error=1e-6)
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"003": {"sr": 16000, "length": 48_000}}

    def fit(self, waveforms: torch.Tensor) -> nn.Module:
        """Nothing is fitted."""
        from soundproof_representations._samples import Linear

        return Linear(self.length or waveforms.shape[-1])


@dataclass(frozen=True, kw_only=True)
class MuLaw(_Sound):
    """Mu-law codes of the samples, from 0 … levels - 1 to [0, 1]."""

    id = "mu-law"
    inverse = Inverse(error=1e-6, lost="what lies between two codes: a change of less than half a step is none")
    # 7.5 s, less the last sample, which a shifted target was made of.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"003": {"sr": 16000, "length": 119_999}}
    differentiable = False
    # The gradient is that of the companding, as if nothing were rounded.
    surrogate = True

    levels: Annotated[int, Field(ge=2, le=65536, description="codes; mu is one less")] = 256

    def fit(self, waveforms: torch.Tensor) -> nn.Module:
        """Nothing is fitted."""
        from soundproof_representations._samples import Companded

        return Companded(self.length or waveforms.shape[-1], self.levels)
