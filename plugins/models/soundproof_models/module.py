"""A network of the user's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Domain, load_module, source_of
from soundproof_models._own_weights import OwnWeights

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Module(OwnWeights):
    """What a function of yours builds; with weights it is measured as it is, without them it is trained here.

    The function takes no arguments and returns a `torch.nn.Module` from inputs in [0, 1], as the representation
    makes them (`waveform`: `[n, 1, T]`), to logits, a column a class in the data set's order.
    """

    id: ClassVar[str] = "module"
    portable: ClassVar[bool] = False
    accepts: ClassVar[frozenset[Domain]] = frozenset(Domain)
    build_: Annotated[str, Field(description="package.module:function")]
    weights: Annotated[str | None, Field(description="a safetensors file; none trains it here")] = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Its source and its weights."""
        return (source_of(self.build_), *super().files)

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:  # noqa: ARG002
        """What the function returns."""
        return load_module(self.build_)
