"""Settings of a suite that hold for some data sets, models or representations only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from soundproof.contract.identity import coordinate
from soundproof.digest import canonical
from soundproof.errors import PluginError, hint
from soundproof.types import Kind, Ref

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from soundproof.contract.components import Component, Dataset, Representation
    from soundproof.contract.registry import Registry
    from soundproof.planning.entries import Listed
    from soundproof.planning.form import SettingsTable

# What a training, an input and a budget depend on, and with it what may select their settings.
_SELECTORS = {
    "training": (Kind.DATASET, Kind.MODEL),
    "parameters": (Kind.DATASET, Kind.REPRESENTATION),
    "budget": (Kind.DATASET,),
}
_LISTS = {Kind.DATASET: "datasets", Kind.MODEL: "models", Kind.REPRESENTATION: "representations"}


@dataclass(frozen=True, eq=False)
class Setting:
    """Settings for some components.

    Attributes:
        path: Where it stands in the file.
        chosen: By kind, the components that it holds for; a kind that is not there is not asked for.
        training: Fields of the recipe.
        parameters: Of the representation.
        budget: Fields of the budget.
    """

    path: str
    chosen: Mapping[Kind, Sequence[Component]]
    training: Mapping[str, Any]
    parameters: Mapping[str, Any]
    budget: Mapping[str, Any]

    def holds(self, *components: Component) -> bool:
        """Whether it holds where these components meet."""
        # A parameter may be called `kind`, too.
        return all(one in self.chosen.get(type(one).kind, (one,)) for one in components)


def resolve(tables: Sequence[SettingsTable], lists: Mapping[str, Listed]) -> tuple[list[Setting], list[str]]:
    """The settings of a file, and every problem with its path.

    Args:
        tables: As they are written.
        lists: The suite's components; where a list has problems, nothing is said of names that it lacks.
    """
    found, problems = [], []
    for number, table in enumerate(tables):
        path = f"settings[{number}]"
        setting, wrong = _resolve(path, table, lists)
        found.append(setting)
        problems += [f"{path}{problem}" for problem in wrong]
    return found, problems


def _resolve(path: str, table: SettingsTable, lists: Mapping[str, Listed]) -> tuple[Setting, list[str]]:
    wanted = {kind: names for kind in _LISTS if (names := getattr(table, kind)) is not None}
    chosen: dict[Kind, Sequence[Component]] = {}
    problems = []
    for kind, names in wanted.items():
        there = lists[_LISTS[kind]]
        named = _names(there)
        unknown = [] if there.problems else [name for name in names if name not in named]
        problems += [f".{kind}: the suite has no {kind} {name!r}; {hint(name, named)}" for name in unknown]
        chosen[kind] = [component for name in names for component in named.get(name, ())]
    setting = Setting(path, chosen, table.training, table.parameters, table.budget)
    return setting, problems + _senseless(setting)


def _senseless(setting: Setting) -> list[str]:
    """Settings that select nothing, set nothing, or set what does not depend on what they select."""
    problems = []
    if not setting.chosen:
        problems.append(f": selects nothing; name a {' or '.join(_LISTS)}, or use [training] or [budget]")
    given = {name: kinds for name, kinds in _SELECTORS.items() if getattr(setting, name)}
    if not given:
        problems.append(f": sets nothing; give it {' or '.join(_SELECTORS)}")
    for name, kinds in given.items():
        problems += [
            f".{name}: depends on no {kind}; give it a setting of its own, by {' and '.join(kinds)}"
            for kind in setting.chosen
            if kind not in kinds
        ]
    if setting.parameters and setting.chosen and Kind.REPRESENTATION not in setting.chosen:
        problems.append(".parameters: are those of a representation; name it")
    return problems


def _names(there: Listed) -> dict[str, list[Component]]:
    """Names that components go by: ids and labels."""
    named: dict[str, list[Component]] = {}
    for component in there.components:
        label = there.labels.get(canonical(coordinate(component)))
        for name in dict.fromkeys(filter(None, (component.id, label))):
            named.setdefault(name, []).append(component)
    return named


def represent(
    settings: Sequence[Setting], lists: Mapping[str, Listed], registry: Registry
) -> tuple[dict[tuple[Dataset, Representation], Representation], list[str]]:
    """Representations of a data set whose parameters settings change, and every problem."""
    found: dict[tuple[Dataset, Representation], Representation] = {}
    problems: list[str] = []
    for dataset in cast("list[Dataset]", lists["datasets"].components):
        made: list[Component] = []
        for before in cast("list[Representation]", lists["representations"].components):
            component: Component = before
            for setting in settings:
                named = setting.parameters and Kind.REPRESENTATION in setting.chosen
                if not named or not setting.holds(dataset, before):
                    continue
                own = {name: value for name, value in coordinate(component).items() if name != "id"}
                try:
                    component = registry.build(Ref(Kind.REPRESENTATION, before.id, {**own, **setting.parameters}))
                except PluginError as error:
                    problems += [f"{setting.path}.parameters: {problem}" for problem in error.problems]
            if component != before:
                found[dataset, before] = cast("Representation", component)
            if component in made:
                problems.append(f"settings: two representations of {dataset.id} become equal, {component.id}")
            made.append(component)
    return found, list(dict.fromkeys(problems))
