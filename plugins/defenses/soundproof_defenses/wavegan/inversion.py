"""Waveforms replaced by the nearest ones that a generator makes, in front of a classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch import nn
from torch.nn import functional

from soundproof import lbfgs_minimise
from soundproof_defenses._surrogate import with_gradient_of

if TYPE_CHECKING:
    from soundproof_defenses.wavegan.encoder import Encoder
    from soundproof_defenses.wavegan.networks import Generator

Mode = Literal["encoder", "gradient", "hybrid"]
Backward = Literal["identity", "encoder"]

# The stage of the encoder whose maps refinement compares, and how quiet a clip may be to be made louder.
_STAGE = 2
_QUIETEST = 1e-4


class Inversion(nn.Module):
    """A generator G, an encoder E that inverts it, and the search that improves on E.

    Args:
        generator: G, from latent vectors to waveforms.
        encoder: E, from waveforms to latent vectors.
        samples: Samples of a waveform that G makes.
        latent: Values of a latent vector.
        mode: Where the search begins, and whether there is one.
        starts: Random starts of the mode `gradient`. They are drawn once and are part of the weights: the same
            for every clip, so that the classifier stays deterministic.
        evaluations: Forward and backward passes of each clip through G in the search, at most.
        feature_weight: Weight of the encoder's maps in what the search minimises.
    """

    starts: torch.Tensor

    def __init__(
        self,
        generator: Generator,
        encoder: Encoder,
        *,
        samples: int,
        latent: int,
        mode: Mode,
        starts: int,
        evaluations: int,
        feature_weight: float,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.encoder = encoder
        self.samples = samples
        self.mode = mode
        self.evaluations = evaluations
        self.feature_weight = feature_weight
        self.register_buffer("starts", 2 * torch.rand(starts, latent) - 1)

    def encoded(self, waveforms: torch.Tensor) -> torch.Tensor:
        """G(E(x)) of waveforms `[n, T]` in [-1, 1], differentiable."""
        return self.generator(self.encoder(waveforms))  # type: ignore[no-any-return]

    def recovered(self, waveforms: torch.Tensor) -> torch.Tensor:
        """G(z*(x)) of waveforms `[n, T]` in [-1, 1], by the mode; gradients flow only in the mode `encoder`."""
        if self.mode == "encoder":
            return self.encoded(waveforms)
        # A search needs gradients wherever it is called, also where the caller wants none.
        with torch.inference_mode(mode=False), torch.no_grad():
            waveforms = waveforms.detach().clone()
            return self.generator(self._search(waveforms))  # type: ignore[no-any-return]

    def distance(self, latents: torch.Tensor, waveforms: torch.Tensor) -> torch.Tensor:
        """Distance that the search minimises, `[n]`: m·MAE(maps) + MAE(spectra) + MAE(samples) of G(z) and x."""
        rebuilt = self.generator(latents)
        spectrum = self.encoder.spectrum
        pairs = [(1.0, rebuilt, waveforms), (1.0, spectrum(rebuilt), spectrum(waveforms))]
        if self.feature_weight:
            of_rebuilt, of_waveforms = (self.encoder.stages(clips, _STAGE)[-1] for clips in (rebuilt, waveforms))
            pairs.append((self.feature_weight, of_rebuilt, of_waveforms))
        return torch.stack([weight * (a - b).abs().flatten(1).mean(dim=1) for weight, a, b in pairs]).sum(dim=0)

    def _search(self, waveforms: torch.Tensor) -> torch.Tensor:
        """The best latent vector found for each waveform."""
        if self.mode == "hybrid":
            starts = self.encoder(waveforms)[None]
        else:
            starts = self.starts[:, None].expand(-1, len(waveforms), -1)
        each = waveforms.repeat(len(starts), 1)

        def function(rows: torch.Tensor, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            latents = latents.detach().requires_grad_()
            with torch.enable_grad():
                distances = self.distance(latents, each[rows])
                (gradients,) = torch.autograd.grad(distances.sum(), latents)
            return distances.detach(), gradients

        found, values = lbfgs_minimise(function, starts.flatten(0, 1), self.evaluations)
        best = values.reshape(len(starts), -1).argmin(dim=0)
        nearest: torch.Tensor = found.reshape(starts.shape)[best, torch.arange(len(best), device=best.device)]
        return nearest

    def train(self, mode: bool = True) -> Inversion:  # noqa: ARG002, FBT001, FBT002 - torch's signature
        """Stay in evaluation mode: batch statistics would let clips influence one another."""
        return super().train(mode=False)


class Purified(nn.Module):
    """A classifier of waveforms that hears G(z*(x)) instead of x.

    Args:
        classifier: Reads inputs `[n, 1, T]` in [0, 1].
        inversion: How x is recovered.
        backward: What gradients flow through where there is a search: the identity, or G and E.
    """

    def __init__(self, classifier: nn.Module, inversion: Inversion, backward: Backward) -> None:
        super().__init__()
        self.classifier = classifier
        self.inversion = inversion
        self.backward = backward

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits `[n, K]` of inputs `[n, 1, T]` in [0, 1]."""
        return self.classifier(self.purified(inputs))  # type: ignore[no-any-return]

    def purified(self, inputs: torch.Tensor) -> torch.Tensor:
        """Waveforms that the classifier hears, `[n, 1, T]` in [0, 1]."""
        searches = self.inversion.mode != "encoder"
        if not searches or not (torch.is_grad_enabled() and inputs.requires_grad):
            return self._through(inputs)
        surrogate = inputs if self.backward == "identity" else self._through(inputs, encoded=True)
        return with_gradient_of(surrogate, self._through(inputs.detach()))

    def _through(self, inputs: torch.Tensor, *, encoded: bool = False) -> torch.Tensor:
        """Cut or padded to what G makes, at full scale as G has learnt it, and back to its length and level."""
        waveforms = 2 * inputs[:, 0] - 1
        length, samples = waveforms.shape[1], self.inversion.samples
        heard = functional.pad(waveforms, (0, samples - length))
        level = heard.abs().amax(dim=1, keepdim=True).clamp_min(_QUIETEST)
        recover = self.inversion.encoded if encoded else self.inversion.recovered
        rebuilt = functional.pad(recover(heard / level) * level, (0, length - samples))
        return ((rebuilt + 1) / 2)[:, None]
