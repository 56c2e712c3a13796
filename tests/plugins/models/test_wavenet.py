"""WaveNet classifiers: parameter counts, causality, receptive fields, and clips of any length."""

import pytest
import torch

from soundproof_models.wavenet import WaveNet
from soundproof_representations.waveform import MuLaw


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_variant_b_is_the_published_table():
    assert count(WaveNet().build((1, 48_000), 1)) == 92_648
    # conv_500ms_target and final_conv grow with the classes.
    assert count(WaveNet().build((1, 48_000), 2)) == 92_648 + 2_001 + (6 * 4 + 2) - 7


def test_variant_a_adds_up():
    layer = 2 * (32 * 32 * 2 + 32) + 2 * (32 * 32 + 32)
    assert count(WaveNet(variant="A").build((1, 8000), 2)) == (32 * 2 + 32) + 15 * layer + (32 * 2 + 2)


@pytest.mark.parametrize(("variant", "field"), [("A", 95), ("B", 1024)])
def test_the_stack_looks_back_so_far_and_never_ahead(variant, field):
    torch.manual_seed(0)
    stack = WaveNet(variant=variant, filters=8).build((1, 1200), 3).double().stack
    samples = torch.randn(1, 1, 1200, dtype=torch.float64, requires_grad=True)
    at = 1100
    (gradient,) = torch.autograd.grad(stack(samples)[0, :, at].sum(), samples)
    seen = gradient[0, 0].nonzero()[:, 0]
    assert seen.max() == at
    assert seen.min() == at - field + 1


@pytest.mark.parametrize("variant", ["A", "B"])
def test_a_change_alters_nothing_before_it(variant):
    torch.manual_seed(1)
    stack = WaveNet(variant=variant, filters=4).build((1, 600), 3).stack
    samples = torch.rand(1, 1, 600)
    changed = samples.clone()
    changed[..., 250] += 0.5
    before, after = stack(samples), stack(changed)
    assert torch.equal(before[..., :250], after[..., :250])
    assert not torch.equal(before[..., 250:], after[..., 250:])


@pytest.mark.parametrize("samples", [80, 4000, 7999, 8000, 8080, 24_000, 48_000])
def test_pooling_fits_every_length(samples):
    network = WaveNet(filters=2).build((1, samples), 3)
    assert network(torch.rand(2, 1, samples)).shape == (2, 3)


def test_long_clips_are_pooled_as_published():
    network = WaveNet().build((1, 48_000), 2)
    assert (network.stretch, network.final) == (100, 6)
    assert WaveNet().reason_to_skip((1, 79), 2).startswith("wavenet needs clips of at least 80 samples")
    assert WaveNet(variant="A").reason_to_skip((1, 79), 2) is None


def test_variant_b_hears_the_shape_and_not_the_level():
    torch.manual_seed(2)
    network = WaveNet().build((1, 4000), 5).double()
    samples = torch.randn(3, 1, 4000, dtype=torch.float64).clamp(-1, 1)
    loud, quiet = (1 + samples) / 2, (1 + samples / 8) / 2
    torch.testing.assert_close(network(loud), network(quiet))


def test_silence_and_its_gradient_are_finite():
    network = WaveNet().build((1, 800), 3)
    silence = torch.full((1, 1, 800), 0.5, requires_grad=True)
    logits = network(silence)
    (gradient,) = torch.autograd.grad(logits.sum(), silence)
    assert torch.isfinite(logits).all()
    assert torch.isfinite(gradient).all()


def test_even_kernels_are_padded_as_keras_does():
    # With a kernel that picks one tap, the output is the input, shifted by where that tap lies.
    _, convolution = same = WaveNet(filters=1).build((1, 800), 1).conv_5ms
    torch.nn.init.zeros_(convolution.bias)
    torch.nn.init.zeros_(convolution.weight)
    convolution.weight.data[0, 0, 39] = 1
    samples = torch.rand(1, 1, 800)
    assert torch.equal(same(samples), samples)


def test_mu_law_codes_become_samples_between_minus_one_and_one():
    waveforms = torch.linspace(-1, 1, 900)[None]
    inputs = MuLaw().fit(waveforms)(waveforms)
    seen = []
    network = WaveNet(variant="A", filters=2).build(tuple(inputs.shape[1:]), 3)
    network.stack.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    network(inputs)
    codes = (inputs * 255).round()
    assert (codes.min(), codes.max()) == (0, 255)
    torch.testing.assert_close(seen[0], codes / 127.5 - 1)
