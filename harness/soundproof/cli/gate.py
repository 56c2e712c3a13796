"""`bench gate`: whether a run is worse than a baseline by more than chance."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.cli.output import say
from soundproof.errors import ResultsError

if TYPE_CHECKING:
    import argparse

INCOMPARABLE = 3
_EXAMPLES = """\
examples:
  bench gate --baseline leaderboards/quick/baseline.json --candidate results/quick
  bench gate --baseline main/ --candidate branch/ --junit gate.xml --markdown "$GITHUB_STEP_SUMMARY"
  bench gate --baseline leaderboards/quick/baseline.json --candidate results/quick \\
             --update-baseline --reason "BIM stops earlier since #41"

exit codes: 0 pass, 1 regression, 2 bad input, 3 no or incomparable baseline, 4 missing or failed cells,
            5 inconclusive (with --strict)
"""


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The grammar of `bench gate`."""
    import argparse

    parser = commands.add_parser(
        "gate",
        parents=[common],
        help="fail if a run is worse than a baseline by more than chance",
        description="Compare two runs clip by clip, within the tolerances of the suite's [gate] (docs/gate.md).",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--baseline", required=True, metavar="A", help="baseline.json, or a results folder")
    parser.add_argument("--candidate", required=True, metavar="B", help="results folder of the run to judge")
    parser.add_argument("--junit", metavar="FILE", help="write the comparisons as JUnit XML")
    parser.add_argument("--markdown", metavar="FILE", help="append a summary, e.g. to $GITHUB_STEP_SUMMARY")
    parser.add_argument("--json", metavar="FILE", help="write everything as JSON")
    parser.add_argument("--strict", action="store_true", help="exit with 5 where a change may be chance")
    parser.add_argument("--update-baseline", action="store_true", help="make B the baseline A instead")
    parser.add_argument("--reason", default="", help="why; kept in the baseline")
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    """Compare, tell, and return the exit code."""
    from soundproof.gate import comparison, reports

    baseline, candidate = Path(arguments.baseline), Path(arguments.candidate)
    if arguments.update_baseline:
        say(f"baseline: {comparison.update(baseline, candidate, arguments.reason)}")
        return 0
    if arguments.reason:
        raise ResultsError("--reason goes with --update-baseline")
    if not baseline.exists():
        say(f"bench: {baseline}: there is no baseline; write one with --update-baseline --reason", sys.stderr)
        return INCOMPARABLE
    report = comparison.compare(baseline, candidate)
    code = report.code(strict=arguments.strict)
    if arguments.json:
        Path(arguments.json).write_text(reports.as_json(report, code), "utf-8")
    if arguments.junit:
        Path(arguments.junit).write_bytes(reports.junit(report))
    if arguments.markdown:
        with Path(arguments.markdown).open("a", encoding="utf-8") as file:
            file.write(reports.markdown(report, code))
    say(reports.text(report))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for each in reports.workflow_commands(report):
            say(each)
    return code
