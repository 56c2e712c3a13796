"""Suite files: what a run measures. TOML in, components out; every problem is reported at once.

What changes a number belongs in the suite; a flag of the command line changes only where, how fast and how
much of it runs.
"""

from __future__ import annotations

import difflib
import itertools
import json
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import pydantic
from pydantic import Field

from soundproof.errors import PluginError, SuiteError
from soundproof.identity import canonical, digest, fingerprint
from soundproof.registry import describe_parameters
from soundproof.types import (
    Budget,
    Kept,
    Kind,
    Norm,
    Optimizer,
    Precision,
    Protocol,
    Recipe,
    Ref,
    Schedule,
    Scheme,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from soundproof.interfaces import Attack, Augmentation, Component, Dataset, Defense, Model, Representation
    from soundproof.registry import Registry

_PLURALS = {
    "datasets": Kind.DATASET,
    "representations": Kind.REPRESENTATION,
    "models": Kind.MODEL,
    "defenses": Kind.DEFENSE,
    "attacks": Kind.ATTACK,
    "augmentations": Kind.AUGMENTATION,
}
_Entries = Annotated[list[Any], Field(min_length=1)]


class _Table(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class SplitTable(_Table):
    """How clips are divided into train, validation and test parts (docs/protocols.md).

    Attributes:
        scheme: `group70`, `official` or `paper`.
        folds: How many of the scheme's folds run, first to last.
        seeds: One classifier a fold and seed.
    """

    scheme: Scheme = Scheme.GROUP70
    folds: Annotated[int, Field(ge=1)] = 1
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] = [0]


class BudgetTable(_Table):
    """The limits of every attack, see `soundproof.types.Budget`."""

    norm: Norm = Norm.L2
    epsilon: Annotated[float, Field(ge=0)] = 3.0
    target_auc: Annotated[float, Field(gt=0.5, lt=1)] = 0.9
    max_gradients: Annotated[int, Field(ge=1)] | None = None
    max_queries: Annotated[int, Field(ge=1)] | None = None


class TrainingTable(_Table):
    """Overrides of every model's recipe, see `soundproof.types.Recipe`."""

    epochs: Annotated[int, Field(ge=1)] | None = None
    batch: Annotated[int, Field(ge=2)] | None = None
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    weight_decay: Annotated[float, Field(ge=0)] | None = None
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] | None = None
    patience: Annotated[int, Field(ge=1)] | None = None
    optimizer: Optimizer | None = None
    schedule: Schedule | None = None
    period: Annotated[int, Field(ge=1)] | None = None
    l1: Annotated[float, Field(ge=0)] | None = None
    mixup: Annotated[float, Field(ge=0)] | None = None
    margin: Annotated[float, Field(ge=0)] | None = None
    balanced: bool | None = None
    kept: Kept | None = None
    precision: Precision | None = None


class _File(_Table):
    """The file as it is written."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    datasets: _Entries
    representations: _Entries
    models: _Entries
    defenses: _Entries = ["none"]
    attacks: list[Any] = []
    augmentations: list[Any] = []
    protocols: Annotated[list[Protocol], Field(min_length=1)] = list(Protocol)
    split: SplitTable = SplitTable()
    budget: BudgetTable = BudgetTable()
    training: TrainingTable = TrainingTable()
    gate: dict[str, Annotated[float, Field(ge=0)]] = {}


@dataclass(frozen=True, eq=False)
class Suite:
    """A checked suite: every component exists and is built.

    Attributes:
        name: Also the default results folder's name.
        datasets: Components, as the next four.
        representations: Each is combined with each data set …
        models: … each model …
        defenses: … each defense …
        attacks: … and each attack.
        augmentations: All of them enlarge every training part.
        protocols: What is measured.
        split: How clips are divided.
        budget: The limits of every attack.
        training: What overrides the models' recipes.
        gate: Tolerances by metric.
        document: The file's content with all defaults, as JSON.
    """

    name: str
    datasets: Sequence[Dataset]
    representations: Sequence[Representation]
    models: Sequence[Model]
    defenses: Sequence[Defense]
    attacks: Sequence[Attack]
    augmentations: Sequence[Augmentation]
    protocols: frozenset[Protocol]
    split: SplitTable
    budget: Budget
    training: Mapping[str, Any]
    gate: Mapping[str, float]
    document: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Of everything in the file."""
        return digest(self.document)

    @property
    def components(self) -> list[Component]:
        """All of them, data sets first."""
        lists = (getattr(self, name) for name in _PLURALS)
        return [component for components in lists for component in components]

    @property
    def copies(self) -> int:
        """Augmented copies of every clip."""
        return sum(augmentation.copies for augmentation in self.augmentations)

    def recipe(self, model: Model) -> Recipe:
        """How a model is trained here."""
        return Recipe(**{**vars(model.recipe), **self.training})


def suite_names() -> list[str]:
    """The suites that ship with the project."""
    folder = resources.files("soundproof") / "suites"
    return sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml"))


def load_suite(source: str | Path | Mapping[str, Any], registry: Registry) -> Suite:
    """Read and check a suite.

    Args:
        source: The name of a built-in suite, the path of a TOML file, or its content as a mapping.
        registry: Where components come from.

    Raises:
        SuiteError: Every problem, each with its path in the file.
    """
    origin, document = _read(source)
    try:
        file = _File.model_validate_json(json.dumps(document, default=str), strict=True)
    except pydantic.ValidationError as error:
        problems = [f"{origin}: {_explain(problem)}" for problem in error.errors()]
        problems += _component_problems(document, registry, origin)
        raise SuiteError(problems) from None
    found = dict(_components(file.model_dump(), registry))
    problems = [f"{origin}: {problem}" for _, part in found.values() for problem in part]
    if file.attacks == [] and set(file.protocols) - {Protocol.CLEAN}:
        problems.append(f'{origin}: attacks: name at least one, or set protocols = ["clean"]')
    if problems:
        raise SuiteError(problems)
    parts = {name: components for name, (components, _) in found.items()}
    budget = Budget(**file.budget.model_dump())
    return Suite(
        name=file.name,
        datasets=cast("list[Dataset]", parts["datasets"]),
        representations=cast("list[Representation]", parts["representations"]),
        models=cast("list[Model]", parts["models"]),
        defenses=cast("list[Defense]", parts["defenses"]),
        attacks=cast("list[Attack]", parts["attacks"]),
        augmentations=cast("list[Augmentation]", parts["augmentations"]),
        protocols=frozenset(file.protocols),
        split=file.split,
        budget=budget,
        training=file.training.model_dump(exclude_none=True),
        gate=file.gate,
        document=file.model_dump(mode="json"),
    )


def _read(source: str | Path | Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The document, and what to call it in messages."""
    if not isinstance(source, (str, Path)):
        return "suite", source
    if isinstance(source, str) and not source.endswith(".toml"):
        names = suite_names()
        if source not in names:
            near = difflib.get_close_matches(source, names, n=2, cutoff=0.5)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(names)}"
            raise SuiteError(f"unknown suite {source!r}: {hint} A file's name must end in .toml")
        return source, tomllib.loads(
            (resources.files("soundproof") / "suites" / f"{source}.toml").read_text("utf-8")
        )
    path = Path(source)
    try:
        return str(path), tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SuiteError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path} is not TOML: {error}") from None


def _explain(problem: Any) -> str:
    """One line for one problem of pydantic's."""
    path = ".".join(map(str, problem["loc"])) or "file"
    if problem["type"] == "extra_forbidden":
        tables: dict[str, type[_Table]] = {"split": SplitTable, "budget": BudgetTable, "training": TrainingTable}
        table = tables.get(str(problem["loc"][0]), _File) if len(problem["loc"]) > 1 else _File
        known = table.model_fields
        near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        return f"{path}: unknown key; {hint}"
    if problem["type"] == "missing":
        return f"{path}: required"
    return f"{path}: {problem['msg']}, not {problem['input']!r}"


def _component_problems(document: Mapping[str, Any], registry: Registry, origin: str) -> list[str]:
    """Problems of components, even where other parts of the file are wrong."""
    lists = {name: document[name] for name in _PLURALS if isinstance(document.get(name), list)}
    return [f"{origin}: {problem}" for _, (_, found) in _components(lists, registry) for problem in found]


def _components(
    lists: Mapping[str, Any], registry: Registry
) -> Iterator[tuple[str, tuple[list[Component], list[str]]]]:
    """For each list of the file: its components, and its problems with their paths."""
    for name, kind in _PLURALS.items():
        built: list[Component] = []
        problems: list[str] = []
        for number, entry in enumerate(lists.get(name, [])):
            path = f"{name}[{number}]"
            try:
                built += [registry.build(ref) for ref in _expand(registry.reference(kind, entry), registry)]
            except PluginError as error:
                problems += [f"{path}: {problem}" for problem in error.problems]
        seen: set[str] = set()
        for component in built:
            identity = canonical(fingerprint(component))
            if identity in seen:
                problems.append(f"{name}: {component.id!r} is listed twice with the same parameters")
            seen.add(identity)
        yield name, (built, problems)


def _expand(ref: Ref, registry: Registry) -> Iterator[Ref]:
    """Lists multiply: one component for each value of a parameter that is given a list but is none."""
    described = describe_parameters(registry.find(ref.kind, ref.id).component)
    choices = {
        name: value
        for name, value in ref.parameters.items()
        if isinstance(value, list) and name in described and "array" not in canonical(described[name])
    }
    for values in itertools.product(*choices.values()):
        yield Ref(ref.kind, ref.id, {**ref.parameters, **dict(zip(choices, values, strict=True))})
