"""Fusion: the same logits and gradients from fewer layers, and hands off whatever it cannot be sure of."""

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from soundproof.engine.fusion import fused

SHAPE = (1, 12, 10)


def settled(module, shape=SHAPE):
    """A module in evaluation mode, whose normalisations have statistics and weights of their own."""
    torch.manual_seed(0)
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(part.weight)
            nn.init.normal_(part.bias)
    with torch.no_grad():
        for _ in range(3):
            module(torch.rand(8, *shape))
    return module.eval()


def norms(module):
    return sum(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in module.modules())


def plain():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 3, 3), nn.BatchNorm2d(3),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )  # fmt: skip


class Residual(nn.Module):
    """A convolution whose output is normalised and used again, between two that are only normalised."""

    def __init__(self):
        super().__init__()
        self.first, self.first_norm = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.twice, self.twice_norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.before_norm, self.last = nn.BatchNorm2d(4), nn.Conv2d(4, 3, 3)

    def forward(self, images):
        found = self.first_norm(self.first(images)).relu()
        between = self.twice(found)
        return self.last(self.before_norm((self.twice_norm(between) + between).relu())).mean(dim=(2, 3))


class Repeated(nn.Module):
    """One normalisation after two convolutions, and one convolution before two normalisations in turn."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.shared = nn.Conv2d(1, 3, 3), nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3)
        self.own = nn.BatchNorm2d(3)

    def forward(self, images):
        total = self.shared(self.one(images)) + self.shared(self.two(images)) + self.own(self.one(images * 2))
        return total.mean(dim=(2, 3))


class Deciding(nn.Module):
    """Code that looks at its input: only its parts can be told apart."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, images):
        return self.inner(images if images.mean() > 0.4 else images * 2)


class Behind(nn.Module):
    """Uses a part's convolution behind the part's back."""

    def __init__(self):
        super().__init__()
        self.inner = plain()

    def forward(self, images):
        extra = self.inner[0](images).mean() if images.mean() > 0 else 0
        return self.inner(images) + extra


class Shaken(nn.Module):
    """Random in evaluation mode."""

    def __init__(self):
        super().__init__()
        self.inner = plain()

    def forward(self, images):
        return self.inner(images + torch.randn_like(images))


@pytest.mark.parametrize(
    ("build", "left"),
    [(plain, 0), (lambda: Deciding(plain()), 0), (Shaken, 0), (lambda: nn.Sequential(plain()), 0)],
)
def test_every_normalisation_after_a_convolution_goes(build, left):
    module = settled(build())
    assert norms(fused(module, SHAPE)) == left


def test_logits_and_gradients_are_the_same():
    module = settled(plain())
    images = torch.rand(5, *SHAPE)
    found = []
    for each in (module, fused(module, SHAPE)):
        leaf = images.clone().requires_grad_()
        logits = each(leaf)
        (gradient,) = torch.autograd.grad(logits.square().sum(), leaf)
        found.append((logits, gradient))
    for before, after in zip(*found, strict=True):
        torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)


def test_the_module_itself_is_left_as_it_was():
    module = settled(plain())
    before = {name: value.clone() for name, value in module.state_dict().items()}
    fused(module, SHAPE)
    after = module.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_other_uses_of_the_output_are_respected():
    module = settled(Residual())
    lighter = fused(module, SHAPE)
    assert norms(lighter) == 2, "one of three follows a convolution alone"
    images = torch.rand(4, *SHAPE)
    torch.testing.assert_close(lighter(images), module(images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("build", [Repeated, lambda: nn.Sequential(nn.Flatten(), nn.Linear(120, 3))])
def test_nothing_to_fold(build):
    module = settled(build())
    assert fused(module, SHAPE) is module


def test_what_a_module_does_behind_its_parts_is_found_out():
    module = settled(Behind())
    assert fused(module, SHAPE) is module


def test_statistics_of_the_batch_and_parametrised_weights_stay():
    of_the_batch = settled(
        nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3, track_running_stats=False), nn.Flatten())
    )
    parametrised = settled(nn.Sequential(weight_norm(nn.Conv2d(1, 3, 3)), nn.BatchNorm2d(3), nn.Flatten()))
    assert fused(of_the_batch, SHAPE) is of_the_batch
    assert fused(parametrised, SHAPE) is parametrised


def test_waveforms_too():
    module = settled(nn.Sequential(nn.Conv1d(1, 3, 5), nn.BatchNorm1d(3), nn.Flatten()), (1, 40))
    assert norms(fused(module, (1, 40))) == 0
