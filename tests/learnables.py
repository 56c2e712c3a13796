"""A small classification problem that training tests share."""

import torch
from torch import nn

from soundproof import Examples, TrainingData


def problem(seed, clips=90):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(clips) % 3
    return Examples(
        torch.nn.functional.one_hot(labels, 3) * 0.4 + torch.rand(clips, 3, generator=generator) * 0.6, labels
    )


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))


DATA = TrainingData(problem(0), problem(1, 30), 3)
