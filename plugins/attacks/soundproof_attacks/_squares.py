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

# The clips, channels, rows and columns of windows, as an index.
_Windows = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def share_at(first: float, proposal: int, queries: int) -> float:
    """The share of values that a window covers in a proposal, numbered from 0, when there are so many queries."""
    progress = proposal / queries * 10_000
    return first * 0.5 ** sum(progress > halving for halving in HALVINGS)


def begin(ball: Ball, clean: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Stripes in l∞, tiles in l2, of random signs, as large as the ball allows."""
    n, channels, height, width = clean.shape
    if ball.norm is Norm.LINF:
        delta = _signs((n, channels, 1, width), clean, generator).expand_as(clean)
        return ball.project(clean + ball.ascent(delta), clean)
    tall, wide = max(1, height // TILES), max(1, width // TILES)
    down, across = height // tall, width // wide
    tile = pattern(tall, wide, clean.device)
    signs = _signs((n, channels, down, across), clean, generator)
    delta = torch.zeros_like(clean)
    top, left = (height - down * tall) // 2, (width - across * wide) // 2
    delta[:, :, top : top + down * tall, left : left + across * wide] = torch.kron(signs, tile[None, None])
    return ball.project(clean + ball.ascent(delta), clean)


def move(
    ball: Ball, images: torch.Tensor, clean: torch.Tensor, share: float, generator: torch.Generator
) -> torch.Tensor:
    """The images with one window of each redrawn (Algorithms 2 and 3)."""
    _, channels, height, width = clean.shape
    size = _window(share, height, width, LEAST[ball.norm])
    place = _windows(clean, size, generator)
    signs = _signs((len(clean), channels, 1, 1), clean, generator)
    delta = images - clean
    if ball.norm is Norm.LINF:
        delta[place] = ball.ascent(signs)
    else:
        source = _windows(clean, size, generator)
        flip = torch.randint(0, 2, (1,), generator=generator, device=clean.device) > 0
        drawn = pattern(*size, clean.device)
        if min(size) > 1:
            drawn = torch.where(flip, pattern(size[1], size[0], clean.device).T, drawn)
        _shift(ball, delta, place, source, drawn * signs)
    return ball.project(clean + delta, clean)


def _shift(ball: Ball, delta: torch.Tensor, place: _Windows, source: _Windows, fresh: torch.Tensor) -> None:
    """Empty the source window, and spend its norm and what the ball has left on a new pattern at the place."""
    radius = torch.as_tensor(ball.radius, dtype=delta.dtype, device=delta.device)
    unused = (radius.square() - delta.flatten(1).square().sum(dim=1)).clamp_min(0.0)
    old = delta[place]
    delta[place] = 0.0  # what lies in both windows counts once
    available = _norms(old).square() + _norms(delta[source]).square() + column(unused, delta) / delta.shape[1]
    delta[source] = 0.0
    direction = fresh + old / _norms(old).clamp_min(_TINY)
    # In a window of one value the two may cancel.
    direction = torch.where(_norms(direction) > _CANCELLED, direction, fresh)
    delta[place] = direction * (available.sqrt() / _norms(direction))


def pattern(height: int, width: int, device: torch.device | None = None) -> torch.Tensor:
    """η, a hill beside a hollow, of norm 1, float32 `[height, width]`."""
    halves = _hill(height, width // 2, device), -_hill(height, width - width // 2, device)
    whole = torch.cat(halves, dim=1)
    whole /= whole.norm()
    return whole


def _hill(height: int, width: int, device: torch.device | None) -> torch.Tensor:
    """Rings around the middle; from the rim, numbered n + 1, ring k adds 1/k² to all inside of it."""
    rows = (torch.arange(height, device=device) - height // 2).abs()[:, None]
    columns = (torch.arange(width, device=device) - width // 2).abs()[None, :]
    rings = torch.arange(1, max(height, width) // 2 + 2, device=device)
    heights = (1 / rings.square()).flip(0).cumsum(0).flip(0)
    return heights[torch.maximum(rows, columns)]


def _window(share: float, height: int, width: int, least: int) -> tuple[int, int]:
    """Height and width, at least `least`, of the most nearly square window that covers a share of a picture."""
    area = share * height * width
    tall = min(max(round(math.sqrt(area)), least), height)
    return tall, min(max(round(area / tall), least), width)


def _windows(like: torch.Tensor, size: tuple[int, int], generator: torch.Generator) -> _Windows:
    """Windows of one height and width at random places, one a clip: `like[…]` is `[n, C, h, w]`."""
    n, channels, *whole = like.shape
    corners = [
        torch.randint(0, side - extent + 1, (n, 1), generator=generator, device=like.device)
        for side, extent in zip(whole, size, strict=True)
    ]
    down, across = (
        corner + torch.arange(extent, device=like.device) for corner, extent in zip(corners, size, strict=True)
    )
    clips, maps = (torch.arange(count, device=like.device) for count in (n, channels))
    return clips[:, None, None, None], maps[:, None, None], down[:, None, :, None], across[:, None, None, :]


def _norms(delta: torch.Tensor) -> torch.Tensor:
    """The l2 norm of every channel, `[n, C, 1, 1]`."""
    return delta.square().sum(dim=(2, 3), keepdim=True).sqrt()


def _signs(shape: tuple[int, ...], like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Even draws of −1 and 1."""
    return torch.randint(0, 2, shape, generator=generator, device=like.device).to(like.dtype) * 2 - 1
