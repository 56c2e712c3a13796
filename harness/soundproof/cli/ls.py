"""`bench ls`: the installed components."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from soundproof.cli.output import say
from soundproof.errors import SoundproofError
from soundproof.types import Kind

if TYPE_CHECKING:
    import argparse

_EXAMPLES = """\
examples:
  bench ls                 everything
  bench ls attacks         one kind
  bench ls models --json   for programs
"""


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench ls`."""
    import argparse

    parser = commands.add_parser(
        "ls",
        parents=[common],
        help="the installed components",
        description="List components of all installed plugins, and those that do not load.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "kind", nargs="?", metavar="KIND", help=f"one of {', '.join(Kind)} (or its plural), suites"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    """Print the list."""
    from soundproof.contract.discovery import discover

    if arguments.kind in {"suite", "suites"}:
        return _suites(as_json=arguments.json)
    listing = discover().listing(_kind(arguments.kind))
    if arguments.json:
        say(json.dumps(listing, indent=1))
        return 0
    for kind in [*Kind, None]:
        rows = [row for row in listing if row["kind"] == kind and not row["error"]]
        if rows:
            say(f"{kind}s")
            say("\n".join(_line(row) for row in rows))
    for row in listing:
        if row["error"]:
            say(f"refused: {row['distribution']}:{row['id']}: {row['error']}", sys.stderr)
    return 0


def _line(row: dict[str, Any]) -> str:
    origin = "" if row["distribution"] == "soundproof" else f" [{row['distribution']} {row['version']}]"
    parameters = f" ({', '.join(row['parameters'])})" if row["parameters"] else ""
    return f"  {row['id']:22} {row['summary']}{parameters}{origin}"


def _suites(*, as_json: bool) -> int:
    from soundproof.planning.suite import suite_names

    names = suite_names()
    say(json.dumps(names) if as_json else "\n".join(names))
    return 0


def _kind(word: str | None) -> Kind | None:
    if word is None:
        return None
    try:
        return Kind(word.removesuffix("s"))
    except ValueError:
        kinds = ", ".join(f"{kind}s" for kind in Kind)
        raise SoundproofError(f"unknown kind {word!r}: it must be one of {kinds} or suites") from None
