"""Sizes of networks that are never built, against networks that are."""

import pytest
import torch

from soundproof.contract.discovery import discover
from soundproof.engine.network_size import network_size
from soundproof.types import Kind, Ref

REGISTRY = discover()


@pytest.mark.parametrize("name", ["resnet18", "mel-cnn", "mlp"])
def test_parameters_are_those_of_the_network(name):
    model = REGISTRY.build(Ref(Kind.MODEL, name))
    shape = (4,) if name == "mlp" else (1, 64, 64)
    size = network_size(model, shape, 10)
    assert size.parameters == sum(tensor.numel() for tensor in model.build(shape, 10).state_dict().values())


def test_operations_of_a_dense_network():
    model = REGISTRY.build(Ref(Kind.MODEL, "mlp", {"hidden": [7]}))
    size = network_size(model, (4,), 3)
    # Forward, the gradient of the weights and the gradient of the input: two operations a weight each.
    assert size.operations == 2 * 3 * (4 * 7 + 7 * 3)


def test_the_random_state_stays():
    before = torch.random.get_rng_state()
    network_size(REGISTRY.build(Ref(Kind.MODEL, "mel-cnn")), (1, 32, 32), 10)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_what_cannot_be_traced_has_no_size():
    class Broken:
        def build(self, shape, classes):
            raise SystemExit(3)

    assert network_size(Broken(), (4,), 3) is None
