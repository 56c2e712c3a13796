"""`bench compare`: paired differences of two runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.cli.output import say

if TYPE_CHECKING:
    import argparse

    from soundproof.results.compare import Comparison, Difference

_EXAMPLES = """\
examples:
  bench compare leaderboards/quick results/quick           what changed, cell by cell
  bench compare results/before results/after --all         also what did not change beyond chance

A change is the second run minus the first; its interval comes from drawing the same recordings for both. Many
cells are compared at once: of twenty that did not change, one interval leaves out zero by chance.
"""


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench compare`."""
    import argparse

    parser = commands.add_parser(
        "compare",
        parents=[common],
        help="paired differences of two runs, row by row",
        description="Compare two results folders, cell by cell, on the clips that both measured.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("before", metavar="A", help="a folder that `bench run` wrote")
    parser.add_argument("after", metavar="B", help="another one")
    parser.add_argument("--all", action="store_true", help="show differences whose interval holds zero, too")
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    """Compare them."""
    from soundproof.results import files
    from soundproof.results.compare import compare

    found = compare(*(files.read(Path(folder)) for folder in (arguments.before, arguments.after)))
    say("\n".join(_lines(found, every=arguments.all)))
    return 0


def _lines(found: Comparison, *, every: bool) -> list[str]:
    settled = sum(each.settled for each in found.differences)
    lines = [_line(each) for each in found.differences if every or each.settled]
    lines.append(f"{len(found.differences)} numbers in both, {settled} with an interval that leaves out zero")
    for rows, where in ((found.only_before, "A"), (found.only_after, "B")):
        if rows:
            lines.append(f"{len(rows)} cells with a score in {where} alone:")
            lines += [f"  {row.title()}" for row in rows[:5]]
            lines += [f"  … and {len(rows) - 5} more"] if len(rows) > 5 else []
    return lines


def _line(each: Difference) -> str:
    from soundproof.boards.formats import interval, written
    from soundproof.boards.measures import measure

    words = measure(each.name)
    change = written(each.change.value, words.unit)
    sign = "" if change.startswith("-") else "+"
    numbers = f"{written(each.before, words.unit)} → {written(each.after, words.unit)}"
    between = interval(each.change, words.unit)
    return f"{words.title}: {numbers}  {sign}{change}{f' ({between})' if between else ''}  {each.row.title()}"
