"""The boards as Markdown for GitHub: at most eight columns, each word explained once; the CSV has the rest."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tabulate import tabulate

from soundproof.boards import glossary
from soundproof.boards.formats import heading
from soundproof.boards.headlines import headlines, told_apart
from soundproof.boards.matrices import matrices
from soundproof.boards.measures import MEASURES, REPORT
from soundproof.boards.numbers import counted
from soundproof.boards.tables import classifiers, ratio, tables, unscored
from soundproof.results.flags import FLAGS, UNKNOWN
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from soundproof.boards.entries import Boards
    from soundproof.boards.grid import Column, Figure, Line, Table
    from soundproof.boards.matrices import Matrix
    from soundproof.boards.names import Name
    from soundproof.boards.provenance import Provenance

ROWS = 40  # of a table; the CSV has all of them
TOP = 8  # rows of each data set that the README shows
WIDTH = 8  # columns of a table
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#~&$@!])")
_PROTOCOLS = {
    "accuracy": ("clean",),
    "robustness": ("bounded",),
    "cost": ("reach",),
    "transferability": ("transfer",),
    "sound": ("realised", "channels"),
}
# What a page of GitHub has room for; a column without a number is left out anyway.
_COLUMNS = {
    "summary": (
        *("rank", "name", "accuracy", "robust_accuracy"),
        *("fooling_auc", "reach_l2", "epsilon_ratio", "gradients"),
    ),
    "accuracy": ("rank", "name", "accuracy", "f1", "eer", "roc_auc", "drop", "cells"),
    "robustness": (
        *("rank", "name", "accuracy", "robust_accuracy"),
        *("grey_robust_accuracy", "fooling_rate", "fooling_auc", "reach_l2"),
    ),
    "attacks": (
        *("name", "attack", "robust_accuracy", "grey_robust_accuracy"),
        *("fooling_auc", "l2", "gradients", "queries"),
    ),
    "cost": ("name", "attack", "reached", "gradients", "queries", "fooling_rate", "l2", "epsilon_ratio"),
    "sound": (
        *("name", "attack", "survival", "l2"),
        *("snr", "segmental_snr", "loudness_change", "audibility"),
    ),
    "unscored": ("name", "status", "protocol", "attack", "target", "fold", "reason"),
}
_EMPTY = "Nothing was measured for this board."


def documents(boards: Boards, source: Provenance) -> dict[str, str]:
    """The boards and `README`, by name; the board of sound where there is any."""
    shown = tables(boards)
    drawn = {
        "accuracy": _narrow(shown["accuracy"], "accuracy"),
        "robustness": _narrow(shown["robustness"], "robustness"),
        "cost": _narrow(shown["cost"], "cost"),
    }
    sounds = _narrow(shown["sound"], "sound")
    attacks = _narrow(map(_single, shown["robustness"]), "attacks")
    reports = [table for each in shown["accuracy"] for table in _reports(each)]
    bodies = {
        "accuracy": [_sections(drawn["accuracy"]), _titled("What defenses measured of themselves", reports)],
        "robustness": [_sections(drawn["robustness"]), _titled("Attack by attack", attacks)],
        "cost": [_sections(drawn["cost"])],
        "transferability": [_matrix(matrix) for matrix in matrices(boards)],
    }
    if boards.sounded:
        channels = _sections(part for table in shown["channels"] for part in _in_parts(table))
        bodies["sound"] = [_titled("As sound", sounds), f"## Through channels\n\n{channels}" if channels else ""]
    used = {
        "accuracy": [*drawn["accuracy"], *reports],
        "robustness": [*drawn["robustness"], *attacks],
        "cost": drawn["cost"],
        "transferability": shown["transferability"],
        "sound": sounds,
    }
    words = _explained(used)
    pages = {
        name: _board(name, _joined(*body).rstrip(), words[name], boards, source) for name, body in bodies.items()
    }
    return {"README": _readme(boards, shown["robustness"] or shown["accuracy"], source), **pages}


def plain(value: str) -> str:
    """Any text as one line that Markdown shows as it is: no markup, no bar of a table, no mention, no link."""
    return _MARKUP.sub(r"\\\1", " ".join(value.split())).replace("://", ":\u200b//").replace("www.", "www\u200b.")


def _board(name: str, body: str, words: Sequence[Column], boards: Boards, source: Provenance) -> str:
    missing = [cell for cell in boards.unscored if cell.protocol in _PROTOCOLS[name]]
    losses = _narrow([unscored(missing)], "unscored") if missing else []
    return _joined(
        f"# {name.capitalize()} · {plain(source.suite)}",
        _readings(boards, source)[name],
        body or _EMPTY,
        "\n".join(f"- **{plain(each.title)}**: {each.meaning}" for each in words),
        f"## Cells without a score\n\n{_table(losses[0])}" if losses else "",
        f"[Summary, intervals and flags](README.md) · [all numbers as CSV]({name}.csv)",
    )


def _readings(boards: Boards, source: Provenance) -> dict[str, str]:
    return glossary.how_to_read(source.budget, source.target, grey_box=boards.grey_box, attacks=boards.averaged)


def _explained(used: Mapping[str, Sequence[Table]]) -> dict[str, list[Column]]:
    """The columns that each board has to explain: those that no board before it has."""
    known: set[str] = set()
    found: dict[str, list[Column]] = {}
    for board, shown in used.items():
        new = {column.name: column for table in shown for column in table.columns if column.meaning}
        found[board] = [column for name, column in new.items() if name not in known]
        known |= new.keys()
    return found


def _readme(boards: Boards, shown: Sequence[Table], source: Provenance) -> str:
    """One table with the first of every ranking, and where the rest is."""
    ranked = _narrow([replace(table, lines=table.lines[:TOP]) for table in classifiers(boards, shown)], "summary")
    over = glossary.mean_over(boards.averaged)
    there = (name for name in _PROTOCOLS if name != "sound" or boards.sounded)
    links = (f"[{name.capitalize()}]({name}.md) ([CSV]({name}.csv))" for name in there)
    return _joined(
        f"# soundproof · {plain(source.suite)}",
        "How well audio classifiers hold against adversarial attacks. The page to explore is "
        "[index.html](index.html); it works offline.",
        "\n".join(f"- {plain(str(line))}" for line in (*headlines(boards), *_facts(boards, source))),
        " · ".join(links),
        _sections(ranked) or _EMPTY,
        f"Fooling AUC, ε ratio and gradients: {plain(over)}." if over and ranked else "",
        "\n".join(map(plain, told_apart(boards))),
        _losses(boards),
        "## How to read the numbers",
        glossary.INTERVALS,
        _flags(boards),
        "## Where they come from",
        "\n".join(f"- {plain(line)}" for line in _origin(source)),
    )


def _facts(boards: Boards, source: Provenance) -> Iterable[str]:
    target = f"reach means a fooling AUC above {source.target}" if source.target else ""
    limits = "; ".join(filter(None, (source.budget, target, *source.limits)))
    if limits:
        yield f"Budget: {limits}"
    yield "Cells: " + ", ".join(
        f"{boards.cells[status]:,} {status}" for status in Status if boards.cells.get(status)
    )


def _origin(source: Provenance) -> Iterable[str]:
    if source.digest:
        yield f"Suite {source.suite}, digest {source.digest}"
    for data in source.datasets:
        size = f"{counted(data.clips, 'clip')}, " if data.clips is not None else ""
        yield f"{data.name}: {size}checksum {data.checksum or 'not noted'}"
    if source.environment:
        yield ", ".join(f"{name} {value}" for name, value in source.environment)


def _losses(boards: Boards) -> str:
    """Cells without a score, by reason; the boards list each of them."""
    reasons = Counter((cell.status, cell.reason) for cell in boards.unscored)
    if not reasons:
        return ""
    rows = [[status, plain(reason), f"{count:,}"] for (status, reason), count in sorted(reasons.items())]
    return f"## Cells without a score\n\n{_grid(['Status', 'Reason', 'Cells'], rows)}"


def _flags(boards: Boards) -> str:
    lines = []
    for flag in boards.flags:
        known = FLAGS.get(flag)
        meaning = known.meaning + (" Takes the rank away." if known.unranks else "") if known else UNKNOWN
        lines.append(f"- **{plain(known.title if known else flag)}**: {meaning}")
    return "## Flags\n\n" + "\n".join(lines) if lines else ""


def _narrow(shown: Iterable[Table], board: str) -> list[Table]:
    """Tables with the columns that there is room for, in that order, and without those that show nothing."""
    return [_chosen(table, _COLUMNS[board]) for table in shown]


def _chosen(table: Table, names: Sequence[str]) -> Table:
    at = {column.name: i for i, column in enumerate(table.columns)}
    used = [at[name] for name in names if name in at and any(line.figures[at[name]].text for line in table.lines)]
    lines = tuple(replace(line, figures=tuple(line.figures[i] for i in used)) for line in table.lines)
    return replace(table, columns=tuple(table.columns[i] for i in used), lines=lines)


def _reports(table: Table) -> Iterator[Table]:
    """Tables of what defenses measured of themselves, as many as that takes."""
    names = [column.name for column in table.columns if column.name.startswith((REPORT, "training_"))]
    defended = replace(table, lines=tuple(line for line in table.lines if any(_texts(table, line, names))))
    for start in range(0, len(names), WIDTH - 1):
        yield _chosen(defended, ("name", *names[start : start + WIDTH - 1]))


def _in_parts(table: Table) -> Iterator[Table]:
    """A table with a column for each of many things, as many tables as that takes."""
    own, step = 2, WIDTH - 2
    for start in range(own, len(table.columns), step):
        at = [*range(own), *range(start, min(start + step, len(table.columns)))]
        lines = tuple(replace(line, figures=tuple(line.figures[i] for i in at)) for line in table.lines)
        yield replace(table, columns=tuple(table.columns[i] for i in at), lines=lines)


def _texts(table: Table, line: Line, names: Sequence[str]) -> list[str]:
    pairs = zip(table.columns, line.figures, strict=True)
    return [figure.text for column, figure in pairs if column.name in names]


def _single(table: Table) -> Table:
    """The attacks of a table for themselves."""
    return replace(table, lines=tuple(part for line in table.lines for part in line.parts))


def _sections(shown: Iterable[Table]) -> str:
    return "\n\n".join(f"### {plain(table.dataset)}\n\n{_table(table)}" for table in shown if table.lines)


def _titled(title: str, shown: Iterable[Table]) -> str:
    body = _sections(shown)
    return f"## {title}\n\n{body}" if body else ""


def _table(table: Table) -> str:
    header = [plain(column.title) for column in table.columns]
    rows = []
    for line in table.lines:
        pairs = zip(table.columns, line.figures, strict=True)
        rows.append([_figure(figure, line.flags if column.kind == "name" else ()) for column, figure in pairs])
    shown = _grid(header, rows[:ROWS], [column.kind in ("number", "rank") for column in table.columns])
    more = f"… and {len(rows) - ROWS:,} more rows in the CSV" if len(rows) > ROWS else ""
    return "\n\n".join(filter(None, (shown, more, _clips(table))))


def _clips(table: Table) -> str:
    """The clips behind the numbers, said once a column."""
    found = []
    for at, column in enumerate(table.columns):
        counts = [n for line in table.lines if (n := line.figures[at].n) is not None]
        if counts:
            low, high = min(counts), max(counts)
            found.append(f"{plain(column.title)} {low:,}" + (f"–{high:,}" if low < high else ""))
    return f"<sub>Clips (n): {', '.join(found)}</sub>" if found else ""


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool] | None = None) -> str:
    align = ["right" if number else "left" for number in numbers or [False] * len(header)]
    grid: str = tabulate(rows, header, tablefmt="pipe", colalign=align if rows else None, disable_numparse=True)
    return grid


def _figure(figure: Figure, flags: Sequence[str] = ()) -> str:
    text = f"{figure.note} {figure.text}".strip() if figure.text else ""
    badges = (f"**{plain(FLAGS[flag].title if flag in FLAGS else flag)}**" for flag in flags)
    small = " · ".join(filter(None, (plain(figure.detail), *badges)))
    return plain(text) + (f"<br><sub>{small}</sub>" if small else "")


def _matrix(matrix: Matrix) -> str:
    """The first choice of a matrix, the mean over attacks where there are several; as many tables as it takes."""
    attack, words = matrix.attacks[0], MEASURES["transfer_ratio"]
    through = "across representations" if matrix.representation is None else plain(matrix.representation.short)
    title = f"### {plain(matrix.dataset.short)} · {through} · {plain(attack)}"

    def who(name: Name) -> str:
        through = "" if matrix.representation is not None else f"{plain(name.representation.short)} · "
        return f"{plain(name.model.short)}<br><sub>{through}{plain(name.defense.short)}</sub>"

    def place(source: Name, target: Name) -> str:
        return "" if source == target else _figure(ratio(matrix.entries.get((attack, source, target))))

    grids = []
    for start in range(0, len(matrix.targets), WIDTH - 1):
        targets = matrix.targets[start : start + WIDTH - 1]
        rows = [[who(source), *(place(source, target) for target in targets)] for source in matrix.sources]
        header = ["Source ↓ target →", *map(who, targets)]
        grids.append(_grid(header, rows, [False] + [True] * len(targets)))
    return "\n\n".join([title, f"{heading(words.title, words.unit)}:", *grids])


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
