"""Base of the networks of torchvision."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from soundproof import Model, Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from soundproof import TrainingData


@dataclass(frozen=True)
class TorchvisionNetwork(Model, ABC):
    """Base of these networks: the choice of weights, and how they are loaded.

    Attributes:
        from_scratch: The recipe without published weights; with them the learning rate is a tenth of it, as in
            the reading of arXiv 2008.11618 and 2007.13703 (1e-3 and 1e-4).
        published: What torchvision calls the weights.
        first: Name of the first convolution.
        smallest: Pixels that its pooling needs on both sides.
    """

    from_scratch: ClassVar[Recipe] = Recipe(epochs=25, learning_rate=2e-3)
    published: ClassVar[str]
    first: ClassVar[str]
    smallest: ClassVar[int] = 1

    weights: Annotated[
        Literal["none", "imagenet"],
        Field(description="start from random weights, or from torchvision's (torch hub's cache, TORCH_HOME)"),
    ] = "none"

    @property
    def recipe(self) -> Recipe:  # type: ignore[override]  # depends on a parameter
        """From scratch, or with a tenth of its learning rate from published weights."""
        if self.weights == "none":
            return self.from_scratch
        return replace(self.from_scratch, learning_rate=self.from_scratch.learning_rate / 10)

    @property
    def flags(self) -> tuple[str, ...]:
        """`random-start` without published weights, which the papers' networks had."""
        return ("random-start",) if self.weights == "none" else ()

    def reason_to_skip(self, shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """Pictures that its pooling would leave nothing of, or whose channels no published kernel fits."""
        if min(shape[1:]) < self.smallest:
            side = self.smallest
            return f"{self.id} needs pictures of at least {side}×{side}, not {shape[1]}×{shape[2]}"
        if self.weights == "imagenet" and shape[0] not in {1, 3}:
            return f"{self.id} has ImageNet weights for 1 or 3 channels, not {shape[0]}; use weights = 'none'"
        return None

    @abstractmethod
    def network(self, classes: int) -> nn.Module:
        """The network with random weights for three channels."""

    def initialise(self, network: nn.Module) -> None:
        """Draw weights anew, where torchvision's own are not He et al.'s."""

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """A network with random weights for images `(C, H, W)`; `prepare` loads the published ones."""
        from soundproof_models._adaptation import fit_first_layer
        from soundproof_models._imagenet import Pretrained

        network = self.network(classes)
        fit_first_layer(network, self.first, shape[0])
        self.initialise(network)
        if self.weights == "none":
            return network
        return Pretrained(network, *self.standard(shape[0]), frozen=self.frozen)

    def prepare(self, module: nn.Module, data: TrainingData) -> None:  # noqa: ARG002
        """Load published weights, if so wanted.

        Raises:
            SoundproofError: They are in no cache and cannot be downloaded.
        """
        if self.weights == "imagenet":
            from soundproof_models._imagenet import load_imagenet

            network = module.get_submodule("network")
            load_imagenet(network, self.published, first=self.first, new=self.new)

    @property
    def new(self) -> Sequence[str]:
        """Names of the layers that keep their random weights."""
        return ("fc",)

    @property
    def frozen(self) -> Sequence[str]:
        """Names of submodules that stay as published."""
        return ()

    def standard(self, channels: int) -> tuple[Sequence[float], Sequence[float]]:
        """Mean and deviation of each channel that the published weights were trained with."""
        from soundproof_models._imagenet import DEVIATION, MEAN

        if channels == 1:
            return [sum(MEAN) / 3], [sum(DEVIATION) / 3]
        return MEAN, DEVIATION
