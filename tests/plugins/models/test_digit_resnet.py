"""The spoken-digit classifier: its parameters, torchvision as an oracle, and its stages."""

import torch
import torchvision

from soundproof_models.digit_resnet import DigitResNet


def test_parameters_are_the_published_ones():
    with torch.device("meta"):
        network = DigitResNet().build((3, 128, 129), 10)
        single = DigitResNet().build((1, 128, 129), 10)
    assert sum(parameter.numel() for parameter in network.parameters()) == 11_186_442
    assert sum(parameter.numel() for parameter in single.parameters()) == 11_186_442 - 2 * 49 * 64


def test_with_zero_biases_it_is_torchvisions():
    ours = DigitResNet().build((3, 64, 64), 10).eval()
    theirs = torchvision.models.resnet18(
        weights=None, num_classes=10, norm_layer=lambda width: torch.nn.BatchNorm2d(width, eps=1e-3)
    ).eval()
    theirs.load_state_dict({name: ours.state_dict()[name] for name in theirs.state_dict()})
    images = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(ours(images), theirs(images))


def test_every_convolution_has_a_bias_that_counts():
    network = DigitResNet().build((1, 64, 64), 10).eval()
    convolutions = [layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d)]
    images = torch.rand(1, 1, 64, 64)
    before = network(images)
    assert len(convolutions) == 20
    for convolution in convolutions:
        torch.nn.init.constant_(convolution.bias, 0.5)
    assert not torch.allclose(before, network(images))


def test_stages_lead_to_the_logits():
    network = DigitResNet().build((1, 128, 129), 10).eval()
    images = torch.rand(2, 1, 128, 129, requires_grad=True)
    stages = network.stages(images)
    assert [tuple(maps.shape[1:]) for maps in stages] == [
        (64, 32, 33),
        (128, 16, 17),
        (256, 8, 9),
        (512, 4, 5),
    ]
    assert torch.equal(network.fc(stages[-1].mean(dim=(2, 3))), network(images))
    for maps in stages:
        (gradient,) = torch.autograd.grad(maps.sum(), images, retain_graph=True)
        assert torch.isfinite(gradient).all()
        assert gradient.any()
