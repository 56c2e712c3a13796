"""`bench new`: the files of a new plugin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.cli.output import say

if TYPE_CHECKING:
    import argparse


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench new`."""
    from soundproof.types import Kind

    parser = commands.add_parser(
        "new",
        parents=[common],
        help="write a new plugin that installs, runs and tests itself",
        description="Write a pip-installable distribution with one component, its tests, a suite and a CI file.",
        epilog="example: bench new attack tremolo && pip install ./soundproof-tremolo && bench check tremolo",
    )
    parser.add_argument("kind", choices=[str(kind) for kind in Kind], help="kind of component")
    parser.add_argument("name", metavar="NAME", help="its id: lower-case letters, digits and hyphens")
    parser.add_argument("--into", default=".", metavar="DIR", help="folder to write it in (default: here)")
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    """Write it, and say what comes next."""
    from soundproof.scaffold.distribution import write
    from soundproof.types import Kind

    folder, *files = write(Kind(arguments.kind), arguments.name, Path(arguments.into))
    for file in files:
        say(str(file))
    place = folder if folder.is_absolute() else f"./{folder}"
    say(
        f"next:\n  pip install {place}\n  bench check {arguments.name} --kind {arguments.kind}\n"
        f"  bench run --suite {folder / 'suite.toml'} --out results/{arguments.name}"
    )
    return 0
