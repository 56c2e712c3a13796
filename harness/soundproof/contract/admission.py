"""Whether a class can be a component, looked at when its plugin is loaded: what is wrong is told then, by name."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partialmethod
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.contract.chain import CHAIN
from soundproof.contract.components import KINDS, Component, Defense
from soundproof.contract.parameters import RESERVED, schema
from soundproof.types import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def flaw(component: type[Component]) -> str | None:
    """Why a class cannot be a component, in one line, or None.

    Nothing that the class does on being looked at gets out of here: what it raises is a flaw, too.
    """
    where = f"{component.__module__}.{component.__qualname__}"
    for look in (_kind, _abstract, _id, _frozen, _properties, _summary, _parameters, _presets, _capabilities):
        try:
            problem = look(component)
        except (Exception, SystemExit) as error:
            problem = f"{look.__name__.strip('_')} cannot be read: {type(error).__name__}: {error}"
        if problem is not None:
            return " ".join(f"{where}: {problem}".split())
    return None


def _kind(component: type[Component]) -> str | None:
    if not issubclass(component, tuple(KINDS)):
        return f"derives from none of {', '.join(kind.__name__ for kind in KINDS)}"
    of = next(kind for kind in KINDS if issubclass(component, kind))
    kind = getattr(component, "kind", None)
    return (
        None
        if isinstance(kind, Kind) and kind is of.kind
        else f"its kind must stay {str(of.kind)!r}, not {kind!r}"
    )


def _abstract(component: type[Component]) -> str | None:
    missing = ", ".join(sorted(getattr(component, "__abstractmethods__", ())))
    return f"does not implement {missing}" if missing else None


def _id(component: type[Component]) -> str | None:
    name = getattr(component, "id", None)
    if name == CHAIN and issubclass(component, Defense):
        return f"its id cannot be {CHAIN!r}, which is what results call a list of defenses"
    good = isinstance(name, str) and _ID.fullmatch(name)
    return None if good else f"needs an id of lower-case letters, digits and hyphens, not {name!r}"


def _frozen(component: type[Component]) -> str | None:
    made = vars(component).get("__dataclass_params__")
    return None if made is not None and made.frozen else "must be decorated with @dataclass(frozen=True)"


def _properties(component: type[Component]) -> str | None:
    """Methods where properties are due and the other way round: a bound method is true, and no number."""
    for name in sorted({name for base in _bases(component) for name in vars(base) if not name.startswith("_")}):
        due = next(inspect.getattr_static(base, name) for base in _bases(component) if name in vars(base))
        given = inspect.getattr_static(component, name)
        if isinstance(due, property) and _is_method(given):
            return f"{name} is a method; decorate it with @property"
        if _is_method(due) and not _is_method(given):
            return f"{name} must be a method, not {type(given).__name__}"
    return None


def _is_method(attribute: object) -> bool:
    return callable(attribute) or isinstance(attribute, (classmethod, staticmethod, partialmethod))


def _bases(component: type[Component]) -> list[type]:
    """The classes of the contract that a component derives from."""
    return [base for base in component.__mro__ if base.__module__ == Component.__module__]


def _summary(component: type[Component]) -> str | None:
    summary: object = component.summary()
    if not isinstance(summary, str):
        return f"summary() must return a string, not {summary!r}"
    return None if summary else "needs a docstring; its first line is the summary"


def _parameters(component: type[Component]) -> str | None:
    schema(component)
    taken = sorted(RESERVED & {field.name for field in fields(component)})  # type: ignore[arg-type]
    if taken:
        return f"a parameter cannot be called {' or '.join(taken)}, which means something else in suites"
    return None


def _presets(component: type[Component]) -> str | None:
    presets = component.presets
    if not isinstance(presets, Mapping) or not all(isinstance(given, Mapping) for given in presets.values()):
        return f"presets must be a mapping of mappings, not {presets!r}"
    known = {field.name for field in fields(component)}  # type: ignore[arg-type]
    for name, given in presets.items():
        unknown = [parameter for parameter in given if parameter not in known]
        if unknown:
            return f"its preset {name!r} names the parameter {unknown[0]!r}, which it has not"
    return None


def _capabilities(component: type[Component]) -> str | None:
    json.dumps(component.capabilities())
    return None


def instance_flaws(component: Component) -> Iterator[str]:
    """Flaws in the properties of a component that was made, a line each."""
    for name, (good, due) in _PROPERTIES.items():
        if name not in {attribute for base in _bases(type(component)) for attribute in vars(base)}:
            continue
        try:
            value: object = getattr(component, name)
        except (Exception, SystemExit) as error:
            yield f"{name} raised {type(error).__name__}: {error}"
            continue
        if not good(value):
            yield f"{name} must be {due}, not {value!r}"


def _number(least: float, *, whole: bool = True) -> Callable[[Any], bool]:
    def good(value: Any) -> bool:
        kind: Any = Integral if whole else Real
        return isinstance(value, kind) and not isinstance(value, bool) and least <= value < float("inf")

    return good


def _tuple_of(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, tuple) and all(isinstance(item, kinds) for item in value)


_AT_LEAST_ONE = (_number(1), "a whole number from 1 on")
_AT_LEAST_NONE = (_number(0), "a whole number from 0 on")
_YES_OR_NO = (lambda value: isinstance(value, bool), "True or False")
# What each is looked at with, and what it is to be.
_PROPERTIES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "seconds": (_number(1e-9, whole=False), "a number above 0"),
    "rate": _AT_LEAST_ONE,
    "draws": _AT_LEAST_ONE,
    "copies": _AT_LEAST_ONE,
    "planned_gradients": _AT_LEAST_NONE,
    "planned_queries": _AT_LEAST_NONE,
    "is_targeted": _YES_OR_NO,
    "from_scratch": _YES_OR_NO,
    "pretrained": _YES_OR_NO,
    "flags": (_tuple_of(str), 'a tuple of strings, e.g. ("random-start",)'),
    "files": (_tuple_of(Path), "a tuple of paths"),
}
