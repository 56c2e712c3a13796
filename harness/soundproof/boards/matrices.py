"""The transferability board as matrices: sources down, targets across, one value for each attack in a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from soundproof.boards.entries import Boards, Transfer
    from soundproof.boards.names import Called, Name

MEAN = "mean over attacks"


@dataclass(frozen=True)
class Matrix:
    """All transfers among the classifiers of one data set; of one representation, unless it is sound that moves.

    Attributes:
        dataset: Its name.
        representation: Its name; None where examples move from one to another.
        sources: The rows.
        targets: The columns.
        attacks: What can be chosen; the mean over attacks first where there are several.
        entries: By attack, source and target.
    """

    dataset: Called
    representation: Called | None
    sources: tuple[Name, ...]
    targets: tuple[Name, ...]
    attacks: tuple[str, ...]
    entries: Mapping[tuple[str, Name, Name], Transfer]

    @property
    def single(self) -> tuple[str, ...]:
        """The attacks without their mean."""
        return tuple(attack for attack in self.attacks if attack != MEAN)


def matrices(boards: Boards) -> list[Matrix]:
    """The matrices in the order of the boards."""
    moving = {
        entry.name.dataset
        for entry in boards.transfers
        if entry.target.representation != entry.name.representation
    }
    groups: dict[tuple[Called, Called | None], list[Transfer]] = {}
    for entry in boards.transfers:
        shared = None if entry.name.dataset in moving else entry.name.representation
        groups.setdefault((entry.name.dataset, shared), []).append(entry)
    return [_matrix(dataset, representation, group) for (dataset, representation), group in groups.items()]


def _matrix(dataset: Called, representation: Called | None, group: list[Transfer]) -> Matrix:
    attacks = [str(name) for name in sorted({entry.attack for entry in group if entry.attack is not None})]
    mean = [MEAN] if any(entry.attack is None for entry in group) else []
    return Matrix(
        dataset=dataset,
        representation=representation,
        sources=_ordered(entry.name for entry in group),
        targets=_ordered(entry.target for entry in group),
        attacks=(*mean, *attacks),
        entries={(str(entry.attack or MEAN), entry.name, entry.target): entry for entry in group},
    )


def _ordered(names: Iterable[Name]) -> tuple[Name, ...]:
    """By representation and model, the undefended one before the defended."""

    def place(name: Name) -> tuple[Called, Called, bool, Called]:
        return name.representation, name.model, not name.undefended, name.defense

    return tuple(sorted(set(names), key=place))
