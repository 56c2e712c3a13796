"""The zoo of planted failures against the checks: which check sees which failure, as a Markdown table.

    python scripts/confusion.py        # takes a minute

`●` raises the flag, `○` sees it too and leaves the flag to what explains it, `·` hints at it. The table in
docs/honest-evaluation.md comes from here.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from soundproof import Results

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from failures import FAILURES, RADIUS, registry
from soundproof.engine.environment import Environment
from soundproof.engine.runner import Runner
from soundproof.engine.store import Store
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.results.checks import CHECKS
from soundproof.results.flags import FLAGS
from toys import toy_suite

HONEST = {
    "split": {"seeds": list(range(20))},
    "attacks": ["fgsm", "bim-a", "bim-b", "noise", {"id": "deepfool", "steps": 20}],
    "defenses": ["none", "toy-halving"],
}


def results(changes: Mapping[str, Any]) -> Results:
    """Results of a suite of toys."""
    found = registry()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        suite = load_suite(toy_suite(**{"budget": {"epsilon": RADIUS}, **changes}), found)
        runner = Runner(found, Environment("cpu", "", threads=1), Store(root / "cache"), root)
        return runner.run(make_plan(suite, root))


def marks(found: Results) -> dict[str, str]:
    """What each check says of a run: the strongest of its findings."""
    seen = {}
    for finding in found.findings:
        if finding.verdict == "flagged":
            mark = "○" if finding.follows else "·" if finding.flag == "hint" else "●"
            order = "·○●"
            seen[finding.check] = max(seen.get(finding.check, "·"), mark, key=order.index)
    return seen


def say(line: str = "", end: str = "\n", *, flush: bool = True) -> None:
    """Write a line at once."""
    sys.stdout.write(line + end)
    if flush:
        sys.stdout.flush()


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    numbers = {check.id: str(place) for place, check in enumerate(CHECKS, start=1)}
    say("| planted failure | flag | red? | seen by |")
    say("|---|---|---|---|")
    missed, wrong = 0, 0
    for name, failure in FAILURES.items():
        found = results(failure.suite)
        flags = {flag for row in found.rows for flag in row.flags}
        red = {flag for flag in flags if flag in FLAGS and FLAGS[flag].unranks}
        missed += failure.flag not in flags
        wrong += bool(red - {failure.flag})
        seen = marks(found)
        cells = ", ".join(f"{mark} `{check}`" for mark in "●○·" for check, its in seen.items() if its == mark)
        say(f"| {name} | `{failure.flag}` | {'yes' if failure.flag in red else 'yellow'} | {cells} |", flush=True)
    found = results(HONEST)
    flags = {flag for row in found.rows for flag in row.flags}
    red = sorted(flag for flag in flags if flag in FLAGS and FLAGS[flag].unranks)
    yellow = ", ".join(sorted(flags - set(red)))
    say(f"| *40 honest classifiers of 20 seeds* | | {', '.join(red) or 'none'} | {yellow} |")
    say(f"\n{len(FAILURES)} planted, {missed} missed, {wrong} with another red flag; {len(numbers)} checks.")


if __name__ == "__main__":
    main()
