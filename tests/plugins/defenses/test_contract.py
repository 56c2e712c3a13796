"""What holds for every defense that is installed, with every value of its parameters that are choices.

Nothing is listed by hand but what would take minutes: a defense that somebody adds is tested as it stands.
"""

import dataclasses
import enum
import inspect
import typing
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from soundproof import (
    Adversary,
    Budget,
    Defense,
    Examples,
    Kind,
    Model,
    Norm,
    Recipe,
    Ref,
    Sounds,
    Trainer,
    TrainingData,
)
from soundproof.contract.discovery import discover

pytestmark = pytest.mark.slow

REGISTRY = discover()
# Parameters of defenses that are large by default.
SMALL = {
    "denoising-autoencoder": {"architecture": 1},
    "spoof-augmentation": {"augmentation": {"id": "spoof", "transformations": ["limiter", "white-noise"]}},
    "wavegan-inversion": {
        "samples": 1024,
        "width": 2,
        "encoder_width": 2,
        "generator_steps": 2,
        "encoder_steps": 2,
        "perceptual_epochs": 1,
        "evaluations": 5,
    },
}
RATE, SAMPLES, SIDE, CLASSES = 8000, 1024, 32, 2
PICTURE, WAVEFORM = (1, SIDE, SIDE), (1, SAMPLES)


class Network(Model):
    """A convolution, a mean and a dense layer, for pictures and waveforms; a dense one for vectors."""

    id = "small"

    def build(self, shape, classes):
        if len(shape) == 1:
            return nn.Linear(shape[0], classes)
        convolution, pool = [(nn.Conv1d, nn.AdaptiveAvgPool1d), (nn.Conv2d, nn.AdaptiveAvgPool2d)][len(shape) - 2]
        return nn.Sequential(
            convolution(shape[0], 6, 5, padding=2), nn.ReLU(), pool(2), nn.Flatten(), nn.LazyLinear(classes)
        )


class Stages(nn.Module):
    """A network whose maps after its stages can be read."""

    def __init__(self, channels, classes):
        super().__init__()
        self.first = nn.Conv2d(channels, 4, 3, stride=4)
        self.last = nn.Linear(4, classes)

    def stages(self, inputs):
        return [self.first(inputs)]

    def forward(self, inputs):
        return self.last(self.first(inputs).mean(dim=(2, 3)))


class Staged(Network):
    """What stands for the models that defenses name: theirs have millions of weights."""

    def build(self, shape, classes):
        return Stages(shape[0], classes)


class Untrainable(Network):
    """One that no gradient descent improves."""

    retrainable = False


class Case(NamedTuple):
    """A defense, and inputs of a shape that it takes."""

    defense: Defense
    shape: tuple[int, ...]

    def __str__(self):
        changed = {
            field.name: str(value)
            for field in dataclasses.fields(self.defense)
            if isinstance(value := getattr(self.defense, field.name), (str, int))
            and value != field.default
            and field.name not in SMALL.get(self.defense.id, {})
        }
        return "-".join([self.defense.id, "x".join(map(str, self.shape)), *changed.values()])


def choices(component):
    """Every parameter that is a choice, with its values."""
    hints = typing.get_type_hints(component)
    for field in dataclasses.fields(component):
        hint = hints[field.name]
        if typing.get_origin(hint) is typing.Literal:
            yield field.name, typing.get_args(hint)
        elif inspect.isclass(hint) and issubclass(hint, enum.Enum):
            yield field.name, [str(value) for value in hint]


def variants(name):
    """The defense as it is by default, and with each value of each choice."""
    small = SMALL.get(name, {})
    given = [small]
    for parameter, values in choices(REGISTRY.find(Kind.DEFENSE, name).component):
        given += [{**small, parameter: value} for value in values]
    made = [REGISTRY.build(Ref(Kind.DEFENSE, name, parameters)).under(Budget()) for parameters in given]
    return list(dict.fromkeys(made))


def cases(name):
    """The defense by default with pictures and waveforms, its variants with the first of them that they take."""
    for number, defense in enumerate(variants(name)):
        taken = [s for s in (PICTURE, WAVEFORM) if defense.reason_to_skip(Network(), s, CLASSES) is None]
        yield from (Case(defense, shape) for shape in (taken if number == 0 else taken[:1]))


CASES = [case for name in REGISTRY.ids(Kind.DEFENSE) for case in cases(name)]
every = pytest.mark.parametrize("case", CASES, ids=str)
every_variant = pytest.mark.parametrize(
    "defense", [defense for name in REGISTRY.ids(Kind.DEFENSE) for defense in variants(name)], ids=lambda d: d.id
)


@cache
def waveforms(clips, seed):
    """Low or high tones in noise; nobody may write on them."""
    generator = np.random.default_rng(seed)
    pitch = 400 * (1 + 2 * (np.arange(clips) % CLASSES))[:, None] * generator.uniform(0.9, 1.1, (clips, 1))
    tones = 0.3 * np.sin(2 * np.pi * pitch * np.arange(SAMPLES) / RATE)
    made = (tones + generator.normal(0, 0.05, tones.shape)).astype(np.float32)
    made.setflags(write=False)
    return made


def data(shape, train=14, validation=5):
    def represent(sounds):
        return torch.from_numpy((np.clip(sounds, -1, 1) + 1) / 2).reshape(-1, *shape)

    sounds = Sounds(RATE, lambda: waveforms(train, 0), lambda: waveforms(validation, 1), represent)
    parts = [
        Examples(represent(waveforms(clips, seed)), torch.arange(clips) % CLASSES)
        for clips, seed in ((train, 0), (validation, 1))
    ]
    return TrainingData(*parts, CLASSES, sounds)


def probe(shape):
    return data(shape).validation.inputs


def network(shape):
    """A classifier with weights, the same every time."""
    torch.manual_seed(0)
    built = Network().build(shape, CLASSES)
    built(torch.zeros(1, *shape))
    return built.eval()


class Run(NamedTuple):
    """One fit, and what stood around it.

    Attributes:
        defended: The result.
        reports: What was measured of it.
        classifier: What was defended; its weights before are in `network`.
        given: What it learnt from.
        settings: torch's, before and after.
    """

    defended: nn.Module
    reports: dict[str, np.ndarray]
    classifier: nn.Module
    given: TrainingData
    settings: tuple[object, object]


def component(ref):
    return Staged() if ref.kind is Kind.MODEL else REGISTRY.build(ref)


@cache
def run(case, *, again=False):
    """Defend a classifier, as the harness does."""
    trainer = Trainer(Recipe(epochs=2, batch=8, learning_rate=0.01), 0, build=component)
    classifier, given, settings = network(case.shape), data(case.shape), torch_settings()
    torch.manual_seed(1)
    defended = case.defense.wrap(classifier, case.shape, CLASSES)
    case.defense.fit(defended, given, trainer)
    return Run(defended, trainer.reports, classifier, given, (settings, torch_settings()))


def fitted(case):
    return run(case).defended


def torch_settings():
    return (
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.cudnn.benchmark,
        torch.get_float32_matmul_precision(),
    )


def logits(defended, inputs):
    """One pass, with the same draws every time."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(2)
        return defended(inputs)


def test_every_defense_is_tried():
    assert {case.defense.id for case in CASES} == set(REGISTRY.ids(Kind.DEFENSE))
    assert {"none", "adversarial-training", "input-transform"} <= {case.defense.id for case in CASES}


@every
def test_logits_have_their_shape(case):
    found = logits(fitted(case), probe(case.shape))
    assert found.shape == (5, CLASSES)
    assert found.dtype == torch.float32
    assert torch.isfinite(found).all()


@every
def test_the_same_seed_makes_the_same_classifier(case):
    again = run(case, again=True).defended.state_dict()
    assert again.keys() == fitted(case).state_dict().keys()
    for name, values in fitted(case).state_dict().items():
        assert torch.equal(values, again[name]), name


@every
def test_weights_are_stored_and_loaded_through_what_wrap_returns(case):
    torch.manual_seed(99)
    empty = case.defense.wrap(network(case.shape), case.shape, CLASSES).eval()
    empty.load_state_dict({name: values.clone() for name, values in fitted(case).state_dict().items()})
    assert torch.equal(logits(empty, probe(case.shape)), logits(fitted(case), probe(case.shape)))


@every
def test_a_clip_is_heard_alike_in_any_company(case):
    if case.defense.draws > 1:
        pytest.skip("a random classifier draws for the whole batch")
    inputs = probe(case.shape)
    alone = torch.cat([logits(fitted(case), clip[None]) for clip in inputs])
    torch.testing.assert_close(logits(fitted(case), inputs), alone, rtol=1e-4, atol=1e-4)


@every
def test_an_informed_attacker_gets_a_gradient_for_every_clip(case):
    inputs = probe(case.shape).requires_grad_()
    found = fitted(case)(inputs)
    (gradient,) = torch.autograd.grad((found[:, 0] - found[:, 1]).sum(), inputs)
    assert torch.isfinite(gradient).all()
    assert (gradient.flatten(1).abs().amax(dim=1) > 0).all()


@every
def test_it_averages_over_draws_where_it_is_random_and_only_there(case):
    defended, inputs = fitted(case), probe(case.shape)
    torch.manual_seed(0)
    with torch.no_grad():
        passes = [defended(inputs) for _ in range(3)]
    is_random = any(not torch.equal(passes[0], other) for other in passes[1:])
    assert is_random == (case.defense.draws > 1)
    assert is_random == (case.defense.adversary is Adversary.EOT)


@every
def test_it_is_left_in_evaluation_mode(case):
    assert not [name for name, part in fitted(case).named_modules() if part.training]


@every
def test_fitting_leaves_the_data_and_torch_alone(case):
    given, before = run(case).given, data(case.shape)
    for part in ("train", "validation"):
        assert torch.equal(getattr(given, part).inputs, getattr(before, part).inputs)
        assert torch.equal(getattr(given, part).labels, getattr(before, part).labels)
        assert not getattr(given, part).inputs.requires_grad
    settings_before, settings_after = run(case).settings
    assert settings_before == settings_after


@every
def test_a_classifier_that_cannot_be_trained_is_left_as_it_is_or_skipped(case):
    if case.defense.reason_to_skip(Untrainable(), case.shape, CLASSES) is None:
        before = network(case.shape).state_dict()
        assert all(torch.equal(before[name], now) for name, now in run(case).classifier.state_dict().items())


@every
def test_what_it_reports_is_a_number_for_each_held_out_clip(case):
    for values in run(case).reports.values():
        assert values.shape == (len(run(case).given.validation),)
        assert np.isfinite(values).all()


@every_variant
@pytest.mark.parametrize("shape", [PICTURE, (3, 8, 9), WAVEFORM, (1, 100), (2, 1024), (40,)], ids=str)
def test_what_it_does_not_skip_it_wraps(defense, shape):
    reason = defense.reason_to_skip(Network(), shape, CLASSES)
    if reason is not None:
        assert reason
        return
    defended = defense.wrap(network(shape), shape, CLASSES).eval()
    assert logits(defended, torch.rand(3, *shape)).shape == (3, CLASSES)


@every_variant
def test_a_budget_fills_in_once_and_changes_nothing_else(defense):
    assert defense.under(Budget(Norm.LINF, epsilon=0.5)) == defense


@pytest.mark.parametrize("name", REGISTRY.ids(Kind.DEFENSE))
def test_presets_build_and_stand_beside_other_parameters(name):
    for preset, parameters in REGISTRY.find(Kind.DEFENSE, name).component.presets.items():
        built = REGISTRY.build(REGISTRY.reference(Kind.DEFENSE, {"id": name, "preset": preset}))
        assert set(parameters) <= set(built.parameters())
