"""Component lists of a suite: what each entry stands for, under which label, and what is wrong with it."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from soundproof.contract.chain import CHAIN, Chain, links_of
from soundproof.contract.identity import coordinate, fingerprint, plain
from soundproof.contract.parameters import describe_parameters
from soundproof.digest import canonical
from soundproof.errors import PluginError, shown
from soundproof.measuring.classifier import BASELINE
from soundproof.types import Kind, Ref

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from soundproof.contract.components import Component, Defense
    from soundproof.contract.registry import Registry

# Components of one entry. Nobody waits for more, and the product of a few long lists fills the memory.
MOST = 1000
_LONGEST_LABEL = 60


@dataclass
class Listed:
    """One list of a suite.

    Attributes:
        components: In the order of the file; the values of a list that multiplies stand in its order.
        labels: Canonical coordinates of labelled components, with their labels.
        problems: Every one with its path.
    """

    components: list[Component] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def listed(name: str, kind: Kind, entries: Sequence[object], registry: Registry) -> Listed:
    """Build the components of the list `name`."""
    found = Listed()
    for number, entry in enumerate(entries):
        entry, label, problems = _label(entry)
        built, wrong = _build(kind, entry, registry)
        if label is not None and len(built) > 1:
            wrong.append(f"label {label!r} would name {len(built)} components; label each in its own entry")
        elif label is not None and built:
            found.labels[canonical(coordinate(built[0]))] = label
        found.components += built
        found.problems += [f"{name}[{number}]: {problem}" for problem in dict.fromkeys((*problems, *wrong))]
    found.problems += [f"{name}: {problem}" for problem in (*_twice(found), *_confused(found))]
    return found


def _build(kind: Kind, entry: object, registry: Registry) -> tuple[list[Component], list[str]]:
    """The components of one entry, and every problem of the others."""
    if kind is Kind.DEFENSE and (links := _links(entry)) is not None:
        return _chains(links, registry)
    built: list[Component] = []
    problems: list[str] = []
    try:
        refs = expand(kind, entry, registry)
    except PluginError as error:
        return [], list(error.problems)
    for ref in refs:
        try:
            built.append(registry.build(ref))
        except PluginError as error:
            problems += error.problems
    return built, problems


def _links(entry: object) -> list[object] | None:
    """The entries of a list of defenses, which may also be written as results name it; None if it is no list."""
    if isinstance(entry, dict) and entry.get("id") == CHAIN and set(entry) == {"id", "links"}:
        entry = entry["links"]
    return entry if isinstance(entry, list) else None


def _chains(entries: Sequence[object], registry: Registry) -> tuple[list[Component], list[str]]:
    """All chains that a list stands for; `none` does nothing, so it is left out, and one link is no chain."""
    found = [_build(Kind.DEFENSE, entry, registry) for entry in entries]
    problems = [f"link {number}: {problem}" for number, (_, wrong) in enumerate(found) for problem in wrong]
    count = math.prod(len(built) for built, _ in found)
    if not entries:
        problems.append("an empty list is no defense: name at least one, e.g. 'none'")
    if count > MOST:
        problems.append(f"its lists make {count:,} chains; at most {MOST:,} fit in one entry")
    if problems:
        return [], problems
    return [_chain(links) for links in itertools.product(*(built for built, _ in found))], []


def _chain(defenses: Sequence[Component]) -> Component:
    links = [cast("Defense", link) for each in defenses for link in links_of(each)]
    doing = [link for link in links if link.id != BASELINE]
    if len(doing) > 1:
        return Chain(tuple(doing))
    return doing[0] if doing else links[0]


def expand(kind: Kind, entry: object, registry: Registry) -> list[Ref]:
    """All that an entry stands for: a list given for a parameter that is none multiplies, and so do presets.

    Raises:
        PluginError: The entry, its id or a preset is wrong, or it multiplies beyond measure. Parameters are not
            checked yet; an empty list stays what it is.
    """
    presets = entry.get("preset") if isinstance(entry, dict) else None
    if isinstance(entry, dict) and isinstance(presets, list) and presets:
        return [ref for one in presets for ref in expand(kind, {**entry, "preset": one}, registry)]
    ref = registry.reference(kind, entry)
    described = describe_parameters(registry.find(kind, ref.id).component)
    choices = {
        name: _choices(value, described[name], registry)
        for name, value in ref.parameters.items()
        if name in described
    }
    count = math.prod(map(len, choices.values()))
    if count > MOST:
        raise PluginError(f"{ref.id}: its lists make {count:,} components; at most {MOST:,} fit in one entry")
    return [
        Ref(kind, ref.id, {**ref.parameters, **dict(zip(choices, values, strict=True))})
        for values in itertools.product(*choices.values())
    ]


def _choices(value: object, described: Mapping[str, Any], registry: Registry) -> list[object]:
    """The values that a parameter takes in turn."""
    multiplies = isinstance(value, (list, tuple)) and len(value) > 0 and not _is_list(described)
    values = list(value) if multiplies else [value]  # type: ignore[call-overload]
    if described.get("type") not in set(Kind):
        return values
    return [one for each in values for one in _named(Kind(described["type"]), each, registry)]


def _named(kind: Kind, entry: object, registry: Registry) -> list[object]:
    """References that an entry inside a parameter stands for; the registry refuses what is wrong."""
    if not isinstance(entry, dict):
        return [entry]
    try:
        return [plain(ref) for ref in expand(kind, entry, registry)]
    except PluginError:
        return [entry]


def _is_list(described: Mapping[str, Any]) -> bool:
    """Whether a parameter is a list itself, or may be."""
    return any(form.get("type") == "array" for form in (described, *described.get("anyOf", ())))


def _label(entry: object) -> tuple[object, str | None, list[str]]:
    """The entry without its label, the label, and what is wrong with it."""
    if not isinstance(entry, dict) or "label" not in entry:
        return entry, None, []
    rest = {name: value for name, value in entry.items() if name != "label"}
    label = entry["label"]
    if isinstance(label, str) and label.isprintable() and 0 < len(label.strip()) <= len(label) <= _LONGEST_LABEL:
        return rest, label, []
    wanted = f"a line of 1 to {_LONGEST_LABEL} printable characters"
    return rest, None, [f"label: {wanted} is needed, not {shown(label)}"]


def _twice(found: Listed) -> list[str]:
    """Components that stand in a list more than once."""
    problems: dict[str, str] = {}
    seen: set[str] = set()
    for component in found.components:
        identity = canonical(fingerprint(component))
        if identity in seen:
            problems[identity] = f"{component.id!r} is listed twice with the same parameters"
        seen.add(identity)
    return list(problems.values())


def _confused(found: Listed) -> list[str]:
    """Labels that name two components, or are the id of another one."""
    labels = list(found.labels.values())
    ids = {canonical(coordinate(component)): component.id for component in found.components}
    twice = dict.fromkeys(label for label in labels if labels.count(label) > 1)
    foreign = [
        label
        for named, label in found.labels.items()
        if label in {name for one, name in ids.items() if one != named}
    ]
    return [
        *(f"label {label!r} names more than one component" for label in twice),
        *(f"label {label!r} is another component's id" for label in foreign),
    ]
