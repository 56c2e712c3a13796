"""Recipes: the suite that gives one row again, as a TOML file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The lists that a row chooses from, what names them for people, and what only a gate reads.
_LEFT_OUT = ("name", "labels", "gate", "datasets", "representations", "models", "defenses", "attacks")


def suite(document: Mapping[str, Any], components: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The whole file.

    Args:
        document: The suite of the run, as `run.json` keeps it.
        components: The coordinates of the row, by the key of their list.
    """
    lists = "".join(
        f"{key} = [{', '.join(map(component, found))}]\n" for key, found in components.items() if found
    )
    return f'name = "row"\n{lists}{rest(document)}'


def rest(document: Mapping[str, Any]) -> str:
    """Everything but the components: protocols and settings, then budget, split and training as tables."""
    kept = {key: _plain(value) for key, value in document.items() if key not in _LEFT_OUT and value}
    keys = [f"{key} = {inline(value)}\n" for key, value in kept.items() if not isinstance(value, dict)]
    tables = [
        f"\n[{key}]\n" + "".join(f"{name} = {inline(each)}\n" for name, each in value.items())
        for key, value in kept.items()
        if isinstance(value, dict)
    ]
    return "".join((*keys, *tables))


def component(coordinate: Mapping[str, Any]) -> str:
    """A component as it stands in a suite's list: its id, or a table in one line."""
    return inline(coordinate["id"] if set(coordinate) == {"id"} else _plain(coordinate))


def inline(value: object) -> str:
    """A JSON value as TOML in one line; the library for TOML breaks what is long."""
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(name)} = {inline(each)}" for name, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    # TOML reads what JSON writes, but for one control character that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else inline(name)


def _plain(value: Any) -> Any:
    """The value without what TOML has no word for: nothing stands for a default."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if each is not None}
    return [_plain(each) for each in value] if isinstance(value, list) else value
