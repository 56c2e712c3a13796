"""Promises of attacks: ball and box, counts, randomness, and that clips do not see each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.conformance.closed import Flat, Hyperplane, Smooth
from soundproof.conformance.promises import InapplicableError, Promises, numpy_state, promise, require
from soundproof.contract.components import BoundedAttack, MinimumNormAttack
from soundproof.measuring.judge import check_examples
from soundproof.types import Access, Norm, Surface
from soundproof.victim.ball import Ball
from soundproof.victim.goal import Goal
from soundproof.victim.metered import Victim
from soundproof.victim.seal import Seal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

SHAPES = {"image": (2, 6, 5), "waveform": (1, 24), "vector": (9,)}
# Of attacks that work on sound alone.
SOUND, RATE = (1, 2400), 8000
RADII = (0.0, 1e-3, 0.3, 3.0)
_UNPROJECTED = "end with ball.project(images, victim.clean)"


@dataclass(frozen=True, eq=False)
class _Ran:
    victim: Victim
    examples: torch.Tensor


class AttackPromises(Promises):
    """Promises of an attack."""

    component: BoundedAttack | MinimumNormAttack

    @property
    def _shapes(self) -> Sequence[tuple[int, ...]]:
        """Shapes of clips that it works on, the usual one first."""
        return [SOUND] if self.component.surface is Surface.WAVEFORM else list(SHAPES.values())

    @property
    def _shape(self) -> tuple[int, ...]:
        return self._shapes[0]

    def _clean(self, shape: Sequence[int], clips: int = 5) -> torch.Tensor:
        """Clips with values at both ends of the box and between, as spectrograms with a floor have."""
        drawn = torch.rand(clips, *shape, generator=torch.Generator().manual_seed(clips))
        return (drawn * 1.4 - 0.2).clamp(0, 1).to(self.given.device)

    def _attack(self, module: nn.Module, clean: torch.Tensor, ball: Ball | None = None, seed: int = 0) -> _Ran:
        """Run it as the harness does; targeted attacks aim at the class after the label."""
        module = module.to(self.given.device).eval()
        with torch.no_grad():
            logits = module(clean)
        labels = logits.argmax(dim=1)
        classes = 2 if isinstance(module, Hyperplane) else logits.shape[1]
        targets = (labels + 1) % classes if self.component.is_targeted else None
        victim = Victim(module, clean.clone(), Goal(labels, targets), rate=RATE)
        generator = torch.Generator(self.given.device).manual_seed(seed)
        if isinstance(self.component, BoundedAttack):
            found = self.component.perturb(victim, ball or Ball(Norm.L2, 0.5), generator)
        else:
            found = self.component.minimise(victim, generator)
        return _Ran(victim, found)

    @cached_property
    def _usual(self) -> _Ran:
        shape = self._shape
        return self._attack(Smooth(shape), self._clean(shape, 8))

    @promise(_UNPROJECTED)
    def examples_are_valid_in_every_domain(self) -> None:
        """It returns finite images of the given shape and type in [0, 1], for images, waveforms and vectors."""
        for shape in self._shapes:
            clean = self._clean(shape)
            check_examples(self._attack(Smooth(shape), clean).examples, clean, None)

    @promise(_UNPROJECTED)
    def the_ball_is_kept(self) -> None:
        """It stays in the ball, whatever its norm and radius; a radius of 0 leaves every clip as it is."""
        if not isinstance(self.component, BoundedAttack):
            raise InapplicableError("it has no radius")
        shape = self._shape
        clean = self._clean(shape)
        for norm in Norm:
            for radius in RADII:
                ball = Ball(norm, radius)
                found = check_examples(self._attack(Smooth(shape), clean, ball).examples, clean, ball)
                require(radius > 0 or torch.equal(found, clean), "with radius 0 it changes clips", _UNPROJECTED)

    @promise("with a zero gradient take no step; divide by nothing that can be zero")
    def vanishing_gradients_are_survived(self) -> None:
        """On a classifier whose gradients are exactly zero it returns valid images."""
        clean = self._clean(self._shape)
        check_examples(self._attack(Flat(), clean).examples, clean, None)

    @promise("raise planned_gradients and planned_queries, which count backward and forward rows a clip")
    def costs_are_what_was_planned(self) -> None:
        """No clip costs more gradients or queries than planned, and only white-box attacks use gradients."""
        shape = self._shape
        for module in (Smooth(shape), Flat()):
            ledger = self._attack(module, self._clean(shape, 8)).victim.ledger
            for name in ("gradients", "queries"):
                spent, planned = getattr(ledger, name).max(), getattr(self.component, f"planned_{name}")
                require(
                    spent <= planned,
                    f"a clip cost {spent:.4g} {name} where planned_{name} is {planned}",
                    f"raise planned_{name}, or spend less",
                )
            require(
                self.component.access is Access.WHITE_BOX or not ledger.gradients.any(),
                f"it is {self.component.access} and used gradients",
                "declare access = Access.WHITE_BOX, or do without",
            )

    @promise("raise ladder_gradients and ladder_queries, or leave climb, which calls perturb, as it is")
    def climbing_costs_what_was_planned(self) -> None:
        """A climb over several radii makes valid examples for each and costs at most what was planned for it."""
        if not isinstance(self.component, BoundedAttack):
            raise InapplicableError("it has no radius")
        shape = self._shape
        clean, module = self._clean(shape, 8), Smooth(shape).to(self.given.device).eval()
        labels = module(clean).argmax(dim=1)
        targets = (labels + 1) % 4 if self.component.is_targeted else None
        victim = Victim(module, clean.clone(), Goal(labels, targets), rate=RATE)
        balls = [Ball(Norm.L2, 0.01 * 1.5**rung) for rung in range(3)]
        generator = torch.Generator(self.given.device).manual_seed(0)
        found = list(self.component.climb(victim, iter(balls), generator))
        require(len(found) == 3, f"{len(found)} sets of examples for 3 balls", "yield one for every ball")
        for ball, images in zip(balls, found, strict=True):
            check_examples(images, clean, ball)
        for name in ("gradients", "queries"):
            spent, planned = getattr(victim.ledger, name).max(), getattr(self.component, f"ladder_{name}")(3)
            require(
                spent <= planned,
                f"a clip cost {spent:.4g} {name} where ladder_{name}(3) is {planned}",
                f"raise ladder_{name}",
            )

    @promise("work on victim.clean.clone(), and change no weight, mode or hook of the victim")
    def the_victim_is_left_alone(self) -> None:
        """Clean clips, labels and classifier are afterwards what they were."""
        shape = self._shape
        module, clean = Smooth(shape).to(self.given.device).eval(), self._clean(shape)
        seal = Seal(module)
        victim = self._attack(module, clean).victim
        require(victim.untouched, "it changed victim.clean in place", "work on victim.clean.clone()")
        require(
            torch.equal(victim.labels, module(clean).argmax(dim=1)), "it changed victim.labels", "work on a clone"
        )
        broken = seal.broken(module)
        require(broken is None, f"the classifier changed: {broken}", "leave it as it is")

    @promise("draw from the generator that is given, and from no other")
    def the_generator_is_the_only_chance(self) -> None:
        """The same generator gives the same bytes, and the global ones of torch and NumPy are left alone."""
        shape = self._shape
        states = torch.get_rng_state(), numpy_state()
        clean = self._clean(shape, 8)
        again = [self._attack(Smooth(shape), clean, seed=3).examples for _ in range(2)]
        left = torch.equal(torch.get_rng_state(), states[0])
        require(left, "it drew from torch's global generator", "pass generator=generator to torch's functions")
        require(
            numpy_state() == states[1],
            "it drew from NumPy's global generator",
            "draw from the generator that is given",
        )
        require(torch.equal(*again), "two runs with the same seed differ", "draw from the generator")

    @promise("compute row by row: no mean, maximum or early stop over the batch")
    def a_clip_does_not_see_its_batch(self) -> None:
        """Without randomness a clip's example is the same in any order of the batch, and in a part of it."""
        shape = self._shape
        clean, module = self._clean(shape, 8), Smooth(shape)
        first, other = (self._attack(module, clean, seed=seed) for seed in (0, 1))
        # What it looked at, too: a random search that finds nothing returns the same.
        looked, again = (ran.victim.trace.table().score for ran in (first, other))
        if not torch.equal(first.examples, other.examples) or not np.array_equal(looked, again):
            raise InapplicableError("it is random, and draws for the whole batch")
        for words, rows in (("another order", [5, 2, 7, 0, 3, 6, 1, 4]), ("a batch of three", [6, 1, 3])):
            worst = self._difference(module, clean, rows)
            if worst >= 1e-3:
                # A line search, say, amplifies rounding, which depends on the size of the batch.
                worst = self._difference(Smooth(shape).double(), clean.double(), rows)
            require(worst < 1e-3, f"in {words} examples differ by {worst:.2g}", "compute row by row")

    def _difference(self, module: nn.Module, clean: torch.Tensor, rows: list[int]) -> float:
        """Largest difference of some clips' examples when others are not there, or stand elsewhere."""
        whole, part = (self._attack(module, images).examples for images in (clean, clean[rows]))
        return (part - whole[rows]).abs().max().item()

    @promise("take the label from victim.goal: an example counts if goal.met(victim(images))")
    def a_hyperplane_is_no_nearer_than_it_is(self) -> None:
        """On a linear classifier, at any scale of its inputs, nothing fools from nearer than its hyperplane is."""
        shape = self._shape
        clean = self._clean(shape, 8)
        for scale, offset in ((1.0, 0.0), (255.0, -3.0)):
            module = Hyperplane(math.prod(self._shape), scale, offset)
            ran = self._attack(module, clean, Ball(Norm.L2, 3.0))
            moved = module(ran.examples).argmax(dim=1) != ran.victim.labels
            sizes = Ball(Norm.L2, 0.0).sizes(ran.examples - clean)
            short = moved & (sizes < 0.999 * module.distance(clean) - 1e-4 * max(1.0, abs(offset) / scale))
            require(not short.any(), "fooled from too near", "see that labels are those of the goal")

    @promise("normalise gradients: a step must not depend on the range that the classifier works on")
    def the_scale_of_the_inputs_does_not_matter(self) -> None:
        """A minimum-norm attack finds perturbations of the same size where the classifier rescales its inputs."""
        if not isinstance(self.component, MinimumNormAttack) or self.component.access is not Access.WHITE_BOX:
            raise InapplicableError("it has a radius, or does without gradients")
        shape = self._shape
        clean = self._clean(shape, 8)
        sizes = []
        for scale, offset in ((1.0, 0.0), (255.0, -3.0)):
            module = Hyperplane(math.prod(self._shape), scale, offset)
            ran = self._attack(module, clean)
            # What it met on its way counts: a wanted confidence depends on the scale of the logits.
            table = ran.victim.trace.table()
            smallest = np.full(len(clean), np.inf)
            np.minimum.at(smallest, table.clip[table.met > 0], table.l2[table.met > 0])
            sizes.append(torch.from_numpy(smallest))
        both = torch.isfinite(sizes[0]) & torch.isfinite(sizes[1])
        require(
            both.any() or not torch.isfinite(torch.cat(sizes)).any(),
            "it fools at one scale and never at the other",
            "normalise gradients",
        )
        ratio = (sizes[1] / sizes[0])[both]
        worst = torch.maximum(ratio, 1 / ratio).max().item() if both.any() else 1.0
        # An attack that wants some confidence stops at another place; one that is off is off by the scale, 255.
        require(worst < 4, f"perturbations are {worst:.3g} times as large at another scale", "normalise gradients")
