"""soundproof: how well audio classifiers hold against adversarial attacks.

This module is the public API: everything a plugin may import, and `run`. Names are loaded on first use, so
that importing it (and `bench ls`) does not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soundproof.ball import Ball as Ball
    from soundproof.ball import column as column
    from soundproof.errors import BudgetExhaustedError as BudgetExhaustedError
    from soundproof.errors import DataError as DataError
    from soundproof.errors import MeteringError as MeteringError
    from soundproof.errors import PluginError as PluginError
    from soundproof.errors import ResultsError as ResultsError
    from soundproof.errors import SoundproofError as SoundproofError
    from soundproof.errors import SuiteError as SuiteError
    from soundproof.goal import Goal as Goal
    from soundproof.goal import margin as margin
    from soundproof.goal import target_margin as target_margin
    from soundproof.hookspecs import hookimpl as hookimpl
    from soundproof.interfaces import Attack as Attack
    from soundproof.interfaces import Augmentation as Augmentation
    from soundproof.interfaces import BoundedAttack as BoundedAttack
    from soundproof.interfaces import Component as Component
    from soundproof.interfaces import Dataset as Dataset
    from soundproof.interfaces import Defense as Defense
    from soundproof.interfaces import MinimumNormAttack as MinimumNormAttack
    from soundproof.interfaces import Model as Model
    from soundproof.interfaces import Representation as Representation
    from soundproof.objective import Objective as Objective
    from soundproof.own_audio import OwnAudio as OwnAudio
    from soundproof.results import Results as Results
    from soundproof.results import Row as Row
    from soundproof.training import Epoch as Epoch
    from soundproof.training import Trainer as Trainer
    from soundproof.training import TrainingError as TrainingError
    from soundproof.types import Access as Access
    from soundproof.types import Adversary as Adversary
    from soundproof.types import Budget as Budget
    from soundproof.types import ClipIndex as ClipIndex
    from soundproof.types import Domain as Domain
    from soundproof.types import Download as Download
    from soundproof.types import Examples as Examples
    from soundproof.types import Kept as Kept
    from soundproof.types import Kind as Kind
    from soundproof.types import Norm as Norm
    from soundproof.types import Optimizer as Optimizer
    from soundproof.types import Precision as Precision
    from soundproof.types import Recipe as Recipe
    from soundproof.types import Ref as Ref
    from soundproof.types import Schedule as Schedule
    from soundproof.types import Sounds as Sounds
    from soundproof.types import TrainingData as TrainingData
    from soundproof.victim import Evaluation as Evaluation
    from soundproof.victim import Victim as Victim

_HOMES = {
    "Access": "types",
    "Adversary": "types",
    "Attack": "interfaces",
    "Augmentation": "interfaces",
    "Ball": "ball",
    "BoundedAttack": "interfaces",
    "Budget": "types",
    "BudgetExhaustedError": "errors",
    "ClipIndex": "types",
    "Component": "interfaces",
    "DataError": "errors",
    "Dataset": "interfaces",
    "Defense": "interfaces",
    "Domain": "types",
    "Download": "types",
    "Epoch": "training",
    "Evaluation": "victim",
    "Examples": "types",
    "Goal": "goal",
    "Kept": "types",
    "Kind": "types",
    "MeteringError": "errors",
    "MinimumNormAttack": "interfaces",
    "Model": "interfaces",
    "Norm": "types",
    "Optimizer": "types",
    "Objective": "objective",
    "OwnAudio": "own_audio",
    "PluginError": "errors",
    "Precision": "types",
    "Recipe": "types",
    "Ref": "types",
    "Representation": "interfaces",
    "Results": "results",
    "ResultsError": "errors",
    "Row": "results",
    "Schedule": "types",
    "SoundproofError": "errors",
    "Sounds": "types",
    "SuiteError": "errors",
    "Trainer": "training",
    "TrainingData": "types",
    "TrainingError": "training",
    "Victim": "victim",
    "column": "ball",
    "hookimpl": "hookspecs",
    "margin": "goal",
    "run": "api",
    "target_margin": "goal",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'soundproof' has no attribute {name!r}")
    value = getattr(import_module(f"soundproof.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
