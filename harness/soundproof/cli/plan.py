"""`bench plan`: what a run would do."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from soundproof.cli import options
from soundproof.cli.output import say

if TYPE_CHECKING:
    import argparse

_EXAMPLES = """\
examples:
  bench plan                                 the suite `quick`
  bench plan --suite esc10 --data ~/audio --json
"""


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench plan`."""
    import argparse

    parser = commands.add_parser(
        "plan",
        parents=[common],
        help="cells, skips with reasons, what is cached, gradients and time",
        description="Show what `bench run` with the same options would do.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_suite(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    """Print the plan."""
    from soundproof.api import plan_suite
    from soundproof.cli.meter import reading

    with reading(sys.stderr):
        plan = plan_suite(
            arguments.suite,
            data=arguments.data,
            cache=arguments.cache,
            device=arguments.device,
            only=options.only(arguments.only),
            threads=arguments.threads,
        )
    say(json.dumps(plan) if arguments.json else _text(plan))
    return 0


def _text(plan: dict[str, Any]) -> str:
    from soundproof.cli.terminal import duration

    lines = [f"suite {plan['suite']}: {plan['cells']} cells, {plan['cached']} of them cached"]
    lines += [f"  {count:5} {protocol}" for protocol, count in Counter(plan["protocols"]).items()]
    lines.append(f"to compute: at most {plan['gradients']:,} gradients, about {duration(plan['seconds'])}")
    if plan["skipped"]:
        lines.append(f"{plan['skipped']} cells cannot run:")
        lines += [f"  {count:5} × {reason}" for reason, count in Counter(plan["reasons"]).most_common()]
    return "\n".join(lines)
