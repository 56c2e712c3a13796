"""`bench site`: the index of all boards in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.cli.output import say

if TYPE_CHECKING:
    import argparse


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench site`."""
    parser = commands.add_parser(
        "site",
        parents=[common],
        help="draw the index of all boards in a folder, for static hosting",
        description="Draw index.html of all results folders in a folder, and of what they keep in earlier/.",
        epilog="example: bench site leaderboards",
    )
    parser.add_argument("root", metavar="DIR", nargs="?", default="leaderboards", help="default: leaderboards")
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    """Draw it."""
    from soundproof.boards.site import site

    say(str(site(Path(arguments.root))))
    return 0
