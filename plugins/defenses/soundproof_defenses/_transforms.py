"""Input transformations that have no useful gradient, or a random one."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from soundproof_defenses._surrogate import soft_step, with_gradient_of

_BLOCK = 8
# Halves may come out smaller by so much.
_ROUNDING_ERROR = 1e-5
# The luminance table of the JPEG standard (ITU-T T.81, Table K.1), for quality 50.
_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


class BitDepth(nn.Module):
    """Rounds values in [0, 1] to 2ᵇ levels, 0 and 1 among them (Xu et al. 2018).

    The backward pass is that of a staircase of logistic curves.
    """

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.steps = 2**bits - 1

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Inputs `[n, ...]`, rounded."""
        levels = inputs * self.steps
        smooth = soft_step(levels - levels.detach().floor() - 0.5) / self.steps
        return with_gradient_of(smooth, levels.round() / self.steps)


class Jpeg(nn.Module):
    """Baseline JPEG of each channel as a grey picture: what it loses, as libjpeg (Dziugaite et al. 2016).

    Discrete cosine transform of 8×8 blocks, coefficients rounded to multiples of the quality's table, back, and
    rounded to 256 levels. Entropy coding loses nothing and is left out, so that batches stay on the device. The
    backward pass is the identity, which is also that of a transform whose roundings are passed straight through.
    """

    basis: torch.Tensor
    table: torch.Tensor

    def __init__(self, quality: int) -> None:
        super().__init__()
        # As the Independent JPEG Group's library scales the table.
        scale = 5000 // quality if quality < 50 else 200 - 2 * quality
        table = ((torch.tensor(_LUMINANCE) * scale + 50) // 100).clamp(1, 255)
        place = torch.arange(_BLOCK)
        basis = torch.cos((2 * place[None] + 1) * place[:, None] * math.pi / (2 * _BLOCK)) / 2
        basis[0] /= math.sqrt(2)
        self.register_buffer("table", table.float(), persistent=False)
        self.register_buffer("basis", basis, persistent=False)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures `[n, C, H, W]` in [0, 1], decoded again."""
        return with_gradient_of(pictures, self._coded(pictures.detach()))

    def _coded(self, pictures: torch.Tensor) -> torch.Tensor:
        height, width = pictures.shape[2:]
        # The last row and column are repeated up to whole blocks.
        whole = functional.pad(pictures, (0, -width % _BLOCK, 0, -height % _BLOCK), mode="replicate")
        blocks = (whole * 255).round() - 128
        blocks = torch.unflatten(torch.unflatten(blocks, 3, (-1, _BLOCK)), 2, (-1, _BLOCK)).transpose(3, 4)
        coefficients = self.basis @ blocks @ self.basis.T
        kept = _away_from_zero(coefficients / self.table) * self.table
        decoded = (self.basis.T @ kept @ self.basis + 128).round().clamp(0, 255) / 255
        return decoded.transpose(3, 4).flatten(4, 5).flatten(2, 3)[:, :, :height, :width]


def _away_from_zero(values: torch.Tensor) -> torch.Tensor:
    """The nearest whole numbers, halves away from zero as in libjpeg: blocks of 256 levels give many of them."""
    return values.sign() * (values.abs() + 0.5 + _ROUNDING_ERROR).floor()


class CropRescale(nn.Module):
    """A random window of each picture, stretched to its size (Guo et al. 2018); exact gradients of each draw.

    Bilinear, as a product with two matrices a picture, whose gradient is the same bytes every time on a GPU too.
    Windows are drawn from torch's global generator, in every pass.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures `[n, C, H, W]`, each through its own window."""
        rows, columns = (self._window(pictures, dim) for dim in (2, 3))
        return rows[:, None] @ pictures @ columns[:, None].mT

    def _window(self, pictures: torch.Tensor, dim: int) -> torch.Tensor:
        """Weights `[n, L, L]` of the L values along a dimension in each of L places of the window."""
        length = pictures.shape[dim]
        places = torch.arange(length, device=pictures.device)
        start = torch.rand(len(pictures), 1, device=pictures.device) * (1 - self.share) * (length - 1)
        positions = start + self.share * places
        return (1 - (positions[:, :, None] - places).abs()).clamp_min(0)
