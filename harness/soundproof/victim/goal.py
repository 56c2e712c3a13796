"""Goal of an attack: any wrong class, or one given class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Goal:
    """The labels to leave and, for a targeted attack, the classes to reach.

    Attributes:
        labels: int64 `[N]`, the true classes.
        targets: int64 `[N]`, each different from its label; None when any wrong class will do.
    """

    labels: torch.Tensor
    targets: torch.Tensor | None = None

    def select(self, rows: torch.Tensor) -> Goal:
        """The goal of some clips."""
        return Goal(self.labels[rows], None if self.targets is None else self.targets[rows])

    def loss(self, logits: torch.Tensor) -> torch.Tensor:
        """Loss that a gradient attack raises, `[N]`: cross-entropy of the label, or minus that of the target."""
        from torch.nn.functional import cross_entropy

        if self.targets is None:
            return cross_entropy(logits, self.labels, reduction="none")
        return -cross_entropy(logits, self.targets, reduction="none")

    def met(self, logits: torch.Tensor) -> torch.Tensor:
        """Whether each row of logits `[N, K]` is what the attack wants, bool `[N]`."""
        decision = logits.argmax(dim=1)
        return decision != self.labels if self.targets is None else decision == self.targets


def margin(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The score s(x; y) = max_{j≠y} Z_j(x) − Z_y(x), `[N]` (docs/metrics.md §2).

    Negative when the classifier is right, positive when it is fooled, and on logits, so that confident
    softmax outputs do not tie.
    """
    own = logits.gather(1, labels[:, None])
    others = logits.scatter(1, labels[:, None], float("-inf"))
    return others.amax(dim=1) - own[:, 0]


def target_margin(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The score t(x; l') = Z_l'(x) − max_{j≠l'} Z_j(x), `[N]`: positive when the target is reached."""
    return -margin(logits, targets)
