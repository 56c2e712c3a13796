"""The smallest fooling example so far of every clip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.measuring.curve import auc_of
from soundproof.measuring.subject import sizes_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from soundproof.measuring.judge import Verdict
    from soundproof.measuring.subject import Attacked


class Smallest:
    """Examples that an adversary would hand over: each clip's smallest fooling one, else its clean copy.

    Attributes:
        attacked: The clips.
        fooled: bool `[N]`.
        score: s(x; y) of what is handed over, `[N]`.
        radius: Smallest size of a bound within which the clip was fooled, infinite if in none, `[N]`.
        missed: Largest size below it within which it was not, 0 if there is none, `[N]`.
    """

    def __init__(self, attacked: Attacked) -> None:
        count = len(attacked.clips)
        self.attacked = attacked
        self._sizes = sizes_of(attacked.clean)
        self.fooled = np.zeros(count, np.bool_)
        self.score = attacked.clean_score.copy()
        self.radius = np.full(count, np.inf)
        self.missed = np.zeros(count)
        self._further: dict[str, npt.NDArray[Any]] = {name: np.zeros(count, np.float32) for name in self._sizes}
        self._further |= attacked.targeted(attacked.clean)

    @property
    def auc(self) -> float:
        """The fooling AUC of what is handed over."""
        return auc_of(self.attacked.clean_score, self.score)

    def offer(
        self, verdict: Verdict, radius: float | npt.NDArray[np.float64], rows: npt.NDArray[np.int64] | None = None
    ) -> None:
        """Take over what fools with less than before.

        Args:
            verdict: On examples of some of the clips.
            radius: Size of the bound that they were made in; one number, or one a row.
            rows: Which of the clips; all by default.
        """
        rows = np.arange(len(self.fooled)) if rows is None else rows
        radii, fools = np.broadcast_to(radius, rows.shape), verdict.fooled.cpu().numpy()
        failed = ~fools & (radii < self.radius[rows])
        self.missed[rows[failed]] = np.maximum(self.missed[rows[failed]], radii[failed])
        size = verdict.l2.cpu().numpy()
        better = fools & (~self.fooled[rows] | (size < self._further["l2"][rows]))
        taken = rows[better]
        self.score[taken] = verdict.score.cpu().numpy()[better]
        for name in self._sizes:
            self._further[name][taken] = getattr(verdict, name).cpu().numpy()[better]
        for name in ("met", "target_score") if verdict.target_score is not None else ():
            self._further[name][taken] = getattr(verdict, name).cpu().numpy()[better]
        self.fooled[taken] = True
        self.radius[rows[fools]] = np.minimum(self.radius[rows[fools]], radii[fools])

    def reach(self, target: float) -> float:
        """The smallest radius whose AUC exceeds a target that the AUC of all exceeds."""
        radii = np.unique(self.radius[self.fooled])
        low, high = 0, len(radii) - 1
        while low < high:
            middle = (low + high) // 2
            score = np.where(self.radius <= radii[middle], self.score, self.attacked.clean_score)
            reached = auc_of(self.attacked.clean_score, score) > target
            low, high = (low, middle) if reached else (middle + 1, high)
        return float(radii[low])

    def samples(self, radius: float = np.inf) -> dict[str, npt.NDArray[Any]]:
        """Per-clip outcomes as results keep them; a clip that needs more than a radius stands as when clean."""
        within = self.fooled & (self.radius <= radius)
        clean = dict.fromkeys(self._sizes, 0) | self.attacked.targeted(self.attacked.clean)
        samples = {
            "clip": self.attacked.clips.astype(np.int32),
            "clean_score": self.attacked.clean_score,
            "score": np.where(within, self.score, self.attacked.clean_score),
            "fooled": within.astype(np.uint8),
            "smallest": np.where(self.fooled, self._further["l2"], np.nan).astype(np.float32),
            **{
                name: np.where(within, values, clean[name]).astype(values.dtype)
                for name, values in self._further.items()
            },
        }
        return samples | self.attacked.heard(samples["l2"])
