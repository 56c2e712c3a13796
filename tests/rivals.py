"""Attacks of ART, Foolbox and torchattacks beside ours, with equal budgets.

Foolbox and torchattacks are no dependencies of the project; where they are missing, their attacks are skipped.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn

from soundproof import Ball, BoundedAttack, Goal, Norm, Victim
from soundproof_attacks.apgd import Apgd
from soundproof_attacks.bim import BimB
from soundproof_attacks.cwa import Cwa
from soundproof_attacks.deepfool import DeepFool
from soundproof_attacks.fgsm import Fgsm
from soundproof_attacks.jsma import Jsma
from soundproof_attacks.lbfgs import Lbfgs
from soundproof_attacks.pgd import Pgd
from soundproof_attacks.square import Square

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from soundproof import Attack

LIBRARIES = ("soundproof", "art", "foolbox", "torchattacks")


class Contest(NamedTuple):
    """One attack as every library has it.

    Attributes:
        ours: Ours.
        rivals: By library: the name of its attack, and its options.
    """

    ours: Attack
    rivals: Mapping[str, tuple[str, Mapping[str, object]]]

    def runs(self, clean: torch.Tensor, goal: Goal, radius: float) -> dict[str, Callable]:
        """By library that is installed: from a module to examples `[n, ...]`."""
        found = {"soundproof": lambda module: attack_with(self.ours, module, clean, goal, radius)}
        for library, (name, options) in self.rivals.items():
            if find_spec(library):
                found[library] = _BY_LIBRARY[library](name, clean, goal, **options)
        return found


def contests(
    radius: float, *, steps: int, searches: int, points: int, share: float, queries: int
) -> dict[str, Contest]:
    """The attacks that libraries share.

    Args:
        radius: In l2, of bounded attacks.
        steps: Of attacks with a radius.
        searches: Values of Carlini and Wagner's c.
        points: Of each of their descents.
        share: Of the values, that JSMA may touch where any wrong class will do.
        queries: Of Square Attack.
    """
    step = 0.25
    art_pgd = {"norm": 2, "eps": radius, "eps_step": step * radius, "max_iter": steps}
    art_apgd = {"norm": 2, "eps": radius, "eps_step": 2 * radius, "max_iter": steps, "nb_random_init": 1}
    iterated = {"epsilon": radius, "steps": steps, "rel_stepsize": step}
    apgd = {"norm": "L2", "eps": radius, "steps": steps, "n_restarts": 1}
    return {
        "fgsm": Contest(
            Fgsm(),
            {
                "art": ("FastGradientMethod", {"norm": 2, "eps": radius}),
                "foolbox": ("L2FastGradientAttack", {"epsilon": radius}),
            },
        ),
        "bim": Contest(
            BimB(steps=steps, step_size=step),
            {
                "art": ("ProjectedGradientDescent", art_pgd),
                "foolbox": ("L2BasicIterativeAttack", iterated),
            },
        ),
        "pgd": Contest(
            Pgd(steps=steps, step_size=step),
            {
                "art": ("ProjectedGradientDescent", {**art_pgd, "num_random_init": 1}),
                "foolbox": ("L2PGD", iterated),
                "torchattacks": ("PGDL2", {"eps": radius, "alpha": step * radius, "steps": steps}),
            },
        ),
        "apgd-ce": Contest(
            Apgd(steps=steps),
            {
                "art": ("AutoProjectedGradientDescent", {**art_apgd, "loss_type": "cross_entropy"}),
                "torchattacks": ("APGD", {**apgd, "loss": "ce"}),
            },
        ),
        "apgd-dlr": Contest(
            Apgd(steps=steps, loss="dlr"),
            {
                "art": ("AutoProjectedGradientDescent", {**art_apgd, "loss_type": "difference_logits_ratio"}),
                "torchattacks": ("APGD", {**apgd, "loss": "dlr"}),
            },
        ),
        "square": Contest(
            Square(queries=queries),
            {
                "art": (
                    "SquareAttack",
                    {"norm": 2, "eps": radius, "max_iter": queries, "p_init": 0.1, "nb_restarts": 1},
                ),
                "torchattacks": (
                    "Square",
                    {"norm": "L2", "eps": radius, "n_queries": queries, "p_init": 0.1, "n_restarts": 1},
                ),
            },
        ),
        "deepfool": Contest(
            DeepFool(steps=50),
            {
                "art": ("DeepFool", {"max_iter": 50}),
                "foolbox": ("L2DeepFoolAttack", {"steps": 50}),
                "torchattacks": ("DeepFool", {"steps": 50}),
            },
        ),
        "cwa": Contest(
            Cwa(search_steps=searches, steps=points, targeted=False),
            {
                "art": (
                    "CarliniL2Method",
                    {"binary_search_steps": searches, "max_iter": points, "initial_const": 0.1},
                ),
                "foolbox": (
                    "L2CarliniWagnerAttack",
                    {"binary_search_steps": searches, "steps": points, "initial_const": 0.1, "stepsize": 0.01},
                ),
            },
        ),
        # torchattacks tries one c.
        "cwa-1": Contest(
            Cwa(search_steps=1, steps=points, targeted=False),
            {"torchattacks": ("CW", {"c": 1.0, "steps": points, "lr": 0.01})},
        ),
        "jsma": Contest(
            Jsma(theta=0.5, gamma=share, targeted=False),
            {"art": ("SaliencyMapMethod", {"theta": 0.5, "gamma": share})},
        ),
        # With random targets, as ART's has it when it is called without classes; more values a step, fewer steps.
        "jsma-targeted": Contest(
            Jsma(theta=0.1, gamma=0.01), {"art": ("SaliencyMapMethod", {"theta": 0.1, "gamma": 0.01})}
        ),
        "jsma-8-targeted": Contest(
            Jsma(theta=0.1, gamma=0.01, values=8), {"art": ("SaliencyMapMethod", {"theta": 0.1, "gamma": 0.01})}
        ),
        "lbfgs": Contest(Lbfgs(search_steps=searches, steps=points, targeted=False), {}),
    }


def attack_with(attack: Attack, module: nn.Module, clean: torch.Tensor, goal: Goal, radius: float) -> torch.Tensor:
    """The examples of one of ours."""
    victim, generator = Victim(module, clean, goal), torch.Generator().manual_seed(0)
    if isinstance(attack, BoundedAttack):
        return attack.perturb(victim, Ball(Norm.L2, radius), generator)
    return attack.minimise(victim, generator)


def _art(name, clean, goal, **options):
    from art.attacks import evasion
    from art.estimators.classification import PyTorchClassifier

    quiet = {} if name == "FastGradientMethod" else {"verbose": False}

    def run(module):
        with torch.no_grad():
            logits = module(clean[:1])
            wanted = goal.labels if goal.targets is None else goal.targets
            if name == "SaliencyMapMethod" and goal.targets is None:
                # Its `y` is the target: the most likely wrong class, as ours has it.
                wanted = module(clean).scatter(1, goal.labels[:, None], -torch.inf).argmax(dim=1)
        shape = tuple(clean.shape[1:])
        estimator = PyTorchClassifier(
            module, nn.CrossEntropyLoss(), shape, logits.shape[1], clip_values=(0, 1), device_type="cpu"
        )
        found = getattr(evasion, name)(estimator, batch_size=len(clean), **quiet, **options)
        return torch.from_numpy(found.generate(clean.numpy(), wanted.numpy()))

    return run


def _foolbox(name, clean, goal, epsilon=None, **options):
    import foolbox

    def run(module):
        model = foolbox.PyTorchModel(module.eval(), bounds=(0, 1), device="cpu")
        criterion = foolbox.criteria.Misclassification(goal.labels)
        return getattr(foolbox.attacks, name)(**options)(model, clean, criterion, epsilons=epsilon)[1]

    return run


def _torchattacks(name, clean, goal, **options):
    import torchattacks

    return lambda module: getattr(torchattacks, name)(module.eval(), **options)(clean, goal.labels).detach()


_BY_LIBRARY = {"art": _art, "foolbox": _foolbox, "torchattacks": _torchattacks}
