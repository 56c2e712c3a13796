"""`bench render`: draw the pages of finished results again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.cli.output import say

if TYPE_CHECKING:
    import argparse


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench render`."""
    parser = commands.add_parser(
        "render",
        parents=[common],
        help="draw the pages of finished results again",
        description="Draw the boards of a results folder again, from its files alone.",
        epilog="example: bench render leaderboards/quick",
    )
    parser.add_argument("out", metavar="OUT", help="a folder that `bench run` wrote")
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    """Draw them."""
    from soundproof import boards

    out = Path(arguments.out)
    for name in boards.render(out).pages:
        say(str(out / name))
    return 0
