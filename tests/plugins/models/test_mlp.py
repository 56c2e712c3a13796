"""The multilayer perceptron."""

import pytest
import torch

from soundproof import Examples, Recipe, Trainer, TrainingData
from soundproof_models.mlp import MLP


def test_parameters_are_the_published_ones():
    assert sum(parameter.numel() for parameter in MLP().build((4,), 1).parameters()) == 45


@pytest.mark.parametrize(("activation", "layer"), [("relu", torch.nn.ReLU), ("tanh", torch.nn.Tanh)])
def test_layers(activation, layer):
    network = MLP(hidden=(7, 3), activation=activation).build((5,), 2)
    dense = [(part.in_features, part.out_features) for part in network if isinstance(part, torch.nn.Linear)]
    assert dense == [(5, 7), (7, 3), (3, 2)]
    assert sum(isinstance(part, layer) for part in network) == 2


def test_without_hidden_layers_it_is_linear():
    network = MLP(hidden=()).build((3,), 2).eval()
    a, b = torch.rand(1, 3), torch.rand(1, 3)
    torch.testing.assert_close(network((a + b) / 2), (network(a) + network(b)) / 2)


def test_it_finds_classes_in_a_small_corner_of_the_box():
    """Values such as mean RMS fill a thousandth of [0, 1]; standardising is what makes them learnable."""
    torch.manual_seed(0)
    labels = torch.arange(90) % 3
    inputs = 0.5 + 1e-3 * (labels[:, None] - 1) + 1e-4 * torch.randn(90, 4)
    examples = Examples(inputs, labels)
    model = MLP()
    network = model.build((4,), 3)
    curve = model.fit(network, TrainingData(examples, examples, 3), Trainer(Recipe(**vars(MLP.recipe)), seed=0))
    assert curve[-1].score > 0.95
