"""Classifiers of sound: a representation with the classifier behind it, as one module on waveforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    import torch


class Hearing(nn.Module):
    """A representation, then a classifier, so that attacks on the sound are attacks like any other.

    Attributes:
        represent: Maps sound to what the classifier sees.
        classifier: Maps that to logits `[n, K]`; defenses are part of it.
    """

    def __init__(self, representation: nn.Module, classifier: nn.Module) -> None:
        """Put them together.

        Args:
            representation: As `Representation.fit` makes it, of waveforms `[n, T]` in [-1, 1].
            classifier: Of its inputs `[n, ...]`.
        """
        super().__init__()
        self.represent = Represented(representation)
        self.classifier = classifier

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Logits `[n, K]` of waveforms `[n, 1, T]` in [0, 1]."""
        logits: torch.Tensor = self.classifier(self.represent(waveforms))
        return logits


class Represented(nn.Module):
    """A representation of waveforms as attacks see them: `[n, 1, T]`, mapped from [-1, 1] to [0, 1]."""

    def __init__(self, representation: nn.Module) -> None:
        super().__init__()
        self.representation = representation

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Inputs `[n, ...]` in [0, 1] of waveforms `[n, 1, T]`."""
        return self.representation(sound(waveforms)).to(waveforms.dtype)  # type: ignore[no-any-return]


class Boxed(nn.Module):
    """Samples as attacks see them: what stands for the representation where they change the sound itself."""

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, 1, T]` in [0, 1] of samples `[n, T]`."""
        return boxed(samples)

    def inverse(self, waveforms: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        """The samples; no reference is needed."""
        return sound(waveforms)


def sound(waveforms: torch.Tensor) -> torch.Tensor:
    """Samples `[n, T]` in [-1, 1] of waveforms `[n, 1, T]` in [0, 1]."""
    return 2 * waveforms[:, 0] - 1


def boxed(samples: torch.Tensor) -> torch.Tensor:
    """Waveforms `[n, 1, T]` in [0, 1] of samples `[n, T]` in [-1, 1]."""
    return ((samples + 1) / 2)[:, None]
