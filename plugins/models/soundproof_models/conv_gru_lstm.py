"""The recurrent network for sequences of MFCC frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from soundproof import Model, Recipe

if TYPE_CHECKING:
    from torch import nn

# Two convolutions of three frames, each pooled by two, leave one.
_FEWEST_FRAMES = 10


@dataclass(frozen=True)
class ConvGruLstm(Model):
    """Two convolutions over time, then GRU, LSTM and GRU, on the frames of a picture.

    A study of speaker identification had it on MFCC frames: convolutions with 64 and 128 maps of 3 frames, each
    pooled by 2, three recurrent layers of 128 units, 64 units, dropout. The rows of a picture are its features (of
    all channels), the columns its frames; each feature of a clip is standardised over the clip's frames, in
    training and in use. 370,817 parameters for 39 features and one output, 512 more than Keras has, whose LSTM
    has one bias vector.

    Published: Adam 1e-3, 100 clips a step, 50 epochs, patience 20, dropout 0.5; a second run 20 epochs without
    dropout. Clips have one length here and no padding to mask.
    """

    id: ClassVar[str] = "conv-gru-lstm"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "003": {"dropout": 0.5},
        "003-second-run": {"dropout": 0.0},
    }
    recipe: ClassVar[Recipe] = Recipe(epochs=40, learning_rate=3e-3)
    dropout: Annotated[
        float, Field(ge=0, lt=1, description="share of units dropped between layers in training")
    ] = 0.5

    def reason_to_skip(self, shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """Pictures with too few frames for two poolings."""
        if shape[2] < _FEWEST_FRAMES:
            return f"conv-gru-lstm needs at least {_FEWEST_FRAMES} frames (columns), not {shape[2]}"
        return None

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """A network with random weights for images `(C, H, W)`."""
        from soundproof_models._recurrent import RecurrentNetwork

        return RecurrentNetwork(shape[0] * shape[1], classes, dropout=self.dropout)
