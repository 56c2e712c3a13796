"""Base of the representations of spoofed speech: channels scaled by their range on training clips."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping  # noqa: TC003 - parameters are read from the annotations
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from soundproof_representations._component import PictureRepresentation

if TYPE_CHECKING:
    import torch
    from torch import nn

# Whole utterances on 224×224, scaled by the range of the genuine ones (ARWaveletCNN).
PUBLISHED: Mapping[str, Any] = {"size": (224, 224), "padding": "removed", "fitted_to": "bonafide"}


@dataclass(frozen=True, kw_only=True)
class SpeechPicture(PictureRepresentation, ABC):
    """Channels of speech at 16 kHz.

    `padding = "removed"` warps every recording to the width of the picture, as where utterances have lengths of
    their own; digital silence at its end goes too. A change of padded samples then changes the recording's length.
    """

    fitted = True
    shortest: ClassVar[int]

    scaling: Annotated[
        Literal["all", "channel"], Field(description="one range for all channels together, or one for each")
    ] = "all"
    fitted_to: Annotated[
        str | None, Field(min_length=1, description="class whose training clips give the range; none is all")
    ] = None
    padding: Annotated[
        Literal["kept", "removed"],
        Field(
            description="zeros after a recording: part of the picture, or cut so that its sound fills the width"
        ),
    ] = "kept"

    @property
    def rate(self) -> int:
        """Sampling rate, Hz."""
        return 16000

    @property
    def fitted_class(self) -> str | None:
        """The class whose training clips give the range."""
        return self.fitted_to

    @abstractmethod
    def channels(self) -> nn.Module:
        """Waveforms `[n, T]` of any length to a list of values `[n, F, frames]`."""

    def build(self, waveforms: torch.Tensor, size: tuple[int, int]) -> nn.Module:
        """The range of the values over the training clips becomes [0, 1]."""
        from soundproof_representations._channels import Unpadded, as_given, fit_channels

        parts = as_given if self.padding == "kept" else Unpadded(self.shortest)
        return fit_channels(self.channels(), waveforms, size, together=self.scaling == "all", parts=parts)
