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

_DAY = 86_400.0
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
    parser.add_argument(
        "--calibrate",
        nargs="?",
        type=float,
        const=60.0,
        default=0.0,
        metavar="SECONDS",
        help="run some of the cells first, for so long (60), to know how much of the work at most is really done",
    )
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
            calibrate=arguments.calibrate,
            threads=arguments.threads,
        )
    say(json.dumps(plan) if arguments.json else _text(plan))
    return 0


def _work(plan: dict[str, Any]) -> str:
    """What some cells take."""
    from soundproof.cli.terminal import duration
    from soundproof.engine.demand import written

    time = duration(plan["seconds"])
    if plan["seconds"] > _DAY:
        days = plan["seconds"] / _DAY
        time = f"{days:,.0f} days" if days < 1000 else f"{days / 365:,.0f} years"
    return (
        f"at most {plan['gradients']:,} gradients, about {time}, {written(plan['memory'])} of memory, "
        f"{written(plan['disk'])} of disk"
    )


def _text(plan: dict[str, Any]) -> str:
    lines = [f"suite {plan['suite']}: {plan['cells']} cells, {plan['cached']} of them cached"]
    lines += [f"  {count:5} {protocol}" for protocol, count in Counter(plan["protocols"]).items()]
    lines.append(f"to compute: {_work(plan)}")
    lines += [f"does not fit: {shortage}" for shortage in plan["shortages"]]
    if plan["skipped"]:
        lines.append(f"{plan['skipped']} cells cannot run:")
        lines += [f"  {count:5} × {reason}" for reason, count in Counter(plan["reasons"]).most_common()]
    published = plan.get("published")
    if published is not None:
        lines.append(f"with all data sets as published, {published['cells']} cells more: {_work(published)}")
        lines += [f"  does not fit: {shortage}" for shortage in published["shortages"]]
        lines += [f"  not counted: {reason}" for reason in published["unknown"]]
    if not plan["calibrated"] and plan["gradients"]:
        lines.append("--calibrate runs some cells first and then says what time they really take")
    return "\n".join(lines)
