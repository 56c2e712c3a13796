"""Explanation of the cache: whether a cell is in it, and if one like it is, which part of the key has changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from soundproof.engine.entries import Entry, entries
from soundproof.engine.keys import name_of, stage
from soundproof.errors import SoundproofError
from soundproof.planning.plan import row_of
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from soundproof.contract.registry import Registry
    from soundproof.engine.workshop import Workshop
    from soundproof.measuring.protocols.base import Cell
    from soundproof.planning.graph import Node
    from soundproof.planning.plan import Plan
    from soundproof.results.files import Results, Row


class Verdict(StrEnum):
    """What the cache knows of a cell."""

    HIT = "hit"
    STALE = "stale"
    MISS = "miss"


@dataclass(frozen=True)
class Change:
    """A part of a key that is not what it was.

    Attributes:
        part: Which, from the cell down: `trained › model.version`.
        old: As the entry has it; None if it has no such part.
        new: As it would be now.
    """

    part: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Explanation:
    """What the cache knows of a cell.

    Attributes:
        verdict: Hit, stale or miss.
        entry: The cell's own entry, or of those that are like it the one last used; None if there is none.
        changes: Why that is not the cell's own.
    """

    verdict: Verdict
    entry: Entry | None = None
    changes: tuple[Change, ...] = ()


def planned(results: Results, name: str, registry: Registry, root: Path) -> tuple[Row, Plan, Cell]:
    """The row whose key begins with a name, and its cell in the plan that its suite gives now.

    Args:
        results: Where the row stands.
        name: The beginning of its key.
        registry: Where components come from.
        root: The data folder.

    Raises:
        SoundproofError: No row's key begins so, or several, or the suite does not give it now.
    """
    found = [row for row in results.rows if row.key.startswith(name)]
    if len(found) != 1:
        begun = [f"{row.key}: {row.title()}" for row in found[:10]]
        raise SoundproofError(
            [f"{name}: begins the keys of {len(found)} rows; name one as in results.jsonl", *begun]
        )
    document = {part: value for part, value in results.run["suite"].items() if part != "labels"}
    plan = make_plan(load_suite(document, registry), root)
    row = found[0]
    for cell in (*plan.cells, *plan.missing):
        if cell.protocol.id == row.protocol and row_of(cell, plan.budget(cell), Status.OK).key == row.key:
            return row, plan, cell
    raise SoundproofError(
        f"{row.key}: its suite does not give this row now: {row.reason or 'data or code changed'}"
    )


def explain(workshop: Workshop, node: Node) -> Explanation:
    """Look for a stage in the store, and for entries of the same coordinates.

    Args:
        workshop: Of a plan that has the stage.
        node: The stage, e.g. a cell.
    """
    key, alike = workshop.keys.of(node), []
    name = name_of(node)
    for entry in entries(workshop.store.root, (stage(node),)):
        manifest = entry.manifest()
        if entry.digest == key.digest and workshop.store.record(key) is not None:
            return Explanation(Verdict.HIT, entry)
        if manifest is not None and manifest.get("about", {}).get("name") == name and entry.digest != key.digest:
            alike.append((entry.used, entry, manifest))
    if not alike:
        return Explanation(Verdict.MISS)
    _, nearest, manifest = max(alike, key=lambda each: each[0])
    changes = dict.fromkeys(_changes(workshop, node, manifest, ()))
    return Explanation(Verdict.STALE, nearest, tuple(changes))


def _changes(
    workshop: Workshop, node: Node, manifest: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[Change]:
    """Changes of a stage and of what it is made from, the deepest first, since the others follow from them."""
    old, new = dict(manifest["key"]), json.loads(workshop.keys.of(node).parts)
    yield from _upstream(workshop, node, old.pop("needs", []), path)
    new.pop("needs", None)
    # The digest of the ground says that it moved; what stands beside the key says which part of it.
    if old.pop("ground", None) != new.pop("ground", None):
        yield from _different(manifest["about"]["ground"], workshop.keys.about(node)["ground"], path)
    yield from _different(old, new, path)


def _upstream(workshop: Workshop, node: Node, before: list[str], path: tuple[str, ...]) -> Iterator[Change]:
    needs = workshop.plan.graph.needs(node)
    for need, old in zip(needs, before, strict=False):
        new, where = workshop.keys.of(need).digest, (*path, stage(need))
        if old == new:
            continue
        folder = workshop.store.root / stage(need) / old[:2] / old
        found = next(
            (e.manifest() for e in entries(workshop.store.root, (stage(need),)) if e.folder == folder), None
        )
        if found is None:
            yield Change(f"{' › '.join(where)} (its entry is gone)", old, new)
        else:
            yield from _changes(workshop, need, found, where)
    if len(needs) != len(before):
        yield Change(" › ".join((*path, "stages that it needs")), len(before), len(needs))


def _different(old: Any, new: Any, path: tuple[str, ...], inside: str = "") -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _different(old.get(name), new.get(name), path, f"{inside}.{name}" if inside else name)
    elif old != new:
        yield Change(" › ".join((*path, inside)), json.dumps(old), json.dumps(new))
