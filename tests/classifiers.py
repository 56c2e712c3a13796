"""Classifiers about which tests know something: closed forms, a counted one, a trained one."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


class Halves(nn.Module):
    """Two classes on either side of a hyperplane through the middle of the box, at any scale of the input.

    Logits ±s·w·(x − ½), ‖w‖₂ = 1, from inputs that are first mapped to s·x + b, as a network would see them
    that works on another range.
    """

    def __init__(self, dimension: int, scale: float = 1.0, offset: float = 0.0) -> None:
        super().__init__()
        weight = torch.randn(dimension, generator=torch.Generator().manual_seed(3))
        self.weight = weight / weight.norm()
        self.scale, self.offset = scale, offset

    def forward(self, images):
        mapped = images.flatten(1) * self.scale + self.offset
        side = (mapped - self.offset - self.scale / 2) @ self.weight
        return torch.stack([side, -side], dim=1)

    def distance(self, images):
        """From each image to the hyperplane, in l2."""
        return ((images.flatten(1) - 0.5) @ self.weight).abs()

    def distance_linf(self, images):
        return self.distance(images) / self.weight.abs().sum()


class Sphere(nn.Module):
    """Class 0 inside a ball around the middle of the box, class 1 outside."""

    def __init__(self, radius: float) -> None:
        super().__init__()
        self.radius = radius

    def forward(self, images):
        square = (images.flatten(1) - 0.5).square().sum(dim=1)
        return torch.stack([torch.full_like(square, self.radius**2), square], dim=1)

    def distance(self, images):
        """From each image to the sphere."""
        return ((images.flatten(1) - 0.5).norm(dim=1) - self.radius).abs()


class Wedges(nn.Module):
    """Many classes by a linear map; the nearest boundary of each pair is known."""

    def __init__(self, dimension: int, classes: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(7)
        self.weight = torch.randn(classes, dimension, generator=generator)
        self.bias = -self.weight.sum(dim=1) / 2

    def forward(self, images):
        return images.flatten(1) @ self.weight.T + self.bias

    def distance(self, images, labels, p=2):
        """To the nearest boundary of the label's cell, in l2 (p = 2) or l∞ (p = 1, the dual norm), `[n]`."""
        logits = self(images)
        gaps = logits.gather(1, labels[:, None]) - logits
        slopes = (self.weight[labels][:, None] - self.weight).norm(p=p, dim=2)
        return (gaps / slopes).nan_to_num(torch.inf).scatter(1, labels[:, None], torch.inf).amin(dim=1)


class Flat(nn.Module):
    """Always class 0, with gradients that are exactly zero."""

    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.logits = torch.arange(classes, 0, -1).float()

    def forward(self, images):
        return self.logits + 0 * images.flatten(1).sum(dim=1, keepdim=True)


class Counted(nn.Module):
    """A small network that counts by itself, clip by clip, what passes through it.

    A row belongs to the clip that it lies nearest to, which holds for perturbations below half the distance
    between clips.
    """

    def __init__(self, clean: torch.Tensor, classes: int = 4) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        size = clean[0].numel()
        self.clean = clean.flatten(1)
        self.first = torch.randn(size, 16, generator=generator) / size**0.5
        self.second = torch.randn(16, classes, generator=generator)
        self.forwards = np.zeros(len(clean), int)
        self.backwards = np.zeros(len(clean), int)

    def logits(self, images):
        return ((images.flatten(1) - 0.5) @ self.first).tanh() @ self.second

    def forward(self, images):
        clips = torch.cdist(images.detach().flatten(1), self.clean).argmin(dim=1).numpy()
        np.add.at(self.forwards, clips, 1)
        if images.requires_grad:
            images = images.view_as(images)
            images.register_hook(lambda _: np.add.at(self.backwards, clips, 1))
        return self.logits(images)


class Pooled(nn.Module):
    """Many classes from a coarse view of a large picture: next to no memory of its own."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        weight = torch.randn(classes, 64, generator=torch.Generator().manual_seed(2))
        self.register_buffer("weight", weight)

    def forward(self, images):
        coarse = nn.functional.adaptive_avg_pool2d(images, 8).flatten(1)
        return (coarse - 0.5) @ self.weight.T


def convolutions(channels: int, classes: int) -> nn.Module:
    """A small untrained smooth network for images of any size."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        module = nn.Sequential(
            nn.Conv2d(channels, 8, 3, padding=1),
            nn.Softplus(),
            nn.AdaptiveAvgPool2d(3),
            nn.Flatten(),
            nn.Linear(72, classes),
        )
    return module.requires_grad_(requires_grad=False).eval()


def train_on_digits() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """A convolutional network for scikit-learn's 8×8 digits, and 64 of them that it gets right.

    Half of their values are exactly 0 and some exactly 1, as in spectrograms with a floor.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
    labels = torch.tensor(digits.target)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1, stride=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(512, 10),
        )
        optimiser = torch.optim.Adam(module.parameters(), 3e-3)
        for _ in range(8):
            for batch in torch.randperm(1500).split(64):
                optimiser.zero_grad()
                nn.functional.cross_entropy(module(images[batch]), labels[batch]).backward()
                optimiser.step()
    module.requires_grad_(requires_grad=False).eval()
    right = (module(images[1500:]).argmax(dim=1) == labels[1500:]).nonzero()[:64, 0] + 1500
    return module, images[right], labels[right]
