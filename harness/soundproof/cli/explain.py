"""`bench explain`: why a row would come from the cache or be computed again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.cli import options
from soundproof.cli.output import say
from soundproof.errors import SoundproofError

if TYPE_CHECKING:
    import argparse

    from soundproof.engine.explanation import Explanation

_SHOWN = 60


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench explain`."""
    parser = commands.add_parser(
        "explain",
        parents=[common],
        help="whether a row is cached, and what has changed since",
        description="Say whether running a results folder's suite again would take a row from the cache (hit), "
        "compute it for the first time (miss), or compute it again because a part of its key has changed (stale): "
        "which part, and what it was and is.",
        epilog="example: bench explain leaderboards/quick 9f31",
    )
    parser.add_argument("out", metavar="OUT", help="a folder that `bench run` wrote")
    parser.add_argument("row", metavar="ROW", help="the beginning of a row's key, as in results.jsonl")
    options.add_places(parser)
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    """Print the explanation."""
    from soundproof.engine.explanation import explain, planned
    from soundproof.results import files

    if len(arguments.row) < 4:
        raise SoundproofError(f"{arguments.row}: give at least four digits of a row's key")
    runner = options.runner(arguments)
    row, plan, cell = planned(files.read(Path(arguments.out)), arguments.row, runner.registry, runner.root)
    found = explain(runner.workshop(plan), cell)
    say(f"{row.title()}: {found.verdict}")
    for line in _lines(found):
        say(f"  {line}")
    return 0


def _lines(found: Explanation) -> list[str]:
    if found.entry is None:
        return ["the cache has no entry of this cell: it was never computed with it, it broke, or it made room"]
    lines = [f"entry: {found.entry.folder}"]
    if found.changes:
        lines.append("changed since it was made:")
        lines += [f"  {change.part}: {_short(change.old)} → {_short(change.new)}" for change in found.changes]
    return lines


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
