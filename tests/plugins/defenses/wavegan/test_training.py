"""The losses by hand, and that training moves them the right way."""

import pytest
import torch

from soundproof_defenses.wavegan import training
from soundproof_defenses.wavegan.encoder import Encoder
from soundproof_defenses.wavegan.networks import Critic, Generator

pytestmark = pytest.mark.slow

STRIDES = (4,)


def draws(seed=0):
    return torch.Generator().manual_seed(seed)


def tones(count=64, samples=64):
    """Sines of one frequency and any phase."""
    phases = torch.rand(count, 1, generator=draws()) * 2 * torch.pi
    return torch.sin(torch.arange(samples) * 0.6 + phases)


class Linear(torch.nn.Module):
    """A critic whose gradient is its weights, whatever it sees."""

    def __init__(self, slope):
        super().__init__()
        self.slope = slope

    def shifts(self, generator):
        return torch.zeros(0, dtype=torch.int64)

    def forward(self, waveforms, shifts):
        return waveforms @ self.slope


@pytest.mark.parametrize(("length", "expected"), [(1.0, 0.0), (3.0, 4.0), (0.5, 0.25)])
def test_the_penalty_is_the_gradients_distance_from_norm_one(length, expected):
    slope = torch.zeros(64)
    slope[3] = length
    critic = Linear(slope)
    found = training.gradient_penalty(critic, tones(8), -tones(8), draws())
    assert found.item() == pytest.approx(expected)


def test_the_penalty_is_taken_between_real_and_made():
    seen = []

    class Recorder(Linear):
        def forward(self, waveforms, shifts):
            seen.append(waveforms.detach())
            return super().forward(waveforms, shifts)

    real, made = torch.ones(500, 64), -torch.ones(500, 64)
    training.gradient_penalty(Recorder(torch.ones(64)), real, made, draws())
    levels = seen[0]
    assert bool((levels == levels[:, :1]).all())
    assert levels.min() >= -1
    assert levels.max() <= 1
    assert levels[:, 0].std().item() == pytest.approx(2 / 12**0.5, rel=0.1)


def test_the_generator_learns_to_sound_like_the_clips():
    """Energy gathers at the one frequency that all clips have."""
    torch.manual_seed(0)
    generator, critic = Generator(4, 8, STRIDES), Critic(8, STRIDES)
    clips = tones()
    peak = int(torch.fft.rfft(clips).abs().mean(dim=0).argmax())

    def share():
        power = torch.fft.rfft(generator(training.latents(generator, 200, draws(9)))).abs().square()
        return (power[:, peak - 1 : peak + 2].sum() / power.sum()).item()

    before = share()
    # Ten times the published rate shows in seconds what would take a minute.
    gaps = training.train_generator(
        generator, critic, clips, draws(), steps=150, batch=16, critic_steps=2, learning_rate=1e-3
    )
    assert gaps.shape == (150,)
    assert before < 0.2
    assert share() > 0.5


def test_the_encoder_learns_to_invert():
    torch.manual_seed(0)
    generator, encoder = Generator(4, 4, (4, 4)), Encoder(4, 4, "log-magnitude")
    generator.requires_grad_(requires_grad=False)
    before = [parameter.clone() for parameter in generator.parameters()]
    clips = tones(samples=256)
    losses = training.train_encoder(
        encoder, generator, lambda waveforms: [encoder.spectrum(waveforms)], clips, draws(), steps=100, batch=32
    )
    assert losses.shape == (100, 2)
    assert not encoder.training
    assert all(torch.equal(a, b) for a, b in zip(before, generator.parameters(), strict=True))
    held_out, others = (training.latents(generator, 100, draws(seed)) for seed in (8, 9))
    made = generator(held_out)
    found = encoder(made)
    # Latent values are uniform in [-1, 1]: zeros would be off by a third.
    assert (found - held_out).square().mean() < 1 / 6
    assert (generator(found) - made).square().mean() < (generator(others) - made).square().mean() / 2


def test_the_perceptual_distance_averages_stages():
    def stages(waveforms):
        return [waveforms, 3 * waveforms[:, :2]]

    clips = torch.zeros(2, 8)
    assert training.perceptual_distance(stages, clips, clips + 1).tolist() == [(1 + 3) / 2] * 2


def test_full_scale():
    scaled = training.at_full_scale(torch.tensor([[0.1, -0.5], [0.0, 0.0], [1.0, 0.2]]))
    torch.testing.assert_close(scaled, torch.tensor([[0.2, -1.0], [0.0, 0.0], [1.0, 0.2]]))


def test_latents_are_uniform():
    values = training.latents(Generator(50, 1, (4,)), 400, draws())
    assert values.shape == (400, 50)
    assert values.abs().max() <= 1
    assert values.var().item() == pytest.approx(1 / 3, rel=0.05)
