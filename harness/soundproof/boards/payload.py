"""The payload of the page: everything its script draws, as compact JSON."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.boards import recipe
from soundproof.boards.matrices import matrices
from soundproof.digest import canonical
from soundproof.results.flags import FLAGS, HINT, UNKNOWN
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from soundproof.boards.columns import Line, Sheet
    from soundproof.boards.curves import Curve
    from soundproof.boards.entries import Boards, Training
    from soundproof.boards.matrices import Matrix
    from soundproof.boards.names import Called, Name
    from soundproof.boards.sections import Section
    from soundproof.boards.shots import Shot

KINDS = ("dataset", "representation", "model", "defense", "attack")
_LISTS = dict(zip(KINDS, ("datasets", "representations", "models", "defenses", "attacks"), strict=True))
_RUNS, _EPOCHS = 6, 40  # of learning curves that are drawn
# Characters of all pictures together; beyond it each is thinned.
PICTURES = 1_500_000


@dataclass(frozen=True)
class Badge:
    """A flag in words."""

    title: str
    meaning: str
    unranks: bool


def badge(flag: str) -> Badge:
    """A flag in words; one that this version does not know is shown as it is."""
    known = FLAGS.get(flag)
    return Badge(known.title, known.meaning, known.unranks) if known else Badge(flag, UNKNOWN, unranks=False)


def payload(boards: Boards, sheets: Mapping[str, Sheet], run: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the script draws.

    Args:
        boards: The rows.
        sheets: The two tables, by name.
        run: Provenance.
    """
    return _Payload(boards, sheets, run).content()


def datasets_of(boards: Boards, run: Mapping[str, Any]) -> dict[Called, Mapping[str, Any]]:
    """What a run notes of each data set, by its name; nothing where it noted none."""
    own = {canonical(each.get("dataset")): each for each in run.get("datasets") or ()}
    return {
        called: own.get(canonical(found), {}) for called, found in boards.components.get("dataset", {}).items()
    }


class _Payload:
    def __init__(self, boards: Boards, sheets: Mapping[str, Sheet], run: Mapping[str, Any]) -> None:
        self._boards, self._sheets, self._run = boards, sheets, run
        self._called = {kind: list(found) for kind, found in boards.components.items()}
        self._number = {
            kind: {called: at for at, called in enumerate(found)} for kind, found in self._called.items()
        }
        self._said: dict[str, int] = {}
        self._who = {line.name: at for at, line in enumerate(sheets["classifiers"].lines)}

    def content(self) -> dict[str, Any]:
        boards, budget, suite = self._boards, self._run.get("budget") or {}, self._run.get("suite") or {}
        datasets = list(datasets_of(boards, self._run).values())
        return {
            "names": {
                kind: [[called.short, called.full, recipe.component(found)] for called, found in each.items()]
                for kind, each in boards.components.items()
            },
            "budgets": [(each.get("budget") or budget).get("epsilon") for each in datasets],
            "classes": [each.get("classes") or [] for each in datasets],
            "target": budget.get("target_auc"),
            "tables": {name: self._table(sheet) for name, sheet in self._sheets.items()},
            "flags": [list(vars(badge(flag)).values()) for flag in boards.flags],
            "sections": self._sections(),
            "heats": [self._heat(matrix) for matrix in matrices(boards)],
            "sweeps": self._sweeps(),
            "unscored": self._unscored(),
            "pictures": self._pictures(boards.shots),
            "suite": [str(suite.get("name") or ""), recipe.rest(suite)],
            # Last: those above have said it all.
            "said": list(self._said),
        }

    def _name(self, of: Name) -> list[int]:
        return [self._number[kind][getattr(of, kind)] for kind in KINDS[:4]]

    def _variant(self, of: Name, matrix: Matrix) -> list[int]:
        """A model and its defense, with the representation where a matrix has several."""
        through = [] if matrix.representation else [self._number["representation"][of.representation]]
        return [self._number["model"][of.model], self._number["defense"][of.defense], *through]

    def _table(self, sheet: Sheet) -> dict[str, Any]:
        flags = {flag: at for at, flag in enumerate(self._boards.flags)}
        return {
            "columns": [list(vars(column).values()) for column in sheet.columns],
            "who": [self._name(line.name) for line in sheet.lines],
            "attack": [self._attack(line.attack) for line in sheet.lines],
            "of": [self._who.get(line.name, -1) for line in sheet.lines],
            "place": [line.place for line in sheet.lines],
            "rank": [line.rank for line in sheet.lines],
            "note": [line.note for line in sheet.lines],
            "flags": [[flags[flag] for flag in line.flags] for line in sheet.lines],
            "numbers": {column.name: _spread(sheet.lines, column.name) for column in sheet.columns},
        }

    def _sections(self) -> list[dict[str, Any]]:
        """One for each row of the classifiers' table."""
        found = {section.name: section for section in self._boards.sections}
        trained = _trainings(self._boards.trainings)
        return [
            {**self._section(found.get(name)), "training": trained(name), "checks": self._checks(name)}
            for name in (line.name for line in self._sheets["classifiers"].lines)
        ]

    def _checks(self, name: Name) -> list[list[Any]]:
        """What checks say of a classifier: verdict, flag by its place in the list of all, and words."""
        flags = {flag: at for at, flag in enumerate(self._boards.flags)}
        return [
            [
                each.verdict if each.flag != HINT else "hint",
                flags.get(each.flag or "", -1),
                self._words(each.title),
                self._words(each.said),
                self._words(each.evidence),
                "; ".join(f"fold {fold}, seed {seed}" for fold, seed in each.runs),
            ]
            for each in self._boards.examinations.get(name, ())
        ]

    def _words(self, text: str) -> int:
        """Number of a text in the list of all: classifiers are told much the same."""
        return self._said.setdefault(text, len(self._said))

    def _section(self, section: Section | None) -> dict[str, Any]:
        if section is None:
            return {}
        return {
            "sizes": [self._curve(curve) for curve in section.sizes],
            "costs": [self._curve(curve) for curve in section.costs],
            "classes": section.classes,
            "confusions": [
                [
                    -1 if each.attack is None else self._number["attack"][each.attack],
                    [value for cell in each.cells for value in cell],
                ]
                for each in section.confusions
            ],
            "hardest": [[name, _short(size)] for name, size in section.hardest],
            "easiest": [[name, _short(size)] for name, size in section.easiest],
        }

    def _attack(self, attack: Called | None) -> int:
        return -1 if attack is None else self._number["attack"][attack]

    def _curve(self, curve: Curve) -> list[Any]:
        return [
            self._attack(curve.attack),
            [_short(at) for at in curve.along],
            _thousandths(curve.rate),
            _thousandths(curve.auc),
        ]

    def _heat(self, matrix: Matrix) -> dict[str, Any]:
        places = [(source, target) for source in matrix.sources for target in matrix.targets]
        return {
            "dataset": self._number["dataset"][matrix.dataset],
            "representation": self._number["representation"][matrix.representation]
            if matrix.representation
            else None,
            "sources": [self._variant(name, matrix) for name in matrix.sources],
            "targets": [self._variant(name, matrix) for name in matrix.targets],
            "attacks": list(matrix.attacks),
            "cells": [
                [
                    None
                    if entry is None or "transfer_ratio" not in entry.metrics
                    else _cell(entry.metrics["transfer_ratio"])
                    for entry in (matrix.entries.get((attack, *place)) for place in places)
                ]
                for attack in matrix.attacks
            ],
        }

    def _sweeps(self) -> list[dict[str, Any]]:
        rows: dict[tuple[Name, Called | None], int] = {
            (line.name, line.attack): at for sheet in self._sheets.values() for at, line in enumerate(sheet.lines)
        }
        return [
            {
                "kind": sweep.kind,
                "id": sweep.id,
                "parameter": sweep.parameter,
                "table": "attacks" if sweep.kind == "attack" else "classifiers",
                "lines": [
                    [words, [[value, rows[owner]] for value, owner in points if owner in rows]]
                    for words, points in sweep.lines.items()
                ],
            }
            for sweep in self._boards.sweeps
        ]

    def _unscored(self) -> list[list[Any]]:
        """Cells without a score, those of one reason and protocol together."""
        found: dict[tuple[str, str, str], list[list[Any]]] = {}
        for cell in self._boards.unscored:
            where = [*self._name(cell.name), self._attack(cell.attack)]
            target = "" if cell.target is None else cell.target.beside(cell.name)
            target = target if cell.channel is None else f"through {cell.channel}"
            words = f"fold {cell.fold}, seed {cell.seed}"
            found.setdefault((str(cell.status), cell.protocol, cell.reason), []).append([where, target, words])
        order = list(Status)
        return [
            [status, protocol, reason, cells]
            for (status, protocol, reason), cells in sorted(
                found.items(), key=lambda each: order.index(Status(each[0][0]))
            )
        ]

    def _pictures(self, shots: Sequence[Shot]) -> list[dict[str, Any]]:
        total = sum((1 + len(shot.changes)) * shot.input.size for shot in shots)
        step = max(1, int(np.ceil(np.sqrt(total * 2 / 3 / PICTURES))))
        return [
            {
                "name": self._name(shot.name),
                "clip": shot.clip,
                "label": shot.label,
                "shape": list(shot.input[::step, ::step].shape),
                "input": _packed(np.asarray(shot.input[::step, ::step], np.float64) / 17),
                "changes": [
                    {
                        "attack": self._number["attack"][change.attack],
                        "scale": _short(change.scale),
                        "l2": _short(change.l2),
                        "linf": _short(change.linf),
                        "given": change.given,
                        "target": change.target,
                        "levels": _packed(np.asarray(change.levels[::step, ::step], np.float64) * 7 / 127 + 8),
                    }
                    for change in shot.changes
                ],
            }
            for shot in shots
        ]


def _spread(lines: Sequence[Line], name: str) -> list[list[float | int | None]]:
    """A column's values, ends of intervals and clips."""
    metrics = [line.numbers.get(name) for line in lines]
    return [
        [None if metric is None else _short(getattr(metric, end)) for metric in metrics]
        for end in ("value", "low", "high", "n")
    ]


def _trainings(trainings: Iterable[Training]) -> Any:
    """Learning curves by classifier: its model's own, and what its defense trained on top."""
    found = {training.name: training for training in trainings}
    undefended = {replace(name, defense=name.model): t for name, t in found.items() if name.undefended}

    def of(name: Name) -> list[Any]:
        model, own = undefended.get(replace(name, defense=name.model)), found.get(name)
        phases = [("model", model), ("defense", None if name.undefended else own)]
        return [
            [
                phase,
                curve.fold,
                curve.seed,
                _every(curve.loss),
                _every(curve.score),
                len(curve.loss),
                curve.failure,
            ]
            for phase, training in phases
            if training is not None
            for curve in training.curves[:_RUNS]
        ]

    return of


def _every(values: Sequence[float]) -> list[float | None]:
    """At most so many of them, evenly, the last among them."""
    kept = range(len(values))
    if len(values) > _EPOCHS:
        kept = np.unique(np.linspace(0, len(values) - 1, _EPOCHS).round().astype(int)).tolist()
    return [_short(values[at]) if np.isfinite(values[at]) else None for at in kept]


def _cell(metric: Any) -> list[int]:
    return [*(round(1000 * end) for end in (metric.value, metric.low, metric.high)), metric.n]


def _short(value: float | None) -> float | int | None:
    """Four digits: no more can be seen; whole numbers as such."""
    if value is None or isinstance(value, int):
        return value
    short = float(f"{value:.4g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def _thousandths(values: Iterable[float]) -> list[int]:
    return [round(1000 * value) for value in values]


def _packed(levels: Any) -> str:
    """Whole numbers from 0 to 15, two in a byte, row by row; as text."""
    flat = np.rint(levels).clip(0, 15).astype(np.uint8).reshape(-1)
    flat = np.append(flat, np.zeros(len(flat) % 2, np.uint8))
    return b64encode((flat[::2] << 4 | flat[1::2]).tobytes()).decode()
