"""The side of the adapter that knows ART: its class names, its labels, its global random numbers."""

from __future__ import annotations

import inspect
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from soundproof import Ball, Budget, Norm, Victim, hint
from soundproof_attacks._search import likely_wrong, query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# These call the target `y` and have no parameter `targeted`; given the label they find nothing to do.
WANT_TARGETS = frozenset({"SaliencyMapMethod", "TargetedUniversalPerturbation"})
# What the adapter sets itself, and where it takes it from.
OWNED = {
    "eps": "it is the radius of the ball",
    "targeted": "set the parameter `targeted` of the adapter",
    "verbose": "it is always off",
    "summary_writer": "it is always off",
}


def attack_classes() -> dict[str, type]:
    """ART's evasion attacks by name.

    Raises:
        ValueError: ART is not installed.
    """
    try:
        from art.attacks import evasion
        from art.attacks.attack import EvasionAttack
    except ImportError as error:
        reason = f"ART does not load ({error}): pip install adversarial-robustness-toolbox"
        raise ValueError(reason) from error
    found = inspect.getmembers(evasion, inspect.isclass)
    return {name: cls for name, cls in found if issubclass(cls, EvasionAttack)}


def accepted(cls: type) -> list[str]:
    """The parameters of an attack class, without the classifier, which comes first."""
    return list(inspect.signature(cls).parameters)[1:]


def problems(attack: str, options: Mapping[str, object], *, targeted: bool, bounded: bool) -> list[str]:
    """Everything that is wrong with an adapter's parameters, a line each."""
    classes = attack_classes()
    if attack not in classes:
        return [f"ART has no evasion attack {attack!r}: {hint(attack, classes)}"]
    known = accepted(classes[attack])
    found = []
    if bounded and "eps" not in known:
        found.append(f"{attack} takes no eps, so it cannot be held to a ball: use art-minimum-norm")
    if not bounded and "eps" in known:
        found.append(f"{attack} takes an eps, the radius of a ball: use art")
    if targeted and "targeted" not in known and attack not in WANT_TARGETS:
        found.append(f"{attack} cannot be targeted: set targeted = false")
    for option in options:
        if option in OWNED:
            found.append(f"options.{option}: {OWNED[option]}")
        elif option not in known:
            found.append(f"{attack} has no option {option!r}: {hint(option, known)}")
    return found


def ball_parameters(attack: str, norm: object, ball: Ball, dimension: int) -> dict[str, Any]:
    """A ball in ART's words: `norm`, `eps`, and an `eps_step` of a quarter of it.

    Args:
        attack: Name of the class.
        norm: What the user's options say of it; None: the ball's, if the class takes one.
        ball: Of one radius for all clips.
        dimension: Values of one input.

    Raises:
        TypeError: The ball has a radius for each clip.
    """
    if not isinstance(ball.radius, (int, float)):
        raise TypeError(f"ART's {attack} takes one radius for all clips")
    if norm is None and "norm" in accepted(attack_classes()[attack]):
        norm = {Norm.L2: 2, Norm.LINF: np.inf}[ball.norm]
    # The l2 ball lies around the l1 ball of the same radius, and no other norm is left but l∞.
    inner = ball if norm in {1, "1", 2, "2"} else ball.inscribed(Norm.LINF, dimension)
    return {"norm": norm, "eps": float(inner.radius), "eps_step": float(inner.radius) / 4}


def generate(
    attack: str, options: Mapping[str, Any], victim: Victim, limits: Budget, generator: torch.Generator
) -> torch.Tensor:
    """Run an attack on all clips, `[n, ...]`.

    ART gets as many clips at a time as it says that it handles in one batch, or one, so that every batch of
    its own is attributed to the right clips.

    Args:
        attack: Name of the class.
        options: Its parameters; those that the class does not take are left out.
        victim: The clips.
        limits: What it may cost.
        generator: Seeds the global generators that ART draws from.

    Raises:
        RuntimeError: The attack spends more than the limits.
    """
    cls = attack_classes()[attack]
    known = accepted(cls)
    given = {name: value for name, value in {"verbose": False, **options}.items() if name in known}
    at_once = given.pop("batch_size", len(victim)) if "batch_size" in known else 1
    logits = query(victim, victim.clean)
    classes, wanted = logits.shape[1], victim.labels
    if victim.goal.targets is not None:
        wanted = victim.goal.targets
    elif attack in WANT_TARGETS:
        wanted = likely_wrong(logits, wanted, 1)[:, 0]
    onehot = np.eye(classes, dtype=np.float32)[wanted.cpu().numpy()]
    door, done = _Door(victim, attack, limits), []
    with _seeded(generator, victim.clean.device):
        for rows in torch.split(torch.arange(len(victim), device=victim.clean.device), at_once):
            view = victim.select(rows)
            if "batch_size" in known:
                given["batch_size"] = len(rows)
            search = cls(_classifier(door.to_clips(view), view, classes), **given)
            images = search.generate(view.clean.cpu().numpy(), onehot[rows.cpu().numpy()])
            done.append(torch.from_numpy(np.asarray(images, dtype=np.float32)))
    door.check()
    return torch.cat(done).to(victim.clean.device)


class _Door(nn.Module):
    """Passes images on to some of the clips, as long as the attack keeps to what it declares."""

    def __init__(self, victim: Victim, attack: str, limits: Budget) -> None:
        super().__init__()
        self._attack = attack
        self._limits = {"gradients": limits.max_gradients, "queries": limits.max_queries}
        self._ledger = victim.ledger
        self._before = victim.ledger.gradients.copy(), victim.ledger.queries.copy()
        self.victim = victim

    def to_clips(self, victim: Victim) -> _Door:
        self.victim = victim
        return self

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.check()
        # Some of its attacks compute in double precision, which the network does not.
        logits: torch.Tensor = self.victim(images.to(self.victim.clean.dtype))
        return logits

    def check(self) -> None:
        now = self._ledger.gradients, self._ledger.queries
        for (name, limit), after, before in zip(self._limits.items(), now, self._before, strict=True):
            if limit is not None and (after - before).max(initial=0) > limit:
                raise RuntimeError(
                    f"ART's {self._attack} needs more than the {limit} {name} a clip that are "
                    f"declared for it: raise `{name}`"
                )


def _classifier(module: nn.Module, victim: Victim, classes: int) -> Any:
    from art.estimators.classification import PyTorchClassifier

    return PyTorchClassifier(
        module,
        nn.CrossEntropyLoss(),
        input_shape=tuple(victim.clean.shape[1:]),
        nb_classes=classes,
        clip_values=(0.0, 1.0),
        device_type="gpu" if victim.clean.is_cuda else "cpu",
    )


@contextmanager
def _seeded(generator: torch.Generator, device: torch.device) -> Iterator[None]:
    """Seed the global generators, which ART draws from, and leave them as they were."""
    seed = int(torch.randint(2**31, (1,), generator=generator, device=generator.device))
    states = np.random.get_state(), random.getstate()  # noqa: NPY002 - what ART uses
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(states[0])  # noqa: NPY002
            random.setstate(states[1])
