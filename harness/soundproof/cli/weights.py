"""`bench weights`: trained networks, out of a cache and into another."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.cli import options
from soundproof.cli.output import say

if TYPE_CHECKING:
    import argparse

    from soundproof.engine.workshop import Workshop

_EXAMPLES = """\
examples:
  bench weights list                    networks that come with the package
  bench weights fetch quick             put them into the cache: `bench run --suite quick` trains nothing
  bench weights export mine.toml DIR    your suite's networks, from the cache into a folder
  bench weights fetch mine.toml --from DIR
"""
_SAID = {
    "same key": "exactly what would be trained here",
    "elsewhere": 'made elsewhere or rounded: rows are flagged "fetched"',
    "there": "the cache has its own",
    "unknown": "the suite has no such network here",
}


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench weights`."""
    import argparse

    parser = commands.add_parser(
        "weights",
        help="list, fetch or export trained networks",
        description="Trained networks, so that nobody has to train them to try an attack (docs/weights.md).",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    listing = verbs.add_parser("list", parents=[common], help="networks on a shelf")
    listing.add_argument("shelf", nargs="?", metavar="SUITE|DIR", help="which (default: all of the package)")
    listing.set_defaults(call=_list)
    fetching = verbs.add_parser("fetch", parents=[common], help="put them into the cache")
    fetching.add_argument("suite", nargs="?", default="quick", metavar="SUITE", help="whose (default: quick)")
    fetching.add_argument("--from", dest="shelf", metavar="DIR", help="a folder (default: that of the package)")
    options.add_places(fetching)
    fetching.set_defaults(call=_fetch)
    exporting = verbs.add_parser("export", parents=[common], help="put those of the cache into a folder")
    exporting.add_argument("suite", metavar="SUITE", help="whose; it has run here")
    exporting.add_argument("into", metavar="DIR", help="a new folder")
    exporting.add_argument("--half", action="store_true", help="round weights to half precision")
    options.add_places(exporting)
    exporting.set_defaults(call=_export)


def _list(arguments: argparse.Namespace) -> int:
    from soundproof.weights.moving import words
    from soundproof.weights.shelf import read, shipped

    for name in [arguments.shelf] if arguments.shelf else shipped():
        shelf = read(name)
        precision = "half precision" if any(each.rounded for each in shelf.networks) else "single precision"
        say(f"{shelf.suite}: {len(shelf.networks)} networks, {shelf.size / 1e6:.2f} MB, {precision}")
        for network in shelf.networks:
            say(f"  {network.sha256[:16]}  {words(network.place)}")
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    from soundproof.weights.moving import fetch
    from soundproof.weights.shelf import read

    shelf = read(arguments.shelf or arguments.suite)
    counts = Counter(moved.outcome for moved in fetch(_workshop(arguments), shelf))
    for outcome, said in _SAID.items():
        if counts[outcome]:
            say(f"{counts[outcome]:3} {said}")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from soundproof.weights.moving import export

    shelf = export(_workshop(arguments), Path(arguments.into), rounded=arguments.half)
    say(f"{shelf.folder}: {len(shelf.networks)} networks, {shelf.size / 1e6:.2f} MB")
    return 0


def _workshop(arguments: argparse.Namespace) -> Workshop:
    from soundproof.planning.product import make_plan
    from soundproof.planning.suite import load_suite

    runner = options.runner(arguments)
    return runner.workshop(make_plan(load_suite(arguments.suite, runner.registry), runner.root))
