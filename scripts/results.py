"""What the records say, in docs/results.md and in a paragraph of the README: each figure is read from their files.

python scripts/results.py    writes both from leaderboards/
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import jinja2
from tabulate import tabulate

import soundproof
from soundproof.boards.collect import collect
from soundproof.boards.entries import Cost
from soundproof.boards.formats import interval, written
from soundproof.boards.headlines import headlines, told_apart
from soundproof.boards.markdown import plain
from soundproof.boards.measures import MEASURES
from soundproof.boards.provenance import provenance
from soundproof.results.files import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from soundproof.boards.entries import Entry, Robustness

ROOT = Path(__file__).resolve().parent.parent
RECORDS = ROOT / "leaderboards"
PAGE, README = ROOT / "docs" / "results.md", ROOT / "README.md"
TEMPLATES = Path(__file__).parent / "templates"
# What stands around the paragraph of the README.
_MARKS = ("<!-- from the records -->\n", "<!-- end -->\n")


class Record:
    """One results folder, as the page asks about it.

    Attributes:
        name: Of the folder.
        source: Its provenance, in words.
    """

    def __init__(self, folder: Path) -> None:
        results = read(folder)
        self.name = folder.name
        self.source = provenance(results.run)
        self._boards = collect(results)
        self._verdicts = soundproof.verdicts(folder)

    @property
    def tested(self) -> int:
        """Clips that classifiers were tested on."""
        return max(each.metrics["accuracy"].n for each in self._boards.accuracy)

    @property
    def undefended(self) -> list[Robustness]:
        """Classifiers without a defense."""
        return [each for each in self._boards.robustness if each.name.undefended]

    def most(self, entries: Iterable[Entry], measure: str) -> str:
        """The largest value of a measure."""
        return _range(entries, measure).rpartition("–")[2]

    @property
    def best(self) -> dict[str, str]:
        """The first of the ranking by the worst case."""
        first = next(each for each in self._boards.robustness if each.rank is not None)
        ratio = next(each for each in self._boards.means if each.name == first.name)
        return {
            "who": plain(first.name.words),
            "robust": _figure(first, "robust_accuracy", " %"),
            "accuracy": _figure(first, "accuracy", " %"),
            "ratio": _figure(ratio, "epsilon_ratio"),
        }

    @property
    def headlines(self) -> list[str]:
        """Who is first in what, and how sure that is."""
        return [plain(line) for line in (*map(str, headlines(self._boards)), *told_apart(self._boards))]

    def robustness(self, measure: str) -> str:
        """A measure of every classifier: a row a representation and defense, a column a model."""
        return _by_model(self._boards.robustness, measure)

    def cost(self, measure: str) -> str:
        """A mean over attacks at reach, likewise."""
        return _by_model(self._boards.means, measure)

    def attacks(self) -> str:
        """A row an attack: ranges over the undefended classifiers."""
        attacked = [each for entry in self._boards.robustness for each in entry.attacks if each.name.undefended]
        searches = [each for each in self._boards.cost if each.name.undefended and each.attack is not None]
        rows = []
        for attack in dict.fromkeys(each.attack for each in attacked if not each.control):
            spent = [each for each in searches if each.attack == attack]
            reached = [each for each in spent if each.reached]
            rows.append(
                [
                    plain(str(attack)),
                    _range([each for each in attacked if each.attack == attack], "fooling_auc"),
                    f"{len(reached)} of {len(spent)}",
                    _range(reached, "gradients"),
                    _range(reached, "queries"),
                    _range(reached, "l2"),
                ]
            )
        return _grid(["Attack", "Fooling AUC", "Reached", "Gradients", "Queries", "‖ε‖₂"], rows)

    def transfers(self) -> str:
        """A row a representation: the share of examples that fool another classifier, over pairs."""
        means: dict[str, list[float]] = {}
        for each in self._boards.transfers:
            if each.attack is None and "transfer_ratio" in each.metrics:
                means.setdefault(plain(str(each.name.representation)), []).append(
                    each.metrics["transfer_ratio"].value
                )
        rows = [
            [name, str(len(found)), *(f"{100 * of(found):.1f}" for of in (min, median, max))]
            for name, found in means.items()
        ]
        return _grid(["Representation", "Pairs", "Lowest %", "Median %", "Highest %"], rows)

    def verdicts(self) -> str:
        """A row a statement of the papers on which something was measured."""
        measured = self._verdicts[self._verdicts["rows"].map(bool)]
        rows = [
            [each.paper, plain(each.statement), each.verdict, plain(each.found)] for each in measured.itertuples()
        ]
        return _grid(["Paper", "Statement", "Verdict", "Found"], rows)

    @property
    def untouched(self) -> int:
        """Statements of the papers on which nothing was measured."""
        return int((~self._verdicts["rows"].map(bool)).sum())


def _by_model(entries: Iterable[Entry], measure: str) -> str:
    shown = [each for each in entries if measure in each.metrics]
    models = sorted({plain(str(each.name.model)) for each in shown})
    cells = {(_place(each), plain(str(each.name.model))): _figure(each, measure) for each in shown}
    rows = [
        [*place, *(cells.get((place, model), "") for model in models)]
        for place in sorted({place for place, _ in cells})
    ]
    return _grid(["Representation", "Defense", *models], rows) if rows else ""


def _place(entry: Entry) -> tuple[str, str]:
    return plain(str(entry.name.representation)), plain(str(entry.name.defense))


def _figure(entry: Entry, measure: str, sign: str = "") -> str:
    metric, unit = entry.metrics[measure], MEASURES[measure.removeprefix("mean_")].unit
    notes = [interval(metric, unit)]
    if isinstance(entry, Cost) and entry.over is not None and entry.over[0] < entry.over[1]:
        notes.append(f"{entry.over[0]} of {entry.over[1]} attacks reached")
    said = ", ".join(filter(None, notes))
    return f"{written(metric.value, unit)}{sign}{f' ({said})' if said else ''}"


def _range(entries: Iterable[Entry], measure: str) -> str:
    values = [each.metrics[measure].value for each in entries if measure in each.metrics]
    ends: Iterable[Callable[[list[float]], float]] = (min, max)
    return "–".join(written(end(values), MEASURES[measure].unit) for end in ends) if values else ""


def _grid(header: list[str], rows: list[list[str]]) -> str:
    return str(tabulate(rows, header, tablefmt="pipe", disable_numparse=True))


def pages() -> dict[Path, str]:
    """The texts of docs/results.md and of the README, whose paragraph is written anew."""
    environment = jinja2.Environment(  # noqa: S701 - Markdown of this project's own results
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    folders = sorted(each for each in RECORDS.iterdir() if (each / "results.jsonl").exists())
    records = {folder.name: Record(folder) for folder in folders}
    before, _, rest = README.read_text("utf-8").partition(_MARKS[0])
    after = rest.partition(_MARKS[1])[2]
    paragraph = environment.get_template("readme.md.j2").render(records=records)
    return {
        PAGE: environment.get_template("results.md.j2").render(records=records),
        README: "".join([before, _MARKS[0], paragraph, _MARKS[1], after]),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, "utf-8")
