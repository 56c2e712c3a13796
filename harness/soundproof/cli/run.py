"""`bench run`: measure a suite and draw its boards."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from soundproof.cli import options
from soundproof.cli.output import say
from soundproof.types import Status

if TYPE_CHECKING:
    import argparse

    from soundproof.api import Finished

FAILED = 1
_EXAMPLES = """\
examples:
  bench run                                          the suite `quick`
  bench run --suite esc10 --data ~/audio             a built-in suite on real sound
  bench run --suite mine.toml --out results/mine     your own suite
  bench run --suite esc10 --jobs 4                   four cells at a time
  bench run --suite paper --scheduler tcp://10.0.0.1:8786 --cache /shared/cache
  bench run --only model=mel-cnn --only attack=fgsm  a part of a suite

Interrupt it whenever you like: the same command goes on where it stopped and gives the same results.
"""


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench run`."""
    import argparse

    parser = commands.add_parser(
        "run",
        parents=[common],
        help="measure a suite and draw its boards",
        description="Measure every cell of a suite and write results and boards.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_suite(parser)
    parser.add_argument("--out", metavar="DIR", help="results folder (default: leaderboards/<suite>)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--jobs",
        type=options.positive,
        default=1,
        metavar="N",
        help="cells at a time, each in a process with its share of the cores, or one of the GPUs (default: 1)",
    )
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="run cells on the workers of a Dask cluster; ADDRESS is its scheduler's, or the scheduler's file",
    )
    parser.add_argument(
        "--profile",
        metavar="FILE.json",
        help="write which stage ran when and where, for chrome://tracing or ui.perfetto.dev",
    )
    parser.add_argument("--fresh", action="store_true", help="compute everything again, whatever is cached")
    parser.add_argument(
        "--isolate",
        choices=("plugins", "all", "none"),
        default="plugins",
        help="cells that run in a process of their own, which may crash or hang without harm to the run: "
        "those with components of other packages (default), all, or none",
    )
    parser.add_argument(
        "--sounds",
        action="store_true",
        help="keep the sound of the clips that the page shows, attacked and not, so that it plays them; off by "
        "default, since results are made to be handed on and recordings may not be",
    )
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    """Run it; 1 if cells failed."""
    from soundproof.api import execute
    from soundproof.cli.meter import reading
    from soundproof.cli.terminal import listener

    start = time.monotonic()
    with reading(sys.stderr):
        finished = execute(
            arguments.suite,
            data=arguments.data,
            out=arguments.out,
            cache=arguments.cache,
            device=arguments.device,
            only=options.only(arguments.only),
            threads=arguments.threads,
            isolate=arguments.isolate,
            jobs=arguments.jobs,
            scheduler=arguments.scheduler,
            profile=arguments.profile,
            fresh=arguments.fresh,
            sounds=arguments.sounds,
            listeners=[listener(sys.stderr)],
        )
    say(summary(finished, time.monotonic() - start))
    return FAILED if any(row.status.broken for row in finished.results.rows) else 0


def summary(finished: Finished, seconds: float) -> str:
    """Summary of a run in a few lines: cells, failures, the first of the ranking, where the boards are."""
    from soundproof.cli.terminal import duration

    found, out = finished.results, finished.out
    counts = Counter(row.status for row in found.rows)
    ended = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    lines = [f"{ended} in {duration(seconds)}"]
    for status in filter(lambda each: each.broken, Status):
        rows = [row for row in found.rows if row.status is status]
        lines += [f"  {status}: {row.title()}: {row.reason}" for row in rows[:5]]
        if len(rows) > 5:
            lines.append(f"  … and {len(rows) - 5} more {status}; all are in {out / 'results.jsonl'}")
    lines += finished.drawn.ranking
    lines.append(f"boards: {(out / 'index.html').resolve().as_uri()}")
    return "\n".join(lines)
