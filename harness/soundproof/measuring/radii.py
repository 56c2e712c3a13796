"""Attacks that take one radius for all clips, in balls with a radius for each: radius by radius."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from soundproof.victim.ball import Ball

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from soundproof.contract.components import BoundedAttack
    from soundproof.victim.metered import Victim

    # Rows of clips that have the same radius, int64.
    Alike = list[torch.Tensor]


def perturb(attack: BoundedAttack, victim: Victim, ball: Ball, generator: torch.Generator) -> Any:
    """What an attack makes of every clip within its ball, `[n, ...]`.

    An attack that does not take radii by clip gets the clips of each radius as a batch of their own, which costs
    as many passes a clip and, where all radii differ, as many batches as clips.
    """
    alike = _alike(attack, ball)
    if alike is None:
        return attack.perturb(victim, ball, generator)
    parts = [attack.perturb(victim.select(rows), _shared(ball, rows), generator) for rows in alike]
    return _joined(parts, alike, victim)


def climb(
    attack: BoundedAttack, victim: Victim, balls: Sequence[Ball], generator: torch.Generator
) -> Iterator[Any]:
    """The same of balls from small to large, whose radii have the same proportions among clips."""
    alike = _alike(attack, balls[0])
    if alike is None:
        yield from attack.climb(victim, iter(balls), generator)
        return
    climbs = [attack.climb(victim.select(rows), _each(balls, rows), generator) for rows in alike]
    for parts in zip(*climbs, strict=True):
        yield _joined(parts, alike, victim)


def _alike(attack: BoundedAttack, ball: Ball) -> Alike | None:
    """Rows by radius; None where the attack takes the ball as it is."""
    if attack.radius_per_clip or isinstance(ball.radius, (int, float)):
        return None
    radii, group = torch.unique(ball.radius, return_inverse=True)
    return [(group == number).nonzero()[:, 0] for number in range(len(radii))]


def _shared(ball: Ball, rows: torch.Tensor) -> Ball:
    assert not isinstance(ball.radius, (int, float))
    return Ball(ball.norm, float(ball.radius[rows[0]]))


def _each(balls: Sequence[Ball], rows: torch.Tensor) -> Iterator[Ball]:
    return (_shared(ball, rows) for ball in balls)


def _joined(parts: Sequence[Any], alike: Alike, victim: Victim) -> Any:
    """The parts in the order of the clips; a part that is no such thing is passed on for the judge to refuse."""
    joined = victim.clean.clone()
    for part, rows in zip(parts, alike, strict=True):
        fits = isinstance(part, torch.Tensor) and part.shape == joined[rows].shape and part.dtype == joined.dtype
        if not fits:
            return part
        joined[rows] = part.detach()
    return joined
