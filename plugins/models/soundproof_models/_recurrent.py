"""The network of `conv-gru-lstm`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    import torch

_UNITS = 128


class RecurrentNetwork(nn.Module):
    """Convolutions over time, three recurrent layers, two dense ones."""

    def __init__(self, features: int, classes: int, *, dropout: float) -> None:
        """Build it.

        Args:
            features: Of a frame.
            classes: Logits.
            dropout: Share of units dropped between recurrent and dense layers in training.
        """
        super().__init__()
        self.frames = nn.Sequential(
            nn.InstanceNorm1d(features),
            nn.Conv1d(features, 64, 3),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(64, _UNITS, 3),
            nn.ReLU(),
            nn.MaxPool1d(2),
        )
        self.gru_1 = nn.GRU(_UNITS, _UNITS, batch_first=True)
        self.lstm = nn.LSTM(_UNITS, _UNITS, batch_first=True)
        self.gru_2 = nn.GRU(_UNITS, _UNITS, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Sequential(nn.Linear(_UNITS, 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, classes))

    def train(self, mode: bool = True) -> RecurrentNetwork:  # noqa: FBT001, FBT002 - torch's signature
        """Training mode or not; recurrent layers stay in it.

        cuDNN has a backward pass only for recurrent layers in training mode, and attacks need gradients in
        evaluation mode. These layers have no dropout of their own, so that it changes nothing else.
        """
        super().train(mode)
        for layer in (self.gru_1, self.lstm, self.gru_2):
            layer.train()
        return self

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits `[n, K]` of images `[n, C, H, W]`, whose columns are frames."""
        sequence = self.frames(images.flatten(1, 2)).transpose(1, 2)
        sequence = self.dropout(self.gru_1(sequence)[0])
        sequence = self.dropout(self.lstm(sequence)[0])
        last = self.gru_2(sequence)[0][:, -1]
        logits: torch.Tensor = self.dense(last)
        return logits
