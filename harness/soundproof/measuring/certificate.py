"""Certificates of randomised smoothing: a radius within which the vote over Gaussian noise cannot change.

Cohen, Rosenfeld & Kolter 2019, Theorem 1 and the procedure CERTIFY.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.stats import beta, norm

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

# Probability with which a certificate may be wrong, for every clip by itself.
ALPHA = 0.001
# Noisy copies that guess the class, n₀, and those that are counted for it, n.
GUESSES, DRAWS = 100, 1000
ABSTAINED = -1
# Rows that go through the classifier together.
_ROWS = 128


@dataclass(frozen=True, eq=False)
class Certificates:
    """Certificates of clips; all fields are `[N]`.

    Attributes:
        prediction: The class voted for, `ABSTAINED` where the vote does not settle it.
        radius: In l2, in units of the input; 0 where it abstained.
        votes: Of n noisy copies, those that agree with the guess.
    """

    prediction: npt.NDArray[np.int32]
    radius: npt.NDArray[np.float32]
    votes: npt.NDArray[np.int32]


def certify(
    classify: Callable[[torch.Tensor], torch.Tensor],
    inputs: torch.Tensor,
    sigma: float,
    classes: int,
    *,
    guesses: int = GUESSES,
    draws: int = DRAWS,
) -> Certificates:
    """Certify clips.

    Args:
        classify: Logits `[m, K]` of inputs `[m, ...]`, each with its own Gaussian noise.
        inputs: `[N, ...]`.
        sigma: Standard deviation of that noise.
        classes: K.
        guesses: n₀.
        draws: n.
    """
    guess, votes = [], []
    for clip in inputs:
        first = _counts(classify, clip, guesses, classes).argmax()
        guess.append(int(first))
        votes.append(int(_counts(classify, clip, draws, classes)[first]))
    counted = np.asarray(votes)
    radius = sigma * norm.ppf(lowest_share(counted, draws))
    settled = radius > 0
    return Certificates(
        prediction=np.where(settled, np.asarray(guess), ABSTAINED).astype(np.int32),
        radius=np.where(settled, radius, 0.0).astype(np.float32),
        votes=counted.astype(np.int32),
    )


def lowest_share(votes: npt.NDArray[Any], draws: int) -> npt.NDArray[np.float64]:
    """Lower end of the one-sided interval of a share at confidence 1 − α (Clopper and Pearson 1934)."""
    votes = np.asarray(votes, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        low = beta.ppf(ALPHA, votes, draws - votes + 1)
    return np.where(votes > 0, low, 0.0)


def _counts(
    classify: Callable[[torch.Tensor], torch.Tensor], clip: torch.Tensor, draws: int, classes: int
) -> npt.NDArray[np.int64]:
    counts = torch.zeros(classes, dtype=torch.int64, device=clip.device)
    with torch.inference_mode():
        for start in range(0, draws, _ROWS):
            copies = clip.expand(min(_ROWS, draws - start), *clip.shape)
            counts += torch.bincount(classify(copies).argmax(dim=1), minlength=classes)
    return counts.cpu().numpy()
