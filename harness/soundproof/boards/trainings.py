"""Learning curves: how each model was trained, and each defense on top of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from soundproof.boards.entries import Curve, Training
from soundproof.digest import canonical
from soundproof.measuring.classifier import BASELINE
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from soundproof.boards.names import Name, Names
    from soundproof.results.files import Results, Row


def trainings(results: Results, rows: Sequence[Row], names: Names) -> tuple[Training, ...]:
    """The trainings behind `clean` rows.

    A model is trained once for all of its defenses, so its curve stands once, as that of the undefended
    classifier. The curve of a training that broke off is the defense's if the model itself was trained to the end.
    """
    trained = {_model(row) for row in rows if row.status is Status.OK}
    found: dict[Name, dict[tuple[int, int], Curve]] = {}
    for row in rows:
        defended = names.classifier(row)
        model = replace(defended, defense=names.of("defense", {"id": BASELINE}))
        broken = row.status is Status.DIVERGED
        for whose, of in (("model", model), ("defense", defended)):
            curve = _curve(results, row, whose)
            if curve is not None:
                owner = defended if broken and _model(row) in trained else of
                found.setdefault(owner, {}).setdefault((row.fold, row.seed), curve)
    grouped = sorted(found.items(), key=lambda item: _order(item[0]))
    return tuple(Training(of, tuple(curves[at] for at in sorted(curves))) for of, curves in grouped)


def _curve(results: Results, row: Row, whose: str) -> Curve | None:
    """The curve of one phase; None if it has none, an empty one if it broke off in its first epoch."""
    loss, score = (results.samples.get(f"{row.key}/{whose}_{name}") for name in ("loss", "validation"))
    reason = (row.reason or "") if row.status is Status.DIVERGED else ""
    if loss is not None and score is not None:
        return Curve(row.fold, row.seed, _numbers(loss), _numbers(score), reason)
    if whose == "model" and reason:
        return Curve(row.fold, row.seed, (), (), reason)
    return None


def _numbers(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _model(row: Row) -> tuple[object, ...]:
    """Key that tells trained models apart."""
    return (*map(canonical, (row.dataset, row.representation, row.model)), row.fold, row.seed)


def _order(of: Name) -> tuple[object, ...]:
    return of.dataset, of.representation, of.model, not of.undefended, of.defense
