"""Networks of torchvision and timm by name."""

import pytest
import torch
from safetensors.torch import save_file

from soundproof import Examples, Kind, Recipe, SoundproofError, Trainer, TrainingData
from soundproof.contract.discovery import discover
from soundproof_models.by_name import Timm, Torchvision

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
SMALL = {"torchvision": "shufflenet_v2_x0_5", "timm": "resnet10t"}


def made(library, **parameters):
    pytest.importorskip(library)
    registry = discover()
    return registry.build(registry.reference(Kind.MODEL, {"id": library, "name": SMALL[library], **parameters}))


@pytest.mark.parametrize("library", SMALL)
@pytest.mark.parametrize("channels", [1, 3])
def test_it_reads_pictures_and_trains(library, channels):
    model = made(library)
    shape = (channels, 64, 64)
    assert model.reason_to_skip(shape, 4) is None
    torch.manual_seed(0)
    module = model.build(shape, 4)
    inputs = torch.rand(8, *shape)
    assert module.eval()(inputs).shape == (8, 4)
    data = TrainingData(Examples(inputs, torch.arange(8) % 4), Examples(inputs, torch.arange(8) % 4), 4)
    assert len(model.fit(module, data, Trainer(Recipe(epochs=1, batch=8), 0))) == 1


@pytest.mark.parametrize("library", SMALL)
def test_weights_come_from_a_safetensors_file_only(library, tmp_path):
    shape = (1, 64, 64)
    torch.manual_seed(0)
    first = made(library).build(shape, 4)
    save_file({name: value.contiguous() for name, value in first.state_dict().items()}, tmp_path / "w.safetensors")
    model = made(library, weights=str(tmp_path / "w.safetensors"))
    assert model.pretrained
    assert not model.portable
    module = model.build(shape, 4)
    assert model.fit(module, None, None) == []
    inputs = torch.rand(2, *shape)
    assert torch.equal(module(inputs), first.eval()(inputs))
    torch.save(first.state_dict(), tmp_path / "w.pt")
    with pytest.raises(SoundproofError, match="pickles are never loaded"):
        made(library, weights=str(tmp_path / "w.pt")).fit(module, None, None)


def test_what_cannot_be_is_a_reason():
    assert "did you mean 'resnet18'" in Torchvision(name="resnet81").reason_to_skip((1, 64, 64), 4)
    assert "vit_b_16 cannot read inputs (1, 64, 64)" in Torchvision(name="vit_b_16").reason_to_skip((1, 64, 64), 4)


def test_a_library_that_is_missing_is_named_with_its_extra(monkeypatch):
    from soundproof_models import by_name, transformers_folder
    from soundproof_models.transformers_folder import Transformers

    monkeypatch.setattr(by_name, "find_spec", lambda name: None)
    monkeypatch.setattr(transformers_folder, "find_spec", lambda name: None)
    assert "pip install 'soundproof[timm]'" in Timm(name="resnet10t").reason_to_skip((1, 64, 64), 4)
    assert "pip install 'soundproof[transformers]'" in Transformers(path="x").reason_to_skip((1, 8000), 4)


def test_auxiliary_heads_take_no_part():
    model = Torchvision(name="googlenet")
    module = model.build((1, 64, 64), 4)
    assert module.train()(torch.rand(2, 1, 64, 64)).shape == (2, 4)
