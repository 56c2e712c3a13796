"""WaveGAN's networks: published sizes, lengths, receptive layout and phase shuffle."""

import pytest
import torch

from soundproof_defenses.wavegan.encoder import Encoder, Spectrum
from soundproof_defenses.wavegan.networks import Critic, Generator, shifted
from soundproof_defenses.wavegan_inversion import WaveganInversion


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: Generator(100, 64, (4,) * 5), 19_065_345),
        (lambda: Critic(64, (4,) * 5), 17_427_969),
        (lambda: Encoder(100, 64, "real-part"), 11_232_612),
    ],
    ids=["generator", "critic", "encoder"],
)
def test_full_size_has_the_published_number_of_parameters(build, expected):
    with torch.device("meta"):
        assert parameters(build()) == expected


@pytest.mark.parametrize("samples", [64, 128, 256, 4096, 8192, 16384, 32768, 65536])
def test_generator_and_critic_agree_on_the_length(samples):
    strides = WaveganInversion(samples=samples).strides
    made = Generator(3, 1, strides)(torch.rand(2, 3))
    assert made.shape == (2, samples)
    critic = Critic(1, strides)
    assert critic(made, critic.shifts(torch.Generator())).shape == (2,)


def test_layers_are_those_of_the_paper():
    generator = Generator(100, 2, (4,) * 5)
    shapes = [(layer.in_channels, layer.out_channels) for layer in generator.layers]
    assert shapes == [(32, 16), (16, 8), (8, 4), (4, 2), (2, 1)]
    assert [layer.out_channels for layer in Critic(2, (4,) * 5).layers] == [2, 4, 8, 16, 32]


@pytest.mark.parametrize("samples", [0, 24, 63, 4095, 12288])
def test_other_lengths_are_refused(samples):
    with pytest.raises(ValueError, match=f"samples must be 16·4ⁿ or 8·4ⁿ, .*, not {samples}"):
        WaveganInversion(samples=samples)


def test_the_critic_sees_every_sample_and_pads_as_published():
    """TensorFlow's "same" padding of kernel 25 at stride 4: 10 before, 11 after."""
    critic = Critic(1, (4,))
    layer = critic.layers[0]
    torch.nn.init.ones_(layer.weight)
    critic.last = torch.nn.Identity()
    clip = torch.rand(1, 64)
    padded = torch.nn.functional.pad(clip, (10, 11))[0]
    expected = torch.stack([padded[4 * k : 4 * k + 25].sum() for k in range(16)])
    found = layer(torch.nn.functional.pad(clip[:, None], (10, 11)))[0, 0]
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(critic(clip, critic.shifts(torch.Generator())), expected[:1])


@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 2])
def test_phase_shuffle_reflects(shift):
    maps = torch.arange(24.0).reshape(1, 2, 12)
    wide = torch.nn.functional.pad(maps, (2, 2), mode="reflect")
    assert torch.equal(shifted(maps, torch.tensor(shift)), wide[..., 2 - shift : 14 - shift])


def test_phase_shifts_are_drawn_for_all_but_the_last_layer():
    critic, generator = Critic(1, (4,) * 5), torch.Generator().manual_seed(0)
    drawn = torch.stack([critic.shifts(generator) for _ in range(200)])
    assert drawn.shape == (200, 4)
    assert sorted(drawn.unique().tolist()) == [-2, -1, 0, 1, 2]


@pytest.mark.parametrize("samples", [256, 300, 16384])
def test_the_spectrum_is_that_of_the_definition(samples):
    clip = torch.rand(1, samples, dtype=torch.float64) * 2 - 1
    real, magnitude = Spectrum("real-part").double()(clip), Spectrum("log-magnitude").double()(clip)
    frames = -(-samples // 128)
    assert real.shape == magnitude.shape == (1, 129, frames)
    padded = torch.nn.functional.pad(clip, (0, 256))
    # The window is stored in single precision, as the networks are.
    window = torch.hann_window(256).double()
    for frame in (0, frames - 1):
        bins = torch.fft.rfft(padded[0, 128 * frame : 128 * frame + 256] * window)
        torch.testing.assert_close(real[0, :, frame], bins.real)
        torch.testing.assert_close(magnitude[0, :, frame], torch.log(1 + bins.abs()))


@pytest.mark.parametrize("picture", ["log-magnitude", "real-part"])
def test_images_stay_in_the_box_and_fill_it(picture):
    """Full-scale constants reach the window's sum, 128, in the lowest bin."""
    clips = torch.stack([torch.ones(1024), -torch.ones(1024), torch.zeros(1024)])
    images = Spectrum(picture).image(clips)
    assert images.shape == (3, 3, 129, 8)
    assert images.min() >= 0
    assert images.max().item() == pytest.approx(1, abs=1e-6)
    if picture == "real-part":
        assert images.min().item() == pytest.approx(0, abs=1e-6)


def test_the_encoder_has_four_stages_that_halve():
    encoder = Encoder(7, 4, "log-magnitude").eval()
    clips = torch.rand(2, 16384) * 2 - 1
    stages = encoder.stages(clips)
    assert [tuple(maps.shape[1:]) for maps in stages] == [(4, 33, 32), (8, 17, 16), (16, 9, 8), (32, 5, 4)]
    assert all(bool((maps >= 0).all()) for maps in stages)
    assert encoder(clips).shape == (2, 7)
    for few, all_of_them in zip(encoder.stages(clips, 2), stages, strict=False):
        assert torch.equal(few, all_of_them)
