"""The recurrent network: its parameters, and gradients where cuDNN would give none."""

import torch

from soundproof import Goal, Victim
from soundproof_models.conv_gru_lstm import ConvGruLstm


def build(shape=(1, 20, 40), classes=5):
    torch.manual_seed(0)
    return ConvGruLstm().build(shape, classes)


def test_parameters_are_the_published_ones_and_torchs_second_bias():
    network = build((1, 39, 50), 1)
    assert sum(parameter.numel() for parameter in network.parameters()) == 370_305 + 4 * 128


def test_channels_are_features_too():
    network = build((3, 13, 50), 1)
    assert sum(parameter.numel() for parameter in network.parameters()) == 370_305 + 4 * 128


def test_features_are_standardised_over_the_frames_of_the_clip():
    network = build().eval()
    images = torch.rand(3, 1, 20, 40)
    scale, shift = torch.rand(20, 1) / 2 + 0.4, torch.rand(20, 1) / 10
    torch.testing.assert_close(network(images), network(images * scale + shift), atol=1e-3, rtol=1e-3)


def test_standardisation_is_the_same_in_training_and_in_use():
    network = build()
    images = torch.rand(3, 1, 20, 40)
    training = network.frames.train()(images.flatten(1, 2))
    assert torch.equal(training, network.frames.eval()(images.flatten(1, 2)))


def test_recurrent_layers_stay_in_training_mode():
    """cuDNN refuses the backward pass of those that are not."""
    network = build()
    Victim(torch.nn.Sequential(network), torch.rand(2, 1, 20, 40), Goal(torch.tensor([0, 1]))).train()
    assert not network.training
    assert not network.dropout.training
    assert network.gru_1.training
    assert network.lstm.training
    assert network.gru_2.training


def test_frames_that_two_poolings_need():
    assert ConvGruLstm().reason_to_skip((1, 20, 9), 5) == (
        "conv-gru-lstm needs at least 10 frames (columns), not 9"
    )
    assert ConvGruLstm().reason_to_skip((1, 1, 10), 5) is None
    assert build((1, 1, 10), 5)(torch.rand(2, 1, 1, 10)).shape == (2, 5)


def test_the_order_of_frames_matters():
    network = build().eval()
    images = torch.rand(1, 1, 20, 40)
    assert not torch.allclose(network(images), network(images.flip(3)), atol=1e-4)
