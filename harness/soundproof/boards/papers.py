"""The papers' numbers and conclusions beside a run's own: `papers.md`, `papers.html` and `papers.csv`."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tabulate import tabulate

from soundproof.boards.formats import interval, written
from soundproof.boards.markdown import plain
from soundproof.boards.measures import Unit, measure
from soundproof.boards.names import Names
from soundproof.boards.numbers import counted
from soundproof.boards.sheets import safe
from soundproof.boards.templating import environment
from soundproof.papers.beside import Comparison
from soundproof.papers.evidence import Verdict
from soundproof.papers.orderings import orderings
from soundproof.papers.published import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from soundproof.papers.beside import Beside
    from soundproof.papers.evidence import Evidence
    from soundproof.papers.orderings import Ordering
    from soundproof.papers.published import Table
    from soundproof.results.files import Results, Row

HEADER = ("Of", "Measure", "Ours", "95 %", "Theirs", "Difference", "Remarks")
_RULE = (
    "A statement holds, or does not, where the 95 % interval of what speaks for it lies on one side; else it is "
    "undecided. A conclusion holds where all of its statements do, and does not where one does not."
)
_CSV = (
    *("paper", "table", "dataset", "representation", "model", "attack", "target", "measure"),
    *("ours", "ours_low", "ours_high", "ours_n", "theirs", "difference", "rows", "remarks"),
)


@dataclass(frozen=True)
class Line:
    """One number beside a printed one, in words; the fields stand in the order of `HEADER`."""

    of: str
    measure: str
    ours: str
    interval: str
    theirs: str
    difference: str
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """One table of a paper, as far as the run has numbers to put beside it."""

    table: Table
    lines: tuple[Line, ...]

    @property
    def title(self) -> str:
        """Paper, table and what it shows."""
        return f"{self.table.paper} {self.table.name}: {self.table.title}"


@dataclass(frozen=True)
class Statement:
    """One statement of a conclusion, on one data set, in words."""

    dataset: str
    evidence: Evidence
    basis: str


def pages(sound: Results) -> dict[str, str]:
    """The pages by file name; none where nothing of the papers was measured.

    Args:
        sound: Results whose rows fit their samples.
    """
    comparison, names = Comparison(sound), Names(sound)
    beside = [(table, list(comparison.beside(table))) for table in tables()]
    conclusions = [each for each in orderings(sound) if each.evidence]
    measured = [each for each in conclusions if each.measured]
    if not measured and not any(found for _, found in beside):
        return {}
    sheets = [Sheet(table, tuple(_line(each) for each in found)) for table, found in beside if found]
    missing = [table for table, found in beside if not found]
    stated = [Conclusion(each, tuple(_statements(each, names))) for each in measured]
    silent = [each for each in conclusions if not each.measured]
    suite = str((sound.run.get("suite") or {}).get("name") or "")
    template = environment().get_template("papers.html.j2")
    return {
        "papers.md": _markdown(suite, stated, silent, sheets, missing),
        "papers.html": template.render(
            suite=suite,
            stated=stated,
            silent=silent,
            several=len({each.dataset for conclusion in stated for each in conclusion.statements}) > 1,
            sheets=sheets,
            missing=missing,
            header=HEADER,
            sources=_sources(),
            rule=_RULE,
        ),
        "papers.csv": _csv(beside),
    }


def _line(beside: Beside) -> Line:
    printed, shown = beside.printed, measure(beside.printed.measure)
    ratio = shown.unit is Unit.COUNT
    share = printed.text if shown.unit is not Unit.SHARE else f"{100 * printed.value:.4g}"
    difference = beside.difference
    if ratio:
        apart = f"× {beside.ours.value / printed.value:.2f}"
    else:
        apart = f"{'+' if difference >= 0 else '−'}{written(abs(difference), shown.unit)}"
    return Line(
        of=" · ".join(_places(beside)),
        measure=shown.title,
        ours=written(beside.ours.value, shown.unit),
        interval=interval(beside.ours, shown.unit),
        theirs=written(printed.value, shown.unit) if shown.unit is Unit.AREA else share,
        difference=apart,
        remarks=tuple(_remarks(beside)),
    )


def _places(beside: Beside) -> Iterator[str]:
    where = beside.printed.where
    for kind, word in where.items():
        if kind == "target":
            yield f"to {word}"
        elif kind in ("sr", "n_fft"):
            yield f"{int(word) / 1000:g} kHz" if kind == "sr" else f"{word} points"
        else:
            yield word


def _remarks(beside: Beside) -> Iterator[str]:
    if beside.attacks is not None and beside.attacks[0] < beside.attacks[1]:
        yield f"mean over {beside.attacks[0]} of {beside.attacks[1]} attacks"
    for kind, differing in beside.differs.items():
        given = ", ".join(f"{name} {'default' if value is None else value}" for name, value in differing.items())
        yield f"our {kind}: {given}"
    yield from (f"doubtful in print: {doubt}" for doubt in beside.printed.doubts)


@dataclass(frozen=True)
class Conclusion:
    """A conclusion of a paper on which something was measured, with all of its statements."""

    ordering: Ordering
    statements: tuple[Statement, ...]

    @property
    def measured(self) -> list[Statement]:
        """Statements on which something was measured, the decided ones first."""
        shown = [each for each in self.statements if each.evidence.rows]
        return sorted(shown, key=lambda each: each.evidence.verdict is Verdict.UNDECIDED)

    @property
    def silent(self) -> list[str]:
        """The others, in words."""
        return list(dict.fromkeys(each.evidence.statement for each in self.statements if not each.evidence.rows))

    @property
    def tally(self) -> str:
        """How its statements fare: `2 hold, 1 does not, 3 undecided, 2 not measured`."""
        counts = {verdict: sum(each.evidence.verdict is verdict for each in self.measured) for verdict in Verdict}
        holds, fails, undecided = (
            counts[verdict] for verdict in (Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED)
        )
        silent = len(self.statements) - len(self.measured)
        parts = (
            f"{holds} {'holds' if holds == 1 else 'hold'}" if holds else "",
            f"{fails} {'does not' if fails == 1 else 'do not'}" if fails else "",
            f"{undecided} undecided" if undecided else "",
            f"{silent} not measured" if silent else "",
        )
        return ", ".join(filter(None, parts))


def _statements(ordering: Ordering, names: Names) -> Iterator[Statement]:
    for dataset, statements in ordering.evidence:
        for evidence in statements:
            yield Statement(names.of("dataset", dataset).short, evidence, _basis(evidence.rows, names))


def _basis(rows: Sequence[Row], names: Names) -> str:
    """Which rows a statement rests on: how many, and of what."""
    if not rows:
        return ""
    parts = [
        ", ".join(dict.fromkeys(names.of(kind, getattr(row, kind)).short for row in rows))
        for kind in ("representation", "model", "defense", "attack")
        if all(getattr(row, kind) is not None for row in rows)
    ]
    return f"{counted(len(rows), 'row')}: {rows[0].protocol}; {'; '.join(parts)}"


def _markdown(
    suite: str,
    stated: Sequence[Conclusion],
    silent: Sequence[Ordering],
    sheets: Sequence[Sheet],
    missing: Sequence[Table],
) -> str:
    parts = [f"# The papers beside · {plain(suite)}"]
    if stated:
        rows = [
            [each.ordering.paper, each.ordering.claim, str(each.ordering.verdict), each.tally] for each in stated
        ]
        parts += [
            "## What they conclude",
            _RULE,
            _grid(["Paper", "Conclusion", "Verdict", "Its statements"], rows),
        ]
    for conclusion in stated:
        ordering = conclusion.ordering
        parts.append(f"### {ordering.paper}: **{ordering.verdict}**\n\n> {plain(ordering.claim)}")
        rows = [
            [each.dataset, each.evidence.statement, str(each.evidence.verdict), each.evidence.found, each.basis]
            for each in conclusion.measured
        ]
        parts.append(_grid(["Data set", "Statement", "Verdict", "Found", "Rests on"], rows))
        if conclusion.silent:
            parts.append(f"Not measured here: {plain('; '.join(conclusion.silent))}.")
    if silent:
        said = "\n".join(f"- {each.paper}: {plain(each.claim)}" for each in silent)
        parts.append(f"## Conclusions on which nothing was measured here\n\n{said}")
    if sheets:
        parts.append("## Their numbers and ours")
    for sheet in sheets:
        rows = [
            [
                line.of,
                line.measure,
                line.ours,
                line.interval,
                line.theirs,
                line.difference,
                "; ".join(line.remarks),
            ]
            for line in sheet.lines
        ]
        seen = f"{len(sheet.lines)} of its {counted(len(sheet.table.cells), 'number')}."
        parts.append(f"### {plain(sheet.title)}\n\n{seen}\n\n{_grid(HEADER, rows)}")
    if missing:
        parts.append(
            "Nothing here to put beside: " + ", ".join(f"{each.paper} {each.name}" for each in missing) + "."
        )
    parts += ["## The papers", "\n".join(f"- {plain(line)}" for line in _sources())]
    return "\n\n".join(parts) + "\n"


def _sources() -> list[str]:
    return [
        f"{paper}: {source}" for paper, source in dict.fromkeys((each.paper, each.source) for each in tables())
    ]


def _grid(header: Iterable[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [[plain(cell) for cell in row] for row in rows]
    grid: str = tabulate(cells, list(header), tablefmt="pipe", disable_numparse=True)
    return grid


def _csv(beside: Sequence[tuple[Table, Sequence[Beside]]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, _CSV, restval="", lineterminator="\n")
    writer.writeheader()
    for table, found in beside:
        for each in found:
            where = {name: word for name, word in each.printed.where.items() if name in _CSV}
            writer.writerow(
                {
                    **{name: safe(word) for name, word in where.items()},
                    "paper": table.paper,
                    "table": table.name,
                    "measure": each.printed.measure,
                    **{f"ours{end}": value for end, value in _ends(each)},
                    "theirs": f"{each.printed.value:.6g}",
                    "difference": f"{each.difference:.6g}",
                    "rows": " ".join(row.key for row in each.rows),
                    "remarks": safe("; ".join(_remarks(each))),
                }
            )
    return stream.getvalue()


def _ends(beside: Beside) -> list[tuple[str, str]]:
    ours = beside.ours
    return [
        ("", f"{ours.value:.6g}"),
        ("_low", f"{ours.low:.6g}"),
        ("_high", f"{ours.high:.6g}"),
        ("_n", str(ours.n)),
    ]
