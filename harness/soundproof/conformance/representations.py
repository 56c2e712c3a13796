"""Promises of representations: the box, the shape, and gradients where they are said."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.conformance.promises import InapplicableError, Promises, promise, require

if TYPE_CHECKING:
    from torch import nn

    from soundproof.contract.components import Representation

# The first of these that a representation can take.
LENGTHS = (3000, 16_000, 100_000)
SMALL = (16, 24)


def sound(kind: str, samples: int, seed: int = 0) -> torch.Tensor:
    """A generated clip, float32 `[samples]` in [-1, 1]."""
    rng = np.random.default_rng(seed)
    noise = rng.uniform(-1, 1, samples)
    made = {
        "silence": np.zeros(samples),
        "impulse": np.eye(1, samples, int(rng.integers(samples)))[0],
        "clipping": np.clip(5 * noise, -1, 1),
        "tone": np.sin(np.pi * rng.uniform(0.01, 0.9) * np.arange(samples)),
        "noise": 0.3 * noise,
        "quiet": 1e-4 * noise,
        "offset": 0.5 + 0.01 * noise,
    }
    return torch.from_numpy(made[kind].astype(np.float32))


KINDS = ("silence", "impulse", "clipping", "tone", "noise", "quiet", "offset")


class RepresentationPromises(Promises):
    """Promises of a representation; one with a parameter `size` is tried on small pictures."""

    @cached_property
    def representation(self) -> Representation:
        """The component, in small pictures where it has a size."""
        sized = "size" in self.component.parameters()
        small: Representation = dataclasses.replace(self.component, size=SMALL) if sized else self.component
        return small

    @cached_property
    def samples(self) -> int:
        """Length of the clips that are tried."""
        possible = [n for n in LENGTHS if self.representation.reason_to_skip(n) is None]
        if not possible:
            raise InapplicableError(f"it takes no clips of {', '.join(map(str, LENGTHS))} samples")
        return possible[0]

    @cached_property
    def waveforms(self) -> torch.Tensor:
        """A clip of each kind of sound."""
        clips = [sound(kind, self.samples, seed) for seed, kind in enumerate(KINDS)]
        return torch.stack(clips).to(self.given.device)

    def _fit(self, waveforms: torch.Tensor) -> nn.Module:
        return self.representation.fit(waveforms).to(self.given.device)

    @cached_property
    def module(self) -> nn.Module:
        """Fitted to all clips but the last two."""
        return self._fit(self.waveforms[:-2])

    @cached_property
    def inputs(self) -> torch.Tensor:
        """What it makes of all."""
        made: torch.Tensor = self.module(self.waveforms)
        return made

    @promise("scale to [0, 1] with a clamp at the end, and return what shape(samples) promises")
    def inputs_are_in_the_box_and_of_the_promised_shape(self) -> None:
        """Finite float32 in [0, 1], `[n, *shape(samples)]`, for silence, clipping, impulses and noise alike."""
        due = (len(KINDS), *self.representation.shape(self.samples))
        found = tuple(self.inputs.shape)
        require(found == due, f"inputs {found} where shape({self.samples}) promises {due}", "make them agree")
        require(self.inputs.dtype == torch.float32, f"inputs are {self.inputs.dtype}", "return float32")
        finite = torch.isfinite(self.inputs).flatten(1).all(dim=1)
        broken = ", ".join(kind for kind, good in zip(KINDS, finite.tolist(), strict=True) if not good)
        require(
            not broken, f"NaN or infinite values for {broken}", "guard divisions and logarithms against silence"
        )
        low, high = self.inputs.min().item(), self.inputs.max().item()
        require(low >= 0 and high <= 1, f"values span [{low:.4g}, {high:.4g}]", "scale and clamp to [0, 1]")

    @promise("compute row by row: no maximum or mean over the batch")
    def a_clip_s_input_does_not_depend_on_its_batch(self) -> None:
        """A clip alone gives the same bytes as in a batch."""
        alone = torch.cat([self.module(clip[None]) for clip in self.waveforms])
        require(torch.equal(self.inputs, alone), "a clip's input depends on its batch", "compute row by row")

    @promise("draw nothing at random")
    def the_same_clips_give_the_same_bytes(self) -> None:
        """Fitting again to the same clips gives the same inputs."""
        again = self._fit(self.waveforms[:-2])(self.waveforms)
        require(torch.equal(self.inputs, again), "two fits to the same clips differ", "draw nothing at random")

    @promise("work on a clone of the waveforms")
    def waveforms_are_left_alone(self) -> None:
        """It writes into no waveform, with and without gradients, and computes the same in both."""
        before = self.waveforms.clone()
        recorded = self.module(self.waveforms[:3].clone().requires_grad_())
        with torch.inference_mode():
            plain = self.module(self.waveforms[:3])
        require(torch.equal(self.waveforms, before), "it changes waveforms in place", "work on a clone")
        require(
            torch.allclose(plain, recorded, atol=1e-5), "it computes otherwise without gradients", "do not branch"
        )

    @promise("set fitted = True if fit looks at the training clips, and only then")
    def only_a_fitted_one_looks_at_the_training_clips(self) -> None:
        """What it makes depends on the clips it is fitted to if and only if it says `fitted`."""
        other = self._fit(0.1 * self.waveforms[-2:])(self.waveforms)
        depends = not torch.equal(other, self.inputs)
        says = self.representation.fitted
        require(depends is says, f"fitted is {says} and its inputs say otherwise", "set fitted accordingly")

    @promise("set differentiable accordingly; numpy, detach and rounding cut gradients")
    def it_is_differentiable_if_and_only_if_it_says_so(self) -> None:
        """Its gradients are those of finite differences if and only if it says that it is differentiable."""
        noise = torch.stack([sound("noise", self.samples, seed) for seed in (1, 2)]).to(self.given.device)
        # Another clip than those fitted to: theirs lie on the bounds, where gradients have a kink.
        clip = 0.7 * sound("noise", self.samples, 3)[None].to(self.given.device)
        exact = _exact(self._fit(noise), clip)
        says = self.representation.differentiable
        found = f"differentiable is {says} and finite differences say otherwise"
        require(exact is says, found, "see what cuts gradients, or set differentiable")

    @promise("let the fitted module's inverse(inputs, reference) give waveforms back, or take `inverse` away")
    def its_inverse_gives_a_clip_back_within_the_stated_error(self) -> None:
        """The sound of a clip's own input has that input, up to the error that its `inverse` states (RMS)."""
        reason = self.representation.reason_without_inverse()
        if reason is not None:
            raise InapplicableError(reason)
        stated = self.representation.inverse
        assert stated is not None
        back = self.module.inverse(self.inputs, self.waveforms)  # type: ignore[operator]
        found, due = tuple(back.shape), tuple(self.waveforms.shape)
        require(found == due, f"inverse returned {found} where {due} is due", "return a waveform for each clip")
        missed = (self.module(back) - self.inputs).square().flatten(1).mean(dim=1).sqrt().max().item()
        require(
            missed <= stated.error,
            f"a clip's input is missed by {missed:.3g} (RMS) where {stated.error:.3g} is stated",
            "mend the inverse, or state its error",
        )

    @promise("set surrogate = True if a backward pass of yours stands in for gradients that there are not")
    def what_is_not_differentiable_says_whether_it_has_a_surrogate(self) -> None:
        """Gradients flow to the waveform if and only if it says `differentiable` or `surrogate`, not both."""
        representation = self.representation
        both = representation.differentiable and representation.surrogate
        require(
            not both, "differentiable and surrogate are both set", "a surrogate stands in for what is not there"
        )
        leaf = 0.7 * sound("noise", self.samples, 3)[None].to(self.given.device)
        leaf.requires_grad_()
        made = self.module(leaf)
        slope = torch.autograd.grad(made.sum(), leaf)[0] if made.requires_grad else torch.zeros_like(leaf)
        if representation.surrogate:
            found = "surrogate is True, and the gradient of noise is zero or no number"
            require(bool(slope.isfinite().all() and (slope != 0).any()), found, "let gradients flow, or unset it")

    @promise("guard roots and logarithms: sqrt and log have no slope at 0")
    def gradients_of_silence_are_numbers(self) -> None:
        """Gradients of silent and of padded clips are finite."""
        if not self.representation.differentiable:
            raise InapplicableError("it has no gradients")
        padded = sound("noise", self.samples, 3)
        padded[self.samples // 3 :] = 0
        for clip in (padded, torch.zeros(self.samples)):
            leaf = clip[None].to(self.given.device).requires_grad_()
            (slope,) = torch.autograd.grad(self.module(leaf).square().sum(), leaf)
            require(slope.isfinite().all(), "a gradient is NaN or infinite", "add a small constant under the root")

    @promise("let reason_to_skip refuse short clips only")
    def longer_clips_are_never_harder(self) -> None:
        """What can be made of a clip can be made of a longer one."""
        lengths = (1, 100, 1000, 10_000, 100_000)
        possible = [self.component.reason_to_skip(samples) is None for samples in lengths]
        monotone = all(later or not earlier for earlier, later in pairwise(possible))
        require(
            monotone, f"of {lengths} samples it takes {possible}", "let reason_to_skip refuse short clips only"
        )


def _exact(module: nn.Module, clip: torch.Tensor) -> bool:
    """Whether its gradients are those of finite differences, along random directions."""
    module, clip = module.double(), clip.double().requires_grad_()
    made = module(clip)
    if not made.requires_grad:
        return False
    generator = torch.Generator().manual_seed(0)
    outer = torch.rand(made.shape, dtype=torch.float64, generator=generator).to(made.device)
    (slope,) = torch.autograd.grad((made * outer).sum(), clip)
    along = torch.randn(clip.shape, dtype=torch.float64, generator=generator).to(clip.device)
    with torch.no_grad():
        rise = ((module(clip + 1e-7 * along) - module(clip - 1e-7 * along)) * outer).sum() / 2e-7
    return torch.allclose((slope * along).sum(), rise, rtol=1e-3, atol=1e-4)
