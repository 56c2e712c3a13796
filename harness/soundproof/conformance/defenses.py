"""Promises of defenses: logits, determinism, weights that can be stored, gradients for the informed attacker."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from soundproof.conformance.promises import InapplicableError, Promises, promise, require
from soundproof.contract.components import Defense, Model
from soundproof.training.trainer import Trainer
from soundproof.types import Adversary, Budget, Examples, Kind, Norm, Recipe, Sounds, TrainingData

if TYPE_CHECKING:
    import numpy.typing as npt

    from soundproof.contract.components import Component
    from soundproof.types import Ref

RATE, SAMPLES, SIDE, CLASSES = 8000, 1024, 32, 2
PICTURE, WAVEFORM = (1, SIDE, SIDE), (1, SAMPLES)
SHAPES = [PICTURE, (3, 8, 9), WAVEFORM, (1, 100), (2, 1024), (40,)]


class SmallNetwork(Model):
    """A convolution, a mean and a dense layer, for pictures and waveforms; a dense one for vectors."""

    id = "small"

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """An untrained one."""
        if len(shape) == 1:
            return nn.Linear(shape[0], classes)
        if len(shape) == 2:
            first: list[nn.Module] = [nn.Conv1d(shape[0], 6, 5, padding=2), nn.ReLU(), nn.AdaptiveAvgPool1d(2)]
            return nn.Sequential(*first, nn.Flatten(), nn.Linear(12, classes))
        first = [nn.Conv2d(shape[0], 6, 5, padding=2), nn.ReLU(), nn.AdaptiveAvgPool2d(2)]
        return nn.Sequential(*first, nn.Flatten(), nn.Linear(24, classes))


class Untrainable(SmallNetwork):
    """One that no gradient descent improves."""

    retrainable = False


class _Stages(nn.Module):
    """A network whose maps after its stages can be read."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, 4, 3, stride=4)
        self.last = nn.Linear(4, classes)

    def stages(self, inputs: torch.Tensor) -> list[torch.Tensor]:
        """The map after the first convolution."""
        return [self.first(inputs)]

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits."""
        logits: torch.Tensor = self.last(self.first(inputs).mean(dim=(2, 3)))
        return logits


class _Staged(SmallNetwork):
    """What stands for the models that defenses name: theirs have millions of weights."""

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """An untrained one."""
        return _Stages(shape[0], classes)


@cache
def tones(clips: int, seed: int) -> npt.NDArray[np.float32]:
    """Low or high tones in noise, `[clips, SAMPLES]`; nobody may write on them."""
    generator = np.random.default_rng(seed)
    pitch = 400 * (1 + 2 * (np.arange(clips) % CLASSES))[:, None] * generator.uniform(0.9, 1.1, (clips, 1))
    clean = 0.3 * np.sin(2 * np.pi * pitch * np.arange(SAMPLES) / RATE)
    made = (clean + generator.normal(0, 0.05, clean.shape)).astype(np.float32)
    made.setflags(write=False)
    return made


def training_data(shape: tuple[int, ...], train: int = 14, validation: int = 5) -> TrainingData:
    """The tones as inputs of a shape of `SAMPLES` values, with the sounds that they come from."""

    def represent(sounds: npt.NDArray[np.float32]) -> torch.Tensor:
        return torch.from_numpy((np.clip(sounds, -1, 1) + 1) / 2).reshape(-1, *shape)

    sounds = Sounds(RATE, lambda: tones(train, 0), lambda: tones(validation, 1), represent)

    def examples(clips: int, seed: int) -> Examples:
        return Examples(represent(tones(clips, seed)), torch.arange(clips) % CLASSES)

    return TrainingData(examples(train, 0), examples(validation, 1), CLASSES, sounds)


def small_network(shape: tuple[int, ...]) -> nn.Module:
    """A classifier with weights, the same every time."""
    torch.manual_seed(0)
    return SmallNetwork().build(shape, CLASSES).eval()


def _pass(module: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """One pass, with the same draws every time."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(2)
        logits: torch.Tensor = module(inputs)
        return logits


@dataclass(frozen=True, eq=False)
class Fitted:
    """One fit.

    Attributes:
        defended: The result.
        reports: What was measured of it.
        classifier: What was defended.
        data: What it learnt from.
    """

    defended: nn.Module
    reports: dict[str, Any]
    classifier: nn.Module
    data: TrainingData


class DefensePromises(Promises):
    """Promises of a defense, tried on a small network with pictures or waveforms, whatever it takes.

    Attributes:
        shape: Of the inputs that are tried.
    """

    def __init__(self, component: Any, given: Any, shape: tuple[int, ...] | None = None) -> None:
        super().__init__(component, given)
        self._shape = shape

    @cached_property
    def defense(self) -> Defense:
        """With what it leaves to the budget filled in."""
        defense: Defense = self.component.under(Budget())
        return defense

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Shape of the inputs that are tried."""
        if self._shape is not None:
            return self._shape
        for shape in (PICTURE, WAVEFORM):
            if self.defense.reason_to_skip(SmallNetwork(), shape, CLASSES) is None:
                return shape
        raise InapplicableError("it defends neither pictures nor waveforms of the size that is tried")

    def _component(self, ref: Ref) -> Component:
        return _Staged() if ref.kind is Kind.MODEL else self.given.registry.build(ref)

    def _fit(self) -> Fitted:
        """Defend a classifier, as the harness does."""
        trainer = Trainer(Recipe(epochs=2, batch=8, learning_rate=0.01), 0, build=self._component)
        classifier, data = small_network(self.shape), training_data(self.shape)
        torch.manual_seed(1)
        defended = self.defense.wrap(classifier, self.shape, CLASSES)
        found = type(defended).__name__
        require(isinstance(defended, nn.Module), f"wrap returned {found}", "return a torch.nn.Module")
        self.defense.fit(defended, data, trainer)
        return Fitted(defended, dict(trainer.reports), classifier, data)

    @cached_property
    def fitted(self) -> Fitted:
        """One fit, looked at by all checks."""
        return self._fit()

    @property
    def _inputs(self) -> torch.Tensor:
        return training_data(self.shape).validation.inputs

    @promise("return logits [n, classes], as the classifier does")
    def logits_have_their_shape(self) -> None:
        """The defended classifier maps `[n, *shape]` to finite float32 logits `[n, classes]`."""
        found = _pass(self.fitted.defended, self._inputs)
        require(found.shape == (5, CLASSES), f"logits {tuple(found.shape)} where (5, 2) is due", "return logits")
        require(found.dtype == torch.float32, f"logits are {found.dtype}", "return float32")
        require(torch.isfinite(found).all(), "logits are NaN or infinite", "return finite logits")

    @promise("draw from the trainer's generator or torch's global one, which the harness seeds")
    def the_same_seed_makes_the_same_classifier(self) -> None:
        """Two fits with the same seed give the same weights."""
        first, again = self.fitted.defended.state_dict(), self._fit().defended.state_dict()
        require(first.keys() == again.keys(), "two fits have other weights", "build the same structure each time")
        for name, values in first.items():
            require(
                torch.equal(values, again[name]), f"two fits with one seed differ in {name}", "draw from torch"
            )

    @promise("make all layers in wrap, and register all state as parameters or buffers")
    def weights_are_stored_and_loaded_through_what_wrap_returns(self) -> None:
        """A state dict carries a defended classifier over into what `wrap` returns anew."""
        torch.manual_seed(99)
        empty = self.defense.wrap(small_network(self.shape), self.shape, CLASSES).eval()
        state = self.fitted.defended.state_dict()
        empty.load_state_dict({name: values.clone() for name, values in state.items()})
        same = torch.equal(_pass(empty, self._inputs), _pass(self.fitted.defended, self._inputs))
        require(same, "with the same state dict it computes something else", "register all state")

    @promise("compute row by row in evaluation mode")
    def a_clip_is_heard_alike_in_any_company(self) -> None:
        """A clip's logits do not depend on its batch."""
        if self.defense.draws > 1:
            raise InapplicableError("a random classifier draws for the whole batch")
        alone = torch.cat([_pass(self.fitted.defended, clip[None]) for clip in self._inputs])
        close = torch.allclose(_pass(self.fitted.defended, self._inputs), alone, rtol=1e-4, atol=1e-4)
        require(close, "a clip's logits depend on its batch", "compute row by row")

    @promise("build a surrogate backward pass in (BPDA), and set adversary = Adversary.BPDA")
    def an_informed_attacker_gets_a_gradient_for_every_clip(self) -> None:
        """Gradients through the defended classifier are finite and reach every clip."""
        inputs = self._inputs.requires_grad_()
        found = self.fitted.defended(inputs)
        require(found.requires_grad, "no gradient flows through it", "build a surrogate backward pass in")
        (gradient,) = torch.autograd.grad((found[:, 0] - found[:, 1]).sum(), inputs)
        require(torch.isfinite(gradient).all(), "gradients are NaN or infinite", "guard roots and logarithms")
        reached = (gradient.flatten(1).abs().amax(dim=1) > 0).all()
        require(
            reached, "some clip has no gradient: it would only seem robust", "give it a surrogate backward pass"
        )

    @promise("say how many draws an attacker averages over, and set adversary = Adversary.EOT")
    def it_averages_over_draws_where_it_is_random_and_only_there(self) -> None:
        """A random classifier has `draws` above 1 and the adversary EOT, and no other has."""
        torch.manual_seed(0)
        with torch.no_grad():
            passes = [self.fitted.defended(self._inputs) for _ in range(3)]
        is_random = any(not torch.equal(passes[0], other) for other in passes[1:])
        draws, adversary = self.defense.draws, self.defense.adversary
        found = f"it is {'' if is_random else 'not '}random, draws is {draws} and adversary {adversary!s}"
        require(
            is_random == (draws > 1) == (adversary is Adversary.EOT), found, "set draws and adversary accordingly"
        )

    @promise("call defended.eval() at the end of fit")
    def it_is_left_in_evaluation_mode(self) -> None:
        """After `fit` every part is in evaluation mode."""
        training = [name or "itself" for name, part in self.fitted.defended.named_modules() if part.training]
        require(not training, f"in training mode: {', '.join(training[:3])}", "call defended.eval()")

    @promise("work on clones of the training data")
    def fitting_leaves_the_data_alone(self) -> None:
        """`fit` changes neither inputs nor labels."""
        given, before = self.fitted.data, training_data(self.shape)
        for part in ("train", "validation"):
            now, then = getattr(given, part), getattr(before, part)
            same = torch.equal(now.inputs, then.inputs) and torch.equal(now.labels, then.labels)
            require(same and not now.inputs.requires_grad, f"it changed data.{part}", "work on clones")

    @promise("skip models that are not retrainable in reason_to_skip, or leave their weights alone")
    def a_classifier_that_cannot_be_trained_is_left_as_it_is_or_skipped(self) -> None:
        """Weights of a model that epochs do not improve are left as they are, or the combination is skipped."""
        if self.defense.reason_to_skip(Untrainable(), self.shape, CLASSES) is not None:
            raise InapplicableError("it skips such models")
        before, after = small_network(self.shape).state_dict(), self.fitted.classifier.state_dict()
        same = all(torch.equal(before[name], now) for name, now in after.items())
        require(same, "it retrains a model whose retrainable is False", "return a reason from reason_to_skip")

    @promise("pass trainer.report one number for each validation clip")
    def what_it_reports_is_a_number_for_each_held_out_clip(self) -> None:
        """Reports are finite, one number a validation clip."""
        for name, values in self.fitted.reports.items():
            whole = np.shape(values) == (len(self.fitted.data.validation),) and np.isfinite(values).all()
            require(whole, f"report {name} is {np.shape(values)} or not finite", "report one number a clip")

    @promise("return a reason from reason_to_skip for shapes that it cannot take")
    def what_it_does_not_skip_it_wraps(self) -> None:
        """Inputs of any shape are wrapped, or skipped with a reason."""
        for shape in SHAPES:
            reason = self.defense.reason_to_skip(SmallNetwork(), shape, CLASSES)
            require(reason is None or bool(reason), "reason_to_skip returned an empty string", "say why")
            if reason is not None:
                continue
            defended = self.defense.wrap(small_network(shape), shape, CLASSES).eval()
            found = tuple(_pass(defended, torch.rand(3, *shape)).shape)
            require(found == (3, CLASSES), f"logits {found} of 3 inputs {shape}", "skip what it cannot take")

    @promise("return self from under where nothing is left to the budget")
    def a_budget_fills_in_once_and_changes_nothing_else(self) -> None:
        """What one budget filled in another one leaves as it is."""
        again = self.defense.under(Budget(Norm.LINF, epsilon=0.5))
        require(again == self.defense, "a second budget changes it", "fill in only parameters that are None")
