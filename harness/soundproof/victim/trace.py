"""The ledger and the trace: what an attack spent, and how far it had come when it had spent it.

Both are indexed by clip. Counters live in host memory, because which clips a batch holds is known there;
measurements stay on the device until the attack is over, so that metering never waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch


class Ledger:
    """Counts of forward and backward rows, a clip at a time.

    A batch whose size is not that of the victim's clips cannot be told apart; its rows go into the
    `unattributed` totals, which keeps the sum exact.

    Attributes:
        forwards: int64 `[N]`, rows that went through the classifier.
        backwards: int64 `[N]`, rows of gradient that came back.
        unattributed_forwards: Rows that belong to no particular clip.
        unattributed_backwards: Likewise.
    """

    def __init__(self, clips: int) -> None:
        self._counts = {name: np.zeros(clips, dtype=np.int64) for name in ("forwards", "backwards")}
        self._unattributed = {"forwards": 0, "backwards": 0}

    @property
    def forwards(self) -> npt.NDArray[np.int64]:
        """Read-only: an attack does not write its own bill."""
        return _read_only(self._counts["forwards"])

    @property
    def backwards(self) -> npt.NDArray[np.int64]:
        """Read-only, likewise."""
        return _read_only(self._counts["backwards"])

    @property
    def unattributed_forwards(self) -> int:
        """Forward rows that belong to no particular clip."""
        return self._unattributed["forwards"]

    @property
    def unattributed_backwards(self) -> int:
        """Backward rows that belong to no particular clip."""
        return self._unattributed["backwards"]

    def add_forward(self, rows: npt.NDArray[np.int64] | None, size: int) -> None:
        """Count one forward batch."""
        self._add("forwards", rows, size)

    def add_backward(self, rows: npt.NDArray[np.int64] | None, size: int) -> None:
        """Count one backward batch."""
        self._add("backwards", rows, size)

    def _add(self, what: str, rows: npt.NDArray[np.int64] | None, size: int) -> None:
        if rows is None:
            self._unattributed[what] += size
        else:
            np.add.at(self._counts[what], rows, 1)

    @property
    def gradients(self) -> npt.NDArray[np.floating[Any]]:
        """Backward rows a clip, unattributed ones shared out evenly, `[N]`."""
        return self.backwards + self.unattributed_backwards / max(1, len(self.backwards))

    @property
    def queries(self) -> npt.NDArray[np.floating[Any]]:
        """Forward rows a clip, unattributed ones shared out evenly, `[N]`."""
        return self.forwards + self.unattributed_forwards / max(1, len(self.forwards))


def _read_only(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    view = counts.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, eq=False)
class TraceTable:
    """Every evaluated iterate inside the box, in the order of evaluation; all fields are `[E]`.

    Attributes:
        clip: Which clip it belongs to.
        gradients: Backward rows that clip had cost before this evaluation.
        queries: Forward rows that clip had cost, this one included.
        score: s(x; y), positive when fooled.
        l2: ‖x − clean‖₂.
        met: Whether the attack's goal was met there (for untargeted attacks: fooled).
        fooled: Whether it was misclassified, into whatever class.
    """

    clip: npt.NDArray[np.int64]
    gradients: npt.NDArray[np.int64]
    queries: npt.NDArray[np.int64]
    score: npt.NDArray[np.float32]
    l2: npt.NDArray[np.float32]
    met: npt.NDArray[np.bool_]
    fooled: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Block:
    clip: npt.NDArray[np.int64]
    gradients: npt.NDArray[np.int64]
    queries: npt.NDArray[np.int64]
    measured: torch.Tensor  # [5, n]: score, l2, met, fooled, inside the box


class Trace:
    """Collects the measurements of one attack."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []

    def add(self, rows: npt.NDArray[np.int64], ledger: Ledger, measured: torch.Tensor) -> None:
        """Record one evaluated batch.

        Args:
            rows: The clip of each row.
            ledger: The ledger after this forward pass.
            measured: float32 `[5, n]` on the device: score, l2 norm, goal met, misclassified, inside the box.
        """
        self._blocks.append(_Block(rows, ledger.backwards[rows], ledger.forwards[rows], measured))

    def table(self) -> TraceTable:
        """Everything recorded, moved to host memory at once."""
        import torch

        if not self._blocks:
            whole, single, flag = np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.bool_)
            return TraceTable(whole, whole, whole, single, single, flag, flag)
        score, l2, met, fooled, inside = torch.cat([block.measured for block in self._blocks], dim=1).cpu().numpy()
        keep = inside > 0
        clip, gradients, queries = (
            np.concatenate([getattr(block, name) for block in self._blocks])[keep]
            for name in ("clip", "gradients", "queries")
        )
        return TraceTable(clip, gradients, queries, score[keep], l2[keep], met[keep] > 0, fooled[keep] > 0)
