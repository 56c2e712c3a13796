"""Planted failures: what makes numbers look better than they are, each with the flag that it has to raise.

Every one is a suite of toys that runs in a second. `bench` prints none of this; `scripts/confusion.py` does.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import nn

from soundproof import Adversary, Ball, BoundedAttack, Defense, MinimumNormAttack, Model
from soundproof.contract.registry import Registered, Registry
from toys import ToyDataset, ToyModel, ToyPicture, toy_registry

if TYPE_CHECKING:
    from collections.abc import Mapping

# In which honest attacks fool most clips of the toys, and not all.
RADIUS = 0.5


class _Replaced(torch.autograd.Function):
    """One tensor on the way forward, another one's gradient on the way back."""

    @staticmethod
    def forward(ctx, shown, felt):
        return shown.clone()

    @staticmethod
    def backward(ctx, gradient):
        return None, gradient


def straight_through(shown, felt):
    return _Replaced.apply(shown.detach(), felt)


class _Turned(torch.autograd.Function):
    """The identity, whose gradient is turned round and its order reversed."""

    @staticmethod
    def forward(ctx, images):
        return images.clone()

    @staticmethod
    def backward(ctx, gradient):
        flat = gradient.flatten(1)
        signs = torch.ones_like(flat)
        signs[:, ::2] = -1
        return (flat.flip(1) * signs).reshape(gradient.shape)


class Wrapped(nn.Module):
    """A classifier behind, before or inside of something that a subclass does in `forward`."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner


class Detached(Wrapped):
    def forward(self, images):
        return self.inner(images.detach()) + 0 * images.sum()


class Quantised(Wrapped):
    def forward(self, images):
        return self.inner((images * 7).round() / 7)


class OneHot(Wrapped):
    def forward(self, images):
        logits = self.inner(images)
        hot = nn.functional.one_hot(logits.argmax(dim=1), logits.shape[1]).float()
        return hot * 9 - 3 + 0 * logits


class Clipped(Wrapped):
    """Gradients are clipped on their way back, to nothing."""

    def forward(self, images):
        images = images.clone()
        if images.requires_grad:
            images.register_hook(lambda gradient: gradient.clamp(-1e-3, 1e-3) - gradient.clamp(-1e-3, 1e-3))
        return self.inner(images)


class Scaled(Wrapped):
    factor = 1.0

    def forward(self, images):
        return self.inner(images) * self.factor


class Loud(Scaled):
    factor = 1e4


class Deafening(Scaled):
    factor = 1e37


class Faint(Scaled):
    factor = 1e-44


class Probabilities(Wrapped):
    def forward(self, images):
        return self.inner(images).softmax(dim=1)


class Noisy(Wrapped):
    def forward(self, images):
        return self.inner(images + 0.1 * torch.randn_like(images))


class NoisyNumpy(Wrapped):
    def forward(self, images):
        drawn = np.random.standard_normal(images.shape).astype(np.float32)  # noqa: NPY002
        return self.inner(images + 0.1 * torch.from_numpy(drawn))


class Dropping(Wrapped):
    def forward(self, images):
        return self.inner(nn.functional.dropout(images, 0.3, training=True))


class BatchStatistics(Wrapped):
    def forward(self, images):
        logits = self.inner(images)
        return (logits - logits.mean(dim=0)) / (logits.std(dim=0, correction=0) + 1e-2)


class Sleeper(Wrapped):
    """After some calls it rounds coarsely, and gives the gradient of what it was."""

    def __init__(self, inner):
        super().__init__(inner)
        self.calls = 0

    def forward(self, images):
        self.calls += 1
        rounded = (images * 2).round() / 2
        return self.inner(straight_through(rounded, images) if self.calls > 6 else images)


class Nearest(Wrapped):
    """Remembers what it is shown first, and takes everything near for that."""

    def __init__(self, inner):
        super().__init__(inner)
        self.known = None

    def forward(self, images):
        if self.known is None and images.std() > 1e-3:  # not the probe of zeros
            self.known = images.detach().clone()
        if self.known is None:
            return self.inner(images)
        distance = torch.cdist(images.detach().flatten(1), self.known.flatten(1))
        near = self.known[distance.argmin(dim=1)]
        known = distance.amin(dim=1).reshape(-1, 1, 1, 1) < 2 * RADIUS
        return self.inner(straight_through(torch.where(known, near, images), images))


class Growing(Wrapped):
    """Keeps a moving average of what it has seen, and subtracts it."""

    def __init__(self, inner):
        super().__init__(inner)
        self.seen = 0.0

    def forward(self, images):
        logits = self.inner(images - self.seen)
        self.seen = 0.9 * self.seen + 0.02 * images.detach().mean()
        return logits


class TwoFaced(Wrapped):
    def forward(self, images):
        logits = self.inner(images)
        return -logits if torch.is_grad_enabled() else logits


class AsksForInference(Wrapped):
    def forward(self, images):
        logits = self.inner(images)
        return logits if torch.is_inference_mode_enabled() else logits.roll(1, dims=1)


class Recognising(Wrapped):
    """Knows clean clips by their coarse values, and takes everything else for the next class."""

    def forward(self, images):
        logits = self.inner(images)
        clean = ((images * 64).round() / 64 == images).flatten(1).all(dim=1, keepdim=True)
        return torch.where(clean, logits, logits.roll(1, dims=1))


class Shattered(Wrapped):
    def forward(self, images):
        return self.inner(images + 0.5 * torch.sin(1e6 * images))


class Misleading(Wrapped):
    def forward(self, images):
        return self.inner(_Turned.apply(images))


class Rounding(Wrapped):
    """Rounds a little, with the gradient of the identity: an honest approximation."""

    def forward(self, images):
        return self.inner(straight_through((images * 255).round() / 255, images))


class Dynamic(Wrapped):
    """Steps towards its own decision before it decides."""

    def forward(self, images):
        with torch.inference_mode(mode=False), torch.enable_grad():
            inside = images.detach().clone().requires_grad_()
            (gradient,) = torch.autograd.grad(self.inner(inside).amax(dim=1).sum(), inside)
        return self.inner(images + 0.001 * gradient.detach())


KINDS: Mapping[str, type[Wrapped]] = {
    each.__name__.lower(): each
    for each in vars().copy().values()
    if isinstance(each, type) and issubclass(each, Wrapped) and each not in (Wrapped, Scaled)
}


@dataclass(frozen=True)
class Planted(Defense):
    """Puts one of the above around the classifier."""

    id: ClassVar[str] = "zoo-defense"
    version: ClassVar[str] = "1"
    wrapper: str = "detached"
    bpda: bool = False

    @property
    def adversary(self):
        return Adversary.BPDA if self.bpda else Adversary.EXACT

    def wrap(self, classifier, data_shape, classes):
        return KINDS[self.wrapper](classifier)

    def fit(self, defended, data, trainer):
        pass


@dataclass(frozen=True)
class Louder(Model):
    """The toy network with logits three times as large: an honest one."""

    id: ClassVar[str] = "zoo-louder"
    version: ClassVar[str] = "1"
    recipe = ToyModel.recipe

    def build(self, shape, classes):
        class Times(nn.Module):
            def forward(self, logits):
                return 3 * logits

        return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), classes), Times())


@dataclass(frozen=True)
class Coarse(ToyPicture):
    """The toy picture in 64 steps."""

    id: ClassVar[str] = "zoo-coarse"

    def fit(self, waveforms):
        inner = super().fit(waveforms)

        class Rounded(nn.Module):
            def forward(self, clips):
                return (inner(clips) * 64).round() / 64

        return Rounded()


@dataclass(frozen=True)
class Torn(ToyDataset):
    """Recordings cross the publisher's folds."""

    id: ClassVar[str] = "zoo-torn"

    def index(self, root):
        index = super().index(root)
        return replace(index, groups=np.arange(len(index.labels)) % 12)


@dataclass(frozen=True)
class Doubled(ToyDataset):
    """Every clip of one half stands in the other one, too, as another recording."""

    id: ClassVar[str] = "zoo-doubled"

    def waveforms(self, root, rate):
        found = super().waveforms(root, rate)
        half = len(found) // 2
        return np.concatenate([found[:half], found[:half] * np.float32(1 - 1e-4)])


@dataclass(frozen=True)
class _Attack(BoundedAttack):
    version: ClassVar[str] = "1"

    @property
    def planned_gradients(self) -> int:
        return 4


def ascend(victim, ball, sign=1.0, steps=3):
    """Some steps of the radius along the gradient, or against it."""
    images = victim.clean
    for _ in range(steps):
        gradient = victim.gradient(images).gradient
        images = ball.project(images + sign * ball.ascent(gradient), victim.clean)
    return images


@dataclass(frozen=True)
class SignError(_Attack):
    """Goes down where up is due."""

    id: ClassVar[str] = "zoo-sign"

    def perturb(self, victim, ball, generator):
        return ascend(victim, ball, -1.0)


@dataclass(frozen=True)
class Idle(_Attack):
    """Works, and returns the clean clips."""

    id: ClassVar[str] = "zoo-idle"

    def perturb(self, victim, ball, generator):
        # Not so far that it would have succeeded in silence.
        victim.gradient(victim.clean)
        return victim.clean.clone()


@dataclass(frozen=True)
class Last(_Attack):
    """Finds examples, goes on, and returns where it ends."""

    id: ClassVar[str] = "zoo-last"

    def perturb(self, victim, ball, generator):
        with torch.no_grad():
            victim(ascend(victim, ball))
        return ascend(victim, ball, -1.0, steps=1)


@dataclass(frozen=True)
class LastRestart(_Attack):
    """Returns the last of its restarts instead of the best."""

    id: ClassVar[str] = "zoo-restart"

    def perturb(self, victim, ball, generator):
        for _ in range(2):
            images = ascend(victim, ball, 1.0, steps=1)
            with torch.no_grad():
                victim(images)
            drawn = torch.randn(images.shape, generator=generator)
        return ball.project(victim.clean + ball.ascent(drawn), victim.clean)


@dataclass(frozen=True)
class Escaping(_Attack):
    """Takes twice the radius."""

    id: ClassVar[str] = "zoo-escaping"

    def perturb(self, victim, ball, generator):
        return ascend(victim, ball.scaled(2.0))


@dataclass(frozen=True)
class NotANumber(_Attack):
    """Divides by a norm of zero."""

    id: ClassVar[str] = "zoo-nan"

    def perturb(self, victim, ball, generator):
        return victim.clean * float("nan")


@dataclass(frozen=True)
class Restless(_Attack):
    """Moves at least a little, whatever it is allowed."""

    id: ClassVar[str] = "zoo-restless"

    def perturb(self, victim, ball, generator):
        return ascend(victim, Ball(ball.norm, max(float(ball.radius), 0.004)))


@dataclass(frozen=True)
class Together(_Attack):
    """Stops all clips when the first is fooled."""

    id: ClassVar[str] = "zoo-together"

    def perturb(self, victim, ball, generator):
        images = victim.clean
        for share in (0.1, 0.2, 0.3, 0.4):
            logits, gradient = victim.gradient(images)
            if bool(victim.goal.met(logits).any()):
                break
            images = ball.project(images + ball.scaled(share).ascent(gradient), victim.clean)
        return images


@dataclass(frozen=True)
class Timid(_Attack):
    """Does its best on quiet classifiers, and the worst on loud ones."""

    id: ClassVar[str] = "zoo-timid"

    def perturb(self, victim, ball, generator):
        gradient = victim.gradient(victim.clean)
        loud = gradient.logits.abs().mean() > LOUD
        return ascend(victim, ball, -1.0 if loud else 1.0)


# Between the mean logits of the toy network and of the louder one.
LOUD = 1.0


@dataclass(frozen=True)
class Lazy(_Attack):
    """Searches long on quiet classifiers only."""

    id: ClassVar[str] = "zoo-lazy"

    @property
    def planned_gradients(self) -> int:
        return 13

    def perturb(self, victim, ball, generator):
        loud = victim.gradient(victim.clean).logits.abs().mean() > LOUD
        return ascend(victim, ball, steps=1 if loud else 12)


@dataclass(frozen=True)
class Tuned(_Attack):
    """Works at one radius only."""

    id: ClassVar[str] = "zoo-tuned"
    radius: float = RADIUS

    def perturb(self, victim, ball, generator):
        return ascend(victim, ball, 1.0 if abs(float(ball.radius) - self.radius) < 1e-6 else -1.0)


@dataclass(frozen=True)
class Wavering(_Attack):
    """Works below a radius, and above another one."""

    id: ClassVar[str] = "zoo-wavering"

    def perturb(self, victim, ball, generator):
        return ascend(victim, ball, -1.0 if 0.8 < float(ball.radius) < 2.0 else 1.0)


@dataclass(frozen=True)
class Lucky(_Attack):
    """Goes down instead of up with one clip in five."""

    id: ClassVar[str] = "zoo-lucky"

    def perturb(self, victim, ball, generator):
        lucky = torch.rand(len(victim), generator=generator) < 0.8
        return ascend(victim, ball, torch.where(lucky, 1.0, -1.0).reshape(-1, 1, 1, 1))


@dataclass(frozen=True)
class Overshooting(MinimumNormAttack):
    """Finds the boundary and goes as far again."""

    id: ClassVar[str] = "zoo-overshooting"
    version: ClassVar[str] = "1"

    @property
    def planned_gradients(self) -> int:
        return 1

    def minimise(self, victim, generator):
        from soundproof import Norm, margin

        logits, gradient = victim.gradient(victim.clean)
        gap = (-margin(logits, victim.labels)).clamp_min(0)
        # For two classes of opposite logits the margin's slope is twice that of one logit.
        own = torch.autograd.functional.jacobian(lambda images: victim(images).amax(dim=1).sum(), victim.clean)
        length = gap / own.flatten(1).norm(dim=1)
        return (victim.clean + Ball(Norm.L2, length).ascent(gradient)).clamp(0, 1)


ANIMALS = (
    *(Planted, Louder, Coarse, Torn, Doubled, SignError, Idle, Last, LastRestart, Escaping, NotANumber, Restless),
    *(Together, Timid, Lazy, Tuned, Wavering, Lucky, Overshooting),
)


def registry() -> Registry:
    """The toys, and the animals."""
    found = toy_registry()
    for animal in ANIMALS:
        found.components[animal.kind, animal.id] = Registered(animal, "zoo", "1")
    return found


@dataclass(frozen=True)
class Failure:
    """A planted failure.

    Attributes:
        flag: What it has to raise.
        suite: How the suite of toys differs.
    """

    flag: str
    suite: Mapping[str, Any] = field(default_factory=dict)


STRONG = {"id": "pgd", "steps": 20}
CWA = {"id": "cwa", "targeted": False}


def _behind(wrapper: str, flag: str, *, bpda: bool = False, **changes: Any) -> Failure:
    defense = {"id": "zoo-defense", "wrapper": wrapper, **({"bpda": True} if bpda else {})}
    return Failure(flag, {"defenses": ["none", defense], "attacks": [STRONG], **changes})


def _by(attack: object, flag: str, **changes: Any) -> Failure:
    return Failure(flag, {"attacks": [attack], **changes})


FAILURES: Mapping[str, Failure] = {
    "detached graph": _behind("detached", "zero-gradients"),
    "input rounded to 8 levels": _behind("quantised", "zero-gradients"),
    "one-hot outputs": _behind("onehot", "zero-gradients"),
    "gradients clipped to zero": _behind("clipped", "zero-gradients"),
    "logits × 10,000": _behind("loud", "saturated"),
    "logits × 1e37": _behind("deafening", "saturated"),
    "logits × 1e-44": _behind("faint", "saturated"),
    "probabilities for logits": _behind("probabilities", "probabilities"),
    "random noise layer": _behind("noisy", "undeclared-randomness"),
    "random noise of NumPy's": _behind("noisynumpy", "undeclared-randomness"),
    "dropout left on": _behind("dropping", "undeclared-randomness"),
    "batch statistics": _behind("batchstatistics", "batch-dependent"),
    "other after some calls": _behind("sleeper", "stateful", attacks=["bim-b"]),
    "nearest clean clip remembered": _behind("nearest", "stateful", attacks=["bim-b"]),
    "running mean of what it saw": _behind("growing", "stateful"),
    "other when gradients are wanted": _behind("twofaced", "two-faced"),
    "asks for inference mode": _behind("asksforinference", "two-faced"),
    "knows clean clips": _behind("recognising", "recognises-clips", representations=["zoo-coarse"]),
    "shattered outputs": _behind("shattered", "shattered"),
    "gradients that mislead": _behind("misleading", "wrong-gradients"),
    "strong only if ignored": _behind("misleading", "grey-box-wins", bpda=True),
    "no ablation": _behind("rounding", "no-ablation", bpda=True, protocols=["clean", "bounded"]),
    "differentiates while predicting": _behind("dynamic", "dynamic"),
    "attack with a sign error": _by("zoo-sign", "black-box-wins", protocols=["clean", "bounded"]),
    "attack that gives up on one of two": _by(
        "zoo-timid",
        "transfer-wins",
        models=["toy-linear", "zoo-louder"],
        protocols=["clean", "bounded", "transfer"],
    ),
    "attack weaker than noise": _by(
        "zoo-sign", "noise-wins", budget={"epsilon": 2.5}, protocols=["clean", "bounded"]
    ),
    "long attack weaker than one step": Failure(
        "one-step-wins", {"attacks": ["fgsm", "zoo-sign"], "protocols": ["clean", "bounded"]}
    ),
    "attack that works at one radius": _by("zoo-tuned", "resists-anything"),
    "attack that returns clean clips": _by("zoo-idle", "idle-attack", protocols=["clean", "bounded"]),
    "attack that returns its last iterate": _by("zoo-last", "silent-success", protocols=["clean", "bounded"]),
    "attack that returns its last restart": _by("zoo-restart", "silent-success", protocols=["clean", "bounded"]),
    "step size too small": _by(
        {"id": "bim-b", "steps": 20, "step_size": 0.01}, "unspent-radius", protocols=["clean", "bounded"]
    ),
    "too few steps": _by(
        {"id": "bim-b", "steps": 19, "step_size": 0.05},
        "unconverged",
        protocols=["clean", "bounded"],
        budget={"epsilon": 0.25},
    ),
    "unconverged Carlini-Wagner": Failure(
        "unconverged",
        {
            "attacks": [STRONG, {**CWA, "search_steps": 1, "steps": 6, "initial_c": 100.0, "learning_rate": 0.01}],
            "protocols": ["clean", "bounded"],
            "checks": {"level": "thorough"},
        },
    ),
    "out of the ball": _by("zoo-escaping", "outside-budget", protocols=["clean", "bounded"]),
    "NaN": _by("zoo-nan", "outside-budget", protocols=["clean", "bounded"]),
    "moves within radius 0": _by("zoo-restless", "changes-at-zero"),
    "attack that stops the whole batch": Failure(
        "batch-dependent-attack", {"attacks": ["zoo-together", STRONG], "budget": {"epsilon": 0.7}}
    ),
    "attack that spends less on one of two": _by(
        "zoo-lazy", "unequal-effort", models=["toy-linear", "zoo-louder"], budget={"epsilon": 0.2}
    ),
    "not monotone in the radius": _by(
        "zoo-wavering", "not-monotone", budget={"epsilon": 0.7, "target_auc": 0.995}
    ),
    "luck": _by("zoo-lucky", "restarts-matter", checks={"level": "thorough"}, protocols=["clean", "bounded"]),
    "examples twice as far as need be": _by("zoo-overshooting", "far-from-optimal"),
    "loss that needs more classes": _by(
        {"id": "apgd", "loss": "dlr-targets", "steps": 8}, "few-classes", protocols=["clean", "bounded"]
    ),
    "recordings on both sides": Failure(
        "leaky", {"datasets": ["zoo-torn"], "split": {"scheme": "official"}, "attacks": [STRONG]}
    ),
    "test clips in training": Failure("trained-on-test", {"datasets": ["zoo-doubled"], "attacks": [STRONG]}),
}
