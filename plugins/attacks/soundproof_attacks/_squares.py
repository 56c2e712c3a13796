"""Random squares: where Square Attack begins and where it looks next (Andriushchenko et al. 2020).

Pictures are `[n, C, H, W]`; a picture of height 1 has intervals for squares. All clips of a batch draw windows
of one size, each at a place of its own.
"""

from __future__ import annotations

import math

import torch

from soundproof import Ball, Norm, column

# The iterations, of 10 000, at which the share of changed values halves, as in the authors' code.
HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
# Tiles along each axis of the pattern that the l2 search begins with.
TILES = 5
# The shortest side of a window, as in the authors' code: in l2 smaller ones hold no hill beside a hollow.
LEAST = {Norm.LINF: 1, Norm.L2: 3}
_TINY = 1e-12
_CANCELLED = 1e-3


def share_at(first: float, query: int, queries: int) -> float:
    """The share of values that a window covers at one of so many queries."""
    progress = query / queries * 10_000
    return first * 0.5 ** sum(progress > halving for halving in HALVINGS)


def begin(ball: Ball, clean: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Stripes in l∞, tiles in l2, of random signs, as large as the ball allows."""
    n, channels, height, width = clean.shape
    if ball.norm is Norm.LINF:
        delta = _signs((n, channels, 1, width), clean, generator).expand_as(clean)
        return ball.project(clean + ball.ascent(delta), clean)
    tall, wide = max(1, height // TILES), max(1, width // TILES)
    down, across = height // tall, width // wide
    tile = pattern(tall, wide).to(clean)
    signs = _signs((n, channels, down, across), clean, generator)
    delta = torch.zeros_like(clean)
    top, left = (height - down * tall) // 2, (width - across * wide) // 2
    delta[:, :, top : top + down * tall, left : left + across * wide] = torch.kron(signs, tile[None, None])
    return ball.project(clean + ball.ascent(delta), clean)


def move(
    ball: Ball, images: torch.Tensor, clean: torch.Tensor, share: float, generator: torch.Generator
) -> torch.Tensor:
    """The images with one window of each redrawn (Algorithms 2 and 3)."""
    n, channels, height, width = clean.shape
    size = _window(share, height, width, LEAST[ball.norm])
    place = _Windows(clean, size, generator)
    signs = _signs((n, channels, 1, 1), clean, generator)
    if ball.norm is Norm.LINF:
        redrawn = clean + ball.ascent(signs.expand_as(clean))
        return ball.project(torch.where(place.inside, redrawn, images), clean)
    return _move_l2(ball, images, clean, place, _Windows(clean, size, generator), signs, generator)


def _move_l2(
    ball: Ball,
    images: torch.Tensor,
    clean: torch.Tensor,
    place: _Windows,
    source: _Windows,
    signs: torch.Tensor,
    generator: torch.Generator,
) -> torch.Tensor:
    """Empty the source window, and spend its norm and what the ball has left on a new pattern at the place."""
    delta = images - clean
    flip = bool(torch.randint(0, 2, (1,), generator=generator, device=clean.device))
    shape = place.size
    drawn = pattern(shape[1], shape[0]).T if flip and min(shape) > 1 else pattern(*shape)
    old = delta * place.inside
    fresh = place.put(drawn.to(clean)) * signs
    direction = fresh + old / _norms(old).clamp_min(_TINY)
    # In a window of one value the two may cancel.
    direction = torch.where(_norms(direction) > _CANCELLED, direction, fresh)
    direction = direction / _norms(direction)
    either = place.inside | source.inside
    radius = torch.as_tensor(ball.radius, dtype=clean.dtype, device=clean.device)
    unused = (radius.square() - delta.flatten(1).square().sum(dim=1)).clamp_min(0.0)
    available = (_norms(delta * either).square() + column(unused, clean) / clean.shape[1]).sqrt()
    return ball.project(clean + torch.where(either, direction * available, delta), clean)


def pattern(height: int, width: int) -> torch.Tensor:
    """η, a hill beside a hollow, of norm 1, `[height, width]`."""
    whole = torch.cat([_hill(height, width // 2), -_hill(height, width - width // 2)], dim=1)
    whole /= whole.norm()
    return whole


def _hill(height: int, width: int) -> torch.Tensor:
    """Rings around the middle; from the rim, numbered n + 1, ring k adds 1/k² to all inside of it."""
    rows = (torch.arange(height) - height // 2).abs()[:, None]
    columns = (torch.arange(width) - width // 2).abs()[None, :]
    rings = torch.arange(1, max(height, width) // 2 + 2)
    heights = (1 / rings.square()).flip(0).cumsum(0).flip(0)
    return heights[torch.maximum(rows, columns)]


def _window(share: float, height: int, width: int, least: int) -> tuple[int, int]:
    """Height and width, at least `least`, of the most nearly square window that covers a share of a picture."""
    area = share * height * width
    tall = min(max(round(math.sqrt(area)), least), height)
    return tall, min(max(round(area / tall), least), width)


class _Windows:
    """Windows of one size at random places, one a clip.

    Attributes:
        size: Height and width.
        inside: bool `[n, 1, H, W]`.
    """

    def __init__(self, like: torch.Tensor, size: tuple[int, int], generator: torch.Generator) -> None:
        self.size = size
        offsets = []
        for whole, extent in zip(like.shape[2:], size, strict=True):
            corner = torch.randint(0, whole - extent + 1, (len(like), 1), generator=generator, device=like.device)
            offsets.append(torch.arange(whole, device=like.device) - corner)
        self._down, self._across = offsets
        tall, wide = ((o >= 0) & (o < extent) for o, extent in zip(offsets, size, strict=True))
        self.inside = (tall[:, :, None] & wide[:, None, :])[:, None]

    def put(self, drawn: torch.Tensor) -> torch.Tensor:
        """A picture of the window's size at each clip's place, zero elsewhere, `[n, 1, H, W]`."""
        down = self._down.clamp(0, self.size[0] - 1)[:, :, None]
        across = self._across.clamp(0, self.size[1] - 1)[:, None, :]
        return drawn[down, across][:, None] * self.inside


def _norms(delta: torch.Tensor) -> torch.Tensor:
    """The l2 norm of every channel, `[n, C, 1, 1]`."""
    return delta.square().sum(dim=(2, 3), keepdim=True).sqrt()


def _signs(shape: tuple[int, ...], like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Even draws of −1 and 1."""
    return torch.randint(0, 2, shape, generator=generator, device=like.device).to(like.dtype) * 2 - 1
