"""Thermometer codes by their definition, and networks that are given more channels."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from soundproof import Examples, Recipe, Trainer, TrainingData
from soundproof_defenses._thermometer import Thermometer, first_layers, widen
from soundproof_defenses.thermometer import ThermometerEncoding
from soundproof_models.mel_cnn import MelCnn
from soundproof_models.resnet_cifar import ResNet56


@given(
    levels=st.integers(2, 20),
    values=st.lists(st.floats(0, 1, width=32), min_size=6, max_size=6),
)
def test_channel_i_is_one_above_its_level(levels, values):
    inputs = torch.tensor(values).reshape(1, 2, 3)
    codes = Thermometer(levels)(inputs)
    assert codes.shape == (1, 2 * levels, 3)
    thresholds = (torch.arange(levels) / levels).tolist()
    for channel in range(2):
        for i, threshold in enumerate(thresholds):
            expected = (inputs[:, channel] > threshold).float()
            assert torch.equal(codes[:, channel * levels + i], expected)


def test_the_surrogate_feels_the_thresholds_nearby():
    inputs = torch.tensor([[0.32]], requires_grad=True)
    codes = Thermometer(10)(inputs)[0]
    slopes = torch.stack([torch.autograd.grad(code, inputs, retain_graph=True)[0] for code in codes])[:, 0, 0]
    assert slopes.argsort(descending=True)[:3].tolist() == [3, 4, 2]
    assert slopes[3] > 5 * slopes[2] > 5 * slopes[5] > 0


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (ResNet56(depth=8), (1, 16, 16)),
        (ResNet56(depth=8), (2, 16, 16)),
    ],
    ids=["one-channel", "two-channels"],
)
def test_a_widened_network_begins_as_the_classifier_of_rounded_inputs(network, shape):
    torch.manual_seed(0)
    classifier = network.build(shape, 4).eval()
    inputs = torch.rand(3, *shape)
    expected = classifier((inputs * 16).ceil() / 16)
    wrapped = ThermometerEncoding().wrap(classifier, shape, 4).eval()
    torch.testing.assert_close(wrapped(inputs), expected, atol=1e-4, rtol=1e-4)


def test_normalisations_in_front_are_widened_too():
    network = MelCnn(width=4).build((1, 32, 32), 4)
    widen(network, 1, 16)
    normalisation, convolution = first_layers(network, 16)
    assert normalisation.num_features == convolution.in_channels == 16
    network.train()
    assert network(torch.rand(5, 16, 32, 32)).shape == (5, 4)
    assert normalisation.running_mean.shape == (16,)


def test_vectors_have_codes_too():
    wrapped = ThermometerEncoding(levels=4).wrap(nn.Sequential(nn.Linear(5, 3), nn.ReLU()), (5,), 3)
    assert wrapped[1][0].in_features == 20
    assert wrapped(torch.rand(2, 5)).shape == (2, 3)


def test_what_cannot_be_widened_is_skipped():
    defense = ThermometerEncoding()
    assert defense.reason_to_skip(ResNet56(depth=8), (1, 32, 32), 4) is None
    assert defense.reason_to_skip(MelCnn(), (1, 32, 32), 4) is None
    flat = SimpleNamespace(
        id="flat",
        retrainable=True,
        build=lambda shape, classes: nn.Sequential(nn.Flatten(), nn.Linear(64, classes)),
    )
    assert "cannot widen flat" in defense.reason_to_skip(flat, (1, 8, 8), 4)
    forest = SimpleNamespace(id="random-forest", retrainable=False)
    assert "random-forest cannot be trained" in defense.reason_to_skip(forest, (8,), 4)


def test_it_learns_on_codes():
    """Classes that differ by the sign of a small step, which a code of 16 levels can tell in most places."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(200) % 2
    inputs = (torch.rand(200, 8, generator=generator) * 0.2 + 0.4 + 0.2 * labels[:, None]).clamp(0, 1)
    data = TrainingData(Examples(inputs[:100], labels[:100]), Examples(inputs[100:], labels[100:]), 2)
    torch.manual_seed(0)
    wrapped = ThermometerEncoding().wrap(nn.Linear(8, 2), (8,), 2)
    trainer = Trainer(Recipe(epochs=20, batch=20, learning_rate=0.1), 0)
    ThermometerEncoding().fit(wrapped, data, trainer)
    assert trainer.curve[-1].score > 0.95
    stored = ThermometerEncoding().wrap(nn.Linear(8, 2), (8,), 2)
    stored.load_state_dict(wrapped.state_dict())
    torch.testing.assert_close(stored(inputs), wrapped(inputs))
