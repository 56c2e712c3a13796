"""`bench check`: whether components keep the promises of their kind, and what to mend where they do not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from soundproof.cli.output import say
from soundproof.errors import PluginError, hint

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from soundproof.conformance.promises import Check
    from soundproof.contract.registry import Registry

FAILED = 1
_EXAMPLES = """\
examples:
  bench check                           every installed component; some minutes
  bench check tremolo --kind attack     one of yours
  bench check esc10 --data ~/audio      a data set, on what of it is there
"""


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench check`."""
    import argparse

    from soundproof.types import Kind

    parser = commands.add_parser(
        "check",
        parents=[common],
        help="whether components keep their promises, and what to mend",
        description="Try every promise of a component's kind: shapes, ranges, randomness, budgets, costs …",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help="components (default: all that are installed)")
    parser.add_argument("--kind", choices=[str(kind) for kind in Kind], help="only of this kind")
    parser.add_argument("--data", metavar="DIR", help="folder of the public data sets (default: $SOUNDPROOF_DATA)")
    parser.add_argument("--verbose", action="store_true", help="name the promises that are kept, too")
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    """Try them; 1 if any promise is broken."""
    from soundproof.contract.discovery import discover
    from soundproof.engine.environment import data_folder
    from soundproof.types import Kind

    registry = discover()
    wanted = [
        (kind, name)
        for kind in Kind
        for name in registry.ids(kind)
        if arguments.kind in {None, kind} and (not arguments.ids or name in arguments.ids)
    ]
    broken = _refused(registry, arguments.ids, arguments.kind)
    unknown = set(arguments.ids) - {name for _, name in wanted} - {each.id for each in registry.refused}
    if unknown:
        known = [name for kind in Kind if arguments.kind in {None, kind} for name in registry.ids(kind)]
        raise PluginError([f"unknown component {name!r}: {hint(name, known)}" for name in sorted(unknown)])
    for kind, name in wanted:
        broken += not _keeps(registry, kind, name, data_folder(arguments.data), verbose=arguments.verbose)
    say(f"{len(wanted)} checked, {broken} to mend")
    return FAILED if broken else 0


def _refused(registry: Registry, ids: Sequence[str], kind: str | None) -> int:
    """Tell of plugins that cannot be used, and how many."""
    found = [
        each for each in registry.refused if (not ids or each.id in ids) and (kind is None or each.kind == kind)
    ]
    for each in found:
        say(f"{each.kind or 'plugin'} {each.id}: REFUSED: {each.error}")
    return len(found)


def _keeps(registry: Registry, kind: str, name: str, root: Path, *, verbose: bool) -> bool:
    """Tell whether a component keeps its promises."""
    from soundproof.conformance import ConformanceError, InapplicableError, checks_of
    from soundproof.types import Kind, Ref

    cls = registry.find(Kind(kind), name).component
    try:
        checks: list[Check] = checks_of(
            registry.build(Ref(cls.kind, name, cls.trial)), registry=registry, root=root
        )
    except PluginError as error:
        say(f"{kind} {name}: not tried: {'; '.join(error.problems)}")
        return True
    kept, inapplicable, lines = 0, 0, []
    for check in checks:
        title = check.name.replace("_", " ")
        try:
            check()
        except InapplicableError as error:
            inapplicable += 1
            lines += [f"  not tried: {title}: {error}"] if verbose else []
        except ConformanceError as error:
            lines += [f"  BROKEN: {title}", f"    promise: {check.promise}"]
            lines += [f"    found: {error.found}", f"    mend: {error.remedy}"]
        else:
            kept += 1
            lines += [f"  kept: {title}"] if verbose else []
    broken = len(checks) - kept - inapplicable
    ended = f", {broken} BROKEN" if broken else ""
    say("\n".join([f"{kind} {name}: {kept} promises kept, {inapplicable} do not concern it{ended}", *lines]))
    sys.stdout.flush()
    return not broken
