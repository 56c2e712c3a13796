"""The built-in models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof import hookimpl

if TYPE_CHECKING:
    from soundproof import Model


@hookimpl
def soundproof_components() -> list[type[Model]]:
    """All models of this package."""
    from soundproof_models.mel_cnn import MelCnn
    from soundproof_models.resnet import ResNet18
    from soundproof_models.resnet_cifar import ResNet56

    return [MelCnn, ResNet18, ResNet56]
