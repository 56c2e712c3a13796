"""An attack that uses more gradients than it declares gives no score."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from classifiers import convolutions
from soundproof import BoundedAttack, Budget, Examples
from soundproof.measuring.confined import attack_within
from soundproof.measuring.outcome import InvalidExamplesError
from soundproof.measuring.subject import Subject


@dataclass(frozen=True)
class Step(BoundedAttack):
    """One step."""

    id: ClassVar[str] = "step"
    declared: int = 1

    @property
    def planned_gradients(self):
        return self.declared

    def perturb(self, victim, ball, generator):
        return ball.project(victim.clean + ball.ascent(victim.gradient(victim.clean).gradient), victim.clean)


def test_gradients_beyond_those_declared_are_told():
    module, images = convolutions(1, 3), torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    examples = Examples(images, module(images).argmax(dim=1))
    subject = Subject(module, examples, np.arange(6), np.arange(6), 3)
    assert attack_within(subject, Step(), Budget(epsilon=0.5)) is not None
    with pytest.raises(
        InvalidExamplesError, match="used 1 gradients of a clip and declares 0: raise planned_gradients"
    ):
        attack_within(subject, Step(0), Budget(epsilon=0.5))
