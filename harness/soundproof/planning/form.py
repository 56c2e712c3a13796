"""The form of a suite file: its keys, with their types, limits and defaults (docs/suites.md)."""

from __future__ import annotations

import dataclasses
import json
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pydantic
from pydantic import Field
from pydantic_core import core_schema

from soundproof.errors import hint, shown
from soundproof.gate.rules import Direction
from soundproof.measuring.protocols import PROTOCOLS
from soundproof.types import Budget, Kind, Recipe, Scheme

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LISTS = {
    "datasets": Kind.DATASET,
    "representations": Kind.REPRESENTATION,
    "models": Kind.MODEL,
    "defenses": Kind.DEFENSE,
    "attacks": Kind.ATTACK,
    "augmentations": Kind.AUGMENTATION,
    "channels": Kind.CHANNEL,
}

# Metrics that lie in [0, 1], where a change of 1 or more is impossible, and those without an upper end.
_OF_ATTACKS = ("fooling_auc", "fooling_rate", "robust_accuracy", "targeted_auc", "targeted_rate")
SHARES = (
    *("accuracy", "precision", "recall", "f1", "eer", "roc_auc", "drop"),
    *_OF_ATTACKS,
    *(f"grey_{name}" for name in _OF_ATTACKS),
    *("rms", "linf", "l0", "transfer_ratio", "certified_accuracy", "smoothed_accuracy", "abstention"),
)
SIZES = ("gradients", "queries", "l2", "relative", "epsilon_ratio", "certified_radius")


def _hints(words: type, *, without: Iterable[str] = ()) -> Mapping[str, Any]:
    """The fields of a dataclass with their types and limits."""
    hints = typing.get_type_hints(words, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(words) if field.name not in without}


def _once(values: Sequence[Any]) -> Sequence[Any]:
    """Raise ValueError if a value stands in a list twice."""
    twice = dict.fromkeys(str(value) for value in values if values.count(value) > 1)
    if twice:
        raise ValueError(f"{', '.join(twice)} listed more than once")
    return values


def _protocol(name: str) -> str:
    if name not in PROTOCOLS:
        raise ValueError(hint(name, PROTOCOLS))
    return name


def _usual(channels: object) -> list[str]:
    """The protocols of a suite that names none; those about sound take channels."""
    return [name for name, protocol in PROTOCOLS.items() if channels or not protocol.asked]


def _listed(value: object) -> object:
    """A single name as a list of one."""
    return [value] if isinstance(value, str) else value


def _budget(given: dict[str, Any]) -> dict[str, Any]:
    """Raise ValueError if the keys do not go together."""
    Budget(**given)
    return given


@dataclass(frozen=True)
class AnyOf:
    """A table in which any of these keys may stand, each with its type and limits, and some must."""

    keys: Mapping[str, Any]
    required: Sequence[str] = ()

    def __get_pydantic_core_schema__(
        self, source: object, handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Called by pydantic for a field that is annotated with this."""
        fields = {
            name: core_schema.typed_dict_field(handler.generate_schema(kind), required=name in self.required)
            for name, kind in self.keys.items()
        }
        config = core_schema.CoreConfig(strict=True, allow_inf_nan=False)
        return core_schema.typed_dict_schema(fields, extra_behavior="forbid", config=config)


OfRecipe = Annotated[dict[str, Any], AnyOf(_hints(Recipe))]
# Perturbations in different norms or of different things cannot be compared, and a suite is for comparison.
_OF_ALL = ("norm", "domain")
OfBudget = Annotated[dict[str, Any], AnyOf(_hints(Budget)), pydantic.AfterValidator(_budget)]
OfBudgetHere = Annotated[dict[str, Any], AnyOf(_hints(Budget, without=_OF_ALL)), pydantic.AfterValidator(_budget)]
Share, Size = Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0)]


def _rule(kind: Any) -> Any:
    """A tolerance, or a table of it with a hard limit and the direction that is better (docs/gate.md)."""
    keys = AnyOf({"tolerance": kind, "hard": kind, "direction": Direction}, required=("tolerance",))
    return Annotated[dict[str, Any], keys, pydantic.BeforeValidator(_tolerance)]


def _tolerance(value: object) -> object:
    """A tolerance alone as a table."""
    return value if isinstance(value, dict) else {"tolerance": value}


Rules = Annotated[
    dict[str, Any], AnyOf({**dict.fromkeys(SHARES, _rule(Share)), **dict.fromkeys(SIZES, _rule(Size))})
]
Names = Annotated[
    list[Annotated[str, Field(min_length=1)]], Field(min_length=1), pydantic.BeforeValidator(_listed)
]
ProtocolId = Annotated[str, pydantic.AfterValidator(_protocol)]
Entries = Annotated[list[Any], Field(min_length=1)]


class _Table(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class SplitTable(_Table):
    """Division of clips into train, validation and test parts (docs/protocols.md).

    Attributes:
        scheme: `group70`, `official`, `paper` or `all`.
        folds: How many of the scheme's folds run, first to last.
        seeds: One classifier a fold and seed.
    """

    scheme: Scheme = Scheme.GROUP70
    folds: Annotated[int, Field(ge=1)] = 1
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), pydantic.AfterValidator(_once)] = [0]


class SettingsTable(_Table):
    """Settings for some components only.

    Attributes:
        dataset: Ids or labels of the data sets that it holds for; None for all, as the next two.
        model: Of models.
        representation: Of representations.
        training: Overrides of recipes.
        parameters: Overrides of the representation's parameters.
        budget: Overrides of the budget.
    """

    dataset: Names | None = None
    model: Names | None = None
    representation: Names | None = None
    training: OfRecipe = {}
    parameters: dict[str, Any] = {}
    budget: OfBudgetHere = {}


class ChecksTable(_Table):
    """Checks of the numbers (docs/honest-evaluation.md).

    Attributes:
        level: `standard` spends at most 15 % of the attacks' gradients, `thorough` runs everything on all clips.
    """

    level: Literal["standard", "thorough"] = "standard"


class LimitsTable(_Table):
    """Limits of every cell; with any of them cells run in processes of their own.

    Attributes:
        seconds: Of one cell, with the training that it is the first to need; None for a multiple of the estimate.
        memory: GiB that its process may hold; None for a share of the machine's.
    """

    seconds: Annotated[float, Field(gt=0)] | None = None
    memory: Annotated[float, Field(gt=0)] | None = None

    @property
    def given(self) -> bool:
        """Whether any of them is set."""
        return self != type(self)()


class File(_Table):
    """The file as it is written."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    datasets: Entries
    representations: Entries
    models: Entries
    defenses: Entries = ["none"]
    attacks: list[Any] = []
    augmentations: list[Any] = []
    channels: list[Any] = []
    protocols: Annotated[list[ProtocolId], Field(min_length=1), pydantic.AfterValidator(_once)] = Field(
        default_factory=lambda given: _usual(given.get("channels"))
    )
    split: SplitTable = SplitTable()
    budget: OfBudget = {}
    training: OfRecipe = {}
    settings: list[SettingsTable] = []
    checks: ChecksTable = ChecksTable()
    limits: LimitsTable = LimitsTable()
    gate: Rules = {}


# What stands in each table, by the way to it.
TABLES: Mapping[tuple[str, ...], Sequence[str]] = {
    (): list(File.model_fields),
    ("split",): list(SplitTable.model_fields),
    ("budget",): list(_hints(Budget)),
    ("training",): list(_hints(Recipe)),
    ("settings",): list(SettingsTable.model_fields),
    ("settings", "training"): list(_hints(Recipe)),
    ("settings", "budget"): list(_hints(Budget, without=_OF_ALL)),
    ("checks",): list(ChecksTable.model_fields),
    ("gate",): [*SHARES, *SIZES],
    ("limits",): list(LimitsTable.model_fields),
    **{("gate", name): ["tolerance", "hard", "direction"] for name in (*SHARES, *SIZES)},
}


def parse(document: Mapping[str, Any]) -> tuple[File | None, list[str]]:
    """The file, and every problem with its path; components are not looked up yet.

    Returns:
        None for the file where there are problems.
    """
    try:
        text = json.dumps(document, default=str)
    except (TypeError, ValueError, RecursionError) as error:
        return None, [f"it cannot be written as JSON: {error}"]
    try:
        return File.model_validate_json(text), []
    except pydantic.ValidationError as error:
        return None, [_explain(problem) for problem in error.errors()]


def parse_settings(document: Mapping[str, Any]) -> list[SettingsTable]:
    """The settings of a file that has problems elsewhere; none where they have some themselves."""
    tables = pydantic.TypeAdapter(list[SettingsTable])
    try:
        return tables.validate_json(json.dumps(document.get("settings", []), default=str))
    except (TypeError, ValueError, RecursionError):
        return []


def _explain(problem: Any) -> str:
    """One line for one problem of pydantic's."""
    way = problem["loc"]
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in way).removeprefix(".")
    if problem["type"] == "extra_forbidden":
        known = TABLES[tuple(step for step in way[:-1] if isinstance(step, str))]
        return f"{path}: unknown key; {hint(way[-1], known)}"
    if problem["type"] == "missing":
        return f"{path}: required"
    said = problem["msg"].removeprefix("Value error, ")
    return f"{path or 'file'}: {said}, not {shown(problem['input'])}"
