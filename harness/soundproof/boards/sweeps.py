"""Sweeps: where a suite varies a number, what it does to everything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from soundproof.digest import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from soundproof.boards.names import Called, Name
    from soundproof.measuring.place import Coordinate

    Components = Mapping[str, Mapping[Called, Coordinate]]
    Owner = tuple[Name, Called | None]

_KINDS = ("dataset", "representation", "model", "defense")


@dataclass(frozen=True)
class Sweep:
    """One parameter of one component, and the rows along it.

    Attributes:
        kind: Of the component.
        id: Its id.
        parameter: What varies.
        lines: By what else they are, the values with their owners, ascending; at least two each.
    """

    kind: str
    id: str
    parameter: str
    lines: Mapping[str, tuple[tuple[float, Owner], ...]]


def sweeps(owners: Iterable[Owner], components: Components, run: Mapping[str, Any]) -> tuple[Sweep, ...]:
    """All parameters that vary.

    Args:
        owners: Classifiers, and classifiers with an attack.
        components: The coordinates of their components by kind.
        run: Provenance, which holds the defaults of parameters.
    """
    defaults = {
        (entry.get("kind"), entry.get("id")): entry.get("defaults") or {} for entry in run.get("components") or ()
    }
    owners, found = list(owners), []
    for kind, called in components.items():
        for name in dict.fromkeys(each["id"] for each in called.values()):
            family = {who: each for who, each in called.items() if each["id"] == name}
            for parameter in _varied(family.values(), defaults.get((kind, name), {})):
                values = {
                    who: each.get(parameter, defaults.get((kind, name), {}).get(parameter))
                    for who, each in family.items()
                }
                lines = _lines(owners, kind, parameter, family, values)
                if lines:
                    found.append(Sweep(kind, name, parameter, lines))
    return tuple(found)


def _varied(family: Iterable[Coordinate], defaults: Mapping[str, float]) -> list[str]:
    """The parameters that take several numbers."""
    whole = [{**defaults, **each} for each in family]
    values = {
        name: {each[name] for each in whole if _is_number(each.get(name))}
        for name in sorted({name for each in whole for name in each} - {"id"})
    }
    return [name for name, each in values.items() if len(each) > 1]


def _lines(
    owners: Iterable[Owner],
    kind: str,
    parameter: str,
    family: Mapping[Called, Coordinate],
    values: Mapping[Called, Any],
) -> dict[str, tuple[tuple[float, Owner], ...]]:
    """Rows that differ in nothing else."""
    found: dict[str, list[tuple[float, Owner]]] = {}
    for owner in owners:
        of, attack = owner
        if (kind == "attack") != (attack is not None):
            continue
        who = attack if attack is not None else getattr(of, kind)
        if who in family and _is_number(values[who]):
            rest = {name: value for name, value in family[who].items() if name not in ("id", parameter)}
            others = [str(getattr(of, each)) for each in _KINDS if each != kind]
            words = " · ".join([*others, *([canonical(rest)] if rest and _several(family, parameter) else [])])
            found.setdefault(words, []).append((float(values[who]), owner))
    return {
        words: tuple(sorted(points, key=lambda point: point[0]))
        for words, points in found.items()
        if len(points) > 1
    }


def _several(family: Mapping[Called, Coordinate], parameter: str) -> bool:
    """Whether the family differs in more than this parameter."""
    rests = {canonical({k: v for k, v in each.items() if k != parameter}) for each in family.values()}
    return len(rests) > 1


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
