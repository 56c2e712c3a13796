"""`bench ls`: the installed components, or one of them in full."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from soundproof.cli.output import say
from soundproof.errors import SoundproofError, hint
from soundproof.types import Kind

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from soundproof.contract.registry import Registry

_EXAMPLES = """\
examples:
  bench ls                 everything
  bench ls attacks         one kind
  bench ls models --json   for programs
  bench ls pgd             one component: what it does, its parameters and presets
  bench ls attack noise    the same, where several kinds have one of that name
  bench ls suites          the suites that ship with the project
  bench ls suite quick     one of them, as a file
"""
_SUITES = {"suite", "suites"}


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench ls`."""
    import argparse

    parser = commands.add_parser(
        "ls",
        parents=[common],
        help="the installed components, or one of them in full",
        description="List components of all installed plugins and those that do not load, or describe one.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "kind", nargs="?", metavar="KIND", help=f"one of {', '.join(Kind)} (or its plural), suites; or an ID"
    )
    parser.add_argument("id", nargs="?", metavar="ID", help="one component of that kind, or a suite")
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    """Print the list, or one component."""
    from soundproof.contract.discovery import discover

    if arguments.kind in _SUITES:
        return _suite(arguments.id) if arguments.id else _suites(as_json=arguments.json)
    registry = discover()
    kind, name = _asked(arguments.kind, arguments.id, registry)
    listing = [row for row in registry.listing(kind) if name in {None, row["id"]}]
    if arguments.json:
        say(json.dumps(listing, indent=1))
    elif kind is not None and name is not None:
        from soundproof.cli.component import describe

        say(describe(registry.find(kind, name)))
    else:
        _print(listing)
    return 0


def _asked(first: str | None, second: str | None, registry: Registry) -> tuple[Kind | None, str | None]:
    """The kind and the id that two words ask for.

    Raises:
        SoundproofError: There is no such kind or component, or several kinds have one of that name.
    """
    if first is None:
        return None, None
    kinds = {word: kind for kind in Kind for word in (str(kind), f"{kind}s")}
    if first in kinds:
        kind = kinds[first]
        if second is not None:
            registry.find(kind, second)
        return kind, second
    if second is not None:
        raise SoundproofError(f"unknown kind {first!r}: {hint(first, [*kinds, 'suites'])}")
    holders = [kind for kind, name in registry.components if name == first]
    holders += [refused.kind for refused in registry.refused if refused.id == first and refused.kind]
    if len(holders) > 1:
        ways = " or ".join(f"`bench ls {kind} {first}`" for kind in holders)
        raise SoundproofError(f"{first!r} is of {len(holders)} kinds: write {ways}")
    if not holders:
        known = [*(f"{kind}s" for kind in Kind), "suites", *(name for _, name in registry.components)]
        raise SoundproofError(f"unknown kind or component {first!r}: {hint(first, known)}")
    registry.find(holders[0], first)
    return holders[0], first


def _print(listing: Sequence[dict[str, Any]]) -> None:
    for kind in [*Kind, None]:
        rows = [row for row in listing if row["kind"] == kind and not row["error"]]
        if rows:
            say(f"{kind}s")
            say("\n".join(_line(row) for row in rows))
    for row in listing:
        if row["error"]:
            say(f"refused: {row['distribution']}:{row['id']}: {row['error']}", sys.stderr)


def _line(row: dict[str, Any]) -> str:
    origin = "" if row["distribution"] == "soundproof" else f" [{row['distribution']} {row['version']}]"
    parameters = f" ({', '.join(row['parameters'])})" if row["parameters"] else ""
    return f"  {row['id']:22} {row['summary']}{parameters}{origin}"


def _suites(*, as_json: bool) -> int:
    from soundproof.planning.documents import suite_names, suite_summary

    suites = [{"kind": "suite", "id": name, "summary": suite_summary(name)} for name in suite_names()]
    if as_json:
        say(json.dumps(suites, indent=1))
        return 0
    say("suites")
    say("\n".join(f"  {suite['id']:22} {suite['summary']}" for suite in suites))
    return 0


def _suite(name: str) -> int:
    from soundproof.planning.documents import suite_text

    say(suite_text(name).rstrip())
    return 0
