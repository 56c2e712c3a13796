"""What holds for every model that is installed."""

import dataclasses
import re

import pytest
import torch

from soundproof import Domain, Examples, Optimizer, Recipe, Trainer, TrainingData

pytestmark = pytest.mark.slow

CLASSES = 5
# From small to large: the first that a model can read.
SHAPES = {
    Domain.IMAGE: [(1, 32, 32), (1, 64, 64), (1, 96, 96), (1, 64, 96)],
    Domain.WAVEFORM: [(1, 800)],
    Domain.VECTOR: [(6,)],
}


def shape_for(model):
    shapes = [shape for domain in Domain if domain in model.accepts for shape in SHAPES[domain]]
    return next(shape for shape in shapes if model.reason_to_skip(shape, CLASSES) is None)


def built(model):
    torch.manual_seed(0)
    return model.build(shape_for(model), CLASSES).eval()


def drawn(model, clips=3):
    return torch.rand(clips, *shape_for(model), generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def network(varied_model):
    """The untrained network at rest."""
    return built(varied_model)


def test_logits_are_one_finite_number_a_class(varied_model, network):
    inputs = drawn(varied_model)
    before = inputs.clone()
    with torch.inference_mode():
        logits = network(inputs)
    assert logits.shape == (3, CLASSES)
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()
    assert torch.equal(inputs, before), "inputs are left alone"


def test_a_network_at_rest_is_a_function_of_one_clip(varied_model, network):
    inputs = drawn(varied_model)
    with torch.inference_mode():
        logits = network(inputs)
        assert torch.equal(logits, network(inputs))
        torch.testing.assert_close(network(inputs[1:2]), logits[1:2], atol=1e-4, rtol=1e-4)


def test_weights_follow_the_seed_and_can_be_stored(varied_model, network):
    same = built(varied_model).state_dict()
    assert same.keys() == network.state_dict().keys()
    assert all(torch.equal(same[name], value) for name, value in network.state_dict().items())
    network.load_state_dict(same)


def test_it_is_differentiable_if_and_only_if_it_says_so(varied_model, network):
    inputs = drawn(varied_model).requires_grad_()
    # Not a loss: a deep network at random weights can be so sure of itself that none is left.
    weighted = (network(inputs) * torch.linspace(-1, 1, CLASSES)).sum()
    (gradient,) = torch.autograd.grad(weighted, inputs, allow_unused=True)
    sloped = gradient is not None and bool((gradient.flatten(1).norm(dim=1) > 0).all())
    assert sloped is varied_model.differentiable
    assert gradient is None or torch.isfinite(gradient).all()


def test_it_trains_in_epochs_if_and_only_if_it_says_so(every_model):
    network = built(every_model)
    inputs, labels = drawn(every_model, 10), torch.arange(10) % CLASSES
    data = TrainingData(Examples(inputs, labels), Examples(inputs, labels), CLASSES)
    before = {name: value.clone() for name, value in network.named_parameters()}
    # Plain steps: other optimizers keep copies of the weights, which takes seconds for the largest networks.
    recipe = dataclasses.replace(every_model.recipe, epochs=1, batch=10, optimizer=Optimizer.SGD)
    curve = every_model.fit(network, data, Trainer(recipe, 0))
    assert len(curve) == int(every_model.retrainable)
    assert not network.training
    if every_model.retrainable:
        assert any(not torch.equal(before[name], value) for name, value in network.named_parameters())


def test_its_recipe_is_one_and_needs_no_parameters_to_be_known(varied_model):
    assert isinstance(varied_model.recipe, Recipe)
    assert varied_model.recipe.l1_layers == () or varied_model.recipe.l1 > 0


def test_presets_are_named_after_their_source_and_run(preset_model):
    assert all(re.fullmatch(r"\d{3}(-[a-z0-9-]+)?", name) for name in preset_model.presets)
    with torch.inference_mode():
        assert built(preset_model)(drawn(preset_model, 2)).shape == (2, CLASSES)
