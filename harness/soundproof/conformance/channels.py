"""Promises of channels: sounds of the same length in range, and chance from the generator alone."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from soundproof.conformance.promises import InapplicableError, Promises, promise, require
from soundproof.conformance.representations import KINDS, sound

if TYPE_CHECKING:
    from soundproof.contract.components import Channel

RATE, SAMPLES = 16_000, 16_000


class ChannelPromises(Promises):
    """Promises of a channel."""

    component: Channel

    @cached_property
    def clips(self) -> torch.Tensor:
        """A clip of each kind of sound."""
        reason = self.component.reason_to_skip(RATE, SAMPLES)
        if reason is not None:
            raise InapplicableError(reason)
        return torch.stack([sound(kind, SAMPLES, seed) for seed, kind in enumerate(KINDS)])

    def _carried(self, clips: torch.Tensor, seed: int = 4) -> Any:
        return self.component.carry(clips, RATE, torch.Generator().manual_seed(seed))

    @promise("return a tensor like the waveforms, in [-1, 1]; clamp what becomes louder")
    def sounds_arrive_finite_in_range_and_of_the_same_length(self) -> None:
        """Float32 `[n, T]`, finite and in [-1, 1], and some clip arrives changed."""
        arrived = self._carried(self.clips)
        require(isinstance(arrived, torch.Tensor), f"carry returned {type(arrived).__name__}", "return a tensor")
        found, due = tuple(arrived.shape), tuple(self.clips.shape)
        require(found == due, f"carry returned {found} where {due} is due", "keep the number and length of clips")
        require(arrived.dtype == torch.float32, f"carry returned {arrived.dtype}", "return float32")
        require(torch.isfinite(arrived).all(), "NaN or infinite samples arrive", "guard divisions")
        loudest = arrived.abs().max().item()
        require(loudest <= 1, f"samples reach {loudest:.4g}", "end with .clamp(-1, 1)")
        require(not torch.equal(arrived, self.clips), "every clip arrives as it was sent", "change something")

    @promise("work on a clone of the waveforms")
    def waveforms_are_left_alone(self) -> None:
        """It writes into no waveform."""
        before = self.clips.clone()
        self._carried(self.clips)
        require(torch.equal(self.clips, before), "it changes waveforms in place", "work on a clone")

    @promise("draw from the generator that is given, and from no other")
    def the_same_generator_gives_the_same_bytes(self) -> None:
        """The same generator gives the same sounds, and torch's global one is left alone."""
        before = torch.random.get_rng_state()
        same = torch.equal(self._carried(self.clips), self._carried(self.clips))
        require(same, "two runs with the same generator differ", "draw from the generator")
        untouched = torch.equal(torch.random.get_rng_state(), before)
        require(untouched, "it drew from torch's global generator", "draw from the generator that is given")

    @promise("draw as often and in the same order whatever clips sound like")
    def what_it_draws_does_not_depend_on_the_sound(self) -> None:
        """Other clips leave the generator in the same state: an attacked copy meets its clip's channel."""
        states = []
        for clips in (self.clips, self.clips.flip(0) * 0.5):
            generator = torch.Generator().manual_seed(4)
            self.component.carry(clips, RATE, generator)
            states.append(generator.get_state())
        require(torch.equal(*states), "what it draws depends on how clips sound", "draw first, then look")

    @promise("set differentiable accordingly; numpy, detach and rounding cut gradients")
    def gradients_flow_if_and_only_if_it_says_so(self) -> None:
        """Gradients of what arrives reach the waveforms if and only if it is `differentiable`."""
        leaf = (0.5 * self.clips[KINDS.index("noise")][None]).requires_grad_()
        arrived = self._carried(leaf)
        slope = None
        if arrived.requires_grad:
            (slope,) = torch.autograd.grad(arrived.square().sum(), leaf, allow_unused=True)
        flows = slope is not None and bool(slope.isfinite().all()) and bool(slope.any())
        says = self.component.differentiable
        require(flows is says, f"differentiable is {says}, and gradients say otherwise", "set it accordingly")
