"""The log-linear filter bank with its derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from soundproof_representations._component import PictureRepresentation, too_short

if TYPE_CHECKING:
    import torch
    from torch import nn

_ORDERS: dict[str, tuple[Literal[0, 1, 2], ...]] = {
    "none": (0,),
    "delta": (1,),
    "delta-delta": (2,),
    "all": (0, 1, 2),
}
SHORTEST = 400 + 8 * 160
"""Nine frames: what a derivative needs, samples."""


@dataclass(frozen=True, kw_only=True)
class LLFB(PictureRepresentation):
    """Log-linear filter-bank energies with their derivatives, scaled by their range on the training clips."""

    id = "llfb"
    fitted = True

    deltas: Annotated[
        Literal["none", "delta", "delta-delta", "all"],
        Field(description="the energies, a derivative of theirs, or all three as channels"),
    ] = "none"
    axis: Annotated[
        Literal["time", "filters"],
        Field(description="what derivatives are taken along; the first publication's are along the filters"),
    ] = "time"
    n_filters: Annotated[int, Field(ge=1, le=256, description="filters from 0 to 8 kHz")] = 40
    scaling: Annotated[
        Literal["all", "channel"], Field(description="one range for all channels together, or one for each")
    ] = "all"

    def __post_init__(self) -> None:
        if self.axis == "filters" and self.deltas != "none" and self.n_filters < 9:
            raise ValueError(f"a derivative along {self.n_filters} filters needs at least 9 (n_filters)")

    @property
    def rate(self) -> int:
        """Sampling rate, Hz."""
        return 16000

    def shape(self, samples: int) -> tuple[int, ...]:  # noqa: ARG002
        """One channel of `size`, or three."""
        return (len(_ORDERS[self.deltas]), *self.size)

    def reason_to_skip(self, samples: int) -> str | None:
        """A clip must fill nine frames."""
        return too_short(self, f"nine frames ({SHORTEST} samples)", SHORTEST, samples, "use longer clips")

    def build(self, waveforms: torch.Tensor, size: tuple[int, int]) -> nn.Module:
        """The range of the values over the training clips becomes [0, 1]."""
        from soundproof_representations._channels import fit_channels
        from soundproof_representations._linear_bank import Energies

        transform = Energies(
            _ORDERS[self.deltas],
            self.n_filters,
            self.rate,
            waveforms.shape[-1],
            along_filters=self.axis == "filters",
        )
        return fit_channels(transform, waveforms, size, together=self.scaling == "all")
