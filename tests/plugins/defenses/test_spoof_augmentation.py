"""Training with transformed copies: what is trained on, how it is labelled, and that it helps."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from soundproof import Examples, Model, Recipe, Sounds, Trainer, TrainingData
from soundproof.contract.discovery import discover
from soundproof.errors import PluginError
from soundproof.types import Kind, Ref
from soundproof_defenses.spoof_augmentation import SpoofAugmentation

RATE, SAMPLES, CLIPS = 4000, 400, 12
CHEAP = ("limiter", "compressor", "white-noise")
REGISTRY = discover()


class Linear(Model):
    id = "linear"

    def build(self, shape, classes):
        return nn.Sequential(nn.Flatten(), nn.Linear(SAMPLES, classes))


class Fixed(Linear):
    id = "fixed"
    retrainable = False


class Recorder(Trainer):
    """Remembers what it was asked to train on."""

    def fit(self, module, data, objective=None, recipe=None):
        self.asked = data, recipe
        return super().fit(module, data, objective, recipe)


def represent(waveforms):
    return torch.from_numpy((waveforms + 1) / 2)[:, None]


def data(extra=0):
    waveforms = np.random.default_rng(0).uniform(-0.5, 0.5, (CLIPS, SAMPLES)).astype(np.float32)
    labels = torch.arange(CLIPS) % 2
    inputs = represent(waveforms)
    train = Examples(torch.cat([inputs, inputs[:extra]]), torch.cat([labels, labels[:extra]]))
    sounds = Sounds(RATE, lambda: waveforms, lambda: waveforms, represent)
    return TrainingData(train, Examples(inputs, labels), 2, sounds)


def trainer(seed=0):
    return Recorder(Recipe(epochs=1, batch=8, learning_rate=0.1), seed, build=REGISTRY.build)


def spoof(*transformations):
    return Ref(Kind.AUGMENTATION, "spoof", {"transformations": list(transformations)})


def fitted(seed=0, extra=0, **parameters):
    torch.manual_seed(0)
    module, runner = Linear().build((1, SAMPLES), 2), trainer(seed)
    SpoofAugmentation(**{"augmentation": spoof(*CHEAP), **parameters}).fit(module, data(extra), runner)
    return module, *runner.asked


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("label", ["same", "spoof"])
def test_copies_follow_all_that_was_there(copies, label):
    """Other augmentations' copies lie between the originals and these."""
    _, seen, _ = fitted(copies=copies, copy_label=label, extra=4)
    before = data(4)
    assert len(seen.train) == len(before.train) + copies * CLIPS
    assert torch.equal(seen.train.inputs[: len(before.train)], before.train.inputs)
    assert torch.equal(seen.train.labels[: len(before.train)], before.train.labels)
    added = seen.train.labels[len(before.train) :]
    expected = torch.ones_like(added) if label == "spoof" else before.train.labels[:CLIPS].repeat(copies)
    assert torch.equal(added, expected)
    rounds = seen.train.inputs[len(before.train) :].unflatten(0, (copies, CLIPS))
    for copy in rounds:
        assert bool((copy != before.train.inputs[:CLIPS]).flatten(1).any(dim=1).all())
    if copies > 1:
        assert not torch.equal(rounds[0], rounds[1])
    assert torch.equal(seen.validation.inputs, before.validation.inputs)


def test_copies_are_what_the_transformations_make():
    """Limited clips are louder by one factor each, where they are not cut."""
    _, seen, _ = fitted(augmentation=spoof("limiter"))
    before, after = (2 * part - 1 for part in seen.train.inputs.split(CLIPS))
    ratios = (after / before)[..., (before.abs() < 0.25)[0, 0] & (before.abs() > 0.1)[0, 0]][0, 0]
    assert ratios.std() < 1e-4
    assert 1 / 0.8 <= ratios.mean() <= 1 / 0.3


def test_the_trainers_generator_decides():
    first, again, other = (fitted(seed)[1].train.inputs for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_it_starts_from_trained_weights_slowly_or_anew():
    _, _, on = fitted(start="trained")
    assert on.learning_rate == pytest.approx(0.01)
    _, _, anew = fitted(start="scratch")
    assert anew.learning_rate == pytest.approx(0.1)
    torch.manual_seed(0)
    module = Linear().build((1, SAMPLES), 2)
    before = module[1].weight.clone()
    runner = trainer()
    runner.recipe = dataclasses.replace(runner.recipe, learning_rate=1e-12)
    SpoofAugmentation(augmentation=spoof(*CHEAP), start="scratch").fit(module, data(), runner)
    assert not torch.allclose(module[1].weight, before)


def test_without_sounds_it_says_so():
    silent = dataclasses.replace(data(), sounds=None)
    with pytest.raises(ValueError, match="spoof-augmentation transforms sounds"):
        SpoofAugmentation().fit(Linear().build((1, SAMPLES), 2), silent, trainer())


@pytest.mark.parametrize(
    ("model", "classes", "label", "reason"),
    [
        (Linear(), 10, "same", None),
        (Linear(), 2, "spoof", None),
        (Linear(), 10, "spoof", "needs the two classes bonafide and spoof, not 10"),
        (Fixed(), 2, "same", "fixed cannot be trained further"),
    ],
)
def test_what_it_cannot_defend_is_skipped(model, classes, label, reason):
    found = SpoofAugmentation(copy_label=label).reason_to_skip(model, (1, SAMPLES), classes)
    assert (found is None) if reason is None else reason in found


def test_any_augmentation_serves():
    """Four pitches of each clip, twice."""
    _, seen, _ = fitted(augmentation=Ref(Kind.AUGMENTATION, "pitch-shift"), copies=2)
    assert len(seen.train) == CLIPS + 2 * 4 * CLIPS
    assert torch.equal(seen.train.labels, data().train.labels.repeat(9))


def test_suites_name_transformations_in_lists():
    entry = {"augmentation": {"id": "spoof", "transformations": ["limiter", "speed"]}, "copy_label": "spoof"}
    built = REGISTRY.build(Ref(Kind.DEFENSE, "spoof-augmentation", entry))
    assert built == SpoofAugmentation(augmentation=spoof("limiter", "speed"), copy_label="spoof")
    assert hash(built) == hash(SpoofAugmentation(augmentation=spoof("limiter", "speed"), copy_label="spoof"))
    entry = {"augmentation": {"id": "spoof", "transformations": ["limiter", "limitr", "reverb"]}}
    with pytest.raises(PluginError, match="transformations limitr, reverb are unknown; there are butterworth, ch"):
        REGISTRY.build(Ref(Kind.DEFENSE, "spoof-augmentation", entry))
