"""The log-linear filter bank with its derivatives."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - parameters are read from the annotations
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from soundproof_representations._component import too_short
from soundproof_representations._speech import PUBLISHED, SpeechPicture

if TYPE_CHECKING:
    from torch import nn

_ORDERS: dict[str, tuple[Literal[0, 1, 2], ...]] = {
    "none": (0,),
    "delta": (1,),
    "delta-delta": (2,),
    "all": (0, 1, 2),
}


@dataclass(frozen=True, kw_only=True)
class LLFB(SpeechPicture):
    """Log-linear filter-bank energies with their derivatives, scaled by their range on the training clips."""

    id = "llfb"
    # Nine frames: what a derivative needs.
    shortest = 400 + 8 * 160
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"000": {**PUBLISHED, "axis": "filters"}}

    deltas: Annotated[
        Literal["none", "delta", "delta-delta", "all"],
        Field(description="the energies, a derivative of theirs, or all three as channels"),
    ] = "none"
    axis: Annotated[
        Literal["time", "filters"],
        Field(description="what derivatives are taken along; the first publication's are along the filters"),
    ] = "time"
    n_filters: Annotated[int, Field(ge=1, le=256, description="filters from 0 to 8 kHz")] = 40

    def __post_init__(self) -> None:
        if self.axis == "filters" and self.deltas != "none" and self.n_filters < 9:
            raise ValueError(f"a derivative along {self.n_filters} filters needs at least 9 (n_filters)")

    def shape(self, samples: int) -> tuple[int, ...]:  # noqa: ARG002
        """One channel of `size`, or three."""
        return (len(_ORDERS[self.deltas]), *self.size)

    def reason_to_skip(self, samples: int) -> str | None:
        """A clip must fill nine frames."""
        return too_short(
            self, f"nine frames ({self.shortest} samples)", self.shortest, samples, "use longer clips"
        )

    def channels(self) -> nn.Module:
        """The chosen orders."""
        from soundproof_representations._linear_bank import Energies

        return Energies(_ORDERS[self.deltas], self.n_filters, self.rate, along_filters=self.axis == "filters")
