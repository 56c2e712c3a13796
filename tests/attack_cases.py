"""Every attack of the package as the registry builds it, cheap enough for tests that run all of them.

What is registered is tried, so that an attack that is new needs no line here: its defaults are its case. Those
whose defaults take long, and those with several ways of working, name their cases below.
"""

from __future__ import annotations

from soundproof import Attack, BoundedAttack, Kind
from soundproof.contract.discovery import discover
from soundproof.contract.registry import BUILT_IN

PARAMETERS = {
    "apgd": [
        {"steps": 12, "restarts": 2},
        {"steps": 8, "loss": "dlr", "targeted": True},
        {"steps": 8, "loss": "dlr-targets", "restarts": 2, "norm": "linf"},
    ],
    "art": [{"options": {"max_iter": 4, "num_random_init": 1}}],
    "art-minimum-norm": [{"options": {"max_iter": 4}}],
    "bim-a": [{"steps": 6}, {"steps": 6, "confidence": 0.9, "step_size": 0.01, "step_unit": "value"}],
    "bim-b": [{"steps": 4}, {"steps": 4, "norm": "linf", "step_size": 0.01, "step_unit": "value"}],
    "cwa": [
        {"search_steps": 3, "steps": 12, "initial_c": 0.1, "prune": 0.01},
        {"search_steps": 2, "steps": 10, "initial_c": 10.0, "targeted": False},
    ],
    "deepfool": [{"steps": 4}, {"steps": 4, "norm": "linf", "targeted": True}],
    "jsma": [
        {"steps": 12},
        {"steps": 12, "direction": "decrease", "saliency": "fast", "targeted": False, "theta": 1.0},
        {"steps": 12, "confidence": 0.9},
    ],
    "lbfgs": [{"search_steps": 3, "steps": 12}, {"search_steps": 3, "steps": 12, "confidence": 0.9}],
    "pgd": [
        {"steps": 4, "restarts": 2},
        {"steps": 4, "random_start": False, "norm": "linf", "targeted": True},
    ],
    "pia": [
        {"steps": 3, "samples": 4, "start": 0.1},
        {"steps": 3, "samples": 4, "start": 0.1, "targeted": False},
    ],
    "strongest": [
        {"steps": 6, "classes": 2, "queries": 12},
        {"steps": 6, "queries": 0, "norm": "linf", "targeted": True},
    ],
    "square": [{"queries": 20}, {"queries": 20, "norm": "linf", "targeted": True}],
}


REGISTRY = discover()


def build(name: str, **parameters) -> Attack:
    """An attack from its id and parameters, which are written as in TOML: enums by their values."""
    attack = REGISTRY.build(REGISTRY.reference(Kind.ATTACK, {"id": name, **parameters}))
    assert isinstance(attack, Attack)
    return attack


def cases() -> list[Attack]:
    """At least one of every attack that the project registers and that works on whatever a classifier sees."""
    found = {name: REGISTRY.find(Kind.ATTACK, name) for name in REGISTRY.ids(Kind.ATTACK)}
    own = [n for n, of in found.items() if of.distribution == BUILT_IN and of.component.surface is None]
    return [build(name, **parameters) for name in own for parameters in PARAMETERS.get(name, [{}])]


def bounded_cases() -> list[BoundedAttack]:
    """Those that are held to a ball."""
    return [attack for attack in cases() if isinstance(attack, BoundedAttack)]


def label(attack: Attack) -> str:
    """A short name for a test's id."""
    shown = {"norm", "loss", "targeted", "direction", "step_unit", "confidence"}
    return "-".join([attack.id, *(str(value) for name, value in attack.parameters().items() if name in shown)])
