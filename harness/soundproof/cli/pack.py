"""`bench pack`: the adversarial examples of a row as a file that others can score again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.cli import options
from soundproof.cli.output import say

if TYPE_CHECKING:
    import argparse

_EXAMPLES = """\
example: bench pack results/mine 9f3c -o mine.bundle

ROW is the beginning of the row's key in results.jsonl; without it the rows that can be packed are listed.
"""


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench pack`."""
    import argparse

    parser = commands.add_parser(
        "pack",
        parents=[common],
        help="bundle the examples of a row for `bench verify`",
        description="Write a row's adversarial examples to a file that others can score (docs/submissions.md).",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", metavar="OUT", help="a folder that `bench run` wrote")
    parser.add_argument("row", metavar="ROW", nargs="?", default="", help="the beginning of a row's key")
    parser.add_argument("-o", "--output", metavar="BUNDLE", help="the file (default: <key>.bundle)")
    parser.add_argument("--weights", action="store_true", help="put the network's weights into it, too")
    options.add_places(parser)
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    """Write it."""
    from soundproof.results import files
    from soundproof.submissions.packing import pack, row_named

    out = Path(arguments.out)
    row = row_named(files.read(out), arguments.row)
    path = Path(arguments.output or f"{row.key[:12]}.bundle")
    pack(out, row.key, path, options.runner(arguments), with_weights=arguments.weights)
    say(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {row.title()}")
    return 0
