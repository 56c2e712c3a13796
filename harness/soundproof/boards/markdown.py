"""The boards as Markdown, as GitHub shows it; the README sums them up."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tabulate import tabulate

from soundproof.boards import glossary
from soundproof.boards.figures import heading
from soundproof.boards.headlines import headlines
from soundproof.boards.layout import ratio, tables, unscored
from soundproof.boards.matrices import matrices
from soundproof.boards.measures import MEASURES, columns, measure
from soundproof.boards.numbers import counted
from soundproof.results.flags import FLAGS, UNKNOWN
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from soundproof.boards.entries import Boards, Variant
    from soundproof.boards.grid import Cell, Line, Table
    from soundproof.boards.matrices import Matrix
    from soundproof.boards.provenance import Provenance

TOP = 5  # rows of each data set that the README shows
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#~&$@!])")
_PROTOCOL = {
    "accuracy": "clean",
    "robustness": "bounded",
    "cost": "reach",
    "transferability": "transfer",
}
_EMPTY = "Nothing was measured for this board."


def documents(boards: Boards, source: Provenance) -> dict[str, str]:
    """The four boards and `README`, by name."""
    shown = tables(boards)
    bodies = {
        "accuracy": _sections(shown["accuracy"]),
        "robustness": "\n\n".join(filter(None, (_sections(shown["robustness"]), _attacks(shown["robustness"])))),
        "cost": _sections(shown["cost"]),
        "transferability": "\n\n".join(map(_matrix, matrices(boards))),
    }
    pages = {name: _board(name, body, boards, source) for name, body in bodies.items()}
    return {"README": _readme(boards, shown, source), **pages}


def plain(value: str) -> str:
    """Any text as one line that Markdown shows as it is: no markup, no bar of a table, no mention, no link."""
    return _MARKUP.sub(r"\\\1", " ".join(value.split())).replace("://", ":\u200b//").replace("www.", "www\u200b.")


def _board(name: str, body: str, boards: Boards, source: Provenance) -> str:
    missing = [cell for cell in boards.unscored if cell.protocol == _PROTOCOL[name]]
    measures = map(measure, columns(name, boards.measured(name)))
    meanings = (f"- **{plain(each.title)}**: {each.meaning} {each.worst_case}".rstrip() for each in measures)
    return _joined(
        f"# {name.capitalize()} · {plain(source.suite)}",
        glossary.how_to_read(source.budget, source.target, grey_box=boards.grey_box)[name],
        body or _EMPTY,
        "## Columns",
        "\n".join(meanings),
        glossary.INTERVALS,
        _flags(boards),
        f"## Cells without a score\n\n{_table(unscored(missing))}" if missing else "",
        f"[Summary](README.md) · [the same numbers as CSV]({name}.csv)",
    )


def _readme(boards: Boards, shown: Mapping[str, Sequence[Table]], source: Provenance) -> str:
    readings = glossary.how_to_read(source.budget, source.target, grey_box=boards.grey_box)
    bodies = {
        "accuracy": _sections(_top(shown["accuracy"])),
        "robustness": _sections(_top(shown["robustness"])),
        "cost": _sections(_hardest(shown["cost"])),
        "transferability": _sections(_top(shown["transferability"])),
    }
    parts = []
    for name, body in bodies.items():
        links = f"[The whole board]({name}.md) · [CSV]({name}.csv)" if body else ""
        parts += [f"## {name.capitalize()}", readings[name], body or _EMPTY, links]
    return _joined(
        f"# soundproof · {plain(source.suite)}",
        "How well audio classifiers hold against adversarial attacks. The page to explore is "
        "[index.html](index.html); it works offline.",
        "\n".join(f"- {plain(str(line))}" for line in (*headlines(boards), *_facts(boards, source))),
        *parts,
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
    yield "Cells: " + ", ".join(f"{boards.cells.get(status, 0):,} {status}" for status in Status)


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
    seen = {flag for entry in boards.entries() for flag in entry.flags}
    lines = []
    for flag in sorted(seen):
        known = FLAGS.get(flag)
        meaning = known.meaning + (" Takes the rank away." if known.unranks else "") if known else UNKNOWN
        lines.append(f"- **{plain(known.title if known else flag)}**: {meaning}")
    return "## Flags\n\n" + "\n".join(lines) if lines else ""


def _top(shown: Sequence[Table]) -> list[Table]:
    return [replace(table, lines=table.lines[:TOP]) for table in shown]


def _hardest(shown: Sequence[Table]) -> list[Table]:
    """Of each attack the first line, which is the classifier that costs it most."""
    first = [{line.facets["attack"]: line for line in reversed(table.lines)} for table in shown]
    return [
        replace(table, lines=tuple(by_attack[name] for name in sorted(by_attack)))
        for table, by_attack in zip(shown, first, strict=True)
    ]


def _sections(shown: Iterable[Table]) -> str:
    return "\n\n".join(f"### {plain(table.dataset)}\n\n{_table(table)}" for table in shown)


def _attacks(shown: Iterable[Table]) -> str:
    single = [replace(table, lines=tuple(part for line in table.lines for part in line.parts)) for table in shown]
    return f"## Attack by attack\n\n{_sections(single)}" if single else ""


def _table(table: Table) -> str:
    """A table without the columns in which it shows nothing."""
    used = [i for i in range(len(table.columns)) if any(line.cells[i].text for line in table.lines)]
    flagged = any(line.flags for line in table.lines)
    header = [plain(table.columns[i].title) for i in used] + ["Flags"] * flagged
    rows = [[_cell(line.cells[i]) for i in used] + [_badges(line)] * flagged for line in table.lines]
    numbers = [table.columns[i].kind in ("number", "rank") for i in used] + [False] * flagged
    return _grid(header, rows, numbers)


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool] | None = None) -> str:
    align = ["right" if number else "left" for number in numbers or [False] * len(header)]
    grid: str = tabulate(rows, header, tablefmt="pipe", colalign=align if rows else None, disable_numparse=True)
    return grid


def _cell(cell: Cell) -> str:
    text = f"{cell.note} {cell.text}".strip() if cell.text else ""
    small = " · ".join(filter(None, (cell.detail, f"n {cell.n:,}" if cell.n is not None else "")))
    return plain(text) + (f"<br><sub>{plain(small)}</sub>" if small else "")


def _badges(line: Line) -> str:
    return ", ".join(plain(FLAGS[flag].title if flag in FLAGS else flag) for flag in line.flags)


def _matrix(matrix: Matrix) -> str:
    """The first choice of a matrix: the mean over attacks where there are several."""
    attack, words = matrix.attacks[0], MEASURES["transfer_ratio"]
    title = f"### {plain(matrix.dataset)} · {plain(matrix.representation)} · {plain(attack)}"

    def place(source: Variant, target: Variant) -> str:
        return "" if source == target else _cell(ratio(matrix.entries.get((attack, source, target))))

    rows = [[_variant(source), *(place(source, target) for target in matrix.targets)] for source in matrix.sources]
    header = ["Source ↓ target →", *map(_variant, matrix.targets)]
    caption = f"{heading(words.title, words.unit)}:"
    return f"{title}\n\n{caption}\n\n{_grid(header, rows, [False] + [True] * len(matrix.targets))}"


def _variant(variant: Variant) -> str:
    return f"{plain(variant.model)}<br><sub>{plain(variant.defense)}</sub>"


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
