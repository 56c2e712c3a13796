"""Models, defenses and representations that break their promises."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from soundproof import Defense, Model, Recipe, Representation


@dataclass(frozen=True)
class Careless(Model):
    """Fails in the method that its parameter names."""

    id: ClassVar[str] = "hostile-model"
    version: ClassVar[str] = "1"
    recipe: ClassVar[Recipe] = Recipe(epochs=2, batch=8, learning_rate=0.1)
    where: str = "forward"

    def reason_to_skip(self, shape, classes):
        if self.where == "reason_to_skip":
            raise RuntimeError("do not ask")
        return

    @property
    def flags(self):
        if self.where == "flags":
            raise RuntimeError("do not ask")
        return ()

    def build(self, shape, classes):
        if self.where == "build":
            sys.exit(0)
        if self.where == "nothing":
            return None
        width = classes + {"wide": 3, "narrow": -1}.get(self.where, 0)
        layers = nn.Sequential(nn.Flatten(), nn.Linear(20, width))
        if self.where == "forward":
            layers.append(_Raising())
        if self.where == "nan when attacked":
            layers.insert(0, _Fragile())
        return layers


class _Raising(nn.Module):
    def forward(self, inputs):
        raise RuntimeError("not today")


class _Fragile(nn.Module):
    """NaN for every input that touches the edge of the box, as attacked ones do and clean ones do not."""

    def forward(self, inputs):
        edge = (inputs == 0) | (inputs == 1)
        return torch.where(edge.flatten(1).any(dim=1).reshape(-1, 1, 1, 1), torch.nan, inputs)


@dataclass(frozen=True)
class Unwrapped(Defense):
    """Returns nothing where a module is due, or fails where its parameter says."""

    id: ClassVar[str] = "hostile-defense"
    version: ClassVar[str] = "1"
    where: str = "wrap"

    @property
    def draws(self) -> int:
        if self.where == "draws":
            raise RuntimeError("do not ask")
        return 1

    def wrap(self, classifier, data_shape, classes):
        return None if self.where == "wrap" else classifier

    def fit(self, defended, data, trainer):
        if self.where == "fit":
            raise SystemExit(0)
        if self.where == "global":
            torch.set_default_dtype(torch.float64)


@dataclass(frozen=True)
class Shapeless(Representation):
    """Fails where its parameter says."""

    id: ClassVar[str] = "hostile-representation"
    version: ClassVar[str] = "1"
    where: str = "shape"

    @property
    def rate(self) -> int:
        return 100

    def shape(self, samples):
        if self.where == "shape":
            raise RuntimeError("no form")
        return (1, 4, 5)

    def fit(self, waveforms):
        where = self.where

        class Transform(nn.Module):
            def forward(self, clips):
                pictures = ((clips + 1) / 2).reshape(-1, 1, 4, 5)
                return {"outside": pictures + 1, "nan": pictures * torch.nan, "wrong": pictures[:, :, :2]}[where]

        return Transform()
