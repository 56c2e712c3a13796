"""`bench data`: which data sets there are, whether they are whole, and how to get them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from soundproof.cli.output import say
from soundproof.errors import DataError, SoundproofError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from soundproof.contract.components import Dataset
    from soundproof.data.inspection import Inspection

_EXAMPLES = """\
examples:
  bench data list --data ~/audio            what is there, and what could be
  bench data check --data ~/audio           decode every file of every data set that is there
  bench data fetch fsdd --data ~/audio      licence and size first, then a question
  bench data fetch esc10 fsdd --yes         without the question

An interrupted download goes on where it stopped. Exit code 2: something is missing, damaged or unexpected.
"""


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench data`."""
    import argparse

    parser = commands.add_parser(
        "data",
        parents=[common],
        help="list, check and fetch data sets",
        description="List the known data sets, check those that are there, fetch those that are public.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|check|fetch")
    place = argparse.ArgumentParser(add_help=False)
    place.add_argument(
        "--data", metavar="DIR", help="folder of the public data sets (default: $SOUNDPROOF_DATA, else ./data)"
    )
    parents = [common, place]
    listing = actions.add_parser(
        "list",
        parents=parents,
        help="licence, size and place of every data set, and whether it is there",
        epilog="example: bench data list --data ~/audio --json",
    )
    listing.add_argument("--json", action="store_true", help="print a JSON list")
    listing.set_defaults(call=show)
    checking = actions.add_parser(
        "check",
        parents=parents,
        help="name every missing, damaged or unexpected file",
        epilog="example: bench data check esc10 --data ~/audio",
    )
    checking.add_argument("ids", nargs="*", metavar="ID", help="data sets (default: all that are there)")
    checking.set_defaults(call=check)
    fetching = actions.add_parser(
        "fetch",
        parents=parents,
        help="download, verify and unpack public data sets",
        epilog="example: bench data fetch fsdd --data ~/audio --yes",
    )
    fetching.add_argument("ids", nargs="+", metavar="ID", help="data sets")
    fetching.add_argument("--yes", action="store_true", help="do not ask before downloading")
    fetching.set_defaults(call=get)


def show(arguments: argparse.Namespace) -> int:
    """Print the list."""
    from soundproof.data.fetch import is_there

    root = _root(arguments)
    rows: list[dict[str, Any]] = [
        {
            "id": dataset.id,
            "summary": dataset.summary(),
            "licence": dataset.licence,
            "homepage": dataset.homepage,
            "bytes": sum(download.size for download in dataset.downloads) or None,
            "path": str(root / dataset.folder),
            "there": is_there(dataset, root),
        }
        for dataset in _published()
    ]
    if arguments.json:
        say(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        there = "there " if row["there"] else "absent"
        size = _size(row["bytes"]) if row["bytes"] else "?"
        say(f"{row['id']:16} {there}  {size:>7}  {row['licence']:13} {row['path']}")
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Decode everything and print a line a data set; raises DataError with every problem."""
    from soundproof.cli.meter import meter
    from soundproof.data.audio import watched
    from soundproof.data.fetch import is_there
    from soundproof.data.inspection import inspect

    root = _root(arguments)
    chosen = _chosen(arguments.ids) if arguments.ids else [data for data in _published() if is_there(data, root)]
    if not chosen:
        raise DataError(
            f"{root}: holds no known data set; see `bench data list`, or name another folder with --data"
        )
    problems: list[str] = []
    for dataset in chosen:
        with meter(sys.stderr, dataset.id, lambda done, total: f"{done} of {total} files") as tell, watched(tell):
            found = inspect(dataset, root)
        problems += [f"{dataset.id}: {problem}" for problem in found.problems]
        say(f"{dataset.id}: {_verdict(found, dataset.seconds)}")
    if problems:
        raise DataError(problems)
    return 0


def get(arguments: argparse.Namespace) -> int:
    """Say what will be downloaded, ask, and do it."""
    from soundproof.cli.meter import meter
    from soundproof.data.fetch import fetch, is_there

    root = _root(arguments)
    wanted: dict[str, Dataset] = {}
    for dataset in _chosen(arguments.ids):
        if is_there(dataset, root):
            say(f"{dataset.id}: {root / dataset.folder} is there already; see `bench data check {dataset.id}`")
        elif not dataset.downloads:
            raise DataError(f"{dataset.id}: no public download; see {dataset.homepage or 'its documentation'}")
        else:
            # Data sets that share a folder, as ESC-10 and ESC-50 do, come in one piece.
            wanted.setdefault(dataset.folder, dataset)
    for dataset in wanted.values():
        say(f"{dataset.id}: {dataset.summary()}")
        say(f"  licence {dataset.licence}; {dataset.homepage}")
        for download in dataset.downloads:
            say(f"  {_size(download.size)} from {download.url}")
        say(f"  to {root / dataset.folder}")
    if wanted and not (arguments.yes or _agreed()):
        say("nothing downloaded")
        return 0
    for dataset in wanted.values():
        with meter(sys.stderr, dataset.id, _bytes) as tell:
            folder = fetch(dataset, root, tell)
        say(f"{dataset.id}: unpacked to {folder}")
    return 0


def _verdict(found: Inspection, seconds: float) -> str:
    count = len(found.problems)
    verdict = f"{count} problem{'s' if count > 1 else ''}" if count else "whole"
    if not found.clips:
        return verdict
    return (
        f"{verdict}: {found.clips} clips of {seconds:g} s, {found.classes} classes, "
        f"{found.recordings} recordings, {found.seconds:,.0f} s in all"
    )


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise SoundproofError("nobody can be asked here: add --yes to accept licence and size")
    try:
        return input("Download? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _root(arguments: argparse.Namespace) -> Path:
    from soundproof.engine.environment import data_folder

    return data_folder(arguments.data)


def _published() -> list[Dataset]:
    """Every installed data set that has a folder of its own."""
    from soundproof.contract.discovery import discover
    from soundproof.types import Kind

    registry = discover()
    classes: list[Any] = [registry.find(Kind.DATASET, name).component for name in registry.ids(Kind.DATASET)]
    return _chosen([component.id for component in classes if component.folder])


def _chosen(ids: Sequence[str]) -> list[Dataset]:
    """The data sets of these ids with default parameters; raises PluginError with every unknown one."""
    from soundproof.contract.discovery import discover
    from soundproof.errors import PluginError
    from soundproof.types import Kind, Ref

    registry = discover()
    found: list[Any] = []
    problems: list[str] = []
    for name in dict.fromkeys(ids):
        try:
            found.append(registry.build(Ref(Kind.DATASET, name)))
        except PluginError as error:
            problems += error.problems
    if problems:
        raise PluginError(problems)
    return found


def _size(size: int) -> str:
    if not size:
        return "unknown size"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _bytes(done: int, total: int) -> str:
    return f"{_size(done)} of {_size(total)}"
