"""Networks: parameter counts of the papers' tables, shapes, and a torchvision oracle."""

import pytest
import torch
import torchvision

from soundproof_models.mel_cnn import MelCnn
from soundproof_models.resnet import ResNet18
from soundproof_models.resnet_cifar import ResNet56


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("model", "shape", "classes", "parameters"),
    [
        (ResNet18(), (3, 128, 128), 1000, 11_689_512),
        (ResNet18(), (3, 128, 128), 50, 11_202_162),
        (ResNet18(), (3, 128, 128), 10, 11_181_642),
        (ResNet18(), (1, 128, 128), 10, 11_175_370),
        (ResNet56(), (3, 128, 128), 1000, 917_368),
        (ResNet56(), (3, 128, 128), 50, 855_618),
        (ResNet56(), (3, 128, 128), 10, 853_018),
        (ResNet56(), (1, 128, 128), 10, 852_730),
        (MelCnn(), (3, 128, 256), 1, 6_974_785),
    ],
)
def test_parameter_counts(model, shape, classes, parameters):
    assert count(model.build(shape, classes)) == parameters


@pytest.mark.parametrize(
    "model", [ResNet18(), ResNet56(depth=8), ResNet56(depth=14, width=4), MelCnn(width=4)], ids=lambda m: m.id
)
@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 24, 40), (1, 128, 128)])
def test_logits_of_any_picture(model, shape):
    assert model.reason_to_skip(shape, 7) is None
    logits = model.build(shape, 7)(torch.rand(2, *shape))
    assert logits.shape == (2, 7)
    assert torch.isfinite(logits).all()


def test_resnet18_is_torchvisions():
    ours = ResNet18().build((3, 64, 64), 10).eval()
    theirs = torchvision.models.resnet18(weights=None, num_classes=10).eval()
    theirs.load_state_dict(ours.state_dict())
    images = torch.rand(2, 3, 64, 64)
    assert torch.equal(ours(images), theirs(images))


def test_the_cifar_stages_halve_the_picture_and_double_the_maps():
    sizes = []
    network = ResNet56(depth=20).build((1, 64, 64), 10)
    for block in network.blocks:
        block.register_forward_hook(lambda _, __, maps: sizes.append(tuple(maps.shape[1:])))
    network(torch.rand(1, 1, 64, 64))
    assert sizes == [(16, 64, 64)] * 3 + [(32, 32, 32)] * 3 + [(64, 16, 16)] * 3


@pytest.mark.parametrize(("side", "first"), [(95, 95), (96, 48), (128, 64)])
def test_large_pictures_get_a_stem_of_stride_two(side, first):
    network = ResNet56(depth=8).build((1, side, side), 10)
    sizes = []
    network.stem.register_forward_hook(lambda _, __, maps: sizes.append(maps.shape[-1]))
    network(torch.rand(1, 1, side, side))
    assert sizes == [first]


def test_shortcuts_without_parameters_subsample_and_pad():
    block = ResNet56(depth=8).build((1, 32, 32), 10).blocks[1]
    for convolution in (block.conv1, block.conv2):
        torch.nn.init.zeros_(convolution.weight)
    maps = torch.rand(1, 16, 8, 8)
    out = block.eval()(maps)
    torch.testing.assert_close(out[:, 8:24], maps[:, :, ::2, ::2])
    assert not out[:, :8].any()
    assert not out[:, 24:].any()


def test_pictures_too_small_for_mel_cnn():
    assert "22×22" in MelCnn().reason_to_skip((1, 21, 128), 10)
    assert MelCnn().reason_to_skip((1, 22, 22), 10) is None
    MelCnn().build((1, 22, 22), 10)(torch.rand(1, 1, 22, 22))
