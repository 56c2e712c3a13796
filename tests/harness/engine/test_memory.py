"""When memory runs out passes get smaller, and the numbers stay what they are: random streams, counts, rows."""

import numpy as np
import pytest
import torch

from classifiers import train_on_digits
from soundproof import Budget, Examples
from soundproof.engine.memory import InParts, within_memory
from soundproof.measuring.protocols.base import Cell, Material
from soundproof.measuring.protocols.bounded import Bounded
from soundproof.measuring.protocols.reach import Reach
from soundproof.measuring.subject import Subject
from soundproof_attacks.deepfool import DeepFool
from soundproof_attacks.jsma import Jsma
from soundproof_attacks.noise import Noise
from soundproof_attacks.pgd import Pgd
from soundproof_attacks.square import Square


class Small(torch.nn.Module):
    """A classifier on a machine with room for so many clips."""

    def __init__(self, module, room):
        super().__init__()
        self.module = module
        self.room = room
        self.largest = 0

    def forward(self, inputs):
        if len(inputs) > self.room:
            raise torch.OutOfMemoryError("no room")
        self.largest = max(self.largest, len(inputs))
        return self.module(inputs)


@pytest.fixture(scope="module")
def digits():
    module, images, labels = train_on_digits()
    return module.eval().requires_grad_(requires_grad=False), images[:40], labels[:40]


def measured(protocol, attack, module, images, labels):
    clips = np.arange(len(labels))
    subject = Subject(module, Examples(images, labels), clips, groups=clips, classes=10, seed="test")
    return within_memory(Material(Cell(protocol, None, attack), subject, Budget(epsilon=1.0)))


@pytest.mark.parametrize(
    ("protocol", "attack"),
    [
        (Bounded(), Pgd(steps=3, restarts=2)),
        (Bounded(), Noise()),
        (Bounded(), Square(queries=30)),
        (Reach(), Pgd(steps=2)),
        (Bounded(), Jsma(steps=20)),
        (Reach(), DeepFool(steps=20)),
    ],
    ids=lambda value: value.id,
)
def test_smaller_passes_give_the_same_rows(digits, protocol, attack):
    module, images, labels = digits
    whole = measured(protocol, attack, module, images, labels)
    small = Small(module, 7)
    parts = measured(protocol, attack, small, images, labels)
    assert 1 < small.largest <= 7
    assert parts.samples.keys() == whole.samples.keys()
    assert "l2" in whole.samples
    for name in ("clip", "fooled", "gradients", "queries"):
        np.testing.assert_array_equal(parts.samples[name], whole.samples[name], err_msg=name)
    for name in ("score", "l2"):
        np.testing.assert_allclose(parts.samples[name], whole.samples[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_other_batches_would_draw_otherwise(digits):
    """What the test above holds is not true of itself."""
    module, images, labels = digits
    clips = np.arange(len(labels))
    sizes = []
    for batch in (64, 16):
        subject = Subject(module, Examples(images, labels), clips, clips, classes=10, seed="test", batch=batch)
        material = Material(Cell(Bounded(), None, Noise()), subject, Budget(epsilon=1.0))
        sizes.append(Bounded().measure(material).samples["score"])
    assert (sizes[0] != sizes[1]).any()


def test_no_room_for_one_clip_is_an_error(digits):
    module, images, labels = digits
    with pytest.raises(torch.OutOfMemoryError, match="no room"):
        measured(Bounded(), Noise(), Small(module, 0), images, labels)


def test_gradients_are_those_of_the_whole(digits):
    module, images, _ = digits
    images = images.clone().requires_grad_()
    (whole,) = torch.autograd.grad(module(images).logsumexp(1).sum(), images)
    (parts,) = torch.autograd.grad(InParts(module, 3)(images).logsumexp(1).sum(), images)
    torch.testing.assert_close(parts, whole)
