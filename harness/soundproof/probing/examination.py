"""The examination of one classifier: all probes, one after the other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from soundproof import faults
from soundproof.contract.identity import coordinate
from soundproof.digest import canonical
from soundproof.measuring.outcome import NOTHING_TO_ATTACK, Outcome
from soundproof.measuring.protocols.bounded import Bounded
from soundproof.measuring.subject import attackable
from soundproof.probing.allowance import SHARE, Allowance, TooDearError
from soundproof.probing.examined import Examined, Spent, Tried
from soundproof.probing.probes import ALWAYS, THOROUGH
from soundproof.types import Adversary, Status
from soundproof.victim.bound import bound_of

if TYPE_CHECKING:
    from soundproof.measuring.protocols.base import Material
    from soundproof.probing.examined import Arrays


def examine(material: Material, *, thorough: bool) -> Outcome:
    """All probes of one classifier."""
    subject, classifier = material.subject, material.cell.classifier
    attacked = attackable(subject, targeted=False)
    if attacked is None:
        return Outcome(status=Status.SKIPPED, reason=NOTHING_TO_ATTACK)
    assert material.fresh is not None
    assert material.training is not None
    tried = [
        Tried(
            canonical(coordinate(cell.attack)),
            cell.attack,
            None if cell not in material.outcomes else material.outcomes[cell].samples or None,
            material.examples.get(cell),
        )
        for cell in material.cell.tried  # type: ignore[attr-defined]
        if cell.protocol == Bounded() and cell.attack is not None
    ]
    gradients = sum(
        float(outcome.samples[name].sum())
        for outcome in material.outcomes.values()
        for name in ("gradients", "refining_gradients")
        if name in outcome.samples
    )
    examined = Examined(
        attacked=attacked,
        module=subject.module,
        adversary=_adversary(material),
        differentiable=_differentiable(material),
        random=classifier.defense.draws > 1,
        bound=bound_of(material.budget, subject.shape),
        budget=material.budget,
        tried=tried,
        fresh=material.fresh,
        training=material.training,
        allowance=Allowance(math.inf if thorough else SHARE * gradients),
        spent=Spent(),
    )
    samples: Arrays = {"clip": attacked.clips.astype(np.int32)}
    for name, probe in {**ALWAYS, **(THOROUGH if thorough else {})}.items():
        try:
            samples |= {f"{name}/{field}": values for field, values in probe(examined, thorough=thorough).items()}
        except TooDearError as error:
            samples[f"skipped/{name}"] = _text(str(error))
        except Exception as error:  # whatever a plugin raises
            samples[f"skipped/{name}"] = _text(faults.reason(error))
    samples["about/adversary"] = _text(str(examined.adversary))
    samples["about/draws"] = np.asarray([classifier.defense.draws])
    samples["cost/attacks"] = np.asarray([gradients])
    samples["cost/checks"] = np.asarray([examined.spent.gradients, examined.spent.queries])
    return Outcome(samples=samples)


def _adversary(material: Material) -> Adversary:
    """How an informed attacker gets gradients: as the defense says, unless the representation has a surrogate."""
    classifier = material.cell.classifier
    approximate = material.subject.represent is not None and not classifier.trained.representation.differentiable
    own = classifier.defense.adversary
    return Adversary.BPDA if approximate and own is Adversary.EXACT else own


def _differentiable(material: Material) -> bool:
    """Whether what attacks change has gradients, or a surrogate of them."""
    trained = material.cell.classifier.trained
    heard = trained.representation.differentiable or trained.representation.surrogate
    return trained.model.differentiable and (material.subject.represent is None or heard)


def _text(words: str) -> np.ndarray:
    return np.frombuffer(words.encode(), np.uint8).copy()
