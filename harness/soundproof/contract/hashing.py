"""Hashes of frozen dataclasses that are looked up often: computed once an object.

A cell holds a classifier, which holds components: a plan of a hundred thousand cells would otherwise spend most of
its time on adding up the same hashes.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

_C = TypeVar("_C", bound=type[Any])
_NAME = "_hash"


def kept_hash(self: Any) -> int:
    """Hash of a frozen dataclass, over its class and what it compares by; computed once.

    The class counts, because a dataclass's own hash is that of its values alone: two models without parameters
    would fall together in every dictionary.
    """
    known: dict[str, Any] = self.__dict__
    found: int | None = known.get(_NAME)
    if found is None:
        of: type = type(self)
        # Past the dataclass, which is frozen and does not compare this.
        found = known[_NAME] = hash((of, *[known[name] for name in _compared(of)]))
    return found


def hashed_once(of: _C) -> _C:
    """Decorate a frozen dataclass, above `@dataclass`, so that its objects keep their hashes."""
    of.__hash__ = kept_hash  # type: ignore[assignment]  # a function of a class is its method
    return of


@cache
def _compared(of: Hashable) -> tuple[str, ...]:
    """Names of the fields that a class's objects compare by."""
    counted = {field.name: field.compare if field.hash is None else field.hash for field in dataclasses.fields(of)}  # type: ignore[arg-type]
    return tuple(name for name, counts in counted.items() if counts)
