"""Suites: what a run measures. TOML in, components out; every problem is reported at once.

What changes a number belongs in the suite; a flag of the command line changes only where, how fast and how
much of it runs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from soundproof.contract.chain import links_of
from soundproof.contract.identity import coordinate
from soundproof.digest import canonical, digest
from soundproof.errors import SuiteError
from soundproof.measuring.protocols import PROTOCOLS
from soundproof.planning import documents
from soundproof.planning.entries import listed
from soundproof.planning.form import LISTS, File, parse, parse_settings
from soundproof.planning.settings import represent, resolve
from soundproof.probing.protocol import LEVELS
from soundproof.types import Budget, Recipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from soundproof.contract.components import (
        Attack,
        Augmentation,
        Channel,
        Component,
        Dataset,
        Defense,
        Model,
        Representation,
    )
    from soundproof.contract.registry import Registry
    from soundproof.measuring.protocols.base import Protocol
    from soundproof.planning.entries import Listed
    from soundproof.planning.form import LimitsTable, SplitTable
    from soundproof.planning.settings import Setting
    from soundproof.probing.protocol import Checks


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
        channels: What sounds are played through, one at a time.
        protocols: What is measured.
        split: How clips are divided.
        budget: The limits of attacks, unless a data set has others.
        training: What overrides the models' recipes.
        limits: Of every cell's time and memory.
        gate: By metric a table with its tolerance and perhaps a hard limit and a direction.
        document: The file's content with all defaults, as JSON, and the labels.
        written: The file's content as it stands there, as JSON: `load_suite` makes the same suite of it.
        settings: What holds for some components only; later ones win over earlier ones.
        folds: Numbers of the folds that run …
        seeds: … and the seeds of each.
        represented: Where settings change a representation's parameters for a data set: what they make of it.
        labels: What components are called, by kind and canonical coordinate.
        checks: How closely classifiers and attacks are looked at.
    """

    name: str
    datasets: Sequence[Dataset]
    representations: Sequence[Representation]
    models: Sequence[Model]
    defenses: Sequence[Defense]
    attacks: Sequence[Attack]
    augmentations: Sequence[Augmentation]
    channels: Sequence[Channel]
    protocols: Sequence[Protocol]
    split: SplitTable
    budget: Budget
    training: Mapping[str, Any]
    limits: LimitsTable
    gate: Mapping[str, Mapping[str, Any]]
    document: Mapping[str, Any]
    written: Mapping[str, Any]
    settings: Sequence[Setting] = ()
    folds: Sequence[int] = (0,)
    seeds: Sequence[int] = (0,)
    represented: Mapping[tuple[Dataset, Representation], Representation] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    checks: Checks = LEVELS["standard"]
    _budgets: dict[Dataset, Budget] = field(default_factory=dict, init=False, repr=False)

    @property
    def digest(self) -> str:
        """Of everything in the file."""
        return digest(self.document)

    @property
    def components(self) -> list[Component]:
        """All of them, data sets first; of a chain its links."""
        lists = (getattr(self, name) for name in LISTS)
        return [link for components in lists for component in components for link in links_of(component)]

    @property
    def copies(self) -> int:
        """Augmented copies of every clip."""
        return sum(augmentation.copies for augmentation in self.augmentations)

    def recipe(self, model: Model, dataset: Dataset) -> Recipe:
        """Recipe of a model on a data set: its own, the suite's `training`, then settings."""
        here = [setting.training for setting in self.settings if setting.holds(model, dataset)]
        return Recipe(**_merged(vars(model.recipe), self.training, *here))

    def budget_of(self, dataset: Dataset) -> Budget:
        """The limits of attacks on classifiers of a data set."""
        # Every cell asks for it.
        if dataset not in self._budgets:
            here = [setting.budget for setting in self.settings if setting.holds(dataset)]
            self._budgets[dataset] = self.budget.but(**_merged(*here))
        return self._budgets[dataset]

    def representation_of(self, representation: Representation, dataset: Dataset) -> Representation:
        """One of `representations` with the parameters that it has for a data set."""
        return self.represented.get((dataset, representation), representation)

    def label(self, component: Component) -> str | None:
        """Label that the suite gives a component, or None."""
        return self.labels.get(type(component).kind, {}).get(canonical(coordinate(component)))


def load_suite(source: str | Path | Mapping[str, Any], registry: Registry) -> Suite:
    """Read and check a suite.

    Args:
        source: The name of a built-in suite, the path of a TOML file, or its content as a mapping.
        registry: Where components come from.

    Raises:
        SuiteError: Every problem, each with its path in the file.
    """
    origin, document = documents.read(source)
    file, problems = parse(document)
    written = document if file is None else file.model_dump()
    tables = parse_settings(document) if file is None else file.settings
    # Problems of components and settings are told even where other parts of the file are wrong.
    lists = {
        name: listed(name, kind, entries if isinstance(entries := written.get(name), list) else [], registry)
        for name, kind in LISTS.items()
    }
    settings, wrong = resolve(tables, lists)
    represented, unbuilt = represent(settings, lists, registry)
    problems += [problem for one in lists.values() for problem in one.problems]
    problems += [*wrong, *unbuilt]
    problems += [] if file is None else _contradicted(file)
    if file is not None and not file.attacks and set(file.protocols) - {"clean"}:
        problems.append('attacks: name at least one, or set protocols = ["clean"]')
    if file is not None and bool(file.channels) is not any(PROTOCOLS[name].by_channel for name in file.protocols):
        problems.append('channels: name at least one and "channels" among the protocols, or neither')
    if file is None or problems:
        raise SuiteError([f"{origin}: {problem}" for problem in problems])
    return _suite(file, json.loads(json.dumps(document, default=str)), lists, settings, represented)


def _contradicted(file: File) -> list[str]:
    """Settings whose budget does not go together with the file's."""
    problems = []
    for number, table in enumerate(file.settings):
        try:
            Budget(**file.budget).but(**table.budget)
        except ValueError as error:
            problems.append(f"settings[{number}].budget: {error}")
    return problems


def _suite(
    file: File,
    written: Mapping[str, Any],
    lists: Mapping[str, Listed],
    settings: Sequence[Setting],
    represented: Mapping[tuple[Dataset, Representation], Representation],
) -> Suite:
    """The suite, once nothing is wrong with it."""
    budget = Budget(**file.budget)
    suite = Suite(
        name=file.name,
        datasets=cast("list[Dataset]", lists["datasets"].components),
        representations=cast("list[Representation]", lists["representations"].components),
        models=cast("list[Model]", lists["models"].components),
        defenses=cast("list[Defense]", lists["defenses"].components),
        attacks=cast("list[Attack]", lists["attacks"].components),
        augmentations=cast("list[Augmentation]", lists["augmentations"].components),
        channels=cast("list[Channel]", lists["channels"].components),
        protocols=[protocol for name, protocol in PROTOCOLS.items() if name in file.protocols],
        split=file.split,
        budget=budget,
        training=file.training,
        gate=file.gate,
        checks=LEVELS[file.checks.level],
        limits=file.limits,
        document={**_dumped(file), "budget": budget.to_json()},
        written=written,
        settings=settings,
        folds=range(file.split.folds),
        seeds=file.split.seeds,
        represented=represented,
        labels={str(kind): lists[name].labels for name, kind in LISTS.items() if lists[name].labels},
    )
    labels = _inherited(suite)
    return replace(suite, labels=labels, document={**suite.document, "labels": labels})


def _dumped(file: File) -> dict[str, Any]:
    """The file as JSON; a suite without channels has the digest that it had before there were any."""
    found: dict[str, Any] = file.model_dump(mode="json")
    return {name: value for name, value in found.items() if name != "channels" or value}


def _inherited(suite: Suite) -> dict[str, dict[str, str]]:
    """The labels, also of what representations and defenses become for a data set: they keep theirs."""
    labels = {kind: dict(named) for kind, named in suite.labels.items()}
    become: list[tuple[Component, Component]] = [
        (before, after) for (_, before), after in suite.represented.items()
    ]
    become += [
        (defense, defense.under(suite.budget_of(dataset)))
        for defense in suite.defenses
        for dataset in suite.datasets
    ]
    for before, after in become:
        label = suite.label(before)
        if label is not None:
            labels[type(after).kind].setdefault(canonical(coordinate(after)), label)
    return labels


def _merged(*tables: Mapping[str, Any]) -> dict[str, Any]:
    """Later tables win."""
    return {name: value for table in tables for name, value in table.items()}
