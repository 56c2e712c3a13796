"""Measures of how near a reconstruction is to a clip."""

from __future__ import annotations

import torch
from torch.nn import functional

# Side of the window and the two constants of Wang et al. 2004, §III.B.
_WINDOW = 7
_K1, _K2 = 0.01, 0.03


def mean_squared_error(clips: torch.Tensor, rebuilt: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of waveforms `[n, T]`, per clip."""
    return (clips - rebuilt).square().mean(dim=1)


def structural_similarity(pictures: torch.Tensor, rebuilt: torch.Tensor) -> torch.Tensor:
    """Structural similarity (Wang et al. 2004, Eq. 13) of pictures `[n, H, W]`, per clip; 1 means equal.

    Uniform windows of 7×7 that lie wholly inside, sample covariances, and as dynamic range the joint maximum
    minus the joint minimum of the two pictures.
    """
    window = min(_WINDOW, *pictures.shape[1:])
    both = torch.stack([pictures, rebuilt]).double()
    spread = both.amax(dim=(0, 2, 3)) - both.amin(dim=(0, 2, 3))
    first, second = both[:, :, None]
    unbiased = window**2 / (window**2 - 1)

    def local(values: torch.Tensor) -> torch.Tensor:
        return functional.avg_pool2d(values, window, stride=1)

    mean_1, mean_2 = local(first), local(second)
    variances = unbiased * (local(first**2) - mean_1**2 + local(second**2) - mean_2**2)
    covariance = unbiased * (local(first * second) - mean_1 * mean_2)
    # Two equal pictures without any contrast have a range of 0, and are still equal.
    spread = spread.clamp_min(torch.finfo(spread.dtype).tiny ** 0.25)[:, None, None, None]
    c1, c2 = (_K1 * spread) ** 2, (_K2 * spread) ** 2
    luminance = (2 * mean_1 * mean_2 + c1) / (mean_1**2 + mean_2**2 + c1)
    structure = (2 * covariance + c2) / (variances + c2)
    similarity: torch.Tensor = (luminance * structure).mean(dim=(1, 2, 3)).to(pictures.dtype)
    return similarity
