"""Every promise that is broken on purpose is found, by the check that is named for it, with what to mend."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import nn

import toys
from soundproof import Access, BoundedAttack, Channel, MinimumNormAttack
from soundproof.conformance import ConformanceError, InapplicableError, checks_of, promised
from soundproof.types import Kind

REGISTRY = toys.toy_registry()


def broken(component, **given):
    """What is broken: names of promises, with what is said of them."""
    found = {}
    for check in checks_of(component, registry=REGISTRY, **given):
        try:
            check()
        except InapplicableError:
            pass
        except ConformanceError as error:
            found[check.name] = str(error)
    return found


@dataclass(frozen=True)
class Step(BoundedAttack):
    """One projected gradient step, whose mistakes are switched on one by one."""

    id: ClassVar[str] = "step"
    mistake: str = field(default="none")
    __doc__ += "\n\n    Attributes:\n        mistake: What goes wrong."

    @property
    def planned_gradients(self):
        return 0 if self.mistake == "costs" else 1

    def perturb(self, victim, ball, generator):
        gradient = victim.gradient(victim.clean).gradient
        match self.mistake:
            case "ball":
                return (victim.clean + ball.scaled(1.01).ascent(gradient)).clamp(0, 1)
            case "box":
                return victim.clean + ball.ascent(gradient)
            case "batch":
                gradient = gradient.mean(dim=0, keepdim=True).expand_as(gradient)
            case "global generator":
                gradient = gradient + torch.randn(gradient.shape)
            case "numpy":
                gradient = gradient * float(np.random.uniform(1, 2))  # noqa: NPY002
            case "clean":
                victim.clean += 0.01
            case "settings":
                torch.set_default_dtype(torch.float64)
            case "silence":
                gradient = gradient / gradient.flatten(1).norm(dim=1)[:, None, None, None]
                return ball.project(victim.clean + 0.1 * gradient, victim.clean)
        return ball.project(victim.clean + ball.ascent(gradient), victim.clean)


@dataclass(frozen=True)
class Scaled(MinimumNormAttack):
    """Steps by the gradient as it is, until every clip is fooled."""

    id: ClassVar[str] = "scaled"

    @property
    def planned_gradients(self):
        return 60

    def minimise(self, victim, generator):
        images = victim.clean.clone()
        for _ in range(60):
            logits, gradient = victim.gradient(images)
            resisting = ~victim.goal.met(logits)
            images = (
                images + 0.05 * gradient * resisting[:, None, None, None] if images.dim() == 4 else images
            ).clamp(0, 1)
        return images


@dataclass(frozen=True)
class Lawful(Step):
    """A control that looks at gradients."""

    id: ClassVar[str] = "lawful"
    access: ClassVar[Access] = Access.CONTROL
    anything: Any = None
    bare: int = 3


@pytest.mark.parametrize(
    ("mistake", "name", "words"),
    [
        ("ball", "the_ball_is_kept", "left the ball"),
        ("box", "examples_are_valid_in_every_domain", "left the box"),
        ("batch", "a_clip_does_not_see_its_batch", "in a batch of three"),
        ("global generator", "the_generator_is_the_only_chance", "torch's global generator"),
        ("numpy", "the_generator_is_the_only_chance", "NumPy's global generator"),
        ("clean", "the_victim_is_left_alone", "victim.clean in place"),
        ("settings", "examples_are_valid_in_every_domain", "torch's default dtype"),
        ("costs", "costs_are_what_was_planned", "1 gradients where planned_gradients is 0"),
        ("costs", "climbing_costs_what_was_planned", "ladder_gradients"),
        ("silence", "vanishing_gradients_are_survived", "NaN"),
    ],
)
def test_mistakes_of_attacks(mistake, name, words):
    found = broken(Step(mistake))
    assert words in found[name]


def test_an_attack_without_mistakes_keeps_all():
    assert broken(Step()) == {}


def test_the_rest_of_the_mistakes_of_attacks():
    assert "at one scale and never at the other" in broken(Scaled())["the_scale_of_the_inputs_does_not_matter"]
    found = broken(Lawful())
    assert "it is control and used gradients" in found["costs_are_what_was_planned"]
    assert "anything and bare" in found["parameters_are_documented"]


class Layer(nn.Module):
    """A linear layer whose mistakes are switched on one by one."""

    def __init__(self, size, classes, mistake):
        super().__init__()
        self.layer = nn.Linear(size, classes)
        self.mistake = mistake
        if mistake == "unregistered":
            self.shift = torch.randn(classes)
        if mistake == "unseeded":
            self.layer.weight.data = torch.randn(
                classes, size, generator=torch.Generator().manual_seed(np.random.default_rng().integers(9**9))
            )

    def forward(self, inputs):
        flat = inputs.flatten(1)
        match self.mistake:
            case "batch":
                flat = flat - flat.mean(dim=0)
            case "cut":
                flat = flat.round()
            case "random":
                flat = flat + torch.randn_like(flat)
            case "in place":
                flat.mul_(2)
        logits = self.layer(flat)
        match self.mistake:
            case "softmax":
                return logits.softmax(dim=1)
            case "wide":
                return logits[:, :-1]
            case "double":
                return logits.double()
            case "nan":
                return logits / 0 - logits / 0
            case "unregistered":
                return logits + self.shift
        return logits


@dataclass(frozen=True)
class Faulty(toys.ToyModel):
    """A linear model.

    Attributes:
        mistake: What goes wrong.
        scale: Of nothing.
    """

    id: ClassVar[str] = "faulty"
    mistake: str = "none"

    def build(self, shape, classes):
        return Layer(int(np.prod(shape)), classes, self.mistake)

    def fit(self, module, data, trainer):
        curve = super().fit(module, data, trainer)
        module.train(self.mistake == "training")
        return [] if self.mistake == "curve" else curve


@pytest.mark.parametrize(
    ("mistake", "name"),
    [
        ("softmax", "logits_are_one_finite_number_a_class"),
        ("wide", "logits_are_one_finite_number_a_class"),
        ("double", "logits_are_one_finite_number_a_class"),
        ("nan", "logits_are_one_finite_number_a_class"),
        ("in place", "logits_are_one_finite_number_a_class"),
        ("batch", "a_network_at_rest_is_a_function_of_one_clip"),
        ("random", "a_network_at_rest_is_a_function_of_one_clip"),
        ("unregistered", "weights_follow_the_seed_and_can_be_stored"),
        ("unseeded", "weights_follow_the_seed_and_can_be_stored"),
        ("cut", "it_is_differentiable_if_and_only_if_it_says_so"),
        ("training", "it_trains_in_epochs_if_and_only_if_it_says_so"),
        ("curve", "it_trains_in_epochs_if_and_only_if_it_says_so"),
    ],
)
def test_mistakes_of_models(mistake, name):
    assert name in broken(Faulty(mistake=mistake))


def test_a_model_without_mistakes_keeps_all():
    assert broken(Faulty()) == {}


@dataclass(frozen=True)
class Samples(toys.ToyPicture):
    """Samples as they are.

    Attributes:
        mistake: What goes wrong.
    """

    id: ClassVar[str] = "samples"
    mistake: str = "none"

    def shape(self, samples):
        return (1, 1, samples)

    def reason_to_skip(self, samples):
        return "too long" if self.mistake == "short" and samples > 50_000 else None

    def fit(self, waveforms):
        mistake, level = self.mistake, waveforms.abs().max() if self.mistake == "fitted" else 1.0

        class Shown(nn.Module):
            def forward(self, clips):
                match mistake:
                    case "box":
                        return clips[:, None, None]
                    case "batch":
                        clips = clips / clips.abs().max()
                    case "silence":
                        clips = clips / clips.std(dim=1, keepdim=True) / 100
                    case "random":
                        clips = clips * torch.rand(1)
                    case "in place":
                        clips.mul_(0.5)
                    case "cut":
                        clips = clips.detach()
                    case "root":
                        clips = clips.abs().sqrt()
                return ((clips / level).clamp(-1, 1) / 2 + 0.5)[:, None, None]

            def inverse(self, inputs, reference):
                missed = 0.01 if mistake == "inverse" else 0.0
                return (inputs.flatten(1) * 2 - 1 + missed)[:, : -1 if mistake == "length" else None]

        return Shown()


@pytest.mark.parametrize(
    ("mistake", "name"),
    [
        ("box", "inputs_are_in_the_box_and_of_the_promised_shape"),
        ("silence", "inputs_are_in_the_box_and_of_the_promised_shape"),
        ("batch", "a_clip_s_input_does_not_depend_on_its_batch"),
        ("random", "the_same_clips_give_the_same_bytes"),
        ("in place", "waveforms_are_left_alone"),
        ("fitted", "only_a_fitted_one_looks_at_the_training_clips"),
        ("cut", "it_is_differentiable_if_and_only_if_it_says_so"),
        ("root", "gradients_of_silence_are_numbers"),
        ("short", "longer_clips_are_never_harder"),
        ("inverse", "its_inverse_gives_a_clip_back_within_the_stated_error"),
        ("length", "its_inverse_gives_a_clip_back_within_the_stated_error"),
    ],
)
def test_mistakes_of_representations(mistake, name):
    assert name in broken(Samples(mistake))


@dataclass(frozen=True)
class Claimed(Samples):
    """Says that it has a surrogate."""

    id: ClassVar[str] = "claimed"
    differentiable: ClassVar[bool] = False
    surrogate: ClassVar[bool] = True


def test_a_surrogate_gives_gradients():
    name = "what_is_not_differentiable_says_whether_it_has_a_surrogate"
    assert name in broken(Claimed("cut"))
    assert name not in broken(Claimed())


def test_a_representation_without_mistakes_keeps_all():
    assert broken(Samples()) == {}


@dataclass(frozen=True)
class Halving(toys.ToyDefense):
    """Halves the weights.

    Attributes:
        mistake: What goes wrong.
    """

    id: ClassVar[str] = "halving"
    mistake: str = "none"

    @property
    def draws(self):
        return 2 if self.mistake == "draws" else 1

    def under(self, budget):
        return replace(self, mistake=f"{budget.norm}") if self.mistake in {"l2", "under"} else self

    def wrap(self, classifier, data_shape, classes):
        mistake = self.mistake

        class Wrapped(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = classifier
                self.hidden = torch.randn(1)

            def forward(self, inputs):
                match mistake:
                    case "cut":
                        inputs = (inputs * 8).round() / 8
                    case "batch":
                        inputs = inputs - inputs.mean(dim=0)
                    case "narrow":
                        return self.inner(inputs)[:, :1]
                    case "unregistered":
                        return self.inner(inputs) + self.hidden
                return self.inner(inputs)

        return classifier if mistake in {"none", "l2"} else Wrapped().eval()

    def fit(self, defended, data, trainer):
        super().fit(defended, data, trainer)
        match self.mistake:
            case "training":
                defended.train()
            case "data":
                data.train.inputs.zero_()
            case "reports":
                trainer.report("level", [1.0])
            case "unseeded":
                for weights in defended.parameters():
                    weights.data += float(np.random.default_rng().normal())


@pytest.mark.parametrize(
    ("mistake", "name"),
    [
        ("narrow", "logits_have_their_shape"),
        ("unseeded", "the_same_seed_makes_the_same_classifier"),
        ("unregistered", "weights_are_stored_and_loaded_through_what_wrap_returns"),
        ("batch", "a_clip_is_heard_alike_in_any_company"),
        ("cut", "an_informed_attacker_gets_a_gradient_for_every_clip"),
        ("draws", "it_averages_over_draws_where_it_is_random_and_only_there"),
        ("training", "it_is_left_in_evaluation_mode"),
        ("data", "fitting_leaves_the_data_alone"),
        ("none", "a_classifier_that_cannot_be_trained_is_left_as_it_is_or_skipped"),
        ("reports", "what_it_reports_is_a_number_for_each_held_out_clip"),
        ("under", "a_budget_fills_in_once_and_changes_nothing_else"),
    ],
)
def test_mistakes_of_defenses(mistake, name):
    assert name in broken(Halving(mistake))


@dataclass(frozen=True)
class Louder(toys.ToyCopies):
    """Louder copies.

    Attributes:
        mistake: What goes wrong.
        gain: How much louder.
    """

    id: ClassVar[str] = "louder"
    mistake: str = "none"

    def augment(self, waveforms, rate, generator):
        copies = super().augment(waveforms, rate, generator)
        match self.mistake:
            case "range":
                return copies * 2
            case "type":
                return copies.astype(np.float64)
            case "fewer":
                return copies[:1]
            case "list":
                return list(copies)
            case "same":
                return np.stack([waveforms, waveforms])
            case "random":
                return copies * np.float32(np.random.default_rng().uniform())
            case "empty":
                assert len(waveforms)
        return copies


@pytest.mark.parametrize("mistake", ["range", "type", "fewer", "list", "same"])
def test_mistakes_of_augmentations(mistake):
    assert "copies_are_finite_clips_in_range_of_the_promised_shape" in broken(Louder(mistake=mistake))


def test_the_rest_of_the_mistakes_of_augmentations():
    assert broken(Louder()) == {}
    assert "the_same_generator_gives_the_same_bytes" in broken(Louder(mistake="random"))
    assert "no_clips_give_no_copies" in broken(Louder(mistake="empty"))


@dataclass(frozen=True)
class Clips(toys.ToyDataset):
    """Constant clips.

    Attributes:
        mistake: What goes wrong.
        spread: Of the levels.
    """

    id: ClassVar[str] = "clips"
    mistake: str = "none"

    def index(self, root):
        found = super().index(root)
        match self.mistake:
            case "short":
                return replace(found, labels=found.labels[:-1])
            case "list":
                return replace(found, labels=found.labels.tolist())
            case "class":
                return replace(found, classes=(*found.classes, "never"))
            case "folds":
                return replace(found, folds=np.arange(toys.CLIPS) % 2)
        return found

    def waveforms(self, root, rate):
        found = super().waveforms(root, rate)
        match self.mistake:
            case "loud":
                return found * 3
            case "silent":
                return found * 0
            case "random":
                return found * np.float32(np.random.default_rng().uniform())
        return found


@pytest.mark.parametrize(
    ("mistake", "name"),
    [
        ("short", "the_index_is_one"),
        ("list", "the_index_is_one"),
        ("class", "the_index_is_one"),
        ("folds", "no_group_lies_in_two_folds"),
        ("loud", "waveforms_are_clips_of_one_length"),
        ("silent", "waveforms_are_clips_of_one_length"),
        ("random", "the_same_files_give_the_same_samples"),
    ],
)
def test_mistakes_of_data_sets(mistake, name, tmp_path):
    assert name in broken(Clips(mistake=mistake), root=tmp_path)


def test_a_data_set_without_mistakes_keeps_all(tmp_path):
    assert broken(Clips(), root=tmp_path) == {}


@dataclass(frozen=True)
class Quieter(Channel):
    """Plays at half the level, some clips at a little less.

    Attributes:
        mistake: What goes wrong.
    """

    id: ClassVar[str] = "quieter"
    differentiable: ClassVar[bool] = True
    mistake: str = "none"

    def carry(self, waveforms, rate, generator):
        levels = 0.5 - 0.1 * torch.rand(len(waveforms), 1, generator=generator)
        if self.mistake == "sound" and waveforms[0].any():
            torch.rand(1, generator=generator)
        heard = {
            "list": waveforms.tolist,
            "short": lambda: waveforms[:, 1:],
            "double": lambda: waveforms.double() * levels,
            "nan": lambda: waveforms / waveforms.abs().amax(dim=1, keepdim=True),
            "loud": lambda: 3 * waveforms,
            "nothing": waveforms.clone,
            "in place": lambda: waveforms.mul_(0.5) if not waveforms.requires_grad else waveforms * 0.5,
            "global": lambda: waveforms * torch.rand(1),
            "cut": lambda: waveforms.detach() * levels,
        }
        return heard.get(self.mistake, lambda: waveforms * levels)()


@pytest.mark.parametrize(
    ("mistake", "name"),
    [
        ("list", "sounds_arrive_finite_in_range_and_of_the_same_length"),
        ("short", "sounds_arrive_finite_in_range_and_of_the_same_length"),
        ("double", "sounds_arrive_finite_in_range_and_of_the_same_length"),
        ("nan", "sounds_arrive_finite_in_range_and_of_the_same_length"),
        ("loud", "sounds_arrive_finite_in_range_and_of_the_same_length"),
        ("nothing", "sounds_arrive_finite_in_range_and_of_the_same_length"),
        ("in place", "waveforms_are_left_alone"),
        ("global", "the_same_generator_gives_the_same_bytes"),
        ("sound", "what_it_draws_does_not_depend_on_the_sound"),
        ("cut", "gradients_flow_if_and_only_if_it_says_so"),
    ],
)
def test_mistakes_of_channels(mistake, name):
    assert name in broken(Quieter(mistake))


def test_a_channel_without_mistakes_keeps_all():
    assert broken(Quieter()) == {}


def test_what_raises_is_named_by_file_and_line():
    found = broken(toys.Raising())
    assert "RuntimeError: no such luck (toys.py:" in found["the_ball_is_kept"]
    assert found["the_ball_is_kept"].endswith("; end with ball.project(images, victim.clean)")


@pytest.mark.parametrize("kind", Kind)
def test_every_promise_is_stated(kind):
    component = {
        Kind.DATASET: Clips(), Kind.REPRESENTATION: Samples(), Kind.MODEL: Faulty(), Kind.DEFENSE: Halving(),
        Kind.ATTACK: Step(), Kind.AUGMENTATION: Louder(), Kind.CHANNEL: Quieter(),
    }[kind]  # fmt: skip
    found = checks_of(component, registry=REGISTRY)
    assert [check.name for check in found] == promised(kind)
    assert all(check.promise.endswith(".") and check.remedy for check in found)
