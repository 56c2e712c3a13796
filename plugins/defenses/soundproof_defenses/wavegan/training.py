"""Training of the generator and the encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from soundproof_defenses.wavegan.encoder import Encoder
    from soundproof_defenses.wavegan.networks import Critic, Generator

    Perceptual = Callable[[torch.Tensor], Sequence[torch.Tensor]]

# Gulrajani et al. 2017 and Donahue et al. 2019, appendix.
_PENALTY = 10.0
_BETAS = (0.5, 0.9)
_ENCODER_RATE = 1e-3


def train_generator(
    generator: Generator,
    critic: Critic,
    waveforms: torch.Tensor,
    draws: torch.Generator,
    *,
    steps: int,
    batch: int,
    critic_steps: int,
    learning_rate: float,
) -> torch.Tensor:
    """Play the Wasserstein game with gradient penalty (Gulrajani et al. 2017), in place.

    Args:
        generator: What is to be trained.
        critic: Its opponent.
        waveforms: `[N, T]` in [-1, 1], each at full scale.
        draws: Clips, latent vectors, mixtures and phase shifts are drawn from it; on the waveforms' device.
        steps: Of the generator.
        batch: Clips a step.
        critic_steps: Steps of the critic before each of the generator's.
        learning_rate: Of Adam, for both.

    Returns:
        For each step what the critic thinks real clips are better by than generated ones, `[steps]`.
    """
    of_generator = torch.optim.Adam(generator.parameters(), learning_rate, _BETAS)
    of_critic = torch.optim.Adam(critic.parameters(), learning_rate, _BETAS)
    gaps = []
    for _ in range(steps):
        for _ in range(critic_steps):
            real = _some(waveforms, batch, draws)
            with torch.no_grad():
                made = generator(latents(generator, batch, draws))
            gap = critic(real, critic.shifts(draws)).mean() - critic(made, critic.shifts(draws)).mean()
            loss = _PENALTY * gradient_penalty(critic, real, made, draws) - gap
            _step(of_critic, loss)
        gaps.append(gap.detach())
        made = generator(latents(generator, batch, draws))
        _step(of_generator, -critic(made, critic.shifts(draws)).mean())
    return torch.stack(gaps)


def gradient_penalty(
    critic: Critic, real: torch.Tensor, made: torch.Tensor, draws: torch.Generator
) -> torch.Tensor:
    """Mean of (‖∇D(x)‖₂ − 1)², x somewhere between a real and a generated clip."""
    share = torch.rand(len(real), 1, generator=draws, device=real.device)
    between = (real + share * (made - real)).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between, critic.shifts(draws)).sum(), between, create_graph=True)
    penalty: torch.Tensor = (gradient.norm(dim=1) - 1).square().mean()
    return penalty


def train_encoder(
    encoder: Encoder,
    generator: Generator,
    perceptual: Perceptual,
    waveforms: torch.Tensor,
    draws: torch.Generator,
    *,
    steps: int,
    batch: int,
) -> torch.Tensor:
    """Learn to invert a generator (arXiv 2010.08534), in place; the generator stays as it is.

    Each step minimises P(x, G(E(x))) on real clips x, plus ‖z − E(x)‖² + P(x, G(E(x))) on generated ones x = G(z),
    P the perceptual distance. The published code steps on the one and then on the other. Here both are one batch:
    batch normalisation, which would tell them apart in training, could not do so afterwards.

    Args:
        encoder: E; left in evaluation mode.
        generator: G.
        perceptual: Maps waveforms to the maps that P compares.
        waveforms: Real clips, `[N, T]` in [-1, 1], each at full scale.
        draws: Clips and latent vectors are drawn from it; on the waveforms' device.
        steps: Of E.
        batch: Clips of each sort a step.

    Returns:
        The losses on real and on generated clips, `[steps, 2]`.
    """
    optimizer = torch.optim.Adam(encoder.parameters(), _ENCODER_RATE)
    encoder.train()
    losses = []
    for _ in range(steps):
        wanted = latents(generator, batch, draws)
        with torch.no_grad():
            clips = torch.cat([_some(waveforms, batch, draws), generator(wanted)])
        found = encoder(clips)
        on_real, on_made = torch.split(perceptual_distance(perceptual, clips, generator(found)), batch)
        latent = (wanted - found[batch:]).square().mean()
        parts = torch.stack([on_real.mean(), latent + on_made.mean()])
        _step(optimizer, parts.sum())
        losses.append(parts.detach())
    encoder.eval()
    return torch.stack(losses)


def perceptual_distance(perceptual: Perceptual, clips: torch.Tensor, rebuilt: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of a classifier's maps after each stage, averaged over the stages: `[n]`."""
    with torch.no_grad():
        wanted = perceptual(clips)
    pairs = zip(wanted, perceptual(rebuilt), strict=True)
    return torch.stack([(a - b).abs().flatten(1).mean(dim=1) for a, b in pairs]).mean(dim=0)


def latents(generator: Generator, count: int, draws: torch.Generator) -> torch.Tensor:
    """Latent vectors, uniform in [-1, 1]: `[count, latent]`."""
    size = (count, generator.first.in_features)
    return 2 * torch.rand(size, generator=draws, device=draws.device) - 1


def at_full_scale(waveforms: torch.Tensor) -> torch.Tensor:
    """Waveforms `[N, T]` whose largest absolute value is 1; silence stays silent."""
    peak = waveforms.abs().amax(dim=1, keepdim=True)
    return waveforms / torch.where(peak > 0, peak, 1.0)


def _some(waveforms: torch.Tensor, count: int, draws: torch.Generator) -> torch.Tensor:
    rows = torch.randint(len(waveforms), (count,), generator=draws, device=draws.device)
    return waveforms[rows]


def _step(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
