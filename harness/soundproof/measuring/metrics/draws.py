"""Draws of a bootstrap: how often each recording was drawn, and with it each of its clips."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of recordings, for statistics of clips.

    Attributes:
        counts: float64 `[B, m]`, how often each of m recordings was drawn.
        member: int `[n]`, the recording of each clip, below m.
    """

    counts: npt.NDArray[np.float64]
    member: npt.NDArray[np.integer[Any]]

    @classmethod
    def once(cls, clips: int) -> Draws:
        """Every clip once: what gives the plain estimate."""
        return cls(np.ones((1, 1)), np.zeros(clips, np.intp))

    @classmethod
    def weighted(cls, weights: npt.NDArray[np.float64]) -> Draws:
        """Clips that were drawn one by one, so often each, `[B, n]`."""
        return cls(weights, np.arange(weights.shape[1]))

    def __len__(self) -> int:
        return len(self.counts)

    def select(self, clips: npt.NDArray[np.integer[Any]]) -> Draws:
        """The same draws of some of the clips."""
        return Draws(self.counts, self.member[clips])

    def sums(self, values: Array) -> Array:
        """Sums over the drawn clips of values `[n]` or `[n, k]`: `[B]` or `[B, k]`.

        Values are added up by recording first: there are fewer recordings than clips, and many draws.
        """
        if values.ndim == 1:
            return np.asarray(self.counts @ self._by_recording(values))
        return np.asarray(self.counts @ np.stack([self._by_recording(column) for column in values.T], axis=1))

    @cached_property
    def weights(self) -> npt.NDArray[np.float64]:
        """How often each clip was drawn, `[B, n]`."""
        found: npt.NDArray[np.float64] = self.counts[:, self.member]
        return found

    def _by_recording(self, values: Array) -> Array:
        return np.bincount(self.member, values, minlength=self.counts.shape[1])
