"""Networks of torchvision and timm, by the names that these libraries give them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Recipe, SoundproofError, hint
from soundproof_models._own_weights import OwnWeights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn


@dataclass(frozen=True, kw_only=True)
class _ByName(OwnWeights, ABC):
    recipe: ClassVar[Recipe] = Recipe(epochs=25, learning_rate=2e-3)
    library: ClassVar[str]
    name: Annotated[str, Field(min_length=1, description="the network, as its library calls it")]
    weights: Annotated[str | None, Field(description="a safetensors file; none trains it here")] = None

    @property
    def portable(self) -> bool:  # type: ignore[override]  # depends on a parameter
        """Without a file of the user's it is the same everywhere."""
        return self.weights is None

    def reason_to_skip(self, shape: tuple[int, ...], classes: int) -> str | None:
        """The library is not installed, has no such network, or the network cannot read pictures like these."""
        import torch

        if find_spec(self.library) is None:
            return f"{self.id} needs {self.library}: pip install 'soundproof[{self.library}]'"
        if self.name not in self.names():
            return f"{self.library} has no network {self.name!r}: {hint(self.name, self.names())}"
        try:
            with torch.device("meta"), torch.no_grad():
                self.build(shape, classes).eval()(torch.empty(2, *shape))
        except (RuntimeError, ValueError, AssertionError, TypeError) as error:
            return f"{self.name} cannot read inputs {shape}: {' '.join(str(error).split())[:120]}"
        return None

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """The network with random weights, for as many channels as there are."""
        return self.network(shape, classes)

    @abstractmethod
    def names(self) -> Sequence[str]:
        """All networks of the library."""

    @abstractmethod
    def network(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """The one of this name."""


@dataclass(frozen=True, kw_only=True)
class Torchvision(_ByName):
    """Any classifier of torchvision by its name, `{ id = "torchvision", name = "efficientnet_b0" }`."""

    id: ClassVar[str] = "torchvision"
    library: ClassVar[str] = "torchvision"

    def names(self) -> Sequence[str]:
        """Its classifiers."""
        from torchvision import models

        found: list[str] = models.list_models(module=models)
        return found

    def network(self, shape: tuple[int, ...], classes: int) -> nn.Module:  # noqa: ARG002
        """It reads three channels: a grey picture is shown three times."""
        from torchvision.models import get_model

        from soundproof_models._by_name import OfThreeChannels

        try:
            return OfThreeChannels(get_model(self.name, weights=None, num_classes=classes))
        except ValueError as error:
            raise SoundproofError(f"torchvision: {error}") from None


@dataclass(frozen=True, kw_only=True)
class Timm(_ByName):
    """Any classifier of timm by its name, `{ id = "timm", name = "convnext_atto" }`.

    Needs the extra `soundproof[timm]`.
    """

    id: ClassVar[str] = "timm"
    library: ClassVar[str] = "timm"

    def names(self) -> Sequence[str]:
        """Its classifiers."""
        import timm

        return timm.list_models()

    def network(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """For as many channels as the inputs have."""
        import timm

        made: nn.Module = timm.create_model(self.name, pretrained=False, in_chans=shape[0], num_classes=classes)
        return made
