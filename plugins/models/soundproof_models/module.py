"""A network of the user's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Domain, Model, load_module, load_weights, source_of

if TYPE_CHECKING:
    from torch import nn

    from soundproof import Epoch, Trainer, TrainingData


@dataclass(frozen=True, kw_only=True)
class Module(Model):
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
    def pretrained(self) -> bool:
        """Whether it comes with weights."""
        return self.weights is not None

    @property
    def files(self) -> tuple[Path, ...]:
        """Its source and its weights."""
        return (source_of(self.build_), *((Path(self.weights),) if self.weights else ()))

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:  # noqa: ARG002
        """What the function returns."""
        return load_module(self.build_)

    def prepare(self, module: nn.Module, data: TrainingData) -> None:  # noqa: ARG002
        """Put the weights in place."""
        if self.weights is not None:
            load_weights(module, Path(self.weights))

    def fit(self, module: nn.Module, data: TrainingData, trainer: Trainer) -> list[Epoch]:
        """Leave it as it is where it has weights, else train it."""
        self.prepare(module, data)
        module.eval()
        return [] if self.pretrained else trainer.fit(module, data)
