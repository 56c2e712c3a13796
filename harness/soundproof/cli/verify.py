"""`bench verify`: somebody's adversarial examples, scored again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.cli import options
from soundproof.cli.output import say

if TYPE_CHECKING:
    import argparse

    from soundproof.submissions.verifying import Verified

DIFFERS = 1
_EXAMPLES = """\
example: bench verify mine.bundle --data ~/audio --into leaderboards/esc10

exit codes: 0 the claim holds, 1 it does not, 2 the file is no bundle, or one that nobody should open
"""


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench verify`."""
    import argparse

    parser = commands.add_parser(
        "verify",
        parents=[common],
        help="score the examples of a bundle, running none of its maker's code",
        description="Score the examples of a bundle on a network that is made here, or came with them; nothing in "
        "the file is executed (docs/submissions.md).",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="a file that `bench pack` wrote")
    parser.add_argument("--train", action="store_true", help="make the network here even if the bundle brings one")
    parser.add_argument("--into", metavar="DIR", help="results folder that the row is added to, or that it begins")
    options.add_places(parser)
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    """Score it; 1 if the claim does not hold."""
    from soundproof import boards
    from soundproof.submissions import bundle
    from soundproof.submissions.adding import add
    from soundproof.submissions.verifying import verify

    found = verify(bundle.read(Path(arguments.bundle)), options.runner(arguments), train=arguments.train)
    say(summary(found))
    if found.differing:
        return DIFFERS
    if arguments.into:
        add(found, Path(arguments.into))
        boards.render(Path(arguments.into))
        say(f"boards: {(Path(arguments.into) / 'index.html').resolve().as_uri()}")
    return 0


def summary(found: Verified) -> str:
    """What was claimed, what was found, and on whose network."""
    from soundproof.submissions.verifying import SCORED, Network

    lines = [found.row.title(), f"{'':18} {'claimed':>10} {'here':>10}"]
    for name in SCORED:
        pair = [row.metrics.get(name) for row in (found.claimed, found.row)]
        if any(pair):
            lines.append(
                f"{name:18} " + " ".join("none".rjust(10) if m is None else f"{m.value:10.4g}" for m in pair)
            )
    lines.append("gradients and queries are the maker's word")
    if found.differing:
        return "\n".join([*lines, "refuted:", *(f"  {each}" for each in found.differing)])
    if found.network is Network.OWN:
        return "\n".join([*lines, "verified: on a network that was made here"])
    return "\n".join([*lines, "claimed: on the network that came with it; --train makes it here"])
