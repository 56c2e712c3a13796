"""What holds for every model that is installed."""

import re

import pytest
import torch

from installed import registry
from soundproof import Domain, Recipe
from soundproof.conformance import ConformanceError, checks_of, promised

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
def promises(varied_model):
    """The checks of what every model promises, by name."""
    return {check.name: check for check in checks_of(varied_model, registry=registry())}


@pytest.mark.parametrize("name", promised("model"))
def test_it_keeps_its_promises(promises, name):
    try:
        promises[name]()
    except ConformanceError as error:
        if "cannot be had" not in str(error):
            raise
        pytest.skip(f"weights that others publish are not here: {error}")


def test_its_recipe_is_one_and_needs_no_parameters_to_be_known(varied_model):
    assert isinstance(varied_model.recipe, Recipe)
    assert varied_model.recipe.l1_layers == () or varied_model.recipe.l1 > 0


def test_presets_are_named_after_their_source_and_run(preset_model):
    assert all(re.fullmatch(r"\d{3}(-[a-z0-9-]+)?", name) for name in preset_model.presets)
    with torch.inference_mode():
        assert built(preset_model)(drawn(preset_model, 2)).shape == (2, CLASSES)
