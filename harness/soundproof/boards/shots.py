"""Shots: what attacks do to one clip, from the pictures of a results folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from soundproof.boards.names import Called, Name, Names
    from soundproof.results.files import Results, Row

    Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Change:
    """What one attack adds.

    Attributes:
        attack: Its name.
        levels: int8 `[H, W]`, 127 for the largest change.
        scale: That change.
        l2: ‖ε‖₂ of the whole example.
        linf: ‖ε‖∞.
        given: The class it is given; -1 where that was not kept.
        target: The class the attack aims at; -1 where it aims at none.
    """

    attack: Called
    levels: Array
    scale: float
    l2: float
    linf: float
    given: int
    target: int


@dataclass(frozen=True, eq=False)
class Shot:
    """One clip as one classifier sees it, and what attacks add to it.

    Attributes:
        name: The classifier.
        clip: The clip's name.
        label: Its class.
        input: uint8 `[H, W]`, row 0 the lowest frequency.
        changes: An attack each.
    """

    name: Name
    clip: str
    label: int
    input: Array
    changes: tuple[Change, ...]


def shots(results: Results, rows: Sequence[Row], names: Names) -> tuple[Shot, ...]:
    """All pictures of a folder, in the order of its rows."""
    found = []
    pictures = results.pictures
    scored = [row for row in rows if row.status is Status.OK]
    for row in scored:
        if row.protocol != "clean" or f"{row.key}/input" not in pictures:
            continue
        clip, clean = int(pictures[f"{row.key}/clip"][0]), results.fields(row)
        if clip not in clean["clip"]:
            continue
        known, of = results.names(row.dataset), names.classifier(row)
        changes = [
            _change(results, each, names, clip)
            for each in scored
            if f"{each.key}/perturbation" in pictures
            and names.classifier(each) == of
            and clip in results.fields(each)["clip"]
        ]
        found.append(
            Shot(
                name=of,
                clip=known[clip] if clip < len(known) else f"clip {clip}",
                label=int(clean["label"][np.flatnonzero(clean["clip"] == clip)[0]]),
                input=pictures[f"{row.key}/input"],
                changes=tuple(changes),
            )
        )
    return tuple(found)


def _change(results: Results, row: Row, names: Names, clip: int) -> Change:
    fields = results.fields(row)
    (place,) = np.flatnonzero(fields["clip"] == clip)
    return Change(
        attack=names.attack(row),
        levels=results.pictures[f"{row.key}/perturbation"],
        scale=float(results.pictures[f"{row.key}/scale"][0]),
        l2=float(fields["l2"][place]),
        linf=float(fields["linf"][place]),
        given=int(fields["prediction"][place]) if "prediction" in fields else -1,
        target=int(fields["target"][place]) if "target" in fields else -1,
    )
