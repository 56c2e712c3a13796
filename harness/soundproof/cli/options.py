"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof.errors import SoundproofError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from soundproof.engine.runner import Runner


def add_suite(parser: argparse.ArgumentParser) -> None:
    """Options for what to measure, and where things are."""
    parser.add_argument(
        "--suite", default="quick", metavar="NAME|FILE.toml", help="built-in suite or file (default: quick)"
    )
    add_places(parser)
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="KIND=ID",
        help="run only this component of its kind; may be repeated, e.g. --only model=resnet18",
    )


def add_places(parser: argparse.ArgumentParser) -> None:
    """Options for where things are, and where to compute."""
    parser.add_argument(
        "--data", metavar="DIR", help="folder of the public data sets (default: $SOUNDPROOF_DATA, else ./data)"
    )
    parser.add_argument(
        "--cache", metavar="DIR", help="where work is kept (default: $SOUNDPROOF_CACHE, else ./.soundproof-cache)"
    )
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute (default: auto)"
    )
    parser.add_argument(
        "--threads",
        type=positive,
        metavar="N",
        help="threads of torch, whose number shows in last digits (default: $OMP_NUM_THREADS, else all cores)",
    )


def positive(text: str) -> int:
    """A number of at least one.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    import argparse

    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of at least 1")
    return int(text)


def only(entries: Sequence[str]) -> dict[str, list[str]]:
    """Read `--only`.

    Raises:
        SoundproofError: An entry is not KIND=ID.
    """
    chosen: dict[str, list[str]] = {}
    problems = []
    for entry in entries:
        kind, equals, name = entry.partition("=")
        if not (kind and equals and name):
            problems.append(f"--only {entry}: write KIND=ID, e.g. --only attack=fgsm")
        chosen.setdefault(kind, []).append(name)
    if problems:
        raise SoundproofError(problems)
    return chosen


def runner(arguments: argparse.Namespace) -> Runner:
    """What runs cells, with the places and the device that were asked for."""
    from soundproof.contract.discovery import discover
    from soundproof.engine.environment import cache_folder, data_folder, detect
    from soundproof.engine.runner import Runner
    from soundproof.engine.store import Store

    environment = detect(arguments.device, arguments.threads)
    return Runner(discover(), environment, Store(cache_folder(arguments.cache)), data_folder(arguments.data))
